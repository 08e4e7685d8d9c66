package mill

import (
	"math"

	"github.com/coilsight/coilsight/inspection"
)

// nominal is the size in mm of the pixel in which shapes are written down; it is that of the pictures
// they were modelled on as far as their terms tell.
const nominal = 0.5

// shape is how a defect changes the light that comes back: at gives the factor at a point of a box of
// w x h nominal pixels, 1 being ordinary strip. Rolling direction is down.
type shape struct {
	w, h float64
	at   func(x, y float64) float64
	edge bool // the left side of the box hangs on a strip edge
}

// edgeOverlap is how far, in nominal pixels, an edge shape's box reaches out over the edge, so that
// the edge's roughness leaves no bridge.
const edgeOverlap = 4

// size is the box in pixels and lines.
func (s shape) size(o Options) (w, h int) {
	return max(1, int(math.Ceil(s.w*nominal/float64(o.MMPerPixel)))), max(1, int(math.Ceil(s.h*nominal/float64(o.MMPerCount))))
}

func (s shape) outside(o Options) int {
	return int(math.Round(edgeOverlap * nominal / float64(o.MMPerPixel)))
}

// stamp is a shape in pixels: factors in 1/256.
type stamp struct {
	w, h int
	pix  []uint16
}

func (s shape) stamp(o Options, contrast float64, mirrored bool) *stamp {
	t := &stamp{}
	t.w, t.h = s.size(o)
	t.pix = make([]uint16, t.w*t.h)
	sx, sy := float64(o.MMPerPixel)/nominal, float64(o.MMPerCount)/nominal
	for y := range t.h {
		row := t.pix[y*t.w : (y+1)*t.w]
		for x := range row {
			px := x
			if mirrored {
				px = t.w - 1 - x
			}
			f := 1 + (s.at((float64(px)+0.5)*sx, (float64(y)+0.5)*sy)-1)*contrast
			row[x] = uint16(math.Round(256 * min(8, max(0.02, f))))
		}
	}
	return t
}

// visible is the deviation from ordinary strip, in 1/256, from which a pixel counts as part of a
// defect: 8 %, well over what the grain of a quiet strip does.
const visible = 20

// bounds is the least box around the stamp's visible pixels; ok is false where there are none.
func (t *stamp) bounds() (x0, y0, x1, y1 int, ok bool) {
	x0, y0 = t.w, t.h
	for y := range t.h {
		for x, f := range t.pix[y*t.w : (y+1)*t.w] {
			if v := int(f) - 256; v >= visible || v <= -visible {
				x0, x1 = min(x0, x), max(x1, x+1)
				y0, y1 = min(y0, y), max(y1, y+1)
			}
		}
	}
	return x0, y0, x1, y1, x1 > x0
}

// press lays row y of the stamp over a scan line, its left side at pixel x, within [left, right).
func (t *stamp) press(line []byte, x, y, left, right int) {
	from, to := max(left, x), min(right, x+t.w)
	if from >= to {
		return
	}
	factors := t.pix[y*t.w+from-x : y*t.w+to-x]
	for i, p := range line[from:to] {
		line[from+i] = byte(min(255, (uint32(p)*uint32(factors[i])+128)>>8))
	}
}

// SeededDefect is what the mill put on the strip. Tests compare it with what was found.
type SeededDefect struct {
	Class    inspection.DefectClass
	Side     inspection.Side
	Rect     inspection.StripRect // around its visible pixels
	Contrast float64              // 1 is the class's usual one
	Run      int                  // marks of one roll share a number from 1; 0 for a single defect
}

// truth is the defect in mm; ok is false where nothing of it can be seen.
func (d placed) truth(o Options) (SeededDefect, bool) {
	t := newShape(d.class, d.seed).stamp(o, d.contrast, d.drive)
	x0, y0, x1, y1, ok := t.bounds()
	x0 = max(x0, -d.u) // what hangs over the edge is not on the strip
	return SeededDefect{
		Class: d.class, Side: d.side, Contrast: d.contrast, Run: d.run,
		Rect: inspection.StripRect{
			Along:  inspection.MM(d.line+int64(y0)) * o.MMPerCount,
			Across: inspection.MM(d.u+x0) * o.MMPerPixel,
			Length: inspection.MM(y1-y0) * o.MMPerCount,
			Width:  inspection.MM(x1-x0) * o.MMPerPixel,
		},
	}, ok
}
