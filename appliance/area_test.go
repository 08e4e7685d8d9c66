package appliance

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/calibration/scene"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// filmOf makes a film of a camera's picture of the strip.
func filmOf(t *testing.T, m inspection.LineImage) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: make setup")
	}
	path := filepath.Join(t.TempDir(), "strip.mkv")
	cmd := exec.Command("ffmpeg", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", "320x240", "-r", "20", "-i", "-", "-c:v", "ffv1", path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := in.Write(m.Pix); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
		t.Fatal(err)
	}
	return path
}

// areaCamera is a small camera askew over the strip, and what a fit without error says of it.
func areaCamera(t *testing.T) (scene.Camera, calibration.Area) {
	t.Helper()
	c := scene.Camera{Width: 320, Height: 240, FX: 400, FY: 400, CX: 160, CY: 120, Distortion: [5]float64{-0.2}, Tilt: 8, Pan: -6, Turn: 3, Z: 200, Noise: 2}
	x, y, o := c.Axes()
	a := calibration.Area{Width: 320, Height: 240, Matrix: [4]float64{400, 400, 160, 120}, Distortion: c.Distortion, BoardAt: 700, RMS: 0.02}
	for i, v := range [][3]float64{x, y, o} {
		a.Homography[i], a.Homography[3+i], a.Homography[6+i] = 400*v[0]+160*v[2], 400*v[1]+120*v[2], v[2]
	}
	a, err := a.Framed(0.5)
	if err != nil {
		t.Fatal(err)
	}
	return c, a
}

func TestFramesOfACalibratedAreaCameraAreRectified(t *testing.T) {
	c, a := areaCamera(t)
	// Two dark lines along the strip and two across, 60 mm apart, on grey.
	m := c.Render(rand.New(rand.NewPCG(1, 1)), func(x, y float64) float64 {
		if math.Abs(math.Abs(x)-30) < 1 || math.Abs(math.Abs(y)-30) < 1 {
			return 60
		}
		return 150
	})
	film := filmOf(t, m)
	config := fakeConfig(t, CameraConfig{ID: "top", Side: "top", Address: "video:" + film, OperatorSideRight: true})
	config.Encoder.MMPerCount = 0.3 // a line of 0.5 mm is no whole count
	k := &config.Cameras[0]
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	shelf := config.Calibrations()
	if _, err := shelf.KeepArea("top", "Kim", at, a, m); err != nil {
		t.Fatal(err)
	}
	open := func() error {
		x, err := New(t.Context(), Options{Config: config, Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			err = errors.Join(errors.New("opened"), x.Close())
		}
		return err
	}
	k.Pixels = 320
	if err := open(); err == nil || !strings.Contains(err.Error(), "rectified by calibration area-1, its frames are ") || !strings.Contains(err.Error(), "the configuration says 320: write pixels: ") {
		t.Errorf("the width of the camera's own pictures gives %v", err)
	}
	k.Pixels = a.Columns
	ap, err := New(t.Context(), Options{Config: config, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	e := ap.cameras[0]
	if e.geometry.MMPerPixel != 0.5 || e.geometry.Across(0) != 700-a.First || e.geometry.Across(10) != 695-a.First {
		t.Errorf("the first columns lie at %v and %v with %v mm a pixel; want %v and %v", e.geometry.Across(0), e.geometry.Across(10), e.geometry.MMPerPixel, 700-a.First, 695-a.First)
	}
	if in := ap.calibrations(); len(in) != 2 || in[0].Kind != "area" || in[0].Version != 1 || !in[0].At.Equal(at) {
		t.Errorf("in force are %+v; want area-1, and the encoder's scale", in)
	}
	length := float64(a.Rows) * 0.5 / 0.3
	for n := range 3 {
		f, err := e.tap.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if f.Image.Width != a.Columns || f.Image.Height != a.Rows || !f.Seam {
			t.Fatalf("a frame is %d x %d pixels; want %d x %d", f.Image.Width, f.Image.Height, a.Columns, a.Rows)
		}
		if id := float64(f.ID); f.Span.From != inspection.EncoderCount(math.Round(id*length)) || f.Span.To != inspection.EncoderCount(math.Round((id+1)*length)) {
			t.Errorf("frame %d of %v lines covers %v; want %.2f counts a frame", f.ID, a.Rows, f.Span, length)
		}
		if n == 0 {
			marksLie(t, f.Image, a)
		}
		f.Release()
	}
	if views := (&cameraDesk{ap}).Cameras(); len(views[0].Calibrations) != 1 || views[0].Calibrations[0].Kind != "area" || len(views[0].Faults) != 0 || views[0].View.MMPerPixel != 0.5 {
		t.Errorf("the page shows %+v", views[0])
	}
	// Pictures of another size than those that were calibrated.
	other := a
	other.Width = 640
	if _, err := shelf.KeepArea("top", "Kim", at, other); err != nil {
		t.Fatal(err)
	}
	for what, take := range map[string]func(context.Context, inspection.CameraID, string) (web.CalibrationVersion, error){
		"flat field": (&cameraDesk{ap}).TakeFlatField, "geometry": (&cameraDesk{ap}).TakeGeometry,
	} {
		if _, err := take(t.Context(), "top", "Kim"); err == nil || !strings.Contains(err.Error(), "will be rectified by calibration area-2 when the appliance starts next") {
			t.Errorf("a %s before the newer area is in force: %v", what, err)
		}
	}
	if err := ap.Close(); err != nil {
		t.Error(err)
	}
	if err := open(); err == nil || !strings.Contains(err.Error(), "camera top: its pictures are 320 x 240 pixels; calibration area-2 is of pictures of 640 x 240: calibrate it again") {
		t.Errorf("pictures of another size: %v", err)
	}
	if _, err := shelf.Keep(calibration.AreaKind, "top", "Kim", at, "nonsense", nil); err != nil {
		t.Fatal(err)
	}
	if err := open(); err == nil || !strings.Contains(err.Error(), "calibration area-3 of camera top cannot be read") {
		t.Errorf("a damaged version: %v", err)
	}
}

// marksLie checks that the marks are straight, in each row and column, and lie where they are in mm.
func marksLie(t *testing.T, m inspection.LineImage, a calibration.Area) {
	t.Helper()
	marks := []float64{-30, 30}
	// A row or column along a mark, or nearly, says nothing of those that cross it.
	along := func(i int, from inspection.MM) bool {
		return slices.ContainsFunc(marks, func(mm float64) bool { return math.Abs(float64(from)+0.5*(float64(i)+0.5)-mm) < 4 })
	}
	for _, mm := range marks {
		col, row := (mm-float64(a.First))/0.5, (mm-float64(a.Top))/0.5
		for y := range a.Rows {
			if off := darkest(func(i int) byte { return m.Row(y)[i] }, col) - col; !along(y, a.Top) && !(math.Abs(off) <= 0.5) {
				t.Fatalf("at line %d the mark at %g mm lies %.2f pixels off", y, mm, off)
			}
		}
		for x := range a.Columns {
			if off := darkest(func(i int) byte { return m.Row(i)[x] }, row) - row; !along(x, a.First) && !(math.Abs(off) <= 0.5) {
				t.Fatalf("at column %d the mark at %g mm lies %.2f pixels off", x, mm, off)
			}
		}
	}
}

// darkest is where the middle of a dark mark near a place is, in pixels from the border.
func darkest(grey func(i int) byte, near float64) float64 {
	var sum, at float64
	for i := int(near - 5); i <= int(near+5); i++ {
		if d := 130 - float64(grey(i)); d > 0 {
			sum, at = sum+d, at+d*(float64(i)+0.5)
		}
	}
	return at / sum
}

// Calibrations of the frames before they were rectified are not those of the frames behind.
func TestAreaSupersedesWhatWasCalibratedBefore(t *testing.T) {
	_, a := areaCamera(t)
	shelf := calibration.Shelf{Dir: t.TempDir()}
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	white := inspection.LineImage{Pix: slices.Repeat([]byte{180}, a.Columns*32), Width: a.Columns, Height: 32, Stride: a.Columns}
	flat, err := calibration.MeasureFlatField(white, inspection.LineImage{})
	if err != nil {
		t.Fatal(err)
	}
	fit := calibration.GeometryFit{Curve: []float64{500, 80}, MMPerPixel: 0.504, Bars: 40}
	keep := func(at time.Time) {
		t.Helper()
		if _, err := shelf.KeepFlatField("top", "Kim", at, flat, white); err != nil {
			t.Fatal(err)
		}
		if _, err := shelf.KeepGeometry("top", "Kim", at, fit, white); err != nil {
			t.Fatal(err)
		}
	}
	keep(at)
	area, err := shelf.KeepArea("top", "Kim", at.Add(time.Hour), a)
	if err != nil {
		t.Fatal(err)
	}
	e := &eye{id: "top", width: a.Columns, area: area, geometry: calibration.Geometry{MMPerPixel: 0.5, MMPerCount: 0.4, Position: 7}}
	if err := e.restore(shelf); err == nil || !strings.Contains(err.Error(), "calibration flatfield-1 of camera top was made before area-1, when the frames' columns were others") {
		t.Errorf("a flat field from before gives %v", err)
	}
	if e.flatField().Gain != nil || e.geometry.Across(0) != 7 || len(e.inForce()) != 1 {
		t.Errorf("in force are %+v; want the area alone", e.inForce())
	}
	keep(at.Add(2 * time.Hour))
	if err := e.restore(shelf); err != nil {
		t.Error(err)
	}
	if e.flatField().Gain == nil || e.geometry.Across(0) != 420 || len(e.inForce()) != 3 {
		t.Errorf("in force are %+v; want all three, and the newer geometry's place", e.inForce())
	}
	line := &eye{id: "top", width: a.Columns, geometry: calibration.Geometry{MMPerPixel: 0.5, MMPerCount: 0.4}}
	if err := line.restore(shelf); err == nil || !strings.Contains(err.Error(), "calibration area-1 of camera top rectifies pictures of a video") {
		t.Errorf("a camera that is no video gives %v", err)
	}
}
