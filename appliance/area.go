package appliance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// isVideo tells that the camera's pictures can be rectified.
func (c CameraConfig) isVideo() bool { return strings.HasPrefix(c.Address, "video:") }

// areaCalibration is an area camera as it was calibrated; a version of number 0 is none.
type areaCalibration struct {
	calibration.Area
	version calibration.Version
}

// areaOf reads the newest area calibration of a camera that has pictures to rectify. One that cannot be used is an error: without
// it, the camera's frames would be others.
func areaOf(s calibration.Shelf, c CameraConfig) (a areaCalibration, err error) {
	if !c.isVideo() {
		return a, nil
	}
	v, ok, err := s.Latest(inspection.CameraID(c.ID), calibration.AreaKind)
	if err != nil || !ok {
		return a, err
	}
	if err := json.Unmarshal(v.Values, &a.Area); err != nil {
		return a, fmt.Errorf("calibration area-%d of camera %s cannot be read: %w", v.Number, c.ID, err)
	}
	if err := a.Check(); err != nil {
		return a, fmt.Errorf("calibration area-%d of camera %s: %w", v.Number, c.ID, err)
	}
	a.version = v
	return a, nil
}

// fits refuses pictures of another size than those that were calibrated, and a configuration that names another width than the
// rectified pictures have.
func (a areaCalibration) fits(c CameraConfig, width, height int) error {
	switch {
	case width != a.Width || height != a.Height:
		return fmt.Errorf("camera %s: its pictures are %d x %d pixels; calibration area-%d is of pictures of %d x %d: calibrate it again", c.ID, width, height, a.version.Number, a.Width, a.Height)
	case c.Pixels != a.Columns:
		return fmt.Errorf("camera %s: rectified by calibration area-%d, its frames are %d pixels wide; the configuration says %d: write pixels: %d", c.ID, a.version.Number, a.Columns, c.Pixels, a.Columns)
	}
	return nil
}

// areaWaits refuses to calibrate frames that are not those of the next start: a newer area is kept than the one in force.
func (e *eye) areaWaits(s calibration.Shelf) error {
	switch e.device.(type) {
	case filmed, *rectified:
	default:
		return nil
	}
	v, ok, err := s.Latest(e.id, calibration.AreaKind)
	if err != nil || !ok || v.Number == e.area.Number {
		return err
	}
	return &inspection.ConflictError{Noun: "camera", ID: string(e.id), Reason: fmt.Sprintf("will be rectified by calibration area-%d when the appliance starts next, and its columns are others then; start it again first", v.Number)}
}

// rectified is an area camera whose pictures are turned into frames of which columns are equal millimetres across and lines equal
// millimetres along.
type rectified struct {
	filmed
	table *calibration.Rectifier
	pool  *camera.Pool
	// counts of the encoder that a picture is long, which need not be whole.
	counts float64
}

// newRectified takes source over, which it closes where it fails.
func newRectified(source filmed, a areaCalibration, c CameraConfig, mmPerCount inspection.MM) (_ *rectified, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, source.Close())
		}
	}()
	w, h := source.Size()
	if err := a.fits(c, w, h); err != nil {
		return nil, err
	}
	r := &rectified{filmed: source, counts: float64(a.Rows) * float64(a.MMPerPixel/mmPerCount)}
	if r.counts < 1 {
		return nil, fmt.Errorf("camera %s: a rectified picture is %.3g mm long; encoder.mm_per_count of %g mm is too coarse for it", c.ID, float64(a.Rows)*float64(a.MMPerPixel), float64(mmPerCount))
	}
	if r.table, err = calibration.NewRectifier(a.Area); err != nil {
		return nil, fmt.Errorf("calibration area-%d of camera %s: %w", a.version.Number, c.ID, err)
	}
	r.pool, err = camera.NewPool(inspection.CameraID(c.ID), videoBuffers, a.Columns*a.Rows)
	return r, err
}

// Next gives the next picture rectified to the caller, who must Release it. Where the line has all buffers it waits, and the
// camera's own pictures are lost and counted meanwhile.
func (r *rectified) Next(ctx context.Context) (*camera.Frame, error) {
	raw, err := r.filmed.Next(ctx)
	if err != nil {
		return nil, err
	}
	defer raw.Release()
	f, err := r.pool.Wait(ctx)
	if err != nil {
		return nil, err
	}
	f.Fit(r.table.Size())
	if err := r.table.Rectify(f.Image, raw.Image); err != nil {
		f.Release()
		return nil, err
	}
	f.ID, f.Seam, f.Status, f.Cause, f.Missing, f.Arrived = raw.ID, raw.Seam, raw.Status, raw.Cause, raw.Missing, raw.Arrived
	at := func(id uint64) inspection.EncoderCount {
		return inspection.EncoderCount(math.Round(float64(id) * r.counts))
	}
	f.Span = inspection.EncoderSpan{From: at(raw.ID), To: at(raw.ID + 1)}
	return f, nil
}

// Close ends the video and returns the memory. It refuses while a frame is lent.
func (r *rectified) Close() error { return errors.Join(r.filmed.Close(), r.pool.Close()) }
