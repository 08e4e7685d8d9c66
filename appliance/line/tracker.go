package line

import (
	"math"
	"sync"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// openTail is the tail end of a coil that is still running.
const openTail = inspection.EncoderCount(math.MaxInt64)

// coilRun is a coil on the encoder's scale.
type coilRun struct {
	id     inspection.CoilID
	recipe inspection.Recipe
	head   inspection.EncoderCount

	// Guarded by the tracker's lock.
	tail       inspection.EncoderCount
	finishedAt time.Time
	closed     bool
}

// tracker knows which coil lies where on the encoder's scale.
type tracker struct {
	mu     sync.Mutex
	coils  []*coilRun // by head; closed ones leave
	latest inspection.EncoderCount
}

func newTracker() *tracker {
	return &tracker{latest: math.MinInt64}
}

func (t *tracker) canStart(id inspection.CoilID, at inspection.EncoderCount) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.startable(id, at)
}

func (t *tracker) startable(id inspection.CoilID, at inspection.EncoderCount) error {
	if at == Here {
		at = t.newest()
	}
	for _, c := range t.coils {
		switch {
		case c.id == id:
			return &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "has already been started; a coil runs once"}
		case c.tail == openTail:
			return &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "cannot start while coil " + string(c.id) + " runs; finish that one first"}
		case at < c.tail:
			return &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "cannot start before the tail end of coil " + string(c.id)}
		}
	}
	return nil
}

func (t *tracker) start(id inspection.CoilID, r inspection.Recipe, at inspection.EncoderCount) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.startable(id, at); err != nil {
		return err
	}
	if at == Here {
		at = t.newest()
	}
	t.coils = append(t.coils, &coilRun{id: id, recipe: r, head: at, tail: openTail})
	return nil
}

func (t *tracker) finish(id inspection.CoilID, at inspection.EncoderCount, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.coils {
		if c.id != id {
			continue
		}
		if c.tail != openTail {
			return &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "is finished already"}
		}
		if at == Here {
			at = t.newest()
		}
		c.tail, c.finishedAt = max(at, c.head), now
		return nil
	}
	return &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "does not run; only a started coil can be finished"}
}

func (t *tracker) running() (inspection.CoilID, inspection.EncoderCount, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.coils {
		if c.tail == openTail {
			return c.id, c.head, true
		}
	}
	return "", 0, false
}

// over appends the coils that share a count with the span.
func (t *tracker) over(dst []*coilRun, s inspection.EncoderSpan) []*coilRun {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.coils {
		if s.From < c.tail && c.head < s.To {
			dst = append(dst, c)
		}
	}
	return dst
}

// inside reports whether one of the coils holds the whole span.
func (t *tracker) inside(coils []*coilRun, s inspection.EncoderSpan) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range coils {
		if c.head <= s.From && s.To <= c.tail {
			return true
		}
	}
	return false
}

// all appends every coil that is not yet behind all cameras.
func (t *tracker) all(dst []*coilRun) []*coilRun {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(dst, t.coils...)
}

// end is a coil's tail end as known now, and when it was told.
func (t *tracker) end(c *coilRun) (tail inspection.EncoderCount, finishedAt time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return c.tail, c.finishedAt
}

func (t *tracker) arrived(to inspection.EncoderCount) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latest = max(t.latest, to)
}

func (t *tracker) position() inspection.EncoderCount {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.newest()
}

// newest is the newest count that has arrived, 0 before the first. The caller holds the lock.
func (t *tracker) newest() inspection.EncoderCount {
	if t.latest == math.MinInt64 {
		return 0
	}
	return t.latest
}

// close marks a coil as recorded; it leaves the tracker.
func (t *tracker) close(c *coilRun) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.closed = true
	keep := t.coils[:0]
	for _, k := range t.coils {
		if !k.closed {
			keep = append(keep, k)
		}
	}
	clear(t.coils[len(keep):])
	t.coils = keep
}

func (t *tracker) settled() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.coils {
		if c.tail != openTail {
			return false
		}
	}
	return true
}
