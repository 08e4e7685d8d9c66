package encoder

import (
	"context"
	"time"

	"github.com/coilsight/coilsight/camera"
)

// Counted puts the frames of a camera that sends its encoder's count with each on the strip's scale, to the count: a frame covers the
// strip from its own count to that of the next one, for which it waits. That is the straight way: a Track of the counts says what
// they mean (the counter's end, a single wrong one, one that somebody set), and no clock says where the strip is. A clocked camera's
// lines must follow one another over the frames' ends.
//
// A frame without a count lies between those around it, by the camera's clock. One behind which frames were lost is as long as the one
// before. A camera that was away and whose clock begins anew was without power: its counter then says nothing of the strip that passed,
// and it is put where the others on the scale say, or where the speed of before led. Where no count comes for so long that frames would pile up, they are Incomplete. Strip that stands or runs backwards is
// handled as a Source does.
type Counted struct {
	placer
	frames Frames
	track  *Track
	scale  *Scale
	clock  clock

	held   []held
	step   float64 // counts from the newest frame that was placed to the next
	joined bool
	anew   time.Time     // when the counter began anew, until it has its place; zero: it has
	took   time.Duration // a frame
	below  float64       // what the track's counts are below the scale's
}

// held is a frame that waits for the next one's count.
type held struct {
	frame *camera.Frame
	at    time.Time
}

// mostHeld bounds the frames that wait: a count may be missing in three in a row. A camera has 16 buffers.
const mostHeld = 4

// uncountedCause says why a frame could not be placed.
const uncountedCause = "the camera sent no encoder count: where the strip was is not known"

// NewCounted makes a source of frames on a scale that other cameras may share. The caller must Close it.
func NewCounted(frames Frames, o Options, s *Scale) (*Counted, error) {
	t, err := New(o)
	if err != nil {
		return nil, err
	}
	return &Counted{frames: frames, track: t, scale: s}, nil
}

// State is how things are with the camera's counter at a moment.
func (c *Counted) State(now time.Time) State { return c.track.State(now) }

// Next gives the next frame that shows new strip. It holds frames back, which Close releases.
func (c *Counted) Next(ctx context.Context) (*camera.Frame, error) {
	for {
		for len(c.held) > 1 {
			f, new, decided := c.decide()
			if !decided {
				break
			}
			c.held = c.held[:copy(c.held, c.held[1:])]
			if new {
				c.give(f)
				return f, nil
			}
			f.Release()
		}
		f, err := c.frames.Next(ctx)
		if err != nil {
			return nil, err
		}
		before := c.clock.at
		at, anew := c.clock.moment(f)
		if anew && at.Sub(before) > c.track.o.Silent { // it was without power, or is another one
			c.track.Restart()
			c.anew = at
		}
		if f.Counted {
			c.track.Add(at, f.Counter)
		}
		c.held = append(c.held, held{f, at})
	}
}

// decide places the first frame held by the next one. decided is false where a count to come will say more, new where new strip is in it.
func (c *Counted) decide() (f *camera.Frame, new, decided bool) {
	h, n := c.held[0], c.held[1]
	from, begins := c.track.At(h.at)
	to, ends := c.track.At(n.at)
	if (begins == Later || ends == Later) && len(c.held) <= mostHeld {
		return nil, false, false
	}
	c.follow(h.frame)
	switch {
	case begins != Known:
		return h.frame, c.unknown(h.frame, uncountedCause), true
	case !c.joined && (ends != Known || n.frame.ID != h.frame.ID+1): // how long it is nobody knows
		return h.frame, c.unknown(h.frame, lostCause), true
	case ends != Known:
		to = from + c.step
	case n.frame.ID != h.frame.ID+1:
		to = min(to, from+c.step)
	default:
		c.step = to - from
	}
	if !c.joined {
		c.took = n.at.Sub(h.at)
	}
	if !c.joined || !c.anew.IsZero() && !h.at.Before(c.anew) {
		c.joined, c.anew = true, time.Time{}
		c.below = c.scale.join(c.track, from, h.at.Add(-c.took), c.took)
	}
	line := (to - from) / float64(h.frame.Image.Height)
	return h.frame, c.lay(h.frame, from+c.below, to+c.below, func(y int) (float64, bool) {
		return from + c.below + float64(y)*line, true
	}), true
}

// Close releases the frames held back. It may be called once nobody is in Next.
func (c *Counted) Close() {
	for _, h := range c.held {
		h.frame.Release()
	}
	c.held = nil
}
