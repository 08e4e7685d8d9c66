package line

import (
	"cmp"
	"sync"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// Ledger accounts for the frames of one camera. At any moment
//
//	Arrived = Inspected + DetectedOnly + Incomplete + Underrun + Overrun + InFlight
//
// where Arrived counts the frames the camera produced, those it could not deliver included.
type Ledger struct {
	Arrived, Inspected, DetectedOnly, Incomplete, Underrun, Overrun, InFlight uint64
}

// Balanced checks the ledger's equation.
func (l Ledger) Balanced() bool {
	return l.Arrived == l.Inspected+l.DetectedOnly+l.Incomplete+l.Underrun+l.Overrun+l.InFlight
}

// books keeps one camera's ledger, and finds out what is missing between two frames.
type books struct {
	mu     sync.Mutex
	ledger Ledger
	began  bool
	nextID uint64
	nextAt inspection.EncoderCount
}

func (b *books) read() Ledger {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ledger
}

// arrive enters a frame as in flight. Where frame ids or encoder counts jump, it enters the frames
// between as underrun too and returns the span they would have covered.
func (b *books) arrive(f *camera.Frame) (missing loss, jumped bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.began {
		lost := uint64(0)
		if f.ID > b.nextID {
			lost = f.ID - b.nextID
		}
		if f.Span.From > b.nextAt {
			// Encoder counts without a lost frame id are lines that the camera never
			// made a frame of: that strip is as lost as an underrun's.
			lost = max(lost, 1)
			missing = loss{
				span:  inspection.EncoderSpan{From: b.nextAt, To: f.Span.From},
				state: inspection.Underrun,
				cause: cmp.Or(f.Missing, "no buffer was free, or the camera dropped frames"),
			}
			jumped = true
		}
		b.ledger.Arrived += lost
		b.ledger.Underrun += lost
	}
	b.began, b.nextID, b.nextAt = true, f.ID+1, f.Span.To
	b.ledger.Arrived++
	b.ledger.InFlight++
	return missing, jumped
}

// settle moves a frame from in flight to where it ended; an empty state is inspected.
func (b *books) settle(s inspection.GapState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ledger.InFlight--
	switch s {
	case "":
		b.ledger.Inspected++
	case inspection.DetectedOnly:
		b.ledger.DetectedOnly++
	case inspection.Overrun:
		b.ledger.Overrun++
	case inspection.Incomplete, inspection.Underrun, inspection.Unseen:
		b.ledger.Incomplete++
	}
}

// loss is strip that was not fully inspected.
type loss struct {
	span  inspection.EncoderSpan
	state inspection.GapState
	cause string
}
