package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/appliance/accuracy"
)

func TestEvaluatePrintsAndLeavesItsReport(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "report")
	code, _, stderr := command(t, "dataset", "simulate", "--out", dir, "--seed", "991", "--count", "3", "--coils", "0")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	code, table, stderr := command(t, "evaluate", "--set-in", "--out", out, dir)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"accuracy under noise sigma 12", "Confusion", "Set into simulated strip"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	for _, name := range []string{"accuracy.json", "accuracy.md"} {
		if st, err := os.Stat(filepath.Join(out, name)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	code, text, stderr := command(t, "evaluate", "--json", dir)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var r accuracy.Report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if len(r.ClassFolders) != 1 || r.ClassFolders[0].Pictures != 30 || r.Model == "" || r.SetIn != nil {
		t.Errorf("report: %+v", r)
	}
}

func TestEvaluateRefusesWhatItCannotMeasure(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitMisused, "PATH is missing", []string{"evaluate"}},
		{exitMisused, `--fold "4/4"`, []string{"evaluate", "--fold", "4/4", dir}},
		{exitMisused, "--good is 1 metres; allowed are 5 to 20000", []string{"evaluate", "--good", "1"}},
		{exitMisused, "--set-in needs a PATH", []string{"evaluate", "--good", "10", "--set-in"}},
		{exitFailed, "fits none of the layouts", []string{"evaluate", dir}},
		{exitFailed, "gone", []string{"evaluate", filepath.Join(dir, "gone")}},
		{exitFailed, "manifest.json", []string{"evaluate", "--bundle", dir, dir}},
	} {
		code, _, stderr := command(t, c.args...)
		if code != c.code || !strings.Contains(stderr, c.want) || strings.Count(strings.TrimSpace(stderr), "\n") != 0 {
			t.Errorf("%v: exit code %d, %q; want %d and one sentence with %q", c.args, code, stderr, c.code, c.want)
		}
	}
}
