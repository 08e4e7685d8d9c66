package appliance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

func TestAlarmsAreCommandedAndKept(t *testing.T) {
	c := fakeConfig(t)
	dim, _ := even(t, 150)
	c.Cameras = []CameraConfig{{ID: "top", Side: "top", Address: dim, Pixels: 512, MMPerPixel: 0.5, LineRateHz: 8000}}
	a, stop := runAppliance(t, c)
	state := func(key string) (s inspection.AlarmState) {
		l := a.alarms.Alarms()
		for _, k := range append(l.Standing, l.Aside...) {
			if k.Key == key {
				s = k.State
			}
		}
		return s
	}
	eventually(t, 5*time.Second, "an alarm for the camera that was never calibrated", func() bool { return state("not_calibrated:top") == inspection.AlarmActive })
	if _, err := a.alarms.Command("not_calibrated:top", web.AlarmCommand{Event: inspection.AlarmWasAcked, By: "Kim"}); err != nil {
		t.Fatal(err)
	}
	r, err := a.alarms.Command("not_calibrated:top", web.AlarmCommand{Event: inspection.AlarmWasShelved, By: "Kim", Reason: "the target is on its way", Minutes: 60})
	if err != nil || r.Until == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	stop() // and what happened is written by then

	a, stop = runAppliance(t, c)
	defer stop()
	time.Sleep(2 * statusEvery)
	if s := state("not_calibrated:top"); s != inspection.AlarmShelved {
		t.Errorf("after a restart it is %q, want shelved", s)
	}
	got, err := a.alarms.AlarmHistory(t.Context(), 0, "not_calibrated", 10)
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	for _, r := range got {
		events = append(events, string(r.Event)+" "+r.By)
	}
	if s := strings.Join(events, ", "); s != "shelved Kim, acknowledged Kim, raised " {
		t.Errorf("the history is %q", s)
	}
	if k := got[0]; k.Reason != "the target is on its way" || !k.Until.Equal(r.Until.Truncate(time.Microsecond)) || k.Values["camera"] != "top" {
		t.Errorf("the newest line is %+v", k)
	}
	if older, err := a.alarms.AlarmHistory(t.Context(), got[1].Seq, "", 10); err != nil || len(older) == 0 || older[0].Seq >= got[1].Seq {
		t.Errorf("older than %d are %+v, %v", got[1].Seq, older, err)
	}
}

func TestWhoIsToldOfAnAlarmFindsItInTheHistory(t *testing.T) {
	c := fakeConfig(t)
	dim, _ := even(t, 150)
	c.Cameras = []CameraConfig{{ID: "top", Side: "top", Address: dim, Pixels: 512, MMPerPixel: 0.5, LineRateHz: 8000}}
	a, stop := runAppliance(t, c)
	defer stop()
	const key = "not_calibrated:top"
	for i := range 10 {
		event := []inspection.AlarmEvent{inspection.AlarmTakenOut, inspection.AlarmPutInService}[i%2]
		var said inspection.AlarmRecord
		eventually(t, 5*time.Second, "the command is possible", func() bool {
			var err error
			said, err = a.alarms.Command(key, web.AlarmCommand{Event: event, By: "Lee", Reason: "again"})
			return err == nil
		})
		got, err := a.alarms.AlarmHistory(t.Context(), 0, "not_calibrated", 2) // the next look may have raised it already
		if err != nil || !slices.ContainsFunc(got, func(r inspection.AlarmRecord) bool { return r.At.Equal(said.At.Truncate(time.Microsecond)) }) {
			t.Fatalf("after %s number %d the newest lines are %+v, %v", event, i, got, err)
		}
	}
}

func TestLowCoverageAndAFullDiskAreAlarms(t *testing.T) {
	c := fakeConfig(t)
	c.Alarms.DiskFreeGB = 1e9 // more than any disk has
	d := &alarmDesk{a: &Appliance{o: Options{Config: c}}}
	st := web.Live{Time: time.Now(), Coil: &inspection.Coil{ID: "A1"}, Cameras: []web.CameraState{
		{Side: inspection.Top, Coverage: inspection.Coverage{Length: 20_000, Inspected: 19_900}},
		{Side: inspection.Bottom, Coverage: inspection.Coverage{Length: 20_000, Inspected: 19_000}},
		{Side: inspection.Bottom, Coverage: inspection.Coverage{Length: 20_000, Inspected: 19_000}},
	}}
	got := d.conditions(st)
	if len(got) != 2 || got[0].Code != "coverage_low" || got[0].About != "bottom" || got[0].Values["percent"] != "95.0" || got[1].Code != "disk_low" {
		t.Errorf("conditions %+v; want the bottom's coverage and the disk", got)
	}
	for i := range st.Cameras {
		st.Cameras[i].Coverage.Length = 5000 // too little to say
	}
	d.a.o.Config.Alarms.DiskFreeGB = 0
	if got := d.conditions(st); len(got) != 0 {
		t.Errorf("conditions %+v; want none", got)
	}
}
