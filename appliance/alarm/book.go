// Package alarm keeps the alarms of an appliance by ISA-18.2: what stands, what a person said of it, and when so many come
// that they must be grouped.
package alarm

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// deadband is how long an alarm stands after its condition has gone, so that one that comes and goes does not flicker.
	deadband = 10 * time.Second
	// floodAlarms raised within floodWithin are as many as a person can take in; more are a flood (ISA-18.2, 16.5).
	floodAlarms = 10
	floodWithin = 10 * time.Minute
	// longestShelf is how long an alarm may be shelved: a shift and its handing over.
	longestShelf = 12 * time.Hour
)

// Condition is something that asks for a person, found true at one look.
type Condition struct {
	Code     string
	About    string // what it is about, where several of the code may hold: a camera, a rule
	Priority inspection.AlarmPriority
	Delay    time.Duration // how long it must hold before it is an alarm
	Values   map[string]string
	// Case tells one occurrence from the next where the condition may hold through both, such as the defect that broke a rule. A
	// new one raises an alarm again that was acknowledged.
	Case string
}

func (c Condition) key() string {
	if c.About == "" {
		return c.Code
	}
	return c.Code + ":" + c.About
}

// Book holds what stands. It is safe for concurrent use.
type Book struct {
	mu      sync.Mutex
	entries map[string]*entry
	raised  []time.Time // within floodWithin, oldest first
	flood   bool
}

type entry struct {
	inspection.Alarm
	holds    bool   // the condition does, or did within the deadband
	occurred string // the newest Case
	since    time.Time
	lastTrue time.Time
}

// Restore takes up what was shelved or out of service when the appliance stopped, from the newest record of each such alarm.
func (b *Book) Restore(records []inspection.AlarmRecord) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = map[string]*entry{}
	for _, r := range records {
		e := &entry{Alarm: inspection.Alarm{Key: r.Key, Code: r.Code, Priority: r.Priority, Since: r.At, By: r.By, Reason: r.Reason, Until: r.Until, Values: r.Values}}
		switch r.Event {
		case inspection.AlarmWasShelved:
			e.State = inspection.AlarmShelved
		case inspection.AlarmTakenOut:
			e.State = inspection.AlarmOutOfService
		default:
			continue
		}
		b.entries[r.Key] = e
	}
}

// Look takes the conditions that hold now and gives what became of alarms.
func (b *Book) Look(now time.Time, holding []Condition) (happened []inspection.AlarmRecord) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.entries == nil {
		b.entries = map[string]*entry{}
	}
	for _, c := range holding {
		e := b.entries[c.key()]
		if e == nil {
			e = &entry{Alarm: inspection.Alarm{Key: c.key(), Code: c.Code}}
			b.entries[e.Key] = e
		}
		if !e.holds {
			e.holds, e.since = true, now
		}
		another := c.Case != e.occurred
		e.lastTrue, e.Priority, e.Values, e.occurred = now, c.Priority, c.Values, c.Case
		switch {
		case now.Sub(e.since) < c.Delay:
		case e.State == "" || e.State == inspection.AlarmReturned || (e.State == inspection.AlarmAcknowledged && another):
			happened = append(happened, b.raise(e, now))
		case e.State == inspection.AlarmActive && another:
			e.Times++
		}
	}
	for _, key := range slices.Sorted(maps.Keys(b.entries)) {
		e := b.entries[key]
		if e.State == inspection.AlarmShelved && !now.Before(*e.Until) {
			happened = append(happened, b.back(e, now, inspection.AlarmUnshelved, ""))
		}
		if now.Sub(e.lastTrue) <= deadband {
			continue
		}
		e.holds = false
		switch e.State {
		case inspection.AlarmActive:
			e.State = inspection.AlarmReturned
			happened = append(happened, e.record(now, inspection.AlarmWasReturned))
		case inspection.AlarmAcknowledged:
			happened = append(happened, e.record(now, inspection.AlarmWasReturned))
			delete(b.entries, key)
		case "":
			delete(b.entries, key)
		}
	}
	return append(happened, b.flooded(now)...)
}

// raise makes an alarm of what holds.
func (b *Book) raise(e *entry, now time.Time) inspection.AlarmRecord {
	if e.State == "" {
		e.FirstOut = !slices.ContainsFunc(slices.Collect(maps.Values(b.entries)), func(o *entry) bool { return o != e && o.told() })
	}
	e.State, e.Since = inspection.AlarmActive, now.UTC()
	e.By, e.Reason, e.Until = "", "", nil
	e.Times++
	b.raised = append(b.raised, now)
	return e.record(now, inspection.AlarmRaised)
}

// told reports whether a person is told of the alarm.
func (e *entry) told() bool {
	return e.State == inspection.AlarmActive || e.State == inspection.AlarmAcknowledged || e.State == inspection.AlarmReturned
}

// record is a line of the history.
func (e *entry) record(now time.Time, event inspection.AlarmEvent) inspection.AlarmRecord {
	return inspection.AlarmRecord{
		At: now.UTC(), Event: event, Key: e.Key, Code: e.Code, Priority: e.Priority, FirstOut: e.FirstOut && event == inspection.AlarmRaised,
		By: e.By, Reason: e.Reason, Until: e.Until, Values: maps.Clone(e.Values),
	}
}

// back puts a shelved alarm, or one out of service, in service. What holds is raised at the next look.
func (b *Book) back(e *entry, now time.Time, event inspection.AlarmEvent, by string) inspection.AlarmRecord {
	e.By, e.Reason, e.Until = by, "", nil
	r := e.record(now, event)
	e.State, e.Times, e.since = "", 0, now
	return r
}

// flooded forgets what was raised long ago and tells where a flood begins or ends.
func (b *Book) flooded(now time.Time) []inspection.AlarmRecord {
	for len(b.raised) > 0 && now.Sub(b.raised[0]) > floodWithin {
		b.raised = b.raised[1:]
	}
	// It ends well below where it began.
	flood := len(b.raised) > floodAlarms || (b.flood && len(b.raised) > floodAlarms/2)
	if flood == b.flood {
		return nil
	}
	b.flood = flood
	event := inspection.AlarmFloodWasEnded
	if flood {
		event = inspection.AlarmFloodBegan
	}
	return []inspection.AlarmRecord{{At: now.UTC(), Event: event}}
}

// Standing lists the alarms that a person is told of: those that nobody acknowledged first, then by priority, then the newest.
// flood says that so many come that the less urgent ones are to be grouped.
func (b *Book) Standing() (list []inspection.Alarm, flood bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list = b.list((*entry).told)
	state := []inspection.AlarmState{inspection.AlarmActive, inspection.AlarmAcknowledged, inspection.AlarmReturned}
	rank := inspection.AlarmPriorities()
	slices.SortFunc(list, func(x, y inspection.Alarm) int {
		return cmp.Or(cmp.Compare(slices.Index(state, x.State), slices.Index(state, y.State)), cmp.Compare(slices.Index(rank, x.Priority), slices.Index(rank, y.Priority)), y.Since.Compare(x.Since), cmp.Compare(x.Key, y.Key))
	})
	return list, b.flood
}

// Aside lists the alarms that are shelved or out of service.
func (b *Book) Aside() []inspection.Alarm {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list(func(e *entry) bool { return e.State != "" && !e.told() })
	slices.SortFunc(list, func(x, y inspection.Alarm) int {
		return cmp.Or(x.Since.Compare(y.Since), cmp.Compare(x.Key, y.Key))
	})
	return list
}

func (b *Book) list(which func(*entry) bool) []inspection.Alarm {
	list := []inspection.Alarm{}
	for _, e := range b.entries {
		if which(e) {
			a := e.Alarm
			a.Values = maps.Clone(a.Values)
			list = append(list, a)
		}
	}
	return list
}

// Command is what a person wants of an alarm.
type Command struct {
	Event  inspection.AlarmEvent // acknowledged, shelved, unshelved, out_of_service, in_service
	By     string
	Reason string        // of shelved and out_of_service
	For    time.Duration // of shelved
}

// Do carries a command out. Errors are *inspection.NotFoundError, *inspection.ConflictError (the alarm is in no state for it) and
// *inspection.FieldError.
func (b *Book) Do(now time.Time, key string, c Command) (r inspection.AlarmRecord, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[key]
	if e == nil || e.State == "" {
		return r, &inspection.NotFoundError{Noun: "alarm", ID: key}
	}
	wrong := func() error {
		return &inspection.ConflictError{Noun: "alarm", ID: key, Reason: fmt.Sprintf("is %s and cannot be %s", e.State, c.Event)}
	}
	switch c.Event {
	case inspection.AlarmWasAcked:
		if e.State != inspection.AlarmActive && e.State != inspection.AlarmReturned {
			return r, wrong()
		}
		e.By, e.Times = c.By, 0
		r = e.record(now, c.Event)
		if e.State == inspection.AlarmReturned {
			delete(b.entries, key)
		}
		e.State = inspection.AlarmAcknowledged
	case inspection.AlarmWasShelved, inspection.AlarmTakenOut:
		if e.State == inspection.AlarmOutOfService || (e.State == inspection.AlarmShelved && c.Event == inspection.AlarmWasShelved) {
			return r, wrong()
		}
		if c.Reason == "" {
			return r, &inspection.FieldError{Field: "reason", Reason: "is empty; whoever comes next must know why nobody is told"}
		}
		e.State, e.Until = inspection.AlarmOutOfService, nil
		if c.Event == inspection.AlarmWasShelved {
			if c.For < time.Minute || c.For > longestShelf {
				return r, &inspection.FieldError{Field: "minutes", Reason: fmt.Sprintf("%v is not possible; allowed are 1 minute to %v", c.For, longestShelf)}
			}
			until := now.Add(c.For).UTC()
			e.State, e.Until = inspection.AlarmShelved, &until
		}
		e.Since, e.By, e.Reason, e.Times, e.FirstOut = now.UTC(), c.By, c.Reason, 0, false
		r = e.record(now, c.Event)
	case inspection.AlarmUnshelved, inspection.AlarmPutInService:
		want := inspection.AlarmShelved
		if c.Event == inspection.AlarmPutInService {
			want = inspection.AlarmOutOfService
		}
		if e.State != want {
			return r, wrong()
		}
		r = b.back(e, now, c.Event, c.By)
	default:
		return r, &inspection.FieldError{Field: "event", Reason: fmt.Sprintf("%q is not known", c.Event)}
	}
	return r, nil
}
