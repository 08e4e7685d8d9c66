package appliance

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func TestAlarmRulesArePublishedTriedAndKept(t *testing.T) {
	c := DefaultConfig()
	c.Listen, c.Data = "127.0.0.1:0", t.TempDir()
	c.Mill.Coils, c.Mill.CoilLengthM, c.Mill.SpeedMPS, c.Mill.DefectsPer100M, c.Mill.DefectMix = 1, [2]float64{20, 20}, 10, 60, evenMix
	a, stop := runAppliance(t, c)
	if r := a.alarms.Alarms().Rules; r.Version != 0 || len(r.Rules) != 2 || r.Rules[0].ID != "severe" {
		t.Fatalf("at first the rules are %+v, want the configuration's", r)
	}
	severe := inspection.AlarmRule{ID: "holes", Classes: []inspection.DefectClass{"hole"}, Count: 1, Priority: inspection.HighPriority}
	any := inspection.AlarmRule{ID: "any", Count: 1, Priority: inspection.LowPriority}
	want := []inspection.AlarmRule{severe, any}

	eventually(t, 60*time.Second, "a coil that has ended", func() bool {
		r, err := a.alarms.TestAlarmRules(t.Context(), want, 10)
		return err == nil && r.Coils == 1
	})
	r, err := a.alarms.TestAlarmRules(t.Context(), want, 10)
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.store.Map(t.Context(), "SIM-00001")
	if err != nil {
		t.Fatal(err)
	}
	holes := 0
	for _, d := range m.Defects {
		if d.Class == "hole" {
			holes++
		}
	}
	if len(m.Defects) == 0 || !slices.Equal(r.After, []inspection.AlarmRuleTally{{ID: "holes", Coils: min(holes, 1), Times: holes}, {ID: "any", Coils: 1, Times: len(m.Defects)}}) {
		t.Errorf("of %d holes and %d defects the test says %+v", holes, len(m.Defects), r.After)
	}
	if len(r.Before) != 2 || r.Before[0].ID != "severe" || r.Minutes <= 0 {
		t.Errorf("before: %+v in %g minutes", r.Before, r.Minutes)
	}

	var field *inspection.FieldError
	if _, err := a.alarms.PublishAlarmRules(t.Context(), inspection.AlarmRules{Version: 1, By: "Kim", Rules: []inspection.AlarmRule{{ID: "x"}}}); !errors.As(err, &field) || field.Field != "rules[0].count" {
		t.Errorf("a rule that is not possible gives %v", err)
	}
	p, err := a.alarms.PublishAlarmRules(t.Context(), inspection.AlarmRules{Version: 1, By: "Kim", Note: "scale is no alarm", Rules: want})
	if err != nil || p.At.IsZero() {
		t.Fatalf("%+v, %v", p, err)
	}
	var conflict *inspection.ConflictError
	if _, err := a.alarms.PublishAlarmRules(t.Context(), inspection.AlarmRules{Version: 1, By: "Lee", Rules: want}); !errors.As(err, &conflict) {
		t.Errorf("the same version again gives %v, want a conflict", err)
	}
	if got := a.alarms.Alarms().Rules; got.Version != 1 || got.By != "Kim" || got.Rules[0].ID != "holes" {
		t.Errorf("at work are %+v", got)
	}
	stop()

	a, stop = runAppliance(t, c)
	defer stop()
	if got := a.alarms.Alarms().Rules; got.Version != 1 || got.Note != "scale is no alarm" || len(got.Rules) != 2 {
		t.Errorf("after a restart at work are %+v", got)
	}
	versions, err := a.alarms.AlarmRuleVersions(t.Context())
	if err != nil || len(versions) != 1 || !versions[0].At.Equal(p.At) {
		t.Errorf("versions %+v, %v", versions, err)
	}
	history, err := a.alarms.AlarmHistory(t.Context(), 0, "", 100)
	if err != nil || !slices.ContainsFunc(history, func(r inspection.AlarmRecord) bool {
		return r.Event == inspection.AlarmRulesPublished && r.By == "Kim" && r.Reason == "scale is no alarm"
	}) {
		t.Errorf("the history does not say that the rules changed: %+v, %v", history, err)
	}
}

func TestAlarmRuleOfAClassThatTheModelDoesNotKnowRefusesToStart(t *testing.T) {
	c := DefaultConfig()
	c.Listen, c.Data = "127.0.0.1:0", t.TempDir()
	c.Mill.Coils = 1
	c.Alarms.Rules = []inspection.AlarmRule{{ID: "rust", Classes: []inspection.DefectClass{"rust"}, Count: 1, Priority: inspection.HighPriority}}
	a, err := New(t.Context(), Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		a.Close()
		t.Fatal("it starts")
	}
	if want := `configuration: alarms.rules[0].classes: the model does not know class "rust"; it knows [`; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%q, want %q…", err, want)
	}
}
