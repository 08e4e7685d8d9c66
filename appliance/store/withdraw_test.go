package store

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestWithdrawnReviewRestoresWhatStoodBefore(t *testing.T) {
	s := open(t, t.TempDir())
	ids := graded(t, s, "A1", 20)
	review(t, s, ids[0], "red_iron", "Kim")
	review(t, s, ids[0], inspection.NoDefect, "Lee")

	var conflict *inspection.ConflictError
	if _, err := s.Withdraw(t.Context(), ids[0], "Kim", 0); !errors.As(err, &conflict) || !strings.Contains(err.Error(), "was reviewed by Lee last, who alone may take that back") {
		t.Errorf("another's review: %v", err)
	}
	var stale *inspection.StaleError
	if _, err := s.Withdraw(t.Context(), ids[0], "Lee", 2); !errors.As(err, &stale) {
		t.Errorf("at an old revision: %v", err)
	}
	d, err := s.Withdraw(t.Context(), ids[0], "Lee", 3)
	if err != nil || d.Revision != 4 || d.Review == nil || d.Review.By != "Kim" || d.Review.Class != "red_iron" {
		t.Fatalf("after Lee's: %+v, review %+v, %v", d, d.Review, err)
	}
	if d, err = s.Withdraw(t.Context(), ids[0], "Kim", 4); err != nil || d.Revision != 5 || d.Review != nil || d.Class != "hole" {
		t.Fatalf("after Kim's: %+v, %v", d, err)
	}
	c := lastChange(t, s)
	var data struct {
		Review    *inspection.Review
		Withdrawn struct {
			By     string
			Review inspection.Review
		}
	}
	if err := json.Unmarshal(c.Data, &data); err != nil || c.Type != "defect.revised" || c.Revision != 5 || data.Review != nil ||
		data.Withdrawn.By != "Kim" || data.Withdrawn.Review.Class != "red_iron" {
		t.Errorf("change %+v with %+v, %v", c, data, err)
	}
	mark := c.Seq
	if _, err := s.Withdraw(t.Context(), ids[0], "Kim", 0); !errors.As(err, &conflict) || !strings.Contains(err.Error(), "has no review to take back") {
		t.Errorf("with nothing to take back: %v", err)
	}
	if lastChange(t, s).Seq != mark {
		t.Error("a refused undo is in the change log")
	}
	// The record only grows: both are there, with who took them back.
	history, err := s.Reviews(t.Context(), ids[0])
	if err != nil || len(history) != 2 || history[0].Withdrawn == nil || history[0].Withdrawn.By != "Kim" || history[1].Withdrawn == nil || history[1].Withdrawn.At.IsZero() {
		t.Errorf("history %+v, %v", history, err)
	}
	for filter, want := range map[inspection.ReviewFilter]int{inspection.OnlyReviewed: 0, inspection.OnlyUnreviewed: 20} {
		if p, err := s.Defects(t.Context(), inspection.DefectQuery{Coil: "A1", Review: filter}); err != nil || len(p.Defects) != want {
			t.Errorf("%q: %d defects, %v; want %d", filter, len(p.Defects), err, want)
		}
	}
	r, err := OpenReader(t.Context(), s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if l, err := r.Labels(t.Context(), LabelQuery{Limit: 10}); err != nil || len(l) != 0 {
		t.Errorf("the export has %d labels that were taken back, %v", len(l), err)
	}
}

func TestGradeDoesNotRestOnAReviewTakenBackAfterIt(t *testing.T) {
	s := open(t, t.TempDir())
	ids := graded(t, s, "A1", 20)
	counts := func() inspection.Counts {
		t.Helper()
		c, err := s.Coil(t.Context(), "A1")
		if err != nil {
			t.Fatal(err)
		}
		return c.Counts
	}
	review(t, s, ids[0], inspection.NoDefect, "Kim")
	if _, err := s.Withdraw(t.Context(), ids[0], "Kim", 0); err != nil {
		t.Fatal(err)
	}
	if c := counts(); c.Reviewed != 0 || c.NotInGrade != 0 {
		t.Errorf("given and taken back before any grade: %+v", c)
	}
	for _, id := range []inspection.DefectID{ids[0], ids[10]} {
		review(t, s, id, inspection.NoDefect, "Kim")
	}
	c, err := s.Regrade(t.Context(), "A1", "Kim", 0)
	if err != nil || c.Grade != inspection.Prime {
		t.Fatalf("without its holes: %s, %v", c.Grade, err)
	}
	if _, err := s.Withdraw(t.Context(), ids[0], "Kim", 0); err != nil {
		t.Fatal(err)
	}
	if c := counts(); c.Reviewed != 1 || c.NotInGrade != 1 {
		t.Errorf("after the undo: %+v", c)
	}
	if c, err = s.Regrade(t.Context(), "A1", "Kim", 0); err != nil || c.Grade != inspection.Block || c.Counts.NotInGrade != 0 {
		t.Errorf("graded again: %s, %+v, %v", c.Grade, c.Counts, err)
	}
}
