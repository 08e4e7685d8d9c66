package encoder

import (
	"fmt"
	"math"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Disagreement is how a camera's lines and the encoder differ.
type Disagreement string

// Disagreements. A stall is named after the one that stands.
const (
	Drift          Disagreement = "drift"           // more or fewer lines a count than there should be
	EncoderStalled Disagreement = "encoder stalled" // lines come, counts do not
	CameraStalled  Disagreement = "camera stalled"  // counts come, lines do not: no trigger arrives
	Apart          Disagreement = "jump"            // between two readings one went much further
)

// Finding is a disagreement that began.
type Finding struct {
	Kind Disagreement
	At   time.Time
	// Span is the encoder's counts over which it was found.
	Span inspection.EncoderSpan
	Text string // one sentence
}

// CheckOptions of a check. A zero field takes the default named beside it. Lengths are in counts.
type CheckOptions struct {
	DriftPercent float64                 // 1: how far the lines of a window may be off
	Window       inspection.EncoderCount // 20,000: the drift is taken over it; long enough that the readings' moments do not matter
	Stall        inspection.EncoderCount // 2,000: how far one may go while the other stands
	Jump         inspection.EncoderCount // 10,000: how far both may be apart after one step
}

// Check compares a camera that the encoder triggers, whose line counter is the strip's position, with
// the encoder; or two cameras' line counters, one taken for the encoder. It is for one caller at a time.
type Check struct {
	o     CheckOptions
	ratio float64 // lines a count

	began        bool
	lines        int64
	count        inspection.EncoderCount
	from         advance // where the window began
	ran          advance // since one of them stood: what the other did
	drifts       bool    // a drift was told and is not over
	encoderStuck bool
	cameraStuck  bool
}

// advance is how far each of the two went.
type advance struct {
	lines int64
	count inspection.EncoderCount
}

// NewCheck makes a check of a camera that should take so many lines a count (a multiplier over a divider
// of its trigger). Values that are not possible are refused in one sentence.
func NewCheck(linesPerCount float64, o CheckOptions) (*Check, error) {
	if o.DriftPercent == 0 {
		o.DriftPercent = 1
	}
	if o.Window == 0 {
		o.Window = 20000
	}
	if o.Stall == 0 {
		o.Stall = 2000
	}
	if o.Jump == 0 {
		o.Jump = 10000
	}
	switch {
	case !(linesPerCount > 0) || linesPerCount > 1e6:
		return nil, fmt.Errorf("encoder: %g lines a count are not possible; allowed is more than 0 up to 1e6", linesPerCount)
	case !(o.DriftPercent > 0) || o.DriftPercent >= 100:
		return nil, fmt.Errorf("encoder: a drift of %g %% is not possible; allowed is more than 0 and less than 100", o.DriftPercent)
	case o.Window < 1 || o.Stall < 1 || o.Jump < 1:
		return nil, fmt.Errorf("encoder: a check over %d counts, a stall of %d and a jump of %d are not possible; each must be at least 1", o.Window, o.Stall, o.Jump)
	}
	return &Check{o: o, ratio: linesPerCount}, nil
}

// Add takes both at one moment: the camera's line counter after a frame, and the encoder's count then (a
// track's At of the frame's time). found tells that a disagreement begins; while it lasts it is not told again.
func (c *Check) Add(at time.Time, lines int64, count inspection.EncoderCount) (f Finding, found bool) {
	if !c.began {
		c.began, c.lines, c.count = true, lines, count
		c.from = advance{lines, count}
		return f, false
	}
	f.At, f.Span = at, inspection.EncoderSpan{From: c.count, To: max(c.count, count)}
	dl, dc := lines-c.lines, count-c.count
	c.lines, c.count = lines, count
	if apart := float64(dl)/c.ratio - float64(dc); math.Abs(apart) > float64(c.o.Jump) {
		c.from, c.ran = advance{lines, count}, advance{}
		f.Kind = Apart
		f.Text = fmt.Sprintf("the encoder went %d counts while the camera took %d lines: it or the line counter jumped", dc, dl)
		return f, true
	}
	if f, found = c.stands(f, dl, dc); found {
		return f, true
	}
	return c.driftsAt(f)
}

// stands finds that one of the two stands while the other goes on.
func (c *Check) stands(f Finding, dl int64, dc inspection.EncoderCount) (Finding, bool) {
	lines := float64(dl) / c.ratio
	encoderStands := math.Abs(float64(dc)) <= slack && lines > slack
	cameraStands := math.Abs(lines) <= slack && dc > slack
	if !encoderStands && !cameraStands {
		if lines > slack && dc > slack { // both go: nothing is stuck
			c.ran, c.encoderStuck, c.cameraStuck = advance{}, false, false
		}
		return f, false
	}
	c.ran.lines += dl
	c.ran.count += dc
	switch {
	case encoderStands && !c.encoderStuck && float64(c.ran.lines)/c.ratio > float64(c.o.Stall):
		c.encoderStuck = true
		f.Kind = EncoderStalled
		f.Text = fmt.Sprintf("the encoder stands at count %d while the camera took %d lines", c.count, c.ran.lines)
	case cameraStands && !c.cameraStuck && c.ran.count > c.o.Stall:
		c.cameraStuck = true
		f.Kind = CameraStalled
		f.Span.From = c.count - c.ran.count
		f.Text = fmt.Sprintf("the camera took no line over %d counts of the encoder: look at its trigger input", c.ran.count)
	default:
		return f, false
	}
	return f, true
}

// driftsAt compares both over a window, and begins the next.
func (c *Check) driftsAt(f Finding) (Finding, bool) {
	n := advance{c.lines - c.from.lines, c.count - c.from.count}
	if n.count < 0 { // the strip ran back: a window is strip that ran forward
		c.from = advance{c.lines, c.count}
		return f, false
	}
	if c.encoderStuck || c.cameraStuck { // told already
		c.from = advance{c.lines, c.count}
		return f, false
	}
	if n.count < c.o.Window {
		return f, false
	}
	f.Span.From = c.from.count
	c.from = advance{c.lines, c.count}
	ratio := float64(n.lines) / float64(n.count)
	off := 100 * (ratio/c.ratio - 1)
	was := c.drifts
	c.drifts = math.Abs(off) > c.o.DriftPercent
	if was || !c.drifts {
		return f, false
	}
	f.Kind = Drift
	f.Text = fmt.Sprintf("the camera takes %.4g lines a count where %.4g are set, %+.1f %%: look at the trigger's divider and at slip of the encoder's wheel", ratio, c.ratio, off)
	return f, true
}
