package calibration

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coilsight/coilsight/durable"
	"github.com/coilsight/coilsight/inspection"
)

// Kind is what a calibration is of.
type Kind string

// Kinds of calibrations.
const (
	FlatFieldKind Kind = "flatfield"
	GeometryKind  Kind = "geometry"
	EncoderKind   Kind = "encoder"
	AlignmentKind Kind = "alignment"
	FocusKind     Kind = "focus"
	CheckKind     Kind = "check" // that nothing has changed since
	AreaKind      Kind = "area"
)

// Version is one calibration of a camera as it was made. It never changes.
type Version struct {
	Format int                 `json:"format"` // 1
	Camera inspection.CameraID `json:"camera"`
	Kind   Kind                `json:"kind"`
	Number int                 `json:"version"` // from 1, by camera and kind
	At     time.Time           `json:"at"`
	By     string              `json:"by"`
	Width  int                 `json:"width"` // of the camera's frames in pixels; 0: it does not depend on it
	// Pictures are the SHA-256 sums of the references that it was fitted to; the n-th is kept beside the version as
	// KIND-NUMBER-n.png.
	Pictures []string `json:"pictures,omitempty"`
	// Residuals are what the fit leaves, by what they are of; their names end with the unit.
	Residuals map[string]float64 `json:"residuals,omitempty"`
	Values    json.RawMessage    `json:"values"`
}

// Ref names the version.
func (v Version) Ref() inspection.CalibrationRef {
	return inspection.CalibrationRef{Camera: v.Camera, Kind: string(v.Kind), Version: v.Number, At: v.At}
}

// Check refuses a version for another camera, or for frames of another width; 0 takes any.
func (v Version) Check(camera inspection.CameraID, width int) error {
	switch {
	case v.Format != 1:
		return fmt.Errorf("calibration %s: format %d is not known; this program reads format 1", v.name(), v.Format)
	case v.Camera != camera:
		return fmt.Errorf("calibration %s is of camera %s; camera %s needs its own", v.name(), v.Camera, camera)
	case width > 0 && v.Width > 0 && v.Width != width:
		return fmt.Errorf("calibration %s is of frames %d pixels wide; camera %s delivers %d: calibrate it again", v.name(), v.Width, camera, width)
	}
	return nil
}

func (v Version) name() string { return string(v.Kind) + "-" + strconv.Itoa(v.Number) }

// Shelf is the folder that holds the versions, a folder each camera.
type Shelf struct{ Dir string }

// Save gives v the next number of its camera and kind, and makes it durable.
func (s Shelf) Save(v Version) (Version, error) {
	v.Format = 1
	if v.Camera == "" || strings.ContainsAny(string(v.Camera), `/\`) || strings.HasPrefix(string(v.Camera), ".") {
		return v, &inspection.FieldError{Field: "camera", Reason: fmt.Sprintf("%q cannot name a folder; allowed are names without / and \\ that do not begin with a dot", v.Camera)}
	}
	if v.By = strings.TrimSpace(v.By); v.By == "" {
		return v, &inspection.FieldError{Field: "by", Reason: "is empty; it names the person who calibrated"}
	}
	dir := filepath.Join(s.Dir, string(v.Camera))
	err := durable.Locked(dir, func() error {
		names, err := s.names(v.Camera, v.Kind)
		if err != nil {
			return err
		}
		v.Number = 1
		if n := len(names); n > 0 {
			v.Number = names[n-1] + 1
		}
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		return durable.Replace(s.path(v.Camera, v.Kind, v.Number), data)
	})
	if err != nil {
		return v, fmt.Errorf("calibration of camera %s cannot be kept: %w", v.Camera, err)
	}
	return v, nil
}

func (s Shelf) path(camera inspection.CameraID, kind Kind, number int) string {
	return filepath.Join(s.Dir, string(camera), fmt.Sprintf("%s-%d.json", kind, number))
}

// names lists the numbers of a camera's versions of one kind, ascending.
func (s Shelf) names(camera inspection.CameraID, kind Kind) (numbers []int, err error) {
	entries, err := os.ReadDir(filepath.Join(s.Dir, string(camera)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		text, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), ".json"), string(kind)+"-")
		if n, err := strconv.Atoi(text); ok && err == nil && n > 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// maxVersion bounds a file; the gains of 65,536 columns are half as much.
const maxVersion = 4 << 20

// Load reads one version. One that is damaged is an error that names it.
func (s Shelf) Load(camera inspection.CameraID, kind Kind, number int) (v Version, err error) {
	path := s.path(camera, kind, number)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return v, &inspection.NotFoundError{Noun: "calibration", ID: fmt.Sprintf("%s/%s-%d", camera, kind, number)}
	}
	if err != nil {
		return v, fmt.Errorf("calibration: %w", err)
	}
	if len(data) > maxVersion {
		return v, fmt.Errorf("calibration %s is larger than %d bytes; it is not used", path, maxVersion)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("calibration %s cannot be read: %w; it is not used", path, err)
	}
	if v.Kind != kind || v.Number != number {
		return v, fmt.Errorf("calibration %s says that it is %s; it is not used", path, v.name())
	}
	return v, v.Check(camera, 0)
}

// Latest reads the newest version of a kind; ok is false where there is none.
func (s Shelf) Latest(camera inspection.CameraID, kind Kind) (v Version, ok bool, err error) {
	numbers, err := s.names(camera, kind)
	if err != nil || len(numbers) == 0 {
		return v, false, err
	}
	v, err = s.Load(camera, kind, numbers[len(numbers)-1])
	return v, err == nil, err
}

// List reads every version of a camera, the newest of each kind first, but for the checks. Damaged ones are named in faults.
func (s Shelf) List(camera inspection.CameraID) (all []Version, faults []error) {
	for _, kind := range []Kind{FlatFieldKind, GeometryKind, EncoderKind, AlignmentKind, FocusKind, AreaKind} {
		numbers, err := s.names(camera, kind)
		if err != nil {
			return all, append(faults, err)
		}
		slices.Reverse(numbers)
		for _, n := range numbers {
			v, err := s.Load(camera, kind, n)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			all = append(all, v)
		}
	}
	return all, faults
}

// Keep makes a version of what was fitted to some pictures.
func (s Shelf) Keep(kind Kind, camera inspection.CameraID, by string, at time.Time, fitted any, residuals map[string]float64, pictures ...inspection.LineImage) (Version, error) {
	values, err := json.Marshal(fitted)
	if err != nil {
		return Version{}, err
	}
	v := Version{Camera: camera, Kind: kind, By: by, At: at.UTC(), Residuals: residuals, Values: values}
	for _, p := range pictures {
		sum := sha256.New()
		for y := range p.Height {
			sum.Write(p.Row(y))
		}
		v.Pictures = append(v.Pictures, hex.EncodeToString(sum.Sum(nil)))
		if kind != AlignmentKind && kind != AreaKind { // whose pictures are no frames
			v.Width = p.Width
		}
	}
	if v, err = s.Save(v); err != nil {
		return v, err
	}
	for i, p := range pictures {
		if err := s.keepPicture(v, i, p); err != nil {
			return v, fmt.Errorf("calibration %s of camera %s is kept, its picture is not: %w", v.name(), camera, err)
		}
	}
	return v, nil
}

// keepPicture keeps a reference beside its version.
func (s Shelf) keepPicture(v Version, i int, p inspection.LineImage) error {
	var out bytes.Buffer
	if err := png.Encode(&out, &image.Gray{Pix: p.Pix, Stride: p.Stride, Rect: image.Rect(0, 0, p.Width, p.Height)}); err != nil {
		return err
	}
	return durable.Replace(filepath.Join(s.Dir, string(v.Camera), fmt.Sprintf("%s-%d.png", v.name(), i+1)), out.Bytes())
}

// KeepFlatField keeps a flat field.
func (s Shelf) KeepFlatField(camera inspection.CameraID, by string, at time.Time, f FlatField, pictures ...inspection.LineImage) (Version, error) {
	return s.Keep(FlatFieldKind, camera, by, at, f, map[string]float64{"uneven_percent": f.Uneven, "grey": f.Grey}, pictures...)
}

// KeepGeometry keeps a geometry.
func (s Shelf) KeepGeometry(camera inspection.CameraID, by string, at time.Time, f GeometryFit, picture inspection.LineImage) (Version, error) {
	return s.Keep(GeometryKind, camera, by, at, f, map[string]float64{"rms_mm": f.RMS, "most_mm": f.Most}, picture)
}

// KeepArea keeps an area camera.
func (s Shelf) KeepArea(camera inspection.CameraID, by string, at time.Time, a Area, pictures ...inspection.LineImage) (Version, error) {
	return s.Keep(AreaKind, camera, by, at, a, map[string]float64{"rms_mm": a.RMS, "most_mm": a.Most, "rms_pixels": a.RMSPixels, "coverage_percent": 100 * a.Coverage}, pictures...)
}
