package models

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func at(minute int) time.Time { return time.Date(2026, 11, 24, 8, minute, 0, 0, time.UTC) }

// versioned is the shipped bundle under another version.
func versioned(t *testing.T, version string) *Bundle {
	t.Helper()
	f := shippedFiles(t)
	rewrite(t, f, func(m map[string]any) { m["version"] = version })
	b, err := Open(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stocked is a registry with versions 1.1 and 1.2.
func stocked(t *testing.T) *Registry {
	t.Helper()
	r := NewRegistry(filepath.Join(t.TempDir(), "models"))
	for _, v := range []string{"1.1", "1.2"} {
		if err := r.Import(versioned(t, v)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func wantActive(t *testing.T, r *Registry, id string) {
	t.Helper()
	if a, err := r.Active(); err != nil || a.ID != id {
		t.Errorf("active is %+v, %v; want %s", a, err, id)
	}
}

func TestRegistryWithoutAFolderHasTheBuiltinBundle(t *testing.T) {
	r := NewRegistry(filepath.Join(t.TempDir(), "none"))
	wantActive(t, r, Builtin)
	list, err := r.List()
	if err != nil || len(list) != 1 || list[0].ID != Builtin || !list[0].Active || list[0].Fault != nil {
		t.Errorf("list is %+v, %v", list, err)
	}
	if _, err := r.Previous(); err == nil || !strings.Contains(err.Error(), "model builtin has none before it") {
		t.Errorf("a rollback goes to something: %v", err)
	}
}

func TestImportedBundleComesBackAsItWas(t *testing.T) {
	r, b := stocked(t), versioned(t, "1.2")
	got, err := r.Open("steel-surface-1.2")
	if err != nil {
		t.Fatal(err)
	}
	if string(got.manifest) != string(b.manifest) || string(got.ONNX()) != string(b.ONNX()) {
		t.Error("another bundle came back")
	}
	wantActive(t, r, Builtin) // an import activates nothing
}

func TestRollbackGoesBackStepByStep(t *testing.T) {
	r := stocked(t)
	for i, id := range []string{"steel-surface-1.1", "steel-surface-1.2"} {
		if err := r.Activate(id, at(i), "Kim"); err != nil {
			t.Fatal(err)
		}
	}
	if a, _ := r.Active(); a.By != "Kim" || !a.At.Equal(at(1)) {
		t.Errorf("active is %+v", a)
	}
	for _, want := range []string{"steel-surface-1.1", Builtin} {
		active, _ := r.Active()
		to, err := r.Previous()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Rollback(active.ID, to.ID, at(2), "Lee"); err != nil {
			t.Fatal(err)
		}
		wantActive(t, r, want)
	}
}

func TestActivatingTheActiveBundleChangesNothing(t *testing.T) {
	r := stocked(t)
	for range 2 {
		if err := r.Activate("steel-surface-1.1", at(0), "Kim"); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := r.Previous(); err != nil || p.ID != Builtin {
		t.Errorf("a rollback goes to %+v, %v; want the built-in one", p, err)
	}
}

func TestSignatureOfAKeptBundleIsTakenOver(t *testing.T) {
	r, b := stocked(t), versioned(t, "1.2")
	b, err := b.Sign(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	for _, again := range []*Bundle{b, versioned(t, "1.2")} { // the unsigned one takes nothing away
		if err := r.Import(again); err != nil {
			t.Fatal(err)
		}
		if kept, err := r.Open("steel-surface-1.2"); err != nil || kept.SignedBy != b.SignedBy {
			t.Errorf("kept is signed by %q, %v; want %q", kept.SignedBy, err, b.SignedBy)
		}
	}
}

func TestShadowEndsWhereItIsPromoted(t *testing.T) {
	r := stocked(t)
	if err := r.SetShadow("steel-surface-1.2", at(0), "Kim"); err != nil {
		t.Fatal(err)
	}
	if s, err := r.State(); err != nil || s.Shadow == nil || s.Shadow.ID != "steel-surface-1.2" || s.Active.ID != Builtin {
		t.Errorf("state is %+v, %v", s, err)
	}
	if err := r.Activate("steel-surface-1.2", at(1), "Kim"); err != nil {
		t.Fatal(err)
	}
	if s, err := r.State(); err != nil || s.Shadow != nil {
		t.Errorf("shadow is %+v, %v; want none", s.Shadow, err)
	}
	if err := r.SetShadow("steel-surface-1.2", at(2), ""); err == nil || !strings.Contains(err.Error(), "is the active one; a shadow must be another") {
		t.Errorf("the active bundle as its own shadow gives %v", err)
	}
}

func TestRefusedChangeLeavesTheActiveBundle(t *testing.T) {
	r := stocked(t)
	if err := r.Activate("steel-surface-1.1", at(0), "Kim"); err != nil {
		t.Fatal(err)
	}
	damage := func(id string) {
		path := filepath.Join(r.dir, id, "model.onnx")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[700] ^= 1
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	damage("steel-surface-1.2")
	activate := func(id, by string) error { return r.Activate(id, at(1), by) }
	other := versioned(t, "1.1")
	other.manifest = append(slices.Clone(other.manifest), ' ')
	for want, err := range map[string]error{
		"model.onnx has sha256": activate("steel-surface-1.2", ""),
		`model "steel-surface-9" is not in ` + r.dir + "; allowed are builtin, steel-surface-1.1, steel-surface-1.2": activate("steel-surface-9", ""),
		`model "../steel-surface-1" is not the name of one; allowed is NAME-VERSION`:                                 activate("../steel-surface-1", ""),
		`model "steel-surface-1/.." is not the name`:                                                                 activate("steel-surface-1/..", ""),
		`model "" is not the name`:                                                                     activate("", ""),
		"the name of who changes it has 100 characters; allowed are 64":                                activate(Builtin, strings.Repeat("k", 100)),
		"the active model changed meanwhile to steel-surface-1.1; nothing was rolled back":             r.Rollback("steel-surface-1.0", Builtin, at(1), ""),
		"another model steel-surface-1.1 is there already; a changed bundle must have another version": r.Import(other),
		"model steel-surface-1.2 is there already and damaged":                                         r.Import(versioned(t, "1.2")),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v; it must contain %q", err, want)
		}
	}
	wantActive(t, r, "steel-surface-1.1")
	if err := r.Import(versioned(t, "1.1")); err != nil {
		t.Errorf("the same bundle is refused the second time: %v", err)
	}
	list, err := r.List()
	if err != nil || len(list) != 3 {
		t.Fatalf("list is %+v, %v", list, err)
	}
	if l := list[2]; l.ID != "steel-surface-1.2" || l.Fault == nil || l.Bundle != nil {
		t.Errorf("the damaged bundle is listed as %+v", l)
	}
}

func TestActiveBundleThatIsGoneIsListedWithItsFault(t *testing.T) {
	r := stocked(t)
	if err := r.Activate("steel-surface-1.2", at(0), ""); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(r.dir, "steel-surface-1.2")); err != nil {
		t.Fatal(err)
	}
	list, err := r.List()
	if err != nil {
		t.Fatal(err)
	}
	if last := list[len(list)-1]; !last.Active || last.Fault == nil || !strings.Contains(last.Fault.Error(), "is not in") {
		t.Errorf("the active bundle is listed as %+v", last)
	}
}

func TestActiveFileThatIsNotReadableIsAnError(t *testing.T) {
	for want, text := range map[string]string{
		"is not readable":                       "{",
		"unknown field":                         `{"active":{"id":"builtin"},"earlier":[],"next":1}`,
		`model "../x-1" is not the name of one`: `{"active":{"id":"../x-1"},"earlier":[]}`,
		`model "" is not the name of one`:       `{}`,
	} {
		r := NewRegistry(t.TempDir())
		if err := os.WriteFile(filepath.Join(r.dir, activeName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Active(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v; want %q", text, err, want)
		}
	}
}

// What a crash leaves half written is no bundle and does not stand in the way.
func TestHalfWrittenImportIsNeitherListedNorInTheWay(t *testing.T) {
	r := NewRegistry(t.TempDir())
	part := filepath.Join(r.dir, "steel-surface-1.1.part", "pictures")
	if err := os.MkdirAll(part, 0o755); err != nil {
		t.Fatal(err)
	}
	if ids, err := r.ids(); err != nil || len(ids) != 0 {
		t.Errorf("listed are %v, %v", ids, err)
	}
	if err := r.Import(versioned(t, "1.1")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(part)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the half written folder is still there: %v", err)
	}
}

func TestImportThatCannotBeWrittenLeavesNothing(t *testing.T) {
	if os.Getuid() == 0 {
		// Root writes everywhere; a file where the folder belongs stops it too.
		r := NewRegistry(filepath.Join(t.TempDir(), "models"))
		if err := os.WriteFile(r.dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := r.Import(versioned(t, "1.1")); err == nil {
			t.Error("imported into a file")
		}
		return
	}
	r := NewRegistry(t.TempDir())
	if err := os.Chmod(r.dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if err := r.Import(versioned(t, "1.1")); err == nil {
		t.Error("imported into a folder that cannot be written")
	}
}

// Two people at two terminals: every change is kept, none is half seen.
func TestConcurrentChangesAreAllKept(t *testing.T) {
	r := stocked(t)
	var people sync.WaitGroup
	for p := range 4 {
		people.Go(func() {
			own := NewRegistry(r.dir)
			for i := range 5 {
				id := []string{"steel-surface-1.1", "steel-surface-1.2", Builtin}[(p+i)%3]
				if err := own.Activate(id, at(i), fmt.Sprint(p)); err != nil {
					t.Error(err)
				}
				if _, err := own.Active(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	people.Wait()
	data, err := os.ReadFile(filepath.Join(r.dir, activeName))
	if err != nil {
		t.Fatal(err)
	}
	var a State
	if err := json.Unmarshal(data, &a); err != nil {
		t.Fatal(err)
	}
	chain := slices.Concat(a.Earlier, []Activation{a.Active})
	for i := 1; i < len(chain); i++ {
		if chain[i].ID == chain[i-1].ID {
			t.Errorf("%s follows itself: a change was lost", chain[i].ID)
		}
	}
}
