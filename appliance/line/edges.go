package line

import (
	"math"
	"sync"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// sideEdges knows where the strip lay under the cameras of one side. A strip's edge is seen by one of them; all
// others measure from it too.
type sideEdges struct {
	mu     sync.Mutex
	trails []edgeTrail // by the camera's place in the side
}

// edgeTrail is what one camera saw last, a ring.
type edgeTrail struct {
	seen   [edgeTrailFrames]edgesSeen
	n      int                     // entered so far
	to     inspection.EncoderCount // all before it has been told
	silent bool                    // it was waited for in vain
}

// edgeTrailFrames is how far back a camera that is slower than its neighbour finds what that one saw: more frames than can
// wait between the stages.
const edgeTrailFrames = 2 * (grabBacklog + settleBacklog)

// edgesSeen is where a frame showed strip, in mm across the line.
type edgesSeen struct {
	span            inspection.EncoderSpan
	present         bool
	operator, drive inspection.MM
	// An edge that lies inside the picture is the strip's; else the strip goes on beyond.
	operatorInside, driveInside bool
}

func (e edgesSeen) distance(at inspection.EncoderCount) inspection.EncoderCount {
	switch {
	case at < e.span.From:
		return e.span.From - at
	case at >= e.span.To:
		return at - e.span.To + 1
	}
	return 0
}

func newSideEdges(cameras int) *sideEdges {
	s := &sideEdges{trails: make([]edgeTrail, cameras)}
	for i := range s.trails {
		s.trails[i].to = math.MinInt64
	}
	return s
}

// saw enters what a camera saw in a frame.
func (s *sideEdges) saw(place int, e edgesSeen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.trails[place]
	t.seen[t.n%edgeTrailFrames] = e
	t.n++
}

// nearest is what a camera saw nearest to an encoder count.
func (t *edgeTrail) nearest(at inspection.EncoderCount) (e edgesSeen, ok bool) {
	least := inspection.EncoderCount(math.MaxInt64)
	for i := max(0, t.n-edgeTrailFrames); i < t.n; i++ {
		k := &t.seen[i%edgeTrailFrames]
		if d := k.distance(at); d < least || (d == least && k.present) {
			e, least, ok = *k, d, true
		}
	}
	return e, ok
}

// at is where the strip lies at an encoder count: from the outermost edge on the operator's side to that on the drive's.
// The strip's edges wander by millimetres a metre, so that what a camera saw next to it does where it saw nothing there.
// ok is false where none sees strip.
func (s *sideEdges) at(at inspection.EncoderCount) (operator, drive inspection.MM, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.trails {
		e, known := s.trails[i].nearest(at)
		switch {
		case !known || !e.present:
		case !ok:
			operator, drive, ok = e.operator, e.drive, true
		default:
			operator, drive = min(operator, e.operator), max(drive, e.drive)
		}
	}
	return operator, drive, ok
}

// come notes that a camera has told all that it saw before an encoder count.
func (s *sideEdges) come(place int, to inspection.EncoderCount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.trails[place]
	t.to, t.silent = max(t.to, to), false
}

// gone notes that nothing more comes of a camera.
func (s *sideEdges) gone(place int) { s.come(place, math.MaxInt64) }

// await waits until the other cameras have come to an encoder count too: they may be behind, but not by much. One that does not
// come is not waited for again before it does.
func (s *sideEdges) await(place int, at inspection.EncoderCount) {
	const tries, pause = 100, time.Millisecond
	for try := 0; !s.all(place, at, try == tries); try++ {
		time.Sleep(pause)
	}
}

// all reports whether the others have come to an encoder count; those that have not count as silent from now on if given up.
func (s *sideEdges) all(place int, at inspection.EncoderCount, giveUp bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := true
	for i := range s.trails {
		if t := &s.trails[i]; i != place && t.to <= at {
			t.silent = t.silent || giveUp
			all = all && t.silent
		}
	}
	return all
}

// elsewhere reports whether the other cameras of the side see the whole strip at an encoder count, both of its edges: a
// camera that sees none there has missed nothing.
func (s *sideEdges) elsewhere(place int, at inspection.EncoderCount) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first, last edgesSeen
	any := false
	for i := range s.trails {
		if i == place {
			continue
		}
		e, known := s.trails[i].nearest(at)
		if !known || e.distance(at) > 0 {
			return false
		}
		if !e.present {
			continue
		}
		if !any || e.operator < first.operator {
			first = e
		}
		if !any || e.drive > last.drive {
			last = e
		}
		any = true
	}
	return any && first.operatorInside && last.driveInside
}
