package stability

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestBaselineIsKeptAndOnlyReplacedWhenAsked(t *testing.T) {
	f := FolderOf(t.TempDir())
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
	f := FolderOf(t.TempDir())
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

func TestHistoryKeepsEveryCheckOnALine(t *testing.T) {
	f := FolderOf(t.TempDir())
	if _, err := f.Save("a", baseline(), false); err != nil {
		t.Fatal(err)
	}
	worse := baseline()
	worse.Events = worse.Events[10:]
	for _, now := range []Run{baseline(), worse} {
		if err := f.Append(Compare("a", baseline(), now, Limits())); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Open(filepath.Join(string(f), "a", "history.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var passes []bool
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r Result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		passes = append(passes, r.Pass)
	}
	if !reflect.DeepEqual(passes, []bool{true, false}) {
		t.Errorf("history %v", passes)
	}
}
