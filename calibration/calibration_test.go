package calibration_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
)

func reference(width, height int, grey func(x, y int) byte) inspection.LineImage {
	m := inspection.LineImage{Pix: make([]byte, width*height), Width: width, Height: height, Stride: width}
	for y := range height {
		for x := range width {
			m.Pix[y*width+x] = grey(x, y)
		}
	}
	return m
}

func TestFlatFieldEvensOutTheLampInSpiteOfAScratch(t *testing.T) {
	lamp := func(x int) float64 { return 140 + 60*math.Sin(float64(x)/40) }
	white := reference(200, 64, func(x, y int) byte {
		if y < 10 {
			return 255 // a bright stripe on the target
		}
		return byte(math.Round(lamp(x)))
	})
	gain, err := calibration.FitFlatField(white)
	if err != nil {
		t.Fatal(err)
	}
	least, most := uint32(255), uint32(0)
	for x, g := range gain {
		p := uint32(white.Row(30)[x])
		grey := (p*uint32(g) + inspection.UnityGain/2) / inspection.UnityGain
		least, most = min(least, grey), max(most, grey)
	}
	if most-least > 1 {
		t.Fatalf("after correction the columns lie between %d and %d; want them equal to one grey level", least, most)
	}
}

func TestUnusableWhiteReferenceIsRefusedWithItsReason(t *testing.T) {
	for name, c := range map[string]struct {
		grey func(x, y int) byte
		want string
	}{
		"dark":   {func(int, int) byte { return 10 }, "too dark"},
		"bright": {func(x, _ int) byte { return byte(200 + 55*(x/63)) }, "overexposed"},
		"a dirty column": {func(x, _ int) byte {
			if x == 7 {
				return 20
			}
			return 180
		}, "column 7"},
	} {
		_, err := calibration.FitFlatField(reference(64, 16, c.grey))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v; want an error that says %q", name, err, c.want)
		}
	}
	if _, err := calibration.FitFlatField(inspection.LineImage{}); err == nil {
		t.Error("an empty reference is accepted")
	}
}

func TestAcrossGrowsTowardsTheDriveSide(t *testing.T) {
	left := calibration.Geometry{MMPerPixel: 0.5, MMPerCount: 0.5, Position: 20}
	right := left
	right.OperatorSideRight = true
	if at := left.Across(110); at != 75 {
		t.Errorf("operator side left: pixel 110 lies at %v; want 75", at)
	}
	if at := right.Across(110); at != -35 {
		t.Errorf("operator side right: pixel 110 lies at %v; want -35", at)
	}
}

func TestImpossibleScaleIsNamed(t *testing.T) {
	var field *inspection.FieldError
	if err := (calibration.Geometry{MMPerPixel: 0, MMPerCount: 1}).Check(); !errors.As(err, &field) || field.Field != "mm_per_pixel" {
		t.Errorf("got %v", err)
	}
	if err := (calibration.Geometry{MMPerPixel: 1, MMPerCount: inspection.MM(math.NaN())}).Check(); !errors.As(err, &field) || field.Field != "mm_per_count" {
		t.Errorf("got %v", err)
	}
	if err := (calibration.Geometry{MMPerPixel: 0.5, MMPerCount: 0.5}).Check(); err != nil {
		t.Error(err)
	}
}

func TestDarkReferenceIsTakenOffColumnByColumn(t *testing.T) {
	dark := func(x int) int { return 3 + x%5 }
	lamp := func(x int) float64 { return 150 + 40*math.Sin(float64(x)/30) }
	at := func(x int, share float64) byte { return byte(math.Round(float64(dark(x)) + share*lamp(x))) }
	f, err := calibration.MeasureFlatField(
		reference(256, 64, func(x, _ int) byte { return at(x, 1) }), reference(256, 64, func(x, _ int) byte { return byte(dark(x)) }),
	)
	if err != nil {
		t.Fatal(err)
	}
	// Strip that is a quarter as bright as the target comes out even too, which gains alone cannot do.
	flat := f.Corrects()
	least, most := byte(255), byte(0)
	for x := range 256 {
		v := flat.Correct(at(x, 0.25), x)
		least, most = min(least, v), max(most, v)
	}
	if most-least > 2 || f.Dark < 4 || f.Dark > 6 {
		t.Errorf("a quarter of the light gives %d to %d, dark is %.1f; want it even, and 5", least, most, f.Dark)
	}
	for want, m := range map[string]inspection.LineImage{
		"dark reference has grey 30.0; allowed are 0 to 16": reference(256, 64, func(int, int) byte { return 30 }),
		"dark reference: column 9 has grey 90": reference(256, 64, func(x, _ int) byte {
			if x == 9 {
				return 90
			}
			return 2
		}),
		"dark reference is 64 pixels wide and the white one 256": reference(64, 64, func(int, int) byte { return 2 }),
	} {
		if _, err := calibration.MeasureFlatField(reference(256, 64, func(x, _ int) byte { return at(x, 1) }), m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want an error that says %q", err, want)
		}
	}
}
