package appliance

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// Calibrations is the folder of the cameras' calibrations.
func (c Config) Calibrations() calibration.Shelf {
	return calibration.Shelf{Dir: filepath.Join(c.Data, "calibration")}
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
