package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// EncoderInput takes readings of the strip's encoder. Its error is an *inspection.ConflictError where it is configured to come
// from elsewhere.
type EncoderInput interface {
	Reading(count int64, at time.Time) (EncoderState, error)
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
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		return &struct{ Body EncoderState }{s}, nil
	})
}
