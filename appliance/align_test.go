package appliance

import (
	"errors"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// grain is strip with a grain, that joins its own beginning, dark towards the borders of each view.
func grain(w, h int) []float64 {
	r := rand.New(rand.NewPCG(5, 9))
	v := make([]float64, w*h)
	for i := range v {
		v[i] = 130
	}
	for range w * h / 150 {
		x0, y0, s := r.IntN(w), r.IntN(h), 12*r.NormFloat64()
		for dy := -5; dy <= 5; dy++ {
			for x := max(0, x0-3); x < min(w, x0+4); x++ {
				v[(y0+dy+h)%h*w+x] += s * math.Exp(-float64(dy*dy)/8-float64((x-x0)*(x-x0))/4)
			}
		}
	}
	return v
}

// view writes the columns [from, to) of a strip as a camera sees it that is so many lines late, with noise of its own.
func view(t *testing.T, strip []float64, w, from, to, late int, seed uint64) string {
	t.Helper()
	h, r := len(strip)/w, rand.New(rand.NewPCG(seed, 1))
	m := image.NewGray(image.Rect(0, 0, to-from, h))
	for y := range h {
		for x := from; x < to; x++ {
			u := 2*float64(x-from)/float64(to-from) - 1
			m.Pix[y*m.Stride+x-from] = byte(min(255, max(0, strip[(y-late+h)%h*w+x]*(1-0.4*u*u)+2*r.NormFloat64())))
		}
	}
	return "folder:" + pictureIn(t, m)
}

// pictureIn writes a picture into a folder of its own.
func pictureIn(t *testing.T, m image.Image) (dir string) {
	t.Helper()
	dir = t.TempDir()
	f, err := os.Create(filepath.Join(dir, "strip.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Two cameras of one side: the second hangs 18.5 mm behind the first and 5 mm nearer to it than was measured.
func TestCamerasAreAlignedByWhatBothSee(t *testing.T) {
	const width, late = 1100, 37
	strip := grain(width, 2048)
	c := fakeConfig(t)
	c.Cameras = []CameraConfig{
		{ID: "operator", Side: "top", Address: view(t, strip, width, 0, 600, 0, 1), Pixels: 600, MMPerPixel: 0.5, LineRateHz: 8000},
		{ID: "drive", Side: "top", Address: view(t, strip, width, 500, 1100, late, 2), Pixels: 600, MMPerPixel: 0.5, PositionMM: 255, LineRateHz: 8000},
	}
	a, stop := runAppliance(t, c)
	stopped := false
	defer func() {
		if !stopped {
			stop()
		}
	}()
	d := &cameraDesk{a}
	ask := web.AlignmentRequest{CalibrationRequest: web.CalibrationRequest{By: "Kim"}, With: "operator", ReachMM: 40}
	v, err := d.TakeAlignment(t.Context(), "drive", ask)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("off by %.3f mm along, %.3f mm across, agreement %.2f", v.Residuals["along_off_mm"], v.Residuals["across_off_mm"], v.Residuals["agreement"])
	for name, ask := range map[string]web.AlignmentRequest{
		"is the same camera": {CalibrationRequest: ask.CalibrationRequest, With: "drive", ReachMM: 40},
		"\"nobody\"":         {CalibrationRequest: ask.CalibrationRequest, With: "nobody", ReachMM: 40},
		// 18.5 mm are out of its reach, and nothing else in the strip is alike.
		"nothing in the two pictures is clearly the same": {CalibrationRequest: ask.CalibrationRequest, With: "operator", ReachMM: 8},
	} {
		if _, err := d.TakeAlignment(t.Context(), "drive", ask); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v; want an error that says %q", err, name)
		}
	}
	stop()
	stopped = true

	a, stop = runAppliance(t, c)
	defer stop()
	e := a.cameras[1]
	if math.Abs(float64(e.along-18.5)) > 0.1 || math.Abs(float64(e.geometry.Position-250)) > 0.15 || e.tap.later != late {
		t.Errorf("after the next start it sees a place %v mm later and begins at %v mm, %d counts; want 18.5, 250, %d", e.along, e.geometry.Position, e.tap.later, late)
	}
	if in := e.inForce(); len(in) != 1 || in[0].Kind != string(calibration.AlignmentKind) {
		t.Errorf("in force are %+v", in)
	}
	// Now that it is known, nothing is left.
	found, err := e.alignWith(t.Context(), a.cameras[0], 20)
	if err != nil || math.Abs(found.Found.Lines) > 0.3 || math.Abs(found.Found.Pixels) > 0.3 {
		t.Errorf("found %+v, %v; want nothing left", found.Found, err)
	}
}

func TestScaleOfTheEncoderIsFittedToCoils(t *testing.T) {
	c := fakeConfig(t)
	c.Encoder.MMPerCount = 0.4
	c.Cameras = []CameraConfig{{ID: "top", Side: "top", Address: view(t, grain(600, 512), 600, 0, 600, 0, 1), Pixels: 600, MMPerPixel: 0.5, LineRateHz: 8000}}
	a, stop := runAppliance(t, c)
	stopped := false
	defer func() {
		if !stopped {
			stop()
		}
	}()
	d, k := &encoderDesk{a}, &control{a}
	if e := d.Encoder(); e.Source != "lines" || e.MMPerCount != 0.4 || e.InForce != 1 || len(e.Calibrations) != 1 || e.Calibrations[0].By != "configuration" {
		t.Errorf("the encoder is %+v; want the configured scale as its first version", e)
	}
	var lengths []web.CoilLength
	for _, id := range []inspection.CoilID{"A", "B"} {
		if _, _, err := k.Announce(t.Context(), id, inspection.CoilOrder{}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.FitScale(t.Context(), "Kim", []web.CoilLength{{Coil: id, Length: 1}}); err == nil || !strings.Contains(err.Error(), "is announced; its length counts once it is closed") {
			t.Errorf("a coil that has not run gives %v", err)
		}
		if _, err := k.Start(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(400 * time.Millisecond)
		if _, err := k.Finish(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		var coil inspection.Coil
		eventually(t, 10*time.Second, "the coil closed", func() bool {
			var err error
			coil, err = a.store.Coil(t.Context(), id)
			return err == nil && coil.State == inspection.Closed
		})
		if in := coil.Calibrations; len(in) != 1 || in[0].Camera != calibration.EncoderName || in[0].Version != 1 {
			t.Errorf("coil %s names %+v; want the scale", id, in)
		}
		lengths = append(lengths, web.CoilLength{Coil: id, Length: coil.Strip.Length * 1.05})
	}
	v, err := d.FitScale(t.Context(), "Kim", lengths)
	if err != nil || v.Version != 2 {
		t.Fatalf("got %+v, %v", v, err)
	}
	lengths[1].Length *= 1.2
	if _, err := d.FitScale(t.Context(), "Kim", lengths); err == nil || !strings.Contains(err.Error(), "the coils do not agree: coil A") {
		t.Errorf("coils that do not agree give %v", err)
	}
	stop()
	stopped = true

	for _, want := range []struct{ configured, inForce inspection.MM }{{0.4, 0.42}, {0.45, 0.45}, {0.45, 0.45}} {
		c.Encoder.MMPerCount = want.configured
		a, stop := runAppliance(t, c)
		if e := (&encoderDesk{a}).Encoder(); math.Abs(float64(e.MMPerCount-want.inForce)) > 1e-4 || a.cameras[0].geometry.MMPerCount != e.MMPerCount {
			t.Errorf("with %v mm configured, a count is %v mm; want %v", want.configured, e.MMPerCount, want.inForce)
		}
		stop()
	}
}
