package calibration

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// CheckFigure is one comparison of a camera with the day of its calibration.
type CheckFigure struct {
	Name  string  `json:"name"` // its unit last
	Then  float64 `json:"then"`
	Now   float64 `json:"now"`
	Limit float64 `json:"limit"` // of the change, or of Now where Then is 0
	Pass  bool    `json:"pass"`
}

// Limits of a check.
const (
	mostGreyChange = 0.10 // of the grey then
	mostUneven     = 3.0  // percent beyond that of then
	mostMoved      = 0.5  // mm
	mostTurned     = 0.2  // degrees
	mostSofter     = 0.2  // of the edges' sharpness then
)

// Piece is what a camera is checked with: the reference that it was calibrated with.
type Piece string

// Pieces.
const (
	WhitePiece  Piece = "white"  // the white target of the flat field
	TargetPiece Piece = "target" // the printed target of the geometry
)

// Pieces lists them.
func Pieces() []Piece { return []Piece{WhitePiece, TargetPiece} }

// Kind is what the piece calibrates.
func (p Piece) Kind() Kind {
	if p == TargetPiece {
		return GeometryKind
	}
	return FlatFieldKind
}

// Check compares a camera with the day of its calibration.
type Check struct {
	Piece   Piece         `json:"piece"`
	Against int           `json:"against"` // number of the version
	Figures []CheckFigure `json:"figures"`
}

// Changed names the figures beyond their limit.
func (c Check) Changed() (names []string) {
	for _, f := range c.Figures {
		if !f.Pass {
			names = append(names, f.Name)
		}
	}
	return names
}

// Check compares a picture of a piece with the newest version that it calibrates. A camera without one is an error, and so is a picture
// that does not show the piece.
func (s Shelf) Check(camera inspection.CameraID, p Piece, picture inspection.LineImage) (c Check, err error) {
	v, ok, err := s.Latest(camera, p.Kind())
	if err != nil {
		return c, err
	}
	if !ok {
		return c, fmt.Errorf("camera %s has no %s to compare with; calibrate it first", camera, p.Kind())
	}
	c.Piece, c.Against = p, v.Number
	if p == TargetPiece {
		c.Figures, err = CheckGeometry(v, picture)
	} else {
		c.Figures, err = CheckFlatField(v, picture)
	}
	return c, err
}

// KeepCheck keeps a check with its picture.
func (s Shelf) KeepCheck(camera inspection.CameraID, by string, at time.Time, c Check, picture inspection.LineImage) (Version, error) {
	now := map[string]float64{}
	for _, f := range c.Figures {
		now[f.Name] = f.Now
	}
	return s.Keep(CheckKind, camera, by, at, c, now, picture)
}

// KeptCheck is a check that was kept.
type KeptCheck struct {
	Version
	Check
}

// Checks reads up to most checks of a camera, the newest first. Damaged ones are named in faults.
func (s Shelf) Checks(camera inspection.CameraID, most int) (checks []KeptCheck, faults []error) {
	numbers, err := s.names(camera, CheckKind)
	if err != nil {
		return nil, []error{err}
	}
	for _, n := range slices.Backward(numbers[max(0, len(numbers)-most):]) {
		k := KeptCheck{}
		if k.Version, err = s.Load(camera, CheckKind, n); err == nil {
			err = json.Unmarshal(k.Values, &k.Check)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		checks = append(checks, k)
	}
	return checks, faults
}

// CheckFlatField compares a picture of the white target with the flat field of a version.
func CheckFlatField(v Version, white inspection.LineImage) ([]CheckFigure, error) {
	if err := v.Check(v.Camera, white.Width); err != nil {
		return nil, err
	}
	var f FlatField
	if err := json.Unmarshal(v.Values, &f); err != nil || len(f.Gain) != white.Width {
		return nil, fmt.Errorf("calibration %s of camera %s cannot be read", v.name(), v.Camera)
	}
	greys := columnGreys(white)
	now := medianOf(greys)
	after := f.after(greys)
	slices.Sort(after)
	uneven := 100 * (after[len(after)*99/100] - after[len(after)/100]) / max(now, 1)
	return []CheckFigure{
		{"grey", f.Grey, now, mostGreyChange * f.Grey, math.Abs(now-f.Grey) <= mostGreyChange*f.Grey},
		{"uneven_percent", f.Uneven, uneven, mostUneven, uneven <= f.Uneven+mostUneven},
	}, nil
}

// CheckGeometry compares a picture of the printed target with the geometry of a version. The target need not lie where it lay: what
// moves as a whole is no change of the camera.
func CheckGeometry(v Version, target inspection.LineImage) ([]CheckFigure, error) {
	if err := v.Check(v.Camera, target.Width); err != nil {
		return nil, err
	}
	var then GeometryFit
	if err := json.Unmarshal(v.Values, &then); err != nil || len(then.Curve) == 0 {
		return nil, fmt.Errorf("calibration %s of camera %s cannot be read", v.name(), v.Camera)
	}
	now, err := FitGeometry(target, Target{Bars: MostBars})
	if err != nil {
		return nil, err
	}
	if now.OperatorSideRight != then.OperatorSideRight {
		return nil, fmt.Errorf("the target lies the other way round than when camera %s was calibrated; its first bar belongs on the operator side", v.Camera)
	}
	const places = 64
	moved := make([]float64, places+1)
	for i := range moved {
		u := 2*float64(i)/places - 1
		moved[i] = polynomial(now.Curve, u) - polynomial(then.Curve, u)
	}
	middle, most := medianOf(moved), 0.0
	for _, d := range moved {
		most = max(most, math.Abs(d-middle))
	}
	figures := []CheckFigure{
		{"place_mm", 0, most, mostMoved, most <= mostMoved},
		{"skew_degrees", then.Skew, now.Skew, mostTurned, then.MMPerLine == 0 || now.MMPerLine == 0 || math.Abs(now.Skew-then.Skew) <= mostTurned},
	}
	if then.EdgeSharpness > 0 {
		limit := mostSofter * then.EdgeSharpness
		figures = append(figures, CheckFigure{"edge_sharpness", then.EdgeSharpness, now.EdgeSharpness, limit, now.EdgeSharpness >= then.EdgeSharpness-limit})
	}
	return figures, nil
}
