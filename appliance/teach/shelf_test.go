package teach

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

// plain is a teaching for the built-in model that changes nothing.
func plain(t testing.TB, name string) (*Taught, *models.Bundle) {
	t.Helper()
	b, err := models.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	v := &Taught{Format: format, Name: name, Created: time.Now().UTC(), Model: b.ID(), ModelSHA256: modelSum(b)}
	for _, m := range inference.Measures() {
		v.Scales = append(v.Scales, Scale{m, 1})
	}
	return v, b
}

func put(t testing.TB, s *Shelf, v *Taught) {
	t.Helper()
	if err := s.begin(v); err != nil {
		t.Fatal(err)
	}
	if err := s.save(v); err != nil {
		t.Fatal(err)
	}
}

func TestVersionsStayAsTheyWereWritten(t *testing.T) {
	s := NewShelf(filepath.Join(t.TempDir(), "teach"))
	if v, err := s.OpenActive(); v != nil || err != nil {
		t.Fatalf("an empty shelf has %v, %v active", v, err)
	}
	first, _ := plain(t, "line-2")
	put(t, s, first)
	second, _ := plain(t, "line-2")
	put(t, s, second)
	if first.ID() != "line-2-v1" || second.ID() != "line-2-v2" {
		t.Errorf("the versions are %s and %s", first.ID(), second.ID())
	}
	if err := s.save(first); err == nil {
		t.Error("a version is written over")
	}
	_, sum, err := s.Open("line-2-v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Activate("line-2-v1", sum, Change{By: "Kim", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if v, err := s.OpenActive(); err != nil || v.ID() != "line-2-v1" {
		t.Errorf("active is %v, %v", v, err)
	}
	path := s.file("line-2", 1)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(data, ' '), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenActive(); err == nil || !strings.Contains(err.Error(), "was changed since") {
		t.Errorf("a version that was changed gives %v", err)
	}
	if err := s.Off(Change{At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if a, err := s.Active(); err != nil || a.ID != "" {
		t.Errorf("after off %q is active, %v", a.ID, err)
	}
	if list, err := s.List(); err != nil || len(list) != 2 {
		t.Errorf("the list has %d versions, %v", len(list), err)
	}
}

func TestTeachingOfAnotherModelIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Taught)
		want   string
	}{
		{"as it was learned", func(*Taught) {}, ""},
		{"another model", func(v *Taught) { v.Model = "other 2.0.0" }, "needs a teaching of its own"},
		{"another build", func(v *Taught) { v.ModelSHA256 = "00" }, "must be learned again"},
		{"a scale that blinds", func(v *Taught) { v.Scales[0].Factor = 5 }, "allowed are 1 to 2"},
		{"golden defects lost", func(v *Taught) { v.Golden = GoldenCheck{SetIn: 100, Before: 60, After: 40} }, "allowed are at least 54"},
		{"a golden class lost", func(v *Taught) {
			v.Golden.ByClass = map[inspection.DefectClass]GoldenClass{"hole": {SetIn: 12, Before: 6, After: 0}}
		}, "class hole are found on this strip without the teaching and never with it"},
		{"a look over a defect", func(v *Taught) {
			f := inference.UnitFeatures(nil, []float32{1, 1})
			v.Looks, v.Defects = []Look{{Prototype: inference.Prototype{Features: f, Radius: 0.2}}}, [][]float32{f}
		}, "holds a defect"},
	} {
		v, b := plain(t, "line-2")
		c.change(v)
		err := v.Fits(b)
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

func TestNamesAreNoPaths(t *testing.T) {
	s := NewShelf(t.TempDir())
	for _, id := range []string{"", "a", "../a-v1", "a-v0", "a-v01", "A-v1", "a/b-v1", "-a-v1"} {
		if _, _, err := s.Open(id); err == nil || !strings.Contains(err.Error(), "is not the name of one") {
			t.Errorf("%q gives %v", id, err)
		}
	}
}

func TestAnswersAreReadStrictly(t *testing.T) {
	got, err := ParseAnswers([]string{"1=normal", "2=defect", "3=hole"})
	if err != nil || len(got) != 3 || got[3] != "hole" {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range [][]string{{"1"}, {"x=normal"}, {"1=normal", "1=defect"}} {
		if _, err := ParseAnswers(bad); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	classes := []inspection.DefectClass{inspection.NoDefect, "hole"}
	for said, known := range map[string]bool{"normal": true, "defect": true, "hole": true, "no_defect": false, "rust": false} {
		if err := checkAnswer(1, said, classes); (err == nil) != known {
			t.Errorf("%s gives %v", said, err)
		}
	}
}
