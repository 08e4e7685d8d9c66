package teach

import (
	"math"

	"github.com/coilsight/coilsight/inference"
)

const (
	// tileBlocks is the side of a tile in blocks of 8 pixels: as large as an ordinary defect, so that a defect
	// spoils few tiles.
	tileBlocks = 8
	// leastTiles is how many tiles tell something of the strip.
	leastTiles = 500
	// rareTile is the share of tiles of ordinary strip whose strongest response may reach a limit.
	rareTile = 1e-3
	// Bins of the responses; those beyond count as the last, which lies far above the largest scale.
	responseBin  = 0.01
	responseBins = 400
)

// responses counts, by measure, how strong the strongest response of a tile is over the limit.
type responses struct {
	tiles int
	bins  [][responseBins]int
}

func newResponses() *responses {
	return &responses{bins: make([][responseBins]int, len(inference.Measures()))}
}

// add takes in what a detector gave of some tiles.
func (r *responses) add(tiles []float32) {
	for i, v := range tiles {
		r.bins[i%len(r.bins)][min(int(v/responseBin), responseBins-1)]++
	}
	r.tiles += len(tiles) / len(r.bins)
}

// quantile of one measure, interpolated within its bin.
func (r *responses) quantile(measure int, share float64) float64 {
	seen, want := 0.0, share*float64(r.tiles)
	for i, n := range r.bins[measure] {
		if n > 0 && seen+float64(n) >= want {
			return (float64(i) + (want-seen)/float64(n)) * responseBin
		}
		seen += float64(n)
	}
	return 0
}

// above is how many tiles a measure fires in with a scale.
func (r *responses) above(measure int, scale float32) (n int) {
	for _, k := range r.bins[measure][int(scale/responseBin):] {
		n += k
	}
	return n
}

// scales are the factors at which ordinary strip hardly fires. Where a measure's strongest response of a tile is
// an extreme of many independent ones, it follows Gumbel's distribution, whose place and width the two quartiles
// give; defects on a few per cent of the tiles lie beyond the upper quartile and hardly move it. A limit that
// nothing on the strip reaches is not raised.
func (r *responses) scales() inference.Scales {
	out := make(inference.Scales, len(r.bins))
	gumbel := func(share float64) float64 { return -math.Log(-math.Log(share)) }
	for f := range out {
		q1, q3 := r.quantile(f, 0.25), r.quantile(f, 0.75)
		width := (q3 - q1) / (gumbel(0.75) - gumbel(0.25))
		at := q1 + width*(gumbel(1-rareTile)-gumbel(0.25))
		if r.above(f, 1) == 0 {
			at = 1
		}
		out[f] = float32(min(max(at, inference.LeastScale), inference.MostScale))
	}
	return out
}
