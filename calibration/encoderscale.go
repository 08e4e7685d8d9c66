package calibration

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// CoilLength is a coil whose length is known from elsewhere: weighed, or measured on another line.
type CoilLength struct {
	Coil   inspection.CoilID       `json:"coil"`
	Counts inspection.EncoderCount `json:"counts"` // between its head and tail end
	Length inspection.MM           `json:"length_mm"`
}

// EncoderScale is the strip length of a count.
type EncoderScale struct {
	MMPerCount inspection.MM `json:"mm_per_count"`
	// Residual is the largest error that it leaves of a coil, in mm of a metre.
	Residual float64 `json:"residual_mm_per_m"`
	Coils    int     `json:"coils"`
	// Configured tells that the scale was not fitted: it is the one of the configuration.
	Configured bool `json:"configured,omitempty"`
}

// mostOff is how far a coil's own scale may lie off the median, as a share: more is a wrong length, or an encoder that slips.
const mostOff = 0.01

// FitEncoderScale fits the scale to two coils or more. It is the median of the coils' own, so that one coil whose length is wrong does not
// move it; more than one in four that do not fit are an error that names the first.
func FitEncoderScale(coils []CoilLength) (EncoderScale, error) {
	var s EncoderScale
	if len(coils) < 2 {
		return s, fmt.Errorf("%d coils of known length are too few; at least 2 are needed, from either end of the speeds and lengths that run", len(coils))
	}
	scales := make([]float64, len(coils))
	for i, c := range coils {
		if c.Counts <= 0 || !(c.Length > 0) {
			return s, fmt.Errorf("coil %s has %d counts and a length of %g mm; both must be more than 0", c.Coil, c.Counts, float64(c.Length))
		}
		scales[i] = float64(c.Length) / float64(c.Counts)
	}
	middle := medianOf(scales)
	if len(coils) == 2 {
		middle = (scales[0] + scales[1]) / 2
	}
	off, first := 0, ""
	for i, v := range scales {
		r := math.Abs(v/middle - 1)
		if r > mostOff {
			if off++; first == "" {
				first = fmt.Sprintf("coil %s would make a count %.5f mm, %.1f %% off the others", coils[i].Coil, v, 100*r)
			}
			continue
		}
		s.Coils++
		s.Residual = max(s.Residual, 1000*r)
	}
	if s.Coils < 2 || 4*off > len(coils) {
		return s, fmt.Errorf("the coils do not agree: %s; allowed is 1 %%: check its length, or whether the encoder slips", first)
	}
	s.MMPerCount = inspection.MM(middle)
	return s, nil
}

// EncoderName stands for the encoder where calibrations are named by their camera.
const EncoderName inspection.CameraID = "encoder"

// KeepEncoderScale keeps the strip length of an encoder count.
func (s Shelf) KeepEncoderScale(by string, at time.Time, f EncoderScale) (Version, error) {
	return s.Keep(EncoderKind, EncoderName, by, at, f, map[string]float64{"most_mm_per_m": f.Residual})
}

// configuration is who made a scale that nobody fitted.
const configuration = "configuration"

// EncoderScale is the scale in force: the newest version. A configured one that is not the last configured is kept as a version first, so
// that whatever was said last holds, and every coil can name what its length rests upon.
func (s Shelf) EncoderScale(configured inspection.MM, at time.Time) (EncoderScale, Version, error) {
	versions, faults := s.List(EncoderName)
	var scale EncoderScale
	var in Version
	for _, v := range versions {
		var k EncoderScale
		if err := json.Unmarshal(v.Values, &k); err != nil {
			faults = append(faults, fmt.Errorf("calibration %s of the encoder cannot be read: %w", v.name(), err))
			continue
		}
		if in.Number == 0 {
			scale, in = k, v
		}
		if k.Configured && k.MMPerCount == configured {
			return scale, in, errors.Join(faults...)
		}
		if k.Configured {
			break
		}
	}
	scale = EncoderScale{MMPerCount: configured, Configured: true}
	in, err := s.KeepEncoderScale(configuration, at, scale)
	return scale, in, errors.Join(append(faults, err)...)
}
