package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// EncoderDesk is what is known of the strip's encoder, what a person calibrates of it, and what takes readings of it. Errors are
// *inspection.ConflictError (readings come from elsewhere, a simulated mill), *inspection.NotFoundError (a coil),
// *inspection.FieldError (coils that cannot serve, with the reason), or a failure.
type EncoderDesk interface {
	Encoder() EncoderDetail
	Reading(count int64, at time.Time) (EncoderState, error)
	// FitScale fits the strip length of a count to coils of known length and keeps it as a version.
	FitScale(ctx context.Context, by string, coils []CoilLength) (CalibrationVersion, error)
}

// EncoderDetail is what counts the strip.
type EncoderDetail struct {
	Source     string        `json:"source" enum:"simulated,lines,modbus,api,chunk" doc:"lines: the cameras' own scan lines"`
	MMPerCount inspection.MM `json:"mm_per_count" doc:"In force"`
	InForce    int           `json:"in_force" doc:"Version that says so; 0: none, of a simulated mill"`
	State      *EncoderState `json:"state,omitempty" doc:"Absent where the cameras' lines alone count"`
	// Calibrations are all versions of the scale, the newest first.
	Calibrations []CalibrationVersion `json:"calibrations"`
	Faults       []string             `json:"faults" doc:"Versions that cannot be used, and why"`
}

// CoilLength is a recorded coil whose length is known from elsewhere.
type CoilLength struct {
	Coil   inspection.CoilID `json:"coil" minLength:"1" maxLength:"64"`
	Length inspection.MM     `json:"length_mm" exclusiveMinimum:"0" maximum:"100000000"`
}

// ScaleRequest says who calibrates and by which coils.
type ScaleRequest struct {
	CalibrationRequest
	Coils []CoilLength `json:"coils" minItems:"2" maxItems:"100"`
}

// EncoderState is how the strip moves, as far as the encoder tells.
type EncoderState struct {
	Motion   string  `json:"motion" enum:"running,standing,backwards,silent"`
	Speed    float64 `json:"speed_mps" doc:"Negative backwards"`
	Jumps    int     `json:"jumps" doc:"Times that the counter was set and not moved; the strip's position does not follow"`
	Outliers int     `json:"outliers" doc:"Single readings that did not fit and were left out"`
}

// EncoderReading is the encoder's counter at a moment.
type EncoderReading struct {
	Count int64     `json:"count"`
	At    time.Time `json:"at,omitzero" doc:"When it was read, by the appliance's clock; absent: now"`
}

// readingOff is how far a reading's time may be from the appliance's clock.
const readingOff = 2 * time.Second

func (a *api) registerEncoder() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "post-encoder-reading", Method: http.MethodPost, Path: "/api/v1/encoder", Tags: []string{"cameras"},
		Summary:     "Tell the strip encoder's counter",
		Description: "For encoders that nothing else reads: at least ten readings a second. 409 where encoder.source is not api, 422 where the time is more than 2 s from the appliance's clock.",
		Errors:      []int{http.StatusConflict, http.StatusUnprocessableEntity}, MaxBodyBytes: maxBody,
	}, func(ctx context.Context, in *struct{ Body EncoderReading }) (*struct{ Body EncoderState }, error) {
		at := in.Body.At
		if at.IsZero() {
			at = time.Now()
		}
		if off := time.Since(at); off > readingOff || off < -readingOff {
			return nil, a.fail(ctx, &inspection.FieldError{Field: "at", Reason: off.Round(time.Millisecond).String() + " from the appliance's clock; allowed are 2s: set both clocks by one server, or leave the time out"})
		}
		s, err := a.Encoder.Reading(in.Body.Count, at)
		return answer(ctx, a, s, err)
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-encoder", Method: http.MethodGet, Path: "/api/v1/encoder", Tags: []string{"cameras"},
		Summary: "Tell what counts the strip, and how long a count is",
	}, func(context.Context, *struct{}) (*struct {
		CacheControl string `header:"Cache-Control"`
		Body         EncoderDetail
	}, error,
	) {
		out := new(struct {
			CacheControl string `header:"Cache-Control"`
			Body         EncoderDetail
		})
		out.CacheControl, out.Body = "no-cache", a.Encoder.Encoder()
		out.Body.Calibrations, out.Body.Faults = list(out.Body.Calibrations), list(out.Body.Faults)
		return out, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "fit-encoder-scale", Method: http.MethodPost, Path: "/api/v1/encoder/scale", Tags: []string{"cameras"},
		Summary:       "Fit the strip length of an encoder count to recorded coils of known length",
		Description:   "Makes a version, which never changes and is taken up when the appliance starts next. 422 with the reason where the coils do not agree, were interrupted, or do not say by which scale they were measured.",
		DefaultStatus: http.StatusCreated,
		Errors:        []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusInternalServerError}, MaxBodyBytes: maxBody,
	}, func(ctx context.Context, in *struct{ Body ScaleRequest }) (*struct{ Body CalibrationVersion }, error) {
		by, err := person(in.Body.By)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		v, err := a.Encoder.FitScale(ctx, by, in.Body.Coils)
		return answer(ctx, a, v, err)
	})
}
