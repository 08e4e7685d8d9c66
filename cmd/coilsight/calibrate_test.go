package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/calibration/scene"
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
		{exitDone, "9 x 6 inner corners, squares of 20 mm", []string{"target", "--checkerboard", "--out", at("board.pdf")}},
		{exitMisused, "a board of 400 x 280 mm does not fit on a page of A4", []string{"target", "--checkerboard", "--square", "40", "--out", at("x.pdf")}},
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

func TestAreaCameraIsFittedKeptAndListed(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(3, 1))
	board := scene.Board(9, 6, 20)
	var paths []string
	for i, v := range [][4]float64{{25, 5, -40, -20}, {-25, 10, -120, -70}, {5, 28, -30, -75}, {-5, -25, -115, -25}, {20, -20, -80, -50}, {2, -1, -80, -50}} {
		c := scene.Camera{
			Width: 640, Height: 480, FX: 900, FY: 900, CX: 322, CY: 238, Distortion: [5]float64{-0.15, 0.03, 3e-4, -2e-4},
			Tilt: v[0], Pan: v[1], Turn: 1, X: v[2], Y: v[3], Z: 420, Blur: 0.6, Noise: 2,
		}
		m := c.Render(r, board)
		paths = append(paths, picture(t, filepath.Join(dir, fmt.Sprintf("%d.png", i)), m.Width, m.Height, func(x, y int) uint8 { return m.Row(y)[x] }))
	}
	white := picture(t, filepath.Join(dir, "white.png"), 640, 480, func(_, _ int) uint8 { return 180 })
	area := func(args ...string) []string {
		return append([]string{"area", "--data", dir, "--camera", "top", "--by", "Kim"}, args...)
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitDone, "area-1 of camera top: corners 0.0", area(append([]string{"--columns", "9", "--rows", "6", "--square", "20", "--mm-per-pixel", "0.5"}, paths...)...)},
		{exitDone, `"kind":"area","version":2`, area(append([]string{"--json", "--board-at", "500"}, paths...)...)},
		{exitDone, "pixels of 0.47 mm, write pixels: ", area(paths...)},
		{exitDone, "area  3", []string{"list", "--data", dir, "--camera", "top"}},
		{exitDone, "Kim  coverage_percent", []string{"list", "--data", dir, "--camera", "top"}},
		{exitFailed, "no board of 9 x 6 inner corners is found in picture 6", area(append(slices.Clone(paths[:5]), white)...)},
		{exitFailed, "2 pictures do not tell the lens", area(paths[:2]...)},
		{exitFailed, "nowhere.png", area("nowhere.png")},
		{exitFailed, "columns: 1 inner corners are not possible", area(append([]string{"--columns", "1"}, paths...)...)},
		{exitMisused, "by", []string{"area", "--data", dir, "--camera", "top", paths[0]}},
		{exitMisused, "requires at least 1 arg", area()},
	} {
		code, out, errs := command(t, append([]string{"calibrate"}, c.args...)...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("calibrate %v gives %d and\n%s%s\nwant %d and %q", c.args, code, out, errs, c.code, c.want)
		}
	}
	v, ok, err := calibration.Shelf{Dir: filepath.Join(dir, "calibration")}.Latest("top", calibration.AreaKind)
	if err != nil || !ok || len(v.Pictures) != 6 || v.Width != 0 || !(v.Residuals["rms_mm"] > 0 && v.Residuals["rms_mm"] < 0.1) {
		t.Errorf("kept is %+v, %v", v, err)
	}
	var a calibration.Area
	if err := json.Unmarshal(v.Values, &a); err != nil || a.Width != 640 || a.Columns < 500 || a.Rows < 300 || a.BoardAt != 0 {
		t.Errorf("the area is %+v, %v", a, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "calibration", "top", "area-3-6.png")); err != nil {
		t.Errorf("the last picture is not kept: %v", err)
	}
}
