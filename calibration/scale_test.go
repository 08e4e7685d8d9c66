package calibration_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
)

func TestEncoderScaleIsThatOfMostCoils(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var coils []calibration.CoilLength
	for i := range 8 {
		length := 400_000 + 600_000*r.Float64()
		coils = append(coils, calibration.CoilLength{Coil: inspection.CoilID(rune('A' + i)), Counts: inspection.EncoderCount(length / 0.4987), Length: inspection.MM(length * (1 + 0.0004*r.NormFloat64()))})
	}
	coils[3].Length *= 1.2 // mistyped
	s, err := calibration.FitEncoderScale(coils)
	if err != nil || math.Abs(float64(s.MMPerCount)/0.4987-1) > 0.0005 || s.Coils != 7 || s.Residual > 2 {
		t.Errorf("%+v, %v; want 0.4987 mm a count of 7 coils", s, err)
	}
	for want, coils := range map[string][]calibration.CoilLength{
		"1 coils of known length are too few": coils[:1],
		"coil D would make a count":           {coils[0], coils[1], coils[3]},
		"coil X has 0 counts":                 {coils[0], {Coil: "X", Length: 5}},
	} {
		if _, err := calibration.FitEncoderScale(coils); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want an error that says %q", err, want)
		}
	}
}

// seen is strip with marks, from a place on, with noise of its own.
func seen(r *rand.Rand, marks [][3]float64, x0, y0 float64, noise float64) inspection.LineImage {
	m := inspection.LineImage{Pix: make([]byte, 512*256), Width: 512, Height: 256, Stride: 512}
	for y := range m.Height {
		for x := range m.Width {
			v := 120.0
			for _, k := range marks {
				d := math.Hypot(float64(x)+x0-k[0], float64(y)+y0-k[1])
				v -= 70 * math.Exp(-d*d/(2*k[2]*k[2]))
			}
			m.Pix[y*512+x] = byte(min(255, max(0, v+noise*r.NormFloat64())))
		}
	}
	return m
}

func TestPicturesOfOneStripAreAligned(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	worst := 0.0
	for range 10 {
		var marks [][3]float64
		for range 25 {
			marks = append(marks, [3]float64{700 * r.Float64(), 400 * r.Float64(), 4 + 8*r.Float64()})
		}
		dx, dy := 60*(r.Float64()-0.5)+40, 60*(r.Float64()-0.5)+40
		got, err := calibration.Align(seen(r, marks, 40, 40, 4), seen(r, marks, dx, dy, 4), calibration.Reach{Lines: 80, Pixels: 80})
		if err != nil {
			t.Fatal(err)
		}
		// What b shows at x is at x + dx on the strip; a shows that at x + dx - 40.
		worst = max(worst, math.Abs(got.Pixels-(dx-40)), math.Abs(got.Lines-(dy-40)))
	}
	t.Logf("aligned within %.2f pixels", worst)
	if worst > 0.3 {
		t.Errorf("off by %.2f pixels; allowed are 0.3", worst)
	}
}

func TestPicturesThatShowNothingInCommonAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	plain := seen(r, nil, 0, 0, 4)
	if _, err := calibration.Align(plain, seen(r, nil, 0, 0, 4), calibration.Reach{Lines: 40, Pixels: 40}); err == nil || !strings.Contains(err.Error(), "nothing in the two pictures is clearly the same") {
		t.Errorf("plain strip gives %v", err)
	}
	if _, err := calibration.Align(plain, plain, calibration.Reach{Lines: 5000}); err == nil || !strings.Contains(err.Error(), "a reach of 5000 lines is not possible") {
		t.Errorf("a reach beyond the picture gives %v", err)
	}
}
