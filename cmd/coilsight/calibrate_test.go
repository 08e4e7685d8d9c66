package main

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/calibration"
)

// picture writes a grey picture.
func picture(t *testing.T, path string, w, h int, grey func(x, y int) uint8) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetGray(x, y, color.Gray{grey(x, y)})
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCalibrationsAreFittedKeptAndListed(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	wide := calibration.TargetFor(1000).Wide()
	target := picture(t, at("target.png"), 2048, 400, func(x, y int) uint8 { // 0.4 mm a pixel from 100 mm on, 0.5 mm a line
		mm := 100 + 0.4*(float64(x)+0.5)
		k := int(mm / calibration.TargetPitch)
		w := calibration.TargetNarrow
		if k < len(wide) && wide[k] {
			w = calibration.TargetWide
		}
		if k < len(wide) && mm-float64(k)*calibration.TargetPitch < w && y >= 80 && y < 280 {
			return 30
		}
		return 200
	})
	white := picture(t, at("white.png"), 512, 64, func(x, _ int) uint8 { return uint8(150 + x/10) })
	dim := picture(t, at("dim.png"), 512, 64, func(x, _ int) uint8 { return uint8(110 + x/14) })
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitDone, "160 bars, 1600 mm", []string{"target", "--width", "1600", "--out", at("target.pdf")}},
		{exitMisused, "a target 9000 mm wide is not possible; allowed are 100 to 2620", []string{"target", "--width", "9000", "--out", at("x.pdf")}},
		{exitDone, "flatfield-1 of camera top: columns are within", []string{"flatfield", "--data", dir, "--camera", "top", "--by", "Kim", white}},
		{exitDone, "flatfield-2 of camera top", []string{"flatfield", "--data", dir, "--camera", "top", "--by", "Lee", white}},
		{exitFailed, "dark reference has grey", []string{"flatfield", "--data", dir, "--camera", "top", "--by", "Kim", "--dark", white, white}},
		{exitDone, "geometry-1 of camera top: 0.4000 mm a pixel", []string{"geometry", "--data", dir, "--camera", "top", "--by", "Kim", target}},
		{exitDone, "0.5000 mm a line", []string{"geometry", "--data", dir, "--camera", "top", "--by", "Kim", target}},
		{exitFailed, "no target is to be seen", []string{"geometry", "--data", dir, "--camera", "top", "--by", "Kim", white}},
		{exitMisused, "by", []string{"geometry", "--data", dir, "--camera", "top", target}},
		{exitDone, "a count is 0.50000 mm by 2 coils", []string{"encoder", "--data", dir, "--by", "Kim", "A1=800000:400000", "A2=600000:300000"}},
		{exitFailed, "the coils do not agree", []string{"encoder", "--data", dir, "--by", "Kim", "A1=800000:400000", "A2=600000:400000"}},
		{exitMisused, `"A1" is not a coil; allowed is COIL=COUNTS:LENGTH_MM`, []string{"encoder", "--data", dir, "--by", "Kim", "A1"}},
		{exitDone, "0.00 lines later and 0.00 pixels", []string{"align", target, target}},
		{exitFailed, "nothing in the two pictures is clearly the same", []string{"align", "--reach", "20", white, white}},
		{exitDone, "as it was", []string{"check", "--data", dir, "--camera", "top", "--white", white, "--target", target}},
		{exitFailed, "camera top has changed since it was calibrated: grey", []string{"check", "--data", dir, "--camera", "top", "--white", dim}},
		{exitFailed, "camera side has no flatfield to compare with", []string{"check", "--data", dir, "--camera", "side", "--white", dim}},
		{exitMisused, "needs --white, --target or both", []string{"check", "--data", dir, "--camera", "top"}},
		{exitDone, "geometry   2", []string{"list", "--data", dir, "--camera", "top"}},
		{exitDone, "Lee", []string{"list", "--data", dir, "--camera", "top"}},
		{exitDone, "most_mm_per_m", []string{"list", "--data", dir, "--camera", "encoder", "--json"}},
		{exitMisused, "calibrate needs target", nil},
	} {
		code, out, errs := command(t, append([]string{"calibrate"}, c.args...)...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("calibrate %v gives %d and\n%s%s\nwant %d and %q", c.args, code, out, errs, c.code, c.want)
		}
	}
}
