// Package accuracy measures how often the appliance is right: its model on labelled pictures, its detector on
// labelled strip, and both on pictures set into clean strip and on good strip. docs/evaluate.md defines
// each figure.
package accuracy

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/appliance/bench"
	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// Options say what to measure on what.
type Options struct {
	Config appliance.Config
	// Paths are folders in one of the three layouts. A class folder named "unknown" holds pictures for which
	// that is the right answer.
	Paths      []string
	Fold       Fold    // of the pictures in class folders and of those with boxes; the zero Fold takes all
	SetIn      bool    // also set the single pictures of Paths into clean strip
	GoodMetres float64 // of a simulated coil without defects; 0: none
	Work       string  // folder for the record of that coil; it is left behind empty
	// Progress tells how far a step is; it may be nil.
	Progress func(step string, done, total int)
}

// Report is everything that was measured.
type Report struct {
	Model        string                   `json:"model"`
	Provider     inference.ProviderReport `json:"provider"`
	Refused      string                   `json:"provider_refused,omitempty"` // why the configured provider is not in use
	Threshold    float32                  `json:"threshold"`                  // of the detector
	Fold         string                   `json:"fold,omitempty"`
	ClassFolders []ClassFolders           `json:"class_folders,omitempty"`
	Boxes        []Boxes                  `json:"boxes,omitempty"`
	Strips       []Strips                 `json:"strips,omitempty"`
	SetIn        *SetIn                   `json:"set_in,omitempty"`
	Good         *bench.GoodReport        `json:"good,omitempty"`
	Errors       []Error                  `json:"errors"` // the worst of each kind
	Seconds      float64                  `json:"seconds"`
}

// meter holds what the measurements share.
type meter struct {
	o      Options
	engine *appliance.Engine
	look   *appliance.PictureInspector
	errors worst
}

// Run measures. A folder that fits no layout, and a picture that cannot be read, are errors.
func Run(ctx context.Context, o Options) (_ Report, err error) {
	began := time.Now()
	if len(o.Paths) == 0 && o.GoodMetres == 0 {
		return Report{}, errors.New("there is nothing to evaluate; allowed are folders of labelled pictures, or metres of good strip")
	}
	e, err := appliance.OpenEngine(o.Config)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	m := meter{o: o, engine: e, look: appliance.NewPictureInspector(e, o.Config.Detector.Threshold)}
	defer m.look.Close()

	r := Report{
		Model: e.Bundle.ID(), Provider: e.Classifier.Provider(), Refused: e.Refused,
		Threshold: o.Config.Detector.Threshold, Fold: o.Fold.String(), Errors: []Error{},
	}
	sets, err := readSets(o, e.Classifier.Classes())
	if err != nil {
		return r, err
	}
	for _, s := range sets.folders {
		v, err := m.classFolders(ctx, s)
		if err != nil {
			return r, err
		}
		r.ClassFolders = append(r.ClassFolders, v)
	}
	for _, s := range sets.boxes {
		v, err := m.boxes(ctx, s)
		if err != nil {
			return r, err
		}
		r.Boxes = append(r.Boxes, v)
	}
	for _, s := range sets.strips {
		v, err := m.strips(ctx, s)
		if err != nil {
			return r, err
		}
		r.Strips = append(r.Strips, v)
	}
	if o.SetIn {
		if r.SetIn, err = m.setIn(ctx, sets); err != nil {
			return r, err
		}
	}
	if o.GoodMetres > 0 {
		m.tell("good strip", 0, 1)
		g, err := bench.GoodStrip(ctx, bench.Options{Config: o.Config, Work: o.Work}, o.GoodMetres)
		if err == nil {
			err = interrupted(ctx)
		}
		if err != nil {
			return r, err
		}
		m.tell("good strip", 1, 1)
		r.Good = &g
	}
	r.Errors = append(r.Errors, m.errors.sorted()...)
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}

func (m *meter) tell(step string, done, total int) {
	if m.o.Progress != nil {
		m.o.Progress(step, done, total)
	}
}

func interrupted(ctx context.Context) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return nil
}

// classes are the bundle's.
func (m *meter) classes() []inspection.DefectClass { return m.engine.Classifier.Classes() }

func (m *meter) knows(c inspection.DefectClass) bool { return slices.Contains(m.classes(), c) }

func readPicture(path string) (inspection.LineImage, error) {
	pix, w, h, err := replay.ReadPicture(path)
	return inspection.LineImage{Pix: pix, Width: w, Height: h, Stride: w}, err
}

// Fold is the part of the pictures whose file begins, as SHA-256, with a byte that leaves K when divided
// by N. It depends on a file's content alone, so what a bundle's training left out can be told.
type Fold struct{ K, N int }

// ParseFold reads K/N.
func ParseFold(s string) (Fold, error) {
	var f Fold
	if n, err := fmt.Sscanf(s, "%d/%d", &f.K, &f.N); err != nil || n != 2 || s != fmt.Sprintf("%d/%d", f.K, f.N) || f.N < 1 || f.N > 256 || f.K < 0 || f.K >= f.N {
		return Fold{}, fmt.Errorf("fold %q is not one; allowed are K/N with N from 1 to 256 and K from 0 to N-1", s)
	}
	return f, nil
}

func (f Fold) String() string {
	if f.N == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", f.K, f.N)
}

func (f Fold) holds(sum [sha256.Size]byte) bool { return f.N == 0 || int(sum[0])%f.N == f.K }

// hashOf is the SHA-256 of a file's bytes.
func hashOf(path string) ([sha256.Size]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256(data), nil
}
