package alarm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// after is so many seconds from start.
func after(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func told(records []inspection.AlarmRecord) string {
	var out []string
	for _, r := range records {
		out = append(out, string(r.Event)+" "+r.Key)
	}
	return strings.Join(out, ", ")
}

func lost(camera string) Condition {
	return Condition{Code: "camera_lost", About: camera, Priority: inspection.HighPriority, Values: map[string]string{"camera": camera}}
}

func TestAlarmGoesThroughItsStates(t *testing.T) {
	var b Book
	top := []Condition{lost("top")}
	do := func(at int, event inspection.AlarmEvent) func() string {
		return func() string {
			r, err := b.Do(after(at), "camera_lost:top", Command{Event: event, By: "Kim", Reason: "is cleaned", For: 10 * time.Minute})
			if err != nil {
				return err.Error()
			}
			return told([]inspection.AlarmRecord{r}) + " by " + r.By
		}
	}
	look := func(at int, holding []Condition) func() string {
		return func() string { return told(b.Look(after(at), holding)) }
	}
	for i, s := range []struct {
		do   func() string
		want string
		now  inspection.AlarmState
	}{
		{look(0, top), "raised camera_lost:top", inspection.AlarmActive},
		{look(1, top), "", inspection.AlarmActive},
		{look(9, nil), "", inspection.AlarmActive}, // it may come back
		{look(12, nil), "returned camera_lost:top", inspection.AlarmReturned},
		{look(20, top), "raised camera_lost:top", inspection.AlarmActive}, // once more while nobody knew
		{do(21, inspection.AlarmWasAcked), "acknowledged camera_lost:top by Kim", inspection.AlarmAcknowledged},
		{do(22, inspection.AlarmWasAcked), "is acknowledged and cannot be acknowledged", inspection.AlarmAcknowledged},
		{look(23, top), "", inspection.AlarmAcknowledged},
		{do(24, inspection.AlarmWasShelved), "shelved camera_lost:top by Kim", inspection.AlarmShelved},
		{look(25, top), "", inspection.AlarmShelved},
		{do(26, inspection.AlarmPutInService), "is shelved and cannot be in_service", inspection.AlarmShelved},
		{look(24+599, top), "", inspection.AlarmShelved},
		{look(24+600, top), "unshelved camera_lost:top", ""},
		{look(24+601, top), "raised camera_lost:top", inspection.AlarmActive},
		{do(626, inspection.AlarmTakenOut), "out_of_service camera_lost:top by Kim", inspection.AlarmOutOfService},
		{look(9999, top), "", inspection.AlarmOutOfService},
		{do(9999, inspection.AlarmPutInService), "in_service camera_lost:top by Kim", ""},
		{look(10_000, top), "raised camera_lost:top", inspection.AlarmActive},
		{look(10_020, nil), "returned camera_lost:top", inspection.AlarmReturned},
		{do(10_021, inspection.AlarmWasAcked), "acknowledged camera_lost:top by Kim", ""},
		{do(10_022, inspection.AlarmWasAcked), "alarm \"camera_lost:top\"", ""}, // it is normal
	} {
		got := s.do()
		if (s.want == "") != (got == "") || !strings.Contains(got, s.want) {
			t.Errorf("step %d: %q, want %q", i, got, s.want)
		}
		standing, _ := b.Standing()
		var state inspection.AlarmState
		for _, a := range append(standing, b.Aside()...) {
			state = a.State
		}
		if state != s.now {
			t.Errorf("step %d: it is %q, want %q", i, state, s.now)
		}
	}
}

func TestAcknowledgedAlarmThatReturnsIsNormal(t *testing.T) {
	var b Book
	b.Look(after(0), []Condition{lost("top")})
	if _, err := b.Do(after(1), "camera_lost:top", Command{Event: inspection.AlarmWasAcked, By: "Kim"}); err != nil {
		t.Fatal(err)
	}
	if got := told(b.Look(after(20), nil)); got != "returned camera_lost:top" {
		t.Errorf("got %q", got)
	}
	if list, _ := b.Standing(); len(list) != 0 {
		t.Errorf("%+v still stands", list)
	}
}

func TestAnotherCaseRaisesWhatWasAcknowledged(t *testing.T) {
	var b Book
	defect := func(id string) []Condition {
		return []Condition{{Code: "severe_defect", Priority: inspection.HighPriority, Case: id}}
	}
	b.Look(after(0), defect("1"))
	b.Look(after(1), defect("2"))
	if list, _ := b.Standing(); list[0].Times != 2 {
		t.Errorf("two defects that nobody acknowledged are told %d times", list[0].Times)
	}
	if _, err := b.Do(after(2), "severe_defect", Command{Event: inspection.AlarmWasAcked, By: "Kim"}); err != nil {
		t.Fatal(err)
	}
	if got := told(b.Look(after(3), defect("2"))); got != "" {
		t.Errorf("the same defect gives %q", got)
	}
	if got := told(b.Look(after(4), defect("3"))); got != "raised severe_defect" {
		t.Errorf("another one gives %q", got)
	}
}

func TestFirstOutIsTheAlarmThatCameWhenNoOtherStood(t *testing.T) {
	var b Book
	b.Look(after(0), []Condition{lost("top")})
	b.Look(after(1), []Condition{lost("top"), lost("bottom"), {Code: "coverage_low", Priority: inspection.MediumPriority}})
	list, _ := b.Standing()
	var order []string
	for _, a := range list {
		order = append(order, fmt.Sprint(a.Key, " ", a.FirstOut))
	}
	if want := []string{"camera_lost:bottom false", "camera_lost:top true", "coverage_low false"}; !slices.Equal(order, want) {
		t.Errorf("standing are %v, want %v", order, want)
	}
}

func TestConditionMustHoldForItsDelay(t *testing.T) {
	var b Book
	slow := []Condition{{Code: "headroom_low", Priority: inspection.MediumPriority, Delay: 5 * time.Second}}
	for _, s := range []struct {
		at   int
		want string
	}{{0, ""}, {4, ""}, {5, "raised headroom_low"}} {
		if got := told(b.Look(after(s.at), slow)); got != s.want {
			t.Errorf("after %d s: %q, want %q", s.at, got, s.want)
		}
	}
}

func TestFloodBeginsAboveTenInTenMinutesAndEndsWellBelow(t *testing.T) {
	var b Book
	var holding []Condition
	var events []string
	for i := range 12 {
		holding = append(holding, Condition{Code: fmt.Sprint("c", i), Priority: inspection.LowPriority})
		for _, r := range b.Look(after(i), holding) {
			if r.Key == "" {
				events = append(events, fmt.Sprint(r.Event, " ", i))
			}
		}
	}
	for at := 595; at < 620; at++ {
		for _, r := range b.Look(after(at), holding) {
			events = append(events, fmt.Sprint(r.Event, " ", at))
		}
	}
	// The eleventh came at 10 s; five are left once that of 6 s is ten minutes old.
	if want := []string{"flood_began 10", "flood_ended 607"}; !slices.Equal(events, want) {
		t.Errorf("got %v, want %v", events, want)
	}
}

func TestWhatWasSetAsideOutlivesARestart(t *testing.T) {
	var b Book
	b.Look(after(0), []Condition{lost("top"), lost("bottom"), lost("side")})
	var kept []inspection.AlarmRecord
	for _, k := range []struct {
		key   string
		event inspection.AlarmEvent
	}{{"camera_lost:top", inspection.AlarmWasShelved}, {"camera_lost:bottom", inspection.AlarmTakenOut}} {
		r, err := b.Do(after(1), k.key, Command{Event: k.event, By: "Kim", Reason: "is changed", For: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, r)
	}
	var again Book
	again.Restore(kept)
	if got := told(again.Look(after(60), []Condition{lost("top"), lost("bottom"), lost("side")})); got != "raised camera_lost:side" {
		t.Errorf("after the restart: %q", got)
	}
	if got := told(again.Look(after(3602), []Condition{lost("top")})); !strings.Contains(got, "unshelved camera_lost:top") {
		t.Errorf("when its time is over: %q", got)
	}
}

func TestCommandsThatAreNotPossibleSayWhy(t *testing.T) {
	for want, c := range map[string]Command{
		"reason: is empty":                  {Event: inspection.AlarmWasShelved, By: "Kim", For: time.Hour},
		"minutes: 24h0m0s is not possible":  {Event: inspection.AlarmWasShelved, By: "Kim", Reason: "x", For: 24 * time.Hour},
		"event: \"forgotten\" is not known": {Event: "forgotten", By: "Kim"},
		"is active and cannot be unshelved": {Event: inspection.AlarmUnshelved, By: "Kim"},
	} {
		var b Book
		b.Look(after(0), []Condition{lost("top")})
		if _, err := b.Do(after(1), "camera_lost:top", c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	var unknown *inspection.NotFoundError
	var b Book
	if _, err := b.Do(after(1), "lamp_lost:top", Command{Event: inspection.AlarmWasAcked, By: "Kim"}); !errors.As(err, &unknown) {
		t.Errorf("an alarm that does not stand gives %v", err)
	}
}
