package appliance

import (
	"context"
	"time"

	"github.com/coilsight/coilsight/appliance/alarm"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// atWork are the rules that defects are measured by.
func (d *alarmDesk) atWork() inspection.AlarmRules {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rules
}

// AlarmRuleVersions are all that were published, the newest first.
func (d *alarmDesk) AlarmRuleVersions(ctx context.Context) ([]inspection.AlarmRules, error) {
	return d.a.store.AlarmRules(ctx)
}

// PublishAlarmRules records the next version and puts it to work. What the rules before counted is forgotten with them.
func (d *alarmDesk) PublishAlarmRules(ctx context.Context, r inspection.AlarmRules) (inspection.AlarmRules, error) {
	if err := d.checkRules(r.Rules); err != nil {
		return r, err
	}
	r, err := d.a.store.PublishAlarmRules(ctx, r)
	if err != nil {
		return r, err
	}
	d.mu.Lock()
	if r.Version > d.rules.Version { // of two that publish at once the later one was recorded later
		d.rules, d.watch = r, alarm.NewWatch(r.Rules)
	}
	d.mu.Unlock()
	d.happened([]inspection.AlarmRecord{{At: r.At, Event: inspection.AlarmRulesPublished, By: r.By, Reason: r.Note}})
	return r, nil
}

// checkRules refuses rules that the model at work cannot serve.
func (d *alarmDesk) checkRules(rules []inspection.AlarmRule) error {
	return inspection.CheckAlarmRules(rules, d.a.desk.engine().Classifier.Classes())
}

// TestAlarmRules looks at past coils.
func (d *alarmDesk) TestAlarmRules(ctx context.Context, rules []inspection.AlarmRule, coils int) (t web.AlarmRulesTest, err error) {
	if err := d.checkRules(rules); err != nil {
		return t, err
	}
	before, after := alarm.NewTrial(d.atWork().Rules), alarm.NewTrial(rules)
	var ran time.Duration
	t.Coils, t.Skipped, err = d.a.pastCoils(ctx, coils, func(c inspection.Coil) error {
		m, err := d.a.store.Map(ctx, c.ID)
		if err != nil {
			return err
		}
		before.Coil(m.Defects)
		after.Coil(m.Defects)
		if c.StartedAt != nil && c.EndedAt != nil {
			ran += c.EndedAt.Sub(*c.StartedAt)
		}
		return nil
	})
	t.Minutes, t.Before, t.After = ran.Minutes(), before.Tally(), after.Tally()
	return t, err
}
