package teach

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func TestRollbackGoesBackStepByStepAndUndoesOffToo(t *testing.T) {
	s := NewShelf(filepath.Join(t.TempDir(), "teach"))
	sums := map[string]string{}
	for range 2 {
		v, _ := plain(t, "line-2")
		put(t, s, v)
		_, sum, err := s.Open(v.ID())
		if err != nil {
			t.Fatal(err)
		}
		sums[v.ID()] = sum
	}
	by := func(name string) Change { return Change{By: name, At: time.Now()} }
	for _, err := range []error{
		s.Activate("line-2-v1", sums["line-2-v1"], by("Kim")),
		s.Activate("line-2-v1", sums["line-2-v1"], by("Lee")), // changes nothing
		s.Off(by("Lee")),
		s.Off(by("Lee")),
		s.Activate("line-2-v2", sums["line-2-v2"], by("Lee")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	a, err := s.Active()
	if err != nil || a.ID != "line-2-v2" || a.Revision != 4 || len(a.Earlier) != 3 || a.Earlier[1].By != "Kim" {
		t.Fatalf("active is %+v, %v", a, err)
	}
	for _, want := range []string{"", "line-2-v1", ""} {
		if err := s.Rollback(by("Park")); err != nil {
			t.Fatal(err)
		}
		if a, err = s.Active(); err != nil || a.ID != want || a.By != "Park" || a.SHA256 != sums[want] {
			t.Errorf("a rollback goes to %+v, %v; want %q", a.Activation, err, want)
		}
	}
	var conflict *inspection.ConflictError
	if err := s.Rollback(by("Park")); !errors.As(err, &conflict) {
		t.Errorf("back from the first gives %v", err)
	}
}

func TestChangeRestsOnWhatWasSeen(t *testing.T) {
	s := NewShelf(t.TempDir())
	v, _ := plain(t, "line-2")
	put(t, s, v)
	if err := s.Activate("line-2-v1", "00", Change{Revision: 1}); err != nil {
		t.Fatal(err)
	}
	var stale *inspection.StaleError
	if err := s.Off(Change{Revision: 1}); !errors.As(err, &stale) || stale.Revision != 2 {
		t.Errorf("a change that rests on an old state gives %v", err)
	}
	if err := s.Off(Change{Revision: 2, By: strings.Repeat("긁", 65)}); err == nil || !strings.Contains(err.Error(), "allowed are 64") {
		t.Errorf("a long name gives %v", err)
	}
	if a, err := s.Active(); err != nil || a.ID != "line-2-v1" {
		t.Errorf("active is %+v, %v", a, err)
	}
}

func TestActiveFileOfBeforeTheHistoryIsRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "active.json"), []byte(`{"id": "line-2-v1", "sha256": "00", "at": "2026-03-01T08:00:00Z"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, err := NewShelf(dir).Active(); err != nil || a.ID != "line-2-v1" || a.Revision != 1 {
		t.Errorf("active is %+v, %v", a, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "active.json"), []byte(`{"id": "", "earlier": [{"id": "../v1"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewShelf(dir).Active(); err == nil || !strings.Contains(err.Error(), "allowed is NAME-vN") {
		t.Errorf("a path gives %v", err)
	}
}
