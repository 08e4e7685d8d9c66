package line

import (
	"context"
	"slices"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// countingWatch finds one mark more with each defect.
type countingWatch struct{ found []inspection.RollMark }

func (w *countingWatch) Add(d *inspection.Defect) bool {
	w.found = append(w.found, inspection.RollMark{Side: d.Side, Last: d.Rect.Along})
	return true
}

func (w *countingWatch) Findings() []inspection.RollMark { return slices.Clone(w.found) }

// markLog keeps the roll marks that the batches of each coil brought last.
type markLog struct {
	*memoryLog
	marks map[inspection.CoilID][]inspection.RollMark
}

func (l *markLog) Append(ctx context.Context, b *inspection.Batch) error {
	if err := l.memoryLog.Append(ctx, b); err != nil {
		return err
	}
	if b.RollMarks != nil {
		l.marks[b.Coil] = b.RollMarks
	}
	return nil
}

func TestEachCoilsDefectsAreShownToItsRollWatchOnce(t *testing.T) {
	log := &markLog{marks: map[inspection.CoilID][]inspection.RollMark{}}
	var watches []*countingWatch
	r := newRig(t, func(o *Options) {
		log.memoryLog = o.Log.(*memoryLog)
		log.failures = 1 // the batch is written again, not shown again
		o.Log = log
		o.Rolls = func() RollWatch {
			w := &countingWatch{}
			watches = append(watches, w)
			return w
		}
	}, &script{frames: 40, marks: map[int][]mark{
		2: {{10, 4, markScratch}}, 5: {{30, 4, markInclusion}}, 12: {{10, 4, markScratch}}, 30: {{10, 4, markScratch}},
	}})
	r.start(t, "A", 0)
	if err := r.line.Finish("A", 20*testLines); err != nil {
		t.Fatal(err)
	}
	r.start(t, "B", 20*testLines)
	r.run(t)
	if len(watches) != 2 {
		t.Fatalf("%d watches for two coils", len(watches))
	}
	for id, want := range map[inspection.CoilID]int{"A": 3, "B": 1} {
		if n := len(log.marks[id]); n != want || len(r.log.maps[id].Defects) != want {
			t.Errorf("coil %s: %d defects were shown and %d recorded; want %d", id, n, len(r.log.maps[id].Defects), want)
		}
	}
}
