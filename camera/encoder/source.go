package encoder

import (
	"context"
	"math"
	"sort"
	"sync/atomic"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// Frames is where frames come from.
type Frames interface {
	Next(ctx context.Context) (*camera.Frame, error)
}

// SourceOptions describe a camera that runs by a clock of its own.
type SourceOptions struct {
	LineRate float64       // scan lines a second
	Latency  time.Duration // from a frame's last line to its arrival
	Wait     time.Duration // for the encoder's reading; 0 stands for 200 ms
}

const defaultWait = 200 * time.Millisecond

// Source puts the frames of a camera that runs by a clock of its own on the encoder's scale: a frame covers the strip that ran
// while its lines were taken. A frame in which nothing new passed, since the strip stands or runs backwards, is let go: no strip
// is lost with it. One that the encoder says nothing of is Incomplete and covers nothing; the strip that passed meanwhile is missing
// before the next.
type Source struct {
	frames Frames
	track  *Track
	o      SourceOptions

	begun  bool
	next   uint64                  // id of the next frame
	given  uint64                  // id that the camera gave the frame before
	high   inspection.EncoderCount // the farthest strip that was given
	blind  bool                    // strip before the next frame may be missing
	moving int                     // frames in a row that show motion while the encoder stands
	stalls atomic.Bool
	idle   atomic.Uint64
	silent atomic.Uint64
}

// NewSource makes a source of frames on a track's scale.
func NewSource(frames Frames, t *Track, o SourceOptions) *Source {
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	return &Source{frames: frames, track: t, o: o}
}

// Idle counts the frames in which no new strip passed, Unplaced those of which the encoder said nothing.
func (s *Source) Idle() uint64 { return s.idle.Load() }

// Unplaced counts the frames that could not be placed, since the encoder was silent or had jumped.
func (s *Source) Unplaced() uint64 { return s.silent.Load() }

// Stalled tells that the pictures show the strip moving while the encoder stands.
func (s *Source) Stalled() bool { return s.stalls.Load() }

const (
	stalledCause = "the encoder stands while the picture shows the strip moving: how much passed is not known"
	silentCause  = "the encoder was silent or had jumped: where the strip was is not known"
	lostCause    = "frames were lost, or the encoder was silent"
)

// Next gives the next frame that shows new strip.
func (s *Source) Next(ctx context.Context) (*camera.Frame, error) {
	for {
		f, err := s.frames.Next(ctx)
		if err != nil {
			return nil, err
		}
		if s.begun && f.ID > s.given+1 {
			s.next += f.ID - s.given - 1
			s.blind = true
		}
		s.given = f.ID
		if s.place(ctx, f) {
			f.ID = s.next
			s.next++
			s.begun = true
			return f, nil
		}
		f.Release()
	}
}

// place sets a frame's span. It is false where no new strip is in it.
func (s *Source) place(ctx context.Context, f *camera.Frame) bool {
	last := f.Arrived.Add(-s.o.Latency)
	first := last.Add(-time.Duration(float64(f.Image.Height) / s.o.LineRate * float64(time.Second)))
	to, known := s.at(ctx, last)
	from, knownFirst := s.at(ctx, first)
	if !known || !knownFirst {
		s.silent.Add(1)
		s.blind = true
		f.Status, f.Cause = camera.Incomplete, silentCause
		f.Span = inspection.EncoderSpan{From: s.high, To: s.high}
		return s.begun // before the first frame that can be placed there is no strip to lose
	}
	end := inspection.EncoderCount(math.Floor(to))
	begin := inspection.EncoderCount(math.Floor(from))
	if s.begun && !s.blind {
		begin = min(s.high, end) // frames follow one another; what their clocks differ is a line
	}
	if s.begun && begin < s.high {
		begin = s.high // the strip ran backwards before: this much was seen
	}
	if end <= begin {
		return s.standing(f, end < s.high)
	}
	if s.begun && float64(s.high)-from > again {
		s.cut(f, first, last)
	}
	s.moving = 0
	s.stalls.Store(false)
	if s.begun && begin > s.high {
		f.Missing = lostCause
	}
	f.Span = inspection.EncoderSpan{From: begin, To: end}
	s.high, s.blind = end, false
	return true
}

// again is how many counts of a frame may have been seen before: its clock and the encoder's readings are off by some.
const again = 8

// cut leaves out the lines of a frame that show strip which was seen before it ran backwards.
func (s *Source) cut(f *camera.Frame, first, last time.Time) {
	line := last.Sub(first) / time.Duration(f.Image.Height)
	y := sort.Search(f.Image.Height-1, func(y int) bool {
		count, what := s.track.At(first.Add(time.Duration(y) * line))
		return what == Known && count >= float64(s.high)
	})
	f.Image.Pix = f.Image.Pix[y*f.Image.Stride:]
	f.Image.Height -= y
	f.Seam = true // the lines before it are other strip
}

// stalledFrames in a row that show motion are no jolt of a strip that stands.
const stalledFrames = 20

// standing judges a frame in which no new strip passed by the encoder. Where the pictures go on to show motion, it is the encoder that
// stands: the frame then is Incomplete. It is false where the frame may be let go. A strip that runs backwards moves, and that is known.
func (s *Source) standing(f *camera.Frame, backwards bool) bool {
	if backwards || !moves(f.Image) {
		s.moving = 0
		s.stalls.Store(false)
	} else if s.moving++; s.moving >= stalledFrames {
		s.stalls.Store(true)
		f.Status, f.Cause = camera.Incomplete, stalledCause
		f.Span = inspection.EncoderSpan{From: s.high, To: s.high}
		return s.begun
	}
	s.idle.Add(1)
	return false
}

// moves tells whether strip moves in a picture: what a column sees then changes slowly from line to line, and far in all. Of strip that
// stands a column sees the same, but for noise, which changes as much from one line to the next as it does in all.
func moves(m inspection.LineImage) bool {
	const (
		every = 16 // columns
		least = 1.5
	)
	var steps, all float64
	for x := 0; x < m.Width; x += every {
		sum, square := 0.0, 0.0
		for y := range m.Height {
			v := float64(m.Pix[y*m.Stride+x])
			sum += v
			square += v * v
			if y > 0 {
				d := v - float64(m.Pix[(y-1)*m.Stride+x])
				steps += d * d / 2
			}
		}
		n := float64(m.Height)
		all += square - sum*sum/n
	}
	return all > least*steps+float64(m.Height*m.Width/every)/4 // a quarter of a grey level squared: rounding
}

// at waits for the encoder to have come to a moment.
func (s *Source) at(ctx context.Context, at time.Time) (float64, bool) {
	const pause = 2 * time.Millisecond
	until := time.Now().Add(s.o.Wait)
	for {
		count, what := s.track.At(at)
		if what != Later {
			return count, what == Known
		}
		if ctx.Err() != nil || time.Now().After(until) || s.track.State(time.Now()).Motion == Silent {
			return 0, false
		}
		time.Sleep(pause)
	}
}
