package inference

import (
	"cmp"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// growAt is the score down to which a region grows once one of its blocks has fired at 1.
	growAt = 0.75
	// padding in pixels around the blocks that responded: what a block of 8 pixels half covers does
	// not always respond.
	padding = 2
)

// blockMap holds a frame's scores by block.
type blockMap struct {
	score []float32
	which []uint8
	feat  []float32
	plane int
	nb    int
}

// boxer turns scores into rectangles. Its buffers are reused from frame to frame.
type boxer struct {
	label  []int32
	stack  []int32
	blocks []int32 // of the component at hand
	rects  []rect
}

// rect is a rectangle of blocks, right and bottom exclusive.
type rect struct {
	l, t, r, b int
	count      int // blocks that responded
	peak       int // the strongest of them
	score      float32
}

func (q rect) area() int { return (q.r - q.l) * (q.b - q.t) }

func (x *boxer) grow(n int) {
	x.label = make([]int32, n)
	x.stack = make([]int32, 0, n)
	x.blocks = make([]int32, 0, n)
}

func (x *boxer) regions(out []inspection.RegionOfInterest, m blockMap, img inspection.LineImage, gain inspection.ColumnGain, e inspection.StripEdges, most int) []inspection.RegionOfInterest {
	x.rects = x.rects[:0]
	clear(x.label[:len(m.score)])
	for i, s := range m.score {
		if s >= 1 && x.label[i] == 0 {
			x.component(m, i)
			x.split(m, x.blocks)
		}
	}
	x.merge()
	for _, q := range x.rects {
		out = append(out, toRegion(q, m, img, gain, e))
	}
	if most > 0 && len(out) > most {
		slices.SortFunc(out, func(a, b inspection.RegionOfInterest) int {
			return cmp.Or(cmp.Compare(b.Score, a.Score), inOrder(a, b))
		})
		out = out[:most]
	}
	slices.SortFunc(out, inOrder)
	return out
}

func inOrder(a, b inspection.RegionOfInterest) int {
	return cmp.Or(cmp.Compare(a.Y, b.Y), cmp.Compare(a.X, b.X), cmp.Compare(a.Height, b.Height), cmp.Compare(a.Width, b.Width))
}

// component collects the blocks that hang together with the one at seed.
func (x *boxer) component(m blockMap, seed int) {
	x.blocks = x.blocks[:0]
	x.stack = append(x.stack[:0], int32(seed))
	x.label[seed] = 1
	rows := len(m.score) / m.nb
	for len(x.stack) > 0 {
		i := int(x.stack[len(x.stack)-1])
		x.stack = x.stack[:len(x.stack)-1]
		x.blocks = append(x.blocks, int32(i))
		bx, by := i%m.nb, i/m.nb
		for y := max(0, by-1); y <= min(rows-1, by+1); y++ {
			for c := max(0, bx-1); c <= min(m.nb-1, bx+1); c++ {
				j := y*m.nb + c
				if x.label[j] == 0 && m.score[j] >= growAt {
					x.label[j] = 1
					x.stack = append(x.stack, int32(j))
				}
			}
		}
	}
}

func bound(m blockMap, blocks []int32) rect {
	q := rect{l: m.nb, t: len(m.score), count: len(blocks), peak: int(blocks[0])}
	for _, i := range blocks {
		c, y := int(i)%m.nb, int(i)/m.nb
		q.l, q.r, q.t, q.b = min(q.l, c), max(q.r, c+1), min(q.t, y), max(q.b, y+1)
		if s := m.score[i]; s > q.score || (s == q.score && int(i) < q.peak) {
			q.score, q.peak = s, int(i)
		}
	}
	return q
}

// split covers the blocks with rectangles: one where they fill it, else the two of the cut that leaves
// the least area, and so on with each.
func (x *boxer) split(m blockMap, blocks []int32) {
	q := bound(m, blocks)
	if q.area() <= 6 || float32(q.count) >= 0.6*float32(q.area()) {
		x.rects = append(x.rects, q)
		return
	}
	best, at, across := q.area(), 0, false
	for c := q.l + 1; c < q.r; c++ {
		if a := cutArea(m, blocks, c, true); a < best {
			best, at, across = a, c, true
		}
	}
	for y := q.t + 1; y < q.b; y++ {
		if a := cutArea(m, blocks, y, false); a < best {
			best, at, across = a, y, false
		}
	}
	if float32(best) > 0.8*float32(q.area()) {
		x.rects = append(x.rects, q)
		return
	}
	before := func(i int32) bool {
		if across {
			return int(i)%m.nb < at
		}
		return int(i)/m.nb < at
	}
	n := 0
	for i := range blocks {
		if before(blocks[i]) {
			blocks[n], blocks[i] = blocks[i], blocks[n]
			n++
		}
	}
	x.split(m, blocks[:n])
	x.split(m, blocks[n:])
}

// cutArea is the area of the two rectangles that a cut before column or row at leaves.
func cutArea(m blockMap, blocks []int32, at int, across bool) int {
	var q [2]rect
	for i := range q {
		q[i] = rect{l: m.nb, t: len(m.score)}
	}
	for _, i := range blocks {
		c, y := int(i)%m.nb, int(i)/m.nb
		k := 0
		if (across && c >= at) || (!across && y >= at) {
			k = 1
		}
		q[k].l, q[k].r, q[k].t, q[k].b = min(q[k].l, c), max(q[k].r, c+1), min(q[k].t, y), max(q[k].b, y+1)
	}
	return q[0].area() + q[1].area()
}

// merge joins rectangles that lie within two blocks of each other where the joint one is hardly larger.
func (x *boxer) merge() {
	for again := true; again; {
		again = false
		for i := 0; i < len(x.rects); i++ {
			for j := i + 1; j < len(x.rects); j++ {
				a, b := x.rects[i], x.rects[j]
				if max(a.l, b.l)-min(a.r, b.r) > 2 || max(a.t, b.t)-min(a.b, b.b) > 2 {
					continue
				}
				u := rect{min(a.l, b.l), min(a.t, b.t), max(a.r, b.r), max(a.b, b.b), a.count + b.count, a.peak, a.score}
				if b.score > a.score {
					u.peak, u.score = b.peak, b.score
				}
				if float32(u.area()) > 1.3*float32(a.area()+b.area()) {
					continue
				}
				x.rects[i] = u
				x.rects = slices.Delete(x.rects, j, j+1)
				again = true
				j = i
			}
		}
	}
}

func toRegion(q rect, m blockMap, img inspection.LineImage, gain inspection.ColumnGain, e inspection.StripEdges) inspection.RegionOfInterest {
	l, t := max(q.l*blockSize-padding, 0), max(q.t*blockSize-padding, 0)
	r, b := min(q.r*blockSize+padding, img.Width), min(q.b*blockSize+padding, img.Height)
	l, r = max(l, int(e.Left)), min(r, int(e.Right+0.999))
	which := int(m.which[q.peak])
	v := m.feat[which*m.plane+q.peak]
	roi := inspection.RegionOfInterest{
		X: l, Y: t, Width: r - l, Height: b - t, Score: q.score,
		Kind: kindOf(which), Bright: v > 0 && which != featureDark,
	}
	if which == featureGradX || which == featureGradY {
		roi.Bright = m.feat[featurePatch*m.plane+q.peak] > 0
	}
	roi.Area = min(q.count*blockSize*blockSize, roi.Width*roi.Height)
	roi.PeakX, roi.PeakY = peakPixel(q.peak%m.nb*blockSize, q.peak/m.nb*blockSize, roi, img, gain)
	return roi
}

func kindOf(which int) inspection.RegionKind {
	switch which {
	case featureLine32, featureLine64, featureLine128:
		return inspection.LineRegion
	case featureDark, featureLight, featureRow, featureCol:
		return inspection.SpotRegion
	}
	return inspection.PatchRegion
}

// peakPixel is the darkest or brightest pixel of the strongest block.
func peakPixel(x0, y0 int, q inspection.RegionOfInterest, img inspection.LineImage, gain inspection.ColumnGain) (px, py int) {
	px, py = max(x0, q.X), max(y0, q.Y)
	best := -1
	for y := py; y < min(y0+blockSize, q.Y+q.Height); y++ {
		row := img.Row(y)
		for x := max(x0, q.X); x < min(x0+blockSize, q.X+q.Width); x++ {
			v := int(row[x])
			if gain != nil {
				v = int(corrected(row[x], gain[x]))
			}
			if !q.Bright {
				v = 255 - v
			}
			if v > best {
				best, px, py = v, x, y
			}
		}
	}
	return px, py
}
