package inference

import (
	"cmp"
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
	kinds []byte // of the frame's blocks, a row after the other, as scoreBlocks gives them; 8 more are 0
	rects []rect

	components    components
	blocks        blockSet // of the component at hand
	columns, rows profile
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
	x.kinds = make([]byte, nb*rows+8)
	x.blocks.grow(nb, rows)
}

func (x *boxer) regions(out []inspection.RegionOfInterest, m blockMap, img inspection.LineImage, flat inspection.FlatField, most int) []inspection.RegionOfInterest {
	x.rects = x.rects[:0]
	x.components.find(x.kinds[:len(m.score)+8], m.nb)
	for i := range x.components.runs {
		if x.components.isFirst(i) {
			x.component(m, i)
		}
	}
	x.merge()
	for _, q := range x.rects {
		out = append(out, toRegion(q, m, img, flat))
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
	if a.Y != b.Y {
		return a.Y - b.Y
	}
	return cmp.Or(a.X-b.X, a.Height-b.Height, a.Width-b.Width)
}

// component adds the rectangles of the component whose first run is given, where it is more than noise.
func (x *boxer) component(m blockMap, first int) {
	q := nowhere
	q.smooth = x.components.runs[first].kind == smoothBlock
	var sum, lines, most float32
	for b := range x.components.of(first) {
		q.take(b)
		at := b.row*m.nb + b.from
		score := m.score[at:][:b.to-b.from]
		for i, which := range m.which[at:][:len(score)] {
			sum += score[i]
			lines += score[i] * isLine[which] // one line answers in all the rows it was looked for in
			if score[i] > most {
				most, q.peak = score[i], at+i
			}
		}
	}
	q.score = most
	if q.smooth {
		sum /= smoothBlocks
	}
	if (q.score < 1 || sum < leastSum) && sum-lines < enoughSum {
		return
	}
	for b := range x.components.of(first) {
		x.blocks.add(b)
	}
	x.split(m, x.withoutHalo(m, q))
	x.blocks.clear(q)
}

// isLine is 1 for the measures of lines.
var isLine = func() (is [256]float32) {
	for f := range features {
		if kindOf(f) == inspection.LineRegion {
			is[f] = 1
		}
	}
	return is
}()

// nowhere is the rectangle of no block, to which blocks are added.
var nowhere = rect{l: math.MaxInt, t: math.MaxInt}

// take adds a run's blocks.
func (q *rect) take(b run) {
	q.l, q.r, q.t, q.b = min(q.l, b.from), max(q.r, b.to), min(q.t, b.row), max(q.b, b.row+1)
	q.count += b.to - b.from
}

// withoutHalo takes off the component what only answers to the strong part next to it, and gives what q then is.
func (x *boxer) withoutHalo(m blockMap, q rect) rect {
	strong := haloShare * q.score
	if strong <= growAt {
		return q
	}
	core := nowhere
	for r, c := range x.blocks.in(q) {
		if m.score[r*m.nb+c] >= strong {
			core.take(run{row: r, from: c, to: c + 1})
		}
	}
	near := rect{l: max(core.l-haloReach, q.l), t: max(core.t-haloReach, q.t), r: min(core.r+haloReach, q.r), b: min(core.b+haloReach, q.b)}
	for r, c := range x.blocks.in(near) {
		if m.score[r*m.nb+c] < strong {
			x.blocks.remove(r, c)
		}
	}
	return x.part(m, q, q)
}

// part is the rectangle around those blocks of whole that lie in q.
func (x *boxer) part(m blockMap, whole, q rect) rect {
	p := x.blocks.bound(q)
	p.smooth, p.score, p.peak = whole.smooth, whole.score, whole.peak
	if r, c := whole.peak/m.nb, whole.peak%m.nb; r < p.t || r >= p.b || c < p.l || c >= p.r {
		p.score = 0
		for r, c := range x.blocks.in(p) {
			if i := r*m.nb + c; m.score[i] > p.score {
				p.score, p.peak = m.score[i], i
			}
		}
	}
	return p
}

// split covers the blocks that lie in q with rectangles: one where they fill it, else the two of the cut that leaves the
// least area, and so on with each.
func (x *boxer) split(m blockMap, q rect) {
	if q.area() <= 6 || q.fill(q.count) {
		x.rects = append(x.rects, q)
		return
	}
	if q.fill(x.blocks.reaches(q, x.columns.reset(q.r-q.l), x.rows.reset(q.b-q.t))) {
		x.rects = append(x.rects, q)
		return
	}
	column, a := x.columns.cut()
	row, b := x.rows.cut()
	if min(a, b) > q.area() {
		x.rects = append(x.rects, q)
		return
	}
	before, behind := q, q
	if a <= b {
		before.r, behind.l = q.l+column, q.l+column
	} else {
		before.b, behind.t = q.t+row, q.t+row
	}
	x.split(m, x.part(m, q, before))
	x.split(m, x.part(m, q, behind))
}

// fill tells whether the blocks that responded, and by half those that lie between them, cover enough of the rectangle;
// between counts both.
func (q rect) fill(between int) bool {
	return float32(q.count)+inner*float32(between-q.count) >= fullAt*float32(q.area())
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
			if a.t != b.t {
				return a.t - b.t
			}
			return cmp.Or(a.l-b.l, a.peak-b.peak)
		})
		n := len(x.rects)
		for i := range x.rects {
			a := &x.rects[i]
			for j := i + 1; j < len(x.rects) && a.count > 0 && x.rects[j].t <= a.b+mergeGap; j++ {
				// Most lie too far across; one test for both sides spares a branch that is taken at random.
				if b := &x.rects[j]; (a.r+mergeGap-b.l)|(b.r+mergeGap-a.l) >= 0 && b.count > 0 && b.smooth == a.smooth && a.join(b) {
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

func toRegion(q rect, m blockMap, img inspection.LineImage, flat inspection.FlatField) inspection.RegionOfInterest {
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
	roi.PeakX, roi.PeakY = peakPixel(peak%m.nb*blockSize, peak/m.nb*blockSize, roi, img, flat)
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

// peakPixel is the darkest or brightest pixel of the strongest block, the first of several.
func peakPixel(x0, y0 int, q inspection.RegionOfInterest, img inspection.LineImage, flat inspection.FlatField) (px, py int) {
	x1, y1 := min(x0+blockSize, q.X+q.Width), min(y0+blockSize, q.Y+q.Height)
	dark := byte(255)
	if q.Bright {
		dark = 0
	}
	best := 0 // grey value and, below it, how many pixels of the block come behind
	for y := y0; y < y1; y++ {
		for i, v := range img.Row(y)[x0:x1] {
			best = max(best, int(flat.Correct(v, x0+i)^dark)<<8|(255-(y-y0)*blockSize-i))
		}
	}
	at := 255 - best&255
	return x0 + at%blockSize, y0 + at/blockSize
}
