package mill

import (
	"math"
	"math/rand/v2"
)

// path is where the strip's edges run, in pixels as the top camera sees them: the operator side at
// the left.
type path struct {
	lines          int64
	centre         float64
	nominal        float64 // width
	wander, breath [3]wave
	seed           uint64
	head, tail     tongue
}

type wave struct{ amplitude, lines, phase float64 }

func (w wave) at(line float64) float64 {
	return w.amplitude * math.Sin(2*math.Pi*line/w.lines+w.phase)
}

// tongue is the shape of a strip end: how far each edge is set in at its very end, and over how
// many lines it widens.
type tongue struct{ operator, drive, lines, power float64 }

func newPath(o Options, r *rand.Rand, lines int64) path {
	p := path{lines: lines, nominal: o.pixels(o.StripWidth), seed: r.Uint64()}
	spare := (float64(o.PixelsAcross) - p.nominal) / 2
	p.centre = float64(o.PixelsAcross) / 2
	// The strip wanders by some 8 mm, and never out of the picture.
	swing := min(o.pixels(8), 0.6*spare)
	for i, metres := range []float64{55, 17, 6} {
		share := []float64{0.6, 0.3, 0.1}[i]
		period := metres * between(r, 0.7, 1.4) * 1000 / float64(o.MMPerCount)
		p.wander[i] = wave{swing * share, period, between(r, 0, 2*math.Pi)}
		p.breath[i] = wave{swing * share / 5, period * between(r, 0.6, 0.9), between(r, 0, 2*math.Pi)}
	}
	end := func() tongue {
		return tongue{
			operator: between(r, 0.03, 0.4) * p.nominal, drive: between(r, 0.03, 0.4) * p.nominal,
			lines: min(between(r, 150, 700)/float64(o.MMPerCount), float64(lines)/6), power: between(r, 1.5, 3),
		}
	}
	p.head, p.tail = end(), end()
	return p
}

// width is the strip's width at a line from the head end, its ends aside.
func (p *path) width(line int64) float64 {
	w := p.nominal
	for _, b := range p.breath {
		w += b.at(float64(line))
	}
	return w
}

// operator is where the operator-side edge runs, its ends and roughness aside: what hangs on the
// strip hangs on it.
func (p *path) operator(line int64) float64 {
	c := p.centre - p.nominal/2
	for _, w := range p.wander {
		c += w.at(float64(line))
	}
	return c
}

// edges are the outlines of the steel at a line: rough by half a pixel, and set in at head and tail.
func (p *path) edges(line int64) (operator, drive float64) {
	operator = p.operator(line)
	drive = operator + p.width(line)
	y := float64(line)
	operator += 0.5*value(p.seed, y/9, 0) + value(p.seed+1, y/160, 0)
	drive += 0.5*value(p.seed+2, y/9, 0) + value(p.seed+3, y/160, 0)
	inset := func(t tongue, distance float64, seed uint64) {
		if distance >= t.lines {
			return
		}
		f := math.Pow(1-distance/t.lines, t.power)
		torn := 1 + 0.08*value(seed, y/14, 0)
		operator += t.operator * f * torn
		drive -= t.drive * f * torn
	}
	inset(p.head, y, p.seed+4)
	inset(p.tail, float64(p.lines-1)-y, p.seed+5)
	return operator, drive
}
