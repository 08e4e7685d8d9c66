// Package encoder says where the strip is: from the readings of an encoder that come over a network, and how frames of cameras
// that run by a clock of their own lie on its scale.
package encoder

import (
	"fmt"
	"sync"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Options of a Track.
type Options struct {
	Bits    int  // of the counter, 16 or 32, at which it begins anew; 0: it never does
	Reverse bool // the counter falls while the strip runs forwards
	// MaxPerSecond bounds how many counts a second the strip can make: what is faster is no motion.
	MaxPerSecond float64
	// Silent is how long after its newest reading an encoder counts as silent. 0 stands for 500 ms.
	Silent time.Duration
}

const defaultSilent = 500 * time.Millisecond

// Check refuses what no encoder has, as an *inspection.FieldError.
func (o Options) Check() error {
	switch {
	case o.Bits != 0 && o.Bits != 16 && o.Bits != 32:
		return &inspection.FieldError{Field: "bits", Reason: fmt.Sprintf("%d is not possible; allowed are 16, 32, and 0 for a counter that never begins anew", o.Bits)}
	case !(o.MaxPerSecond > 0 && o.MaxPerSecond <= 1e9):
		return &inspection.FieldError{Field: "max_per_second", Reason: fmt.Sprintf("%g is not possible; allowed are more than 0 to 1e9 counts a second", o.MaxPerSecond)}
	case o.Silent < 0 || o.Silent > time.Minute:
		return &inspection.FieldError{Field: "silent", Reason: fmt.Sprintf("%v is not possible; allowed are 0 to 1m", o.Silent)}
	}
	return nil
}

// kept readings: five seconds of a poll each 20 ms.
const kept = 256

// Track is the encoder's newest readings as strip counts, which never leap. It may be used from several goroutines.
type Track struct {
	o Options

	mu      sync.Mutex
	ring    [kept]reading
	n       int   // readings taken
	raw     int64 // the newest one's
	doubt   *doubt
	anew    bool // the next reading follows from none before
	jumps   int
	outlier int
	jumpAt  time.Time
}

// reading is the strip's count at a moment. Where it does not follow from the one before, what lies between is not known.
type reading struct {
	at     time.Time
	count  float64
	broken bool
}

// doubt is a reading that is too far from the one before to be motion; the next one says which of the two is wrong.
type doubt struct {
	at  time.Time
	raw int64
}

// New makes a track.
func New(o Options) (*Track, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Silent == 0 {
		o.Silent = defaultSilent
	}
	return &Track{o: o}, nil
}

// Add takes in a reading of the counter. One that is not newer than the one before is left out.
func (t *Track) Add(at time.Time, raw int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 {
		t.put(reading{at: at}, raw)
		return
	}
	last := t.newest()
	if !at.After(last.at) {
		return
	}
	if t.anew {
		t.set(at, raw)
		return
	}
	if step := t.step(t.raw, raw); t.moves(step, at.Sub(last.at)) {
		if t.doubt != nil {
			t.doubt, t.outlier = nil, t.outlier+1
		}
		broken := at.Sub(last.at) > t.o.Silent
		t.put(reading{at: at, count: last.count + step, broken: broken}, raw)
		return
	}
	if d := t.doubt; d != nil && at.After(d.at) && t.moves(t.step(d.raw, raw), at.Sub(d.at)) {
		t.set(at, raw) // two readings agree on where the counter is now: it was set, not moved
		return
	}
	t.doubt = &doubt{at, raw}
}

// set goes on with a counter that somebody set. The strip went on as before.
func (t *Track) set(at time.Time, raw int64) {
	last := t.newest()
	t.jumps, t.jumpAt, t.doubt, t.anew = t.jumps+1, at, nil, false
	t.put(reading{at: at, count: last.count + max(0, t.perSecond())*at.Sub(last.at).Seconds(), broken: true}, raw)
}

// Restart tells that the counter began anew while nothing was heard of it, so that its next reading does not say how far the strip went.
func (t *Track) Restart() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.anew = t.n > 0
}

func (t *Track) put(r reading, raw int64) {
	t.ring[t.n%kept] = r
	t.n++
	t.raw = raw
}

func (t *Track) newest() reading { return t.ring[(t.n-1)%kept] }

// step is the strip counts from one reading of the counter to another, over its end too.
func (t *Track) step(from, to int64) float64 {
	d := to - from
	switch t.o.Bits {
	case 16:
		d = int64(int16(d))
	case 32:
		d = int64(int32(d))
	}
	if t.o.Reverse {
		d = -d
	}
	return float64(d)
}

// slack is how many counts a reading may be off.
const slack = 2

func (t *Track) moves(step float64, over time.Duration) bool {
	return max(step, -step) <= t.o.MaxPerSecond*over.Seconds()+slack
}

// speedOver is the time that a speed rests on.
const speedOver = 200 * time.Millisecond

// perSecond is the speed in counts a second by the newest readings, negative backwards.
func (t *Track) perSecond() float64 {
	if t.n < 2 {
		return 0
	}
	last := t.newest()
	first := last
	for i := t.n - 1; i > max(0, t.n-kept) && !t.ring[i%kept].broken && last.at.Sub(first.at) < speedOver; i-- {
		first = t.ring[(i-1)%kept]
	}
	if over := last.at.Sub(first.at).Seconds(); over > 0 {
		return (last.count - first.count) / over
	}
	return 0
}

// Reading of the track at a moment.
type Reading int

// What a track knows of a moment.
const (
	Known   Reading = iota
	Later           // no reading has come that is so new
	Unknown         // it lies in a silence or a jump, or too far back
)

// At is the strip's count at a moment, linear between two readings.
func (t *Track) At(at time.Time) (count float64, what Reading) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 || at.After(t.newest().at) {
		return 0, Later
	}
	for i := t.n - 1; i >= max(0, t.n-kept); i-- {
		r := t.ring[i%kept]
		if at.Equal(r.at) {
			return r.count, Known
		}
		if i == max(0, t.n-kept) {
			break
		}
		before := t.ring[(i-1)%kept]
		if !at.Before(before.at) {
			if r.broken {
				return 0, Unknown
			}
			part := at.Sub(before.at).Seconds() / r.at.Sub(before.at).Seconds()
			return before.count + part*(r.count-before.count), Known
		}
	}
	return 0, Unknown
}

// Motion is how the strip moves, as far as the encoder tells.
type Motion string

// Motions.
const (
	Running   Motion = "running"
	Standing  Motion = "standing"
	Backwards Motion = "backwards"
	Silent    Motion = "silent"
)

// State is what a track says of the encoder now.
type State struct {
	Motion    Motion
	PerSecond float64 // counts, negative backwards; 0 while silent
	Last      time.Time
	Jumps     int // times that the counter was set, not moved
	JumpAt    time.Time
	Outliers  int // single readings that did not fit
}

// jitter is the speed below which a strip stands, in counts a second: an encoder trembles by a count.
const jitter = 1 / 0.2

// State is how things are at a moment.
func (t *Track) State(now time.Time) State {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := State{Motion: Silent, Jumps: t.jumps, JumpAt: t.jumpAt, Outliers: t.outlier}
	if t.n == 0 {
		return s
	}
	if s.Last = t.newest().at; now.Sub(s.Last) > t.o.Silent {
		return s
	}
	s.PerSecond = t.perSecond()
	switch {
	case s.PerSecond > jitter:
		s.Motion = Running
	case s.PerSecond < -jitter:
		s.Motion = Backwards
	default:
		s.Motion = Standing
	}
	return s
}
