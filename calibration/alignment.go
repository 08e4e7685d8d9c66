package calibration

import (
	"errors"
	"fmt"
	"math"

	"github.com/coilsight/coilsight/inspection"
)

// Alignment is how far one camera's picture lies behind another's.
type Alignment struct {
	Lines  float64 `json:"lines"`  // along: what b shows at line y, a shows at y + Lines
	Pixels float64 `json:"pixels"` // across: what b shows at column x, a shows at x + Pixels
	// Peak is the correlation there, 1 for pictures that are alike; Next is the best one elsewhere.
	Peak float64 `json:"peak"`
	Next float64 `json:"next"`
}

const (
	leastPeak = 0.5
	// leastLead is how far the peak must rise above all others.
	leastLead = 0.05
	// alignCell is the side of the cells that the first search works on, pixels.
	alignCell = 4
)

// Reach is how far two pictures may lie apart.
type Reach struct{ Lines, Pixels int }

// Align finds what two cameras saw of the same strip or target: a is searched for the middle of b, within reach. Both must be of one
// scale and have something on them: a weld, marks, the target.
func Align(a, b inspection.LineImage, reach Reach) (Alignment, error) {
	var out Alignment
	if min(a.Width, b.Width) < 64 || min(a.Height, b.Height) < 64 {
		return out, errors.New("a picture is too small to be aligned; allowed are 64 x 64 pixels and more")
	}
	if most := min(a.Height, b.Height) / 2; reach.Lines < alignCell || reach.Lines > most {
		return out, fmt.Errorf("a reach of %d lines is not possible; allowed are %d to half the pictures' height, %d", reach.Lines, alignCell, most)
	}
	if most := min(a.Width, b.Width) / 2; reach.Pixels < 0 || reach.Pixels > most {
		return out, fmt.Errorf("a reach of %d pixels is not possible; allowed are 0 to half the pictures' width, %d", reach.Pixels, most)
	}
	coarseA, coarseB := shrink(a, alignCell), shrink(b, alignCell)
	rows, columns := reach.Lines/alignCell+1, (reach.Pixels+alignCell-1)/alignCell
	dy, dx, peaks := search(coarseA, coarseB, 0, 0, rows, columns, 20_000)
	out.Peak = peaks.at(dy, dx)
	for y := -rows; y <= rows; y++ {
		for x := -columns; x <= columns; x++ {
			if max(y-dy, dy-y) > 2 || max(x-dx, dx-x) > 2 {
				out.Next = max(out.Next, peaks.at(y, x))
			}
		}
	}
	if out.Peak < leastPeak || out.Peak-out.Next < leastLead {
		return out, fmt.Errorf("nothing in the two pictures is clearly the same: the best place agrees by %.2f and another by %.2f; lay the target under both, or wait for a weld", out.Peak, out.Next)
	}
	fineA, fineB := shrink(a, 1), shrink(b, 1)
	const around = alignCell + 1
	across := min(around, reach.Pixels)
	fy, fx, fine := search(fineA, fineB, dy*alignCell, dx*alignCell, around, across, 500_000)
	out.Lines, out.Pixels = float64(dy*alignCell+fy), float64(dx*alignCell+fx)
	if max(fy, -fy) < around {
		out.Lines += vertex(fine.at(fy-1, fx), fine.at(fy, fx), fine.at(fy+1, fx))
	}
	if max(fx, -fx) < across {
		out.Pixels += vertex(fine.at(fy, fx-1), fine.at(fy, fx), fine.at(fy, fx+1))
	}
	return out, nil
}

// vertex is where the parabola through three values, one apart, is greatest, from the middle one.
func vertex(a, b, c float64) float64 {
	if d := a - 2*b + c; d < 0 {
		return min(0.5, max(-0.5, (a-c)/(2*d)))
	}
	return 0
}

// plane is a picture in numbers.
type plane struct {
	w, h int
	v    []float64
}

// shrink takes means of cells.
func shrink(m inspection.LineImage, cell int) plane {
	p := plane{w: m.Width / cell, h: m.Height / cell}
	p.v = make([]float64, p.w*p.h)
	for y := range p.h * cell {
		row := m.Row(y)
		out := p.v[y/cell*p.w:][:p.w]
		for x := range p.w * cell {
			out[x/cell] += float64(row[x])
		}
	}
	return p
}

// matches are the correlations of places up to so many rows and columns from the middle.
type matches struct {
	rows, columns int
	r             []float64
}

func (m matches) at(y, x int) float64 { return m.r[(y+m.rows)*(2*m.columns+1)+x+m.columns] }

// search correlates the middle of b with a, moved by up to so many rows and columns from (y0, x0).
func search(a, b plane, y0, x0, rows, columns, points int) (dy, dx int, m matches) {
	m = matches{rows: rows, columns: columns, r: make([]float64, 0, (2*rows+1)*(2*columns+1))}
	best := math.Inf(-1)
	for y := -rows; y <= rows; y++ {
		for x := -columns; x <= columns; x++ {
			r := correlation(a, b, y0+y, x0+x, points)
			m.r = append(m.r, r)
			if r > best {
				best, dy, dx = r, y, x
			}
		}
	}
	return dy, dx, m
}

// correlation of b with a where b is moved by (dy, dx): over what both show, of a large picture so many points.
func correlation(a, b plane, dy, dx, points int) float64 {
	top, bottom := max(0, -dy), min(b.h, a.h-dy)
	left, right := max(0, -dx), min(b.w, a.w-dx)
	if bottom-top < 8 || right-left < 8 {
		return 0
	}
	step := max(1, int(math.Sqrt(float64((bottom-top)*(right-left))/float64(points))))
	var n, sa, sb, saa, sbb, sab float64
	for y := top; y < bottom; y += step {
		for x := left; x < right; x += step {
			p, q := a.v[(y+dy)*a.w+x+dx], b.v[y*b.w+x]
			n, sa, sb, saa, sbb, sab = n+1, sa+p, sb+q, saa+p*p, sbb+q*q, sab+p*q
		}
	}
	va, vb := saa-sa*sa/n, sbb-sb*sb/n
	if va <= 0 || vb <= 0 {
		return 0
	}
	return (sab - sa*sb/n) / math.Sqrt(va*vb)
}
