package appliance

import (
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func TestRollMarkRaisesItsAlarm(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	r := rollState{coil: "A1", at: now, marks: []inspection.RollMark{
		{Side: inspection.Top, Period: 2100.4, Diameter: 668.6, Across: 400.2, Last: 9000, Rolls: []string{"F6", "F7"}},
		{Side: inspection.Bottom, Period: 1000, Diameter: 318, Across: 12, Last: 8000, Rolls: []string{}},
	}}
	c, ok := r.condition(now.Add(rollFor - 1))
	if !ok || c.Code != "roll_period" || c.Priority != medium {
		t.Fatalf("%+v, %t", c, ok)
	}
	for name, want := range map[string]string{"side": "top", "across_mm": "400", "period_mm": "2100", "diameter_mm": "669", "roll": "F6 / F7", "coil": "A1", "marks": "2"} {
		if c.Values[name] != want {
			t.Errorf("%s is %q; want %q", name, c.Values[name], want)
		}
	}
	if _, ok := r.condition(now.Add(rollFor)); ok {
		t.Error("the alarm outlives its time")
	}
	r.marks[1].Last = 10_000
	if c, _ := r.condition(now); c.Values["side"] != "bottom" {
		t.Errorf("the alarm is about %v; want the mark seen last", c.Values)
	}
	if _, named := c.Values["roll"]; !named {
		t.Error("no roll")
	}
	if c, _ := r.condition(now); c.Values["roll"] != "" {
		t.Errorf("a roll that is not in the table is called %q", c.Values["roll"])
	}
	if _, ok := (&rollState{at: now}).condition(now); ok {
		t.Error("an alarm without a mark")
	}
}

func TestSimulatedMillBringsItsRolls(t *testing.T) {
	c := DefaultConfig()
	if rolls := c.RollTable(); len(rolls) != 2 || inspection.CheckRolls(rolls) != nil {
		t.Errorf("%+v", rolls)
	}
	own := []inspection.Roll{{Name: "F7", Side: inspection.Top, Diameter: 780, Elongation: 1}}
	c.Rolls = own
	if rolls := c.RollTable(); len(rolls) != 1 || rolls[0] != own[0] {
		t.Errorf("%+v", rolls)
	}
	c.Source, c.Rolls = "cameras", nil
	if rolls := c.RollTable(); len(rolls) != 0 {
		t.Errorf("cameras have %+v", rolls)
	}
}
