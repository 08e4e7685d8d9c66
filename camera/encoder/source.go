package encoder

import (
	"context"
	"time"

	"github.com/coilsight/coilsight/camera"
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
	placer
	frames Frames
	track  *Track
	o      SourceOptions
}

// NewSource makes a source of frames on a track's scale.
func NewSource(frames Frames, t *Track, o SourceOptions) *Source {
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	return &Source{frames: frames, track: t, o: o}
}

// Next gives the next frame that shows new strip.
func (s *Source) Next(ctx context.Context) (*camera.Frame, error) {
	for {
		f, err := s.frames.Next(ctx)
		if err != nil {
			return nil, err
		}
		s.follow(f)
		if s.place(ctx, f) {
			s.give(f)
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
		return s.unknown(f, silentCause)
	}
	line := last.Sub(first) / time.Duration(f.Image.Height)
	return s.lay(f, from, to, func(y int) (float64, bool) {
		count, what := s.track.At(first.Add(time.Duration(y) * line))
		return count, what == Known
	})
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
