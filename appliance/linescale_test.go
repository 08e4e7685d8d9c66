package appliance

import (
	"testing"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// Frames of 256 lines come each 20 ms; a busy machine takes two of them late and at once.
func TestCamerasAreOnOneScaleThoughFramesComeAtOnce(t *testing.T) {
	began := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	frame := func(n int, late time.Duration) *camera.Frame {
		f := &camera.Frame{}
		f.Span = inspection.EncoderSpan{From: inspection.EncoderCount(256 * (n - 1)), To: inspection.EncoderCount(256 * n)}
		f.Arrived = began.Add(time.Duration(n)*20*time.Millisecond + late)
		return f
	}
	for _, c := range []struct {
		name   string
		frames int
		within inspection.EncoderCount
	}{
		{"after a second", 50, 256},
		{"after three frames, which tell no speed", 3, 256 * 6}, // what ran since the newest of them
	} {
		var s lineScale
		for n := 1; n <= c.frames; n++ {
			late := time.Duration(0)
			if n == c.frames-1 {
				late = 20*time.Millisecond - 500*time.Microsecond
			}
			s.saw(frame(n, late))
		}
		// The other camera's first frame arrives 100 ms later; its lines count from 0.
		other := frame(1, 0)
		other.Arrived = frame(c.frames+5, 0).Arrived
		want := inspection.EncoderCount(256 * (c.frames + 5 - 1))
		if off := s.offset(other); off < want-c.within || off > want+c.within {
			t.Errorf("%s: moved by %d counts, want %d within %d", c.name, off, want, c.within)
		}
	}
}

func TestTheSpeedOfTheScaleForgetsWhatIsLongAgo(t *testing.T) {
	began := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	var s lineScale
	to := inspection.EncoderCount(0)
	for n := range 3000 { // a minute: half of it at a tenth of the speed
		step := inspection.EncoderCount(1000)
		if n < 1500 {
			step = 100
		}
		to += step
		f := &camera.Frame{Arrived: began.Add(time.Duration(n) * 20 * time.Millisecond)}
		f.Span = inspection.EncoderSpan{From: to - step, To: to}
		s.saw(f)
	}
	other := &camera.Frame{Arrived: began.Add(3000 * 20 * time.Millisecond)}
	if off := s.offset(other); off != to+1000 {
		t.Errorf("moved by %d counts, want %d", off, to+1000)
	}
	if len(s.frames) > 52 {
		t.Errorf("%d frames are remembered of a second's 50", len(s.frames))
	}
}
