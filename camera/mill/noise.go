package mill

import (
	"math"
	"math/rand/v2"
)

// mixSeed turns a seed and what it is for into a seed of its own (the finaliser of SplitMix64).
func mixSeed(seed uint64, parts ...uint64) uint64 {
	h := seed
	for _, p := range parts {
		h += p*0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15
		h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9
		h = (h ^ (h >> 27)) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// What a derived seed is for; the order is part of every picture ever rendered.
const (
	forPlan uint64 = iota + 1
	forDefect
	forTexture
	forLamp
	forSurface
	forLevels
	forNoise
	forEdges
	forTable
	forSample
	forDay
)

func source(seed uint64, parts ...uint64) *rand.Rand {
	s := mixSeed(seed, parts...)
	return rand.New(rand.NewPCG(s, mixSeed(s, 1)))
}

func between(r *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// node is the value of lattice point (x, y) of a noise field, -1 to 1.
func node(seed uint64, x, y int) float64 {
	h := seed ^ uint64(uint32(x))*0x9e3779b97f4a7c15 ^ uint64(uint32(y))*0xc2b2ae3d27d4eb4f
	h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9
	h ^= h >> 32
	return float64(int32(uint32(h))) / (1 << 31)
}

func smooth(t float64) float64 { return t * t * (3 - 2*t) }

// ramp goes smoothly from 0 at lo to 1 at hi; lo may be the greater.
func ramp(lo, hi, x float64) float64 { return smooth(min(1, max(0, (x-lo)/(hi-lo)))) }

// value is value noise at (x, y), lattice spacing 1, -1 to 1.
func value(seed uint64, x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	tx, ty := smooth(x-fx), smooth(y-fy)
	a := node(seed, ix, iy) + tx*(node(seed, ix+1, iy)-node(seed, ix, iy))
	b := node(seed, ix, iy+1) + tx*(node(seed, ix+1, iy+1)-node(seed, ix, iy+1))
	return a + ty*(b-a)
}

// fractal adds three octaves of value noise, about -1 to 1.
func fractal(seed uint64, x, y float64) float64 {
	return (value(seed, x, y) + 0.5*value(seed+1, 2*x, 2*y) + 0.25*value(seed+2, 4*x, 4*y)) / 1.4
}

// addNoiseRow adds to dst the row at height y (in lattice units) of a noise field whose lattice is
// spacing pixels apart across.
func addNoiseRow(dst []float32, seed uint64, spacing, y, amplitude float64) {
	fy := math.Floor(y)
	iy, ty := int(fy), smooth(y-fy)
	at := func(i int) float64 {
		a := node(seed, i, iy)
		return amplitude * (a + ty*(node(seed, i, iy+1)-a))
	}
	left, right, cell := at(0), at(1), 0
	for i := range dst {
		x := float64(i) / spacing
		if int(x) != cell {
			cell = int(x)
			left, right = at(cell), at(cell+1)
		}
		dst[i] += float32(left + smooth(x-float64(cell))*(right-left))
	}
}
