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

// bar is a bar of the target in a picture, in pixels.
type bar struct {
	left, right float64
	index       int // in the target
	placed      bool
}

func (b bar) width() float64 { return b.right - b.left }

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

// edgeSharpness looks at the bars' edges on some lines around y.
func edgeSharpness(m inspection.LineImage, bars []bar, y int) float64 {
	const lines, reach = 8, 5
	var shares []float64
	for y := max(0, y-lines/2); y < min(m.Height, y+lines/2); y++ {
		for _, b := range bars {
			for _, edge := range []float64{b.left, b.right} {
				a, z := int(edge)-reach, int(edge)+reach
				if a < 0 || z >= m.Width {
					continue
				}
				row := m.Row(y)[a : z+1]
				low, high, step := row[0], row[0], 0.0
				for i := 1; i < len(row); i++ {
					low, high, step = min(low, row[i]), max(high, row[i]), max(step, difference(row[i-1], row[i]))
				}
				if high-low >= leastContrast {
					shares = append(shares, step/float64(high-low))
				}
			}
		}
	}
	if len(shares) == 0 {
		return 0
	}
	return medianOf(shares)
}

// meanRow is the mean of the lines [from, to).
func meanRow(m inspection.LineImage, from, to int) []float64 {
	from, to = max(0, from), min(m.Height, to)
	out := make([]float64, m.Width)
	for y := from; y < to; y++ {
		for x, v := range m.Row(y) {
			out[x] += float64(v)
		}
	}
	for x := range out {
		out[x] /= float64(to - from)
	}
	return out
}

// barRows finds the lines that cross the bars: the longest run of those that change across like those that change most. Where the
// target is skew, its ends are left out.
func barRows(m inspection.LineImage) (from, to int) {
	const reach = 4 // pixels: a step of the noise does not last
	steps := make([]float64, m.Height)
	for y := range steps {
		row := m.Row(y)
		for x := reach; x < len(row); x++ {
			if d := math.Abs(float64(row[x]) - float64(row[x-reach])); d > leastContrast/2 {
				steps[y] += d
			}
		}
	}
	// Of the lines that change most, a few may show something else: print beside the bars.
	much := slices.Sorted(slices.Values(steps))[len(steps)*9/10]
	if much == 0 {
		return 0, 0
	}
	begun := -1
	for y := 0; y <= len(steps); y++ {
		in := y < len(steps) && steps[y] > 0.7*much
		switch {
		case in && begun < 0:
			begun = y
		case !in && begun >= 0:
			if y-begun > to-from {
				from, to = begun, y
			}
			begun = -1
		}
	}
	return from, to
}

// findBars finds the dark bars of a profile, each edge where the profile crosses the middle between dark and bright there.
func findBars(p []float64) (bars []bar, contrast float64) {
	// Light and dark differ across: the threshold follows them over some bars.
	reach := max(16, len(p)/24)
	low, high := envelope(p, reach)
	contrasts := make([]float64, len(p))
	for x := range p {
		contrasts[x] = high[x] - low[x]
	}
	contrast = medianOf(contrasts)
	var at float64
	inside := false
	for x := 1; x < len(p); x++ {
		a, b := p[x-1]-(low[x-1]+high[x-1])/2, p[x]-(low[x]+high[x])/2
		if contrasts[x] < contrast/2 || (a < 0) == (b < 0) {
			continue
		}
		edge := float64(x-1) + a/(a-b) + 0.5 // a pixel's value stands for its middle
		if b < 0 {
			at, inside = edge, true
		} else if inside {
			bars, inside = append(bars, bar{left: at, right: edge}), false
		}
	}
	return bars, contrast
}

// envelope is the least and the greatest around each place, smoothed.
func envelope(p []float64, reach int) (low, high []float64) {
	low, high = make([]float64, len(p)), make([]float64, len(p))
	for x := range p {
		part := p[max(0, x-reach):min(len(p), x+reach+1)]
		low[x], high[x] = slices.Min(part), slices.Max(part)
	}
	return smooth(low, reach), smooth(high, reach)
}

func smooth(v []float64, reach int) []float64 {
	out := make([]float64, len(v))
	sums := make([]float64, len(v)+1)
	for i, x := range v {
		sums[i+1] = sums[i] + x
	}
	for i := range v {
		a, b := max(0, i-reach), min(len(v), i+reach+1)
		out[i] = (sums[b] - sums[a]) / float64(b-a)
	}
	return out
}

// number finds which bar of the target each one is. It is true where the picture shows them from the last to the first.
func number(bars []bar, t Target) (mirrored bool, err error) {
	pitch := pitchOf(bars)
	best, votes, second := 0, 0, 0
	for _, back := range []bool{false, true} {
		offset, n, next := vote(bars, t, pitch, back)
		if n > votes {
			best, votes, second, mirrored = offset, n, max(votes, next), back
		} else {
			second = max(second, n)
		}
	}
	if votes < 4 || votes < 2*second {
		return false, fmt.Errorf("the bars' widths tell no place on the target (%d runs of bars agree, %d on another place): is it this target, printed at 100 %%, and in focus?", votes, second)
	}
	place := places(bars, pitch)
	for i := range bars {
		k := best + place[i]
		if mirrored {
			k = best - place[i]
		}
		bars[i].index = k
		bars[i].placed = k >= 0 && k < t.Bars
	}
	return mirrored, nil
}

// pitchOf is the distance of neighbouring bars in pixels, by their middles: the median one.
func pitchOf(bars []bar) float64 {
	steps := make([]float64, 0, len(bars))
	for i := 1; i < len(bars); i++ {
		steps = append(steps, bars[i].left-bars[i-1].left)
	}
	return medianOf(steps)
}

// places counts the bars through, those that were not found too.
func places(bars []bar, pitch float64) []int {
	out := make([]int, len(bars))
	for i := 1; i < len(bars); i++ {
		out[i] = out[i-1] + max(1, int(math.Round((bars[i].left-bars[i-1].left)/pitch)))
	}
	return out
}

// vote lets each run of eight bars say at which bar of the target the first one found is; the offset that most runs say wins.
// back tells that the picture shows them from the last to the first: a bar's left edge is then its right one.
func vote(bars []bar, t Target, pitch float64, back bool) (offset, votes, second int) {
	at := map[int]int{} // code -> place of its first bar
	wide := t.Wide()
	for i := 0; i+codeBits <= len(wide); i++ {
		code := 0
		for j := range codeBits {
			code = code<<1 | bit(wide[i+j])
		}
		at[code] = i
	}
	place := places(bars, pitch)
	count := map[int]int{}
	for i := 0; i+codeBits <= len(bars); i++ {
		if place[i+codeBits-1]-place[i] != codeBits-1 {
			continue
		}
		code := 0
		for j := range codeBits {
			b := bars[i+j]
			if back {
				b = bars[i+codeBits-1-j]
			}
			code = code<<1 | bit(b.width()/pitch > (TargetNarrow+TargetWide)/2/TargetPitch)
		}
		first, known := at[code]
		switch {
		case !known:
		case back:
			count[first+codeBits-1+place[i]]++
		default:
			count[first-place[i]]++
		}
	}
	for o, n := range count {
		if n > votes || (n == votes && o < offset) {
			offset, votes, second = o, n, max(second, votes)
		} else {
			second = max(second, n)
		}
	}
	return offset, votes, second
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
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

// polynomial of x with these coefficients, the constant first.
func polynomial(c []float64, x float64) (v float64) {
	for i := len(c) - 1; i >= 0; i-- {
		v = v*x + c[i]
	}
	return v
}

// polyfit is the weighted least-squares polynomial of a degree.
func polyfit(x, y, weight []float64, degree int) []float64 {
	n := degree + 1
	a := make([][]float64, n)
	for i := range a {
		a[i] = make([]float64, n+1)
	}
	for k := range x {
		p := 1.0
		powers := make([]float64, 2*n)
		for i := range powers {
			powers[i] = p
			p *= x[k]
		}
		for i := range n {
			for j := range n {
				a[i][j] += weight[k] * powers[i+j]
			}
			a[i][n] += weight[k] * powers[i] * y[k]
		}
	}
	for i := range n { // Gauss, with the largest pivot
		pivot := i
		for r := i + 1; r < n; r++ {
			if math.Abs(a[r][i]) > math.Abs(a[pivot][i]) {
				pivot = r
			}
		}
		a[i], a[pivot] = a[pivot], a[i]
		if a[i][i] == 0 {
			continue
		}
		for r := range n {
			if r == i {
				continue
			}
			k := a[r][i] / a[i][i]
			for c := i; c <= n; c++ {
				a[r][c] -= k * a[i][c]
			}
		}
	}
	out := make([]float64, n)
	for i := range out {
		if a[i][i] != 0 {
			out[i] = a[i][n] / a[i][i]
		}
	}
	return out
}
