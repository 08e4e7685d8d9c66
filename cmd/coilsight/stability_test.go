package main

import (
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// worsened copies pictures with a gain and noise.
func worsened(t *testing.T, from, to string, gain, sigma float64) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, e := range entries {
		f, err := os.Open(filepath.Join(from, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		out := image.NewGray(m.Bounds())
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				v := float64(m.At(x, y).(color.Gray).Y)*gain + r.NormFloat64()*sigma
				out.SetGray(x, y, color.Gray{uint8(min(255, max(0, v)))})
			}
		}
		g, err := os.Create(filepath.Join(to, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(g, out); err != nil {
			t.Fatal(err)
		}
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// checked is what a check prints with --json.
type checked struct {
	Pass    bool
	Events  int
	Figures []struct {
		Name string
		Pass bool
	}
	Changed []struct{ What string }
}

func (c checked) failed() (names []string) {
	for _, f := range c.Figures {
		if !f.Pass {
			names = append(names, f.Name)
		}
	}
	return names
}

func (c checked) changed() (what []string) {
	for _, d := range c.Changed {
		what = append(what, d.What)
	}
	return what
}

func TestStabilityCheckPassesOnTheSameAndNamesWhatMoved(t *testing.T) {
	dir, dark, data := t.TempDir(), t.TempDir(), t.TempDir()
	for _, name := range []string{"1.png", "2.png", "3.png"} {
		strip(t, filepath.Join(dir, name), 640)
	}
	worsened(t, dir, dark, 0.7, 6)
	config := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(config, []byte("detector:\n  threshold: 4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := command(t, "stability", "check", "--data", data, "--reference", dir, "--name", "ref"); code != exitFailed || !strings.Contains(stderr, "baseline ref is not there") {
		t.Errorf("without a baseline: exit code %d, %q", code, stderr)
	}
	if code, out, stderr := command(t, "stability", "baseline", "--data", data, "--reference", dir, "--name", "ref"); code != exitDone || !strings.Contains(out, "in 3 pictures") {
		t.Fatalf("baseline: exit code %d, %q, %q", code, out, stderr)
	}
	check := func(args ...string) (int, checked, string) {
		t.Helper()
		code, out, stderr := command(t, append([]string{"stability", "check", "--json", "--data", data, "--name", "ref"}, args...)...)
		var c checked
		if err := json.Unmarshal([]byte(out), &c); err != nil {
			t.Fatalf("%v: %v in %q, %q", args, err, out, stderr)
		}
		return code, c, stderr
	}
	code, same, stderr := check("--reference", dir)
	if code != exitDone || !same.Pass || same.Events < 3 || len(same.Changed) != 0 {
		t.Errorf("the same: exit code %d, %+v, %q", code, same, stderr)
	}
	code, worse, stderr := check("--reference", dark)
	if code != exitFailed || worse.Pass || !slices.Contains(worse.failed(), "brightness_drift") || !slices.Contains(worse.failed(), "noise_drift") || !slices.Contains(worse.changed(), "pictures") {
		t.Errorf("gain 0.7 and noise: exit code %d, %+v", code, worse)
	}
	if !strings.Contains(stderr, "brightness_drift -0.3") || !strings.Contains(stderr, "changed since the baseline: pictures") {
		t.Errorf("gain 0.7 and noise: %q", stderr)
	}
	code, deaf, stderr := check("--reference", dir, "--config", config)
	if code != exitFailed || !slices.Contains(deaf.failed(), "score_drift") || !slices.Equal(deaf.changed(), []string{"threshold"}) || !strings.Contains(stderr, "score_drift -0.75") {
		t.Errorf("threshold 4: exit code %d, %+v, %q", code, deaf, stderr)
	}
	history, err := os.ReadFile(filepath.Join(data, "stability", "ref", "history.jsonl"))
	if err != nil || strings.Count(string(history), "\n") != 3 {
		t.Errorf("history %q, %v; want a line for each of the three checks", history, err)
	}
}

func TestSimulatedReferenceIsTheSameEveryDay(t *testing.T) {
	data := t.TempDir()
	if code, _, stderr := command(t, "stability", "baseline", "--data", data, "--simulated", "7"); code != exitDone {
		t.Fatalf("exit code %d, %q", code, stderr)
	}
	code, out, stderr := command(t, "stability", "check", "--data", data, "--simulated", "7")
	if code != exitDone || !strings.Contains(out, "stability simulated-7: PASS") || strings.Contains(out, "changed since") || strings.Contains(out, "only") {
		t.Errorf("exit code %d, %q, %q", code, out, stderr)
	}
	if code, _, stderr = command(t, "stability", "baseline", "--data", data, "--simulated", "7"); code != exitFailed || !strings.Contains(stderr, "--replace") {
		t.Errorf("a second baseline: exit code %d, %q", code, stderr)
	}
}

func TestStabilityMisuse(t *testing.T) {
	for _, args := range [][]string{
		{"stability"},
		{"stability", "check"},
		{"stability", "baseline", "--reference", "a", "--simulated", "1"},
		{"stability", "check", "--simulated", "1", "--limit", "mean_shift=x"},
		{"stability", "check", "--simulated", "1", "--name", "../x"},
	} {
		if code, _, stderr := command(t, args...); code != exitMisused || !strings.HasPrefix(stderr, "coilsight: ") && !strings.Contains(stderr, "\ncoilsight: ") {
			t.Errorf("%v: exit code %d, %q", args, code, stderr)
		}
	}
}
