package encoder

import (
	"math"
	"sort"
	"sync/atomic"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// placer lays the frames of a camera on the strip's scale, each strip once. It is for one goroutine, but for what it counts.
type placer struct {
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

// Idle counts the frames in which no new strip passed, Unplaced those of which the encoder said nothing.
func (p *placer) Idle() uint64 { return p.idle.Load() }

// Unplaced counts the frames that could not be placed, since the encoder was silent or had jumped.
func (p *placer) Unplaced() uint64 { return p.silent.Load() }

// Stalled tells that the pictures show the strip moving while the encoder stands.
func (p *placer) Stalled() bool { return p.stalls.Load() }

const (
	stalledCause = "the encoder stands while the picture shows the strip moving: how much passed is not known"
	silentCause  = "the encoder was silent or had jumped: where the strip was is not known"
	lostCause    = "frames were lost, or the encoder was silent"
)

// follow takes note of the id that the camera gave a frame: a jump is a loss.
func (p *placer) follow(f *camera.Frame) {
	if p.begun && f.ID > p.given+1 {
		p.next += f.ID - p.given - 1
		p.blind = true
	}
	p.given = f.ID
}

// give numbers a frame that goes on.
func (p *placer) give(f *camera.Frame) {
	f.ID = p.next
	p.next++
	p.begun = true
}

// unknown makes a frame of which the encoder says nothing Incomplete. It is false where the frame may be let go: before the first one
// that can be placed there is no strip to lose.
func (p *placer) unknown(f *camera.Frame, cause string) bool {
	p.silent.Add(1)
	p.blind = true
	f.Status, f.Cause = camera.Incomplete, cause
	f.Span = inspection.EncoderSpan{From: p.high, To: p.high}
	return p.begun
}

// lay sets the span of a frame between two of the encoder's counts; at is the count at the beginning of a line, where it is known. It
// is false where no new strip is in the frame.
func (p *placer) lay(f *camera.Frame, from, to float64, at func(y int) (count float64, known bool)) bool {
	end := inspection.EncoderCount(math.Floor(to))
	begin := inspection.EncoderCount(math.Floor(from))
	if p.begun && !p.blind {
		begin = min(p.high, end) // frames follow one another; what their clocks differ is a line
	}
	if p.begun && begin < p.high {
		begin = p.high // the strip ran backwards before: this much was seen
	}
	if end <= begin {
		return p.standing(f, end < p.high)
	}
	if p.begun && float64(p.high)-from > again {
		p.cut(f, at)
	}
	p.moving = 0
	p.stalls.Store(false)
	if p.begun && begin > p.high {
		f.Missing = lostCause
	}
	f.Span = inspection.EncoderSpan{From: begin, To: end}
	p.high, p.blind = end, false
	return true
}

// again is how many counts of a frame may have been seen before: its clock and the encoder's readings are off by some.
const again = 8

// cut leaves out the lines of a frame that show strip which was seen before it ran backwards.
func (p *placer) cut(f *camera.Frame, at func(y int) (float64, bool)) {
	y := sort.Search(f.Image.Height-1, func(y int) bool {
		count, known := at(y)
		return known && count >= float64(p.high)
	})
	f.Image.Pix = f.Image.Pix[y*f.Image.Stride:]
	f.Image.Height -= y
	f.Seam = true // the lines before it are other strip
}

// stalledFrames in a row that show motion are no jolt of a strip that stands.
const stalledFrames = 20

// standing judges a frame in which no new strip passed by the encoder. Where the pictures go on to show motion, it is the encoder that
// stands: the frame then is Incomplete. It is false where the frame may be let go. A strip that runs backwards moves, and that is known.
func (p *placer) standing(f *camera.Frame, backwards bool) bool {
	if backwards || !moves(f.Image) {
		p.moving = 0
		p.stalls.Store(false)
	} else if p.moving++; p.moving >= stalledFrames {
		p.stalls.Store(true)
		f.Status, f.Cause = camera.Incomplete, stalledCause
		f.Span = inspection.EncoderSpan{From: p.high, To: p.high}
		return p.begun
	}
	p.idle.Add(1)
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
