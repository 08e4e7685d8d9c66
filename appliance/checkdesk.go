package appliance

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/coilsight/coilsight/appliance/alarm"
	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// shownChecks is how many checks of a camera the page lists.
const shownChecks = 10

// pieceLines is the height of a picture of a piece.
func pieceLines(p calibration.Piece) int {
	if p == calibration.TargetPiece {
		return geometryLines
	}
	return flatFieldLines
}

// TakeCheck compares the camera with the day of its calibration by the piece that is under it now.
func (d *cameraDesk) TakeCheck(ctx context.Context, id inspection.CameraID, by string, piece string) (out web.CameraCheck, err error) {
	e, err := d.find(id)
	if err != nil {
		return out, err
	}
	p := calibration.Piece(piece)
	m, err := e.pieceUnder(ctx, p)
	if err != nil {
		return out, err
	}
	shelf := d.a.o.Config.Calibrations()
	c, err := shelf.Check(id, p, m)
	if err != nil {
		return out, &inspection.FieldError{Field: "piece", Reason: err.Error()}
	}
	v, err := shelf.KeepCheck(id, by, time.Now(), c, m)
	if err != nil {
		return out, err
	}
	e.readChecks(shelf)
	return shownCheck(calibration.KeptCheck{Version: v, Check: c}), nil
}

// pieceUnder is the camera's picture of a piece.
func (e *eye) pieceUnder(ctx context.Context, p calibration.Piece) (inspection.LineImage, error) {
	if p == calibration.WhitePiece {
		return e.white(ctx)
	}
	return e.picture(ctx, pieceLines(p), flatFieldWithin)
}

func shownCheck(k calibration.KeptCheck) web.CameraCheck {
	c := web.CameraCheck{Number: k.Number, At: k.At, By: k.By, Piece: string(k.Piece), Against: k.Against, Pass: len(k.Changed()) == 0}
	for _, f := range k.Figures {
		c.Figures = append(c.Figures, web.CheckFigure(f))
	}
	return c
}

// checked is what the checks of a camera say now.
type checked struct {
	last    time.Time // of the newest check or calibration; zero: there is none
	changed []string  // figures that have changed since the calibration in force
}

// readChecks notes what the newest check with each piece says. One against a version that was replaced says nothing any more.
func (e *eye) readChecks(s calibration.Shelf) {
	var now checked
	checks, _ := s.Checks(e.id, shownChecks) // damaged ones are named where all are listed
	for _, p := range calibration.Pieces() {
		v, ok, err := s.Latest(e.id, p.Kind())
		if err != nil || !ok {
			continue
		}
		now.last = later(now.last, v.At)
		for _, k := range checks {
			if k.Piece != p || k.Against != v.Number {
				continue
			}
			now.last = later(now.last, k.At)
			now.changed = append(now.changed, k.Changed()...)
			break
		}
	}
	e.checks.Store(&now)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// checkConditions are what the checks of the cameras say, and which are due.
func (l *live) checkConditions(now time.Time) (out []alarm.Condition) {
	every := time.Duration(l.a.o.Config.CheckHours) * time.Hour
	for _, e := range l.a.cameras {
		c := e.checks.Load()
		if c == nil || c.last.IsZero() {
			continue // never calibrated, which is told already
		}
		values := map[string]string{"camera": string(e.id), "side": string(e.side)}
		switch ago := now.Sub(c.last); {
		case len(c.changed) > 0:
			values["changed"] = strings.Join(c.changed, ", ")
			out = append(out, about("camera_changed", medium, values))
		case every > 0 && ago > every:
			values["hours"] = strconv.Itoa(int(ago.Hours()))
			out = append(out, about("check_due", low, values))
		}
	}
	return out
}
