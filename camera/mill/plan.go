package mill

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// RollCircumference is that of the work roll whose mark prints on the strip again and again.
const RollCircumference inspection.MM = 2100

// coil is everything that was decided of one coil before its first line: a function of the mill's
// seed and the coil's number, but for start, which depends on the coils before.
type coil struct {
	number int
	id     inspection.CoilID
	order  inspection.CoilOrder
	seed   uint64
	start  inspection.EncoderCount // of the head end
	lines  int64                   // head end to tail end
	gap    int64                   // lines of roller table behind the tail end

	path    path
	stops   []stop
	defects []placed
}

// end is the count behind the tail end.
func (c *coil) end() inspection.EncoderCount { return c.start + inspection.EncoderCount(c.lines) }

// next is the count at which the next coil's head end arrives.
func (c *coil) next() inspection.EncoderCount { return c.end() + inspection.EncoderCount(c.gap) }

// stop is a standstill: no scan lines, since the encoder does not turn.
type stop struct {
	line    int64
	seconds float64
}

// placed is a seeded defect with the box its shape is drawn in: pixels from the operator-side edge
// and lines from the head end.
type placed struct {
	class    inspection.DefectClass
	side     inspection.Side
	seed     uint64
	contrast float64
	u, w, h  int
	line     int64
	drive    bool // hangs on the drive-side edge and is mirrored
	run      int  // number of the run of roll marks, from 1; 0 for a single defect
}

// timeline yields coil after coil. Each user of the plan has its own, so none waits for another.
type timeline struct {
	o    Options
	made int
	from inspection.EncoderCount
}

func newTimeline(o Options) *timeline {
	// The cameras look at an empty roller table for a while before the first coil.
	return &timeline{o: o, from: inspection.EncoderCount(lineCount(o, o.ThreadingGap/4))}
}

// next is the coil after the one before, or nil after the last.
func (t *timeline) next() *coil {
	if t.o.Coils > 0 && t.made == t.o.Coils {
		return nil
	}
	c := planCoil(t.o, t.o.FirstCoil+t.made)
	c.start = t.from
	t.made++
	t.from = c.next()
	return c
}

func lineCount(o Options, length inspection.MM) int64 {
	return int64(math.Ceil(float64(length / o.MMPerCount)))
}

// pixels is a length across in pixels.
func (o Options) pixels(length inspection.MM) float64 { return float64(length / o.MMPerPixel) }

// Catalogue lists the classes the mill seeds.
func Catalogue() []inspection.DefectClass {
	return []inspection.DefectClass{
		"finishing_roll_printing", "iron_sheet_ash", "oxide_scale_of_plate_system",
		"oxide_scale_of_temperature_system", "red_iron", "slag_inclusion", "surface_scratch",
		"hole", "edge_crack",
	}
}

func coilName(o Options, number int) inspection.CoilID {
	return inspection.CoilID(fmt.Sprintf("%s-%05d", o.Prefix, number))
}

func coilNumber(o Options, id inspection.CoilID) (int, bool) {
	digits, ok := strings.CutPrefix(string(id), o.Prefix+"-")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	ok = err == nil && coilName(o, n) == id && n >= o.FirstCoil && (o.Coils == 0 || n < o.FirstCoil+o.Coils)
	return n, ok
}

func planCoil(o Options, number int) *coil {
	seed := mixSeed(o.Seed, forPlan, uint64(number))
	r := source(seed, forPlan)
	length := inspection.MM(between(r, float64(o.CoilLengthMin), float64(o.CoilLengthMax)))
	grades := []string{"SS400", "SPHC", "S235JR", "S355J2", "DX51D"}
	c := &coil{
		number: number, id: coilName(o, number), seed: seed,
		lines: lineCount(o, length), gap: lineCount(o, o.ThreadingGap*inspection.MM(between(r, 0.8, 1.2))),
	}
	length = inspection.MM(c.lines) * o.MMPerCount
	c.order = inspection.CoilOrder{
		Width: inspection.MM(math.Round(float64(o.StripWidth))), Thickness: inspection.MM(math.Round(between(r, 1.5, 6)*10) / 10),
		// Level 2 announces what it ordered, not what was rolled.
		Length: inspection.MM(math.Round(float64(length)/1000) * 1000), SteelGrade: grades[r.IntN(len(grades))],
	}
	c.path = newPath(o, r, c.lines)
	if r.IntN(3) == 0 {
		c.stops = append(c.stops, stop{line: int64(between(r, 0.3, 0.7) * float64(c.lines)), seconds: between(r, 1.5, 4)})
	}
	if !o.Good {
		c.seedDefects(o)
	}
	return c
}

// seedDefects places the defects of both sides, none upon another.
func (c *coil) seedDefects(o Options) {
	run, draw, least := 0, evenly, 1
	if o.Everyday {
		o.DefectsPer100m *= everydayDensity(source(c.seed, forDay))
		draw, least = everyday, 0
	}
	for i, side := range inspection.Sides() {
		r := source(c.seed, forDefect, uint64(i))
		metres := float64(c.lines) * float64(o.MMPerCount) / 1000
		n := int(math.Round(metres / 100 * o.DefectsPer100m * between(r, 0.8, 1.2)))
		next := draw(r)
		first := len(c.defects)
		for range max(least, n) {
			class := next()
			if class == rollMark {
				run++
				c.defects = append(c.defects, c.placeRun(o, r, c.defects[first:], side, run)...)
				continue
			}
			for range 30 {
				if d, ok := c.place(o, r, class, side); ok && !anyOverlap(c.defects[first:], d) {
					c.defects = append(c.defects, d)
					break
				}
			}
		}
	}
}

// place draws a defect of a class somewhere on one side; ok is false where it does not fit.
func (c *coil) place(o Options, r *rand.Rand, class inspection.DefectClass, side inspection.Side) (placed, bool) {
	d := placed{class: class, side: side, seed: r.Uint64(), contrast: between(r, 0.75, 1.25)}
	s := newShape(class, d.seed)
	d.w, d.h = s.size(o)
	clear := min(c.lines/5, lineCount(o, 2000)) // head and tail are ragged
	room := c.lines - 2*clear - int64(d.h)
	if room < 1 {
		return d, false
	}
	d.line = clear + r.Int64N(room)
	width := int(o.pixels(o.StripWidth))
	if s.edge {
		d.contrast = 1 // what shows through a crack or a hole is not steel
		if r.IntN(2) == 0 {
			d.drive = true
			d.u = int(math.Round(c.path.width(d.line))) - d.w + s.outside(o)
		} else {
			d.u = -s.outside(o)
		}
		return d, d.w < width/2
	}
	if class == "hole" {
		d.contrast = 1
	}
	margin := int(o.pixels(15))
	if width-2*margin-d.w < 1 {
		return d, false
	}
	d.u = margin + r.IntN(width-2*margin-d.w)
	return d, true
}

// placeRun is a roll mark at every turn of the roll, as many as the coil has room for.
func (c *coil) placeRun(o Options, r *rand.Rand, taken []placed, side inspection.Side, run int) []placed {
	for range 30 {
		d, ok := c.place(o, r, rollMark, side)
		if !ok {
			continue
		}
		d.run = run
		var out []placed
		free := true
		for i := range 3 + r.IntN(8) {
			m := d
			m.line += int64(math.Round(float64(i) * float64(RollCircumference/o.MMPerCount)))
			if m.line+int64(m.h) > c.lines-min(c.lines/5, lineCount(o, 2000)) {
				break
			}
			free = free && !anyOverlap(taken, m)
			out = append(out, m)
		}
		if free {
			return out
		}
	}
	return nil
}

func anyOverlap(taken []placed, d placed) bool {
	const apart = 80 // pixels and lines of ordinary strip between two defects
	for _, t := range taken {
		if d.line < t.line+int64(t.h)+apart && t.line < d.line+int64(d.h)+apart &&
			d.u < t.u+t.w+apart && t.u < d.u+d.w+apart {
			return true
		}
	}
	return false
}
