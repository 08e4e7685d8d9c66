package genicam_test

import (
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/genicam"
	"github.com/coilsight/coilsight/camera/genicam/fake"
	"github.com/coilsight/coilsight/inspection"
)

const lineAddress = "127.0.0.41"

// startLine runs a line camera until the test ends.
func startLine(t testing.TB, o fake.LineOptions) {
	t.Helper()
	o.Address, o.Serial = lineAddress, "L1"
	c, err := fake.StartLine(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
}

func lineCamera(chunk string, f ...genicam.Feature) genicam.Options {
	return genicam.Options{Camera: "top", Address: lineAddress, EncoderChunk: chunk, Features: f}
}

func TestEachFrameBringsItsEncoderCount(t *testing.T) {
	// The counter stands, falls, and begins anew at 32 bits.
	count := func(n uint64) uint32 {
		switch {
		case n < 10:
			return uint32(math.MaxUint32 - 5*100 + 100*n)
		case n < 15:
			return 399
		}
		return uint32(399 - 7*(int(n)-14))
	}
	startLine(t, fake.LineOptions{Count: count, Without: func(n uint64) bool { return n%8 == 3 }})
	o := lineCamera("ChunkEncoderValue", genicam.Feature{Name: "AcquisitionFrameRate", Value: 200.0})
	o.PacketSize = 8230 // a frame with its chunk takes a packet more than one without
	s := open(t, o)
	var before time.Duration
	for i := range uint64(40) {
		f := next(t, s)
		if f.ID != i || f.Status != camera.Complete {
			t.Fatalf("frame %d of the camera is %d, %v: %s", i, f.ID, f.Status, f.Cause)
		}
		for y := range f.Image.Height {
			for x, v := range f.Image.Row(y) {
				if uint64(v) != (uint64(x+y)+i)%251 {
					t.Fatalf("frame %d: pixel %d of line %d is %d", i, x, y, v)
				}
			}
		}
		if f.Counted != (i%8 != 3) {
			t.Errorf("frame %d: counted %v", i, f.Counted)
		} else if f.Counted && f.Counter != int64(count(i)) {
			t.Errorf("frame %d: counter %d; the camera sent %d", i, f.Counter, count(i))
		}
		if i > 0 && f.Device-before != 5*time.Millisecond {
			t.Errorf("frame %d comes %v after the one before, by the camera's clock; want 5 ms", i, f.Device-before)
		}
		before = f.Device
		f.Release()
	}
	if st := s.Stats(); st.MissingPackets != 0 || st.Incomplete != 0 {
		t.Errorf("frames that are shorter for want of a chunk are no loss: %+v", st)
	}
}

func TestWithoutAskingNoFrameIsCounted(t *testing.T) {
	startLine(t, fake.LineOptions{Count: func(uint64) uint32 { return 7 }})
	s := open(t, lineCamera(""))
	f := next(t, s)
	defer f.Release()
	if f.Counted || f.Device == 0 || len(f.Buffer()) != f.Image.Width*f.Image.Height {
		t.Errorf("counted %v at %v, %d bytes", f.Counted, f.Device, len(f.Buffer()))
	}
}

func TestCameraThatDoesNotSendTheChunkIsRefusedInOneSentence(t *testing.T) {
	for _, c := range []struct {
		name string
		o    fake.LineOptions
		want string
	}{
		{"ChunkEncoderValue", fake.LineOptions{Chunkless: true}, "camera top: ChunkEncoderValue is not possible; it sends no chunk data"},
		{"ChunkCounterValue", fake.LineOptions{}, "camera top: ChunkCounterValue is not possible; its chunk data has no whole number of that name"},
		{"ChunkModeActive", fake.LineOptions{}, "camera top: ChunkModeActive is not possible; its chunk data has no whole number of that name"},
		{"Width", fake.LineOptions{}, "camera top: Width is not possible; its chunks are Image, EncoderValue"},
		{"ChunkEncoderValue", fake.LineOptions{Refuses: true}, "camera top: ChunkEncoderValue is not possible; ChunkModeActive true was not taken: [ChunkModeActive] [ChunkModeReg] GigEVision write_memory error (write-protect)"},
	} {
		func() {
			o := c.o
			o.Address = lineAddress
			device, err := fake.StartLine(o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = device.Close() }()
			s, err := genicam.Open(t.Context(), lineCamera(c.name))
			if err == nil {
				_ = s.Close()
				t.Fatalf("%s was allowed", c.want)
			}
			var refused *inspection.FieldError
			if err.Error() != c.want || !errors.As(err, &refused) {
				t.Errorf("it says %q (%T); want %q", err, err, c.want)
			}
		}()
	}
}

// Aravis keeps one table of the descriptions it reads; cameras of a line are opened at once.
func TestCamerasThatAreOpenedAtOnceAllHaveTheirFeatures(t *testing.T) {
	var wg sync.WaitGroup
	for _, address := range []string{"127.0.0.44", "127.0.0.45", "127.0.0.46", "127.0.0.47"} {
		device, err := fake.StartLine(fake.LineOptions{Address: address, Serial: address})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = device.Close() }()
		wg.Go(func() {
			s, err := genicam.Open(t.Context(), genicam.Options{Camera: inspection.CameraID(address), Address: address, EncoderChunk: "ChunkEncoderValue"})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
