package trial

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/rollmark"
)

// Within is in how many revolutions after its first sighting a mark is to be named.
const Within = 5

// Report is what a set of coils gave.
type Report struct {
	Coils   int `json:"coils"`
	Defects int `json:"defects"`
	Marks   int `json:"marks"`
	// InTime is how many of the marks were named within Within revolutions of their first sighting, with the right roll; of a roll that is not in the
	// table, with its period and no roll. Ever is how many were named at any time.
	InTime      int     `json:"in_time"`
	InTimeShare float64 `json:"in_time_share"`
	Ever        int     `json:"ever"`
	// P50 and P95 are revolutions to the name, of all marks; -1: not named.
	P50 float64 `json:"revolutions_p50"`
	P95 float64 `json:"revolutions_p95"`
	// False counts findings where no roll makes a mark; Wrong those of a mark with another period or roll at the end of the coil, Misnamed the
	// marks that were called after another roll at any time.
	False         int          `json:"false"`
	FalsePer100   float64      `json:"false_per_100_coils"`
	FalseOf       map[Kind]int `json:"false_of"`
	Wrong         int          `json:"wrong"`
	WrongShare    float64      `json:"wrong_share"` // of the marks
	Misnamed      int          `json:"misnamed"`
	Two           int          `json:"two_rolls"` // findings for which the table has more than one roll
	NSPerDefect   float64      `json:"ns_per_defect"`
	revolutions   []float64
	spent         time.Duration
	SlowestCoilMS float64 `json:"slowest_coil_ms"`
}

// Run makes coils from first on and looks at each.
func Run(o Options, first, coils int) Report {
	r := Report{FalseOf: map[Kind]int{}}
	table := Table()
	for n := range coils {
		r.look(Make(o, first+n, table), table)
	}
	return r.Sum()
}

// Plus is the report of both sets.
func (r Report) Plus(o Report) Report {
	r.FalseOf = maps.Clone(r.FalseOf)
	for k, n := range o.FalseOf {
		r.FalseOf[k] += n
	}
	r.Coils, r.Defects, r.Marks, r.InTime, r.Ever = r.Coils+o.Coils, r.Defects+o.Defects, r.Marks+o.Marks, r.InTime+o.InTime, r.Ever+o.Ever
	r.False, r.Wrong, r.Misnamed, r.Two, r.spent = r.False+o.False, r.Wrong+o.Wrong, r.Misnamed+o.Misnamed, r.Two+o.Two, r.spent+o.spent
	r.revolutions = slices.Concat(r.revolutions, o.revolutions)
	r.SlowestCoilMS = max(r.SlowestCoilMS, o.SlowestCoilMS)
	return r.Sum()
}

// Sum fills in the shares.
func (r Report) Sum() Report {
	if r.Marks > 0 {
		sorted := slices.Sorted(slices.Values(r.revolutions))
		at := func(q float64) float64 {
			if v := sorted[int(q*float64(len(sorted)-1))]; !math.IsInf(v, 1) {
				return v
			}
			return -1
		}
		r.P50, r.P95 = at(0.5), at(0.95)
		r.InTimeShare, r.WrongShare = float64(r.InTime)/float64(r.Marks), float64(r.Wrong)/float64(r.Marks)
	}
	r.FalsePer100 = 100 * float64(r.False) / float64(max(1, r.Coils))
	r.NSPerDefect = float64(r.spent.Nanoseconds()) / float64(max(1, r.Defects))
	return r
}

// look feeds one coil to a detector and compares.
func (r *Report) look(c Coil, table []inspection.Roll) {
	d := rollmark.New(rollmark.Options{Rolls: table})
	named := make([]float64, len(c.Marks))
	for i := range named {
		named[i] = math.Inf(1)
	}
	misnamed := make([]bool, len(c.Marks))
	began := time.Now()
	var looked time.Duration // comparing is no part of the work
	for i := range c.Defects {
		if !d.Add(&c.Defects[i]) {
			continue
		}
		paused := time.Now()
		here := float64(c.Defects[i].Rect.Along)
		for _, f := range d.Findings() {
			k := c.owner(f)
			if k >= 0 && len(f.Rolls) > 0 && !c.Marks[k].right(f) {
				misnamed[k] = true
			}
			if k >= 0 && math.IsInf(named[k], 1) && c.Marks[k].right(f) {
				named[k] = max(0, math.Round((here-c.Marks[k].first)/c.Marks[k].Period))
			}
		}
		looked += time.Since(paused)
	}
	spent := time.Since(began) - looked
	r.spent += spent
	r.SlowestCoilMS = max(r.SlowestCoilMS, float64(spent.Microseconds())/1000)
	r.Coils++
	r.Defects += len(c.Defects)
	for i, m := range c.Marks {
		if m.first < 0 {
			continue
		}
		r.Marks++
		if misnamed[i] {
			r.Misnamed++
		}
		r.revolutions = append(r.revolutions, named[i])
		if named[i] <= Within {
			r.InTime++
		}
		if !math.IsInf(named[i], 1) {
			r.Ever++
		}
	}
	for _, f := range d.Findings() {
		k := c.owner(f)
		switch {
		case k < 0:
			r.False++
			r.FalseOf[c.Kind]++
		case !c.Marks[k].right(f):
			r.Wrong++
		case len(f.Rolls) > 1:
			r.Two++
		}
	}
}

// owner is the mark that a finding is about: one at its place with its period, or else any at its place; -1: none.
func (c *Coil) owner(f inspection.RollMark) int {
	best := -1
	for i, m := range c.Marks {
		if m.Roll.Side != f.Side || math.Abs(m.Across-float64(f.Across)) > 3*wanderMM || float64(f.Last) < m.From {
			continue
		}
		if best < 0 || m.period(f) {
			best = i
		}
	}
	return best
}

func (m *Mark) period(f inspection.RollMark) bool {
	return math.Abs(float64(f.Period)/m.Period-1) < 0.01
}

// right reports whether a finding of the mark says what made it.
func (m *Mark) right(f inspection.RollMark) bool {
	if !m.Known {
		return m.period(f) && len(f.Rolls) == 0
	}
	return m.period(f) && slices.Contains(f.Rolls, m.Roll.Name)
}
