package calibration

import (
	"fmt"
	"math"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// bar is a bar of the target in a picture, in pixels.
type bar struct {
	left, right float64
	index       int // in the target
	placed      bool
}

func (b bar) width() float64 { return b.right - b.left }

// edgeSharpness looks at the bars' edges on some lines around y.
func edgeSharpness(m inspection.LineImage, bars []bar, y int) float64 {
	const lines, reach = 8, 5
	var shares []float64
	for y := max(0, y-lines/2); y < min(m.Height, y+lines/2); y++ {
		for _, b := range bars {
			for _, edge := range []float64{b.left, b.right} {
				a, z := int(edge)-reach, int(edge)+reach
				if a < 0 || z >= m.Width {
					continue
				}
				row := m.Row(y)[a : z+1]
				low, high, step := row[0], row[0], 0.0
				for i := 1; i < len(row); i++ {
					low, high, step = min(low, row[i]), max(high, row[i]), max(step, difference(row[i-1], row[i]))
				}
				if high-low >= leastContrast {
					shares = append(shares, step/float64(high-low))
				}
			}
		}
	}
	if len(shares) == 0 {
		return 0
	}
	return medianOf(shares)
}

// meanRow is the mean of the lines [from, to).
func meanRow(m inspection.LineImage, from, to int) []float64 {
	from, to = max(0, from), min(m.Height, to)
	out := make([]float64, m.Width)
	for y := from; y < to; y++ {
		for x, v := range m.Row(y) {
			out[x] += float64(v)
		}
	}
	for x := range out {
		out[x] /= float64(to - from)
	}
	return out
}

// barRows finds the lines that cross the bars: the longest run of those that change across like those that change most. Where the
// target is skew, its ends are left out.
func barRows(m inspection.LineImage) (from, to int) {
	const reach = 4 // pixels: a step of the noise does not last
	steps := make([]float64, m.Height)
	for y := range steps {
		row := m.Row(y)
		for x := reach; x < len(row); x++ {
			if d := math.Abs(float64(row[x]) - float64(row[x-reach])); d > leastContrast/2 {
				steps[y] += d
			}
		}
	}
	// Of the lines that change most, a few may show something else: print beside the bars.
	much := slices.Sorted(slices.Values(steps))[len(steps)*9/10]
	if much == 0 {
		return 0, 0
	}
	begun := -1
	for y := 0; y <= len(steps); y++ {
		in := y < len(steps) && steps[y] > 0.7*much
		switch {
		case in && begun < 0:
			begun = y
		case !in && begun >= 0:
			if y-begun > to-from {
				from, to = begun, y
			}
			begun = -1
		}
	}
	return from, to
}

// findBars finds the dark bars of a profile, each edge where the profile crosses the middle between dark and bright there.
func findBars(p []float64) (bars []bar, contrast float64) {
	// Light and dark differ across: the threshold follows them over some bars.
	reach := max(16, len(p)/24)
	low, high := envelope(p, reach)
	contrasts := make([]float64, len(p))
	for x := range p {
		contrasts[x] = high[x] - low[x]
	}
	contrast = medianOf(contrasts)
	var at float64
	inside := false
	for x := 1; x < len(p); x++ {
		a, b := p[x-1]-(low[x-1]+high[x-1])/2, p[x]-(low[x]+high[x])/2
		if contrasts[x] < contrast/2 || (a < 0) == (b < 0) {
			continue
		}
		edge := float64(x-1) + a/(a-b) + 0.5 // a pixel's value stands for its middle
		if b < 0 {
			at, inside = edge, true
		} else if inside {
			bars, inside = append(bars, bar{left: at, right: edge}), false
		}
	}
	return bars, contrast
}

// envelope is the least and the greatest around each place, smoothed.
func envelope(p []float64, reach int) (low, high []float64) {
	low, high = make([]float64, len(p)), make([]float64, len(p))
	for x := range p {
		part := p[max(0, x-reach):min(len(p), x+reach+1)]
		low[x], high[x] = slices.Min(part), slices.Max(part)
	}
	return smooth(low, reach), smooth(high, reach)
}

func smooth(v []float64, reach int) []float64 {
	out := make([]float64, len(v))
	sums := make([]float64, len(v)+1)
	for i, x := range v {
		sums[i+1] = sums[i] + x
	}
	for i := range v {
		a, b := max(0, i-reach), min(len(v), i+reach+1)
		out[i] = (sums[b] - sums[a]) / float64(b-a)
	}
	return out
}

// number finds which bar of the target each one is. It is true where the picture shows them from the last to the first.
func number(bars []bar, t Target) (mirrored bool, err error) {
	pitch := pitchOf(bars)
	best, votes, second := 0, 0, 0
	for _, back := range []bool{false, true} {
		offset, n, next := vote(bars, t, pitch, back)
		if n > votes {
			best, votes, second, mirrored = offset, n, max(votes, next), back
		} else {
			second = max(second, n)
		}
	}
	if votes < 4 || votes < 2*second {
		return false, fmt.Errorf("the bars' widths tell no place on the target (%d runs of bars agree, %d on another place): is it this target, printed at 100 %%, and in focus?", votes, second)
	}
	place := places(bars, pitch)
	for i := range bars {
		k := best + place[i]
		if mirrored {
			k = best - place[i]
		}
		bars[i].index = k
		bars[i].placed = k >= 0 && k < t.Bars
	}
	return mirrored, nil
}

// pitchOf is the distance of neighbouring bars in pixels, by their middles: the median one.
func pitchOf(bars []bar) float64 {
	steps := make([]float64, 0, len(bars))
	for i := 1; i < len(bars); i++ {
		steps = append(steps, bars[i].left-bars[i-1].left)
	}
	return medianOf(steps)
}

// places counts the bars through, those that were not found too.
func places(bars []bar, pitch float64) []int {
	out := make([]int, len(bars))
	for i := 1; i < len(bars); i++ {
		out[i] = out[i-1] + max(1, int(math.Round((bars[i].left-bars[i-1].left)/pitch)))
	}
	return out
}

// vote lets each run of eight bars say at which bar of the target the first one found is; the offset that most runs say wins.
// back tells that the picture shows them from the last to the first: a bar's left edge is then its right one.
func vote(bars []bar, t Target, pitch float64, back bool) (offset, votes, second int) {
	at := map[int]int{} // code -> place of its first bar
	wide := t.Wide()
	for i := 0; i+codeBits <= len(wide); i++ {
		code := 0
		for j := range codeBits {
			code = code<<1 | bit(wide[i+j])
		}
		at[code] = i
	}
	place := places(bars, pitch)
	count := map[int]int{}
	for i := 0; i+codeBits <= len(bars); i++ {
		if place[i+codeBits-1]-place[i] != codeBits-1 {
			continue
		}
		code := 0
		for j := range codeBits {
			b := bars[i+j]
			if back {
				b = bars[i+codeBits-1-j]
			}
			code = code<<1 | bit(b.width()/pitch > (TargetNarrow+TargetWide)/2/TargetPitch)
		}
		first, known := at[code]
		switch {
		case !known:
		case back:
			count[first+codeBits-1+place[i]]++
		default:
			count[first-place[i]]++
		}
	}
	for o, n := range count {
		if n > votes || (n == votes && o < offset) {
			offset, votes, second = o, n, max(second, votes)
		} else {
			second = max(second, n)
		}
	}
	return offset, votes, second
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
