package encoder

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

const (
	lines    = 256
	lineRate = 20_000.0 // lines a second
	// stripWidth in pixels.
	stripWidth = 128
)

// clocked is a camera that takes frames by its own clock, and the encoder beside it: both see the strip where at says it is.
type clocked struct {
	pool   *camera.Pool
	track  *Track
	at     func(seconds float64) float64 // counts
	n      int
	frames int
	lose   map[int]bool
	polled float64 // seconds up to which the encoder was read
	poll   func(seconds float64) (counts int64, ok bool)
	gap    func() float64 // to the next poll
	draw   func(m inspection.LineImage, ends float64)
}

func newClocked(t testing.TB, frames int, at func(seconds float64) float64) *clocked {
	t.Helper()
	pool, err := camera.NewPool("top", 4, stripWidth*lines)
	if err != nil {
		t.Fatal(err)
	}
	c := &clocked{
		pool: pool, track: newTrack(t, Options{}), at: at, frames: frames, gap: func() float64 { return 0.02 },
		poll: func(s float64) (int64, bool) { return int64(math.Round(at(s))), true },
	}
	return c
}

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

func (c *clocked) Next(context.Context) (*camera.Frame, error) {
	for {
		if c.n == c.frames {
			return nil, io.EOF
		}
		id := c.n
		c.n++
		ends := float64(c.n) * lines / lineRate
		for ; c.polled < ends+0.1; c.polled += c.gap() {
			if raw, ok := c.poll(c.polled); ok {
				c.track.Add(at(c.polled), raw)
			}
		}
		if c.lose[id] {
			continue
		}
		f := c.pool.Get()
		f.Fit(stripWidth, lines)
		if c.draw != nil {
			c.draw(f.Image, ends)
		}
		f.ID, f.Arrived = uint64(id), at(ends)
		return f, nil
	}
}

// placed is what a test keeps of a frame.
type placed struct {
	ID             uint64
	Span           inspection.EncoderSpan
	Status         camera.Status
	Cause, Missing string
	Arrived        time.Time
	lines          int
}

// spansOf are the frames of a source to its end. They never overlap.
func spansOf(t *testing.T, s interface {
	Next(ctx context.Context) (*camera.Frame, error)
},
) (frames []placed) {
	t.Helper()
	high := inspection.EncoderCount(math.MinInt64)
	for {
		f, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.Span.From < high || f.Span.To < f.Span.From {
			t.Fatalf("frame %d covers %v, and %d was given already", f.ID, f.Span, high)
		}
		high = f.Span.To
		frames = append(frames, placed{f.ID, f.Span, f.Status, f.Cause, f.Missing, f.Arrived, f.Image.Height})
		f.Release()
	}
}

// run gives the spans.
func (c *clocked) run(t *testing.T) (frames []placed, s *Source) {
	t.Helper()
	s = NewSource(c, c.track, SourceOptions{LineRate: lineRate, Wait: time.Millisecond})
	return spansOf(t, s), s
}

// whole checks that the frames follow one another without a hole, and gives what they cover.
func whole(t *testing.T, frames []placed) (counts inspection.EncoderCount) {
	t.Helper()
	for i, f := range frames {
		if f.ID != uint64(i) || f.Status != camera.Complete {
			t.Fatalf("frame %d has id %d and status %v", i, f.ID, f.Status)
		}
		if i > 0 && f.Span.From != frames[i-1].Span.To {
			t.Fatalf("frame %d begins at %d; the one before ended at %d", i, f.Span.From, frames[i-1].Span.To)
		}
	}
	return frames[len(frames)-1].Span.To - frames[0].Span.From
}

func TestFramesCoverTheStripThatRan(t *testing.T) {
	for name, at := range map[string]func(float64) float64{
		"steady":       func(s float64) float64 { return 10_000 * s },
		"speeding up":  func(s float64) float64 { return 2500 * s * s },
		"slowing down": func(s float64) float64 { return 20_000*s - 2000*s*s },
	} {
		c := newClocked(t, 200, at)
		frames, s := c.run(t)
		got, want := float64(whole(t, frames)), at(200*lines/lineRate)-at(0)
		if math.Abs(got-want) > 0.01*want+150 || s.Unplaced() > 1 {
			t.Errorf("%s: %.0f counts are covered, %.0f ran; %d frames could not be placed", name, got, want, s.Unplaced())
		}
	}
}

func TestStandingStripLosesNothing(t *testing.T) {
	c := newClocked(t, 300, func(s float64) float64 { // a second's stop
		return 10_000 * (min(s, 1) + max(0, s-2))
	})
	frames, s := c.run(t)
	whole(t, frames)
	if s.Idle() < 60 {
		t.Errorf("%d frames were let go, want those of a second's stop", s.Idle())
	}
}

func TestStripThatRunsBackwardsIsNotSeenTwice(t *testing.T) {
	c := newClocked(t, 400, func(s float64) float64 { // forwards, a second back, forwards again
		switch {
		case s < 2:
			return 10_000 * s
		case s < 3:
			return 20_000 - 5_000*(s-2)
		}
		return 15_000 + 10_000*(s-3)
	})
	frames, s := c.run(t)
	got, want := float64(whole(t, frames)), 15_000+10_000*(400*lines/lineRate-3)
	if math.Abs(got-want) > 300 {
		t.Errorf("%.0f counts are covered; the strip that passed is %.0f long", got, want)
	}
	if s.Idle() < 100 {
		t.Errorf("%d frames were let go, want those of the way back and forth", s.Idle())
	}
}

func TestLostFramesAreMissingStrip(t *testing.T) {
	c := newClocked(t, 100, func(s float64) float64 { return 10_000 * s })
	c.lose = map[int]bool{40: true, 41: true, 42: true}
	frames, _ := c.run(t)
	holes, ids := inspection.EncoderCount(0), uint64(0)
	for i := 1; i < len(frames); i++ {
		hole := frames[i].Span.From - frames[i-1].Span.To
		holes, ids = holes+hole, ids+frames[i].ID-frames[i-1].ID-1
		if hole > 0 && frames[i].Missing == "" {
			t.Error("the frame behind the hole does not say why")
		}
	}
	if want := 3 * 10_000 * lines / lineRate; math.Abs(float64(holes)-want) > 3 || ids != 3 {
		t.Errorf("%d counts and %d frames are missing, want %.0f and 3", holes, ids, want)
	}
}

func TestSilentEncoderLeavesAHoleAndFramesThatSaySo(t *testing.T) {
	strip := func(s float64) float64 { return 10_000 * s }
	c := newClocked(t, 300, strip)
	c.poll = func(s float64) (int64, bool) { return int64(strip(s)), s < 1.5 || s > 2.6 }
	frames, s := c.run(t)
	incomplete, hole := 0, inspection.EncoderCount(0)
	for i, f := range frames {
		if f.Status == camera.Incomplete {
			incomplete++
			if f.Span.Len() != 0 || f.Cause != silentCause {
				t.Errorf("frame %d covers %v and says %q", i, f.Span, f.Cause)
			}
		}
		if i > 0 {
			hole += f.Span.From - frames[i-1].Span.To
		}
	}
	if incomplete < 60 || uint64(incomplete) > s.Unplaced() {
		t.Errorf("%d frames say that the encoder was silent, %d could not be placed", incomplete, s.Unplaced())
	}
	if hole < 10_000 || hole > 12_000 {
		t.Errorf("%d counts are missing, want the 1.1 s that nobody counted", hole)
	}
}

// An encoder whose coupling has slipped stands while the strip runs: the pictures say so.
func TestEncoderThatStallsIsToldByThePictures(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	texture := make([]float64, 1<<16) // along, correlated over some lines
	for i := 1; i < len(texture); i++ {
		texture[i] = 0.8*texture[i-1] + 5*r.NormFloat64()
	}
	for name, c := range map[string]struct {
		strip func(s float64) float64 // counts that really pass
		want  bool
	}{
		"stall": {func(s float64) float64 { return 10_000 * s }, true},
		"stop":  {func(s float64) float64 { return 10_000 * min(s, 1) }, false},
	} {
		k := newClocked(t, 240, func(s float64) float64 { return 10_000 * min(s, 1) }) // what the encoder says
		k.draw = func(m inspection.LineImage, ends float64) {
			for y := range m.Height {
				at := int(c.strip(ends - float64(m.Height-1-y)/lineRate))
				for x := range m.Width {
					m.Pix[y*m.Stride+x] = byte(120 + texture[(at+977*x)%len(texture)] + 3*r.NormFloat64())
				}
			}
		}
		frames, s := k.run(t)
		incomplete := 0
		for _, f := range frames {
			if f.Cause == stalledCause {
				incomplete++
			}
		}
		if s.Stalled() != c.want || (incomplete > 100) != c.want {
			t.Errorf("%s: stalled %v, %d frames say so; want %v", name, s.Stalled(), incomplete, c.want)
		}
	}
}

// A thousand metres at half a millimetre a count: ramps, stops and two reversals, an encoder that is read every 20 ms with a
// count of noise and milliseconds of jitter, and a camera by its own clock.
func TestPlacesAlongAThousandMetresAreRightToMillimetres(t *testing.T) {
	const mm = 0.5
	r := rand.New(rand.NewPCG(3, 1))
	type leg struct{ seconds, from, to float64 } // m/s
	legs := []leg{{8, 0, 8}, {20, 8, 8}, {6, 8, 15}, {30, 15, 15}, {5, 15, 0}, {4, 0, 0}, {2, 0, -1}, {2, -1, 0}, {6, 0, 12}, {20, 12, 12}, {3, 12, 2}, {5, 2, 2}, {1, 2, -0.5}, {1, -0.5, 0}, {6, 0, 10}, {15, 10, 10}, {4, 10, 0}}
	strip := func(s float64) float64 { // counts
		m := 0.0
		for _, l := range legs {
			d := min(s, l.seconds)
			m += l.from*d + (l.to-l.from)/l.seconds*d*d/2
			if s -= d; s <= 0 {
				break
			}
		}
		return m * 1000 / mm
	}
	total := 0.0
	for _, l := range legs {
		total += l.seconds
	}
	c := newClocked(t, int(total*lineRate/lines), strip)
	c.poll = func(s float64) (int64, bool) { return int64(math.Round(strip(s))) + int64(r.IntN(3)) - 1, true }
	c.gap = func() float64 { return 0.02 + 0.004*(r.Float64()-0.5) }
	frames, _ := c.run(t)
	offset := strip(0)
	var errors []float64
	mean := 0.0
	for _, f := range frames {
		if f.Status != camera.Complete {
			continue
		}
		// Where was the strip when a line was taken, and where does the span say that it was?
		for _, y := range []float64{0.05, 0.25, 0.5, 0.75, 1} {
			taken := f.Arrived.Sub(start).Seconds() - (1-y)*float64(f.lines)/lineRate
			e := mm * (float64(f.Span.From) + y*float64(f.Span.Len()) - (strip(taken) - offset))
			errors = append(errors, math.Abs(e))
			mean += e
		}
	}
	mean /= float64(len(errors))
	slices.Sort(errors)
	ran := mm / 1000 * float64(frames[len(frames)-1].Span.To)
	p99, most := errors[len(errors)*99/100], errors[len(errors)-1]
	t.Logf("%.0f m, %d places: mean %+.2f mm, 99 %% within %.2f mm, most %.2f mm", ran, len(errors), mean, p99, most)
	if ran < 1000 {
		t.Fatalf("only %.0f m ran", ran)
	}
	if math.Abs(mean) > 1 || most > 5 {
		t.Errorf("places are off by %.2f mm in the mean and %.2f mm at most; allowed are 5", mean, most)
	}
}
