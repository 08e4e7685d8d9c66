package appliance

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/genicam"
	"github.com/coilsight/coilsight/camera/genicam/fake"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

func startFake(t *testing.T, address, serial string) *fake.Camera {
	t.Helper()
	if fake.Absent() {
		t.Skip("Aravis's fake camera is not installed: make setup, package aravis-tools")
	}
	c, err := fake.Start(address, serial, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

func fakeConfig(t *testing.T, cameras ...CameraConfig) Config {
	c := DefaultConfig()
	c.Data, c.Listen, c.Source, c.Classifier.Provider = t.TempDir(), "127.0.0.1:0", "cameras", inference.ProviderCPU
	for _, k := range cameras {
		k.Pixels, k.MMPerPixel = 1024, 0.5
		k.Features = FeatureList{{Name: "Width", Value: 1024}, {Name: "Height", Value: 256}, {Name: "AcquisitionFrameRate", Value: 50.0}}
		c.Cameras = append(c.Cameras, k)
	}
	return c
}

// runAppliance runs one until stop is called. A camera that is gone by then holds it up for seconds, so stop before the
// cameras end.
func runAppliance(t *testing.T, c Config) (a *Appliance, stop func()) {
	t.Helper()
	a, err := New(t.Context(), Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	return a, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// eventually waits for what must come true within a time.
func eventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come true within %v", what, within)
		}
	}
}

func (a *Appliance) cameraState(id string) (state string, alarm string) {
	st := a.live.Live()
	for _, c := range st.Cameras {
		if string(c.Camera) == id {
			state = c.State
		}
	}
	for _, k := range st.Alarms {
		if k.Code == "camera_lost" && k.Values["camera"] == id {
			alarm = k.Values["reason"]
		}
	}
	return state, alarm
}

// Both sides over the wire, recorded as a coil; one camera is cut off in the middle of it and comes back.
func TestCoilUnderTwoCamerasOfWhichOneIsCutOff(t *testing.T) {
	startFake(t, "127.0.0.21", "A1")
	cut := startFake(t, "127.0.0.22", "A2")
	a, stop := runAppliance(t, fakeConfig(t, CameraConfig{ID: "top", Side: "top", Address: "127.0.0.21"}, CameraConfig{ID: "bottom", Side: "bottom", Address: "A2"}))
	defer stop()
	eventually(t, 10*time.Second, "both cameras running", func() bool {
		top, _ := a.cameraState("top")
		bottom, _ := a.cameraState("bottom")
		return top == "running" && bottom == "running"
	})
	c := &control{a}
	if _, _, err := c.Announce(t.Context(), "F1", inspection.CoilOrder{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Start(t.Context(), "F1"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	cut.Kill()
	eventually(t, 5*time.Second, "an alarm for the camera that was cut off", func() bool {
		state, reason := a.cameraState("bottom")
		return state == "lost" && reason != ""
	})
	if state, _ := a.cameraState("top"); state != "running" {
		t.Errorf("the other camera is %s; it must go on", state)
	}
	startFake(t, "127.0.0.22", "A2")
	back := time.Now()
	eventually(t, 5*time.Second, "the camera running again", func() bool {
		state, _ := a.cameraState("bottom")
		return state == "running"
	})
	t.Logf("streaming again after %v", time.Since(back).Round(10*time.Millisecond))
	time.Sleep(time.Second)
	if _, err := c.Finish(t.Context(), "F1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the coil closed", func() bool {
		coil, err := a.store.Coil(t.Context(), "F1")
		return err == nil && coil.State == inspection.Closed
	})
	m, err := a.store.Map(t.Context(), "F1")
	if err != nil {
		t.Fatal(err)
	}
	covered := map[inspection.Side]inspection.Coverage{}
	for _, k := range inspection.CoverageOf(m.Strip, m.Gaps) {
		covered[k.Side] = k
	}
	top, bottom := covered[inspection.Top], covered[inspection.Bottom]
	if top.Length < 10_000 || top.Missed > bottom.Missed/2 { // a slow machine may give up classes
		t.Errorf("top: %.0f of %.0f mm inspected, %.0f missed; want nearly all", float64(top.Inspected), float64(top.Length), float64(top.Missed))
	}
	if bottom.Missed < 1000 || bottom.Inspected <= 0 {
		t.Errorf("bottom: %.0f mm missed, %.0f inspected; want the time that it was away as a gap, and strip before and behind", float64(bottom.Missed), float64(bottom.Inspected))
	}
	for _, s := range a.line.Status() {
		if !s.Ledger.Balanced() {
			t.Errorf("camera %s: the ledger does not balance: %+v", s.Camera, s.Ledger)
		}
	}
}

func TestCameraThatIsNotThereLeavesTheOthersAtWork(t *testing.T) {
	startFake(t, "127.0.0.23", "B1")
	c := fakeConfig(t, CameraConfig{ID: "top", Side: "top", Address: "127.0.0.23"}, CameraConfig{ID: "bottom", Side: "bottom", Address: "127.0.0.24"})
	a, stop := runAppliance(t, c)
	defer stop()
	eventually(t, 10*time.Second, "one camera running, the other named", func() bool {
		top, _ := a.cameraState("top")
		bottom, reason := a.cameraState("bottom")
		return top == "running" && bottom == "lost" && strings.Contains(reason, "127.0.0.24 is no camera")
	})
	startFake(t, "127.0.0.24", "B2")
	eventually(t, 10*time.Second, "the late camera running", func() bool {
		bottom, _ := a.cameraState("bottom")
		return bottom == "running"
	})
}

// A free-running camera under an encoder: the coil is as long as the encoder says, a stop costs nothing, and silence is a gap.
func TestCoilOnTheEncodersScale(t *testing.T) {
	startFake(t, "127.0.0.26", "E1")
	c := fakeConfig(t, CameraConfig{ID: "top", Side: "top", Address: "127.0.0.26", LineRateHz: 50 * 256})
	c.Encoder.Source, c.Encoder.Bits = encoderAPI, 0
	a, stop := runAppliance(t, c)
	defer stop()
	var count int64
	turn := func(d time.Duration, perSecond float64) {
		desk := &encoderDesk{a}
		begun, from := time.Now(), count
		for time.Since(begun) < d {
			now := time.Now()
			count = from + int64(perSecond*now.Sub(begun).Seconds())
			if _, err := desk.Reading(count, now); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	eventually(t, 10*time.Second, "the camera running", func() bool {
		turn(100*time.Millisecond, 10_000)
		state, _ := a.cameraState("top")
		return state == "running"
	})
	desk := &control{a}
	if _, _, err := desk.Announce(t.Context(), "E1", inspection.CoilOrder{}); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Start(t.Context(), "E1"); err != nil {
		t.Fatal(err)
	}
	_, head, _ := a.line.Running()
	turn(time.Second, 10_000) // 5 m/s
	turn(500*time.Millisecond, 0)
	turn(500*time.Millisecond, 20_000)
	time.Sleep(1500 * time.Millisecond) // nobody reads it
	silent := slices.ContainsFunc(a.live.Live().Alarms, func(k inspection.Alarm) bool { return k.Code == "encoder_silent" })
	turn(500*time.Millisecond, 20_000)
	time.Sleep(300 * time.Millisecond) // frames that are under way
	end := a.line.Position()
	if _, err := desk.Finish(t.Context(), "E1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the coil closed", func() bool {
		coil, err := a.store.Coil(t.Context(), "E1")
		return err == nil && coil.State == inspection.Closed
	})
	m, err := a.store.Map(t.Context(), "E1")
	if err != nil {
		t.Fatal(err)
	}
	if want := inspection.MM(end-head) * 0.5; m.Strip.Length < want-200 || m.Strip.Length > want+200 || want < 13_000 || want > 17_000 {
		t.Errorf("the coil is %.0f mm long, by the encoder %.0f", float64(m.Strip.Length), float64(want))
	}
	if !silent {
		t.Error("a silent encoder raised no alarm")
	}
	k := inspection.CoverageOf(m.Strip, m.Gaps)[0]
	t.Logf("%.0f mm, %.0f inspected, %.0f missed", float64(k.Length), float64(k.Inspected), float64(k.Missed))
	if k.Missed > k.Length/2 {
		t.Errorf("%.0f of %.0f mm are missed; a stop must cost nothing", float64(k.Missed), float64(k.Length))
	}
	if l := a.line.Status()[0].Ledger; !l.Balanced() {
		t.Errorf("the ledger does not balance: %+v", l)
	}
}

func TestCameraOfAnotherSizeIsNotUsed(t *testing.T) {
	startFake(t, "127.0.0.25", "C1")
	c := fakeConfig(t, CameraConfig{ID: "top", Side: "top", Address: "127.0.0.25"})
	c.Cameras[0].Features = FeatureList{{Name: "Width", Value: 512}}
	a, stop := runAppliance(t, c)
	defer stop()
	eventually(t, 10*time.Second, "the reason on the screen", func() bool {
		_, reason := a.cameraState("top")
		return strings.Contains(reason, "its frames are 512 pixels wide; the configuration says 1024")
	})
}

// Strip that was recorded runs as a camera does, side by side with a video.
func TestRecordedStripRunsAsACamera(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: make setup")
	}
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 1))
	for _, name := range []string{"a.png", "b.png"} {
		m := image.NewGray(image.Rect(0, 0, 512, 512))
		for i := range m.Pix {
			m.Pix[i] = byte(110 + r.IntN(20))
		}
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	film := filepath.Join(t.TempDir(), "strip.mkv")
	if out, err := exec.Command("ffmpeg", "-loglevel", "error", "-loop", "1", "-framerate", "10", "-i", filepath.Join(dir, "a.png"), "-t", "2", "-pix_fmt", "gray", "-c:v", "ffv1", film).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	c := fakeConfig(t, CameraConfig{ID: "top", Side: "top", Address: "folder:" + dir, LineRateHz: 5000}, CameraConfig{ID: "bottom", Side: "bottom", Address: "video:" + film})
	for i := range c.Cameras {
		c.Cameras[i].Pixels = 512
	}
	a, stop := runAppliance(t, c)
	defer stop()
	eventually(t, 10*time.Second, "both running", func() bool {
		top, _ := a.cameraState("top")
		bottom, _ := a.cameraState("bottom")
		return top == "running" && bottom == "running" && a.live.Live().Speed > 1
	})
	if v := a.live.Live().Speed; v < 1.5 || v > 4 {
		t.Errorf("5,000 lines a second of 0.5 mm run at %.2f m/s; want 2.5", v)
	}
	c.Cameras[0].Pixels, c.Data = 1024, t.TempDir()
	if _, err := New(t.Context(), Options{Config: c, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "camera top: its frames are 512 pixels wide; the configuration says 1024") {
		t.Errorf("pictures of another width: %v", err)
	}
}

func TestCountersOfCamerasMeetOnOneScale(t *testing.T) {
	s := &lineScale{}
	at := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	for n := range 10 { // 1,000 counts a second
		f := frameAt(inspection.EncoderCount(100*n), 100, at.Add(time.Duration(n+1)*100*time.Millisecond))
		if n == 0 {
			if off := s.offset(f); off != 0 {
				t.Fatalf("the first camera is moved by %d", off)
			}
		}
		s.saw(f)
	}
	// Another one's first frame ends 40 ms after the newest of the first, which ended at 1,000.
	if off := s.offset(frameAt(0, 100, at.Add(1040*time.Millisecond))); off != 940 {
		t.Errorf("the second camera is moved by %d counts; want 940, so that its frame ends at 1,040", off)
	}
}

func TestBadCameraConfigurationIsNamed(t *testing.T) {
	good := "id: top, side: top, address: 10.0.0.5, pixels: 2048, mm_per_pixel: 0.5"
	one := func(change string) string { return "source: cameras\ncameras: [{" + good + ", " + change + "}]" }
	for text, want := range map[string]string{
		"source: cameras": "cameras: is empty; source cameras needs at least one",
		"cameras: [{side: top, address: a, pixels: 2048, mm_per_pixel: 1}]":         "cameras[0].id: is empty",
		"cameras: [{id: a, side: left, address: a, pixels: 2048, mm_per_pixel: 1}]": `cameras[0].side: "left" is not known; allowed are top and bottom`,
		"cameras: [{id: a, side: top, pixels: 2048, mm_per_pixel: 1}]":              "cameras[0].address: is empty",
		"cameras: [{id: a, side: top, address: a, mm_per_pixel: 1}]":                "cameras[0].pixels: 0 is not possible",
		"cameras: [{id: a, side: top, address: a, pixels: 2048}]":                   "cameras[0].mm_per_pixel: 0 mm is not possible",
		one("packet_size: 20"):                      "cameras[0].packet_size: 20 is not possible; allowed are 576 to 16384 bytes",
		one("gain: 2"):                              `key "gain" is not known`,
		one("features: fast"):                       "features are names with values",
		one("features: {Width: [1]}"):               "feature Width wants a number",
		"cameras: [{" + good + "}, {" + good + "}]": `cameras[1].id: "top" is the name of another camera already`,
		"cameras: [{" + good + "}, {" + strings.Replace(good, "id: top", "id: b", 1) + "}]": `cameras[1].address: "10.0.0.5" is that of another camera already`,
		"encoder: {source: wheel}":                                           `encoder.source: "wheel" is not known; allowed are lines, modbus, api and chunk`,
		"encoder: {bits: 12}":                                                "encoder.bits: 12 is not possible",
		"encoder: {max_mps: 900}":                                            "encoder.max_mps: 900 m/s is not possible",
		"encoder: {source: modbus}":                                          `encoder.address: "" is not an address`,
		"encoder: {source: modbus, address: 'a:502', poll_ms: 1}":            "encoder.poll_ms: 1ms is not possible",
		"encoder: {source: api}\nsource: cameras\ncameras: [{" + good + "}]": "cameras[0].line_rate_hz: 0 is not possible",
		"encoder: {source: chunk}\n" + one("packet_size: 0"):                 "cameras[0].encoder_chunk: is empty; with encoder.source chunk it names the camera's chunk data with the encoder's count, such as ChunkEncoderValue",
		"encoder: {source: chunk}\n" + one("encoder_chunk: EncoderValue"):    `cameras[0].encoder_chunk: "EncoderValue" is no name of chunk data; those begin with Chunk`,
		one("encoder_chunk: ChunkEncoderValue"):                              `cameras[0].encoder_chunk: "ChunkEncoderValue" would not be read; it places the frames of a camera, not of a recording, with encoder.source chunk`,
		"encoder: {mm_per_count: 0}":                                         "encoder.mm_per_count: 0 mm is not possible",
	} {
		c := DefaultConfig()
		err := decodeStrict([]byte(text), &c)
		if err == nil {
			err = c.Check()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v; want an error that says %q", text, err, want)
		}
	}
	c := DefaultConfig()
	if err := decodeStrict([]byte("encoder: {source: chunk}\n"+one("encoder_chunk: ChunkCounterValue")), &c); err != nil || c.Check() != nil {
		t.Errorf("a camera that counts for itself needs nothing more: %v, %v", err, c.Check())
	}
	c = DefaultConfig()
	if err := decodeStrict([]byte(one("features: {PixelFormat: Mono8, Height: 256, AcquisitionLineRate: 40000.5, Reverse: true}")), &c); err != nil {
		t.Fatal(err)
	}
	want := []genicam.Feature{{Name: "PixelFormat", Value: "Mono8"}, {Name: "Height", Value: 256}, {Name: "AcquisitionLineRate", Value: 40000.5}, {Name: "Reverse", Value: true}}
	if got := c.Cameras[0].Features; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the features are %v; want %v in this order", got, want)
	}
}

func frameAt(from, counts inspection.EncoderCount, arrived time.Time) *camera.Frame {
	return &camera.Frame{Span: inspection.EncoderSpan{From: from, To: from + counts}, Arrived: arrived}
}
