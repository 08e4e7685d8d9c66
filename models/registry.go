package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coilsight/coilsight/durable"
)

// Builtin stands for the bundle that is built into the program, in the place of NAME-VERSION.
const Builtin = "builtin"

const (
	activeName = "active.json"
	// maxEarlier bounds how far back a rollback can go. More than a week of daily changes is no history of
	// this file: coils hold the model that classified them.
	maxEarlier = 32
)

// Registry keeps the bundles of a plant, each in a folder NAME-VERSION that never changes, and which of them
// is active. Several processes may use one folder at once: a change is made under a lock, a reader sees the
// state before it or after it.
type Registry struct{ dir string }

// NewRegistry uses a folder, which need not exist before the first import.
func NewRegistry(dir string) *Registry { return &Registry{dir: dir} }

// Activation says which bundle was made active, when and by whom.
type Activation struct {
	ID string    `json:"id"` // NAME-VERSION, or builtin
	At time.Time `json:"at,omitzero"`
	By string    `json:"by,omitempty"`
}

// State is active.json: which bundle is active, which answers in the shadow, and what was active before.
type State struct {
	Active Activation  `json:"active"`
	Shadow *Activation `json:"shadow,omitempty"` // nil: none
	// Earlier are those that a rollback goes back to, the last one first to come.
	Earlier []Activation `json:"earlier"`
}

// Active tells which bundle is active: the built-in one where none was ever activated. It reads one small file.
func (r *Registry) Active() (Activation, error) {
	s, err := r.State()
	return s.Active, err
}

// State reads which bundles are in use: one small file.
func (r *Registry) State() (State, error) {
	path := filepath.Join(r.dir, activeName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{Active: Activation{ID: Builtin}}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("active model: %w", err)
	}
	var a State
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return State{}, fmt.Errorf("active model: %s is not readable: %w", path, err)
	}
	known := append(slices.Clone(a.Earlier), a.Active)
	if a.Shadow != nil {
		known = append(known, *a.Shadow)
	}
	for _, x := range known {
		if err := checkID(x.ID); err != nil {
			return State{}, fmt.Errorf("active model: %s: %w", path, err)
		}
	}
	return a, nil
}

// Open reads and verifies a bundle of the registry, or the built-in one.
func (r *Registry) Open(id string) (*Bundle, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	if id == Builtin {
		return Embedded()
	}
	dir := filepath.Join(r.dir, id)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		ids, err := r.ids()
		return nil, errors.Join(fmt.Errorf("model %q is not in %s; allowed are %s", id, r.dir, strings.Join(append([]string{Builtin}, ids...), ", ")), err)
	}
	b, err := OpenDir(dir)
	if err != nil {
		return nil, err
	}
	if b.Folder() != id {
		return nil, fmt.Errorf("model bundle %s says it is %s; allowed is its folder's name", dir, b.Folder())
	}
	return b, nil
}

// Listed is a bundle of the registry, or what is wrong with it.
type Listed struct {
	ID     string
	Active bool
	Bundle *Bundle // nil where Fault is set
	Fault  error
}

// List opens every bundle, the built-in one first.
func (r *Registry) List() ([]Listed, error) {
	active, err := r.Active()
	if err != nil {
		return nil, err
	}
	ids, err := r.ids()
	if err != nil {
		return nil, err
	}
	ids = append([]string{Builtin}, ids...)
	if !slices.Contains(ids, active.ID) {
		ids = append(ids, active.ID) // opening it says that it is gone
	}
	out := make([]Listed, len(ids))
	for i, id := range ids {
		out[i] = Listed{ID: id, Active: id == active.ID}
		out[i].Bundle, out[i].Fault = r.Open(id)
	}
	return out, nil
}

// ids lists the folders of bundles, in order.
func (r *Registry) ids() ([]string, error) {
	entries, err := os.ReadDir(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != Builtin && checkID(e.Name()) == nil {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// Import keeps a verified bundle in the registry and does not activate it. The same bundle may come again, then
// with a signature; another one of the same name and version is refused. The caller proves the bundle first.
func (r *Registry) Import(b *Bundle) error {
	return durable.Locked(r.dir, func() error {
		dir := filepath.Join(r.dir, b.Folder())
		if _, err := os.Lstat(dir); err == nil {
			return r.again(b)
		}
		part := dir + ".part" // no bundle's name, so that one left by a crash is never listed
		if err := os.RemoveAll(part); err != nil {
			return fmt.Errorf("model %s: %w", b.Folder(), err)
		}
		if err := b.writeFolder(part); err != nil {
			return errors.Join(fmt.Errorf("model %s: %w", b.Folder(), err), os.RemoveAll(part))
		}
		if err := os.Rename(part, dir); err != nil {
			return errors.Join(fmt.Errorf("model %s: %w", b.Folder(), err), os.RemoveAll(part))
		}
		return durable.SyncFolder(r.dir)
	})
}

// again takes a bundle that is kept already. A signature that it now has is taken over: the content is the same.
func (r *Registry) again(b *Bundle) error {
	kept, err := r.Open(b.Folder())
	if err != nil {
		return fmt.Errorf("model %s is there already and damaged: %w", b.Folder(), err)
	}
	if !bytes.Equal(kept.manifest, b.manifest) {
		return fmt.Errorf("another model %s is there already; a changed bundle must have another version", b.Folder())
	}
	if b.signature == nil || bytes.Equal(kept.signature, b.signature) {
		return nil
	}
	dir := filepath.Join(r.dir, b.Folder())
	return durable.Replace(filepath.Join(dir, SignatureName), b.signature)
}

// Activate makes a bundle of the registry the active one. The caller proves it first. A running appliance
// takes it up at the next coil boundary.
func (r *Registry) Activate(id string, at time.Time, by string) error {
	if _, err := r.Open(id); err != nil {
		return err
	}
	return r.change(by, func(s *State) error {
		if s.Active.ID == id {
			return nil
		}
		s.Earlier = append(s.Earlier, s.Active)
		s.Earlier = s.Earlier[max(0, len(s.Earlier)-maxEarlier):]
		s.Active = Activation{ID: id, At: at.UTC(), By: by}
		return nil
	})
}

// Previous tells which bundle a rollback makes active.
func (r *Registry) Previous() (Activation, error) {
	s, err := r.State()
	if err != nil {
		return Activation{}, err
	}
	if len(s.Earlier) == 0 {
		return Activation{}, fmt.Errorf("model %s has none before it; a rollback needs an activation to undo", s.Active.ID)
	}
	return s.Earlier[len(s.Earlier)-1], nil
}

// Rollback makes the bundle to active again, which was so before from. Where that is not the state any more
// it refuses: the caller proved another one.
func (r *Registry) Rollback(from, to string, at time.Time, by string) error {
	if _, err := r.Open(to); err != nil {
		return err
	}
	return r.change(by, func(s *State) error {
		last := len(s.Earlier) - 1
		if last < 0 || s.Earlier[last].ID != to || s.Active.ID != from {
			return fmt.Errorf("the active model changed meanwhile to %s; nothing was rolled back", s.Active.ID)
		}
		s.Active, s.Earlier = Activation{ID: to, At: at.UTC(), By: by}, s.Earlier[:last]
		return nil
	})
}

// SetShadow lets a bundle answer beside the active one, without a say; an empty id ends it.
func (r *Registry) SetShadow(id string, at time.Time, by string) error {
	if id != "" {
		if _, err := r.Open(id); err != nil {
			return err
		}
	}
	return r.change(by, func(s *State) error {
		switch id {
		case s.Active.ID:
			return fmt.Errorf("model %s is the active one; a shadow must be another", id)
		case "":
			s.Shadow = nil
		default:
			s.Shadow = &Activation{ID: id, At: at.UTC(), By: by}
		}
		return nil
	})
}

// change alters the state and writes it, one change at a time over all processes.
func (r *Registry) change(by string, alter func(s *State) error) error {
	if n := utf8.RuneCountInString(by); n > maxName {
		return fmt.Errorf("active model: the name of who changes it has %d characters; allowed are %d", n, maxName)
	}
	return durable.Locked(r.dir, func() error {
		s, err := r.State()
		if err != nil {
			return err
		}
		if err := alter(&s); err != nil {
			return err
		}
		if s.Shadow != nil && s.Shadow.ID == s.Active.ID {
			s.Shadow = nil // promoted
		}
		return r.write(s)
	})
}

// write replaces active.json as a whole, on disk before it returns.
func (r *Registry) write(s State) error {
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	if err := durable.Replace(filepath.Join(r.dir, activeName), append(data, '\n')); err != nil {
		return fmt.Errorf("active model: %w", err)
	}
	return nil
}

// checkID keeps names of folders from being paths.
func checkID(id string) error {
	i := strings.LastIndexByte(id, '-')
	if id == Builtin || i > 0 && len(id) <= 2*maxName+1 && !strings.ContainsFunc(id[:i], notInName) && isVersion(id[i+1:]) {
		return nil
	}
	return fmt.Errorf("model %q is not the name of one; allowed is NAME-VERSION, such as steel-surface-1.0.0, or %s", id, Builtin)
}

// writeFolder writes the bundle's files below a new folder, on disk before it returns.
func (b *Bundle) writeFolder(dir string) error {
	folders := []string{dir}
	err := b.eachFile(func(name string, data []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		for d := filepath.Dir(path); !slices.Contains(folders, d); d = filepath.Dir(d) {
			folders = append(folders, d)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return durable.Write(path, data)
	})
	if err != nil {
		return err
	}
	for _, d := range folders {
		if err := durable.SyncFolder(d); err != nil {
			return err
		}
	}
	return nil
}
