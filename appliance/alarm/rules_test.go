package alarm

import (
	"slices"
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
	w := NewWatch([]inspection.AlarmRule{
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

func TestTrialCountsWhatRulesMakeOfPastCoils(t *testing.T) {
	trial := NewTrial([]inspection.AlarmRule{
		{ID: "severe", MinSeverity: 3, Count: 1, Priority: inspection.HighPriority},
		{ID: "dense", Count: 3, Within: 10, Priority: inspection.MediumPriority},
	})
	// Two dense stretches, not in the order of the strip, and two severe defects.
	trial.Coil([]inspection.Defect{
		defect(70, "scratch", 1), defect(1, "scratch", 1), defect(2, "scale", 3), defect(3, "scale", 1), defect(4, "scale", 1),
		defect(71, "scratch", 1), defect(72, "hole", 4), defect(40, "hole", 1),
	})
	trial.Coil([]inspection.Defect{defect(1, "scratch", 1), defect(5, "scratch", 1)}) // the first coil's are not counted with them
	want := []inspection.AlarmRuleTally{{ID: "severe", Coils: 1, Times: 2}, {ID: "dense", Coils: 1, Times: 2}}
	if got := trial.Tally(); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestDefectThatComesLateMakesNoStretchShorter(t *testing.T) {
	w := NewWatch([]inspection.AlarmRule{{ID: "scratches", Classes: []inspection.DefectClass{"scratch"}, Count: 3, Within: 10, Priority: inspection.MediumPriority}})
	// The camera of the other edge is behind.
	w.Add(after(0), []inspection.Defect{defect(20, "scratch", 1), defect(35, "scratch", 1), defect(19, "scratch", 1)})
	if got := w.Conditions(after(0)); len(got) != 0 {
		t.Errorf("three within 16 m give %+v under a rule on 10 m", got)
	}
	w.Add(after(1), []inspection.Defect{defect(36, "scratch", 1), defect(37, "scratch", 1), defect(30, "scratch", 1)})
	if got := w.Conditions(after(1)); len(got) != 1 {
		t.Errorf("three within 7 m, the first of them last, give %+v", got)
	}
}
