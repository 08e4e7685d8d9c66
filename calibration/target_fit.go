package calibration

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// GeometryFit is a camera's geometry as a picture of the target tells it.
type GeometryFit struct {
	// Curve gives mm across as a polynomial of u, -1 at the picture's left and 1 at its right border; from the target's first bar on.
	Curve      []float64     `json:"curve"`
	MMPerPixel inspection.MM `json:"mm_per_pixel"` // mean
	// OperatorSideRight tells that the target's first bar lies to the right of the others.
	OperatorSideRight bool `json:"operator_side_right"`
	// MMPerLine and Skew, in degrees, are known where the picture shows the bars' ends; else MMPerLine is 0. Skew is how far
	// the scan line is turned against the strip.
	MMPerLine inspection.MM `json:"mm_per_line"`
	Skew      float64       `json:"skew_degrees"`
	Bars      int           `json:"bars"` // that the fit rests on
	RMS       float64       `json:"rms_mm"`
	Most      float64       `json:"most_mm"` // of nine bars in ten, the largest error
	// EdgeSharpness is the share of a bar's contrast that falls on the steepest pixel of its edge; the median. A lens out of focus
	// lowers it.
	EdgeSharpness float64 `json:"edge_sharpness,omitempty"`
}

const (
	leastBars = 12
	// mostResidual in mm: the picture is then no target, or the target is not flat.
	mostResidual = 0.5
	// leastContrast in grey levels between bars and paper.
	leastContrast = 30
	curveDegree   = 3
)

// FitGeometry finds the target in a picture, which it must cross from top to bottom somewhere, and fits the camera's geometry to
// it. Its error says in a sentence what is in the way.
func FitGeometry(m inspection.LineImage, t Target) (GeometryFit, error) {
	var fit GeometryFit
	if m.Width < 64 || m.Height < 16 {
		return fit, fmt.Errorf("a picture of %d x %d pixels is too small for the target; allowed are 64 x 16 and more", m.Width, m.Height)
	}
	from, to := barRows(m)
	if to-from < 16 {
		return fit, errors.New("no target is to be seen: no 16 lines show bars; lay it under the camera, sharp and evenly lit")
	}
	// Where the bars lean, their middle says where they are.
	middle, half := (from+to)/2, max(4, (to-from)/8)
	profile := meanRow(m, middle-half, middle+half)
	bars, contrast := findBars(profile)
	if contrast < leastContrast {
		return fit, fmt.Errorf("the target's contrast is %.0f grey levels; allowed are %d and more: focus the lens, light it evenly", contrast, leastContrast)
	}
	if len(bars) < leastBars {
		return fit, fmt.Errorf("%d bars are to be seen; at least %d are needed: lay the target over the whole width", len(bars), leastBars)
	}
	mirrored, err := number(bars, t)
	if err != nil {
		return fit, err
	}
	fit.OperatorSideRight = mirrored
	if err := fit.across(bars, t, m.Width); err != nil {
		return fit, err
	}
	fit.along(m, bars, from, to)
	fit.EdgeSharpness = edgeSharpness(m, bars, middle)
	return fit, nil
}

// across fits the curve: each bar says with both its edges where it is, so that a threshold that lies too high or too low does not
// matter. Bars that lie off, such as a spot of dirt, weigh little.
func (f *GeometryFit) across(bars []bar, t Target, width int) error {
	wide := t.Wide()
	var u, mm []float64
	half := float64(width) / 2
	for _, b := range bars {
		if !b.placed {
			continue
		}
		// The middle of a bar lies half its width beyond its left edge, on the drive side of it.
		u = append(u, ((b.left+b.right)/2-half)/half)
		mm = append(mm, float64(b.index)*TargetPitch+barWidth(wide[b.index])/2)
	}
	weight := slices.Repeat([]float64{1}, len(u))
	var residual []float64
	for range 12 {
		f.Curve = polyfit(u, mm, weight, min(curveDegree, 1+len(u)/leastBars))
		residual = residual[:0]
		for i := range u {
			residual = append(residual, math.Abs(mm[i]-polynomial(f.Curve, u[i])))
		}
		scale := 4 * max(0.02, 1.5*medianOf(residual))
		for i, r := range residual {
			weight[i] = 0
			if r < scale {
				weight[i] = (1 - r*r/scale/scale) * (1 - r*r/scale/scale)
			}
		}
	}
	square, n := 0.0, 0.0
	for i, r := range residual {
		if weight[i] > 0 {
			square, n = square+r*r, n+1
			f.Bars++
		}
	}
	if f.Bars < leastBars || 2*f.Bars < len(u) {
		return fmt.Errorf("only %d of %d bars lie on a smooth curve; is the target flat, its pages joined at the marks and printed at 100 %%?", f.Bars, len(u))
	}
	f.RMS = math.Sqrt(square / n)
	slices.Sort(residual)
	f.Most = residual[len(residual)*9/10]
	if f.RMS > mostResidual {
		return fmt.Errorf("the bars lie %.2f mm off the fitted curve; allowed are %.1f: is the target flat, and its pages joined at the marks?", f.RMS, mostResidual)
	}
	f.MMPerPixel = inspection.MM(math.Abs(polynomial(f.Curve, 1)-polynomial(f.Curve, -1)) / float64(width))
	return nil
}

// along measures the bars' ends, where the picture shows both: how far apart they are, and how they slope across.
func (f *GeometryFit) along(m inspection.LineImage, bars []bar, from, to int) {
	if from < 8 || to > m.Height-8 {
		return
	}
	var x, top, length []float64
	for _, b := range bars {
		if !b.placed {
			continue
		}
		a, c, ok := ends(m, b, from, to)
		if ok {
			x, top, length = append(x, (b.left+b.right)/2), append(top, a), append(length, c-a)
		}
	}
	if len(x) < leastBars {
		return
	}
	lines := medianOf(length)
	if lines < 16 {
		return
	}
	f.MMPerLine = inspection.MM(TargetLength / lines)
	// Lines a pixel; two fits, the second without what lies off.
	ones := slices.Repeat([]float64{1}, len(x))
	slope := polyfit(x, top, ones, 1)
	for i := range x {
		if math.Abs(top[i]-polynomial(slope, x[i])) > 3 {
			ones[i] = 0
		}
	}
	slope = polyfit(x, top, ones, 1)
	f.Skew = math.Atan(slope[1]*float64(f.MMPerLine)/float64(f.MMPerPixel)) * 180 / math.Pi
}

// ends finds the lines between which a bar is dark, by its columns' mean.
func ends(m inspection.LineImage, b bar, from, to int) (top, bottom float64, ok bool) {
	x0, x1 := int(b.left+b.width()*0.3), int(b.left+b.width()*0.7)+1
	grey := func(y int) float64 {
		sum := 0.0
		for _, v := range m.Row(y)[x0:x1] {
			sum += float64(v)
		}
		return sum / float64(x1-x0)
	}
	reach := max(8, (to-from)/4)
	dark, bright := grey((from+to)/2), 0.0
	for _, y := range []int{max(0, from-reach/2), min(m.Height-1, to+reach/2)} {
		bright = max(bright, grey(y))
	}
	if bright-dark < leastContrast {
		return 0, 0, false
	}
	at := (dark + bright) / 2
	top, bottom = -1, -1
	for y := max(1, from-reach); y < min(m.Height, from+reach); y++ {
		if p, q := grey(y-1), grey(y); p >= at && q < at {
			top = float64(y-1) + (p-at)/(p-q) + 0.5
		}
	}
	for y := min(m.Height-1, to+reach); y > max(1, to-reach); y-- {
		if p, q := grey(y-1), grey(y); p < at && q >= at {
			bottom = float64(y-1) + (at-p)/(q-p) + 0.5
		}
	}
	return top, bottom, top >= 0 && bottom > top
}
