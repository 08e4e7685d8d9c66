package report

import (
	"slices"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestMapAndWorstGoByTheSeverityOfTheReview(t *testing.T) {
	recipe := &inspection.Recipe{Severity: map[inspection.DefectClass]inspection.Severity{"hole": 4, "surface_scratch": 2}}
	reviews := map[inspection.DefectID]inspection.Review{
		1: {Class: "hole", Severity: new(inspection.Severity(0))}, // the model's class, and trivial
		2: {Class: "surface_scratch", Severity: new(inspection.Severity(3))},
		3: {Class: "surface_scratch"},
		4: {Class: inspection.NoDefect},
	}
	c := contents{recipe: recipe}
	var w worstOf
	indices := map[inspection.DefectClass]uint16{}
	for id := range inspection.DefectID(5) {
		c.add(inspection.MapDefect{ID: id + 1, Class: "hole", Severity: 4, Rect: inspection.StripRect{Length: 5, Width: 5}}, reviews, indices, &w)
	}
	want := map[inspection.DefectID]inspection.Severity{1: 0, 2: 3, 3: 2, 5: 4}
	if len(c.marks) != len(want) {
		t.Errorf("%d marks; want %d", len(c.marks), len(want))
	}
	for _, m := range c.marks {
		if m.severity != want[m.id] {
			t.Errorf("defect %d is drawn with severity %d; want %d", m.id, m.severity, want[m.id])
		}
	}
	if got, want := w.ids(), []inspection.DefectID{5, 2, 3, 1}; !slices.Equal(got, want) {
		t.Errorf("the worst are %v; want %v", got, want)
	}
}
