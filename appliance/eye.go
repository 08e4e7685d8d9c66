package appliance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera/encoder"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// eye is one camera with its detector and calibration.
type eye struct {
	id       inspection.CameraID
	side     inspection.Side
	width    int              // of a frame, pixels
	tap      *tap             // frames on their way to the line
	device   device           // where they come from, if that is a camera and not simulated
	check    *encoderCheck    // compares its lines with the encoder; nil: nothing to compare with
	placed   placer           // what places them by an encoder; nil: they count by their own lines
	counted  *encoder.Counted // what places them by the counts that they carry; nil: they carry none
	detector *inference.Detector
	geometry calibration.Geometry
	// geometryVersion is what geometry comes from; Number 0: the configuration.
	geometryVersion calibration.Version
	// along is how much later the camera sees a place than the first camera does, alignmentVersion what says so; Number 0: the
	// configuration.
	along            inspection.MM
	alignmentVersion calibration.Version
	area             calibration.Version // what frames are rectified by; Number 0: they are not
	// flat corrects the frames, nil: nothing does. next takes its place where a coil begins.
	flat, next atomic.Pointer[flatField]
	window     *window
	dark       atomic.Pointer[darkReference] // for the flat field that is taken next
	checks     atomic.Pointer[checked]
}

// from is where the camera's view begins across the line, on the operator side.
func (e *eye) from() inspection.MM {
	return min(e.geometry.Across(0), e.geometry.Across(float64(e.width)))
}

// to is where it ends.
func (e *eye) to() inspection.MM {
	return max(e.geometry.Across(0), e.geometry.Across(float64(e.width)))
}

// addCamera takes a camera in, with what is kept of its calibration.
func (a *Appliance) addCamera(e *eye) {
	if err := e.restore(a.o.Config.Calibrations()); err != nil {
		a.o.Log.Error("calibration cannot be used", "camera", e.id, "error", err)
	}
	e.tap.later = inspection.EncoderCount(math.Round(float64(e.along / e.geometry.MMPerCount)))
	e.readChecks(a.o.Config.Calibrations())
	var err error
	if e.window, err = openWindow(a.o.Config, e.id); err != nil {
		a.o.Log.Error("the window is watched anew", "camera", e.id, "error", err)
	}
	a.cameras = append(a.cameras, e)
}

// flatField is a fitted flat field with the version that it is; none for one that is not kept.
type flatField struct {
	calibration.FlatField
	corrects inspection.FlatField
	version  calibration.Version
}

func newFlatField(f calibration.FlatField, v calibration.Version) *flatField {
	return &flatField{FlatField: f, corrects: f.Corrects(), version: v}
}

// restore takes up the calibrations that are kept of a camera. What cannot be used is an error, and the rest holds all the same.
func (e *eye) restore(s calibration.Shelf) error {
	return errors.Join(e.restoreArea(s), e.restoreFlatField(s), e.restoreGeometry(s), e.restoreAlignment(s))
}

// restoreArea says of an area calibration that nothing is rectified by: only video has whole pictures.
func (e *eye) restoreArea(s calibration.Shelf) error {
	v, ok, err := s.Latest(e.id, calibration.AreaKind)
	if err != nil || !ok || e.area.Number > 0 {
		return err
	}
	return fmt.Errorf("calibration area-%d of camera %s rectifies pictures of a video; its address is none, so that it is not used", v.Number, e.id)
}

// superseded tells that a version was made before the frames were rectified as they are now, when their columns were others.
func (e *eye) superseded(v calibration.Version) bool {
	return e.area.Number > 0 && v.Kind != calibration.AreaKind && v.At.Before(e.area.At)
}

// refuses says why a version cannot be used. The place of a geometry that is superseded is taken by the area.
func (e *eye) refuses(v calibration.Version) error {
	switch {
	case !e.superseded(v):
		return v.Check(e.id, e.width)
	case v.Kind == calibration.FlatFieldKind:
		return fmt.Errorf("calibration flatfield-%d of camera %s was made before area-%d, when the frames' columns were others: calibrate it again", v.Number, e.id, e.area.Number)
	}
	return nil
}

func (e *eye) restoreFlatField(s calibration.Shelf) error {
	var f calibration.FlatField
	v, ok, err := e.latest(s, calibration.FlatFieldKind, &f)
	if err != nil || !ok {
		return err
	}
	if len(f.Gain) != e.width || (f.Offset != nil && len(f.Offset) != e.width) {
		return fmt.Errorf("calibration flatfield-%d of camera %s has %d columns; the camera has %d: calibrate it again", v.Number, e.id, len(f.Gain), e.width)
	}
	e.next.Store(newFlatField(f, v))
	e.flat.Store(e.next.Load())
	return nil
}

// restoreGeometry takes the place of what the configuration says of the camera's view.
func (e *eye) restoreGeometry(s calibration.Shelf) error {
	var f calibration.GeometryFit
	v, ok, err := e.latest(s, calibration.GeometryKind, &f)
	if err != nil || !ok || e.superseded(v) {
		return err
	}
	g := e.geometry
	g.MMPerPixel, g.Curve, g.Width, g.OperatorSideRight = f.MMPerPixel, f.Curve, e.width, f.OperatorSideRight
	g.Position = g.Across(0)
	if err := g.Check(); err != nil {
		return fmt.Errorf("calibration geometry-%d of camera %s: %w", v.Number, e.id, err)
	}
	e.geometry, e.geometryVersion = g, v
	return nil
}

// latest reads the newest version of a kind into values, where there is one that fits the camera.
func (e *eye) latest(s calibration.Shelf, kind calibration.Kind, values any) (v calibration.Version, ok bool, err error) {
	v, ok, err = s.Latest(e.id, kind)
	if err == nil && ok {
		err = e.refuses(v)
	}
	if err != nil || !ok {
		return v, false, err
	}
	if err := json.Unmarshal(v.Values, values); err != nil {
		return v, false, fmt.Errorf("calibration %s-%d of camera %s cannot be read: %w", kind, v.Number, e.id, err)
	}
	return v, true, nil
}

// flatField is the one in force.
func (e *eye) flatField() inspection.FlatField {
	if f := e.flat.Load(); f != nil {
		return f.corrects
	}
	return inspection.FlatField{}
}

// inForce are the calibrations in force.
func (e *eye) inForce() (in []inspection.CalibrationRef) {
	if f := e.flat.Load(); f != nil && f.version.Number > 0 {
		in = append(in, f.version.Ref())
	}
	for _, v := range []calibration.Version{e.area, e.geometryVersion, e.alignmentVersion} {
		if v.Number > 0 {
			in = append(in, v.Ref())
		}
	}
	return in
}

// picture copies the camera's next scan lines.
func (e *eye) picture(ctx context.Context, lines int, within time.Duration) (inspection.LineImage, error) {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	m, err := e.tap.picture(limited, lines)
	switch {
	case err == nil || ctx.Err() != nil:
		return m, err
	case errors.Is(err, context.DeadlineExceeded):
		return m, &inspection.ConflictError{Noun: "camera", ID: string(e.id), Reason: fmt.Sprintf("delivered fewer than %d scan lines within %v; a triggered camera delivers only while its encoder turns", lines, within)}
	}
	return m, err
}

// white is the camera's picture of the white target. The simulated mill has one of its own, which it holds under the camera.
func (e *eye) white(ctx context.Context) (inspection.LineImage, error) {
	if c, ok := e.tap.FrameSource.(*mill.Camera); ok {
		return c.WhiteReference(), nil
	}
	return e.picture(ctx, flatFieldLines, flatFieldWithin)
}
