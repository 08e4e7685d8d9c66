package models

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// ManifestName is the file that makes a folder a bundle.
const ManifestName = "manifest.json"

// Format is the manifest format this version reads and writes.
const Format = 1

// Bounds of a bundle. They are far above what a line needs; what lies beyond is a damaged or hostile
// file, and the appliance has to keep its memory for frames.
const (
	maxManifestBytes = 1 << 20
	maxFileBytes     = 256 << 20
	maxFiles         = 64
	maxClasses       = 256
	maxGolden        = 256
	maxInputSide     = 1024
)

// Manifest describes a bundle; it is manifest.json.
type Manifest struct {
	Format        int        `json:"format"`
	Name          string     `json:"name"`
	Version       string     `json:"version"`
	Created       string     `json:"created"` // date, YYYY-MM-DD
	Classes       []Class    `json:"classes"` // in the order of the model's scores
	Input         Input      `json:"input"`
	Preprocessing string     `json:"preprocessing"` // what the graph does to the pixels, for people
	Temperature   float64    `json:"temperature"`   // of the calibration, inside the graph
	Opset         int        `json:"opset"`
	Model         string     `json:"model"`
	Golden        Golden     `json:"golden"`
	TrainingData  []DataNote `json:"training_data"`
	Files         []File     `json:"files"`
}

// Class is one entry of the catalogue.
type Class struct {
	ID       inspection.DefectClass `json:"id"`
	Korean   string                 `json:"ko"`
	English  string                 `json:"en"`
	Severity inspection.Severity    `json:"severity"` // suggested; a recipe decides
}

// Input is the model's input tensor, [batch, 1, height, width] pixels.
type Input struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	DType  string `json:"dtype"`
	Layout string `json:"layout"`
}

// Golden names the crops whose scores prove that a runtime computes what the training computed.
type Golden struct {
	Tolerance float64 `json:"tolerance"` // largest allowed difference of any score
	Crops     string  `json:"crops"`     // PNG, the crops one below the other
	Scores    string  `json:"scores"`    // JSON, one row of scores for each crop
}

// DataNote says where training pictures came from and on what terms.
type DataNote struct {
	Name     string `json:"name"`
	Source   string `json:"source"`
	Terms    string `json:"terms"`
	Pictures int    `json:"pictures"`
}

// File is one file of a bundle beside the manifest.
type File struct {
	Path   string `json:"path"` // slash-separated, inside the bundle
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func parseManifest(data []byte) (Manifest, error) {
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) {
			return m, fmt.Errorf("%s is a %s; allowed is a %s", typ.Field, typ.Value, typ.Type)
		}
		return m, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return m, errors.New("something follows after the manifest's closing brace; nothing is allowed there")
	}
	return m, m.check()
}

func (m *Manifest) check() error {
	if m.Format != Format {
		return fmt.Errorf("format is %d; allowed is %d", m.Format, Format)
	}
	if m.Name == "" || strings.ContainsFunc(m.Name, notInName) {
		return fmt.Errorf("name is %q; allowed are a-z, 0-9 and -", m.Name)
	}
	if m.Version == "" || strings.ContainsFunc(m.Version, notInVersion) {
		return fmt.Errorf("version is %q; allowed are dots and 0-9", m.Version)
	}
	if _, err := time.Parse(time.DateOnly, m.Created); err != nil {
		return fmt.Errorf("created is %q; allowed is a date such as 2026-11-24", m.Created)
	}
	if m.Input.DType != "uint8" || m.Input.Layout != "NCHW" {
		return fmt.Errorf("input is %s in %s; allowed is uint8 in NCHW", m.Input.DType, m.Input.Layout)
	}
	if m.Input.Width < 8 || m.Input.Width > maxInputSide || m.Input.Height < 8 || m.Input.Height > maxInputSide {
		return fmt.Errorf("input is %d x %d; allowed are sides of 8 to %d", m.Input.Width, m.Input.Height, maxInputSide)
	}
	if !(m.Temperature > 0) || math.IsInf(m.Temperature, 0) {
		return fmt.Errorf("temperature is %g; it must be above 0", m.Temperature)
	}
	// Below 13 quantisation and reductions are defined differently; above 20 the runtime is not tried.
	if m.Opset < 13 || m.Opset > 20 {
		return fmt.Errorf("opset is %d; allowed are 13 to 20", m.Opset)
	}
	if !(m.Golden.Tolerance > 0) || m.Golden.Tolerance > 0.1 {
		return fmt.Errorf("golden.tolerance is %g; allowed is above 0 and up to 0.1", m.Golden.Tolerance)
	}
	if len(m.TrainingData) == 0 {
		return errors.New("training_data is empty; at least one entry must say what the model learned from and on what terms")
	}
	for i, n := range m.TrainingData {
		if n.Name == "" || n.Terms == "" {
			return fmt.Errorf("training_data[%d] lacks a name or its terms; both are needed", i)
		}
	}
	if err := m.checkClasses(); err != nil {
		return err
	}
	return m.checkFiles()
}

func (m *Manifest) checkClasses() error {
	if len(m.Classes) < 2 || len(m.Classes) > maxClasses {
		return fmt.Errorf("classes has %d entries; allowed are 2 to %d", len(m.Classes), maxClasses)
	}
	seen := map[inspection.DefectClass]bool{}
	for i, c := range m.Classes {
		switch {
		case c.ID == "" || strings.ContainsFunc(string(c.ID), notInClass):
			return fmt.Errorf("classes[%d].id is %q; allowed are a-z, 0-9 and _", i, c.ID)
		case c.ID == inspection.Unclassified:
			return fmt.Errorf("classes[%d].id is %q, which stands for the lack of a verdict; a model cannot give it", i, c.ID)
		case seen[c.ID]:
			return fmt.Errorf("class %q is listed twice; each class is allowed once", c.ID)
		case c.Korean == "" || c.English == "":
			return fmt.Errorf("class %q lacks its Korean or English name; both are needed", c.ID)
		case c.Severity > 4:
			return fmt.Errorf("class %q has severity %d; allowed are 0 to 4", c.ID, c.Severity)
		}
		seen[c.ID] = true
	}
	if !seen[inspection.NoDefect] {
		return fmt.Errorf("class %q is missing; without it no false region can be rejected", inspection.NoDefect)
	}
	return nil
}

func (m *Manifest) checkFiles() error {
	if len(m.Files) == 0 || len(m.Files) > maxFiles {
		return fmt.Errorf("files has %d entries; allowed are 1 to %d", len(m.Files), maxFiles)
	}
	var paths []string
	for i, f := range m.Files {
		switch {
		case !fs.ValidPath(f.Path) || strings.ContainsAny(f.Path, `\:`) || f.Path == "." || f.Path == ManifestName:
			return fmt.Errorf("files[%d].path is %q; allowed is a path inside the bundle other than %s", i, f.Path, ManifestName)
		case slices.Contains(paths, f.Path):
			return fmt.Errorf("file %q is listed twice; each file is allowed once", f.Path)
		case f.Bytes < 1 || f.Bytes > maxFileBytes:
			return fmt.Errorf("file %q has %d bytes; allowed are 1 to %d", f.Path, f.Bytes, int64(maxFileBytes))
		}
		if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != 32 {
			return fmt.Errorf("file %q has sha256 %q; allowed are 64 hexadecimal digits", f.Path, f.SHA256)
		}
		paths = append(paths, f.Path)
	}
	for _, need := range []struct{ key, path string }{
		{"model", m.Model},
		{"golden.crops", m.Golden.Crops},
		{"golden.scores", m.Golden.Scores},
	} {
		if !slices.Contains(paths, need.path) {
			return fmt.Errorf("%s is %q, which files does not list; allowed are %v", need.key, need.path, paths)
		}
	}
	return nil
}

func notInName(r rune) bool    { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }
func notInVersion(r rune) bool { return !(r >= '0' && r <= '9' || r == '.') }
func notInClass(r rune) bool   { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_') }
