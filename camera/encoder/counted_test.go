package encoder

import (
	"context"
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// counting is a camera that sends its encoder's count with each frame, 10 ms apart by its own clock.
type counting struct {
	pool   *camera.Pool
	frames int
	count  func(n int) int64
	drop   func(n int) (lost, uncounted bool)
	late   func(n int) time.Duration // how long a frame is under way
	reset  int                       // frame with which the camera's clock and counter begin anew; 0: none
	n      int
}

func newCounting(t testing.TB, frames int, count func(n int) int64) *counting {
	t.Helper()
	pool, err := camera.NewPool("top", mostHeld+2, stripWidth*lines)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return &counting{
		pool: pool, frames: frames, count: count,
		drop: func(int) (bool, bool) { return false, false }, late: func(int) time.Duration { return 0 },
	}
}

func (c *counting) Next(context.Context) (*camera.Frame, error) {
	for ; c.n < c.frames; c.n++ {
		lost, uncounted := c.drop(c.n)
		if lost {
			continue
		}
		f := c.pool.Get()
		f.Fit(stripWidth, lines)
		f.ID, f.Device = uint64(c.n), time.Hour+time.Duration(c.n)*10*time.Millisecond
		f.Arrived = after(10*c.n + 10).Add(c.late(c.n))
		if !uncounted {
			f.Counter, f.Counted = c.count(c.n), true
		}
		if c.reset > 0 && c.n >= c.reset {
			f.Device -= time.Hour + time.Duration(c.reset-1)*10*time.Millisecond
			f.Counter -= c.count(c.reset)
		}
		c.n++
		return f, nil
	}
	return nil, io.EOF
}

// take gives all frames, and checks that none covers strip that was given.
func (c *counting) take(t *testing.T, o Options, scale *Scale) (frames []placed, s *Counted) {
	t.Helper()
	if o.MaxPerSecond == 0 {
		o.MaxPerSecond = 60_000
	}
	s, err := NewCounted(c, o, scale)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return spansOf(t, s), s
}

func span(from, to inspection.EncoderCount) inspection.EncoderSpan {
	return inspection.EncoderSpan{From: from, To: to}
}

func TestFrameIsPlacedByItsOwnCountToTheCount(t *testing.T) {
	for name, o := range map[string]struct {
		Options
		start int64
	}{
		"over the end of 32 bits": {Options{Bits: 32}, math.MaxUint32 - 5000},
		"over the end of 16 bits": {Options{Bits: 16}, math.MaxUint16 - 5000},
		"falling":                 {Options{Bits: 32, Reverse: true}, 5000},
		"without end":             {Options{}, math.MaxUint32 - 5000},
	} {
		strip := func(n int) int64 { return int64(3*n) * int64(n) / 2 } // speeding up
		c := newCounting(t, 100, func(n int) int64 {
			d := strip(n)
			if o.Reverse {
				d = -d
			}
			raw := o.start + d
			if o.Bits != 0 {
				raw &= 1<<o.Bits - 1
			}
			return raw
		})
		// Frames that the host takes late, all at once, are where they are all the same.
		c.late = func(n int) time.Duration {
			if n >= 60 && n < 75 {
				return time.Duration(75-n) * 10 * time.Millisecond
			}
			return time.Duration(n*7%5) * time.Millisecond
		}
		frames, s := c.take(t, o.Options, &Scale{})
		if whole(t, frames); len(frames) != 99 { // the last one waits for another
			t.Fatalf("%s: %d frames", name, len(frames))
		}
		for i, f := range frames {
			if want := span(inspection.EncoderCount(strip(i)), inspection.EncoderCount(strip(i+1))); f.Span != want {
				t.Errorf("%s: frame %d covers %v; want %v", name, i, f.Span, want)
			}
		}
		if st := s.State(frames[98].Arrived); st.Jumps != 0 || st.Outliers != 0 || st.Motion != Running {
			t.Errorf("%s: %+v", name, st)
		}
	}
}

func TestStripThatStopsAndRunsBackIsCountedOnce(t *testing.T) {
	at := []int64{0, 100, 200, 200, 200, 200, 150, 50, 50, 120, 180, 250, 350, 450}
	c := newCounting(t, len(at), func(n int) int64 { return at[n] })
	frames, s := c.take(t, Options{}, &Scale{})
	var spans []inspection.EncoderSpan
	for _, f := range frames {
		spans = append(spans, f.Span)
	}
	if want := []inspection.EncoderSpan{span(0, 100), span(100, 200), span(200, 250), span(250, 350), span(350, 450)}; !slices.Equal(spans, want) {
		t.Errorf("frames cover %v; want %v", spans, want)
	}
	// The frame from 180 to 250 showed 20 of its 70 counts before: 73.1 of 256 lines.
	if whole(t, frames); frames[2].lines != lines-74 || s.Idle() != 8 {
		t.Errorf("%d lines are left and %d frames were let go; want %d and 8", frames[2].lines, s.Idle(), lines-74)
	}
}

func TestFrameWithoutACountLiesBetweenItsNeighbours(t *testing.T) {
	c := newCounting(t, 40, func(n int) int64 { return int64(100 * n) })
	c.drop = func(n int) (bool, bool) { return false, n == 5 || n >= 10 && n < 13 }
	frames, _ := c.take(t, Options{}, &Scale{})
	whole(t, frames)
	for i, f := range frames {
		// By the camera's clock, whose microseconds are rounded.
		if d := f.Span.From - inspection.EncoderCount(100*i); d < -1 || d > 0 {
			t.Errorf("frame %d covers %v", i, f.Span)
		}
	}
}

func TestFramesWithoutCountsForLongSaySo(t *testing.T) {
	c := newCounting(t, 60, func(n int) int64 { return int64(100 * n) })
	c.drop = func(n int) (bool, bool) { return false, n >= 20 && n < 40 }
	frames, s := c.take(t, Options{}, &Scale{})
	said, hole := 0, inspection.EncoderCount(0)
	for i, f := range frames {
		if f.Status == camera.Incomplete {
			said++
			if f.Cause != uncountedCause || f.Span.Len() != 0 {
				t.Errorf("frame %d covers %v and says %q", f.ID, f.Span, f.Cause)
			}
		}
		if i > 0 {
			gap := f.Span.From - frames[i-1].Span.To
			if hole += gap; gap > 0 && f.Missing == "" {
				t.Errorf("frame %d does not say why strip before it is missing", f.ID)
			}
		}
	}
	// The last few are known once the next count comes.
	if said < 16 || said > 18 || hole != inspection.EncoderCount(100*said) || s.Unplaced() != uint64(said) {
		t.Errorf("%d frames say so, %d counts are missing, %d could not be placed", said, hole, s.Unplaced())
	}
}

func TestFramesLostBetweenCountsAreMissingToTheCount(t *testing.T) {
	c := newCounting(t, 40, func(n int) int64 { return int64(100 * n) })
	c.drop = func(n int) (bool, bool) { return n >= 20 && n < 23, false }
	frames, _ := c.take(t, Options{}, &Scale{})
	if f, g := frames[19], frames[20]; f.Span != span(1900, 2000) || g.Span != span(2300, 2400) || g.ID != 23 || g.Missing == "" {
		t.Errorf("around three lost frames lie %+v and %+v", f, g)
	}
}

func TestCounterThatIsSetMovesNoStrip(t *testing.T) {
	c := newCounting(t, 60, func(n int) int64 {
		if n >= 30 {
			return int64(100*n) - 2_000_000
		}
		return int64(100 * n)
	})
	frames, s := c.take(t, Options{}, &Scale{})
	if st := s.State(frames[len(frames)-1].Arrived); st.Jumps != 1 {
		t.Errorf("%+v", st)
	}
	if end := frames[len(frames)-1].Span.To; end < 5850 || end > 5950 {
		t.Errorf("the strip ends at %d; want some 5,900", end)
	}
}

func TestSecondCameraIsPutWhereTheFirstSaysTheStripIs(t *testing.T) {
	strip := func(n int) int64 { return int64(max(0, n-20)) * 100 } // stands for 200 ms
	for from, most := range map[int]inspection.EncoderCount{0: 0, 50: 15} {
		scale := &Scale{}
		first := newCounting(t, 100, func(n int) int64 { return strip(n) + 12_345 })
		a, _ := first.take(t, Options{}, scale)
		// The second has another zero, and its frames come a millisecond later; it is there while the strip stands, or in mid-run.
		second := newCounting(t, 100, func(n int) int64 { return strip(n) - 777 })
		second.n = from
		second.late = func(int) time.Duration { return time.Millisecond }
		b, _ := second.take(t, Options{}, scale)
		if d := b[len(b)-1].Span.To - a[len(a)-1].Span.To; d < -most || d > most {
			t.Errorf("from frame %d on the second camera is off by %d counts; a millisecond is 10", from, d)
		}
	}
}

// A camera that lost its power for a minute counts from zero again. That is no strip that ran back, which would be let go.
func TestCameraThatWasWithoutPowerIsPutWhereTheOthersAre(t *testing.T) {
	strip := func(n int) int64 { return 100 * int64(min(n, 100)+max(0, n-5000)) } // stands for most of the minute
	for others, want := range map[bool][2]inspection.EncoderCount{true: {110_000 - 20, 110_000 + 20}, false: {500_000, 700_000}} {
		scale := &Scale{}
		if others {
			whole := newCounting(t, 6105, strip)
			whole.take(t, Options{}, scale)
		}
		c := newCounting(t, 6100, strip)
		c.drop = func(n int) (bool, bool) { return n > 100 && n < 6000, false }
		c.reset = 6000
		frames, s := c.take(t, Options{}, scale)
		first := slices.IndexFunc(frames, func(f placed) bool { return f.ID >= 6000 })
		if first < 0 || len(frames)-first < 98 || frames[first].Missing == "" || frames[first].Status != camera.Complete {
			t.Fatalf("others %v: of 99 frames after it %d were given", others, len(frames)-first)
		}
		if from := frames[first].Span.From; from < want[0] || from > want[1] {
			t.Errorf("others %v: it goes on at %d; want %v", others, from, want)
		}
		if st := s.State(frames[len(frames)-1].Arrived); st.Jumps != 1 {
			t.Errorf("others %v: %+v", others, st)
		}
	}
}
