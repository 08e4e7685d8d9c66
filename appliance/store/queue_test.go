package store

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func queueOf(t testing.TB, s *Store, q inspection.QueueQuery) inspection.QueuePage {
	t.Helper()
	p, err := s.ReviewQueue(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func queuedIDs(items []inspection.QueueItem) (ids []inspection.DefectID) {
	for _, i := range items {
		ids = append(ids, i.Defect.ID)
	}
	return ids
}

func TestQueueOverCoilsIsOneOrderPageByPage(t *testing.T) {
	s := open(t, t.TempDir())
	graded(t, s, "A1", 35) // blocked by 4 holes
	graded(t, s, "A2", 35)
	start(t, s, "A3", inspection.CoilOrder{})
	appendTo(t, s, batch("A3", 10, 0))

	whole := queueOf(t, s, inspection.QueueQuery{Limit: 200})
	if whole.Waiting != 70 || len(whole.Items) != 70 || whole.NextCursor != "" {
		t.Fatalf("%d of %d wait, cursor %q: a running coil's defects do not", len(whole.Items), whole.Waiting, whole.NextCursor)
	}
	// The holes first: the least sure of both coils, then the next.
	if got, want := queuedIDs(whole.Items[:8]), []inspection.DefectID{1, 36, 11, 46, 21, 56, 31, 66}; !slices.Equal(got, want) {
		t.Errorf("the first are %v, want %v", got, want)
	}
	first := whole.Items[0]
	if first.Grade != inspection.Block || first.Best != inspection.Prime || first.Worst != inspection.Block || !first.CanChange ||
		len(first.Rules) != 1 || first.Rules[0] != (inspection.DecidedRule{Rule: "holes", Grade: inspection.Block, Measured: 4, Limit: 1}) {
		t.Errorf("the first item is %+v", first)
	}
	if n := whole.ByReason[inspection.DecidesGrade]; n != 8 {
		t.Errorf("%d decide a grade, want 8", n)
	}
	var paged []inspection.DefectID
	for cursor := ""; ; {
		p := queueOf(t, s, inspection.QueueQuery{Limit: 9, Cursor: cursor})
		paged = append(paged, queuedIDs(p.Items)...)
		if cursor = p.NextCursor; cursor == "" {
			break
		}
	}
	if !slices.Equal(paged, queuedIDs(whole.Items)) {
		t.Errorf("page by page %v\nat once %v", paged, queuedIDs(whole.Items))
	}
	severe := queueOf(t, s, inspection.QueueQuery{Reason: inspection.IsSevere, Limit: 200})
	if len(severe.Items) != severe.ByReason[inspection.IsSevere] || severe.Waiting != 70 {
		t.Errorf("%d severe ones, %d counted", len(severe.Items), severe.ByReason[inspection.IsSevere])
	}
	for _, i := range severe.Items {
		if i.Defect.Severity < 3 {
			t.Errorf("defect %d of severity %d is among the severe", i.Defect.ID, i.Defect.Severity)
		}
	}
	if p := queueOf(t, s, inspection.QueueQuery{Coil: "A2"}); p.Waiting != 35 || p.Items[0].Defect.Coil != "A2" {
		t.Errorf("of one coil %d wait", p.Waiting)
	}
	if _, err := s.ReviewQueue(t.Context(), inspection.QueueQuery{Coil: "A3"}); !isType[*inspection.ConflictError](err) {
		t.Errorf("the queue of a running coil: %v", err)
	}
	if _, err := s.ReviewQueue(t.Context(), inspection.QueueQuery{Coil: "A4"}); !isType[*inspection.NotFoundError](err) {
		t.Errorf("the queue of no coil: %v", err)
	}
	if _, err := s.ReviewQueue(t.Context(), inspection.QueueQuery{Cursor: "x"}); !isType[*inspection.FieldError](err) {
		t.Errorf("a cursor that is none: %v", err)
	}
}

func TestReviewedDefectLeavesTheQueueAndComesBackWithUndo(t *testing.T) {
	s := open(t, t.TempDir())
	ids := graded(t, s, "A1", 20) // holes 1 and 11
	before := queueOf(t, s, inspection.QueueQuery{})
	review(t, s, ids[0], "red_iron", "Kim")
	after := queueOf(t, s, inspection.QueueQuery{})
	if after.Waiting != before.Waiting-1 || after.ByReason[inspection.DecidesGrade] != 1 || after.Items[0].Defect.ID != 11 {
		t.Errorf("after a review %d wait, first %d", after.Waiting, after.Items[0].Defect.ID)
	}
	if _, err := s.Withdraw(t.Context(), ids[0], "Kim", 2); err != nil {
		t.Fatal(err)
	}
	if back := queueOf(t, s, inspection.QueueQuery{}); back.Waiting != before.Waiting || back.Items[0].Defect.ID != 1 {
		t.Errorf("after the undo %d wait, first %d", back.Waiting, back.Items[0].Defect.ID)
	}
	// A hole that a person confirmed blocks the coil whatever is said of the rest.
	review(t, s, ids[0], "hole", "Kim")
	if p := queueOf(t, s, inspection.QueueQuery{}); p.Items[0].Best != inspection.Block || p.Items[0].CanChange {
		t.Errorf("after a confirmed hole: %+v", p.Items[0])
	}
	// Graded again the trail is another, and the order with it.
	review(t, s, ids[0], inspection.NoDefect, "Kim")
	review(t, s, ids[10], inspection.NoDefect, "Kim")
	if _, err := s.Regrade(t.Context(), "A1", "Kim", 0); err != nil {
		t.Fatal(err)
	}
	if p := queueOf(t, s, inspection.QueueQuery{}); p.ByReason[inspection.DecidesGrade] != 0 || p.Items[0].Grade != inspection.Prime {
		t.Errorf("after the new grade: %v", p.ByReason)
	}
}

func TestOldCoilsWaitOnlyUntilSomebodyDecides(t *testing.T) {
	now := time.Now()
	dir := t.TempDir()
	s := open(t, dir)
	s.options.Now = func() time.Time { return now }
	graded(t, s, "A1", 20)
	now = now.Add((inspection.QueueDays*24 + 1) * time.Hour)
	if p := queueOf(t, s, inspection.QueueQuery{}); p.Waiting != 2 || p.ByReason[inspection.DecidesGrade] != 2 {
		t.Errorf("of an old blocked coil %d wait, want its two holes", p.Waiting)
	}
	if p := queueOf(t, s, inspection.QueueQuery{Coil: "A1"}); p.Waiting != 20 {
		t.Errorf("of the coil by name %d wait, want all", p.Waiting)
	}
	review(t, s, 1, "hole", "Kim")
	if _, err := s.Regrade(t.Context(), "A1", "Kim", 0); err != nil {
		t.Fatal(err)
	}
	if p := queueOf(t, s, inspection.QueueQuery{}); p.Waiting != 0 || len(p.Items) != 0 {
		t.Errorf("after a person graded it again %d wait", p.Waiting)
	}
}

func TestOldCoilThatSomebodyReleasedOrRejectedNoLongerWaits(t *testing.T) {
	now := time.Now()
	s := open(t, t.TempDir())
	s.options.Now = func() time.Time { return now }
	graded(t, s, "A1", 20)
	now = now.Add((inspection.QueueDays*24 + 1) * time.Hour)
	decide := func(disposition inspection.Disposition, grade inspection.Grade, fourEyes ...inspection.Grade) {
		t.Helper()
		d := inspection.Decision{By: "Kim", Disposition: disposition, Grade: grade, Reason: "seen at the strip"}
		if _, err := s.Decide(t.Context(), "A1", d, 0, fourEyes); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		decide func()
		want   int
		why    string
	}{
		{func() { decide(inspection.Held, "") }, 2, "held: it waits"},
		{func() { decide(inspection.Rejected, "") }, 0, "rejected"},
		{func() { decide(inspection.Held, "") }, 2, "held after all"},
		{func() { decide(inspection.Released, inspection.Second, inspection.Block) }, 2, "released, but nobody confirmed it"},
		{func() {
			if _, err := s.ConfirmDecision(t.Context(), "A1", "Lee", 0); err != nil {
				t.Fatal(err)
			}
		}, 0, "released by two"},
	} {
		c.decide()
		if p := queueOf(t, s, inspection.QueueQuery{}); p.Waiting != c.want {
			t.Errorf("%s: %d wait, want %d", c.why, p.Waiting, c.want)
		}
	}
}

func TestPageOfTheQueueReadsNoMoreThanItShows(t *testing.T) {
	const page, defects = 5, 20_000
	s := open(t, t.TempDir())
	start(t, s, "A1", inspection.CoilOrder{})
	appendTo(t, s, batch("A1", defects, 0)) // without pictures: the holes that decide wait
	m, err := s.Map(t.Context(), "A1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CloseCoil(t.Context(), "A1", m.Strip, inspection.GradeMap(m, recipe(1)), time.Now()); err != nil {
		t.Fatal(err)
	}
	review(t, s, 8, "hole", "Kim")
	first := queueOf(t, s, inspection.QueueQuery{Limit: page})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	queueOf(t, s, inspection.QueueQuery{Limit: page, Cursor: first.NextCursor})
	runtime.ReadMemStats(&after)
	if most, got := uint64(300_000), after.TotalAlloc-before.TotalAlloc; got > most {
		t.Errorf("a page of %d of %d defects took %d bytes, want at most %d", page, defects, got, most)
	}
}

// queueOfTwoMillion is a record of 2,000,000 defects of 200 coils, all in the queue.
func queueOfTwoMillion(b *testing.B) *Store {
	s := open(b, b.TempDir())
	for i := range 200 {
		id := inspection.CoilID("C" + string(rune('A'+i/26)) + string(rune('A'+i%26)))
		start(b, s, id, inspection.CoilOrder{})
		m := inspection.DefectMap{Strip: inspection.Strip{Coil: id, Length: 10_000, Width: 1500, Sides: inspection.Sides()}}
		t := batch(id, 10_000, 0)
		for k := range t.Defects {
			t.Images = append(t.Images, nil)
			t.Defects[k].Conf = float32(k*7919%10_000) / 10_000
		}
		appendTo(b, s, t)
		m.Defects = t.Defects
		if _, err := s.CloseCoil(b.Context(), id, m.Strip, inspection.GradeMap(m, recipe(1)), time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	// Files for two million pictures would measure the disk: the record alone says that there are some.
	for _, sql := range []string{`UPDATE defects SET has_image = 1`, `DELETE FROM map_parts`} {
		if _, err := s.writer.ExecContext(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	tx, err := s.writer.BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := writeParts(b.Context(), tx); err != nil {
		b.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkReviewQueue reads the first page of 2,000,000 defects that wait: the first time, and between two reviews.
func BenchmarkReviewQueue(b *testing.B) {
	s := queueOfTwoMillion(b)
	page := func(b *testing.B) {
		p, err := s.ReviewQueue(b.Context(), inspection.QueueQuery{Limit: 50})
		if err != nil || p.Waiting < 1_900_000 || len(p.Items) != 50 {
			b.Fatal(p.Waiting, len(p.Items), err)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			s.queue.coils = nil
			page(b)
		}
	})
	b.Run("after a review", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := s.Review(b.Context(), inspection.DefectID(i*1000%1_900_000+2), inspection.Review{Class: "hole", By: "Kim"}, 0); err != nil {
				b.Fatal(err)
			}
			page(b)
		}
	})
	b.Run("rare reason", func(b *testing.B) {
		for b.Loop() {
			if p, err := s.ReviewQueue(b.Context(), inspection.QueueQuery{Limit: 50, Reason: inspection.Repeats}); err != nil || p.Waiting == 0 {
				b.Fatal(err)
			}
		}
	})
}
