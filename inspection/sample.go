package inspection

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// SampleID numbers the samples of an appliance; it grows and is never used again.
type SampleID int64

// Bounds of a draw. A person judges a few hundred pictures; the most is what a whole shift of people does.
const (
	MostSampled   = 2000
	mostPerClass  = 500
	LeastPerClass = 5 // of each class where nobody says otherwise: fewer say nothing of a class
)

// SampleDraw asks for a sample of recorded defects for people to review.
type SampleDraw struct {
	Since time.Time // defects seen before it are left out; zero: none
	Count int       // in all
	Least int       // of each class of the model's answer, as far as it has so many
	Seed  uint64    // the same seed on the same record draws the same defects
	By    string    // who asked; may be empty
}

// Check reports the first thing in the draw that is not allowed, as a *FieldError.
func (d SampleDraw) Check() error {
	switch {
	case d.Count < 1 || d.Count > MostSampled:
		return &FieldError{Field: "count", Reason: fmt.Sprintf("%d defects cannot be drawn; allowed are 1 to %d", d.Count, MostSampled)}
	case d.Least < 0 || d.Least > mostPerClass:
		return &FieldError{Field: "least_per_class", Reason: fmt.Sprintf("%d is not possible; allowed are 0 to %d", d.Least, mostPerClass)}
	case utf8.RuneCountInString(strings.TrimSpace(d.By)) > maxReviewer:
		return &FieldError{Field: "by", Reason: fmt.Sprintf("%q is too long; allowed are %d characters", d.By, maxReviewer)}
	}
	return nil
}

// Stratum is one class of the model's answer within a sample.
type Stratum struct {
	Class DefectClass `json:"class"`
	Size  int         `json:"size"`  // recorded defects of the class that could have been drawn
	Drawn int         `json:"drawn"` // of them, at random
}

// Sample is a random sample of recorded defects, stratified by the class the model gave.
type Sample struct {
	ID SampleID  `json:"id"`
	At time.Time `json:"at"`
	By string    `json:"by,omitempty"`
	// Since leaves out defects seen before it; absent: none.
	Since  *time.Time `json:"since,omitempty"`
	Seed   uint64     `json:"seed"`
	Strata []Stratum  `json:"strata"`
	// WithoutPicture counts the defects that were left out because nobody can review them.
	WithoutPicture int `json:"without_picture"`
	// Models are the bundles that classified the defects drawn from: the rate is of all of them together.
	Models []string `json:"models"`
}

// Size is the number of defects drawn from.
func (s Sample) Size() (n int) {
	for _, h := range s.Strata {
		n += h.Size
	}
	return n
}

// Allocate sets how many are drawn of each stratum: the least of each as far as there are so many, the rest in
// proportion to the sizes, one after the other to the stratum with the largest size over 2 x drawn + 1 (A.
// Sainte-Laguë 1910). A count too small for the least of every class is a *FieldError.
func Allocate(strata []Stratum, count, least int) error {
	all, drawn := 0, 0
	for i := range strata {
		h := &strata[i]
		h.Drawn = min(least, h.Size)
		all += h.Size
		drawn += h.Drawn
	}
	if drawn > count {
		return &FieldError{Field: "count", Reason: fmt.Sprintf("%d defects are fewer than %d of each of %d classes, %d in all", count, least, len(strata), drawn)}
	}
	for ; drawn < min(count, all); drawn++ {
		best, most := -1, 0.0
		for i, h := range strata {
			if claim := float64(h.Size) / float64(2*h.Drawn+1); h.Drawn < h.Size && claim > most {
				best, most = i, claim
			}
		}
		strata[best].Drawn++
	}
	return nil
}

// Drawing picks the defects of a sample from a pass over all that could be drawn, each subset of a stratum as
// likely as any other, without holding more than what is picked (selection sampling: Knuth, The Art of Computer
// Programming 2, 3.4.2, algorithm S).
type Drawing struct {
	random *rand.Rand
	left   map[DefectClass]*[2]int // defects of a class still to come, and still to be picked
	picked []DefectID
}

// NewDrawing draws from allocated strata. The same source and the same pass give the same sample.
func NewDrawing(strata []Stratum, source rand.Source) *Drawing {
	d := &Drawing{random: rand.New(source), left: map[DefectClass]*[2]int{}}
	for _, h := range strata {
		d.left[h.Class] = &[2]int{h.Size, h.Drawn}
	}
	return d
}

// See shows the next defect. One of a class without a stratum, or beyond the stratum's size, is passed over.
func (d *Drawing) See(id DefectID, class DefectClass) {
	left := d.left[class]
	if left == nil || left[0] == 0 {
		return
	}
	if d.random.IntN(left[0]) < left[1] {
		d.picked = append(d.picked, id)
		left[1]--
	}
	left[0]--
}

// Drawn are the defects picked, in random order: whoever reviews a part of them from the first on has reviewed
// a random sample too.
func (d *Drawing) Drawn() []DefectID {
	d.random.Shuffle(len(d.picked), func(i, j int) { d.picked[i], d.picked[j] = d.picked[j], d.picked[i] })
	return d.picked
}

// Interval is a rate with the bounds of its 95 % interval, 0 to 1.
type Interval struct {
	Rate  float64 `json:"rate"`
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
}

// z95 is the two-sided 95 % point of the normal distribution.
const z95 = 1.959963984540054

// Wilson is the rate of right among n > 0 with the score interval (E. B. Wilson, Probable inference, the law of
// succession, and statistical inference, Journal of the American Statistical Association 22, 1927). It holds for
// small n and for rates near 0 and 1, where the interval around the rate by its standard error does not.
func Wilson(right, n int) Interval {
	p, m := float64(right)/float64(n), float64(n)
	const zz = z95 * z95
	middle := (p + zz/(2*m)) / (1 + zz/m)
	half := z95 / (1 + zz/m) * math.Sqrt(p*(1-p)/m+zz/(4*m*m))
	// Rounding may lead past what a rate can be, or past the rate at its ends.
	return Interval{Rate: p, Lower: max(0, min(p, middle-half)), Upper: min(1, max(p, middle+half))}
}

// ClassRate is how often people agree with one class of the model's answer.
type ClassRate struct {
	Class    DefectClass `json:"class"` // of the model's answer
	Size     int         `json:"size"`
	Drawn    int         `json:"drawn"`
	Reviewed int         `json:"reviewed"`
	Right    int         `json:"right"`
	NoDefect int         `json:"no_defect"` // people say: ordinary strip
	Unknown  int         `json:"unknown"`   // people can name no class, and the model did
	// Rate is absent until a defect is reviewed.
	Rate *Interval `json:"rate,omitempty"`
}

// RateEstimate is what a reviewed sample says of the model.
type RateEstimate struct {
	Drawn    int `json:"drawn"`
	Reviewed int `json:"reviewed"`
	Open     int `json:"open"` // drawn and not reviewed yet
	Right    int `json:"right"`
	// Reviewed defects alone, each counting the same: absent until there is one. Where rare classes were drawn
	// more often than their share it is not the plant's rate; Stratified is.
	Plain *Interval `json:"plain,omitempty"`
	// Stratified weighs each class by the defects recorded of it. Absent while a class has no review.
	Stratified *Interval   `json:"stratified,omitempty"`
	Classes    []ClassRate `json:"classes"`
}

// EstimateRate counts the standing reviews of a sample's defects, which are given as they are now. A defect counts
// as right where the person gave the model's class. The defects must be those of the sample and no others: reviews
// that people chose to make say nothing of the rest.
func EstimateRate(s Sample, drawn []Defect) RateEstimate {
	e := RateEstimate{Classes: []ClassRate{}}
	at := map[DefectClass]int{}
	for _, h := range s.Strata {
		at[h.Class] = len(e.Classes)
		e.Classes = append(e.Classes, ClassRate{Class: h.Class, Size: h.Size, Drawn: h.Drawn})
		e.Drawn += h.Drawn
	}
	for _, d := range drawn {
		i, ok := at[d.Class]
		if !ok || d.Review == nil {
			continue
		}
		c := &e.Classes[i]
		c.Reviewed++
		switch d.Review.Class {
		case d.Class:
			c.Right++
		case NoDefect:
			c.NoDefect++
		case Unknown:
			c.Unknown++
		}
	}
	for i := range e.Classes {
		c := &e.Classes[i]
		e.Reviewed += c.Reviewed
		e.Right += c.Right
		if c.Reviewed > 0 {
			w := Wilson(c.Right, c.Reviewed)
			c.Rate = &w
		}
	}
	e.Open = e.Drawn - e.Reviewed
	if e.Reviewed > 0 {
		w := Wilson(e.Right, e.Reviewed)
		e.Plain = &w
		e.Stratified = stratified(e.Classes)
	}
	return e
}

// stratified weighs the rates of the classes by their sizes (W. G. Cochran, Sampling Techniques, 3rd edition 1977,
// chapter 5). The interval adds up the classes' Wilson intervals, each side by itself: the distance to a bound is
// the root of the weighted squares of the classes' distances (G. Y. Zou, W. Huang and X. Zhang, A note on confidence
// interval estimation for a linear function of binomial proportions, Computational Statistics and Data Analysis 53,
// 2009). Unlike one by the standard error it does not shrink to nothing where every review is right. A distance is
// shortened by Cochran's factor for the share of a class that was reviewed: what is known whole has no doubt.
func stratified(classes []ClassRate) *Interval {
	all := 0
	for _, c := range classes {
		all += c.Size
	}
	var out Interval
	below, above := 0.0, 0.0
	for _, c := range classes {
		if c.Rate == nil {
			return nil
		}
		w := float64(c.Size) / float64(all)
		unseen := 1 - float64(c.Reviewed)/float64(c.Size)
		out.Rate += w * c.Rate.Rate
		below += w * w * unseen * square(c.Rate.Rate-c.Rate.Lower)
		above += w * w * unseen * square(c.Rate.Upper-c.Rate.Rate)
	}
	out.Lower = max(0, out.Rate-math.Sqrt(below))
	out.Upper = min(1, out.Rate+math.Sqrt(above))
	return &out
}

func square(v float64) float64 { return v * v }

// Unreviewed are the classes that have no reviewed defect yet: while there is one, Stratified cannot be given.
func (e RateEstimate) Unreviewed() (out []DefectClass) {
	for _, c := range e.Classes {
		if c.Reviewed == 0 {
			out = append(out, c.Class)
		}
	}
	slices.Sort(out)
	return out
}
