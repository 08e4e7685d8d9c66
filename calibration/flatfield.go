package calibration

import (
	"fmt"
	"math"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// Limits of a white reference. Below the first, noise would be amplified into defects; a column above the
// second may be cut off at 255, and its gain would be a guess.
const (
	darkestReference   = 25.0
	brightestReference = 250.0
	// mostGain is the largest correction of a column; a column that needs more is dirty or dead.
	mostGain = 4.0
)

// FitFlatField finds each column's gain from a picture of an evenly white (or grey) target, so that every
// column answers as the median column does. A column's value is the median of its lines, so that dust or
// a scratch on the target does not enter.
func FitFlatField(white inspection.LineImage) (inspection.ColumnGain, error) {
	if white.Width < 1 || white.Height < 1 {
		return nil, fmt.Errorf("white reference of %d x %d pixels is empty; it needs at least one line", white.Width, white.Height)
	}
	means := make([]float64, white.Width)
	column := make([]byte, white.Height)
	for x := range means {
		for y := range column {
			column[y] = white.Row(y)[x]
		}
		means[x] = middleMean(column)
	}
	sorted := slices.Sorted(slices.Values(means))
	target := sorted[len(sorted)/2]
	if target < darkestReference {
		return nil, fmt.Errorf("white reference is too dark: its median grey is %.0f; allowed are %.0f to %.0f: open the aperture or lengthen the exposure", target, darkestReference, brightestReference)
	}
	gain := make(inspection.ColumnGain, white.Width)
	for x, m := range means {
		if m > brightestReference {
			return nil, fmt.Errorf("white reference is overexposed: column %d has grey %.0f; allowed are %.0f to %.0f: close the aperture or shorten the exposure", x, m, darkestReference, brightestReference)
		}
		g := target / max(m, 1)
		if g > mostGain-1.0/inspection.UnityGain { // the factor must fit 16 bits when rounded
			return nil, fmt.Errorf("white reference is uneven: column %d has grey %.0f where the median is %.0f; a column may be at most %g times darker: clean the window or check the lamp", x, m, target, mostGain)
		}
		gain[x] = uint16(math.Round(g * inspection.UnityGain))
	}
	return gain, nil
}

// middleMean is the mean of the middle half of the values: steadier than the median in steps of one grey
// level, and as deaf to outliers. It sorts v.
func middleMean(v []byte) float64 {
	slices.Sort(v)
	from, to := len(v)/4, len(v)-len(v)/4
	sum := 0
	for _, b := range v[from:to] {
		sum += int(b)
	}
	return float64(sum) / float64(to-from)
}
