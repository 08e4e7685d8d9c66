package appliance

import (
	"errors"
	"fmt"

	"github.com/coilsight/coilsight/appliance/alarm"
	"github.com/coilsight/coilsight/inspection"
)

// AlarmConfig says what is an alarm beside what is the matter with the appliance itself, and who else is told.
type AlarmConfig struct {
	Rules           []inspection.AlarmRule `yaml:"rules"`            // until a person publishes others
	CoveragePercent float64                `yaml:"coverage_percent"` // of the coil so far, below which it is an alarm; 0: never
	DiskFreeGB      float64                `yaml:"disk_free_gb"`     // below which it is an alarm; 0: never
	Webhooks        []string               `yaml:"webhooks"`         // addresses that each record of an alarm is posted to
}

func defaultAlarms() AlarmConfig {
	return AlarmConfig{
		Rules: []inspection.AlarmRule{
			{ID: "severe", Classes: []inspection.DefectClass{}, MinSeverity: inspection.SevereFrom, Count: 1, Priority: inspection.HighPriority},
			{ID: "density", Classes: []inspection.DefectClass{}, Count: 60, Within: 10, Priority: inspection.MediumPriority},
		},
		CoveragePercent: 99, DiskFreeGB: 5, Webhooks: []string{},
	}
}

// checkRules reports the first value of the rules that is not possible. classes are those the model knows; nil skips that test.
func (c AlarmConfig) checkRules(classes []inspection.DefectClass) error {
	var field *inspection.FieldError
	if err := inspection.CheckAlarmRules(c.Rules, classes); errors.As(err, &field) {
		return &inspection.FieldError{Field: "alarms." + field.Field, Reason: field.Reason}
	}
	return nil
}

// check reports the first value that is not possible, whatever the model knows.
func (c AlarmConfig) check() error {
	bad := func(field, format string, a ...any) error {
		return &inspection.FieldError{Field: "alarms." + field, Reason: fmt.Sprintf(format, a...)}
	}
	if err := c.checkRules(nil); err != nil {
		return err
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
