package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func TestChangesTellTheStoryOfACoil(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	if _, _, err := s.Announce(ctx, "A1", inspection.CoilOrder{Length: 500}); err != nil {
		t.Fatal(err)
	}
	start(t, s, "A1", inspection.CoilOrder{})
	b := batch("A1", 20, 0)
	b.Gaps = []inspection.Gap{{Side: inspection.Top, From: 1, To: 2, State: inspection.Underrun}}
	appendTo(t, s, b)
	appendTo(t, s, &inspection.Batch{Coil: "A1", Progress: []inspection.Progress{{Side: inspection.Top, To: 500}}})
	res := inspection.InspectionResult{Grade: inspection.Second, Coverage: inspection.CoverageOf(inspection.Strip{Length: 500}, b.Gaps)}
	if _, err := s.CloseCoil(ctx, "A1", inspection.Strip{Coil: "A1", Length: 500}, res, time.Now()); err != nil {
		t.Fatal(err)
	}
	page, err := s.Changes(ctx, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	revision := 0
	for i, c := range page.Changes {
		types = append(types, c.Type)
		if c.Seq != int64(i+1) || c.Subject != "A1" || c.Revision < revision {
			t.Errorf("change %d: %+v after revision %d", i, c, revision)
		}
		revision = c.Revision
	}
	want := []string{"coil.announced", "coil.opened", "defect.batch", "inspection.gap", "coil.closed", "coil.graded"}
	if !slices.Equal(types, want) {
		t.Fatalf("changes %v; want %v", types, want)
	}
	if page.NextAfter != 6 || page.HasMore || page.HighWater != 6 || page.Oldest != 1 {
		t.Errorf("page %+v", page)
	}
	var graded coilChange
	if err := json.Unmarshal(page.Changes[5].Data, &graded); err != nil {
		t.Fatal(err)
	}
	if graded.ID != "A1" || graded.Grade != inspection.Second || graded.State != inspection.Closed || graded.Counts.Defects != 20 || len(graded.Coverage) != 2 || graded.Revision != revision {
		t.Errorf("coil.graded carries %s", page.Changes[5].Data)
	}
	var found defectBatch
	if err := json.Unmarshal(page.Changes[2].Data, &found); err != nil {
		t.Fatal(err)
	}
	if found != (defectBatch{"A1", b.Defects[0].ID, b.Defects[19].ID, 20}) {
		t.Errorf("defect.batch carries %+v", found)
	}
}

func TestChangeLogNeverSkipsOrRepeatsUnderAWriter(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	start(t, s, "A1", inspection.CoilOrder{})
	const batches = 150
	var readers sync.WaitGroup
	for r := range 3 {
		readers.Go(func() {
			after, defects := int64(0), 0
			for defects < batches*2 {
				committed := s.Committed()
				page, err := s.Changes(ctx, after, 1+r*7)
				if err != nil {
					t.Errorf("reader %d: %v", r, err)
					return
				}
				for _, c := range page.Changes {
					if c.Seq != after+1 {
						t.Errorf("reader %d: %d after %d", r, c.Seq, after)
						return
					}
					after = c.Seq
					if c.Type == "defect.batch" {
						defects += 2
					}
				}
				if len(page.Changes) == 0 {
					<-committed
				}
			}
		})
	}
	for i := range batches {
		b := batch("A1", 2, inspection.MM(i))
		if i%3 == 0 {
			b.Gaps = []inspection.Gap{{Side: inspection.Top, From: 0, To: 1, State: inspection.Unseen}}
		}
		if i%10 == 0 { // a transaction that is rolled back leaves no hole
			if err := s.Append(ctx, batch("unknown", 1, 0)); err == nil {
				t.Error("batch of an unknown coil was taken")
			}
		}
		appendTo(t, s, b)
	}
	readers.Wait()
}

func TestConsumerGoesBackOnlyWithRewind(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	for i := range 10 {
		if _, _, err := s.Announce(ctx, inspection.CoilID(fmt.Sprintf("A%d", i)), inspection.CoilOrder{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Cursor(ctx, "mes"); !isType[*inspection.NotFoundError](err) {
		t.Errorf("unknown consumer: %v", err)
	}
	steps := []struct {
		acked  int64
		rewind bool
		want   string
	}{
		{11, false, "*inspection.FieldError"},
		{-1, false, "*inspection.FieldError"},
		{8, false, ""},
		{8, false, ""},
		{5, false, "*inspection.ConflictError"},
		{5, true, ""},
		{6, false, ""},
	}
	for _, st := range steps {
		err := s.SetCursor(ctx, "mes", st.acked, st.rewind)
		got := ""
		if err != nil {
			got = fmt.Sprintf("%T", errors.Unwrap(err))
		}
		if got != st.want {
			t.Errorf("acknowledging %d, rewind %v: %v (%s); want %q", st.acked, st.rewind, err, got, st.want)
		}
	}
	if acked, err := s.Cursor(ctx, "mes"); err != nil || acked != 6 {
		t.Errorf("cursor is %d, %v; want 6", acked, err)
	}
}

func TestPrunedChangesAreGoneAndUnacknowledgedOnesStay(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	s, err := Open(t.Context(), t.TempDir(), Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	for i := range 10 {
		now = now.Add(time.Hour)
		if _, _, err := s.Announce(ctx, inspection.CoilID(fmt.Sprintf("A%d", i)), inspection.CoilOrder{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetCursor(ctx, "mes", 4, false); err != nil {
		t.Fatal(err)
	}
	if n, err := s.PruneChanges(ctx, now); err != nil || n != 4 {
		t.Fatalf("pruned %d, %v; want 4", n, err)
	}
	var gone *inspection.GoneError
	if _, err := s.Changes(ctx, 3, 10); !errors.As(err, &gone) || gone.Oldest != 5 {
		t.Errorf("after 3: %v", err)
	}
	if page, err := s.Changes(ctx, 4, 10); err != nil || len(page.Changes) != 6 || page.Oldest != 5 {
		t.Errorf("after 4: %d changes, oldest %d, %v", len(page.Changes), page.Oldest, err)
	}
	if err := s.SetCursor(ctx, "mes", 2, true); !errors.As(err, &gone) {
		t.Errorf("rewinding to what is gone: %v", err)
	}
	if err := s.SetCursor(ctx, "mes", 10, false); err != nil {
		t.Fatal(err)
	}
	if n, err := s.PruneChanges(ctx, now.Add(time.Hour)); err != nil || n != 6 {
		t.Fatalf("pruned %d, %v; want 6", n, err)
	}
	page, err := s.Changes(ctx, 10, 10)
	if err != nil || len(page.Changes) != 0 || page.HighWater != 10 || page.Oldest != 11 || page.NextAfter != 10 {
		t.Errorf("the empty log: %+v, %v", page, err)
	}
	if _, _, err := s.Announce(ctx, "B1", inspection.CoilOrder{}); err != nil {
		t.Fatal(err)
	}
	if page, err := s.Changes(ctx, 10, 10); err != nil || len(page.Changes) != 1 || page.Changes[0].Seq != 11 {
		t.Errorf("after pruning all: %+v, %v", page, err)
	}
	if _, err := s.Changes(ctx, 12, 10); !isType[*inspection.FieldError](err) {
		t.Errorf("after a number never given: %v", err)
	}
}
