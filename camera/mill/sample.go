package mill

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// Sampler renders single labelled pictures of strip, for training and for golden crops. It paints
// as the mill does, over a wider range of surfaces. One goroutine at a time may use it.
type Sampler struct {
	size     int
	textures []*texture
	r        *renderer
}

// sampleWidth is the strip a sample is cut from, in pixels: wide enough for the broadest defect.
const sampleWidth = 640

// NewSampler makes a sampler of square pictures with size pixels a side, 0.5 mm each. seed decides its
// textures.
func NewSampler(seed uint64, size int) (*Sampler, error) {
	if size < 16 || size > sampleWidth {
		return nil, fmt.Errorf("mill: samples of %d pixels are not possible; allowed are 16 to %d", size, sampleWidth)
	}
	o := Options{Seed: seed, PixelsAcross: sampleWidth + 64, FrameLines: size}.withDefaults()
	var textures []*texture
	for i, along := range []float64{15, 40, 90, 160, 260} {
		for j, cell := range []float64{0.6, 1.4, 3, 5} {
			if (i+j)%2 == 0 {
				textures = append(textures, newTexture(mixSeed(seed, forSample, uint64(i), uint64(j)), o.PixelsAcross, along, cell))
			}
		}
	}
	r := newRenderer(o, inspection.Top, textures)
	return &Sampler{size: size, textures: textures, r: r}, nil
}

// Render paints one picture of class, size x size pixels, with the defect somewhere about its middle,
// as a detector's crop shows it. A defect larger than the picture is shown in part. NoDefect gives
// plain strip. contrast is 1 for the class's usual one. An unknown class is an error.
func (s *Sampler) Render(class inspection.DefectClass, seed uint64, contrast float64) ([]byte, error) {
	if class != inspection.NoDefect && !slices.Contains(Catalogue(), class) {
		return nil, fmt.Errorf("mill: class %q cannot be rendered; allowed are %v and %s", class, Catalogue(), inspection.NoDefect)
	}
	if !(contrast >= 0 && contrast <= 4) {
		return nil, fmt.Errorf("mill: a contrast of %g is not possible; allowed are 0 to 4", contrast)
	}
	rnd := source(seed, forSample, uint64(slices.Index(Catalogue(), class)+1))
	r := s.r
	n := r.o.FrameLines

	// Lamp, noise and brightness change from sample to sample as they would from plant to plant.
	r.seed = rnd.Uint64()
	r.lamp = newLamp(rnd, r.o.PixelsAcross)
	r.noiseAmp = between(rnd, 0.6, 4)
	r.cur = s.sampleCoil(rnd)
	r.look = s.sampleSurface(rnd)
	r.knots[0].coil, r.knots[1].coil = -1, -1
	r.stamps = r.stamps[:0]

	line := 4000 + rnd.Int64N(4000)
	x := 32 + rnd.IntN(max(1, int(r.width)-64-n))
	if class != inspection.NoDefect {
		sh := newShape(class, rnd.Uint64())
		drive := sh.edge && rnd.IntN(2) == 0
		st := sh.stamp(r.o, contrast, drive)
		jitter := func(extent int) int { // a detector's crop is centred on what it saw, roughly
			free := n / 10
			if extent > n {
				free = (extent - n) / 2
			}
			return (n-extent)/2 + rnd.IntN(2*free+1) - free
		}
		p := pressed{line: line + int64(jitter(st.h)), x: x + jitter(st.w), stamp: st}
		if sh.edge {
			x = -n/4 - rnd.IntN(n/4+1)
			p.x = -sh.outside(r.o)
			if drive {
				x = int(r.cur.path.width(line)) - n + n/4 + rnd.IntN(n/4+1)
				p.x = int(r.cur.path.width(line)) - st.w + sh.outside(r.o)
			}
		}
		r.stamps = append(r.stamps, p)
	} else if rnd.IntN(8) == 0 { // a strip edge is no defect either
		x = -rnd.IntN(n / 2)
		if rnd.IntN(2) == 0 {
			x = int(r.width) - n + rnd.IntN(n/2)
		}
	}
	pix := make([]byte, r.o.PixelsAcross*n)
	r.stretch(pix, r.cur.start+inspection.EncoderCount(line), r.spots[:n])
	out := make([]byte, n*n)
	left := r.spots[0].anchor + x
	left = min(r.o.PixelsAcross-n, max(0, left))
	for y := range n {
		copy(out[y*n:(y+1)*n], pix[y*r.o.PixelsAcross+left:])
	}
	return out, nil
}

// sampleCoil is a strip without ends in reach.
func (s *Sampler) sampleCoil(rnd *rand.Rand) *coil {
	c := &coil{seed: rnd.Uint64(), lines: 20_000, start: 0}
	c.path = newPath(s.r.o, rnd, c.lines)
	return c
}

// sampleSurface ranges further than newSurface, so that what learns from samples is not bound to the
// mill's own strips.
func (s *Sampler) sampleSurface(rnd *rand.Rand) surface {
	k := newSurface(rnd, len(s.textures))
	k.level = between(rnd, 45, 200)
	if rnd.IntN(2) == 0 {
		k.level = between(rnd, 110, 145)
	}
	k.grain = k.level * between(rnd, 0, 0.035)
	k.rough = k.level * between(rnd, 0.004, 0.045)
	k.patches = between(rnd, 0, 0.12)
	k.streaks = between(rnd, 0, 0.05)
	k.tint = between(rnd, 0, 0.12) * float64(rnd.IntN(2))
	return k
}
