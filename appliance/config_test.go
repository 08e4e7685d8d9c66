package appliance_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/deploy"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

func readConfig(t *testing.T, text string) (appliance.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return appliance.ReadConfig(path)
}

func shipped(t *testing.T, name string) string {
	t.Helper()
	data, err := fs.ReadFile(deploy.Files, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestShippedConfigurationEqualsTheDefaults(t *testing.T) {
	got, err := readConfig(t, shipped(t, "coilsight.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if want := appliance.DefaultConfig(); !reflect.DeepEqual(got, want) {
		t.Errorf("the shipped file gives\n%+v\nthe defaults are\n%+v", got, want)
	}
}

func TestBadConfigurationIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "the file is empty",
		"lisen: 127.0.0.1:80":           `line 1: key "lisen" is not known`,
		"data: x\nmill:\n  sped_mps: 3": `line 3: key "sped_mps" is not known`,
		"listen: nowhere":               `listen: "nowhere" is not an address`,
		"listen: '127.0.0.1:'":          "listen:",
		"data: ''":                      "data: is empty",
		"roll_tolerance: 0.5":           "roll_tolerance: 0.5 is not possible; allowed are 0.001 to 0.1",
		"rolls: [{name: F7, side: top, diameter_mm: 50, elongation: 1}]": "rolls[0].diameter_mm: 50 is not possible; allowed are 100 to 2000",
		"rolls: [{name: F7, side: top, diameter_mm: 700}]":               "rolls[0].elongation: 0 is not possible; allowed are 0.5 to 20",
		"rolls: [{name: F7, side: top, diameter: 700}]":                  `key "diameter" is not known`,
		"source: webcam":                    `source: "webcam" is not known; allowed are mill and cameras`,
		"mill: {speed_mps: 90}":             "mill.speed_mps: 90 m/s is not possible; allowed are 0.1 to 30",
		"mill: {speed_mps: fast}":           "line 1:",
		"mill: {speed_mps: .nan}":           "mill.speed_mps:",
		"mill: {pixels_across: 3}":          "mill.pixels_across: 3 is not possible; allowed are 512 to 16384",
		"mill: {mm_per_pixel: 0}":           "mill.mm_per_pixel: 0 mm is not possible",
		"mill: {coil_length_m: [200, 100]}": "mill.coil_length_m: [200, 100] is not possible",
		"mill: {coil_length_m: [1, 2, 3]}":  "want 2 elements but got 3",
		"mill: {coils: -1}":                 "mill.coils: -1 is not possible",
		"review_below: 1.5":                 "review_below: 1.5 is not a confidence",
		"mill: {defect_mix: odd}":           "mill.defect_mix: \"odd\" is not known",
		"mill: {defects_per_100m: 5000}":    "mill.defects_per_100m:",
		"detector: {threshold: 0}":          "detector.threshold: 0 is not possible; allowed are 0.2 to 5",
		"detector: {bands: 0}":              "detector.bands:",
		"classifier: {provider: gpu}":       `classifier.provider: "gpu" is not known; allowed are auto, tensorrt, cuda, cpu`,
		"classifier: {batch: 1000}":         "classifier.batch:",
		"classifier: {within_ms: 0}":        "classifier.within_ms:",
		"line: {region_cap: 0}":             "line.region_cap:",
		"line: {flush_ms: 1}":               "line.flush_ms:",
		"recipe: ''":                        "recipe: is empty",
		"time_zone: Seoul":                  `time_zone: "Seoul" is not a time zone; allowed is an IANA name, such as Asia/Seoul`,
		"shifts: []":                        "shifts: 0 shifts are not possible; allowed are 1 to 12",
		"shifts: [06:00, 14]":               `shifts: "14" is not a time of day; allowed is HH:MM, such as "06:00"`,
		"shifts: [22:00, 06:00]":            "shifts: 06:00 comes after 22:00; list the starts of the shifts in order of the day",
		"data: a\n---\ndata: b":             "more than one document",
		"listen: [1, 2]":                    "line 1:",
		"- a list":                          "line 1:",
	} {
		_, err := readConfig(t, text)
		if err == nil {
			t.Errorf("%q is accepted", text)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q gives %q; want one line with %q", text, err, want)
		}
	}
	if _, err := appliance.ReadConfig(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}

func catalogue(t *testing.T) []inspection.DefectClass {
	t.Helper()
	b, err := models.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return b.Classes()
}

func TestShippedRecipesFitTheShippedModel(t *testing.T) {
	classes := catalogue(t)
	files, err := fs.Glob(deploy.Files, "recipes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recipe ships: %v", err)
	}
	for _, f := range files {
		if _, err := appliance.ParseRecipe([]byte(shipped(t, f)), classes); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestBadRecipeIsNamed(t *testing.T) {
	good := shipped(t, "recipes/hot-strip.yaml")
	for change, want := range map[[2]string]string{
		{"classes: [hole]", "classes: [sliver]"}:      `the model does not know class "sliver"`,
		{"grade: block", "grade: bad"}:                `"bad" is not allowed`,
		{"gap_grade: hold", "gap_grade: prime"}:       `gap_grade: recipe "hot-strip": "prime" is not allowed`,
		{"longest_gap_mm: 1000", "longest_gap: 1000"}: `key "longest_gap" is not known`,
		{"version: 1", "version: one"}:                "line",
		{"hole: 4", "sliver: 4"}:                      "severity.sliver",
	} {
		_, err := appliance.ParseRecipe([]byte(strings.Replace(good, change[0], change[1], 1)), catalogue(t))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v; want %q", change[1], err, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	data, err := fs.ReadFile(deploy.Files, "coilsight.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("mill: {coil_length_m: [1]}"))
	path := filepath.Join(f.TempDir(), "c.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := appliance.ReadConfig(path); err == nil && c.Check() != nil {
			t.Errorf("accepted, and then refused: %v", c.Check())
		}
	})
}

func FuzzRecipe(f *testing.F) {
	data, err := fs.ReadFile(deploy.Files, "recipes/hot-strip.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("name: x\nversion: 1\nrules: [{id: a, count: 1, grade: hold}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := appliance.ParseRecipe(data, nil)
		if err != nil {
			return
		}
		if g := inspection.GradeMap(inspection.DefectMap{}, r).Grade; g == "" {
			t.Error("an accepted recipe gives no grade")
		}
	})
}
