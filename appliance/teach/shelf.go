package teach

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/coilsight/coilsight/durable"
)

// ids are NAME-vN; the name is that of a folder.
var (
	nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	idForm   = regexp.MustCompile(`^([a-z0-9][a-z0-9-]{0,39})-v([1-9][0-9]{0,5})$`)
	fileForm = regexp.MustCompile(`^v([1-9][0-9]{0,5})\.json$`)
)

// CheckName reports whether a name may be given to teachings.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("the name %q is not possible; allowed are 1 to 40 of a-z, 0-9 and -, the first no -", name)
	}
	return nil
}

// Shelf keeps the teachings of a plant, each in NAME/vN.json with what people are to see of it in NAME/vN, and which
// of them is active.
type Shelf struct{ dir string }

// NewShelf uses a folder, which need not exist before the first teaching.
func NewShelf(dir string) *Shelf { return &Shelf{dir} }

// Open reads a version by its id and gives the SHA-256 of its file.
func (s *Shelf) Open(id string) (*Taught, string, error) {
	m := idForm.FindStringSubmatch(id)
	if m == nil {
		return nil, "", notThere("teaching %q is not the name of one; allowed is NAME-vN, such as line-2-v1", id)
	}
	version, err := strconv.Atoi(m[2])
	if err != nil {
		return nil, "", err
	}
	data, err := os.ReadFile(s.file(m[1], version))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", notThere("teaching %s is not in %s; \"coilsight teach list\" shows those that are", id, s.dir)
	}
	if err != nil {
		return nil, "", fmt.Errorf("teaching %s: %w", id, err)
	}
	t, err := parse(data)
	if err != nil {
		return nil, "", fmt.Errorf("teaching %s is not readable: %w", id, err)
	}
	if t.Name != m[1] || t.Version != version {
		return nil, "", fmt.Errorf("teaching %s says it is %s; allowed is its file's name", id, t.ID())
	}
	sum := sha256.Sum256(data)
	return t, hex.EncodeToString(sum[:]), nil
}

// Listed is a version on the shelf, or what is wrong with it.
type Listed struct {
	ID     string
	Active bool
	Taught *Taught // nil where Fault is set
	Fault  error
}

// List reads every version, by name and then in order.
func (s *Shelf) List() ([]Listed, error) {
	active, err := s.Active()
	if err != nil {
		return nil, err
	}
	names, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("teachings: %w", err)
	}
	var out []Listed
	for _, n := range names {
		if !n.IsDir() || !nameForm.MatchString(n.Name()) {
			continue
		}
		versions, err := s.Versions(n.Name())
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			l := Listed{ID: fmt.Sprintf("%s-v%d", n.Name(), v)}
			l.Active = l.ID == active.ID
			l.Taught, _, l.Fault = s.Open(l.ID)
			out = append(out, l)
		}
	}
	return out, nil
}

// Versions lists the versions of a name in order; none where there are none.
func (s *Shelf) Versions(name string) ([]int, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("teachings: %w", err)
	}
	var out []int
	for _, e := range entries {
		if m := fileForm.FindStringSubmatch(e.Name()); m != nil {
			v, err := strconv.Atoi(m[1])
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Work is the folder of what people are to see of a version.
func (s *Shelf) Work(t *Taught) string {
	return filepath.Join(s.dir, t.Name, fmt.Sprintf("v%d", t.Version))
}

// Crop is the picture (PNG) of a question.
func (s *Shelf) Crop(t *Taught, number int) ([]byte, error) {
	if number < 1 || number > len(t.Questions) {
		return nil, notThere("there is no question %d; teaching %s has %d", number, t.ID(), len(t.Questions))
	}
	return s.seen(t, cropName(number))
}

// Montage is the picture (PNG) of what is reported before and after.
func (s *Shelf) Montage(t *Taught) ([]byte, error) { return s.seen(t, montageName) }

func (s *Shelf) seen(t *Taught, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(s.Work(t), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notThere("teaching %s has no %s any more; its folder was cleared", t.ID(), name)
	}
	if err != nil {
		return nil, fmt.Errorf("teaching %s: %w", t.ID(), err)
	}
	return data, nil
}

func (s *Shelf) file(name string, version int) string {
	return filepath.Join(s.dir, name, fmt.Sprintf("v%d.json", version))
}

// begin gives a version its number and an empty work folder, which no other teaching has.
func (s *Shelf) begin(t *Taught) error {
	if err := os.MkdirAll(filepath.Join(s.dir, t.Name), 0o755); err != nil {
		return fmt.Errorf("teaching %s: %w", t.Name, err)
	}
	versions, err := s.Versions(t.Name)
	if err != nil {
		return err
	}
	t.Version = 1
	if n := len(versions); n > 0 {
		t.Version = versions[n-1] + 1
	}
	for {
		err := os.Mkdir(s.Work(t), 0o755)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		t.Version++ // of another that runs, or was broken off
	}
}

// save writes a version that begin numbered.
func (s *Shelf) save(t *Taught) error {
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	path := s.file(t.Name, t.Version)
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("teaching %s is there already", t.ID())
	}
	if err := durable.Replace(path, append(data, '\n')); err != nil {
		return fmt.Errorf("teaching %s: %w", t.ID(), err)
	}
	return nil
}
