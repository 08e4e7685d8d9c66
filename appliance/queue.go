package appliance

import (
	"context"

	"github.com/coilsight/coilsight/inspection"
)

// orderQueue puts what waits for a person in order once, so that the first who asks does not wait for it: half a second for
// two million defects.
func (a *Appliance) orderQueue(ctx context.Context) {
	if _, err := a.store.ReviewQueue(ctx, inspection.QueueQuery{Limit: 1}); err != nil && ctx.Err() == nil {
		a.o.Log.Warn("the review queue cannot be read", "error", err)
	}
}
