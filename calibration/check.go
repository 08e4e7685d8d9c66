package calibration

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

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
)

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
	return []CheckFigure{
		{"place_mm", 0, most, mostMoved, most <= mostMoved},
		{"skew_degrees", then.Skew, now.Skew, 0.2, then.MMPerLine == 0 || now.MMPerLine == 0 || math.Abs(now.Skew-then.Skew) <= 0.2},
	}, nil
}
