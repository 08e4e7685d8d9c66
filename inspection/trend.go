package inspection

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// TrendBins is how many parts the profiles cut a strip's length and its width into.
const TrendBins = 20

// MaxTrendBuckets is the most points that a trend may have: more than a screen has columns for.
const MaxTrendBuckets = 1500

// TrendQuery selects what trends rest on: coils that have ended and that began in [Since, Until). Class and Side, where they
// are given, leave other defects and the other side out of every figure but the grades.
type TrendQuery struct {
	Since, Until time.Time
	Bucket       Bucket
	Recipe       string // its name, every version
	SteelGrade   string
	Without      []CoilField // coils that were recorded without any of these
	Class        DefectClass
	Side         Side
	Calendar     Calendar
}

// Check reports the first thing that is not allowed, as a *FieldError.
func (q TrendQuery) Check() error {
	if !q.Since.Before(q.Until) {
		return &FieldError{Field: "until", Reason: fmt.Sprintf("%s is not after %s, where the period begins", q.Until.Format(time.RFC3339), q.Since.Format(time.RFC3339))}
	}
	if len(q.Calendar.Buckets(Period{q.Since, q.Until}, q.Bucket, MaxTrendBuckets)) > MaxTrendBuckets {
		return &FieldError{Field: "bucket", Reason: fmt.Sprintf("the period has more than %d times a bucket of %q; choose a longer bucket or a shorter period", MaxTrendBuckets, q.Bucket)}
	}
	return nil
}

// Trends are sums over coils. A defect counts in the class that a person gave it last, where one did; what people called no
// defect does not count. Metres that were screened are those of each side by itself, since each side has its own defects.
type Trends struct {
	Since  time.Time     `json:"since"`
	Until  time.Time     `json:"until"`
	Bucket Bucket        `json:"bucket"`
	All    TrendFigures  `json:"all"`
	Points []TrendPoint  `json:"buckets"`
	Pareto []ClassShare  `json:"pareto"` // the most frequent class first
	Shifts []GradeCounts `json:"by_shift"`
	// Recipes and SteelGrades begin with the one of most coils; an empty name is of coils that were announced without.
	Recipes     []GradeCounts  `json:"by_recipe"`
	SteelGrades []GradeCounts  `json:"by_steel_grade"`
	Profiles    []StripProfile `json:"profiles"`
	Reviews     []ReviewRates  `json:"reviews"` // by class of the model's answer; the first, without a class, is all of them
	// Choices are those of the whole period, whatever else was asked for.
	Choices TrendChoices `json:"choices"`
}

// TrendFigures are those of some coils.
type TrendFigures struct {
	Coils    int     `json:"coils"`
	Length   float64 `json:"length_m"`   // of strip, both sides at once
	Screened float64 `json:"screened_m"` // of all sides: what was looked at for defects, be it classified or not
	Defects  int     `json:"defects"`
	// Per100M is defects on 100 m of screened side; absent where none was screened.
	Per100M *float64 `json:"per_100m,omitempty"`
	// Coverage is the share of the sides' length that was fully inspected, 0 to 1.
	Coverage *float64            `json:"coverage,omitempty"`
	ByClass  map[DefectClass]int `json:"by_class"`
	Grades   map[Grade]int       `json:"grades"`
}

// TrendPoint is a bucket of time.
type TrendPoint struct {
	From  time.Time  `json:"from"`
	Until time.Time  `json:"until"`
	Shift ShiftStart `json:"shift"` // that works when it begins
	TrendFigures
}

// ClassShare is what one class contributes.
type ClassShare struct {
	Class      DefectClass `json:"class"`
	Defects    int         `json:"defects"`
	Per100M    *float64    `json:"per_100m,omitempty"`
	Coils      int         `json:"coils"`      // that have one at least
	Share      float64     `json:"share"`      // of all defects, 0 to 1
	Cumulative float64     `json:"cumulative"` // with those before it
}

// GradeCounts are coils of one kind by grade.
type GradeCounts struct {
	Name   string        `json:"name"` // start of the shift, recipe or steel grade
	Coils  int           `json:"coils"`
	Grades map[Grade]int `json:"grades"`
}

// StripProfile is where on one side defects lie: Along from head end to tail end, Across from the operator-side edge, both
// relative to the coil's own length and width, by the middle of the defect.
type StripProfile struct {
	Side     Side      `json:"side"`
	Screened float64   `json:"screened_m"`
	Along    []int     `json:"along"`
	Across   []int     `json:"across"`
	PerAlong []float64 `json:"along_per_100m"` // of the strip in this bin; gaps are taken as spread over all bins alike
	// PerAcross is defects in this lane on 100 m of the side.
	PerAcross []float64 `json:"across_per_100m"`
}

// ReviewRates is what people said of one class of the model's answers.
type ReviewRates struct {
	Class    DefectClass `json:"class,omitempty"`
	Reviewed int         `json:"reviewed"`
	Agreed   int         `json:"agreed"`    // people gave the model's class
	NoDefect int         `json:"no_defect"` // people say: ordinary strip, a false event
	// AgreedRate and FalseRate have Wilson's 95 % intervals; absent without a review.
	AgreedRate *Interval `json:"agreed_rate,omitempty"`
	FalseRate  *Interval `json:"false_rate,omitempty"`
}

// TrendChoices are what can be asked for.
type TrendChoices struct {
	Recipes     []string     `json:"recipes"`
	SteelGrades []string     `json:"steel_grades"`
	Shifts      []ShiftStart `json:"shifts"`
}

// CoilSums are the sums of one coil that has ended.
type CoilSums struct {
	At                 time.Time // when it began
	Grade              Grade
	Recipe, SteelGrade string
	Length             MM
	Sides              []SideSums
}

// SideSums are those of one of its sides.
type SideSums struct {
	Side                        Side
	Length, Inspected, Screened MM
	Classes                     []ClassSums
}

// ClassSums are the defects of a class on one side of a coil.
type ClassSums struct {
	Class         DefectClass
	Defects       int
	Along, Across [TrendBins]int
}

// TrendBin is the part of a whole that a place lies in; what lies outside counts with the nearest.
func TrendBin(at, whole MM) int {
	if whole <= 0 {
		return 0
	}
	return int(max(0, min(TrendBins-1, at/whole*TrendBins)))
}

// Count adds defects of a class that lie in the bins of a place, or takes them away.
func (s *SideSums) Count(class DefectClass, along, across, n int) {
	i := slices.IndexFunc(s.Classes, func(c ClassSums) bool { return c.Class == class })
	if i < 0 {
		i = len(s.Classes)
		s.Classes = append(s.Classes, ClassSums{Class: class})
	}
	c := &s.Classes[i]
	c.Defects += n
	c.Along[along] += n
	c.Across[across] += n
}

// HasIn reports whether there is a defect of a class, or of any where none is given, in a part of the length and in one of the
// width; parts count from 1, and 0 is the whole.
func (s *SideSums) HasIn(class DefectClass, along, across int) bool {
	return slices.ContainsFunc(s.Classes, func(c ClassSums) bool {
		if c.Class == NoDefect || (class != "" && c.Class != class) {
			return false
		}
		return c.Defects > 0 && (along == 0 || c.Along[along-1] > 0) && (across == 0 || c.Across[across-1] > 0)
	})
}

// TrendSum adds coils up to trends. NewTrendSum makes one.
type TrendSum struct {
	q       TrendQuery
	t       Trends
	lengths []MM // of the points: what coverage is a share of, all sides
	seen    []MM
	length  MM
	insp    MM
	pareto  map[DefectClass]*ClassShare
	kinds   [3]map[string]*GradeCounts // shifts, recipes, steel grades
	sides   map[Side]*StripProfile
	reviews map[DefectClass]*ReviewRates
}

// NewTrendSum begins sums for a query that was checked.
func NewTrendSum(q TrendQuery) *TrendSum {
	s := &TrendSum{
		q: q, pareto: map[DefectClass]*ClassShare{}, sides: map[Side]*StripProfile{}, reviews: map[DefectClass]*ReviewRates{"": {}},
		kinds: [3]map[string]*GradeCounts{{}, {}, {}},
	}
	s.t = Trends{Since: q.Since.UTC(), Until: q.Until.UTC(), Bucket: q.Bucket, All: newFigures()}
	for _, p := range q.Calendar.Buckets(Period{q.Since, q.Until}, q.Bucket, MaxTrendBuckets) {
		shift, _ := q.Calendar.Shift(p.From)
		s.t.Points = append(s.t.Points, TrendPoint{p.From, p.Until, shift, newFigures()})
	}
	s.lengths, s.seen = make([]MM, len(s.t.Points)), make([]MM, len(s.t.Points))
	return s
}

func newFigures() TrendFigures {
	return TrendFigures{ByClass: map[DefectClass]int{}, Grades: map[Grade]int{}}
}

// Add adds a coil of the query's; its sums are not kept.
func (s *TrendSum) Add(c CoilSums) {
	i, found := slices.BinarySearchFunc(s.t.Points, c.At, func(p TrendPoint, at time.Time) int { return p.From.Compare(at) })
	if !found {
		i--
	}
	if i < 0 || !c.At.Before(s.q.Until) {
		return
	}
	shift, _ := s.q.Calendar.Shift(c.At)
	for k, name := range [...]string{string(shift), c.Recipe, c.SteelGrade} {
		g := s.kinds[k][name]
		if g == nil {
			g = &GradeCounts{Name: name, Grades: map[Grade]int{}}
			s.kinds[k][name] = g
		}
		g.Coils++
		g.Grades[c.Grade]++
	}
	for _, f := range []*TrendFigures{&s.t.All, &s.t.Points[i].TrendFigures} {
		f.Coils++
		f.Length += float64(c.Length) / 1000
		f.Grades[c.Grade]++
	}
	has := map[DefectClass]bool{}
	for _, side := range c.Sides {
		if s.q.Side == "" || s.q.Side == side.Side {
			s.addSide(i, side, has)
		}
	}
}

func (s *TrendSum) addSide(i int, side SideSums, has map[DefectClass]bool) {
	p := s.sides[side.Side]
	if p == nil {
		p = &StripProfile{Side: side.Side, Along: make([]int, TrendBins), Across: make([]int, TrendBins)}
		s.sides[side.Side] = p
	}
	s.lengths[i] += side.Length
	s.seen[i] += side.Inspected
	s.length += side.Length
	s.insp += side.Inspected
	screened := float64(side.Screened) / 1000
	p.Screened += screened
	all, point := &s.t.All, &s.t.Points[i].TrendFigures
	all.Screened += screened
	point.Screened += screened
	for k := range side.Classes {
		c := &side.Classes[k]
		if c.Defects <= 0 || c.Class == NoDefect || (s.q.Class != "" && c.Class != s.q.Class) {
			continue
		}
		all.Defects += c.Defects
		all.ByClass[c.Class] += c.Defects
		point.Defects += c.Defects
		point.ByClass[c.Class] += c.Defects
		share := s.pareto[c.Class]
		if share == nil {
			share = &ClassShare{Class: c.Class}
			s.pareto[c.Class] = share
		}
		share.Defects += c.Defects
		if !has[c.Class] {
			has[c.Class] = true
			share.Coils++
		}
		for b := range TrendBins {
			p.Along[b] += c.Along[b]
			p.Across[b] += c.Across[b]
		}
	}
}

// Review takes in the standing review of a defect: the model's class and the person's. A query for a class takes the
// reviews of the model's answers of that class. Of a region that was not classified in time there is no answer to judge.
func (s *TrendSum) Review(model, person DefectClass) {
	if model == Unclassified {
		return
	}
	if s.q.Class != "" && model != s.q.Class {
		return
	}
	for _, class := range []DefectClass{"", model} {
		r := s.reviews[class]
		if r == nil {
			r = &ReviewRates{Class: class}
			s.reviews[class] = r
		}
		r.Reviewed++
		switch person {
		case model:
			r.Agreed++
		case NoDefect:
			r.NoDefect++
		}
	}
}

// Trends gives the sums. It is called once, at the end.
func (s *TrendSum) Trends() Trends {
	s.t.All.finish(s.length, s.insp)
	for i := range s.t.Points {
		s.t.Points[i].finish(s.lengths[i], s.seen[i])
	}
	for _, c := range s.pareto {
		s.t.Pareto = append(s.t.Pareto, *c)
	}
	slices.SortFunc(s.t.Pareto, func(a, b ClassShare) int {
		return cmp.Or(cmp.Compare(b.Defects, a.Defects), strings.Compare(string(a.Class), string(b.Class)))
	})
	before := 0
	for i := range s.t.Pareto {
		c := &s.t.Pareto[i]
		before += c.Defects
		c.Share, c.Cumulative = float64(c.Defects)/float64(s.t.All.Defects), float64(before)/float64(s.t.All.Defects)
		c.Per100M = per100(c.Defects, s.t.All.Screened)
	}
	for _, shift := range s.q.Calendar.Shifts {
		if g := s.kinds[0][string(shift)]; g != nil {
			s.t.Shifts = append(s.t.Shifts, *g)
		}
	}
	s.t.Recipes, s.t.SteelGrades = byCoils(s.kinds[1]), byCoils(s.kinds[2])
	for _, side := range Sides() {
		if p := s.sides[side]; p != nil {
			s.t.Profiles = append(s.t.Profiles, p.finish())
		}
	}
	for _, class := range slices.Sorted(maps.Keys(s.reviews)) { // the empty one is first
		r := *s.reviews[class]
		if r.Reviewed > 0 {
			agreed, wrong := Wilson(r.Agreed, r.Reviewed), Wilson(r.NoDefect, r.Reviewed)
			r.AgreedRate, r.FalseRate = &agreed, &wrong
		}
		s.t.Reviews = append(s.t.Reviews, r)
	}
	s.t.Choices.Shifts = s.q.Calendar.Shifts
	return s.t
}

func (f *TrendFigures) finish(length, inspected MM) {
	f.Per100M = per100(f.Defects, f.Screened)
	if length > 0 {
		share := float64(inspected / length)
		f.Coverage = &share
	}
}

func (p *StripProfile) finish() StripProfile {
	p.PerAlong, p.PerAcross = make([]float64, TrendBins), make([]float64, TrendBins)
	for b := range TrendBins {
		if v := per100(p.Along[b], p.Screened/TrendBins); v != nil {
			p.PerAlong[b] = *v
		}
		if v := per100(p.Across[b], p.Screened); v != nil {
			p.PerAcross[b] = *v
		}
	}
	return *p
}

func per100(defects int, metres float64) *float64 {
	if metres <= 0 {
		return nil
	}
	v := 100 * float64(defects) / metres
	return &v
}

func byCoils(kinds map[string]*GradeCounts) (out []GradeCounts) {
	for _, g := range kinds {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b GradeCounts) int {
		return cmp.Or(cmp.Compare(b.Coils, a.Coils), strings.Compare(a.Name, b.Name))
	})
	return out
}
