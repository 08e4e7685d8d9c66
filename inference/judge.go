package inference

import (
	"math"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

// judge turns what a model says of a crop into a verdict.
type judge struct {
	classes   []inspection.DefectClass
	threshold []float32 // least confidence with which a class is answered
	familiar  float32   // least familiarity of a crop that is given a defect class
}

func newJudge(b *models.Bundle) judge {
	j := judge{classes: b.Classes(), familiar: float32(math.Inf(-1))}
	for _, c := range b.Manifest.Classes {
		j.threshold = append(j.threshold, float32(c.Threshold))
	}
	if u := b.Manifest.Unknown; u != nil {
		j.familiar = float32(u.Threshold)
	}
	return j
}

// verdict is the class with the best score, or Unknown where the score is below the class's threshold or the
// crop is not like anything the model learned from. Unknown claims nothing: its confidence is 0. A crop that
// looks like nothing known and is taken for plain strip stays NoDefect: every mill's good strip is new to
// a model, and would else be reported all along.
func (j *judge) verdict(scores []float32, familiarity float32) inspection.Classification {
	best := 0
	for i, s := range scores {
		if s > scores[best] {
			best = i
		}
	}
	class := j.classes[best]
	// Written so that a score that is not a number is unknown, and not whatever stands first.
	if !(scores[best] >= j.threshold[best]) || (class != inspection.NoDefect && !(familiarity >= j.familiar)) {
		return inspection.Classification{Class: inspection.Unknown}
	}
	return inspection.Classification{Class: class, Confidence: scores[best]}
}
