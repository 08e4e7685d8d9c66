package inference

import (
	"math"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// edgeHalf block rows on either side vote on where the edge of a row is: a notch of up to half as
	// many (32 lines) on one side, or 64 in all, stays strip, and so a defect.
	edgeHalf = 8
	// edgeKeep pixels inside the edge are left out of the screening: the bevel and its shadow.
	edgeKeep = 8
	// endKeep block rows are left out at the head and the tail end, whose rims are as ragged as they come.
	endKeep = 4
	// endShape block rows from an end the outline is taken as it is: a tongue is not told from a notch.
	endShape = 14
	// taper px from row to row is how fast an edge moves where a strip's end tapers; there the outline is taken as it is. Strip that
	// wanders by 10 mm within a metre stays below a tenth of it.
	taper = 0.5
	// offStrip is the most that background may have of the strip's brightness; darker than this and
	// reaching the frame's side it is not strip.
	offStrip = 0.4
	// narrowest strip in pixels that is screened.
	narrowest = 64
	// black is the sum of a block at 14 of 255: eight bits hold no texture to judge at that level.
	black = 14 * 64
)

// edgeFinder finds where the strip lies by comparing the frame's sides with its bright part.
type edgeFinder struct {
	rawLeft, rawRight []float32 // per block row, NaN where the row shows no strip
	sorted            []float32
	// known is the last cut between background and strip. It belongs to the line and not to the coil,
	// so a head end does not forget it.
	known  float32
	levels [256]int32 // a field, since what C is given lives on the heap
}

func (e *edgeFinder) grow(rows int) {
	e.rawLeft, e.rawRight = make([]float32, rows), make([]float32, rows)
	e.sorted = make([]float32, 0, 2*edgeHalf+1)
}

func (e *edgeFinder) keep(from, to int) {
	copy(e.rawLeft[to:contextRows], e.rawLeft[from:])
	copy(e.rawRight[to:contextRows], e.rawRight[from:])
}

// find fills left and right for the frame's rows with the columns of pixels that are screened, [left, right). The first
// columns of a row's nb blocks show the image.
func (e *edgeFinder) find(sums, cols []uint16, nb, columns int, s rowSpan, img inspection.LineImage, left, right []int32) inspection.StripEdges {
	cut := e.cut(sums[s.first*nb:s.end*nb], nb, columns)
	for r := s.first; r < s.end; r++ {
		e.rawLeft[r], e.rawRight[r] = rowEdges(sums[r*nb:][:columns], cols[r*nb*blockSize:(r+1)*nb*blockSize], cut, img.Width)
	}
	var edges inspection.StripEdges
	n := 0
	for r := s.first; r < s.end; r++ {
		left[r], right[r] = 0, 0
		if isNaN(e.rawLeft[r]) {
			continue
		}
		a, da := e.at(e.rawLeft, s, r)
		b, db := e.at(e.rawRight, s, r)
		a, b = max(a, 0), min(b, float32(img.Width))
		if b-a < narrowest {
			continue
		}
		if n == 0 {
			edges.FirstLine = (r - s.first) * blockSize
		}
		edges.LastLine = min(img.Height, (r-s.first+1)*blockSize)
		edges.Left, edges.Right, n = edges.Left+float64(a), edges.Right+float64(b), n+1
		// Where the strip begins or ends, a row shows both strip and what lies before it.
		if e.ends(s, r, endKeep) {
			continue
		}
		if e.ends(s, r, endShape) || max(da, -da, db, -db) > taper {
			for i := max(s.start, r-1); i < min(s.end, r+2); i++ {
				a, b = max(a, e.rawLeft[i]), min(b, e.rawRight[i])
			}
		}
		if a > 0 {
			a += edgeKeep + 3*max(da, -da)
		}
		if b < float32(img.Width) {
			b -= edgeKeep + 3*max(db, -db)
		}
		left[r], right[r] = int32(math.Ceil(float64(a))), int32(b)
	}
	if n > 0 {
		edges.Present, edges.Left, edges.Right = true, edges.Left/float64(n), edges.Right/float64(n)
	}
	return edges
}

// Why lines are not screened.
const (
	causeNoStrip = "no strip was to be seen"
	causeEnd     = "too near to a head or tail end to be screened"
)

// unscreened appends the lines of the frame's rows that have no column to be screened.
func (e *edgeFinder) unscreened(dst []inspection.UnscreenedLines, s rowSpan, height int, left, right []int32) []inspection.UnscreenedLines {
	for r := s.first; r < s.end; r++ {
		if left[r] < right[r] {
			continue
		}
		cause := causeEnd
		if isNaN(e.rawLeft[r]) {
			cause = causeNoStrip
		}
		from, to := (r-s.first)*blockSize, min(height, (r-s.first+1)*blockSize)
		if n := len(dst); n > 0 && dst[n-1].To == from && dst[n-1].Cause == cause {
			dst[n-1].To = to
			continue
		}
		dst = append(dst, inspection.UnscreenedLines{From: from, To: to, Cause: cause})
	}
	return dst
}

// cut is the brightness of a block, as its sum, above which it is strip. Where a frame shows strip and
// background they tell; else what the last such frame told; before there was one, all is strip but what
// is as good as black.
func (e *edgeFinder) cut(sums []uint16, nb, columns int) float32 {
	if cut, ok := splitLevels(sums, nb, columns, &e.levels); ok {
		e.known = cut
		return cut
	}
	cut := float32(black)
	if e.known > 0 {
		cut = e.known
	}
	if 50*blocksAtLeast(sums, nb, columns, int(math.Ceil(float64(cut)))) < len(sums)/nb*columns {
		return cut // nothing but background
	}
	return 0
}

// ends tells whether a row within reach of r shows no strip.
func (e *edgeFinder) ends(s rowSpan, r, reach int) bool {
	for i := max(s.start, r-reach); i < min(s.end, r+1+reach); i++ {
		if isNaN(e.rawLeft[i]) {
			return true
		}
	}
	return false
}

func isNaN(v float32) bool { return v != v }

// at is where the edge of row r should be by the rows around it, and by how much it moves from row to
// row: the middle between the medians of the rows before and behind, which follows a tapering end and
// passes over a notch.
func (e *edgeFinder) at(raw []float32, s rowSpan, r int) (edge, slope float32) {
	before, n := e.median(raw, s, r-edgeHalf, r)
	behind, m := e.median(raw, s, r+1, r+1+edgeHalf)
	switch {
	case n >= edgeHalf/2 && m >= edgeHalf/2:
		// The medians stand in the middle of their rows, and the fuller side reaches farther.
		slope = (behind - before) * 2 / float32(n+m+2)
		return before + slope*float32(n+1)/2, slope
	case n < edgeHalf && m < edgeHalf: // too little strip to tell a trend
		edge, _ = e.median(raw, s, r-edgeHalf, r+1+edgeHalf)
		return edge, 0
	case m < n: // the frame or the strip ends here: the trend of the rows before goes on
		far, _ := e.median(raw, s, r-2*edgeHalf, r-edgeHalf)
		near, k := e.median(raw, s, r-edgeHalf, r+1)
		return trend(far, near, k)
	default:
		far, _ := e.median(raw, s, r+1+edgeHalf, r+1+2*edgeHalf)
		near, k := e.median(raw, s, r, r+1+edgeHalf)
		return trend(far, near, k)
	}
}

// trend carries the step between two medians edgeHalf rows apart on from the middle of the nearer rows
// to their end. NaN: the farther rows show nothing.
func trend(far, near float32, rows int) (edge, slope float32) {
	if isNaN(far) {
		return near, 0
	}
	slope = (near - far) / edgeHalf
	return near + slope*float32(rows-1)/2, slope
}

// median of the rows [from, to) that show strip, and how many do.
func (e *edgeFinder) median(raw []float32, s rowSpan, from, to int) (float32, int) {
	e.sorted = e.sorted[:0]
	for i := max(s.start, from); i < min(s.end, to); i++ {
		if !isNaN(raw[i]) {
			e.sorted = append(e.sorted, raw[i])
		}
	}
	n := len(e.sorted)
	if n == 0 {
		return float32(math.NaN()), 0
	}
	slices.Sort(e.sorted)
	return (e.sorted[(n-1)/2] + e.sorted[n/2]) / 2, n
}

// splitLevels looks for two levels of brightness in a frame: a dark one for what lies beside the strip
// and a bright one for the strip. cut is the brightness between them, as the sum of a block. levels is room to work in.
func splitLevels(sums []uint16, nb, columns int, levels *[256]int32) (cut float32, two bool) {
	var count, weighed [257]int // of the levels below each
	greyLevels(sums, nb, columns, levels)
	for i, n := range levels {
		count[i+1] = count[i] + int(n)
		weighed[i+1] = weighed[i] + i*int(n)
	}
	mean := func(from, to int) (float32, int) {
		n, sum := count[to]-count[from], weighed[to]-weighed[from]
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
	// From the middle of the two blocks outwards: the outer one may be strip only in part.
	at := cut / blockSize
	if l > 0 {
		x := (l + 1) * blockSize
		for x > (l-1)*blockSize && float32(cols[x-1]) >= at {
			x--
		}
		left = float32(x)
	}
	if r < nb-1 {
		x := r * blockSize
		for x < (r+2)*blockSize && float32(cols[x]) >= at {
			x++
		}
		right = float32(x)
	}
	return left, right
}
