package store

import (
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestRepeatsAreReadWithTheirReviews(t *testing.T) {
	s := open(t, t.TempDir())
	graded(t, s, "A1", 40) // red_iron on the bottom each 2 mm, a little farther across each time
	all, err := s.Repeats(t.Context(), 22)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 4 {
		t.Fatalf("with defect 22 repeat %d", len(all))
	}
	self := false
	for i, d := range all {
		if d.Coil != "A1" || d.Class != all[0].Class || d.Side != all[0].Side || (i > 0 && d.Rect.Along <= all[i-1].Rect.Along) {
			t.Errorf("%d of the group is %+v", i, d)
		}
		self = self || d.ID == 22
	}
	if !self {
		t.Error("the defect itself is not in its group")
	}
	if _, err := s.Repeats(t.Context(), 9999); !isType[*inspection.NotFoundError](err) {
		t.Errorf("of no defect: %v", err)
	}
}
