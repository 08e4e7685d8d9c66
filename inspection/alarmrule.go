package inspection

import (
	"fmt"
	"slices"
	"time"
)

// AlarmRule makes an alarm of defects: a defect by itself is none.
type AlarmRule struct {
	ID            string        `yaml:"id" json:"id" maxLength:"64"`
	Classes       []DefectClass `yaml:"classes" json:"classes" doc:"Empty: all"`
	Side          Side          `yaml:"side" json:"side,omitempty" doc:"Absent: both"`
	MinSeverity   Severity      `yaml:"min_severity" json:"min_severity"`
	MinConfidence float32       `yaml:"min_confidence" json:"min_confidence"`
	MinLength     MM            `yaml:"min_length_mm" json:"min_length_mm" doc:"Of the longer side"`
	Count         int           `yaml:"count" json:"count" doc:"So many within within_m are an alarm; 1: each one is"`
	Within        float64       `yaml:"within_m" json:"within_m" doc:"Metres of strip; with a count of 1 it means nothing"`
	Priority      AlarmPriority `yaml:"priority" json:"priority" enum:"high,medium,low"`
}

// AlarmRules are one version of what makes an alarm of defects. Versions are only added.
type AlarmRules struct {
	Version int         `json:"version" doc:"0: the configuration's, while nobody has published any"`
	At      time.Time   `json:"at,omitzero" doc:"When they were published"`
	By      string      `json:"by,omitempty"`
	Note    string      `json:"note,omitempty"`
	Rules   []AlarmRule `json:"rules"`
}

const (
	mostAlarmRules = 50
	// mostAlarmCount bounds what a rule remembers of the strip.
	mostAlarmCount  = 1000
	mostAlarmWithin = 100_000 // m
)

// CheckAlarmRules reports the first value that is not possible, as a *FieldError. classes are those the model knows; nil skips that test.
func CheckAlarmRules(rules []AlarmRule, classes []DefectClass) error {
	if len(rules) > mostAlarmRules {
		return &FieldError{Field: "rules", Reason: fmt.Sprintf("there are %d; at most %d are allowed", len(rules), mostAlarmRules)}
	}
	for i, r := range rules {
		bad := func(field, format string, a ...any) error {
			return &FieldError{Field: fmt.Sprintf("rules[%d].%s", i, field), Reason: fmt.Sprintf(format, a...)}
		}
		switch {
		case r.ID == "":
			return bad("id", "is empty; each rule needs its own name")
		case slices.ContainsFunc(rules[:i], func(o AlarmRule) bool { return o.ID == r.ID }):
			return bad("id", "%q is the name of another rule already; each needs its own", r.ID)
		case r.Side != "" && !r.Side.Valid():
			return bad("side", "%q is not known; allowed are top and bottom, or none for both", r.Side)
		case r.MinSeverity > 4:
			return bad("min_severity", "%d is not a severity; allowed are 0 to 4", r.MinSeverity)
		case !(r.MinConfidence >= 0 && r.MinConfidence <= 1):
			return bad("min_confidence", "%g is not a confidence; allowed are 0 to 1", r.MinConfidence)
		case !(r.MinLength >= 0):
			return bad("min_length_mm", "%g is not possible; the least is 0", float64(r.MinLength))
		case r.Count < 1 || r.Count > mostAlarmCount:
			return bad("count", "%d is not possible; allowed are 1 to %d", r.Count, mostAlarmCount)
		case r.Count > 1 && !(r.Within > 0 && r.Within <= mostAlarmWithin):
			return bad("within_m", "%g m is not possible; a rule that counts needs a stretch of up to %d m", r.Within, mostAlarmWithin)
		case !slices.Contains(AlarmPriorities(), r.Priority):
			return bad("priority", "%q is not known; allowed are high, medium and low", r.Priority)
		}
		for _, c := range r.Classes {
			if classes != nil && c != Unclassified && c != Unknown && !slices.Contains(classes, c) {
				return bad("classes", "the model does not know class %q; it knows %v", c, classes)
			}
		}
	}
	return nil
}

// Counts reports whether the rule counts a defect.
func (r AlarmRule) Counts(d Defect) bool {
	return (len(r.Classes) == 0 || slices.Contains(r.Classes, d.Class)) && (r.Side == "" || r.Side == d.Side) &&
		d.Severity >= r.MinSeverity && d.Conf >= r.MinConfidence && max(d.Rect.Length, d.Rect.Width) >= r.MinLength
}

// AlarmRuleTally is what a rule makes of past coils.
type AlarmRuleTally struct {
	ID    string `json:"id"`
	Coils int    `json:"coils" doc:"That have at least one such alarm"`
	Times int    `json:"times" doc:"Defects that each are an alarm, or stretches of strip that hold too many"`
}
