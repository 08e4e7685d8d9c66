package appliance

import (
	"context"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coilsight/coilsight/appliance/alarm"
	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/encoder"
	"github.com/coilsight/coilsight/inspection"
)

// openEncoder makes what reads the encoder, where the configuration names one.
func (a *Appliance) openEncoder() (err error) {
	e := a.o.Config.Encoder
	if e.Source == encoderLines && !e.compares() || e.Source == encoderChunk {
		return nil // cameras that count for themselves have each a track of their own
	}
	if a.encoder, err = encoder.New(e.track()); err != nil {
		return err
	}
	if e.Source != encoderAPI {
		a.poller, err = encoder.NewModbus(e.modbus(), a.encoder)
	}
	return err
}

// restoreScale takes up the strip length of a count. Where that fails, the configured one holds and no coil names a version.
func (a *Appliance) restoreScale() error {
	e := &a.o.Config.Encoder
	s, v, err := a.o.Config.Calibrations().EncoderScale(e.MMPerCount, time.Now())
	if v.Number > 0 {
		e.MMPerCount, a.scaleVersion = s.MMPerCount, v
	}
	return err
}

// jumpAlarm is how long a jump of the counter keeps its alarm.
const jumpAlarm = time.Minute

// encoderConditions are what is the matter with the encoder.
func (l *live) encoderConditions(now time.Time) (out []alarm.Condition) {
	if l.a.encoder != nil {
		values := map[string]string{}
		if l.a.poller != nil {
			values["reason"] = l.a.poller.Failing()
		}
		out = counterConditions(out, l.a.encoder.State(now), now, values)
	}
	out = append(out, l.countedConditions(now)...)
	for _, e := range l.a.cameras {
		if e.placed != nil && e.placed.Stalled() {
			out = append(out, about("encoder_stalled", high, map[string]string{"camera": string(e.id), "side": string(e.side)}))
			break
		}
	}
	for _, e := range l.a.cameras {
		if text := e.check.mismatch(now); text != "" {
			out = append(out, about("encoder_mismatch", medium, map[string]string{"camera": string(e.id), "side": string(e.side), "reason": text}))
			break
		}
	}
	return out
}

// countedConditions are what is the matter with the first counter in a camera that something is the matter with, silence before all else.
func (l *live) countedConditions(now time.Time) (out []alarm.Condition) {
	for _, e := range l.a.cameras {
		if e.counted == nil || e.device.Lost() != "" {
			continue
		}
		s := e.counted.State(now)
		if s.Last.IsZero() && e.counted.Unplaced() == 0 {
			continue // its first frame is under way
		}
		found := counterConditions(nil, s, now, map[string]string{
			"camera": string(e.id), "side": string(e.side), "reason": "camera " + string(e.id) + " sends no encoder count with its frames",
		})
		if s.Motion == encoder.Silent {
			return found
		}
		if out == nil {
			out = found
		}
	}
	return out
}

// counterConditions are what is the matter with one counter; silent are the values of its silence.
func counterConditions(out []alarm.Condition, s encoder.State, now time.Time, silent map[string]string) []alarm.Condition {
	switch s.Motion {
	case encoder.Silent:
		out = append(out, about("encoder_silent", high, silent))
	case encoder.Backwards:
		out = append(out, about("strip_backwards", low, nil))
	}
	if s.Jumps > 0 && now.Sub(s.JumpAt) < jumpAlarm {
		out = append(out, about("encoder_jumped", medium, map[string]string{"times": strconv.Itoa(s.Jumps)}))
	}
	return out
}

// placer gives frames that an encoder has placed.
type placer interface {
	line.FrameSource
	// Stalled tells that the pictures show the strip moving while the encoder stands.
	Stalled() bool
}

// encoderCheck compares the lines of a camera that the encoder triggers with the encoder's own counter.
type encoderCheck struct {
	line.FrameSource
	track *encoder.Track
	check *encoder.Check
	lines int64     // of the frame before
	at    time.Time // of its arrival

	finding atomic.Pointer[encoder.Finding]
}

// newCheck is nil where there is nothing to compare with.
func (a *Appliance) newCheck(c CameraConfig) (*encoderCheck, error) {
	if e := a.o.Config.Encoder; !e.compares() || !c.isClocked() {
		return nil, nil
	}
	k, err := encoder.NewCheck(a.o.Config.Encoder.LinesPerCount, encoder.CheckOptions{})
	return &encoderCheck{track: a.encoder, check: k}, err
}

// watch lets frames through and looks at each.
func (k *encoderCheck) watch(frames line.FrameSource) line.FrameSource {
	if k == nil {
		return frames
	}
	k.FrameSource = frames
	return k
}

// Next gives the next frame. The one before is compared, which the encoder has been read behind by now.
func (k *encoderCheck) Next(ctx context.Context) (*camera.Frame, error) {
	f, err := k.FrameSource.Next(ctx)
	if err != nil {
		return nil, err
	}
	if !k.at.IsZero() {
		if count, what := k.track.At(k.at); what == encoder.Known {
			if found, ok := k.check.Add(k.at, k.lines, inspection.EncoderCount(math.Round(count))); ok {
				k.finding.Store(&found)
			}
		}
	}
	k.lines, k.at = int64(f.Span.To), f.Arrived
	return f, nil
}

// mismatch is what was found lately.
func (k *encoderCheck) mismatch(now time.Time) string {
	if k == nil {
		return ""
	}
	if f := k.finding.Load(); f != nil && now.Sub(f.At) < jumpAlarm {
		return f.Text
	}
	return ""
}
