package calibration

import (
	"errors"
	"fmt"
	"math"

	"github.com/coilsight/coilsight/inspection"
)

// Scale is how many mm a pixel of the camera's picture shows in its middle, the mean of both ways.
func (v *AreaView) Scale() (float64, error) {
	x, y := float64(v.Width-1)/2, float64(v.Height-1)/2
	a0, b0, ok0 := v.Place(x-0.5, y)
	a1, b1, ok1 := v.Place(x+0.5, y)
	a2, b2, ok2 := v.Place(x, y-0.5)
	a3, b3, ok3 := v.Place(x, y+0.5)
	if !ok0 || !ok1 || !ok2 || !ok3 {
		return 0, errors.New("the middle of the picture shows nothing of the plane")
	}
	return math.Sqrt(math.Abs((a1-a0)*(b3-b2) - (a3-a2)*(b1-b0))), nil
}

// Framed chooses the largest rectangle of the plane that the camera sees wholly, as a picture of mmPerPixel both ways; 0 stands for
// what the camera sees in its middle, rounded to two digits. Its error says in a sentence why there is none.
func (a Area) Framed(mmPerPixel inspection.MM) (Area, error) {
	a.MMPerPixel, a.Columns, a.Rows = 0, 0, 0
	v, err := a.View()
	if err != nil {
		return a, err
	}
	scale, err := v.Scale()
	if err != nil {
		return a, err
	}
	mm := float64(mmPerPixel)
	if mm == 0 {
		digit := math.Pow(10, math.Floor(math.Log10(scale))-1)
		mm = math.Round(math.Round(scale/digit)*digit*1e6) / 1e6
	}
	if !(mm >= 0.01 && mm <= 10) || mm > mostStep*scale || mm < scale/4 {
		return a, fmt.Errorf("%.4g mm a pixel are not possible where the camera sees %.3g mm a pixel; allowed are %.3g to %.3g, within 0.01 to 10", mm, scale, scale/4, mostStep*scale)
	}
	left, top, columns, rows, err := v.bounds(mm)
	if err != nil {
		return a, err
	}
	r, coarse := v.largest(mm, left, top, columns, rows)
	if r.columns < leastColumns || r.rows < leastRows {
		return a, fmt.Errorf("the largest rectangle that the camera sees is %d x %d pixels of %.4g mm; allowed are %d x %d and more", r.columns, r.rows, mm, leastColumns, leastRows)
	}
	if coarse > mostStep {
		return a, fmt.Errorf("%.4g mm a pixel would skip pixels where the camera sees the strip finest: they lie %.2f of its pixels apart; allowed are %g: take %.3g mm a pixel or less", mm, coarse, mostStep, mm*mostStep/coarse)
	}
	a.MMPerPixel, a.Columns, a.Rows = inspection.MM(mm), r.columns, r.rows
	a.First, a.Top = inspection.MM(left+mm*float64(r.x)), inspection.MM(top+mm*float64(r.y))
	return a, a.Check()
}

// bounds is the part of the plane that can be seen at all, in pixels of mm.
func (v *AreaView) bounds(mm float64) (left, top float64, columns, rows int, err error) {
	const parts = 96
	left, top = math.Inf(1), math.Inf(1)
	right, bottom := math.Inf(-1), math.Inf(-1)
	for j := range parts + 1 {
		for i := range parts + 1 {
			x, y := float64(i)*float64(v.Width-1)/parts, float64(j)*float64(v.Height-1)/parts
			across, along, ok := v.Place(x, y)
			if !ok || !v.fine(across, along, mm) {
				continue
			}
			left, right = min(left, across), max(right, across)
			top, bottom = min(top, along), max(bottom, along)
		}
	}
	if !(right > left && bottom > top) {
		return 0, 0, 0, 0, errors.New("the camera sees the strip too flat from the side: no part of its picture shows it finely enough")
	}
	w, h := (right-left)/mm+2, (bottom-top)/mm+2
	if w*h > mostPixels || w > mostColumns {
		return 0, 0, 0, 0, fmt.Errorf("what the camera sees is %.0f x %.0f pixels of %.4g mm; allowed are %d: take more mm a pixel", w, h, mm, mostPixels)
	}
	return left - mm/2, top - mm/2, int(w), int(h), nil
}

// fine tells that neighbours at a place are not too near each other in the camera's picture.
func (v *AreaView) fine(across, along, mm float64) bool {
	x, y, ok := v.Pixel(across, along)
	x1, y1, ok1 := v.Pixel(across+mm, along)
	x2, y2, ok2 := v.Pixel(across, along+mm)
	return ok && ok1 && ok2 && math.Hypot(x1-x, y1-y) >= leastStep && math.Hypot(x2-x, y2-y) >= leastStep
}

// region is a rectangle of pixels.
type region struct{ x, y, columns, rows int }

// largest finds the rectangle with the most pixels of which the camera sees each one, and how far apart neighbours in it lie at most
// in the camera's picture.
func (v *AreaView) largest(mm, left, top float64, columns, rows int) (best region, coarse float64) {
	type place struct {
		x, y float64
		seen bool
	}
	at := func(c, r int) (p place) {
		p.x, p.y, p.seen = v.Pixel(left+mm*(float64(c)+0.5), top+mm*(float64(r)+0.5))
		p.seen = p.seen && p.x >= 0 && p.y >= 0 && p.x <= float64(v.Width-1) && p.y <= float64(v.Height-1)
		return p
	}
	above, row := make([]place, columns), make([]place, columns)
	height := make([]int, columns+1) // of the seen pixels above, with a 0 behind the last
	var open []int                   // columns whose rectangles still grow to the right, lower ones first
	for r := range rows {
		for c := range columns {
			p := at(c, r)
			// A rectangle's neighbours lie far enough apart: else the strip is seen too flat there.
			if p.seen && c > 0 && row[c-1].seen && math.Hypot(p.x-row[c-1].x, p.y-row[c-1].y) < leastStep {
				p.seen = false
			}
			if p.seen && r > 0 && above[c].seen && math.Hypot(p.x-above[c].x, p.y-above[c].y) < leastStep {
				p.seen = false
			}
			row[c] = p
			if p.seen {
				height[c]++
			} else {
				height[c] = 0
			}
		}
		open = open[:0]
		for c := 0; c <= columns; c++ {
			for len(open) > 0 && height[open[len(open)-1]] >= height[c] {
				h := height[open[len(open)-1]]
				open = open[:len(open)-1]
				from := 0
				if len(open) > 0 {
					from = open[len(open)-1] + 1
				}
				if (c-from)*h > best.columns*best.rows {
					best = region{from, r - h + 1, c - from, h}
				}
			}
			open = append(open, c)
		}
		above, row = row, above
	}
	// The coarsest place lies anywhere: distortion bends as it likes.
	const step = 8
	for r := best.y; r < best.y+best.rows-1; r += step {
		for c := best.x; c < best.x+best.columns-1; c += step {
			p, q, s := at(c, r), at(c+1, r), at(c, r+1)
			coarse = max(coarse, math.Hypot(q.x-p.x, q.y-p.y), math.Hypot(s.x-p.x, s.y-p.y))
		}
	}
	return best, coarse
}

// Rectifier turns an area camera's pictures into those of which columns and lines are equal millimetres. It is read by any number
// of goroutines.
type Rectifier struct {
	width, height int // of the camera's pictures
	columns, rows int
	// from is the upper left one of the four pixels that each pixel comes from; right and below are how far it lies beyond it,
	// in parts of weightOne.
	from         []uint32
	right, below []uint8
}

// weightOne stands for a whole pixel: 1/128 of a pixel is a hundredth of what corners are found to.
const (
	weightBits = 7
	weightOne  = 1 << weightBits
)

// NewRectifier makes the table of a framed area: six bytes a pixel.
func NewRectifier(a Area) (*Rectifier, error) {
	v, err := a.View()
	if err != nil {
		return nil, err
	}
	if a.Columns < leastColumns || a.Rows < leastRows || a.MMPerPixel == 0 {
		return nil, fmt.Errorf("a rectified picture of %d x %d pixels is not possible; allowed are %d x %d and more", a.Columns, a.Rows, leastColumns, leastRows)
	}
	n := a.Columns * a.Rows
	r := &Rectifier{width: a.Width, height: a.Height, columns: a.Columns, rows: a.Rows, from: make([]uint32, n), right: make([]uint8, n), below: make([]uint8, n)}
	const slack = 1e-3 // pixels: what rounding may do to the border
	for row := range a.Rows {
		for col := range a.Columns {
			x, y, ok := v.Pixel(float64(a.First)+float64(a.MMPerPixel)*(float64(col)+0.5), float64(a.Top)+float64(a.MMPerPixel)*(float64(row)+0.5))
			if !ok || x < -slack || y < -slack || x > float64(a.Width-1)+slack || y > float64(a.Height-1)+slack {
				return nil, fmt.Errorf("column %d of line %d lies outside of the camera's picture; rectify only what it sees", col, row)
			}
			i := row*a.Columns + col
			x, y = max(0, x), max(0, y)
			x0, y0 := min(int(x), a.Width-2), min(int(y), a.Height-2)
			r.from[i] = uint32(y0*a.Width + x0)
			r.right[i] = uint8(min(weightOne, math.Round((x-float64(x0))*weightOne)))
			r.below[i] = uint8(min(weightOne, math.Round((y-float64(y0))*weightOne)))
		}
	}
	return r, nil
}

// Size is the rectified picture's, in pixels.
func (r *Rectifier) Size() (columns, rows int) { return r.columns, r.rows }

// Rectify writes the rectified picture of src, a picture of the camera's own size without gaps between its lines, into dst, which
// has the rectified size. It allocates nothing.
func (r *Rectifier) Rectify(dst, src inspection.LineImage) error {
	switch {
	case src.Width != r.width || src.Height != r.height || src.Stride != r.width || len(src.Pix) < r.width*r.height:
		return fmt.Errorf("a picture of %d x %d pixels cannot be rectified by a fit to pictures of %d x %d", src.Width, src.Height, r.width, r.height)
	case dst.Width != r.columns || dst.Height != r.rows || dst.Stride < r.columns || len(dst.Pix) < (r.rows-1)*dst.Stride+r.columns:
		return fmt.Errorf("a rectified picture of %d x %d pixels does not fit into one of %d x %d", r.columns, r.rows, dst.Width, dst.Height)
	}
	pix, w := src.Pix, r.width
	for y := range r.rows {
		out := dst.Pix[y*dst.Stride:][:r.columns]
		from, right, below := r.from[y*r.columns:][:len(out)], r.right[y*r.columns:][:len(out)], r.below[y*r.columns:][:len(out)]
		for i := range out {
			o, fx, fy := int(from[i]), uint32(right[i]), uint32(below[i])
			upper, lower := pix[o:o+2:o+2], pix[o+w:o+w+2:o+w+2]
			u := uint32(upper[0])*(weightOne-fx) + uint32(upper[1])*fx
			l := uint32(lower[0])*(weightOne-fx) + uint32(lower[1])*fx
			out[i] = byte((u*(weightOne-fy) + l*fy + 1<<(2*weightBits-1)) >> (2 * weightBits))
		}
	}
	return nil
}
