package appliance

import (
	"strconv"
	"time"

	"github.com/coilsight/coilsight/camera/encoder"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// jumpAlarm is how long a jump of the counter keeps its alarm.
const jumpAlarm = time.Minute

// encoderConditions are what is the matter with the encoder.
func (l *live) encoderConditions(now time.Time) (out []condition) {
	if l.a.encoder == nil {
		return nil
	}
	s := l.a.encoder.State(now)
	switch s.Motion {
	case encoder.Silent:
		values := map[string]string{}
		if l.a.poller != nil {
			values["reason"] = l.a.poller.Failing()
		}
		out = append(out, condition{"encoder_silent", 0, values})
	case encoder.Backwards:
		out = append(out, condition{"strip_backwards", 2, nil})
	}
	for _, e := range l.a.cameras {
		if e.placed != nil && e.placed.Stalled() {
			out = append(out, condition{"encoder_stalled", 0, map[string]string{"camera": string(e.id), "side": string(e.side)}})
			break
		}
	}
	if s.Jumps > 0 && now.Sub(s.JumpAt) < jumpAlarm {
		out = append(out, condition{"encoder_jumped", 1, map[string]string{"times": strconv.Itoa(s.Jumps)}})
	}
	return out
}

// encoderDesk takes the encoder's readings that come over the API.
type encoderDesk struct{ a *Appliance }

// Reading takes one in.
func (d *encoderDesk) Reading(count int64, at time.Time) (web.EncoderState, error) {
	if d.a.o.Config.Encoder.Source != encoderAPI || d.a.encoder == nil {
		return web.EncoderState{}, &inspection.ConflictError{Noun: "encoder", ID: d.a.o.Config.Encoder.Source, Reason: "takes no readings; set encoder.source to api"}
	}
	d.a.encoder.Add(at, count)
	s := d.a.encoder.State(time.Now())
	return web.EncoderState{Motion: string(s.Motion), Speed: s.PerSecond * float64(d.a.o.Config.Encoder.MMPerCount) / 1000, Jumps: s.Jumps, Outliers: s.Outliers}, nil
}
