package inference

import (
	"fmt"
	"math"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// Bounds of what a plant's own strip may teach.
const (
	// LeastScale of a detector's limit: none is lowered, for what is calm on the strip that taught need not be so
	// on the next coil, where the limits may follow its texture by another rule.
	LeastScale = 1
	// MostScale of a limit: beyond twice the limit the fainter half of the defects would go.
	MostScale = 2
	// MostPrototypes bounds what a region is compared with: some microseconds a region.
	MostPrototypes = 64
)

// Measures names what a detector measures of each block, in the order of its Scales.
func Measures() []string {
	names := make([]string, features)
	for f, name := range map[int]string{
		featurePatch: "patch", featureGradX: "gradient across", featureGradY: "gradient along", featureTexture: "texture",
		featureDark: "dark spot", featureLight: "bright spot", featureRow: "line across", featureCol: "line along",
		featureLine32: "line of 32 rows", featureLine64: "line of 64 rows", featureLine128: "line of 128 rows",
		featureSmooth: "smooth patch",
	} {
		names[f] = name
	}
	return names
}

// Scales are factors on a detector's limits, one a measure in the order of Measures, each of LeastScale to
// MostScale. None at all stand for the limits as they are.
type Scales []float32

// Check reports what is wrong with the scales.
func (s Scales) Check() error {
	if len(s) != 0 && len(s) != features {
		return fmt.Errorf("there are scales for %d measures; allowed are none or %d", len(s), features)
	}
	for f, v := range s {
		if !(v >= LeastScale && v <= MostScale) {
			return fmt.Errorf("the scale %g of measure %q is not possible; allowed are %d to %d", v, Measures()[f], LeastScale, MostScale)
		}
	}
	return nil
}

// array is the scales as the detector multiplies with them.
func (s Scales) array() (a [features]float32) {
	for f := range a {
		a[f] = 1
	}
	copy(a[:], s)
	return a
}

// Teach changes the scales at the next Reset, where a new coil begins. Unlike the other methods it may be called
// from any goroutine.
func (d *Detector) Teach(s Scales) error {
	if err := s.Check(); err != nil {
		return err
	}
	a := s.array()
	d.taught.Store(&a)
	return nil
}

// Responses appends, for each whole tile of side x side blocks that lies on the strip of the frame last
// screened, the strongest response of every measure over its limit: len(Measures()) numbers a tile.
func (d *Detector) Responses(dst []float32, seen *inspection.Screening, side int) []float32 {
	if !seen.Edges.Present {
		return dst
	}
	rows, n := seen.BlockRows, seen.BlockRows*d.nb
	inside := blockMask{left: d.left[contextRows : contextRows+rows], right: d.right[contextRows : contextRows+rows], nb: d.nb}
	for top := 0; top+side <= rows; top += side {
		from, to := 0, d.nb
		for r := top; r < top+side; r++ {
			a, b := inside.row(r)
			from, to = max(from, a), min(to, b)
		}
		for left := from; left+side <= to; left += side {
			for f := range features {
				var most float32
				for r := top; r < top+side; r++ {
					for _, v := range d.feat[f*n+r*d.nb+left : f*n+r*d.nb+left+side] {
						most = max(most, v, -v)
					}
				}
				dst = append(dst, most*d.weight[f])
			}
		}
	}
	return dst
}

// Prototype is a look that ordinary strip has: a place in the space of a model's features and how far about it
// the look reaches.
type Prototype struct {
	// Features has the length 1, as UnitFeatures gives it.
	Features []float32 `json:"features"`
	// Radius is the largest distance at which a region has this look; the largest distance of all is 2.
	Radius float32 `json:"radius"`
	// AtMost is the largest confidence in a defect class that the look may overrule.
	AtMost float32 `json:"at_most"`
}

// Normal is what ordinary strip looks like to a model. Nothing in it stands for: nothing was taught.
type Normal []Prototype

// Check reports what is wrong with the prototypes for a model that gives so many features.
func (n Normal) Check(width int) error {
	if len(n) > MostPrototypes {
		return fmt.Errorf("there are %d prototypes; allowed are at most %d", len(n), MostPrototypes)
	}
	for i, p := range n {
		length := 0.0
		for _, v := range p.Features {
			length += float64(v) * float64(v)
		}
		switch {
		case len(p.Features) != width:
			return fmt.Errorf("prototype %d has %d features; the model gives %d", i, len(p.Features), width)
		case !(math.Abs(length-1) < 1e-3):
			return fmt.Errorf("the features of prototype %d have the length %.3f; allowed is 1", i, math.Sqrt(length))
		case !(p.Radius > 0 && p.Radius <= 1):
			return fmt.Errorf("the radius %g of prototype %d is not possible; allowed are more than 0, to 1", p.Radius, i)
		case !(p.AtMost >= 0 && p.AtMost <= 1):
			return fmt.Errorf("the confidence %g that prototype %d overrules is not possible; allowed are 0 to 1", p.AtMost, i)
		}
	}
	return nil
}

// Holds reports whether a region with such unit features, taken for a defect with so much confidence, has a look
// of ordinary strip.
func (n Normal) Holds(unit []float32, confidence float32) bool {
	return slices.ContainsFunc(n, func(p Prototype) bool {
		return confidence <= p.AtMost && Distance(unit, p.Features) <= p.Radius
	})
}

// Distance between two unit vectors.
func Distance(a, b []float32) float32 {
	var sum float32
	for i, v := range a {
		d := v - b[i]
		sum += d * d
	}
	return float32(math.Sqrt(float64(sum)))
}

// UnitFeatures appends the features to dst, scaled to the length 1: what counts is which of them answer, not how
// strongly all do, which follows the contrast.
func UnitFeatures(dst, features []float32) []float32 {
	sum := 0.0
	for _, v := range features {
		sum += float64(v) * float64(v)
	}
	by := float32(1 / math.Sqrt(max(sum, 1e-12)))
	for _, v := range features {
		dst = append(dst, v*by)
	}
	return dst
}

// Observation is all that a model says of a crop.
type Observation struct {
	// Verdict is without what was taught.
	Verdict inspection.Classification
	// Defect is the likeliest defect class and Confidence the model's in it, also where the verdict is no_defect
	// or unknown.
	Defect     inspection.DefectClass
	Confidence float32
	Features   []float32 // of length 1
}

// Observe appends what the model says of each crop to dst.
func (c *Classifier) Observe(dst []Observation, crops [][]byte) ([]Observation, error) {
	err := c.each(crops, func(a answer) {
		o := Observation{Verdict: c.judge.verdict(a.scores, a.familiarity), Features: UnitFeatures(nil, a.features)}
		o.Defect, o.Confidence = c.judge.defect(a.scores)
		dst = append(dst, o)
	})
	return dst, err
}

// Features is how many the model gives of a crop.
func (c *Classifier) Features() int { return c.session.shape.features }

// defect is the defect class with the best score.
func (j *judge) defect(scores []float32) (class inspection.DefectClass, confidence float32) {
	for i, s := range scores {
		if k := j.classes[i]; k != inspection.NoDefect && s > confidence {
			class, confidence = k, s
		}
	}
	return class, confidence
}

// taughtVerdict is the verdict after what the plant's strip taught: a region with a look of ordinary strip is no defect.
func (c *Classifier) taughtVerdict(a answer, unit []float32) (inspection.Classification, []float32) {
	v := c.judge.verdict(a.scores, a.familiarity)
	if len(c.normal) == 0 || v.Class == inspection.NoDefect {
		return v, unit
	}
	unit = UnitFeatures(unit[:0], a.features)
	if _, confidence := c.judge.defect(a.scores); c.normal.Holds(unit, confidence) {
		return inspection.Classification{Class: inspection.NoDefect, Confidence: 1 - confidence}, unit
	}
	return v, unit
}
