package durable

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReplaceLeavesTheOldFileWhereItFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "active.json")
	for _, content := range []string{"one", "two, longer", "3"} {
		if err := Replace(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("the file holds %q, %v; want %q", got, err, content)
		}
	}
	if err := os.Mkdir(path+".part", 0o755); err != nil { // in the way of what is written first
		t.Fatal(err)
	}
	if err := Replace(path, []byte("four")); err == nil {
		t.Error("a file that cannot be written was replaced")
	}
	if got, _ := os.ReadFile(path); string(got) != "3" {
		t.Errorf("the file holds %q; want what it held before", got)
	}
}
