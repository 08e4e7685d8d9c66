package alarm

import (
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func defect(along float64, class inspection.DefectClass, severity inspection.Severity) inspection.Defect {
	d := inspection.Defect{ID: inspection.DefectID(along), Coil: "A1", Side: inspection.Top, Class: class, Severity: severity, Conf: 0.9}
	d.Rect = inspection.StripRect{Along: inspection.MM(along * 1000), Length: 20, Width: 10}
	return d
}

func TestRulesMakeAlarmsOfDefects(t *testing.T) {
	w := NewWatch([]Rule{
		{ID: "severe", MinSeverity: 3, Count: 1, Priority: inspection.HighPriority},
		{ID: "scratches", Classes: []inspection.DefectClass{"scratch"}, Count: 3, Within: 10, Priority: inspection.MediumPriority},
	})
	codes := func(at int) string {
		var out []string
		for _, c := range w.Conditions(after(at)) {
			out = append(out, c.key()+" at "+c.Values["along_m"])
		}
		return strings.Join(out, ", ")
	}
	w.Add(after(0), []inspection.Defect{defect(1, "scratch", 1), defect(8, "scratch", 1), defect(12, "scale", 1)})
	if got := codes(0); got != "" {
		t.Errorf("two scratches give %q", got)
	}
	w.Add(after(1), []inspection.Defect{defect(13, "scratch", 1)}) // 12 m behind the first
	if got := codes(1); got != "" {
		t.Errorf("three within 12 m give %q", got)
	}
	w.Add(after(2), []inspection.Defect{defect(17, "scratch", 1), defect(18, "hole", 4)})
	if got := codes(2); got != "severe_defect:severe at 18.0, defect_density:scratches at 17.0" {
		t.Errorf("three within 9 m and a hole give %q", got)
	}
	if got := codes(2 + int(ruleHolds/time.Second)); got != "" {
		t.Errorf("later %q still holds", got)
	}
	// Another coil begins at 0 m.
	next := defect(14, "scratch", 1)
	next.Coil = "A2"
	w.Add(after(60), []inspection.Defect{next})
	if got := codes(60); got != "" {
		t.Errorf("the first scratch of the next coil gives %q", got)
	}
}

func TestRulesThatAreNotPossibleAreNamed(t *testing.T) {
	good := Rule{ID: "a", Count: 2, Within: 5, Priority: inspection.LowPriority}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Rule){
		"id: is empty":             func(r *Rule) { r.ID = "" },
		"side: \"left\"":           func(r *Rule) { r.Side = "left" },
		"min_severity: 5":          func(r *Rule) { r.MinSeverity = 5 },
		"min_confidence: 2":        func(r *Rule) { r.MinConfidence = 2 },
		"count: 0 is not possible": func(r *Rule) { r.Count = 0 },
		"within_m: 0 m":            func(r *Rule) { r.Within = 0 },
		"priority: \"\" is not":    func(r *Rule) { r.Priority = "" },
		"min_length_mm: -1 is not": func(r *Rule) { r.MinLength = -1 },
	} {
		r := good
		change(&r)
		if err := r.Check(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
