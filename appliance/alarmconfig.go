package appliance

import (
	"fmt"
	"slices"

	"github.com/coilsight/coilsight/appliance/alarm"
	"github.com/coilsight/coilsight/inspection"
)

// AlarmConfig says what is an alarm beside what is the matter with the appliance itself, and who else is told.
type AlarmConfig struct {
	Rules           []alarm.Rule `yaml:"rules"`
	CoveragePercent float64      `yaml:"coverage_percent"` // of the coil so far, below which it is an alarm; 0: never
	DiskFreeGB      float64      `yaml:"disk_free_gb"`     // below which it is an alarm; 0: never
	Webhooks        []string     `yaml:"webhooks"`         // addresses that each record of an alarm is posted to
}

func defaultAlarms() AlarmConfig {
	return AlarmConfig{
		Rules: []alarm.Rule{
			{ID: "severe", Classes: []inspection.DefectClass{}, MinSeverity: severe, Count: 1, Priority: inspection.HighPriority},
			{ID: "density", Classes: []inspection.DefectClass{}, Count: 60, Within: 10, Priority: inspection.MediumPriority},
		},
		CoveragePercent: 99, DiskFreeGB: 5, Webhooks: []string{},
	}
}

// check reports the first value that is not possible.
func (c AlarmConfig) check() error {
	bad := func(field, format string, a ...any) error {
		return &inspection.FieldError{Field: "alarms." + field, Reason: fmt.Sprintf(format, a...)}
	}
	for i, r := range c.Rules {
		if err := r.Check(); err != nil {
			return bad(fmt.Sprintf("rules[%d]", i), "%s", err)
		}
		if slices.ContainsFunc(c.Rules[:i], func(o alarm.Rule) bool { return o.ID == r.ID }) {
			return bad(fmt.Sprintf("rules[%d].id", i), "%q is the name of another rule already; each needs its own", r.ID)
		}
	}
	switch {
	case !(c.CoveragePercent >= 0 && c.CoveragePercent <= 100):
		return bad("coverage_percent", "%g is not possible; allowed are 0 to 100", c.CoveragePercent)
	case !(c.DiskFreeGB >= 0):
		return bad("disk_free_gb", "%g is not possible; the least is 0", c.DiskFreeGB)
	}
	for _, to := range c.Webhooks {
		if err := alarm.CheckWebhook(to); err != nil {
			return bad("webhooks", "%s", err)
		}
	}
	return nil
}
