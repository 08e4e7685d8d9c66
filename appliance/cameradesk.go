package appliance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// Calibrations is the folder of the cameras' calibrations.
func (c Config) Calibrations() calibration.Shelf {
	return calibration.Shelf{Dir: filepath.Join(c.Data, "calibration")}
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

// cameraDesk is what the pages see and command of the cameras.
type cameraDesk struct{ a *Appliance }

const (
	// flatFieldLines is the height of a white reference: 0.5 grey levels of noise leave 0.03 in a column's value.
	flatFieldLines = 256
	// geometryLines show the target's bars from end to end at 0.25 mm a line.
	geometryLines = 600
	profileLines  = 32
	profileParts  = 256
	// profileWithin is how long the page waits for lines to look at, flatFieldWithin a calibration for its reference.
	profileWithin   = 2 * time.Second
	flatFieldWithin = 10 * time.Second
)

// Cameras lists the cameras.
func (d *cameraDesk) Cameras() []web.CameraDetail {
	shelf := d.a.o.Config.Calibrations()
	var out []web.CameraDetail
	for _, e := range d.a.cameras {
		c := web.CameraDetail{
			Camera: e.id, Side: e.side, Pixels: e.width, Simulated: e.device == nil,
			View: web.CameraView{MMPerPixel: e.geometry.MMPerPixel, From: e.from(), To: e.to(), Along: e.along},
		}
		if e.device != nil {
			c.Device, c.Lost = e.device.Name(), e.device.Lost()
			if s, ok := e.device.Stats(); ok {
				c.Transfer = &web.CameraTransfer{
					Completed: s.Completed, Incomplete: s.Incomplete, Lost: s.Lost,
					MissingPackets: s.MissingPackets, ResentPackets: s.ResentPackets, Reconnects: s.Reconnects,
				}
			}
		}
		c.Trend = e.window.trend()
		all, faults := shelf.List(e.id)
		for _, v := range all {
			shown := shownVersion(v)
			if v.Kind == calibration.FlatFieldKind && c.FlatField == nil {
				c.FlatField = &shown
			}
			c.Calibrations = append(c.Calibrations, shown)
			if err := e.refuses(v); err != nil {
				faults = append(faults, err)
			}
		}
		checks, damaged := shelf.Checks(e.id, shownChecks)
		for _, k := range checks {
			c.Checks = append(c.Checks, shownCheck(k))
		}
		for _, err := range append(faults, damaged...) {
			c.Faults = append(c.Faults, err.Error())
		}
		for _, r := range e.inForce() {
			if r.Kind == string(calibration.FlatFieldKind) {
				c.InForce = r.Version
			}
		}
		out = append(out, c)
	}
	return out
}

func shownVersion(v calibration.Version) web.CalibrationVersion {
	return web.CalibrationVersion{Kind: string(v.Kind), Version: v.Number, At: v.At, By: v.By, Residuals: v.Residuals}
}

// CameraProfile looks at the next scan lines.
func (d *cameraDesk) CameraProfile(ctx context.Context, id inspection.CameraID) (p web.CameraProfile, err error) {
	e, err := d.find(id)
	if err != nil {
		return p, err
	}
	m, err := e.picture(ctx, profileLines, profileWithin)
	if err != nil {
		return p, err
	}
	return profileOf(m, e.flatField()), nil
}

// profileOf measures a picture across.
func profileOf(m inspection.LineImage, flat inspection.FlatField) (p web.CameraProfile) {
	parts := min(profileParts, m.Width)
	p.Raw, p.Corrected = make([]float64, parts), make([]float64, parts)
	columns := make([]int, parts)
	var count [256]int
	var steps, sum float64
	for y := range m.Height {
		row := m.Row(y)
		for x, v := range row {
			i, g := x*parts/m.Width, float64(v)
			columns[i]++
			p.Raw[i] += g
			count[v]++
			sum += g
			p.Corrected[i] += float64(flat.Correct(v, x))
			if x > 0 {
				steps += max(float64(v)-float64(row[x-1]), float64(row[x-1])-float64(v))
			}
		}
	}
	for i, n := range columns {
		p.Raw[i] /= float64(n)
		p.Corrected[i] /= float64(n)
	}
	all := float64(m.Width * m.Height)
	for v := range 10 {
		p.Dark += float64(count[v]) / all
	}
	p.Bright = float64(count[255]) / all
	p.Median = medianGrey(count, m.Width*m.Height)
	p.Sharpness = 100 * steps / max(sum, 1)
	return p
}

func medianGrey(count [256]int, all int) float64 {
	n := 0
	for v, k := range count {
		if n += k; 2*n >= all {
			return float64(v)
		}
	}
	return 255
}

// darkReference is what a camera read without light.
type darkReference struct {
	picture inspection.LineImage
	at      time.Time
}

// darkFor is how long a dark reference serves: a camera that warms up reads more.
const darkFor = time.Hour

// TakeDark keeps what the camera reads without light.
func (d *cameraDesk) TakeDark(ctx context.Context, id inspection.CameraID) (out web.DarkReference, err error) {
	e, err := d.find(id)
	if err != nil {
		return out, err
	}
	m, err := e.picture(ctx, flatFieldLines, flatFieldWithin)
	if err != nil {
		return out, err
	}
	if out.Grey, err = calibration.MeasureDark(m); err != nil {
		return out, &inspection.FieldError{Field: "reference", Reason: err.Error()}
	}
	out.At = time.Now().UTC()
	e.dark.Store(&darkReference{m, out.At})
	return out, nil
}

// TakeFlatField fits a flat field to the target under the camera.
func (d *cameraDesk) TakeFlatField(ctx context.Context, id inspection.CameraID, by string) (web.CalibrationVersion, error) {
	var none web.CalibrationVersion
	e, err := d.find(id)
	if err != nil {
		return none, err
	}
	if err := e.areaWaits(d.a.o.Config.Calibrations()); err != nil {
		return none, err
	}
	white, err := e.white(ctx)
	if err != nil {
		return none, err
	}
	pictures, dark := []inspection.LineImage{white}, inspection.LineImage{}
	if k := e.dark.Load(); k != nil && time.Since(k.at) < darkFor && k.picture.Width == white.Width {
		dark = k.picture
		pictures = append(pictures, dark)
	}
	fitted, err := calibration.MeasureFlatField(white, dark)
	if err != nil {
		return none, &inspection.FieldError{Field: "reference", Reason: err.Error()}
	}
	v, err := d.a.o.Config.Calibrations().KeepFlatField(id, by, time.Now(), fitted, pictures...)
	if err != nil {
		return none, err
	}
	f := newFlatField(fitted, v)
	e.readChecks(d.a.o.Config.Calibrations())
	e.next.Store(f)
	if _, _, running := d.a.line.Running(); !running {
		e.flat.Store(f)
		e.window.reset()
	}
	return shownVersion(f.version), nil
}

// TakeGeometry fits the camera's geometry to the target under it. It is taken up when the appliance starts next: places of a
// running line do not move.
func (d *cameraDesk) TakeGeometry(ctx context.Context, id inspection.CameraID, by string) (web.CalibrationVersion, error) {
	var none web.CalibrationVersion
	e, err := d.find(id)
	if err != nil {
		return none, err
	}
	if err := e.areaWaits(d.a.o.Config.Calibrations()); err != nil {
		return none, err
	}
	m, err := e.picture(ctx, geometryLines, flatFieldWithin)
	if err != nil {
		return none, err
	}
	fit, err := calibration.FitGeometry(m, calibration.Target{Bars: calibration.MostBars})
	if err != nil {
		return none, &inspection.FieldError{Field: "target", Reason: err.Error()}
	}
	v, err := d.a.o.Config.Calibrations().KeepGeometry(id, by, time.Now(), fit, m)
	if err != nil {
		return none, err
	}
	e.readChecks(d.a.o.Config.Calibrations())
	return shownVersion(v), nil
}

func (d *cameraDesk) find(id inspection.CameraID) (*eye, error) {
	i := slices.IndexFunc(d.a.cameras, func(e *eye) bool { return e.id == id })
	if i < 0 {
		return nil, &inspection.NotFoundError{Noun: "camera", ID: string(id)}
	}
	return d.a.cameras[i], nil
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
