package store

import (
	"encoding/json"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// severe says what a review holds of a severity, -1 for none.
func severe(r *inspection.Review) int {
	if r == nil || r.Severity == nil {
		return -1
	}
	return int(*r.Severity)
}

func TestSeverityOfAReviewIsKeptAndTakenBackWithIt(t *testing.T) {
	s := open(t, t.TempDir())
	ids := graded(t, s, "A1", 20)
	before, err := s.Defect(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	given := []*inspection.Severity{new(inspection.Severity(4)), nil, new(inspection.Severity(0))}
	said := []int{4, -1, 0}
	for i, severity := range given {
		d, err := s.Review(t.Context(), ids[0], inspection.Review{Class: "red_iron", By: "Kim", Severity: severity}, 0)
		if err != nil || severe(d.Review) != said[i] || d.Severity != before.Severity {
			t.Errorf("review %d: %+v of a defect that the model gave %d, %v; want %d and %d", i, d.Review, d.Severity, err, said[i], before.Severity)
		}
	}
	m, err := s.Map(t.Context(), "A1")
	if err != nil || severe(m.Defects[0].Review) != 0 {
		t.Errorf("on the map: %+v, %v", m.Defects[0].Review, err)
	}
	for i := len(said) - 1; i >= 0; i-- {
		d, err := s.Withdraw(t.Context(), ids[0], "Kim", 0)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 && d.Review != nil {
			t.Errorf("after all were taken back: %+v", d.Review)
		}
		if i > 0 && (d.Review == nil || severe(d.Review) != said[i-1]) {
			t.Errorf("review %d taken back: %+v; want severity %d", i, d.Review, said[i-1])
		}
	}
	var data struct {
		Withdrawn struct{ Review inspection.Review }
	}
	if err := json.Unmarshal(lastChange(t, s).Data, &data); err != nil || severe(&data.Withdrawn.Review) != 4 {
		t.Errorf("the last change tells of %+v, %v", data, err)
	}
	history, err := s.Reviews(t.Context(), ids[0])
	if err != nil || len(history) != 3 {
		t.Fatalf("history %+v, %v", history, err)
	}
	for i, want := range said {
		if got := severe(&history[i].Review); got != want {
			t.Errorf("history[%d] has severity %d; want %d", i, got, want)
		}
	}
}

func TestRecordOfAVersionBeforeSeverities(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ids := graded(t, s, "A1", 3)
	review(t, s, ids[0], "red_iron", "Kim")
	for _, q := range []string{`DROP TABLE review_severities`, `PRAGMA user_version = 11`} {
		if _, err := s.writer.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if d, err := s.Defect(t.Context(), ids[0]); err != nil || d.Review == nil || d.Review.By != "Kim" || d.Review.Severity != nil {
		t.Errorf("the old review is %+v, %v", d.Review, err)
	}
	d, err := s.Review(t.Context(), ids[0], inspection.Review{Class: "red_iron", By: "Kim", Severity: new(inspection.Severity(4))}, 2)
	if err != nil || severe(d.Review) != 4 {
		t.Errorf("a new one is %+v, %v", d.Review, err)
	}
}
