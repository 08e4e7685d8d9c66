package appliance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

const shippedFolder = "../models/bundles/steel-surface-1"

func TestConfiguredBundleStandsOverTheActiveOne(t *testing.T) {
	c := DefaultConfig()
	c.Data = t.TempDir()
	if active, shadow, err := WantedModels(c); err != nil || active != models.Builtin || shadow != "" {
		t.Errorf("wanted are %q, %q, %v; want the built-in one alone", active, shadow, err)
	}
	b, err := models.OpenPath(shippedFolder)
	if err != nil {
		t.Fatal(err)
	}
	id := b.Folder()
	if err := c.Models().Import(b); err != nil {
		t.Fatal(err)
	}
	if err := c.Models().SetShadow(id, time.Now(), ""); err != nil {
		t.Fatal(err)
	}
	if active, shadow, err := WantedModels(c); err != nil || active != models.Builtin || shadow != id {
		t.Errorf("wanted are %q, %q, %v; want the built-in one and %s", active, shadow, err, id)
	}
	if err := c.Models().Activate(id, time.Now(), ""); err != nil {
		t.Fatal(err)
	}
	if active, _, err := WantedModels(c); err != nil || active != id {
		t.Errorf("wanted is %q, %v; want %s", active, err, id)
	}
	c.Classifier.Bundle = shippedFolder
	active, _, err := WantedModels(c)
	if err != nil || active != shippedFolder {
		t.Errorf("wanted is %q, %v; want the configured one", active, err)
	}
	if _, err := OpenModel(c, active); err != nil {
		t.Error(err)
	}
}

func TestTrustedKeysHoldForEveryBundleButTheBuiltinOne(t *testing.T) {
	c := DefaultConfig()
	c.Data, c.Classifier.Bundle = t.TempDir(), shippedFolder
	c.Classifier.TrustedKeys = filepath.Join(t.TempDir(), "plant.pem")
	if _, err := OpenModel(c, shippedFolder); err == nil || !strings.Contains(err.Error(), "trusted keys:") {
		t.Errorf("a key that is missing gives %v", err)
	}
	// The public part of a key that signed nothing here.
	const key = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
	if err := os.WriteFile(c.Classifier.TrustedKeys, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenModel(c, shippedFolder); err == nil || !strings.Contains(err.Error(), "has no signature; allowed is one of key") {
		t.Errorf("an unsigned bundle gives %v", err)
	}
	if _, err := OpenModel(c, models.Builtin); err != nil {
		t.Error(err)
	}
}

func TestModelThatTheConfiguredAlarmRulesDoNotFitIsRefused(t *testing.T) {
	b, err := models.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	if err := FitsConfig(c, b); err != nil {
		t.Error(err)
	}
	// Of another model, which the appliance was started with: with this one it would not start again.
	c.Alarms.Rules = []inspection.AlarmRule{{ID: "rust", Classes: []inspection.DefectClass{"rust"}, Count: 1, Priority: inspection.HighPriority}}
	if err := FitsConfig(c, b); err == nil || !strings.Contains(err.Error(), `alarms.rules[0].classes: the model does not know class "rust"`) {
		t.Errorf("an alarm rule of a class that it does not know gives %v", err)
	}
}
