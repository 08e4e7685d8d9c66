package inspection

import (
	"strings"
	"testing"
)

func TestAlarmRulesThatAreNotPossibleAreNamed(t *testing.T) {
	good := AlarmRule{ID: "a", Classes: []DefectClass{"scratch", Unknown}, Count: 2, Within: 5, Priority: LowPriority}
	classes := []DefectClass{"scratch", "hole"}
	if err := CheckAlarmRules([]AlarmRule{good}, classes); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*AlarmRule){
		"rules[1].id: is empty":             func(r *AlarmRule) { r.ID = "" },
		"rules[1].id: \"a\" is the name":    func(r *AlarmRule) { r.ID = "a" },
		"rules[1].side: \"left\"":           func(r *AlarmRule) { r.Side = "left" },
		"rules[1].min_severity: 5":          func(r *AlarmRule) { r.MinSeverity = 5 },
		"rules[1].min_confidence: 2":        func(r *AlarmRule) { r.MinConfidence = 2 },
		"rules[1].count: 0 is not possible": func(r *AlarmRule) { r.Count = 0 },
		"rules[1].count: 1001 is not":       func(r *AlarmRule) { r.Count = 1001 },
		"rules[1].within_m: 0 m":            func(r *AlarmRule) { r.Within = 0 },
		"rules[1].priority: \"\" is not":    func(r *AlarmRule) { r.Priority = "" },
		"rules[1].min_length_mm: -1 is not": func(r *AlarmRule) { r.MinLength = -1 },
		"rules[1].classes: the model does":  func(r *AlarmRule) { r.Classes = []DefectClass{"dent"} },
	} {
		r := good
		r.ID = "b"
		change(&r)
		if err := CheckAlarmRules([]AlarmRule{good, r}, classes); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := CheckAlarmRules(make([]AlarmRule, 51), nil); err == nil || !strings.HasPrefix(err.Error(), "rules: there are 51") {
		t.Errorf("got %v", err)
	}
}
