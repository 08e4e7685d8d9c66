// Package rollmark finds, while a coil runs, the marks that a roll prints on the strip at every turn, and names the roll.
//
// A defect is looked at once, when it comes. In its lane, the strip a few millimetres to either side of it, all earlier defects
// of the last revolutions are tried as its forerunner one, two or more turns back: each gives a period, and each period a
// number of places that must be marked if it is one. How many of them are, and how exactly, against how many defects lie in the lane at
// all, is the evidence: see chance.
package rollmark

import (
	"cmp"
	"math"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// DefaultTolerance is how far a period may be from that of a roll of the table: rolls are ground down, some millimetres of
	// diameter a time.
	DefaultTolerance = 0.015

	// places is the most turns a chain is sought over, its first and last included.
	places = 8
	// leastPeriod and mostPeriod bound the periods that are tried without a table: diameters of 100 to 2,000 mm.
	leastPeriod = math.Pi * float64(inspection.LeastRollMM)
	mostPeriod  = math.Pi * float64(inspection.GreatestRollMM)
	// laneHalf is how far to either side the same mark may be placed from turn to turn: 3 deviations of the difference of two places,
	// 2 mm each, which leaves some room for a strip that wanders.
	laneHalf = 9.0
	// sigmaPlace is the deviation of a place along, mm, and sigmaTurn that of the length of a turn, as a share: the
	// elongation changes with speed and tension.
	sigmaPlace, sigmaTurn = 3.0, 5e-4
	// apart is the distance along, mm, up to which two defects of a lane are one event told twice.
	apart = 30.0
	// maxPoints bounds what is kept of a side: 800 defects/m over the longest look back without a table.
	maxPoints = 1 << 15
	// maxLane bounds what of a lane is tried: beyond it nothing could be told from chance.
	maxLane = 48
	// maxFindings bounds the marks of a side. More are not told apart by anybody.
	maxFindings = 64
	// longShare is the share of a period from which on a defect is too long to be a mark: it would meet itself.
	longShare = 0.25
)

// Options of a Detector.
type Options struct {
	// Rolls to name; they pass inspection.CheckRolls.
	Rolls []inspection.Roll
	// Tolerance of a period against a roll's, as a share. 0: DefaultTolerance.
	Tolerance float64
}

// Detector finds the roll marks of one coil. One goroutine at a time may use it.
type Detector struct {
	sides map[inspection.Side]*side
}

// side is what is known of one side of the strip.
type side struct {
	name      inspection.Side
	rolls     []inspection.Roll
	tolerance float64
	tableMM   float64 // summed width of the periods that a roll of the table explains, mm
	longest   float64 // period that is tried, mm

	points   []point // by along
	findings []*finding
	tried    [2][mostLevel + 1]int // lanes tried so far, by family and least number of defects in them

	lane, same []point // reused, as is kept
	kept       []hit
}

// point is a defect's middle, mm.
type point struct {
	along, across, length float64
	class                 inspection.DefectClass
	taken                 bool // belongs to a finding
}

// New makes a detector for one coil.
func New(o Options) *Detector {
	d := &Detector{sides: map[inspection.Side]*side{}}
	if o.Tolerance == 0 {
		o.Tolerance = DefaultTolerance
	}
	for _, name := range inspection.Sides() {
		s := &side{name: name, tolerance: o.Tolerance, longest: mostPeriod}
		var windows [][2]float64
		for _, r := range o.Rolls {
			if r.Side == name {
				s.rolls = append(s.rolls, r)
				p := float64(r.Period())
				windows = append(windows, [2]float64{p * (1 - o.Tolerance), p * (1 + o.Tolerance)})
				s.longest = max(s.longest, p*(1+o.Tolerance))
			}
		}
		slices.SortFunc(windows, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
		end := 0.0
		for _, w := range windows {
			s.tableMM += max(0, w[1]-max(end, w[0]))
			end = max(end, w[1])
		}
		d.sides[name] = s
	}
	return d
}

// Add takes a defect in and reports whether the findings changed. Defects come about in the order of the strip; one that comes late
// by less than the look back counts as well.
func (d *Detector) Add(x *inspection.Defect) bool {
	s := d.sides[x.Side]
	if s == nil {
		return false
	}
	return s.add(point{
		along: float64(x.Rect.Along + x.Rect.Length/2), across: float64(x.Rect.Across + x.Rect.Width/2),
		length: float64(x.Rect.Length), class: x.Class,
	})
}

// Findings are the roll marks so far, each side's in the order in which they were found. The slice is the caller's.
func (d *Detector) Findings() []inspection.RollMark {
	out := []inspection.RollMark{}
	for _, name := range inspection.Sides() {
		for _, f := range d.sides[name].findings {
			out = append(out, d.sides[name].report(f))
		}
	}
	return out
}

func (s *side) add(p point) bool {
	if math.IsNaN(p.along-p.along) || math.IsNaN(p.across-p.across) { // infinite, or no number
		return false
	}
	changed := s.follow(&p)
	if !p.taken {
		var found bool
		p, found = s.seek(p)
		changed = changed || found
	}
	s.keep(p)
	return changed
}

// keep enters a point in its order and lets go what lies too far back.
func (s *side) keep(p point) {
	at := len(s.points)
	for at > 0 && s.points[at-1].along > p.along {
		at--
	}
	s.points = slices.Insert(s.points, at, p)
	newest := s.points[len(s.points)-1].along
	gone, _ := slices.BinarySearchFunc(s.points, newest-s.reach(), func(q point, v float64) int { return cmp.Compare(q.along, v) })
	gone = max(gone, len(s.points)-maxPoints)
	if gone > len(s.points)/2 || len(s.points) > maxPoints { // not for each defect: moving the rest costs time
		gone = max(gone, len(s.points)/8)
		s.points = slices.Delete(s.points, 0, gone)
	}
}

// reach is how far back a chain may begin.
func (s *side) reach() float64 { return float64(places-1)*s.longest + 1000 }

// named lists the rolls whose period is within the tolerance, the nearest first. unsure is the deviation of the period, mm.
func (s *side) named(period, unsure float64) []inspection.Roll {
	var fit []inspection.Roll
	off := func(r inspection.Roll) float64 { return math.Abs(period/float64(r.Period()) - 1) }
	for _, r := range s.rolls {
		if off(r) <= s.tolerance+2*unsure/period {
			fit = append(fit, r)
		}
	}
	slices.SortStableFunc(fit, func(a, b inspection.Roll) int { return cmp.Compare(off(a), off(b)) })
	return fit
}

// sigma is the deviation of a place along from its place in a chain of that period, mm.
func sigma(period float64) float64 { return math.Hypot(sigmaPlace, sigmaTurn*period) }
