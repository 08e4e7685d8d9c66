package genicam_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/genicam"
	"github.com/coilsight/coilsight/camera/genicam/fake"
	"github.com/coilsight/coilsight/inspection"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	first  = "127.0.0.1"
	second = "127.0.0.2"
)

// start runs a fake camera until the test ends.
func start(t testing.TB, address, serial string, lost int) *fake.Camera {
	t.Helper()
	if fake.Absent() {
		t.Skip("arv-fake-gv-camera-0.8 is not installed (Debian: aravis-tools)")
	}
	c, err := fake.Start(address, serial, lost)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

// plain are the features of a small picture, whose gain is one.
func plain(rate float64) []genicam.Feature {
	return []genicam.Feature{
		{Name: "Width", Value: 512},
		{Name: "Height", Value: 256},
		{Name: "PixelFormat", Value: "Mono8"},
		{Name: "ExposureTimeAbs", Value: 10000},
		{Name: "AcquisitionFrameRate", Value: rate},
	}
}

func open(t testing.TB, o genicam.Options) *genicam.Source {
	t.Helper()
	s, err := genicam.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func next(t testing.TB, s *genicam.Source) *camera.Frame {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	f, err := s.Next(ctx)
	if err != nil {
		t.Fatalf("no frame: %v; state %+v", err, s.State())
	}
	return f
}

// continues checks what must hold between a frame and the one before.
func continues(t testing.TB, f *camera.Frame, id uint64, lines int) {
	t.Helper()
	h := inspection.EncoderCount(lines)
	if f.ID != id || f.Span.From != inspection.EncoderCount(id)*h || f.Span.Len() != h {
		t.Fatalf("frame %d covers %+v; want frame %d", f.ID, f.Span, id)
	}
}

// ramp checks the fake camera's picture: each pixel is one more than that to its left, modulo 255. It
// gives the first pixel.
func ramp(t testing.TB, m inspection.LineImage) byte {
	t.Helper()
	p := int(m.Pix[0])
	for y := range m.Height {
		for x, v := range m.Row(y) {
			if int(v) != (p+x+y)%255 {
				t.Fatalf("pixel %d of line %d is %d; want %d", x, y, v, (p+x+y)%255)
			}
		}
	}
	return m.Pix[0]
}

func TestDiscoverFindsCamerasOnEachAddress(t *testing.T) {
	start(t, first, "D1", 0)
	start(t, second, "D2", 0)
	began := time.Now()
	list, err := genicam.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d > 3*time.Second {
		t.Errorf("it took %v", d)
	}
	for serial, address := range map[string]string{"D1": first, "D2": second} {
		i := slices.IndexFunc(list, func(d genicam.Device) bool { return d.Serial == serial })
		if i < 0 {
			t.Fatalf("%s is not among %v", serial, list)
		}
		d := list[i]
		if d.ID != "Aravis-Fake-"+serial || d.Vendor != "Aravis" || d.Model != "Fake" || d.Address != address || d.Protocol != "GigEVision" || !d.Reachable {
			t.Errorf("device %+v", d)
		}
	}
}

func TestCameraOpensBySerialIDAndAddress(t *testing.T) {
	start(t, first, "O1", 0)
	for _, name := range []string{"O1", "Aravis-Fake-O1", first} {
		s, err := genicam.Open(t.Context(), genicam.Options{Camera: "top", Address: name, Features: plain(50)})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		next(t, s).Release()
		if d := s.Device(); d.Serial != "O1" || d.ID != "Aravis-Fake-O1" {
			t.Errorf("%s: device %+v", name, d)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := s.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestWhatCannotBeOpenedIsToldInOneSentence(t *testing.T) {
	start(t, first, "W1", 0)
	with := func(f ...genicam.Feature) genicam.Options {
		return genicam.Options{Camera: "top", Address: first, Features: f}
	}
	for _, c := range []struct {
		o    genicam.Options
		want string
	}{
		{genicam.Options{Camera: "top"}, "camera top: it has no address; allowed are an id, a serial number or an IP address"},
		{genicam.Options{Camera: "top", Address: "W9"}, `camera top: "W9" is not there; found are Aravis-Fake-`},
		{genicam.Options{Camera: "top", Address: "127.0.0.77"}, "camera top: at 127.0.0.77 is no camera: it does not answer"},
		{genicam.Options{Camera: "top", Address: "::1"}, "camera top: ::1 is not possible; GigE Vision has IPv4 addresses"},
		{genicam.Options{Camera: "top", Address: first, Buffers: 1}, "camera top: 1 buffers are not possible; allowed are 2 to 4096"},
		{genicam.Options{Camera: "top", Address: first, PacketSize: 100}, "camera top: packet size 100 is not possible; interface lo carries 576 to 65535 bytes, or 0 for automatic"},
		{with(genicam.Feature{Name: "AcquisitionLineRate", Value: 90000}), "camera top: it has no feature AcquisitionLineRate"},
		{with(genicam.Feature{Name: "Width", Value: 90000}), "camera top: Width 90000 is not possible; allowed are 1 to 2048"},
		{with(genicam.Feature{Name: "Width", Value: "wide"}), "camera top: Width wide is not possible; allowed are 1 to 2048"},
		{with(genicam.Feature{Name: "Width", Value: 512.5}), "camera top: Width 512.5 is not possible; allowed are 1 to 2048"},
		{with(genicam.Feature{Name: "ExposureTimeAbs", Value: 1}), "camera top: ExposureTimeAbs 1 is not possible; allowed are 10 to 10000000"},
		{with(genicam.Feature{Name: "TriggerMode", Value: "Perhaps"}), "camera top: TriggerMode Perhaps is not possible; allowed are Off, On"},
		{with(genicam.Feature{Name: "SensorWidth", Value: 10}), "camera top: SensorWidth 10 is not possible; the feature is read-only and is 2048"},
		{with(genicam.Feature{Name: "PixelFormat", Value: "RGB8"}), "camera top: PixelFormat RGB8 is not possible; allowed are Mono8, Mono10, Mono10p, Mono12, Mono12p, Mono16"},
	} {
		s, err := genicam.Open(t.Context(), c.o)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s was allowed", c.want)
			continue
		}
		// Another package's fake cameras may be among those found.
		if !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("it says %q; want %q", err, c.want)
		}
		var refused *inspection.FieldError
		if !errors.As(err, &refused) {
			t.Errorf("%q is not the user's mistake", err)
		}
	}
	// What failed has left the camera free.
	s := open(t, genicam.Options{Camera: "top", Address: first, Features: plain(50)})
	next(t, s).Release()
}

func TestTwoCamerasThatNameOneDeviceAreRefused(t *testing.T) {
	start(t, first, "T1", 0)
	open(t, genicam.Options{Camera: "top", Address: first, Features: plain(50)})
	_, err := genicam.Open(t.Context(), genicam.Options{Camera: "bottom", Address: "T1"})
	if err == nil || err.Error() != "camera bottom: Aravis-Fake-T1 at 127.0.0.1 is camera top already" {
		t.Errorf("it says %v", err)
	}
}

func TestFramesAreContiguousAndHoldWhatTheCameraSent(t *testing.T) {
	start(t, first, "C1", 0)
	s := open(t, genicam.Options{Camera: "top", Address: first, Features: plain(200), Buffers: 256})
	if w, h := s.Size(); w != 512 || h != 256 {
		t.Fatalf("size %d x %d", w, h)
	}
	const n = 300 // past the wrap of the camera's 16-bit ids, 135 frames in
	var base byte
	for i := range uint64(n) {
		f := next(t, s)
		continues(t, f, i, 256)
		if f.Status != camera.Complete || f.Camera != "top" || f.Image.Width != 512 || f.Image.Height != 256 || time.Since(f.Arrived) > time.Second {
			t.Fatalf("frame %d: %v %s", f.ID, f.Status, f.Cause)
		}
		p := ramp(t, f.Image)
		switch {
		case i == 0:
			base = p
		case i < 100: // ids run up to the wrap
			if int(p) != (int(base)+int(i))%255 {
				t.Fatalf("frame %d begins with %d; frame 0 began with %d", i, p, base)
			}
		}
		f.Release()
	}
	st := s.Stats()
	if st.Completed < n || st.Incomplete != 0 || st.Lost != 0 || st.MissingPackets != 0 {
		t.Errorf("stats %+v", st)
	}
	if !s.State().Streaming {
		t.Errorf("state %+v", s.State())
	}
	if h := s.Hints(); len(h) == 0 || !strings.Contains(h[0], "packets have 1400 bytes and interface lo carries 65536") {
		t.Errorf("hints %q", h)
	}
}

func TestSixteenBitPixelsAreNarrowed(t *testing.T) {
	start(t, first, "N1", 0)
	features := append(plain(50), genicam.Feature{Name: "PixelFormat", Value: "Mono16"})
	s := open(t, genicam.Options{Camera: "top", Address: first, Features: features})
	f := next(t, s)
	defer f.Release()
	if f.Status != camera.Complete || f.Image.Width != 512 || len(f.Image.Pix) != 512*256 {
		t.Fatalf("frame %d: %v %s", f.ID, f.Status, f.Cause)
	}
	// 16-bit pixels are 256*(x+y+n) mod 65535.
	p := int(f.Image.Pix[0])
	for x, v := range f.Image.Row(0) {
		if d := (int(v) - p - x) & 255; d > 2 {
			t.Fatalf("pixel %d is %d after %d", x, v, p)
		}
	}
}

// TestLostPacketsAreCountedExactly takes frames from a camera that drops packets, ends it, and compares
// all that was handed out with the statistics.
func TestLostPacketsAreCountedExactly(t *testing.T) {
	c := start(t, first, "L1", 5)
	s := open(t, genicam.Options{Camera: "top", Address: first, Features: plain(100), NoResend: true, PacketSize: 1400, Buffers: 64})
	// 512*256 bytes in packets of 1364, a leader and a trailer.
	const packets = (512*256+1363)/1364 + 2
	var seen genicam.Stats
	var last uint64
	for frames, waiting := 0, true; waiting; frames++ {
		if frames == 300 {
			c.Kill()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
		f, err := s.Next(ctx)
		cancel()
		if waiting = err == nil; !waiting {
			if frames < 300 {
				t.Fatalf("after %d frames: %v", frames, err)
			}
			break
		}
		if frames > 0 {
			if f.ID <= last || f.Span.From != inspection.EncoderCount(f.ID)*256 {
				t.Fatalf("frame %d after %d", f.ID, last)
			}
			seen.Lost += f.ID - last - 1
		}
		last = f.ID
		if f.Status == camera.Complete {
			seen.Completed++
			ramp(t, f.Image)
		} else {
			seen.Incomplete++
			var n, of uint64
			if _, err := fmt.Sscanf(f.Cause, "%d of %d packets did not arrive", &n, &of); err != nil || of != packets || n == 0 || n > of {
				t.Fatalf("cause %q", f.Cause)
			}
			seen.MissingPackets += n
		}
		f.Release()
	}
	all := (seen.Completed + seen.Incomplete) * packets
	seen.ReceivedPackets = all - seen.MissingPackets
	if st := s.Stats(); st != seen {
		t.Errorf("stats %+v; handed out were %+v", st, seen)
	}
	share := float64(seen.MissingPackets) / float64(all)
	if seen.Completed == 0 || seen.Incomplete == 0 || share < 0.002 || share > 0.03 {
		t.Errorf("%d complete, %d incomplete, %.2f %% of the packets missing; the camera drops 0.5 %%", seen.Completed, seen.Incomplete, 100*share)
	}
	t.Logf("%+v: %.3f %% of the packets are missing", seen, 100*share)
}

func TestFrameRateBelowTheSilenceIsNotALoss(t *testing.T) {
	start(t, first, "S1", 0)
	s := open(t, genicam.Options{Camera: "top", Address: first, Features: plain(1)})
	for i := range uint64(3) {
		f := next(t, s)
		continues(t, f, i, 256)
		f.Release()
	}
	if st := s.Stats(); st.Reconnects != 0 || !s.State().Streaming {
		t.Errorf("stats %+v, state %+v", st, s.State())
	}
}

func TestSlowLineIsAnUnderrunThatShows(t *testing.T) {
	start(t, first, "U1", 0)
	s := open(t, genicam.Options{Camera: "top", Address: first, Features: plain(100), PacketSize: 1400, Buffers: 2})
	a, b := next(t, s), next(t, s)
	continues(t, b, 1, 256)
	// On a busy machine the camera itself may stand: packets that found no buffer, 97 a frame, tell that it sent twenty.
	for end := time.Now().Add(10 * time.Second); s.Stats().NoBufferPackets < 20*97 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	a.Release()
	b.Release()
	f := next(t, s)
	if f.Status != camera.Complete { // it found a buffer behind its leader, which tells its id; the next one puts the count right
		f.Release()
		f = next(t, s)
	}
	defer f.Release()
	if f.ID < 20 || f.ID > 1000 {
		t.Errorf("frame %d where twenty found no buffer", f.ID)
	}
	if st := s.Stats(); st.Lost < 18 || st.NoBufferPackets == 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestTwoCamerasStreamAtOnce(t *testing.T) {
	start(t, first, "A1", 0)
	start(t, second, "A2", 0)
	done := make(chan bool)
	for name, address := range map[inspection.CameraID]string{"top": first, "bottom": second} {
		s := open(t, genicam.Options{Camera: name, Address: address, Features: plain(100), Buffers: 128})
		go func() {
			defer func() { done <- true }()
			for i := range uint64(100) {
				f, err := s.Next(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if f.ID != i || f.Camera != name || f.Status != camera.Complete {
					t.Errorf("frame %d of camera %s in place of %d: %v %s; %+v", f.ID, f.Camera, i, f.Status, f.Cause, s.Stats())
				}
				f.Release()
			}
		}()
	}
	<-done
	<-done
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
