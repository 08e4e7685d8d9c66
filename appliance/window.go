package appliance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/coilsight/coilsight/appliance/alarm"
	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/durable"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// window watches the lamp and the window of one camera.
type window struct {
	path string // of what is kept over a restart

	mu    sync.Mutex
	watch calibration.WindowWatch
	n     int // frames
}

// watchEvery frames of a coil one is looked at: dirt does not come and go.
const watchEvery = 4

// openWindow takes up what is kept. What cannot be used is an error, and the watch begins anew.
func openWindow(c Config, id inspection.CameraID) (*window, error) {
	w := &window{path: filepath.Join(c.Calibrations().Dir, string(id), "window.json")}
	data, err := os.ReadFile(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	var s calibration.WindowState
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil {
		err = s.Check()
	}
	if err != nil {
		return w, fmt.Errorf("what was known of the window of camera %s cannot be used: %w", id, err)
	}
	w.watch.State = s
	return w, nil
}

// frame takes in a frame of a coil.
func (w *window) frame(s *inspection.Screening) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n++; w.n%watchEvery == 0 {
		w.watch.Frame(s)
	}
}

// picture takes in how fine a picture of a coil is.
func (w *window) picture(f calibration.Focus) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watch.Picture(f)
}

const (
	// focusEvery is how often a picture of the strip is looked at, focusLines its height.
	focusEvery = 5 * time.Second
	focusLines = 64
)

// watchFocus looks at each camera's picture while coils run, until ctx ends.
func (a *Appliance) watchFocus(ctx context.Context) {
	tick := time.NewTicker(focusEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for _, e := range a.cameras {
			if _, _, running := a.line.Running(); !running {
				break
			}
			m, err := e.picture(ctx, focusLines, time.Second)
			if err == nil { // a camera that delivers nothing is told elsewhere
				e.window.picture(calibration.MeasureFocus(m))
			}
		}
	}
}

// coilEnd takes in the coil that has ended and keeps what is known.
func (w *window) coilEnd() error {
	w.mu.Lock()
	w.watch.CoilEnd()
	data, err := json.Marshal(w.watch.State)
	known := w.watch.State.Coils > 0
	w.mu.Unlock()
	if err != nil || !known {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(w.path), 0o750); err != nil {
		return err
	}
	return durable.Replace(w.path, data)
}

// reset forgets: the window was wiped, or the flat field taken anew.
func (w *window) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watch.State = calibration.WindowState{}
}

// trendCoils is from how many coils on a trend is told.
const trendCoils = 3

// trend compares the newest coils with the first ones.
func (w *window) trend() *web.CameraTrend {
	w.mu.Lock()
	s := w.watch.State
	w.mu.Unlock()
	if s.Coils < trendCoils || s.First <= 0 {
		return nil
	}
	percent := func(now, then float64) float64 { return 100 * (now/then - 1) }
	t := &web.CameraTrend{Coils: s.Coils, Grey: percent(float64(s.Now), float64(s.First))}
	if s.FocusCoils >= trendCoils && s.FirstFocus.Across > 0 && s.FirstFocus.Along > 0 {
		across, along := percent(s.NowFocus.Across, s.FirstFocus.Across), percent(s.NowFocus.Along, s.FirstFocus.Along)
		t.Across, t.Along = &across, &along
	}
	return t
}

func (w *window) findings() []calibration.WindowFinding {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.watch.Findings()
}

// windowPriority of the alarm that a fault raises.
var windowPriority = map[calibration.WindowFault]inspection.AlarmPriority{
	calibration.LampLost: high, calibration.LampFailing: high, calibration.FocusSoft: medium, calibration.MotionBlur: medium,
	calibration.WindowDirty: low, calibration.LampAgeing: low,
}

// windowConditions are what is the matter with the lamps and windows. A camera that sees no light while another one of its side
// does looks beside a narrow strip.
func (l *live) windowConditions() (out []alarm.Condition) {
	lit := map[inspection.Side]bool{}
	found := make([][]calibration.WindowFinding, len(l.a.cameras))
	for i, e := range l.a.cameras {
		found[i] = e.window.findings()
		if len(found[i]) == 0 || found[i][0].Fault != calibration.LampLost {
			lit[e.side] = true
		}
	}
	for i, e := range l.a.cameras {
		for _, f := range found[i][:min(len(found[i]), 1)] { // the worst: one alarm a camera
			if f.Fault == calibration.LampLost && lit[e.side] {
				continue
			}
			values := map[string]string{"camera": string(e.id), "side": string(e.side), "darker": strconv.Itoa(int(f.Darker + 0.5))}
			if f.Fault == calibration.FocusSoft || f.Fault == calibration.MotionBlur {
				delete(values, "darker")
				values["softer"] = strconv.Itoa(int(f.Darker + 0.5))
			}
			if f.Fault == calibration.WindowDirty || f.Fault == calibration.LampFailing {
				a, b := e.geometry.Across(float64(f.From)), e.geometry.Across(float64(f.To))
				values["across_mm"] = fmt.Sprintf("%.0f–%.0f", float64(min(a, b)), float64(max(a, b)))
			}
			out = append(out, about(string(f.Fault), windowPriority[f.Fault], values))
		}
	}
	return out
}
