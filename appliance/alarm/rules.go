package alarm

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Rule makes an alarm of defects: a defect by itself is none.
type Rule struct {
	ID            string                   `yaml:"id" json:"id"`
	Classes       []inspection.DefectClass `yaml:"classes" json:"classes"` // empty: all
	Side          inspection.Side          `yaml:"side" json:"side,omitempty"`
	MinSeverity   inspection.Severity      `yaml:"min_severity" json:"min_severity"`
	MinConfidence float32                  `yaml:"min_confidence" json:"min_confidence"`
	MinLength     inspection.MM            `yaml:"min_length_mm" json:"min_length_mm"`
	// Count defects within Within metres of strip are an alarm; with a Count of 1 each one is.
	Count    int                      `yaml:"count" json:"count"`
	Within   float64                  `yaml:"within_m" json:"within_m"`
	Priority inspection.AlarmPriority `yaml:"priority" json:"priority"`
}

// mostCount bounds what a rule remembers.
const mostCount = 100_000

// Check reports the first value that is not possible.
func (r Rule) Check() error {
	bad := func(field, format string, a ...any) error {
		return &inspection.FieldError{Field: field, Reason: fmt.Sprintf(format, a...)}
	}
	switch {
	case r.ID == "":
		return bad("id", "is empty; each rule needs its own name")
	case r.Side != "" && !r.Side.Valid():
		return bad("side", "%q is not known; allowed are top and bottom, or none for both", r.Side)
	case r.MinSeverity > 4:
		return bad("min_severity", "%d is not a severity; allowed are 0 to 4", r.MinSeverity)
	case !(r.MinConfidence >= 0 && r.MinConfidence <= 1):
		return bad("min_confidence", "%g is not a confidence; allowed are 0 to 1", r.MinConfidence)
	case !(r.MinLength >= 0):
		return bad("min_length_mm", "%g is not possible; the least is 0", float64(r.MinLength))
	case r.Count < 1 || r.Count > mostCount:
		return bad("count", "%d is not possible; allowed are 1 to %d", r.Count, mostCount)
	case r.Count > 1 && !(r.Within > 0 && r.Within <= 100_000):
		return bad("within_m", "%g m is not possible; a rule that counts needs a stretch of up to 100000 m", r.Within)
	case !slices.Contains(inspection.AlarmPriorities(), r.Priority):
		return bad("priority", "%q is not known; allowed are high, medium and low", r.Priority)
	}
	return nil
}

// counts reports whether the rule counts a defect.
func (r Rule) counts(d inspection.Defect) bool {
	return (len(r.Classes) == 0 || slices.Contains(r.Classes, d.Class)) && (r.Side == "" || r.Side == d.Side) &&
		d.Severity >= r.MinSeverity && d.Conf >= r.MinConfidence && max(d.Rect.Length, d.Rect.Width) >= r.MinLength
}

// ruleHolds is how long the alarm of a rule holds after the last defect that broke it.
const ruleHolds = 30 * time.Second

// Watch looks for defects that break rules. It is for one goroutine.
type Watch struct {
	rules []*watched
	coil  inspection.CoilID
}

type watched struct {
	Rule
	at     []inspection.MM // of the newest Count defects, oldest first by when they came
	broken time.Time       // when last; zero: never
	by     inspection.Defect
}

// NewWatch makes one of rules that are possible.
func NewWatch(rules []Rule) *Watch {
	w := &Watch{}
	for _, r := range rules {
		w.rules = append(w.rules, &watched{Rule: r})
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
			if r.counts(d) {
				r.add(now, d)
			}
		}
	}
}

// add counts a defect. Defects come nearly in the order of the strip.
func (r *watched) add(now time.Time, d inspection.Defect) {
	if len(r.at) == r.Count {
		r.at = append(r.at[:0], r.at[1:]...)
	}
	r.at = append(r.at, d.Rect.Along)
	if len(r.at) < r.Count {
		return
	}
	if first := slices.Min(r.at); r.Count == 1 || float64(d.Rect.Along-first) <= r.Within*1000 {
		r.broken, r.by = now, d
	}
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
