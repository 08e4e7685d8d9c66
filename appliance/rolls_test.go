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
	got := r.conditions(now.Add(rollFor - 1))
	if len(got) != 2 || got[0].Code != "roll_period" || got[0].Priority != medium || got[0].About == got[1].About {
		t.Fatalf("%+v; want one alarm a side", got)
	}
	for name, want := range map[string]string{"side": "top", "across_mm": "400", "period_mm": "2100", "diameter_mm": "669", "roll": "F6 / F7", "coil": "A1", "marks": ""} {
		if v := got[0].Values[name]; v != want {
			t.Errorf("%s is %q; want %q", name, v, want)
		}
	}
	if v := got[1].Values; v["side"] != "bottom" || v["roll"] != "" {
		t.Errorf("a roll that is not in the table is told as %v", v)
	}
	if got := r.conditions(now.Add(rollFor)); got != nil {
		t.Errorf("the alarm outlives its time: %+v", got)
	}
	r.marks = append(r.marks, inspection.RollMark{Side: inspection.Top, Period: 900, Across: 7, Last: 10_000})
	if v := r.conditions(now)[0].Values; v["across_mm"] != "7" || v["marks"] != "2" {
		t.Errorf("of two marks the alarm is about %v; want the one seen last", v)
	}
	if got := (&rollState{at: now}).conditions(now); got != nil {
		t.Errorf("an alarm without a mark: %+v", got)
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
