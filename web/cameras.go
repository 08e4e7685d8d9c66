package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// CameraDesk is what is known of the cameras and what a person calibrates of them. Errors are *inspection.NotFoundError,
// *inspection.FieldError (a reference that cannot be used, with the reason), *inspection.ConflictError (no frame came), or a
// failure.
type CameraDesk interface {
	Cameras() []CameraDetail
	// CameraProfile looks at the camera's next scan lines.
	CameraProfile(ctx context.Context, id inspection.CameraID) (CameraProfile, error)
	// TakeFlatField fits a flat field to the next scan lines, which must show the white target, and keeps it as a version. A
	// coil that runs goes on with the one before.
	TakeFlatField(ctx context.Context, id inspection.CameraID, by string) (CalibrationVersion, error)
	// TakeDark keeps the next scan lines, which must show nothing, for the flat field that is taken next; it gives their median grey.
	TakeDark(ctx context.Context, id inspection.CameraID) (DarkReference, error)
	// TakeGeometry fits the geometry to the next scan lines, which must show the printed target.
	TakeGeometry(ctx context.Context, id inspection.CameraID, by string) (CalibrationVersion, error)
	// TakeCheck compares the camera with the day of its calibration by the piece that is under it now, and keeps the result.
	TakeCheck(ctx context.Context, id inspection.CameraID, by string, piece string) (CameraCheck, error)
	// TakeAlignment finds where the camera lies against another one from what both see of the next strip.
	TakeAlignment(ctx context.Context, id inspection.CameraID, r AlignmentRequest) (CalibrationVersion, error)
}

// CameraDetail is one camera with its calibrations.
type CameraDetail struct {
	Camera    inspection.CameraID `json:"camera"`
	Side      inspection.Side     `json:"side"`
	Device    string              `json:"device" doc:"What it is, and its serial number; empty while it was never found, and for a simulated one"`
	Simulated bool                `json:"simulated"`
	Lost      string              `json:"lost" doc:"Why no frames can come of it; empty while they can"`
	Pixels    int                 `json:"pixels" doc:"Of a scan line"`
	View      CameraView          `json:"view"`
	Transfer  *CameraTransfer     `json:"transfer,omitempty" doc:"Absent for a simulated camera, and for one that was never found"`
	// FlatField, where there is one.
	FlatField *CalibrationVersion `json:"flat_field,omitempty" doc:"The newest; absent where the camera was never calibrated"`
	InForce   int                 `json:"flat_field_in_force" doc:"Version that corrects the frames now; 0: none. The newest is taken up where a coil begins"`
	// Trend is how the picture has changed since the flat field.
	Trend *CameraTrend `json:"trend,omitempty" doc:"Absent before three coils have run"`
	// Calibrations are all versions, the newest of each kind first.
	Calibrations []CalibrationVersion `json:"calibrations"`
	Checks       []CameraCheck        `json:"checks" doc:"The newest first, ten at most"`
	Faults       []string             `json:"faults" doc:"Versions that cannot be used, and why"`
}

// CameraCheck compares a camera with the day of its calibration.
type CameraCheck struct {
	Number  int           `json:"number"` // from 1, by camera
	At      time.Time     `json:"at"`
	By      string        `json:"by"`
	Piece   string        `json:"piece" enum:"white,target"`
	Against int           `json:"against" doc:"Version that it was compared with"`
	Pass    bool          `json:"pass"`
	Figures []CheckFigure `json:"figures"`
}

// CheckFigure is one comparison.
type CheckFigure struct {
	Name  string  `json:"name"` // its unit last
	Then  float64 `json:"then"`
	Now   float64 `json:"now"`
	Limit float64 `json:"limit" doc:"Of the change"`
	Pass  bool    `json:"pass"`
}

// CheckRequest says who checks a camera and with what.
type CheckRequest struct {
	CalibrationRequest
	Piece string `json:"piece" enum:"white,target" doc:"That is under the camera: the white target or the printed one"`
}

// CameraTrend compares the newest coils with the first ones since the flat field, in percent; negative: less.
type CameraTrend struct {
	Coils  int      `json:"coils" doc:"Since the flat field"`
	Grey   float64  `json:"grey_percent" doc:"How bright the strip is to the camera"`
	Across *float64 `json:"fine_across_percent,omitempty" doc:"How fine the picture is across"`
	Along  *float64 `json:"fine_along_percent,omitempty" doc:"How fine it is along the strip"`
}

// CameraView is where a camera looks.
type CameraView struct {
	MMPerPixel inspection.MM `json:"mm_per_pixel"`
	From       inspection.MM `json:"from_mm" doc:"Across the line"`
	To         inspection.MM `json:"to_mm"`
	Along      inspection.MM `json:"along_mm" doc:"How much later it sees a place than the first camera does"`
}

// CameraTransfer counts what came over the wire since start.
type CameraTransfer struct {
	Completed      uint64 `json:"completed" doc:"Frames that arrived whole"`
	Incomplete     uint64 `json:"incomplete" doc:"Frames of which a part arrived"`
	Lost           uint64 `json:"lost" doc:"Frames of which nothing arrived"`
	MissingPackets uint64 `json:"missing_packets"`
	ResentPackets  uint64 `json:"resent_packets"`
	Reconnects     uint64 `json:"reconnects"`
}

// CalibrationVersion is one calibration as it was made.
type CalibrationVersion struct {
	Kind      string             `json:"kind" enum:"flatfield,geometry,encoder,alignment,focus,area"`
	Version   int                `json:"version"`
	At        time.Time          `json:"at"`
	By        string             `json:"by"`
	Residuals map[string]float64 `json:"residuals" doc:"What the fit leaves; the names end with the unit"`
}

// CameraProfile is how bright and how sharp a camera's picture is across.
type CameraProfile struct {
	Raw       []float64 `json:"raw" doc:"Grey value of 256 parts of the width, from the left of the picture"`
	Corrected []float64 `json:"corrected" doc:"The same after the flat field in force"`
	Median    float64   `json:"median"`
	Dark      float64   `json:"dark" doc:"Share of pixels below grey 10"`
	Bright    float64   `json:"bright" doc:"Share of pixels at grey 255, which are cut off"`
	Sharpness float64   `json:"sharpness" doc:"Mean difference of neighbouring pixels in percent of the brightness: turn the lens to where it is greatest"`
}

// DarkReference is what a camera reads without light.
type DarkReference struct {
	Grey float64   `json:"grey" doc:"Of the median column"`
	At   time.Time `json:"at"`
}

// CalibrationRequest says who calibrates.
type CalibrationRequest struct {
	By string `json:"by" minLength:"1" maxLength:"64" doc:"The name of the person"`
}

// AlignmentRequest says who aligns a camera, with which other one, and how far they may lie apart.
type AlignmentRequest struct {
	CalibrationRequest
	With    inspection.CameraID `json:"with" minLength:"1" maxLength:"64"`
	ReachMM float64             `json:"reach_mm,omitempty" minimum:"5" maximum:"2000" default:"50" doc:"Along the strip, from where they are known to lie"`
}

// CameraPath is the id of a camera.
type CameraPath struct {
	ID inspection.CameraID `path:"id" maxLength:"64"`
}

func (a *api) registerCameras() {
	tags := []string{"cameras"}
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-cameras", Method: http.MethodGet, Path: "/api/v1/cameras", Tags: tags,
		Summary: "List the cameras, how they are and how they are calibrated",
	}, func(context.Context, *struct{}) (*struct {
		CacheControl string `header:"Cache-Control"`
		Body         struct {
			Cameras []CameraDetail `json:"cameras"`
		}
	}, error,
	) {
		out := new(struct {
			CacheControl string `header:"Cache-Control"`
			Body         struct {
				Cameras []CameraDetail `json:"cameras"`
			}
		})
		out.CacheControl, out.Body.Cameras = "no-cache", list(a.Cameras.Cameras())
		for i := range out.Body.Cameras {
			c := &out.Body.Cameras[i]
			c.Calibrations, c.Checks, c.Faults = list(c.Calibrations), list(c.Checks), list(c.Faults)
		}
		return out, nil
	})
	errors := []int{http.StatusNotFound, http.StatusConflict, http.StatusInternalServerError}
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-camera-profile", Method: http.MethodGet, Path: "/api/v1/cameras/{id}/profile", Tags: tags,
		Summary:     "Look at a camera's next scan lines: brightness across, exposure, sharpness",
		Description: "409 where no frame comes within two seconds.",
		Errors:      errors,
	}, func(ctx context.Context, in *CameraPath) (*struct{ Body CameraProfile }, error) {
		p, err := a.Cameras.CameraProfile(ctx, in.ID)
		return answer(ctx, a, p, err)
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "take-flat-field", Method: http.MethodPost, Path: "/api/v1/cameras/{id}/flat-field", Tags: tags,
		Summary:       "Fit a camera's flat field to the white target that is under it now",
		Description:   "Makes a version, which never changes and is taken up where the next coil begins, at once where none runs. 422 with the reason where the picture cannot serve as a reference, 409 where no frames come.",
		DefaultStatus: http.StatusCreated,
		Errors:        append(errors, http.StatusUnprocessableEntity), MaxBodyBytes: maxBody,
	}, a.calibrate(func(ctx context.Context, id inspection.CameraID, by string) (CalibrationVersion, error) {
		return a.Cameras.TakeFlatField(ctx, id, by)
	}))
	huma.Register(a.huma, huma.Operation{
		OperationID: "take-dark-reference", Method: http.MethodPost, Path: "/api/v1/cameras/{id}/dark-reference", Tags: tags,
		Summary:     "Take what a camera reads without light, for the flat field that is taken next",
		Description: "Cover the lens or put the lamp out. It is kept for an hour; a flat field that is taken without one has no offsets. 422 with the reason where there is light, 409 where no frames come.",
		Errors:      append(errors, http.StatusUnprocessableEntity),
	}, func(ctx context.Context, in *CameraPath) (*struct{ Body DarkReference }, error) {
		d, err := a.Cameras.TakeDark(ctx, in.ID)
		return answer(ctx, a, d, err)
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "take-geometry", Method: http.MethodPost, Path: "/api/v1/cameras/{id}/geometry", Tags: tags,
		Summary:       "Fit a camera's geometry to the printed target that is under it now",
		Description:   "Makes a version, which never changes and is taken up when the appliance starts next. 422 with the reason where the picture shows no target, 409 where no frames come. The target is made by \"coilsight calibrate target\".",
		DefaultStatus: http.StatusCreated,
		Errors:        append(errors, http.StatusUnprocessableEntity), MaxBodyBytes: maxBody,
	}, a.calibrate(func(ctx context.Context, id inspection.CameraID, by string) (CalibrationVersion, error) {
		return a.Cameras.TakeGeometry(ctx, id, by)
	}))
	huma.Register(a.huma, huma.Operation{
		OperationID: "check-camera", Method: http.MethodPost, Path: "/api/v1/cameras/{id}/check", Tags: tags,
		Summary:       "Compare a camera with the day of its calibration by the reference piece that is under it now",
		Description:   "The result is kept; a figure beyond its limit raises the alarm camera_changed until a check passes or the camera is calibrated again. 422 with the reason where the picture does not show the piece or the camera was never calibrated with it, 409 where no frames come.",
		DefaultStatus: http.StatusCreated,
		Errors:        append(errors, http.StatusUnprocessableEntity), MaxBodyBytes: maxBody,
	}, func(ctx context.Context, in *struct {
		CameraPath
		Body CheckRequest
	},
	) (*struct{ Body CameraCheck }, error) {
		by, err := person(in.Body.By)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		c, err := a.Cameras.TakeCheck(ctx, in.ID, by, in.Body.Piece)
		return answer(ctx, a, c, err)
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "take-alignment", Method: http.MethodPost, Path: "/api/v1/cameras/{id}/alignment", Tags: tags,
		Summary:       "Find where a camera lies against another one from what both see of the next strip",
		Description:   "Both must see the same strip with something on it: its grain where two cameras of a side overlap, a weld or a hole from both sides. Makes a version, which never changes and is taken up when the appliance starts next. 422 with the reason where the pictures have nothing clearly in common, 409 where the strip does not run.",
		DefaultStatus: http.StatusCreated,
		Errors:        append(errors, http.StatusUnprocessableEntity), MaxBodyBytes: maxBody,
	}, func(ctx context.Context, in *struct {
		CameraPath
		Body AlignmentRequest
	},
	) (*struct{ Body CalibrationVersion }, error) {
		by, err := person(in.Body.By)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		in.Body.By = by
		v, err := a.Cameras.TakeAlignment(ctx, in.ID, in.Body)
		return answer(ctx, a, v, err)
	})
}

type calibrationInput struct {
	CameraPath
	Body CalibrationRequest
}

// calibrate answers with the version that was made.
func (a *api) calibrate(take func(ctx context.Context, id inspection.CameraID, by string) (CalibrationVersion, error)) func(context.Context, *calibrationInput) (*struct{ Body CalibrationVersion }, error) {
	return func(ctx context.Context, in *calibrationInput) (*struct{ Body CalibrationVersion }, error) {
		by, err := person(in.Body.By)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		v, err := take(ctx, in.ID, by)
		return answer(ctx, a, v, err)
	}
}
