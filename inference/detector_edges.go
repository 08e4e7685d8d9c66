package inference

import (
	"math"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// edgeMedian block rows on either side vote on where the edge of a row is: a notch in the edge
	// shorter than 9 rows (72 lines) stays strip, and so a defect.
	edgeMedian = 8
	// edgeKeep pixels inside the edge are left out of the screening: the bevel and its shadow.
	edgeKeep = 6
	// offStrip is the most that background may have of the strip's brightness; darker than this and
	// reaching the frame's side it is not strip.
	offStrip = 0.4
)

// edgeFinder finds where the strip lies by comparing the frame's sides with its bright part.
type edgeFinder struct {
	rawLeft, rawRight []float32 // per block row, NaN where the row shows no strip
	sorted            []float32
}

func (e *edgeFinder) grow(rows int) {
	e.rawLeft, e.rawRight = make([]float32, rows), make([]float32, rows)
	e.sorted = make([]float32, 0, 2*edgeMedian+1)
}

func (e *edgeFinder) keep(from, to int) {
	copy(e.rawLeft[to:contextRows], e.rawLeft[from:])
	copy(e.rawRight[to:contextRows], e.rawRight[from:])
}

// find fills left and right for the frame's rows with the columns that are screened, [left, right).
func (e *edgeFinder) find(sums, cols []uint16, nb int, s rowSpan, img inspection.LineImage, left, right []int32) inspection.StripEdges {
	cut, two := splitLevels(sums[s.first*nb : s.end*nb])
	for r := s.first; r < s.end; r++ {
		e.rawLeft[r], e.rawRight[r] = 0, float32(img.Width)
		if two {
			e.rawLeft[r], e.rawRight[r] = rowEdges(sums[r*nb:(r+1)*nb], cols[r*nb*blockSize:(r+1)*nb*blockSize], cut, img.Width)
		}
	}
	var edges inspection.StripEdges
	var l, rr float64
	n := 0
	for r := s.first; r < s.end; r++ {
		left[r], right[r] = 0, 0
		if isNaN(e.rawLeft[r]) {
			continue
		}
		a, b := e.median(e.rawLeft, s, r), e.median(e.rawRight, s, r)
		if b-a < 32 {
			continue
		}
		if n == 0 {
			edges.FirstLine = (r - s.first) * blockSize
		}
		edges.LastLine = min(img.Height, (r-s.first+1)*blockSize)
		l, rr, n = l+float64(a), rr+float64(b), n+1
		if a > 0 {
			a += edgeKeep
		}
		if b < float32(img.Width) {
			b -= edgeKeep
		}
		left[r], right[r] = int32(math.Ceil(float64(a))), int32(b)
	}
	if n > 0 {
		edges.Present, edges.Left, edges.Right = true, l/float64(n), rr/float64(n)
	}
	return edges
}

func isNaN(v float32) bool { return v != v }

func (e *edgeFinder) median(raw []float32, s rowSpan, r int) float32 {
	e.sorted = e.sorted[:0]
	for i := max(s.start, r-edgeMedian); i < min(s.end, r+edgeMedian+1); i++ {
		if !isNaN(raw[i]) {
			e.sorted = append(e.sorted, raw[i])
		}
	}
	slices.Sort(e.sorted)
	return e.sorted[len(e.sorted)/2]
}

// splitLevels looks for two levels of brightness in a frame: a dark one for what lies beside the strip
// and a bright one for the strip. cut is the brightness between them, as the sum of a block.
func splitLevels(sums []uint16) (cut float32, two bool) {
	var bins [256]int
	for _, v := range sums {
		bins[v/64]++
	}
	mean := func(from, to int) (float32, int) {
		n, sum := 0, 0
		for i := from; i < to; i++ {
			n, sum = n+bins[i], sum+bins[i]*i
		}
		return (float32(sum) + 0.5*float32(n)) / float32(max(n, 1)), n
	}
	at := float32(0)
	all, _ := mean(0, 256)
	for range 32 { // the intermeans method settles within a few rounds
		next := all
		if at > 0 {
			lo, _ := mean(0, int(at))
			hi, _ := mean(int(at), 256)
			next = (lo + hi) / 2
		}
		if next == at {
			break
		}
		at = next
	}
	lo, nl := mean(0, int(at))
	hi, nh := mean(int(at), 256)
	if nl == 0 || nh == 0 || lo > offStrip*hi {
		return 0, false
	}
	return 64 * (lo + 0.35*(hi-lo)), true
}

// rowEdges goes inwards from either side of a row until it meets two blocks of strip, then to the
// pixel. NaN, NaN: the row shows no strip.
func rowEdges(sums, cols []uint16, cut float32, width int) (left, right float32) {
	bright := func(b int) bool { return float32(sums[b]) >= cut }
	nb := len(sums)
	l := 0
	for l+1 < nb && !(bright(l) && bright(l+1)) {
		l++
	}
	if l+1 >= nb {
		return float32(math.NaN()), float32(math.NaN())
	}
	r := nb - 1
	for r > l+1 && !(bright(r) && bright(r-1)) {
		r--
	}
	left, right = 0, float32(width)
	at := cut / blockSize
	if l > 0 {
		x := l * blockSize
		for x > (l-1)*blockSize && float32(cols[x-1]) >= at {
			x--
		}
		left = float32(x)
	}
	if r < nb-1 {
		x := (r + 1) * blockSize
		for x < (r+2)*blockSize && float32(cols[x]) >= at {
			x++
		}
		right = float32(x)
	}
	return left, right
}
