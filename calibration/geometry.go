// Package calibration turns what a camera delivers into what the strip is: grey values that do not depend
// on the lamp, and millimetres instead of pixels and encoder counts.
package calibration

import (
	"fmt"

	"github.com/coilsight/coilsight/inspection"
)

// Geometry places one camera's pixels on the strip.
type Geometry struct {
	MMPerPixel inspection.MM // across
	MMPerCount inspection.MM // along, a count of the encoder
	// OperatorSideRight says that the operator-side edge is at the right of the picture, as for a
	// camera that looks at the bottom side from below.
	OperatorSideRight bool
	// Position is where the picture's first column lies across the line, in mm from a place that the cameras of a side have
	// in common, the more the nearer it is to the drive side.
	Position inspection.MM
	// Curve, where it is not empty, takes the place of all of these but MMPerCount: mm across as a polynomial of u, which is -1 at
	// the left border of a picture of Width pixels and 1 at its right.
	Curve []float64
	Width int
}

// Check reports the first value that is not possible.
func (g Geometry) Check() error {
	if !(g.MMPerPixel >= 0.01 && g.MMPerPixel <= 10) {
		return &inspection.FieldError{Field: "mm_per_pixel", Reason: fmt.Sprintf("%g mm is not possible; allowed are 0.01 to 10", float64(g.MMPerPixel))}
	}
	if !(g.MMPerCount >= 0.001 && g.MMPerCount <= 100) {
		return &inspection.FieldError{Field: "mm_per_count", Reason: fmt.Sprintf("%g mm is not possible; allowed are 0.001 to 100", float64(g.MMPerCount))}
	}
	if len(g.Curve) > 0 && !g.monotonic() {
		return &inspection.FieldError{Field: "curve", Reason: "turns back, or is of no width; places across must grow or fall from column to column"}
	}
	return nil
}

// monotonic tells whether the curve grows, or falls, from column to column.
func (g Geometry) monotonic() bool {
	if g.Width < 2 {
		return false
	}
	rising := g.Across(float64(g.Width)) > g.Across(0)
	for x := 1; x <= g.Width; x++ {
		if a, b := g.Across(float64(x-1)), g.Across(float64(x)); a == b || (b > a) != rising {
			return false
		}
	}
	return true
}

// Length is the strip length that n encoder counts make.
func (g Geometry) Length(n inspection.EncoderCount) inspection.MM {
	return inspection.MM(n) * g.MMPerCount
}

// Across is where a pixel lies across the line, in mm from where Position counts from.
func (g Geometry) Across(x float64) inspection.MM {
	if len(g.Curve) > 0 {
		half := float64(g.Width) / 2
		return inspection.MM(polynomial(g.Curve, (x-half)/half))
	}
	if g.OperatorSideRight {
		return g.Position - inspection.MM(x)*g.MMPerPixel
	}
	return g.Position + inspection.MM(x)*g.MMPerPixel
}
