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

// FlatField is what evens out a camera's columns.
type FlatField struct {
	Gain inspection.ColumnGain `json:"gain"` // a factor each column, UnityGain is one
	// Offset is what each column reads without light, in grey levels; absent where that was not looked at.
	Offset Offsets `json:"offset,omitempty"`
	// Grey is what the median column read of the reference, and Uneven how far apart 98 % of the columns stay after the
	// correction, in percent of it.
	Grey   float64 `json:"grey"`
	Uneven float64 `json:"uneven_percent"`
	// Dark is what the median column reads without light, in grey levels; 0 where that was not looked at.
	Dark float64 `json:"dark"`
}

// Offsets are grey levels, which JSON would write as text.
type Offsets []uint16

// Corrects is what the detector corrects with.
func (f FlatField) Corrects() inspection.FlatField {
	out := inspection.FlatField{Gain: f.Gain}
	if f.Offset != nil {
		out.Offset = make([]uint8, len(f.Offset))
		for x, v := range f.Offset {
			out.Offset[x] = uint8(min(255, v))
		}
	}
	return out
}

// darkest is the most that a camera's median column may read without light, and darkestColumn that of any: more costs the range of grey
// that a defect shows in. A camera has a setting for it.
const (
	darkest       = 16.0
	darkestColumn = 48.0
)

// MeasureFlatField fits a flat field to pictures of an evenly white (or grey) target and, where dark has pixels, without light: what a
// column reads then is taken off before it is multiplied.
func MeasureFlatField(white, dark inspection.LineImage) (FlatField, error) {
	var f FlatField
	if len(dark.Pix) > 0 {
		if dark.Width != white.Width {
			return f, fmt.Errorf("dark reference is %d pixels wide and the white one %d; both must come from the same camera", dark.Width, white.Width)
		}
		var err error
		if f.Offset, f.Dark, err = offsets(dark); err != nil {
			return FlatField{}, err
		}
	}
	var err error
	if f.Gain, err = fitGain(white, f.Offset); err != nil {
		return FlatField{}, err
	}
	greys := columnGreys(white)
	f.Grey = medianOf(greys)
	after := f.after(greys)
	slices.Sort(after)
	f.Uneven = 100 * (after[len(after)*99/100] - after[len(after)/100]) / f.Grey
	return f, nil
}

// MeasureDark is the median column's grey of a picture without light; an error where there is light in it.
func MeasureDark(m inspection.LineImage) (float64, error) {
	_, dark, err := offsets(m)
	return dark, err
}

// offsets are what each column reads without light.
func offsets(m inspection.LineImage) (Offsets, float64, error) {
	greys := columnGreys(m)
	dark := medianOf(greys)
	if dark > darkest {
		return nil, dark, fmt.Errorf("dark reference has grey %.1f; allowed are 0 to %.0f: cover the lens and put the lamp out, or lower the camera's BlackLevel", dark, darkest)
	}
	out := make(Offsets, len(greys))
	for x, g := range greys {
		if g > darkestColumn {
			return nil, dark, fmt.Errorf("dark reference: column %d has grey %.0f; allowed are 0 to %.0f: light falls in there, or the column is broken", x, g, darkestColumn)
		}
		out[x] = uint16(math.Round(g))
	}
	return out, dark, nil
}

// after is what columns of these greys have after the correction.
func (f FlatField) after(greys []float64) []float64 {
	out := make([]float64, len(greys))
	for x, g := range greys {
		if f.Offset != nil {
			g -= float64(f.Offset[x])
		}
		out[x] = max(0, g) * float64(f.Gain[x]) / inspection.UnityGain
	}
	return out
}

// columnGreys is the grey value of each column, deaf to dust.
func columnGreys(m inspection.LineImage) []float64 {
	greys := make([]float64, m.Width)
	column := make([]byte, m.Height)
	for x := range greys {
		for y := range column {
			column[y] = m.Row(y)[x]
		}
		greys[x] = middleMean(column)
	}
	return greys
}

func medianOf(v []float64) float64 {
	sorted := slices.Sorted(slices.Values(v))
	return sorted[len(sorted)/2]
}

// FitFlatField finds each column's gain from a picture of an evenly white (or grey) target, so that every
// column answers as the median column does. A column's value is the median of its lines, so that dust or
// a scratch on the target does not enter.
func FitFlatField(white inspection.LineImage) (inspection.ColumnGain, error) {
	return fitGain(white, nil)
}

// fitGain fits the gain of columns from which offset, where there is one, is taken off before.
func fitGain(white inspection.LineImage, offset Offsets) (inspection.ColumnGain, error) {
	if white.Width < 1 || white.Height < 1 {
		return nil, fmt.Errorf("white reference of %d x %d pixels is empty; it needs at least one line", white.Width, white.Height)
	}
	means := columnGreys(white)
	target := medianOf(means)
	if target < darkestReference {
		return nil, fmt.Errorf("white reference is too dark: its median grey is %.0f; allowed are %.0f to %.0f: open the aperture or lengthen the exposure", target, darkestReference, brightestReference)
	}
	gain := make(inspection.ColumnGain, white.Width)
	for x, m := range means {
		if m > brightestReference {
			return nil, fmt.Errorf("white reference is overexposed: column %d has grey %.0f; allowed are %.0f to %.0f: close the aperture or shorten the exposure", x, m, darkestReference, brightestReference)
		}
		if offset != nil {
			m -= float64(offset[x])
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
