package stability

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/appliance"
)

func TestBaselineIsKeptAndOnlyReplacedWhenAsked(t *testing.T) {
	f := FolderOf(appliance.Config{Data: t.TempDir()})
	if _, err := f.Load("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a baseline that was never made: %v", err)
	}
	if _, err := f.Save("a", baseline(), false); err != nil {
		t.Fatal(err)
	}
	got, err := f.Load("a")
	if err != nil || !reflect.DeepEqual(got, baseline()) {
		t.Fatalf("read back %+v, %v", got, err)
	}
	other := baseline()
	other.Conditions.Model = "steel 2.0.0"
	if _, err := f.Save("a", other, false); err == nil || !strings.Contains(err.Error(), "--replace") {
		t.Errorf("a second one: %v", err)
	}
	if got, _ := f.Load("a"); got.Conditions.Model != "steel 1.0.0" {
		t.Error("the refused baseline took the place")
	}
	if _, err := f.Save("a", other, true); err != nil {
		t.Fatal(err)
	}
	if got, _ := f.Load("a"); got.Conditions.Model != "steel 2.0.0" {
		t.Error("the old baseline stayed")
	}
	if kept, _ := filepath.Glob(filepath.Join(string(f), "a", "baseline-*.json")); len(kept) != 1 {
		t.Errorf("kept beside it: %v", kept)
	}
	empty := baseline()
	empty.Events = nil
	if _, err := f.Save("b", empty, false); err == nil {
		t.Error("a baseline without events was taken")
	}
	for _, name := range []string{"", "..", "a/b", ".a", strings.Repeat("x", 65)} {
		if _, err := f.Save(name, baseline(), false); err == nil {
			t.Errorf("name %q was taken", name)
		}
	}
	if err := CheckName("기준-코일.1"); err != nil {
		t.Error(err)
	}
}

func TestDamagedBaselineIsNotTakenForOne(t *testing.T) {
	f := FolderOf(appliance.Config{Data: t.TempDir()})
	path, err := f.Save("a", baseline(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"", "{", `{"format": 2}`} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Load("a"); err == nil || !strings.Contains(err.Error(), "baseline a") {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestHistoryKeepsEveryCheckAndTheApplianceReadsIt(t *testing.T) {
	cfg := appliance.Config{Data: t.TempDir()}
	if h, err := cfg.StabilityChecks(10); err != nil || len(h.Checks) != 0 || h.Unreadable != 0 {
		t.Errorf("before any check: %+v, %v", h, err)
	}
	f := FolderOf(cfg)
	worse := baseline()
	worse.Events, worse.At = worse.Events[10:], worse.At.Add(24*time.Hour)
	for name, runs := range map[string][]Run{"a": {baseline(), worse}, "b": {baseline()}} {
		if _, err := f.Save(name, baseline(), false); err != nil {
			t.Fatal(err)
		}
		for _, now := range runs {
			if err := f.Append(Compare(name, baseline(), now, Limits())); err != nil {
				t.Fatal(err)
			}
		}
	}
	h, err := cfg.StabilityChecks(10)
	if err != nil || h.Unreadable != 0 || len(h.Checks) != 3 {
		t.Fatalf("history %+v, %v", h, err)
	}
	if newest := h.Checks[0]; newest.Name != "a" || newest.Pass || !reflect.DeepEqual(newest, Compare("a", baseline(), worse, Limits())) {
		t.Errorf("the newest is %+v", newest)
	}
	if h.Checks[1].Name != "a" || h.Checks[2].Name != "b" || !h.Checks[1].Pass {
		t.Errorf("order %+v", h.Checks[1:])
	}
	if h, err = cfg.StabilityChecks(1); err != nil || len(h.Checks) != 1 {
		t.Errorf("one of them: %+v, %v", h, err)
	}
	path := filepath.Join(cfg.StabilityDir(), "b", appliance.StabilityHistoryName)
	if err := os.WriteFile(path, []byte("{\"name\": \"b\", \"at\"\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if h, err = cfg.StabilityChecks(10); err != nil || len(h.Checks) != 2 || h.Unreadable != 2 {
		t.Errorf("with torn lines: %+v, %v", h, err)
	}
}

func TestLongHistoryIsReadFromItsEnd(t *testing.T) {
	cfg := appliance.Config{Data: t.TempDir()}
	f := FolderOf(cfg)
	if _, err := f.Save("a", baseline(), false); err != nil {
		t.Fatal(err)
	}
	if err := f.Append(Compare("a", baseline(), baseline(), Limits())); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cfg.StabilityDir(), "a", appliance.StabilityHistoryName)
	one, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const days = 2000
	if err := os.WriteFile(path, bytes.Repeat(one, days), 0o600); err != nil {
		t.Fatal(err)
	}
	newest := baseline()
	newest.At = newest.At.Add(time.Hour)
	if err := f.Append(Compare("a", baseline(), newest, Limits())); err != nil {
		t.Fatal(err)
	}
	h, err := cfg.StabilityChecks(days)
	if err != nil || h.Unreadable != 0 || len(h.Checks) < 400 || len(h.Checks) >= days || !h.Checks[0].At.Equal(newest.At) {
		t.Errorf("%d checks, %d unreadable, %v", len(h.Checks), h.Unreadable, err)
	}
}
