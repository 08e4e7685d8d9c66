package mill

import (
	"iter"
	"math"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// clock tells when the strip has come how far: threading speed at head and tail and in the gap,
// steady acceleration to the full speed, and the stops.
type clock struct {
	o        Options
	line     *timeline
	cur      *coil // at the cameras or gone by; nil before the first
	upcoming *coil
	stops    int // of cur, that are over
	now      float64
}

// leg is a piece of time at one speed.
type leg struct {
	until time.Duration // from the start of the run
	speed float64       // m/s
}

func newClock(o Options) *clock {
	c := &clock{o: o, line: newTimeline(o)}
	c.upcoming = c.line.next()
	return c
}

// running reports whether a frame from a count on has anything left to show.
func (c *clock) running(from inspection.EncoderCount) bool {
	return c.upcoming != nil || from < c.cur.next()
}

// legs is how the strip runs over a span: at one speed, or in three pieces around a stop.
func (c *clock) legs(span inspection.EncoderSpan) iter.Seq[leg] {
	return func(yield func(leg) bool) {
		for c.upcoming != nil && span.From >= c.upcoming.start {
			c.cur, c.upcoming, c.stops = c.upcoming, c.line.next(), 0
		}
		metres := float64(span.Len()) * float64(c.o.MMPerCount) / 1000
		v := c.speed(span.From + span.Len()/2)
		if c.cur != nil && c.stops < len(c.cur.stops) {
			s := c.cur.stops[c.stops]
			if at := c.cur.start + inspection.EncoderCount(s.line); at >= span.From && at < span.To {
				c.stops++
				share := float64(at-span.From) / float64(span.Len())
				c.now += share * metres / v
				if !yield(c.leg(v)) {
					return
				}
				c.now += s.seconds
				if !yield(c.leg(0)) {
					return
				}
				c.now += (1 - share) * metres / v
				yield(c.leg(v))
				return
			}
		}
		c.now += metres / v
		yield(c.leg(v))
	}
}

func (c *clock) leg(v float64) leg {
	return leg{until: time.Duration(c.now * float64(time.Second)), speed: v}
}

// speed in m/s at a count.
func (c *clock) speed(at inspection.EncoderCount) float64 {
	slow, full := c.o.ThreadingSpeed, c.o.Speed
	if c.cur == nil || at >= c.cur.end() || at < c.cur.start {
		return slow
	}
	metres := func(lines int64) float64 { return float64(lines) * float64(c.o.MMPerCount) / 1000 }
	line := int64(at - c.cur.start)
	length := metres(c.cur.lines)
	rampLength := min(20, length/4)
	threaded := min(3, length/8) // run at threading speed at either end
	v := func(run, from float64) float64 {
		return math.Sqrt(from*from + (full*full-from*from)*min(1, max(0, run/rampLength)))
	}
	fast := min(v(metres(line)-threaded, slow), v(length-metres(line)-threaded, slow))
	for _, s := range c.cur.stops {
		fast = min(fast, v(math.Abs(metres(line-s.line)), min(0.3, slow)))
	}
	return fast
}
