package rollmark

import (
	"math"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// patience is how many turns a mark may stay away before its place is not followed any more: what comes then is found anew.
	patience = 12
	// remembered places fit the line that is followed: the elongation changes over a coil.
	remembered = 16
	// samePeriod is how much two periods of one roll on a coil may differ, as a share.
	samePeriod = 0.005
	// followDeviations is wider than that of a search: a place is expected, so that a stray point is rare.
	followDeviations = 3.5
	// acrossKept is the share of the place across that a new sighting leaves as it was.
	acrossKept = 0.7
	// surely is how many sightings it takes to show a period for a multiple of what was thought.
	surely = 8
)

// finding is a mark that was found and is followed.
type finding struct {
	hits    []hit // the newest remembered; turns count back, so later ones are less than 0
	line    fit
	across  float64
	chance  float64 // when it was found
	density float64 // of the lane then, 1/mm
	foundAt int     // turn
	first   float64 // mm along
	last    float64
	seen    int
	from    int // turn of the first sighting
	to      int // turn of the last, the least
	// between counts sightings at halves and thirds of the period since it was found, by 2 and 3.
	between [4]int
	since   int  // sightings at the period itself since then
	parted  bool // the period was divided: what was between was seen twice and more
}

// begin makes a finding of a chain that ends at p; or lets a mark that was away go on.
func (s *side) begin(c chain, p point) {
	for _, f := range s.findings {
		if math.Abs(c.line.period/f.line.period-1) > samePeriod || math.Abs(f.across-p.across) > laneHalf || p.along < f.last {
			continue
		}
		if away := (p.along - f.last) / f.line.period; away <= patience {
			continue // another mark of the same roll
		}
		f.resume(c, p)
		return
	}
	f := &finding{across: p.across, chance: c.chance, density: c.density, hits: c.hits, seen: len(c.hits)}
	f.refit()
	f.first, f.last, f.from, f.to = c.hits[0].along, c.hits[0].along, c.hits[0].turn, c.hits[0].turn
	f.extend()
	f.foundAt = f.to
	s.findings = append(s.findings, f)
}

// resume goes on with a mark that was away, with a new phase: the strip may have slipped, or the roll stood.
func (f *finding) resume(c chain, p point) {
	oldest := c.hits[0]
	for _, h := range c.hits {
		if h.turn > oldest.turn {
			oldest = h
		}
	}
	// The oldest of the new chain is so many turns, rounded, after the last one.
	shift := f.to - max(1, int(math.Round((oldest.along-f.last)/f.line.period))) - oldest.turn
	f.hits = f.hits[:0]
	for _, h := range c.hits {
		f.hits = append(f.hits, hit{h.turn + shift, h.along})
	}
	f.seen += len(c.hits)
	f.across, f.chance, f.density = p.across, min(f.chanceNow(), c.chance), c.density
	f.refit()
	f.extend()
	f.foundAt, f.since, f.between = f.to, 0, [4]int{}
}

func (f *finding) refit() { f.line = fitLine(f.hits) }

// extend keeps the ends of what was seen.
func (f *finding) extend() {
	for _, h := range f.hits {
		if h.along < f.first {
			f.first = h.along
		}
		f.last = max(f.last, h.along)
		f.from, f.to = max(f.from, h.turn), min(f.to, h.turn)
	}
}

// take marks the points of a chain as belonging to a finding.
func (s *side) take(c chain, p point) {
	for i := range s.points {
		q := &s.points[i]
		for _, h := range c.hits {
			if h.along == q.along && math.Abs(q.across-p.across) <= laneHalf {
				q.taken = true
			}
		}
	}
}

// follow gives a point to the finding that expects it there, and reports whether one did.
func (s *side) follow(p *point) bool {
	for _, f := range s.findings {
		if math.Abs(p.across-f.across) > laneHalf || p.along > f.last+(patience+0.5)*f.line.period || p.along < f.first-f.line.period {
			continue
		}
		turn := int(math.Round((f.line.at - p.along) / f.line.period))
		r := math.Abs(p.along - f.line.place(turn))
		sd := sigma(f.line.period)
		if r > max(apart, followDeviations*sd*f.line.spread(turn)) {
			if s.between(f, p) {
				return true
			}
			continue
		}
		if r > followDeviations*sd*f.line.spread(turn) || f.has(turn) {
			p.taken = true // the same event told twice
			return false
		}
		p.taken = true
		f.seen++
		f.since++
		f.across = acrossKept*f.across + (1-acrossKept)*p.across
		f.add(hit{turn, p.along})
		return true
	}
	return false
}

// chanceNow is the chance with which the mark was found, times that of as many sightings at the turns since: of the ways they may
// fall on these turns, each with a point in its window.
func (f *finding) chanceNow() float64 {
	sd := sigma(f.line.period)
	window := min(0.5, f.density*2*followDeviations*sd)
	ln, turns := math.Log(f.chance), max(f.since, f.foundAt-f.to)
	a, _ := math.Lgamma(float64(turns + 1))
	b, _ := math.Lgamma(float64(f.since + 1))
	c, _ := math.Lgamma(float64(turns - f.since + 1))
	return math.Exp(ln + min(0, a-b-c+float64(f.since)*math.Log(window)))
}

func (f *finding) has(turn int) bool {
	for _, h := range f.hits {
		if h.turn == turn {
			return true
		}
	}
	return false
}

func (f *finding) add(h hit) {
	if len(f.hits) >= remembered {
		copy(f.hits, f.hits[1:])
		f.hits = f.hits[:len(f.hits)-1]
	}
	f.hits = append(f.hits, h)
	f.coarsen()
	f.refit()
	f.extend()
}

// coarsen takes the period for a multiple where of the first sightings all but one lie that many turns apart: chance put a defect
// between them. A mark that is missed at 1 of 4 turns looks like that once in 10,000.
func (f *finding) coarsen() {
	if f.parted || len(f.hits) < surely || f.seen > remembered {
		return
	}
	for step := 2; step <= 3; step++ {
		base := f.hits[len(f.hits)-1].turn
		off := func(h hit) bool { return (h.turn-base)%step != 0 }
		strays := 0
		for _, h := range f.hits {
			if off(h) {
				strays++
			}
		}
		if strays > 1 {
			continue
		}
		f.hits = slices.DeleteFunc(f.hits, off)
		for i := range f.hits {
			f.hits[i].turn = (f.hits[i].turn - base) / step
		}
		f.seen -= strays
		f.from, f.to, f.foundAt = (f.from-base)/step, (f.to-base)/step, (f.foundAt-base)/step
		f.between = [4]int{}
		return
	}
}

// between counts points at halves and thirds of a period: a mark that was missed at first at every second turn has half the period. It
// reports whether that changed. The table decides where it knows the longer period and not the shorter.
func (s *side) between(f *finding, p *point) bool {
	turns := (f.line.at - p.along) / f.line.period
	for parts := 2; parts <= 3; parts++ {
		n := turns * float64(parts)
		period := f.line.period / float64(parts)
		if math.Abs(n-math.Round(n))*period > followDeviations*sigma(period)*f.line.spread(int(turns)) {
			continue
		}
		if period < leastPeriod || (len(s.named(f.line.period, f.line.unsure())) > 0 && len(s.named(period, f.line.unsure()/float64(parts))) == 0) {
			return false // another mark on the same roll
		}
		p.taken = true
		f.between[parts]++
		if f.between[parts] < 2 || 5*f.between[parts] < 2*(parts-1)*f.since {
			return false
		}
		for i := range f.hits {
			f.hits[i].turn *= parts
		}
		f.from, f.to, f.foundAt = f.from*parts, f.to*parts, f.foundAt*parts
		f.seen += f.between[parts]
		f.between, f.parted = [4]int{}, true
		f.refit()
		f.add(hit{int(math.Round((f.line.at - p.along) / f.line.period)), p.along})
		return true
	}
	return false
}

// report is a finding as others see it.
func (s *side) report(f *finding) inspection.RollMark {
	now := f.chanceNow()
	m := inspection.RollMark{
		Side: s.name, Period: inspection.MM(f.line.period), Diameter: inspection.MM(f.line.period / math.Pi), Across: inspection.MM(f.across),
		First: inspection.MM(f.first), Last: inspection.MM(f.last), Seen: f.seen, Possible: max(f.seen, f.from-f.to+1),
		Chance: now, Confidence: 1 - min(1, now), Rolls: []string{},
	}
	for i, r := range s.named(f.line.period, f.line.unsure()) {
		if i == 0 {
			m.Diameter = inspection.MM(f.line.period / math.Pi / r.Elongation)
		}
		m.Rolls = append(m.Rolls, r.Name)
	}
	return m
}
