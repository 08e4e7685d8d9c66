package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// event is one event of the stream, its data already JSON: it is encoded once, not once a client.
type event struct {
	seq  int64
	kind string
	data []byte
}

// resyncEvent tells a client that events are missing: it must read what it shows anew.
const resyncEvent = "resync"

// Hub hands events to every subscriber. Publishing never blocks: a subscriber that does not keep up is
// cut off, told to resync, and comes back by itself.
type Hub struct {
	perClient int
	done      chan struct{}

	mu     sync.Mutex
	seq    int64
	ring   []event // the newest events, for clients that come back; used as a circle of cap(ring)
	next   int     // where in ring the next event goes, once the ring is full
	subs   map[*Subscription]struct{}
	closed bool
}

// NewHub keeps the newest ring events for clients that come back, and lets each client lag behind by
// perClient events.
func NewHub(ring, perClient int) *Hub {
	return &Hub{
		perClient: max(1, perClient),
		done:      make(chan struct{}),
		// Numbers begin at the clock in µs, so that one from before a restart is older than all of
		// this process and asks for a resync; as whole numbers they fit a JavaScript number.
		seq:  time.Now().UnixMicro(),
		ring: make([]event, 0, max(1, ring)),
		subs: map[*Subscription]struct{}{},
	}
}

// Subscription receives events in order until it is cut off or closed.
type Subscription struct {
	hub  *Hub
	c    chan event
	lost bool // cut off; guarded by hub.mu
}

// Publish sends an event of a type ("status", "defect", "coil", "alarm") with data as JSON to every subscriber.
// It is safe for concurrent use. The error says that data cannot be JSON.
func (h *Hub) Publish(eventType string, data any) error {
	if l, ok := data.(Live); ok {
		data = neverNullLive(l) // as GET /live gives it
	}
	b, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("event %s: %w", eventType, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	h.seq++
	e := event{h.seq, eventType, b}
	if len(h.ring) < cap(h.ring) {
		h.ring = append(h.ring, e)
	} else {
		h.ring[h.next] = e
		h.next = (h.next + 1) % len(h.ring)
	}
	for s := range h.subs {
		select {
		case s.c <- e:
		default:
			s.lost = true
			h.drop(s)
		}
	}
	return nil
}

// errHubClosed says that the server is stopping.
var errHubClosed = errors.New("the event stream is closing")

// Subscribe begins after the newest event or, with resume, after the event numbered last. missed
// reports that events in between are no longer there. The caller must Close the subscription.
func (h *Hub) Subscribe(last int64, resume bool) (s *Subscription, missed bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, false, errHubClosed
	}
	s = &Subscription{hub: h}
	var replay []event
	if resume {
		replay, missed = h.since(last)
	}
	s.c = make(chan event, h.perClient+len(replay))
	for _, e := range replay {
		s.c <- e
	}
	h.subs[s] = struct{}{}
	return s, missed, nil
}

// since lists the events after last; missed where they are not all in the ring.
func (h *Hub) since(last int64) (replay []event, missed bool) {
	oldest := h.seq - int64(len(h.ring)) + 1
	if last > h.seq || last < oldest-1 {
		return nil, true
	}
	n := len(h.ring)
	for i := range n {
		if e := h.ring[(h.next+i)%n]; e.seq > last {
			replay = append(replay, e)
		}
	}
	return replay, false
}

// Close ends the subscription. It may be called more than once.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.drop(s)
}

// wasLost reports whether the subscription was cut off because it lagged.
func (s *Subscription) wasLost() bool {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.lost
}

// drop closes a subscription's channel; h.mu is held.
func (h *Hub) drop(s *Subscription) {
	if _, ok := h.subs[s]; ok {
		delete(h.subs, s)
		close(s.c)
	}
}

// Clients is the number of subscribers.
func (h *Hub) Clients() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs)
}

// Newest is the number of the newest event.
func (h *Hub) Newest() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seq
}

// Done is closed by Close.
func (h *Hub) Done() <-chan struct{} { return h.done }

// Close ends all subscriptions; Publish does nothing after it. It may be called more than once.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	close(h.done)
	for s := range h.subs {
		h.drop(s)
	}
}
