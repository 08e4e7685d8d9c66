package inference

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// growAt is the score down to which a region grows once one of its blocks has fired at 1.
	growAt = 0.88
	// leastSum and enoughSum are sums of scores over a region's blocks: below the one a block that
	// fired is taken for noise, above the other many that nearly fired are taken for a defect.
	leastSum  = 1.5
	enoughSum = 5.5
	// smoothBlocks count like one other block: a few smooth ones are found on any strip.
	smoothBlocks = 8
	// rim in blocks of a smooth patch, in which what it holds is not looked for.
	rim = 5
	// padding in pixels around the blocks that responded: what a block of 8 pixels half covers does
	// not always respond.
	padding = 2
	// fullAt is the share of a rectangle that must respond for it not to be cut, inner what a block
	// between responding ones counts.
	fullAt = 0.6
	inner  = 0.5
	// A strong defect shifts the means of the windows that reach it, up to haloReach blocks away. Near a
	// strong part, blocks below haloShare of it are taken for its halo.
	haloShare = 0.3
	haloReach = 5
	// mergeGap is the distance in blocks over which crumbs are joined.
	mergeGap = 2
)

// blockMap holds a frame's scores by block.
type blockMap struct {
	score []float32
	which []uint8
	feat  []float32
	plane int
	nb    int
	// weight is what each measure was multiplied by for the score.
	weight *[features]float32
}

// liveliest is the block of a smooth rectangle in which anything else stands out most, and the measure that says so:
// what lies in a smooth patch tells what the patch is, its emptiest place does not.
func (m blockMap) liveliest(q rect) (block, which int) {
	block, most := q.peak, float32(-1)
	// Towards its border the windows of the measures reach into the rough strip around.
	across, along := min(rim, (q.r-q.l-1)/2), min(rim, (q.b-q.t-1)/2)
	for y := q.t + along; y < q.b-along; y++ {
		for c := q.l + across; c < q.r-across; c++ {
			i := y*m.nb + c
			for f := range featureSmooth {
				v := m.feat[f*m.plane+i]
				if s := max(v, -v) * m.weight[f]; s > most {
					block, which, most = i, f, s
				}
			}
		}
	}
	return block, which
}

// boxer turns scores into rectangles. Its buffers are reused from frame to frame.
type boxer struct {
	kinds  []byte // of the frame's blocks, as scoreBlocks gives them; 0 where a block is taken
	stack  []place
	blocks []place // of the component at hand
	rects  []rect

	columns, rows profile
}

// place is a block by its column and its row, and i, its place in the frame's planes.
type place struct {
	i    int32
	c, r uint16
}

// rect is a rectangle of blocks, right and bottom exclusive.
type rect struct {
	l, t, r, b int
	count      int // blocks that responded
	peak       int // the strongest of them
	score      float32
	smooth     bool // all its blocks are too smooth; none of another rectangle's is
}

func (q rect) area() int { return (q.r - q.l) * (q.b - q.t) }

func (x *boxer) grow(nb, rows int) {
	x.kinds = make([]byte, (nb+2)*(rows+2)+8)
	x.stack = make([]place, 0, nb*rows)
	x.blocks = make([]place, 0, nb*rows)
}

func (x *boxer) regions(out []inspection.RegionOfInterest, m blockMap, img inspection.LineImage, gain inspection.ColumnGain, most int) []inspection.RegionOfInterest {
	x.rects = x.rects[:0]
	rows := len(m.score) / m.nb
	for r := range rows {
		row := x.kinds[(r+1)*(m.nb+2)+1:]
		for c := 0; c < m.nb; c++ {
			if c+8 <= m.nb && binary.LittleEndian.Uint64(row[c:]) == 0 {
				c += 7
				continue
			}
			if row[c] != noBlock {
				x.region(m, c, r)
			}
		}
	}
	x.merge()
	for _, q := range x.rects {
		out = append(out, toRegion(q, m, img, gain))
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

// region adds the rectangles of the component that block c of row r belongs to, where it is more than noise.
func (x *boxer) region(m blockMap, c, r int) {
	x.component(m, c, r)
	var sum, lines, peak float32
	for _, b := range x.blocks {
		score, which := m.score[b.i], m.which[b.i]
		peak = max(peak, score)
		if which == featureSmooth {
			sum += score / smoothBlocks
			continue
		}
		sum += score
		if kindOf(int(which)) == inspection.LineRegion {
			lines += score // one line answers in all the rows it was looked for in
		}
	}
	if (peak >= 1 && sum >= leastSum) || sum-lines >= enoughSum {
		blocks := x.withoutHalo(m, peak)
		x.split(m, blocks, bound(m, blocks))
	}
}

// component collects the blocks that hang together with block c of row r. Smooth patches are told from what stands
// out: joined, the two would cover what is neither.
func (x *boxer) component(m blockMap, c, r int) {
	width := m.nb + 2
	kind := x.kinds[(r+1)*width+c+1]
	x.kinds[(r+1)*width+c+1] = noBlock
	x.blocks = x.blocks[:0]
	x.stack = append(x.stack[:0], place{int32(r*m.nb + c), uint16(c), uint16(r)})
	for len(x.stack) > 0 {
		b := x.stack[len(x.stack)-1]
		x.stack = x.stack[:len(x.stack)-1]
		x.blocks = append(x.blocks, b)
		for dr := range 3 { // rows and columns of the border stand one before the blocks'
			around := x.kinds[(int(b.r)+dr)*width+int(b.c):][:3]
			for dc, k := range around {
				if k == kind {
					around[dc] = noBlock
					x.stack = append(x.stack, place{b.i + int32((dr-1)*m.nb+dc-1), uint16(int(b.c) + dc - 1), uint16(int(b.r) + dr - 1)})
				}
			}
		}
	}
}

// withoutHalo takes off the component what only answers to the strong part next to it.
func (x *boxer) withoutHalo(m blockMap, peak float32) []place {
	if peak*haloShare <= growAt {
		return x.blocks
	}
	n := 0
	for i, b := range x.blocks { // the strong ones first
		if m.score[b.i] >= haloShare*peak {
			x.blocks[n], x.blocks[i] = x.blocks[i], x.blocks[n]
			n++
		}
	}
	q := bound(m, x.blocks[:n])
	for _, b := range x.blocks[n:] {
		c, r := int(b.c), int(b.r)
		if c < q.l-haloReach || c >= q.r+haloReach || r < q.t-haloReach || r >= q.b+haloReach {
			x.blocks[n] = b
			n++
		}
	}
	return x.blocks[:n]
}

func bound(m blockMap, blocks []place) rect {
	q := m.none()
	for _, p := range blocks {
		q.add(p, m.score[p.i])
	}
	return m.described(q)
}

// none is the rectangle of no block, to which blocks are added.
func (m blockMap) none() rect { return rect{l: m.nb, t: len(m.score)} }

// add takes in a block.
func (q *rect) add(p place, score float32) {
	c, r := int(p.c), int(p.r)
	q.l, q.r, q.t, q.b = min(q.l, c), max(q.r, c+1), min(q.t, r), max(q.b, r+1)
	q.count++
	if score > q.score || (score == q.score && int(p.i) < q.peak) {
		q.score, q.peak = score, int(p.i)
	}
}

// described says of which kind the blocks of q are, which are all of one.
func (m blockMap) described(q rect) rect {
	q.smooth = m.which[q.peak] == featureSmooth
	return q
}

// split covers the blocks, which q is the rectangle of, with rectangles: one where they fill it, else the two of the cut
// that leaves the least area, and so on with each.
func (x *boxer) split(m blockMap, blocks []place, q rect) {
	if q.area() <= 6 || q.fill(q.count) {
		x.rects = append(x.rects, q)
		return
	}
	columns, rows := x.columns.reset(q.r-q.l), x.rows.reset(q.b-q.t)
	for _, p := range blocks {
		c, y := int(p.c)-q.l, int(p.r)-q.t
		columns[c].add(reach{int32(y), int32(y)})
		rows[y].add(reach{int32(c), int32(c)})
	}
	if q.fill(x.between()) {
		x.rects = append(x.rects, q)
		return
	}
	column, a := x.columns.cut()
	row, b := x.rows.cut()
	if min(a, b) > q.area() {
		x.rects = append(x.rects, q)
		return
	}
	n, before, behind := 0, m.none(), m.none()
	for i, p := range blocks {
		first := int(p.r) < q.t+row
		if a <= b {
			first = int(p.c) < q.l+column
		}
		if first {
			before.add(p, m.score[p.i])
			blocks[n], blocks[i] = p, blocks[n]
			n++
		} else {
			behind.add(p, m.score[p.i])
		}
	}
	x.split(m, blocks[:n], m.described(before))
	x.split(m, blocks[n:], m.described(behind))
}

// fill tells whether the blocks that responded, and by half those that lie between them, cover enough of the rectangle;
// between counts both.
func (q rect) fill(between int) bool {
	return float32(q.count)+inner*float32(between-q.count) >= fullAt*float32(q.area())
}

// between counts the blocks that lie between others both along and across: the inside of a patch of
// which only the border responds.
func (x *boxer) between() int {
	n := 0
	for y, r := range x.rows.reach {
		for c := r.lo; c <= r.hi; c++ {
			if q := x.columns.reach[c]; q.lo <= int32(y) && int32(y) <= q.hi {
				n++
			}
		}
	}
	return n
}

// profile holds, for each line of blocks across one axis, how far the blocks on it reach along the
// other.
type profile struct {
	reach []reach
	area  []int // of the rectangle around the lines before, for each cut
}

// reach is from lo to hi, inclusive; empty where hi < lo.
type reach struct{ lo, hi int32 }

// nothing is the reach of a line that holds no block.
var nothing = reach{math.MaxInt32, -1}

func (r *reach) add(q reach) { r.lo, r.hi = min(r.lo, q.lo), max(r.hi, q.hi) }

func (r reach) len() int { return max(0, int(r.hi)-int(r.lo)+1) }

// reset makes room for n lines, all without a block.
func (p *profile) reset(n int) []reach {
	p.reach, p.area = slices.Grow(p.reach[:0], n)[:n], p.area[:0]
	for i := range p.reach {
		p.reach[i] = nothing
	}
	return p.reach
}

// cut finds the line before which to cut so that the rectangles around either part have the least area
// together. Lines at the cut that hold no block count for neither.
func (p *profile) cut() (at, area int) {
	all, first, last := nothing, 0, 0
	for i, r := range p.reach {
		p.area = append(p.area, all.len()*(last-first))
		if r.hi >= 0 {
			if all.hi < 0 {
				first = i
			}
			all.add(r)
			last = i + 1
		}
	}
	at, area = 0, math.MaxInt
	all = nothing
	for i := len(p.reach) - 1; i > 0; i-- {
		if r := p.reach[i]; r.hi >= 0 {
			if all.hi < 0 {
				last = i + 1
			}
			all.add(r)
			first = i
		}
		if sum := p.area[i] + all.len()*(last-first); all.hi >= 0 && sum < area {
			at, area = i, sum
		}
	}
	return at, area
}

// merge joins rectangles that lie within mergeGap blocks of each other where the joint one is hardly
// larger: crumbs of one defect.
func (x *boxer) merge() {
	for range 4 { // a chain of crumbs closes by halves
		slices.SortFunc(x.rects, func(a, b rect) int {
			return cmp.Or(cmp.Compare(a.t, b.t), cmp.Compare(a.l, b.l), cmp.Compare(a.peak, b.peak))
		})
		n := len(x.rects)
		for i := range x.rects {
			a := &x.rects[i]
			for j := i + 1; j < len(x.rects) && a.count > 0 && x.rects[j].t <= a.b+mergeGap; j++ {
				if b := &x.rects[j]; b.count > 0 && a.near(b) && a.join(b) {
					b.count = 0
					n--
				}
			}
		}
		if n == len(x.rects) {
			return
		}
		x.rects = slices.DeleteFunc(x.rects, func(q rect) bool { return q.count == 0 })
	}
}

// near tells whether b is of the same kind and lies within mergeGap.
func (q *rect) near(b *rect) bool {
	return b.l-q.r <= mergeGap && q.l-b.r <= mergeGap && b.t-q.b <= mergeGap && q.t-b.b <= mergeGap && q.smooth == b.smooth
}

// join takes b in where that leaves little empty.
func (q *rect) join(b *rect) bool {
	u := rect{min(q.l, b.l), min(q.t, b.t), max(q.r, b.r), max(q.b, b.b), q.count + b.count, q.peak, q.score, q.smooth}
	if b.score > q.score {
		u.peak, u.score = b.peak, b.score
	}
	if float32(u.area()) > 1.15*float32(q.area()+b.area()) {
		return false
	}
	*q = u
	return true
}

func toRegion(q rect, m blockMap, img inspection.LineImage, gain inspection.ColumnGain) inspection.RegionOfInterest {
	l, t := max(q.l*blockSize-padding, 0), max(q.t*blockSize-padding, 0)
	r, b := min(q.r*blockSize+padding, img.Width), min(q.b*blockSize+padding, img.Height)
	peak, which := q.peak, int(m.which[q.peak])
	kind := kindOf(which)
	if q.smooth {
		peak, which = m.liveliest(q)
	}
	v := m.feat[which*m.plane+peak]
	roi := inspection.RegionOfInterest{
		X: l, Y: t, Width: r - l, Height: b - t, Score: q.score,
		Kind: kind, Bright: v > 0 && which != featureDark,
	}
	if which == featureGradX || which == featureGradY {
		roi.Bright = m.feat[featurePatch*m.plane+peak] > 0
	}
	roi.Area = min(q.count*blockSize*blockSize, roi.Width*roi.Height)
	roi.PeakX, roi.PeakY = peakPixel(peak%m.nb*blockSize, peak/m.nb*blockSize, roi, img, gain)
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
	x1, y1 := min(x0+blockSize, q.X+q.Width), min(y0+blockSize, q.Y+q.Height)
	px, py = x0, y0
	best := -1
	for y := y0; y < y1; y++ {
		for i, v := range img.Row(y)[x0:x1] {
			if gain != nil {
				v = corrected(v, gain[x0+i])
			}
			if !q.Bright {
				v = 255 - v
			}
			if int(v) > best {
				best, px, py = int(v), x0+i, y
			}
		}
	}
	return px, py
}
