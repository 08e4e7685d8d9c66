package appliance

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/encoder"
	"github.com/coilsight/coilsight/camera/genicam/fake"
	"github.com/coilsight/coilsight/inspection"
)

func startLine(t *testing.T, o fake.LineOptions) {
	t.Helper()
	c, err := fake.StartLine(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
}

// chunkConfig is of cameras that count for themselves.
func chunkConfig(t *testing.T, cameras ...CameraConfig) Config {
	c := fakeConfig(t, cameras...)
	c.Encoder.Source = encoderChunk
	for i := range c.Cameras {
		k := &c.Cameras[i]
		k.Pixels, k.EncoderChunk = 512, "ChunkEncoderValue"
		k.Features = FeatureList{{Name: "Height", Value: 128}, {Name: "AcquisitionFrameRate", Value: 200.0}}
	}
	return c
}

// A strip that runs, stands, runs back and on again, over the counter's end, with frames that are lost or lack the count: what the
// source, the camera's driver and the wire make of it.
func TestFramesLieWhereTheirChunksSay(t *testing.T) {
	const frames, over = 150, 5000 // counts before the counter's end
	strip := func(n uint64) inspection.EncoderCount {
		switch x := inspection.EncoderCount(n); {
		case x < 60:
			return 100 * x
		case x < 75:
			return 6000
		case x < 90:
			return 6000 - 50*(x-75)
		default:
			return 5250 + 90*(x-90)
		}
	}
	uncounted := func(n uint64) bool { return n == 20 || n == 110 }
	startLine(t, fake.LineOptions{
		Address: "127.0.0.42", Serial: "L2",
		Count:   func(n uint64) uint32 { return math.MaxUint32 - over + uint32(strip(n)) },
		Without: uncounted,
		Lost:    func(n uint64) bool { return n == 30 || n == 31 },
		Draw: func(n uint64, pix []byte, width int) { // each line says of which frame it is, and which
			for at := 0; at < len(pix); at += width {
				binary.BigEndian.PutUint32(pix[at:], uint32(n))
				pix[at+4] = byte(at / width)
			}
		},
	})
	c := chunkConfig(t, CameraConfig{ID: "top", Side: "top", Address: "127.0.0.42"})
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	device := newCameraSource(c.Cameras[0], nil, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	device.Run(ctx)
	source, err := encoder.NewCounted(device, c.Encoder.track(), &encoder.Scale{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		source.Close()
		if err := device.Close(); err != nil {
			t.Error(err)
		}
	}()
	var high inspection.EncoderCount
	seen := map[uint64]bool{}
	for n := uint64(0); n < frames; {
		f, err := source.Next(ctx)
		if err != nil {
			t.Fatalf("after frame %d: %v, %q", n, err, device.Lost())
		}
		n = uint64(binary.BigEndian.Uint32(f.Image.Pix))
		seen[n] = true
		from, to := max(high, strip(n)), strip(n+1)
		near := inspection.EncoderCount(0)
		if uncounted(n) || uncounted(n+1) {
			near = 1 // by the camera's clock
		}
		if d, e := f.Span.From-from, f.Span.To-to; d < -near || d > near || e < -near || e > near || f.Status != camera.Complete {
			t.Errorf("frame %d covers %v, %v %q; want %d to %d", n, f.Span, f.Status, f.Cause, from, to)
		}
		// What was seen before the strip ran back is left out of the picture as well.
		if cut := strip(n) + inspection.EncoderCount(int(f.Image.Pix[4])*int(to-strip(n))/128) - from; cut < -2 || cut > 2 {
			t.Errorf("frame %d begins at its line %d, %d counts from where it should", n, f.Image.Pix[4], cut)
		}
		if (f.Missing != "") != (n == 32) {
			t.Errorf("frame %d says that strip is missing: %q", n, f.Missing)
		}
		high = f.Span.To
		f.Release()
	}
	for n := range uint64(frames) {
		want := n < 60 && n != 30 && n != 31 || n >= 98 // frame 98 comes past the 6,000 that were seen
		if seen[n] != want {
			t.Errorf("frame %d given: %v; want %v", n, seen[n], want)
		}
	}
}

// The coil is as long as the counter says. A camera without chunk data says so in a sentence, and the other one goes on.
func TestCoilOnTheScaleOfTheCamerasOwnCounter(t *testing.T) {
	startLine(t, fake.LineOptions{Address: "127.0.0.42", Serial: "L2", Count: func(n uint64) uint32 { return uint32(50 * n) }, Draw: grey})
	startLine(t, fake.LineOptions{Address: "127.0.0.43", Serial: "L3", Chunkless: true})
	a, stop := runAppliance(t, chunkConfig(t,
		CameraConfig{ID: "top", Side: "top", Address: "127.0.0.42"}, CameraConfig{ID: "bottom", Side: "bottom", Address: "127.0.0.43"}))
	defer stop()
	eventually(t, 10*time.Second, "one camera running, the other with its reason", func() bool {
		top, _ := a.cameraState("top")
		_, reason := a.cameraState("bottom")
		return top == "running" && reason == "camera bottom: ChunkEncoderValue is not possible; it sends no chunk data"
	})
	desk := &control{a}
	if _, _, err := desk.Announce(t.Context(), "K1", inspection.CoilOrder{}); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Start(t.Context(), "K1"); err != nil {
		t.Fatal(err)
	}
	_, head, _ := a.line.Running()
	eventually(t, 5*time.Second, "5,000 counts of strip", func() bool { return a.line.Position() > head+5000 })
	for _, k := range a.live.Live().Alarms {
		if strings.HasPrefix(k.Code, "encoder_") {
			t.Errorf("alarm %s while the counter counts: %v", k.Code, k.Values)
		}
	}
	if _, err := desk.Finish(t.Context(), "K1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the coil closed", func() bool {
		coil, err := a.store.Coil(t.Context(), "K1")
		return err == nil && coil.State == inspection.Closed
	})
	m, err := a.store.Map(t.Context(), "K1")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range inspection.CoverageOf(m.Strip, m.Gaps) {
		if k.Side == inspection.Top && (k.Length < 2500 || k.Missed > k.Length/4) {
			t.Errorf("%.0f of %.0f mm were missed on top", float64(k.Missed), float64(k.Length))
		}
	}
	if l := a.line.Status()[0].Ledger; !l.Balanced() {
		t.Errorf("the ledger does not balance: %+v", l)
	}
}

// grey is a plain picture.
func grey(_ uint64, pix []byte, _ int) {
	for i := range pix {
		pix[i] = 120
	}
}
