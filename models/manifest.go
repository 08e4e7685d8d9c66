package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// ManifestName is the file that makes a folder a bundle.
const ManifestName = "manifest.json"

// SignatureName is the file of the optional signature over the manifest's bytes.
const SignatureName = "signature.json"

// Names of the graph's input and outputs.
const (
	pixelsName      = "pixels"      // uint8 [batch, 1, height, width]
	scoresName      = "scores"      // float [batch, classes]
	featuresName    = "features"    // float [batch, n]
	familiarityName = "familiarity" // float [batch], where Unknown is set
)

// Format is the manifest format this version reads and writes.
const Format = 2

// Bounds of a bundle. They are far above what a line needs; what lies beyond is a damaged or hostile
// file, and the appliance has to keep its memory for frames.
const (
	maxManifestBytes = 1 << 20
	maxFileBytes     = 256 << 20
	maxBundleBytes   = 384 << 20 // all files together; a bundle is held in memory
	maxFiles         = 320       // a picture a class and those of the model
	maxTableBytes    = 4 << 20   // golden scores: 256 crops of 256 classes are half a MiB
	maxReportBytes   = 16 << 20
	maxPictureBytes  = 4 << 20
	maxClasses       = 256
	maxGolden        = 256
	maxInputSide     = 1024
	maxName          = 64
)

// Manifest describes a bundle; it is manifest.json.
type Manifest struct {
	Format        int     `json:"format"`
	Name          string  `json:"name"`
	Version       string  `json:"version"`
	Created       string  `json:"created"` // date, YYYY-MM-DD
	Classes       []Class `json:"classes"` // in the order of the model's scores
	Input         Input   `json:"input"`
	Preprocessing string  `json:"preprocessing"` // what the graph does to the pixels, for people
	Temperature   float64 `json:"temperature"`   // of the calibration, inside the graph
	Opset         int     `json:"opset"`
	Model         string  `json:"model"`
	Golden        Golden  `json:"golden"`
	// Unknown is nil where the model cannot tell that it never saw a crop's like.
	Unknown      *Unknown   `json:"unknown,omitempty"`
	Evaluation   string     `json:"evaluation"` // JSON, how the model was trained and what was measured
	TrainingData []DataNote `json:"training_data"`
	Files        []File     `json:"files"`
}

// Class is one entry of the catalogue.
type Class struct {
	ID       inspection.DefectClass `json:"id"`
	Korean   string                 `json:"ko"`
	English  string                 `json:"en"`
	Severity inspection.Severity    `json:"severity"` // suggested; a recipe decides
	// Threshold is the least confidence with which the class is answered, 0 to 1; below it the answer is
	// inspection.Unknown.
	Threshold   float64 `json:"threshold"`
	Description Text    `json:"description"`
	Cause       Text    `json:"cause"`   // where it usually comes from
	Remedy      Text    `json:"remedy"`  // what is usually done
	Picture     string  `json:"picture"` // PNG of Input.Width x Input.Height, rendered, listed in Files
}

// Text is a sentence for people in both languages.
type Text struct {
	Korean  string `json:"ko"`
	English string `json:"en"`
}

// Unknown says how the model tells a crop whose like it never saw.
type Unknown struct {
	Output    string  `json:"output"`    // always "familiarity": float [batch] of the graph
	Threshold float64 `json:"threshold"` // a crop that is less familiar is inspection.Unknown
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
