package report

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestBothLanguagesSayEverything(t *testing.T) {
	en, ko := reflect.ValueOf(english()), reflect.ValueOf(korean())
	for i := range en.NumField() {
		name := en.Type().Field(i).Name
		for lang, v := range map[string]reflect.Value{"en": en.Field(i), "ko": ko.Field(i)} {
			if v.IsZero() {
				t.Errorf("%s does not say %s", lang, name)
			}
			if v.Kind() == reflect.Array {
				for k := range v.Len() {
					if v.Index(k).IsZero() {
						t.Errorf("%s does not say %s %d", lang, name, k)
					}
				}
			}
		}
		if en.Field(i).Kind() == reflect.Map {
			for _, key := range en.Field(i).MapKeys() {
				if v := ko.Field(i).MapIndex(key); !v.IsValid() || v.IsZero() {
					t.Errorf("ko does not say %s of %v", name, key)
				}
			}
		}
	}
	for _, w := range []words{english(), korean()} {
		for _, g := range inspection.Grades() {
			if w.grades[g] == "" || w.gradeMeaning[g] == "" {
				t.Errorf("grade %s has no name", g)
			}
		}
	}
}

// TestSymbolsAreThoseOfTheScreen reads the palette of the pages: paper and screen must show a class alike.
func TestSymbolsAreThoseOfTheScreen(t *testing.T) {
	b, err := os.ReadFile("../web/ui/src/lib/palette.ts")
	if err != nil {
		t.Fatal(err)
	}
	light := regexp.MustCompile(`(?s)HUES.*?light: \{(.*?)\}`).FindStringSubmatch(string(b))
	if light == nil {
		t.Fatal("the light hues are not found")
	}
	hues := map[string]rgb{}
	for _, m := range regexp.MustCompile(`(\w+): '#([0-9a-f]{6})'`).FindAllStringSubmatch(light[1], -1) {
		v, err := strconv.ParseUint(m[2], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		hues[m[1]] = rgb{int(v >> 16), int(v >> 8 & 255), int(v & 255)}
	}
	shapes := []string{"bar", "ring", "square", "diamond", "lens", "notch", "dot", "cross", "hexagon", "plus"}
	words := regexp.MustCompile(`\['(\w+)', '(\w+)', '(\w+)'\]`).FindAllStringSubmatch(string(b), -1)
	if len(words) < 10 {
		t.Fatalf("only %d words are found", len(words))
	}
	for _, m := range words {
		word, group, shape := m[1], m[2], m[3]
		if word == "no_defect" { // it has no symbol on paper
			continue
		}
		if got := lookOf(inspection.DefectClass(word)); got.hue != hues[group] || shapes[got.shape] != shape {
			t.Errorf("%s is a %s of %v; the pages show a %s of %v", word, shapes[got.shape], got.hue, shape, hues[group])
		}
	}
	if got := lookOf("never_seen"); got.hue != hues["other"] || got.shape != plusShape {
		t.Errorf("an unknown class is %+v", got)
	}
}

func TestNumbersAreReadableAndNeverFlatter(t *testing.T) {
	for got, want := range map[string]string{
		number(1234567.891, 2): "1,234,567.89", number(-0.04, 1): "0.0", number(-1234, 0): "-1,234", number(999, 0): "999",
		percent(0.99999): "99.99 %", percent(1): "100 %", percent(0): "0 %",
	} {
		if got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

func TestWorstAreTheMostSevereThenDecidingThenLargest(t *testing.T) {
	w := worstOf{deciding: map[inspection.DefectID]inspection.Grade{7: inspection.Hold}}
	for i := range 100 {
		id := inspection.DefectID(i*37%100 + 1) // each of 1 to 100 once
		d := inspection.MapDefect{ID: id, Severity: 2, Rect: inspection.StripRect{Length: inspection.MM(id), Width: 1}}
		if id <= 5 {
			d.Severity = 4
		}
		w.add(d)
	}
	if got, want := w.ids(), []inspection.DefectID{5, 4, 3, 2, 1, 7, 100, 99, 98, 97, 96, 95}; !slices.Equal(got, want) {
		t.Errorf("worst %v; want %v", got, want)
	}
}
