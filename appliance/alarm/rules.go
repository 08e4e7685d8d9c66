package alarm

import (
	"slices"
	"strconv"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// ruleHolds is how long the alarm of a rule holds after the last defect that broke it.
const ruleHolds = 30 * time.Second

// Watch looks for defects that break rules. It is for one goroutine.
type Watch struct {
	rules []*watched
	coil  inspection.CoilID
}

type watched struct {
	inspection.AlarmRule
	at     []inspection.MM // of the newest Count defects, oldest first by when they came
	broken time.Time       // when last; zero: never
	by     inspection.Defect
}

// NewWatch makes one of rules that are possible.
func NewWatch(rules []inspection.AlarmRule) *Watch {
	w := &Watch{}
	for _, r := range rules {
		w.rules = append(w.rules, &watched{AlarmRule: r})
	}
	return w
}

// Add takes defects in.
func (w *Watch) Add(now time.Time, defects []inspection.Defect) {
	for _, d := range defects {
		if d.Coil != w.coil {
			w.coil = d.Coil
			for _, r := range w.rules {
				r.at = r.at[:0]
			}
		}
		for _, r := range w.rules {
			if r.Counts(d) && r.add(d) {
				r.broken, r.by = now, d
			}
		}
	}
}

// add counts a defect and reports whether it breaks the rule. Defects come nearly in the order of the strip.
func (r *watched) add(d inspection.Defect) bool {
	if len(r.at) == r.Count {
		r.at = append(r.at[:0], r.at[1:]...)
	}
	r.at = append(r.at, d.Rect.Along)
	return len(r.at) == r.Count && (r.Count == 1 || float64(slices.Max(r.at)-slices.Min(r.at)) <= r.Within*1000)
}

// Conditions are the rules that are broken.
func (w *Watch) Conditions(now time.Time) (out []Condition) {
	for _, r := range w.rules {
		if r.broken.IsZero() || now.Sub(r.broken) >= ruleHolds {
			continue
		}
		c := Condition{Code: "severe_defect", About: r.ID, Priority: r.Priority, Values: map[string]string{
			"rule": r.ID, "side": string(r.by.Side), "coil": string(r.by.Coil), "defect": strconv.FormatInt(int64(r.by.ID), 10),
			"along_m": strconv.FormatFloat(float64(r.by.Rect.Along)/1000, 'f', 1, 64),
		}}
		if r.Count == 1 {
			c.Case = c.Values["defect"]
			c.Values["class"] = string(r.by.Class)
		} else {
			c.Code = "defect_density"
			c.Values["count"], c.Values["within_m"] = strconv.Itoa(r.Count), strconv.FormatFloat(r.Within, 'g', 6, 64)
			if len(r.Classes) == 1 {
				c.Values["class"] = string(r.Classes[0])
			}
		}
		out = append(out, c)
	}
	return out
}
