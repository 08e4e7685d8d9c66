package inference

import (
	"math"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestDoubtfulVerdictIsUnknown(t *testing.T) {
	nan := float32(math.NaN())
	j := judge{
		classes:   []inspection.DefectClass{inspection.NoDefect, "hole", "slag_inclusion"},
		threshold: []float32{0, 0.4, 0.7},
		familiar:  0.9,
	}
	for _, c := range []struct {
		name        string
		scores      []float32
		familiarity float32
		want        inspection.Classification
	}{
		{"sure and familiar", []float32{0.1, 0.2, 0.7}, 0.95, inspection.Classification{Class: "slag_inclusion", Confidence: 0.7}},
		{"below the class's threshold", []float32{0.1, 0.3, 0.6}, 0.95, inspection.Classification{Class: inspection.Unknown}},
		{"each class has its own threshold", []float32{0.1, 0.5, 0.4}, 0.95, inspection.Classification{Class: "hole", Confidence: 0.5}},
		{"sure of what it never saw", []float32{0, 0.99, 0.01}, 0.8, inspection.Classification{Class: inspection.Unknown}},
		{"strange strip without a defect", []float32{0.8, 0.1, 0.1}, 0.2, inspection.Classification{Class: inspection.NoDefect, Confidence: 0.8}},
		{"scores that are no numbers", []float32{nan, nan, nan}, 0.95, inspection.Classification{Class: inspection.Unknown}},
		{"familiarity that is no number", []float32{0, 0, 1}, nan, inspection.Classification{Class: inspection.Unknown}},
	} {
		if got := j.verdict(c.scores, c.familiarity); got != c.want {
			t.Errorf("%s: %+v; want %+v", c.name, got, c.want)
		}
	}
}
