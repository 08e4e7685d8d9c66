package durable

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
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

func TestOneChangeOfAFolderAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	var held, most atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := Locked(dir, func() error {
				most.Store(max(most.Load(), held.Add(1)))
				runtime.Gosched()
				held.Add(-1)
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d changes ran at once", most.Load())
	}
	want := errors.New("not today")
	if err := Locked(dir, func() error { return want }); !errors.Is(err, want) {
		t.Errorf("the change's error is %v", err)
	}
}
