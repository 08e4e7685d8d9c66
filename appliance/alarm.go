package appliance

import (
	"cmp"
	"slices"
	"time"

	"github.com/coilsight/coilsight/web"
)

// alarmDeadband is how long an alarm stays after its condition has gone, so that one that comes and goes
// does not flicker.
const alarmDeadband = 10 * time.Second

// Priorities of alarms, loudest first.
var priorities = [...]string{"high", "medium", "low"}

// condition is something that asks for a person, found true at one look.
type condition struct {
	code     string
	priority int // index into priorities
	values   map[string]string
}

// alarms turns conditions into alarms with a beginning and a deadband. It is used from one goroutine.
type alarms struct {
	active map[string]*activeAlarm
}

type activeAlarm struct {
	web.Alarm
	rank     int
	lastTrue time.Time
}

// look takes the conditions that hold now and returns the alarms that stand, loudest and then oldest
// first.
func (a *alarms) look(now time.Time, holding []condition) []web.Alarm {
	if a.active == nil {
		a.active = map[string]*activeAlarm{}
	}
	for _, c := range holding {
		k := a.active[c.code]
		if k == nil {
			k = &activeAlarm{Alarm: web.Alarm{Code: c.code, Since: now.UTC()}}
			a.active[c.code] = k
		}
		k.Priority, k.rank, k.Values, k.lastTrue = priorities[c.priority], c.priority, c.values, now
	}
	var standing []*activeAlarm
	for code, k := range a.active {
		if now.Sub(k.lastTrue) > alarmDeadband {
			delete(a.active, code)
			continue
		}
		standing = append(standing, k)
	}
	slices.SortFunc(standing, func(x, y *activeAlarm) int {
		return cmp.Or(cmp.Compare(x.rank, y.rank), x.Since.Compare(y.Since), cmp.Compare(x.Code, y.Code))
	})
	out := make([]web.Alarm, len(standing))
	for i, k := range standing {
		out[i] = k.Alarm
	}
	return out
}
