package encoder

import (
	"sync"
	"time"
)

// Scale is what cameras share that count the strip for themselves: their counters began at different moments. The first to be placed
// gives the zero; another one's count is taken to be, at its first frame, what the others' counts and speed say. That is exact where
// the strip stands then, and else as exact as frames arrive, about a millisecond's strip. It may be used from several goroutines.
type Scale struct {
	mu      sync.Mutex
	members []member
}

// member is a camera on the scale. Its track's moments are late by so much, and its counts lower by so many.
type member struct {
	track *Track
	late  time.Duration
	below float64
}

// join adds a camera that counted from at a moment, and gives how many counts its own are below the scale's. One that is there already
// is put where the others say anew; alone it stays.
func (s *Scale) join(t *Track, from float64, at time.Time, late time.Duration) (below float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var newest time.Time
	self := -1
	for i, m := range s.members {
		if m.track == t {
			self = i
			continue
		}
		count, last := m.track.reach(at.Add(m.late))
		if last = last.Add(-m.late); last.After(newest) {
			newest, below = last, m.below+count-from
		}
	}
	switch {
	case self < 0:
		s.members = append(s.members, member{t, late, below})
	case newest.IsZero():
		return s.members[self].below
	default:
		s.members[self].below = below
	}
	return below
}

// reach is the strip's count at a moment, by the speed where no reading is so new, and when it was read last. A strip of which nothing
// was heard for long is where it was.
func (t *Track) reach(at time.Time) (count float64, last time.Time) {
	count, what := t.At(at)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 {
		return 0, last
	}
	r := t.newest()
	if what != Known {
		count = r.count
		if ahead := at.Sub(r.at); ahead <= t.o.Silent {
			count += t.perSecond() * ahead.Seconds()
		}
	}
	return count, r.at
}
