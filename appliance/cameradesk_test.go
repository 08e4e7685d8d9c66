package appliance

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

func TestKeptCalibrationsAreTakenUp(t *testing.T) {
	shelf := calibration.Shelf{Dir: t.TempDir()}
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	white := inspection.LineImage{Pix: bytes.Repeat([]byte{180}, 1000*32), Width: 1000, Height: 32, Stride: 1000}
	f, err := calibration.MeasureFlatField(white, inspection.LineImage{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shelf.KeepFlatField("top", "Kim", at, f, white); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(shelf.Dir, "top", "flatfield-1-1.png")); err != nil {
		t.Errorf("the reference is not kept: %v", err)
	}
	fit := calibration.GeometryFit{Curve: []float64{500, 250, 0, 2}, MMPerPixel: 0.504, Bars: 40}
	if _, err := shelf.KeepGeometry("top", "Kim", at, fit, white); err != nil {
		t.Fatal(err)
	}
	e := &eye{id: "top", width: 1000, geometry: calibration.Geometry{MMPerPixel: 0.5, MMPerCount: 0.4, Position: 7}}
	if err := e.restore(shelf); err != nil {
		t.Fatal(err)
	}
	if len(e.flatField().Gain) != 1000 {
		t.Error("the flat field is not in force")
	}
	if a, b := e.geometry.Across(0), e.geometry.Across(1000); a != 248 || b != 752 || e.geometry.MMPerCount != 0.4 {
		t.Errorf("the picture reaches from %v to %v, %v mm a count; want 248 to 752 and the configured 0.4", a, b, e.geometry.MMPerCount)
	}
	in := e.inForce()
	if len(in) != 2 || in[0].Kind != "flatfield" || in[1].Kind != "geometry" || !in[1].At.Equal(at) {
		t.Errorf("in force are %+v", in)
	}

	other := &eye{id: "top", width: 2000, geometry: calibration.Geometry{MMPerPixel: 0.5}}
	err = other.restore(shelf)
	if err == nil || strings.Count(err.Error(), "camera top delivers 2000: calibrate it again") != 2 || other.flatField().Gain != nil {
		t.Errorf("a camera of another width gives %v; want both versions named and none in force", err)
	}
	if unknown := (&eye{id: "bottom", width: 1000}); unknown.restore(shelf) != nil || unknown.flatField().Gain != nil {
		t.Error("a camera without calibrations has some")
	}
}

// still is a source of frames that somebody lets through one by one.
type still chan *camera.Frame

func (s still) Next(ctx context.Context) (*camera.Frame, error) {
	select {
	case f := <-s:
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestPicturesAreCopiedOnTheWay(t *testing.T) {
	frames := make(still, 8)
	e := &eye{id: "top", tap: &tap{FrameSource: frames, later: 10}}
	_, err := e.picture(t.Context(), 8, 20*time.Millisecond)
	var conflict *inspection.ConflictError
	if !errors.As(err, &conflict) || !strings.Contains(conflict.Reason, "fewer than 8 scan lines within 20ms") {
		t.Errorf("without frames: %v", err)
	}
	done := make(chan inspection.LineImage)
	go func() {
		m, err := e.picture(t.Context(), 6, time.Minute)
		if err != nil {
			t.Error(err)
		}
		done <- m
	}()
	for e.tap.waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	for i, status := range []camera.Status{camera.Complete, camera.Incomplete, camera.Complete} {
		pix := bytes.Repeat([]byte{byte(i + 1)}, 4*4)
		frames <- &camera.Frame{Status: status, Span: inspection.EncoderSpan{From: 20, To: 24}, Image: inspection.LineImage{Pix: pix, Width: 4, Height: 4, Stride: 4}}
		f, err := e.tap.Next(t.Context())
		if err != nil || f.Span != (inspection.EncoderSpan{From: 10, To: 14}) {
			t.Errorf("frame %d covers %v, %v; want it 10 counts earlier", i, f.Span, err)
		}
	}
	m := <-done
	if m.Width != 4 || m.Height != 6 || m.Row(3)[0] != 1 || m.Row(4)[0] != 3 {
		t.Errorf("the picture is %+v; want four lines of the first frame and two of the third", m)
	}
	if e.tap.waiting() != 0 {
		t.Error("somebody still waits")
	}
}

func TestProfileTellsExposureAndSharpness(t *testing.T) {
	m := inspection.LineImage{Pix: make([]byte, 512*4), Width: 512, Height: 4, Stride: 512}
	for i := range m.Pix {
		switch x := i % 512; {
		case x < 128:
			m.Pix[i] = 4
		case x >= 384:
			m.Pix[i] = 255
		default:
			m.Pix[i] = byte(100 + 10*(x%2))
		}
	}
	gain := make(inspection.ColumnGain, 512)
	for x := range gain {
		gain[x] = inspection.UnityGain * 2
	}
	p := profileOf(m, inspection.FlatField{Gain: gain})
	if len(p.Raw) != 256 || p.Raw[0] != 4 || p.Corrected[0] != 8 || p.Raw[100] != 105 || p.Corrected[100] != 210 || p.Corrected[255] != 255 {
		t.Errorf("raw %v %v, corrected %v %v %v", p.Raw[0], p.Raw[100], p.Corrected[0], p.Corrected[100], p.Corrected[255])
	}
	if p.Dark != 0.25 || p.Bright != 0.25 || p.Median != 100 || math.Abs(p.Sharpness-100*2791.0/60032) > 1e-9 {
		t.Errorf("dark %v, bright %v, median %v, sharpness %v", p.Dark, p.Bright, p.Median, p.Sharpness)
	}
}
