package appliance

import (
	"context"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// pastWithin is how long past coils are looked at before an answer must be given.
const pastWithin = 10 * time.Second

// pastCoils shows the newest coils that have ended, at most so many, the newest first. Those that there is no time for are skipped.
func (a *Appliance) pastCoils(ctx context.Context, coils int, show func(inspection.Coil) error) (shown, skipped int, err error) {
	return a.pastCoilsUntil(ctx, coils, time.Now().Add(pastWithin), show)
}

func (a *Appliance) pastCoilsUntil(ctx context.Context, coils int, end time.Time, show func(inspection.Coil) error) (shown, skipped int, err error) {
	q := inspection.CoilQuery{States: []inspection.CoilState{inspection.Closed, inspection.Interrupted}}
	for left := coils; left > 0; {
		q.Limit = min(left, 100)
		page, err := a.store.Coils(ctx, q)
		if err != nil {
			return shown, skipped, err
		}
		left -= len(page.Coils)
		for _, c := range page.Coils {
			if time.Now().After(end) {
				skipped++
				continue
			}
			if err := show(c); err != nil {
				return shown, skipped, err
			}
			shown++
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			break
		}
	}
	return shown, skipped, nil
}
