package inspection

import (
	"fmt"
	"math"
	"slices"
)

// Roll is a roll of the mill that may mark the strip.
type Roll struct {
	Name string `json:"name" yaml:"name"`
	// Side of the strip that the roll touches, as the cameras name it.
	Side     Side `json:"side" yaml:"side"`
	Diameter MM   `json:"diameter_mm" yaml:"diameter_mm"`
	// Elongation is the length of strip at the cameras over its length as it left the roll: about the thickness there over
	// the thickness at the cameras, 1 behind the last stand.
	Elongation float64 `json:"elongation" yaml:"elongation"`
}

// Period is how far apart along the strip, at the cameras, the roll puts the same mark, mm.
func (r Roll) Period() MM { return MM(math.Pi * float64(r.Diameter) * r.Elongation) }

// Bounds of a table of rolls.
const (
	MaxRolls        = 64
	LeastRollMM     = MM(100)  // diameter
	GreatestRollMM  = MM(2000) // diameter
	LeastElongation = 0.5
	MostElongation  = 20.0
)

// CheckRolls reports the first roll that is not allowed, as a *FieldError under rolls[i], i from 0.
func CheckRolls(rolls []Roll) error {
	if len(rolls) > MaxRolls {
		return &FieldError{Field: "rolls", Reason: fmt.Sprintf("%d rolls are too many; allowed are %d", len(rolls), MaxRolls)}
	}
	for i, r := range rolls {
		bad := func(field, format string, a ...any) error {
			return &FieldError{Field: fmt.Sprintf("rolls[%d].%s", i, field), Reason: fmt.Sprintf(format, a...)}
		}
		same := func(o Roll) bool { return o.Name == r.Name }
		switch {
		case r.Name == "" || len(r.Name) > 64:
			return bad("name", "%q is not possible; allowed are 1 to 64 bytes", r.Name)
		case slices.ContainsFunc(rolls[:i], same):
			return bad("name", "%q is listed twice; each roll needs a name of its own", r.Name)
		case !r.Side.Valid():
			return bad("side", "%q is not known; allowed are top and bottom", r.Side)
		case !(r.Diameter >= LeastRollMM && r.Diameter <= GreatestRollMM):
			return bad("diameter_mm", "%g is not possible; allowed are %g to %g", r.Diameter, LeastRollMM, GreatestRollMM)
		case !(r.Elongation >= LeastElongation && r.Elongation <= MostElongation):
			return bad("elongation", "%g is not possible; allowed are %g to %g", r.Elongation, LeastElongation, MostElongation)
		}
	}
	return nil
}

// RollMark is a mark that repeats along one side of the strip with the turns of a roll.
type RollMark struct {
	Side   Side `json:"side"`
	Period MM   `json:"period_mm"` // along the strip, at the cameras
	// Diameter is that of the roll, with its elongation where it is named and without any where it is not.
	Diameter MM `json:"diameter_mm"`
	Across   MM `json:"across_mm"` // where it was seen last, as a middle
	First    MM `json:"first_mm"`  // along
	Last     MM `json:"last_mm"`
	// Seen is in how many of the Possible turns from First to Last the mark was found.
	Seen     int `json:"seen"`
	Possible int `json:"possible"`
	// Chance is how many such marks one side of a coil would show by defects that lie at random, with all places and periods that
	// were tried; Confidence is 1 less that, from 0 to 1.
	Chance     float64 `json:"chance"`
	Confidence float64 `json:"confidence"`
	// Rolls are those of the table that fit, the nearest first; none where the table has no such roll.
	Rolls []string `json:"rolls"`
}
