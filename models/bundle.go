// Package models reads model bundles: folders that hold a classifier together with everything that is
// needed to trust it, that is its class list, the terms of what it learned from, checksums, and golden
// crops with the scores they must get.
package models

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/coilsight/coilsight/inspection"
)

// Bundle is a verified bundle, held in memory. It does not change after Open.
type Bundle struct {
	Manifest Manifest
	// SignedBy is the id of the key whose signature was verified; empty where there is none. Keys says
	// whether it is trusted.
	SignedBy string

	manifest  []byte
	signature []byte // nil where there is none
	content   map[string][]byte
	golden    []GoldenCrop
}

// GoldenCrop is a crop whose scores are known.
type GoldenCrop struct {
	Pix    []byte    // Input.Width x Input.Height pixels
	Scores []float32 // one a class, in the manifest's order
	// Familiarity is of no meaning where Manifest.Unknown is not set.
	Familiarity float32
}

// OpenDir reads and verifies the bundle in a folder. Links that lead out of the folder are refused.
func OpenDir(path string) (*Bundle, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("model bundle %s: %w", path, err)
	}
	b, err := Open(root.FS())
	if err := errors.Join(err, root.Close()); err != nil {
		return nil, fmt.Errorf("model bundle %s: %w", path, err)
	}
	return b, nil
}

// Open reads and verifies the bundle at the root of fsys. A bundle that is not exactly what its
// manifest says is refused with the file, the value found and what is allowed.
func Open(fsys fs.FS) (*Bundle, error) {
	manifest, err := readBounded(fsys, ManifestName, maxManifestBytes)
	if err != nil {
		return nil, err
	}
	m, err := parseManifest(manifest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestName, err)
	}
	b := &Bundle{Manifest: m, manifest: manifest}
	if err := b.readSignature(fsys); err != nil {
		return nil, err
	}
	content := make(map[string][]byte, len(m.Files))
	for _, f := range m.Files {
		data, err := readBounded(fsys, f.Path, f.Bytes)
		if err != nil {
			return nil, err
		}
		if int64(len(data)) != f.Bytes {
			return nil, fmt.Errorf("%s has %d bytes; the manifest allows %d", f.Path, len(data), f.Bytes)
		}
		sum := sha256.Sum256(data)
		if got := hex.EncodeToString(sum[:]); got != f.SHA256 {
			return nil, fmt.Errorf("%s has sha256 %s; the manifest allows %s", f.Path, got, f.SHA256)
		}
		content[f.Path] = data
	}
	if err := checkONNX(content[m.Model], m); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Model, err)
	}
	for _, c := range m.Classes {
		if _, err := readCrops(m, content[c.Picture], 1); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Picture, err)
		}
	}
	if !json.Valid(content[m.Evaluation]) {
		return nil, fmt.Errorf("%s is not a JSON document; nothing else is allowed there", m.Evaluation)
	}
	b.content = content
	if b.golden, err = readGolden(m, content); err != nil {
		return nil, err
	}
	return b, nil
}

// ID is name and version, as coils and health pages show it.
func (b *Bundle) ID() string { return b.Manifest.Name + " " + b.Manifest.Version }

// Folder is NAME-VERSION, the bundle's name in a registry and on the command line.
func (b *Bundle) Folder() string { return b.Manifest.Name + "-" + b.Manifest.Version }

// Classes lists the classes in the order of the scores.
func (b *Bundle) Classes() []inspection.DefectClass {
	out := make([]inspection.DefectClass, len(b.Manifest.Classes))
	for i, c := range b.Manifest.Classes {
		out[i] = c.ID
	}
	return out
}

// ONNX is the model; the caller must not write to it.
func (b *Bundle) ONNX() []byte { return b.content[b.Manifest.Model] }

// File is a file of the bundle, nil where the manifest lists none of that name; the caller must not write to it.
func (b *Bundle) File(name string) []byte { return b.content[name] }

// Golden lists the golden crops; the caller must not write to them.
func (b *Bundle) Golden() []GoldenCrop { return b.golden }

// Accuracy is the share of right answers that the evaluation report states, by the source of the pictures. Empty
// where it states none.
func (b *Bundle) Accuracy() map[string]float64 {
	type figures map[string]struct {
		Accuracy *float64 `json:"accuracy"`
	}
	var report struct {
		HeldOut        figures `json:"held_out"`
		CrossValidated figures `json:"cross_validated"`
	}
	// A report of another shape states none of these; Open has seen that it is JSON.
	_ = json.Unmarshal(b.content[b.Manifest.Evaluation], &report)
	out := map[string]float64{}
	for _, f := range []figures{report.CrossValidated, report.HeldOut} {
		for source, v := range f {
			if v.Accuracy != nil {
				out[source] = *v.Accuracy
			}
		}
	}
	return out
}

func (b *Bundle) readSignature(fsys fs.FS) error {
	data, err := readBounded(fsys, SignatureName, maxSignatureBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := parseSignature(data, b.manifest)
	if err != nil {
		return fmt.Errorf("%s: %w", SignatureName, err)
	}
	b.signature, b.SignedBy = data, s.KeyID
	return nil
}

// holds reports whether a file is a part of the bundle.
func (b *Bundle) holds(name string) bool {
	_, listed := b.content[name]
	return listed || name == ManifestName || name == SignatureName
}

// eachFile visits every file: the manifest, the signature where there is one, then the manifest's order.
func (b *Bundle) eachFile(visit func(name string, data []byte) error) error {
	if err := visit(ManifestName, b.manifest); err != nil {
		return err
	}
	if b.signature != nil {
		if err := visit(SignatureName, b.signature); err != nil {
			return err
		}
	}
	for _, f := range b.Manifest.Files {
		if err := visit(f.Path, b.content[f.Path]); err != nil {
			return err
		}
	}
	return nil
}

func readBounded(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened: %w", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file; only regular files are allowed", name)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes; that is the most allowed", name, limit)
	}
	return data, nil
}

func readGolden(m Manifest, content map[string][]byte) ([]GoldenCrop, error) {
	var rows struct {
		Scores      [][]float32 `json:"scores"`
		Familiarity []float32   `json:"familiarity"`
	}
	d := json.NewDecoder(bytes.NewReader(content[m.Golden.Scores]))
	d.DisallowUnknownFields()
	if err := d.Decode(&rows); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Golden.Scores, err)
	}
	if n := len(rows.Scores); n < 1 || n > maxGolden {
		return nil, fmt.Errorf("%s has scores of %d crops; allowed are 1 to %d", m.Golden.Scores, n, maxGolden)
	}
	want := 0
	if m.Unknown != nil {
		want = len(rows.Scores)
	}
	if n := len(rows.Familiarity); n != want {
		return nil, fmt.Errorf("%s has the familiarity of %d crops; allowed are %d", m.Golden.Scores, n, want)
	}
	pix, err := readCrops(m, content[m.Golden.Crops], len(rows.Scores))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Golden.Crops, err)
	}
	size := m.Input.Width * m.Input.Height
	out := make([]GoldenCrop, len(rows.Scores))
	for i, row := range rows.Scores {
		if len(row) != len(m.Classes) {
			return nil, fmt.Errorf("%s: crop %d has %d scores; allowed are %d, one a class", m.Golden.Scores, i, len(row), len(m.Classes))
		}
		var sum float64
		for _, s := range row {
			sum += float64(s)
		}
		if math.Abs(sum-1) > 0.01 {
			return nil, fmt.Errorf("%s: the scores of crop %d add up to %.3f; allowed is 1", m.Golden.Scores, i, sum)
		}
		out[i] = GoldenCrop{Pix: pix[i*size : (i+1)*size], Scores: row}
		if want > 0 {
			out[i].Familiarity = rows.Familiarity[i]
		}
	}
	return out, nil
}

// readCrops decodes n crops that lie one below the other in a grey PNG.
func readCrops(m Manifest, data []byte, n int) ([]byte, error) {
	cfg, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if cfg.ColorModel != color.GrayModel {
		return nil, errors.New("it is in colour or of 16 bits; allowed is grey of 8 bits")
	}
	if cfg.Width != m.Input.Width || cfg.Height != n*m.Input.Height {
		return nil, fmt.Errorf("%d x %d pixels; allowed are %d x %d for %d crops", cfg.Width, cfg.Height, m.Input.Width, n*m.Input.Height, n)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	grey := image.NewGray(image.Rect(0, 0, cfg.Width, cfg.Height))
	draw.Draw(grey, grey.Bounds(), img, img.Bounds().Min, draw.Src)
	return grey.Pix, nil
}
