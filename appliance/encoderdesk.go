package appliance

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// encoderDesk is what the pages see of the encoder and calibrate of it. It takes the readings that come over the API.
type encoderDesk struct{ a *Appliance }

// Reading takes one in.
func (d *encoderDesk) Reading(count int64, at time.Time) (web.EncoderState, error) {
	if d.a.o.Config.Encoder.Source != encoderAPI || d.a.encoder == nil {
		return web.EncoderState{}, &inspection.ConflictError{Noun: "encoder", ID: d.a.o.Config.Encoder.Source, Reason: "takes no readings; set encoder.source to api"}
	}
	d.a.encoder.Add(at, count)
	return *d.state(), nil
}

// state is how the strip moves; nil where no encoder is read.
func (d *encoderDesk) state() *web.EncoderState {
	if d.a.encoder == nil {
		return nil
	}
	s := d.a.encoder.State(time.Now())
	return &web.EncoderState{Motion: string(s.Motion), Speed: s.PerSecond * float64(d.a.o.Config.Encoder.MMPerCount) / 1000, Jumps: s.Jumps, Outliers: s.Outliers}
}

// Encoder tells what counts the strip and how long a count is.
func (d *encoderDesk) Encoder() (out web.EncoderDetail) {
	c := d.a.o.Config
	if d.a.mill != nil {
		return web.EncoderDetail{Source: "simulated", MMPerCount: c.Mill.MMPerPixel}
	}
	out = web.EncoderDetail{Source: c.Encoder.Source, MMPerCount: c.Encoder.MMPerCount, InForce: d.a.scaleVersion.Number, State: d.state()}
	all, faults := c.Calibrations().List(calibration.EncoderName)
	for _, v := range all {
		out.Calibrations = append(out.Calibrations, shownVersion(v))
	}
	for _, err := range faults {
		out.Faults = append(out.Faults, err.Error())
	}
	return out
}

// FitScale fits the strip length of a count to recorded coils whose length is known from elsewhere. It is taken up when the appliance
// starts next: places of a running line do not move.
func (d *encoderDesk) FitScale(ctx context.Context, by string, lengths []web.CoilLength) (v web.CalibrationVersion, err error) {
	if d.a.mill != nil {
		return v, &inspection.ConflictError{Noun: "encoder", ID: "simulated", Reason: "has the scale that the configuration says"}
	}
	var coils []calibration.CoilLength
	for _, l := range lengths {
		counts, err := d.counts(ctx, l.Coil)
		if err != nil {
			return v, err
		}
		coils = append(coils, calibration.CoilLength{Coil: l.Coil, Counts: counts, Length: l.Length})
	}
	s, err := calibration.FitEncoderScale(coils)
	if err != nil {
		return v, &inspection.FieldError{Field: "coils", Reason: err.Error()}
	}
	kept, err := d.a.o.Config.Calibrations().KeepEncoderScale(by, time.Now(), s)
	return shownVersion(kept), err
}

// counts is how far the encoder counted from a coil's head to its tail end.
func (d *encoderDesk) counts(ctx context.Context, id inspection.CoilID) (inspection.EncoderCount, error) {
	c, err := d.a.store.Coil(ctx, id)
	if err != nil {
		return 0, err
	}
	bad := func(format string, a ...any) error {
		return &inspection.FieldError{Field: "coils", Reason: "coil " + string(id) + " " + fmt.Sprintf(format, a...)}
	}
	if c.State != inspection.Closed {
		return 0, bad("is %s; its length counts once it is closed", c.State)
	}
	for _, r := range c.Calibrations {
		if r.Camera != calibration.EncoderName {
			continue
		}
		v, err := d.a.o.Config.Calibrations().Load(calibration.EncoderName, calibration.EncoderKind, r.Version)
		if err != nil {
			return 0, err
		}
		var s calibration.EncoderScale
		if err := json.Unmarshal(v.Values, &s); err != nil {
			return 0, bad("was measured by encoder-%d, which cannot be read: %v", r.Version, err)
		}
		return inspection.EncoderCount(math.Round(float64(c.Strip.Length / s.MMPerCount))), nil
	}
	return 0, bad("does not name the scale that it was measured by; choose coils of cameras, not simulated ones")
}
