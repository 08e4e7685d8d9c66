package appliance

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

const (
	// alignAhead is how far before the strip the comparison begins, so that both cameras are ready for it.
	alignAhead inspection.MM = 200
	// alignLength is the strip compared beside what the reach takes.
	alignLength inspection.MM = 300
	// alignAcross bounds the search across: cameras are mounted closer than that by their measures.
	alignAcross inspection.MM = 20
	// leastShared is the strip that two cameras of one side must both see, pixels.
	leastShared = 64
)

// restoreAlignment takes the place of what the configuration says of where the camera lies against the others.
func (e *eye) restoreAlignment(s calibration.Shelf) error {
	var f calibration.CameraAlignment
	v, ok, err := e.latest(s, calibration.AlignmentKind, &f)
	if err != nil || !ok {
		return err
	}
	e.along, e.alignmentVersion = f.Along, v
	if f.Position != nil && e.measured() {
		e.geometry.Position = *f.Position
	}
	return nil
}

// measured tells that no target says where the camera looks, but somebody's measure.
func (e *eye) measured() bool { return e.geometryVersion.Number == 0 && e.area.Number == 0 }

// TakeAlignment finds where a camera lies against another one from what both see of the next strip. It is taken up when the
// appliance starts next: places of a running line do not move.
func (d *cameraDesk) TakeAlignment(ctx context.Context, id inspection.CameraID, r web.AlignmentRequest) (web.CalibrationVersion, error) {
	var none web.CalibrationVersion
	e, err := d.find(id)
	if err != nil {
		return none, err
	}
	with, err := d.find(r.With)
	if err != nil {
		return none, err
	}
	if e == with {
		return none, &inspection.FieldError{Field: "with", Reason: "is the same camera; a camera is aligned with another one"}
	}
	found, err := e.alignWith(ctx, with, inspection.MM(r.ReachMM))
	if err != nil {
		return none, err
	}
	v, err := d.a.o.Config.Calibrations().KeepAlignment(id, r.By, time.Now(), found.CameraAlignment, found.pictures...)
	if err != nil {
		return none, err
	}
	return shownVersion(v), nil
}

// aligned is an alignment with the pictures that it comes from.
type aligned struct {
	calibration.CameraAlignment
	pictures []inspection.LineImage
}

// alignWith compares what both cameras see of the same strip, as far as they are known to lie.
func (e *eye) alignWith(ctx context.Context, with *eye, reach inspection.MM) (out aligned, err error) {
	c := calibration.Section{From: max(e.from(), with.from()), To: min(e.to(), with.to()), Step: max(e.geometry.MMPerPixel, with.geometry.MMPerPixel)}
	if c.To-c.From < leastShared*c.Step {
		return out, &inspection.FieldError{Field: "with", Reason: fmt.Sprintf("camera %s looks at %.0f to %.0f mm and camera %s at %.0f to %.0f mm across; they must share %d pixels at least", e.id, float64(e.from()), float64(e.to()), with.id, float64(with.from()), float64(with.to()), leastShared)}
	}
	perCount := e.geometry.MMPerCount
	from := max(e.tap.newest(), with.tap.newest()) + inspection.EncoderCount(alignAhead/perCount)
	c.Span = inspection.EncoderSpan{From: from, To: from + inspection.EncoderCount((2*reach+alignLength)/perCount)}
	var seen [2]calibration.Stretch
	if seen, err = watch(ctx, c.Span, with, e); err != nil {
		return out, err
	}
	var shown [2]inspection.LineImage
	for i, k := range []*eye{with, e} {
		if shown[i], err = k.geometry.Show(seen[i], k.flatField(), c); err != nil {
			return out, &inspection.ConflictError{Noun: "camera", ID: string(k.id), Reason: err.Error() + "; try again"}
		}
	}
	across := alignAcross
	if e.side != with.side { // their edges are the strip's
		across = 0
	}
	found, err := calibration.Align(shown[0], shown[1], calibration.Reach{
		Lines: int(reach / c.Step), Pixels: min(shown[0].Width/4, int(across/c.Step)),
	})
	if err != nil {
		return out, &inspection.FieldError{Field: "reference", Reason: err.Error()}
	}
	out.pictures = shown[:]
	out.With, out.Found, out.Step = with.id, found, c.Step
	out.Along = e.along - inspection.MM(found.Lines)*c.Step
	if e.measured() && across > 0 {
		p := e.geometry.Position + inspection.MM(found.Pixels)*c.Step
		out.Position = &p
	}
	return out, nil
}

// watch waits until both cameras have seen a span of strip.
func watch(ctx context.Context, span inspection.EncoderSpan, of ...*eye) (seen [2]calibration.Stretch, err error) {
	limited, cancel := context.WithTimeout(ctx, flatFieldWithin)
	defer cancel()
	var wg sync.WaitGroup
	var failed [2]error
	for i, k := range of {
		wg.Go(func() { seen[i], failed[i] = k.tap.stretch(limited, span) })
	}
	wg.Wait()
	for i, err := range failed {
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			length := math.Round(float64(span.Len()) * float64(of[i].geometry.MMPerCount))
			return seen, &inspection.ConflictError{Noun: "camera", ID: string(of[i].id), Reason: fmt.Sprintf("saw fewer than %g mm of strip within %v; let the strip run", length, flatFieldWithin)}
		}
		if err != nil {
			return seen, err
		}
	}
	return seen, nil
}
