package teach

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/coilsight/coilsight/durable"
	"github.com/coilsight/coilsight/inspection"
)

const (
	activeName = "active.json"
	// mostEarlier bounds how far back a rollback can go; coils hold which teaching judged them.
	mostEarlier = 32
	mostBy      = 64 // characters of a person's name
)

// Activation says which teaching was made active. Its ID is empty where teaching was switched off.
type Activation struct {
	ID string `json:"id"`
	// SHA256 of the version file: one that was changed since is refused.
	SHA256 string    `json:"sha256,omitempty"`
	At     time.Time `json:"at,omitzero"`
	By     string    `json:"by,omitempty"`
}

// Active is active.json.
type Active struct {
	Activation
	// Revision is 1 before the first change, and grows with each.
	Revision int `json:"revision"`
	// Earlier are those that a rollback goes back to, the last one first to come.
	Earlier []Activation `json:"earlier,omitempty"`
}

// Change is who changes which teaching is active, and when.
type Change struct {
	By string
	At time.Time
	// Revision is the one that the person saw; 0 stands for any. *inspection.StaleError where it is another.
	Revision int
}

// Active tells which teaching is active; its ID is empty where none is. It reads one small file.
func (s *Shelf) Active() (Active, error) {
	path := filepath.Join(s.dir, activeName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Active{Revision: 1}, nil
	}
	if err != nil {
		return Active{}, fmt.Errorf("active teaching: %w", err)
	}
	var a Active
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return Active{}, fmt.Errorf("active teaching: %s is not readable: %w", path, err)
	}
	a.Revision = max(a.Revision, 1)
	for _, x := range append([]Activation{a.Activation}, a.Earlier...) {
		if x.ID != "" && !idForm.MatchString(x.ID) {
			return Active{}, fmt.Errorf("active teaching: %s names %q; allowed is NAME-vN", path, x.ID)
		}
	}
	return a, nil
}

// OpenActive reads the active teaching as it was when it was activated; nil where none is active.
func (s *Shelf) OpenActive() (*Taught, error) {
	a, err := s.Active()
	if err != nil || a.ID == "" {
		return nil, err
	}
	return s.OpenAs(a.ID, a.SHA256)
}

// OpenAs reads a version whose file must have a checksum.
func (s *Shelf) OpenAs(id, sum string) (*Taught, error) {
	t, got, err := s.Open(id)
	if err != nil {
		return nil, err
	}
	if got != sum {
		return nil, refused("teaching %s was changed since it was activated; a version must stay as it was written", id)
	}
	return t, nil
}

// Activate makes a version the active one. The caller has seen that it fits the model.
func (s *Shelf) Activate(id, sum string, c Change) error {
	return s.change(c, func(a *Active) error {
		a.set(Activation{ID: id, SHA256: sum, At: c.At.UTC(), By: c.By})
		return nil
	})
}

// Off leaves no teaching active.
func (s *Shelf) Off(c Change) error {
	return s.change(c, func(a *Active) error {
		a.set(Activation{At: c.At.UTC(), By: c.By})
		return nil
	})
}

// set puts the active one behind another; the same once more changes nothing.
func (a *Active) set(next Activation) {
	if a.ID == next.ID && a.SHA256 == next.SHA256 {
		return
	}
	a.Earlier = append(a.Earlier, a.Activation)
	a.Earlier = a.Earlier[max(0, len(a.Earlier)-mostEarlier):]
	a.Activation = next
}

// Previous tells what a rollback makes active; ok is false where nothing was so before.
func (a Active) Previous() (p Activation, ok bool) {
	if len(a.Earlier) == 0 {
		return Activation{}, false
	}
	return a.Earlier[len(a.Earlier)-1], true
}

// Rollback makes active what was so before. The caller has seen that it fits the model, and names the revision at
// which it did.
func (s *Shelf) Rollback(c Change) error {
	return s.change(c, func(a *Active) error {
		p, ok := a.Previous()
		if !ok {
			return &inspection.ConflictError{Noun: "request", ID: "rollback", Reason: "has nothing to undo; no teaching was active before, and there is none to go back to"}
		}
		a.Activation = Activation{ID: p.ID, SHA256: p.SHA256, At: c.At.UTC(), By: c.By}
		a.Earlier = a.Earlier[:len(a.Earlier)-1]
		return nil
	})
}

// change alters which teaching is active, one change at a time over all processes.
func (s *Shelf) change(c Change, alter func(*Active) error) error {
	if n := utf8.RuneCountInString(c.By); n > mostBy {
		return refused("the name of who changes the teaching has %d characters; allowed are %d", n, mostBy)
	}
	return durable.Locked(s.dir, func() error { return s.alter(c, alter) })
}

// alter is change under the lock.
func (s *Shelf) alter(c Change, alter func(*Active) error) error {
	a, err := s.Active()
	if err != nil {
		return err
	}
	if c.Revision != 0 && c.Revision != a.Revision {
		return &inspection.StaleError{Noun: "teaching", ID: "active", Revision: a.Revision, Presented: c.Revision}
	}
	before := a.Activation
	if err := alter(&a); err != nil || a.Activation == before {
		return err
	}
	a.Revision++
	data, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		return err
	}
	if err := durable.Replace(filepath.Join(s.dir, activeName), append(data, '\n')); err != nil {
		return fmt.Errorf("active teaching: %w", err)
	}
	return nil
}
