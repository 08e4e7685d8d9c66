// Package trial measures how soon roll marks are found, and how often where there are none, on made coils: positions of
// defects without pictures, with what is known of real ones.
package trial

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// Kind says how the defects that no roll made lie on a coil.
type Kind string

// Kinds of coils. On all but the first, half of the defects lie in groups.
const (
	Uniform Kind = "uniform"
	Bursts  Kind = "bursts"  // patches of 5 to 30 defects, as of scale
	Streaks Kind = "streaks" // lines of 5 to 40 along the strip, as of a scratch that is seen in pieces
	Mixed   Kind = "mixed"   // half of the groups each
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Uniform, Bursts, Streaks, Mixed} }

// classes are those of a catalogue; the first is the roll mark's.
var classes = [...]inspection.DefectClass{"roll_mark", "scratch", "scale", "inclusion", "ash", "red_iron", "stain", "dent", "pit"}

const (
	stripMM      = 1250.0 // wide
	shareGrouped = 0.5    // of the defects that lie in groups, on coils that have some
	// jitterAlong and jitterAcross are the deviations of a mark's place, mm.
	jitterAlong, jitterAcross = 3.0, 2.0
	// wanderMM is how far the strip wanders to each side, over 150 m.
	wanderMM, wanderOver = 6.0, 150_000.0
	// breathing is how much the elongation changes, as a share, over 60 m.
	breathing, breathingOver = 3e-4, 60_000.0
	// called is how often a mark is called by its class.
	called = 0.7
)

// Mark is what a roll does to one side of a coil.
type Mark struct {
	Roll   inspection.Roll
	Period float64 // true one: of the roll as it is ground now, mm
	Known  bool    // the roll is in the table
	Across float64 // mm
	From   float64 // mm along
	Turns  int
	Share  float64 // of the turns at which it is seen
	first  float64 // sighting, mm along; less than 0: none
}

// Coil is a made coil.
type Coil struct {
	Kind    Kind
	Length  float64 // mm
	Marks   []Mark
	Defects []inspection.Defect // by along
}

// Table is that of a seven-stand hot strip mill: the last three stands, work and backup rolls, and what the earlier ones do to the strip
// is rolled out of it.
func Table() []inspection.Roll {
	var out []inspection.Roll
	for _, r := range []struct {
		name       string
		diameter   inspection.MM
		elongation float64
	}{
		{"F5 work roll", 742, 1.62},
		{"F5 backup roll", 1490, 1.62},
		{"F6 work roll", 668, 1.24},
		{"F6 backup roll", 1542, 1.24},
		{"F7 work roll", 705, 1},
		{"F7 backup roll", 1465, 1},
		{"pinch roll", 520, 1},
		{"table roll", 350, 1},
	} {
		for _, side := range inspection.Sides() {
			out = append(out, inspection.Roll{Name: r.name + ", " + string(side), Side: side, Diameter: r.diameter, Elongation: r.elongation})
		}
	}
	return out
}

// Options of the coils that are made.
type Options struct {
	Seed     uint64
	Per100M  float64 // defects that no roll made, on 100 m of each side
	LengthM  [2]float64
	Marked   bool
	Share    [2]float64 // of the turns at which a mark is seen, least and most
	Unlisted float64    // share of the marks whose roll is not in the table
}

// Make makes coil number n of a set; the same options give the same coil.
func Make(o Options, n int, table []inspection.Roll) Coil {
	r := rand.New(rand.NewPCG(o.Seed, uint64(n)))
	c := Coil{Kind: Kinds()[n%len(Kinds())], Length: 1000 * between(r, o.LengthM[0], o.LengthM[1])}
	for _, side := range inspection.Sides() {
		c.scatter(r, side, int(c.Length/1e5*o.Per100M))
	}
	if o.Marked {
		for range 1 + r.IntN(3) {
			c.mark(r, o, table)
		}
	}
	slices.SortFunc(c.Defects, func(a, b inspection.Defect) int { return cmp.Compare(a.Rect.Along, b.Rect.Along) })
	return c
}

func between(r *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

func (c *Coil) put(r *rand.Rand, side inspection.Side, along, across float64, class inspection.DefectClass) {
	length, width := between(r, 4, 30), between(r, 4, 30)
	if along < length/2 || along > c.Length-length/2 || across < 0 || across > stripMM {
		return
	}
	c.Defects = append(c.Defects, inspection.Defect{Side: side, Class: class, Rect: inspection.StripRect{
		Along: inspection.MM(along - length/2), Across: inspection.MM(across - width/2), Length: inspection.MM(length), Width: inspection.MM(width),
	}})
}

// scatter puts n defects on a side that no roll made.
func (c *Coil) scatter(r *rand.Rand, side inspection.Side, n int) {
	grouped := 0
	if c.Kind != Uniform {
		grouped = int(shareGrouped * float64(n))
	}
	for range n - grouped {
		c.put(r, side, r.Float64()*c.Length, r.Float64()*stripMM, classes[r.IntN(len(classes))])
	}
	for grouped > 0 {
		along, across, class := r.Float64()*c.Length, r.Float64()*stripMM, classes[r.IntN(len(classes))]
		of := func() inspection.DefectClass {
			if r.Float64() < called {
				return class
			}
			return classes[r.IntN(len(classes))]
		}
		if c.Kind == Bursts || (c.Kind == Mixed && r.IntN(2) == 0) {
			k, long, wide := 5+r.IntN(26), between(r, 500, 3000), between(r, 50, 400)
			for range k {
				c.put(r, side, along+r.Float64()*long, across+r.Float64()*wide, of())
			}
			grouped -= k
			continue
		}
		k, long, drift := 5+r.IntN(36), between(r, 3000, 60_000), between(r, -1e-4, 1e-4)
		for range k {
			at := r.Float64() * long
			c.put(r, side, along+at, across+at*drift+r.NormFloat64()*1.5, of())
		}
		grouped -= k
	}
}

// mark puts a roll's mark on the coil.
func (c *Coil) mark(r *rand.Rand, o Options, table []inspection.Roll) {
	roll := table[r.IntN(len(table))]
	m := Mark{Roll: roll, Known: true, Across: between(r, 40, stripMM-40), Share: between(r, o.Share[0], o.Share[1]), first: -1}
	m.Period = float64(roll.Period()) * between(r, 0.99, 1.01) // ground since the table was written
	if r.Float64() < o.Unlisted {
		for m.Known { // a roll between those of the table
			m.Period = between(r, 900, 6000)
			m.Known = slices.ContainsFunc(table, func(t inspection.Roll) bool {
				return t.Side == roll.Side && math.Abs(m.Period/float64(t.Period())-1) < 0.03
			})
		}
	}
	m.From = between(r, 0, max(0, c.Length-12*m.Period))
	phaseW, phaseB := between(r, 0, 2*math.Pi), between(r, 0, 2*math.Pi)
	at := m.From
	for at < c.Length {
		m.Turns++
		if r.Float64() < m.Share {
			class := classes[0]
			if r.Float64() >= called {
				class = classes[r.IntN(len(classes))]
			}
			if m.first < 0 {
				m.first = at
			}
			c.put(r, roll.Side, at+r.NormFloat64()*jitterAlong,
				m.Across+wanderMM*math.Sin(2*math.Pi*at/wanderOver+phaseW)+r.NormFloat64()*jitterAcross, class)
		}
		at += m.Period * (1 + breathing*math.Sin(2*math.Pi*at/breathingOver+phaseB))
	}
	c.Marks = append(c.Marks, m)
}
