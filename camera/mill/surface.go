package mill

import (
	"math"
	"math/rand/v2"
)

// levelStep is the number of lines between two rows of levels; between them levels run straight.
// The kernel divides by it.
const levelStep = 128

// surface is the look of one side of one coil.
type surface struct {
	seed    uint64
	level   float64 // grey under full light
	crown   float64 // how much darker the edges are
	streaks float64 // bands along the strip
	patches float64 // clouds of scale
	tint    float64 // how much darker their denser parts are
	grain   float64 // grey of one deviation
	rough   float64
	texture int
}

func newSurface(r *rand.Rand, textures int) surface {
	level := between(r, 88, 150)
	return surface{
		seed: r.Uint64(), level: level,
		crown: between(r, 0, 0.14), streaks: between(r, 0.006, 0.03), patches: between(r, 0.01, 0.06),
		tint:  between(r, 0, 0.06) * float64(r.IntN(2)),
		grain: level * between(r, 0.006, 0.026), rough: level * between(r, 0.012, 0.034),
		texture: r.IntN(textures),
	}
}

// levels fills row with the brightness of the strip at line k*levelStep, in 1/64 grey. The strip is
// width pixels wide and begins at row[offset]. acc is scratch of the row's length.
func (s *surface) levels(row []int16, acc []float32, k int64, width float64, offset int) {
	clear(acc)
	// Lengths along are in lines: clouds change over half a metre, bands over metres.
	y := float64(k) * levelStep
	addNoiseRow(acc, s.seed+1, 420, y/2600, 1)
	addNoiseRow(acc, s.seed+2, 130, y/900, 0.5)
	for i, v := range acc {
		acc[i] = float32(s.patches*float64(v) - s.tint*ramp(0.15, 0.5, float64(v)))
	}
	addNoiseRow(acc, s.seed+3, 190, y/9000, 0.9*s.streaks)
	addNoiseRow(acc, s.seed+4, 37, y/6000, 0.7*s.streaks)
	addNoiseRow(acc, s.seed+5, 8, y/5000, 0.4*s.streaks)
	for x := range row {
		d := min(1, max(-1, 2*float64(x-offset)/width-1))
		v := s.level * (1 - s.crown*d*d*d*d) * (1 + float64(acc[x]))
		row[x] = int16(math.Round(64 * min(250, max(4, v))))
	}
}
