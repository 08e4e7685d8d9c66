package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

func TestSampleIsDrawnReviewedAndRatedBesideTheAppliance(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	recipe := inspection.Recipe{Name: "r", Version: 1, GapGrade: inspection.Hold}
	if _, err := s.StartCoil(t.Context(), "A1", inspection.CoilOrder{}, recipe, inspection.Setup{Model: "first 1.0.0"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	b := &inspection.Batch{Coil: "A1"}
	for i := range 60 {
		class := inspection.DefectClass("hole")
		if i%6 == 5 {
			class = "red_iron"
		}
		b.Defects = append(b.Defects, inspection.Defect{
			Side: inspection.Top, Camera: "top", Class: class, Conf: 0.8, Area: 12,
			Rect: inspection.StripRect{Along: inspection.MM(10 * i), Length: 8, Width: 2}, Seen: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC),
		})
		b.Images = append(b.Images, &inspection.Crop{Pix: make([]byte, 16), Size: 4})
	}
	if err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}

	code, out, stderr := command(t, "sample", "draw", "--data", dir, "--count", "20", "--seed", "4", "--by", "Kim")
	if code != exitDone || !strings.HasPrefix(out, "sample 1: 20 of 60 defects, drawn ") || !strings.Contains(out, "by Kim with seed 4; model first 1.0.0") || strings.Count(out, "/coils/A1?defect=") != 20 {
		t.Fatalf("draw: exit code %d, %q, %q", code, out, stderr)
	}
	code, out, _ = command(t, "sample", "show", "--json", "--data", dir, "--sample", "1")
	var d web.SampleDetail
	if err := json.Unmarshal([]byte(out), &d); err != nil || code != exitDone || d.Open != 20 || len(d.Defects) != 20 {
		t.Fatalf("show: exit code %d, %v, %q", code, err, out)
	}
	if code, out, _ = command(t, "sample", "rate", "--data", dir, "--sample", "1"); code != exitDone || !strings.Contains(out, "0 reviewed, 20 still open") || !strings.Contains(out, "nothing is reviewed of hole, red_iron") {
		t.Errorf("rate of nothing: exit code %d, %q", code, out)
	}
	var mine []inspection.DefectID
	for i, x := range d.Defects[:18] {
		class := x.Class
		if i == 3 {
			class = inspection.NoDefect
		}
		mine = append(mine, x.ID)
		if _, err := s.Review(t.Context(), x.ID, inspection.Review{Class: class, By: "Lee"}, 0); err != nil {
			t.Fatal(err)
		}
	}
	for id := range inspection.DefectID(60) { // chosen, not drawn
		if !slices.ContainsFunc(d.Defects, func(x inspection.Defect) bool { return x.ID == id+1 }) {
			if _, err := s.Review(t.Context(), id+1, inspection.Review{Class: inspection.NoDefect, By: "Lee"}, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	if code, out, _ = command(t, "sample", "show", "--open", "--data", dir, "--sample", "1"); code != exitDone || strings.Count(out, "?defect=") != 2 || strings.Contains(out, fmt.Sprintf("defect=%d ", mine[0])) {
		t.Errorf("show --open: exit code %d, %q", code, out)
	}
	code, out, _ = command(t, "sample", "rate", "--json", "--data", dir, "--sample", "1")
	var r web.ClassificationRate
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitDone || r.Reviewed != 18 || r.Open != 2 || r.Right != 17 || r.Stratified == nil {
		t.Errorf("rate: exit code %d, %v, %q", code, err, out)
	}
	if code, out, _ = command(t, "sample", "rate", "--data", dir, "--sample", "1"); code != exitDone || !strings.Contains(out, "18 reviewed, 2 still open; the model is right on 17") || !strings.Contains(out, "94.4 % (74.2 to 99.0 %)") {
		t.Errorf("rate: exit code %d, %q", code, out)
	}
	for want, args := range map[string][]string{
		`sample "9" is not known`: {"sample", "rate", "--data", dir, "--sample", "9"},
		"holds no record":         {"sample", "draw", "--data", t.TempDir(), "--count", "5"},
		"fewer than 5 of each":    {"sample", "draw", "--data", dir, "--count", "9"},
	} {
		if code, _, stderr := command(t, args...); code != exitFailed || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %q", args, code, stderr)
		}
	}
}

func TestSampleMisuse(t *testing.T) {
	for _, args := range [][]string{
		{"sample"},
		{"sample", "draw"},
		{"sample", "draw", "--count", "0"},
		{"sample", "draw", "--count", "5", "--since", "yesterday"},
		{"sample", "rate"},
		{"sample", "rate", "--sample", "0"},
	} {
		if code, _, stderr := command(t, args...); code != exitMisused || !strings.Contains(stderr, "coilsight: ") {
			t.Errorf("%v: exit code %d, %q", args, code, stderr)
		}
	}
}
