package appliance

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/coilsight/coilsight/appliance/alarm"
	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

const (
	statusEvery = 500 * time.Millisecond // the live screen moves twice a second
	speedOver   = 4                      // looks over which speed and rates are measured: 2 s
	// silentAfter is how long a camera may deliver nothing while the other one does.
	silentAfter = 2 * time.Second

	recentDefects = 12
	severeDefects = 6
	// eventsPerBatch bounds the defect events of one transaction: in a scale burst the screen shows
	// the worst ones and counts the rest.
	eventsPerBatch = 32
)

// live watches the line for the people at the screen: it is the line's observer and the web's view.
type live struct {
	a        *Appliance
	pictures map[inspection.Side]*livePicture
	// pictureOf finds the one that a camera fills a part of.
	pictureOf map[inspection.CameraID]*livePicture
	windowOf  map[inspection.CameraID]*window

	mu      sync.Mutex
	now     web.Live
	coil    *inspection.Coil // under the cameras
	gaps    []inspection.Gap // of that coil
	byClass map[inspection.DefectClass]int
	recent  []inspection.Defect
	severe  []inspection.Defect // the newest of them that are, whatever came since
	rolls   rollState
	failing error // the record's last error, nil while it works

	looks []look // the newest, oldest first
	room  headroom
}

// look is what was counted at one moment.
type look struct {
	at       time.Time
	position inspection.EncoderCount
	cameras  []line.CameraStatus
}

func newLive(a *Appliance) *live {
	l := &live{a: a, pictures: map[inspection.Side]*livePicture{}, pictureOf: map[inspection.CameraID]*livePicture{}, windowOf: map[inspection.CameraID]*window{}, byClass: map[inspection.DefectClass]int{}}
	for _, side := range inspection.Sides() {
		var on []*eye
		for _, c := range a.cameras {
			if c.side == side {
				on = append(on, c)
			}
		}
		if len(on) == 0 {
			continue
		}
		p := newLivePicture(on)
		l.pictures[side] = p
		for _, c := range on {
			l.pictureOf[c.id], l.windowOf[c.id] = p, c.window
		}
	}
	return l
}

// Recorded takes what became durable: counters, the newest defects, and an event for each.
func (l *live) Recorded(b *inspection.Batch) {
	l.mu.Lock()
	if l.coil != nil && l.coil.ID == b.Coil {
		l.gaps = append(l.gaps, b.Gaps...)
		for _, d := range b.Defects {
			l.byClass[d.Class]++
		}
	}
	if b.RollMarks != nil {
		l.rolls = rollState{b.RollMarks, b.Coil, time.Now()}
	}
	l.a.alarms.saw(b.Defects)
	newest := slices.Clone(b.Defects)
	slices.Reverse(newest)
	l.recent = newestOf(recentDefects, newest, l.recent)
	l.severe = newestOf(severeDefects, slices.DeleteFunc(slices.Clone(newest), func(d inspection.Defect) bool { return d.Severity < inspection.SevereFrom }), l.severe)
	l.mu.Unlock()

	slices.SortStableFunc(newest, func(x, y inspection.Defect) int { return cmp.Compare(y.Severity, x.Severity) })
	for _, d := range newest[:min(len(newest), eventsPerBatch)] {
		l.publish("defect", d)
	}
}

// newestOf are the first n of those that came and those before them, each the newest first.
func newestOf(n int, came, before []inspection.Defect) []inspection.Defect {
	all := slices.Concat(came, before)
	return all[:min(len(all), n)]
}

// CoilChanged tells the screens what became of a coil.
func (l *live) CoilChanged(c inspection.Coil) {
	l.mu.Lock()
	switch {
	case c.State == inspection.Running:
		if l.coil == nil || l.coil.ID != c.ID {
			l.gaps, l.byClass = nil, map[inspection.DefectClass]int{}
		}
		l.coil = &c
	case l.coil != nil && l.coil.ID == c.ID:
		l.coil = nil
	}
	l.mu.Unlock()
	l.publish("coil", c)
}

// RecordFailing keeps the reason why nothing can be recorded.
func (l *live) RecordFailing(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failing = err
}

// Screened enters a frame into the live picture.
func (l *live) Screened(id inspection.CameraID, span inspection.EncoderSpan, s *inspection.Screening) {
	l.pictureOf[id].add(id, span, s)
	if _, _, running := l.a.line.Running(); running {
		l.windowOf[id].frame(s)
	}
}

// Live is the newest status.
func (l *live) Live() web.Live {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

// StripPicture copies the live rows of a side.
func (l *live) StripPicture(side inspection.Side, after int64) web.StripPicture {
	p := l.pictures[side]
	if p == nil {
		return web.StripPicture{HeadRow: -1}
	}
	head := int64(-1)
	if _, h, ok := l.a.line.Running(); ok {
		head = int64(h)
	}
	return p.after(after, head)
}

func (l *live) publish(kind string, data any) {
	if err := l.a.hub.Publish(kind, data); err != nil {
		l.a.o.Log.Error("event could not be published", "type", kind, "error", err)
	}
}

// look measures the line and publishes its status. It is called each statusEvery.
func (l *live) look(now time.Time) {
	k := look{at: now, position: l.a.line.Position(), cameras: l.a.line.Status()}
	l.looks = append(l.looks, k)
	if len(l.looks) > speedOver+1 {
		l.looks = slices.Delete(l.looks, 0, 1)
	}
	before := l.looks[0]
	st := web.Live{
		Time: now.UTC(), TimeZone: l.a.o.Config.zoneName(now), Model: l.a.desk.model(), Provider: l.a.provider(),
		Speed: l.a.speed(k.position-before.position, now.Sub(before.at)),
	}
	id, head, running := l.a.line.Running()
	if running {
		st.Headroom = l.room.measure(l.a.load(k), l.a.speed)
		st.Position = l.a.cameras[0].geometry.Length(max(0, k.position-head))
	} else {
		l.room.forget()
	}

	l.mu.Lock()
	if running && l.coil != nil && l.coil.ID == id {
		c := *l.coil
		c.Counts = inspection.Counts{Defects: total(l.byClass), Gaps: len(l.gaps), ByClass: maps.Clone(l.byClass)}
		if l.rolls.coil == id {
			c.RollMarks = l.rolls.marks // replaced as a whole, never changed
		}
		st.Coil = &c
	}
	// Never nil: screens are told of it as it stands, and a list of none is not nothing.
	st.Recent, st.Severe = append([]inspection.Defect{}, l.recent...), append([]inspection.Defect{}, l.severe...)
	st.ByClass = maps.Clone(l.byClass)
	gaps, failing, rolls := slices.Clone(l.gaps), l.failing, l.rolls
	l.mu.Unlock()

	states := cameraStates(k.cameras, before.cameras, now)
	for i, e := range l.a.cameras {
		if e.device != nil && e.device.Lost() != "" {
			states[i] = "lost"
		}
	}
	coverage := inspection.CoverageOf(inspection.Strip{Length: st.Position}, gaps)
	for i, c := range k.cameras {
		cam := l.camera(c, before.cameras[i], states[i], now.Sub(before.at), coverage)
		if running && cam.State != "running" {
			// What a silent camera owes becomes a gap when it returns or the coil ends; the
			// screen must not call it inspected until then.
			seen := min(max(0, l.a.cameras[i].geometry.Length(c.SettledTo-head)), cam.Coverage.Length)
			owed := min(cam.Coverage.Length-seen, cam.Coverage.Inspected)
			cam.Coverage.Inspected -= owed
			cam.Coverage.Missed += owed
		}
		st.Cameras = append(st.Cameras, cam)
		st.UnassignedMetres = max(st.UnassignedMetres, float64(c.Unassigned)/1000)
		if m := float64(c.Inspected) / 1000; i == 0 || m < st.InspectedMetres {
			st.InspectedMetres = m
		}
	}
	conditions := append(l.conditions(st, k, before, failing), l.a.alarms.conditions(st)...)
	conditions = append(conditions, rolls.conditions(now)...)
	st.Alarms, st.Flood = l.a.alarms.look(now, conditions)
	st.Aside = l.a.alarms.book.Aside()

	l.mu.Lock()
	l.now = st
	l.mu.Unlock()
	l.publish("status", st)
}

func total(counts map[inspection.DefectClass]int) int {
	n := 0
	for _, k := range counts {
		n += k
	}
	return n
}

// cameraStates says of each camera whether it is running, idle or lost. One camera that has been delivering
// for a while tells that the others should.
func cameraStates(cameras, before []line.CameraStatus, now time.Time) []string {
	states := make([]string, len(cameras))
	delivering := false
	for i, c := range cameras {
		switch {
		case c.Failed != nil:
			states[i] = "lost"
		case !c.LastFrame.IsZero() && now.Sub(c.LastFrame) < silentAfter:
			states[i] = "running"
			delivering = delivering || !before[i].LastFrame.IsZero()
		default:
			states[i] = "idle"
		}
	}
	for i, s := range states {
		if delivering && s == "idle" {
			states[i] = "lost"
		}
	}
	return states
}

func (l *live) camera(c, before line.CameraStatus, state string, over time.Duration, coverage []inspection.Coverage) web.CameraState {
	st := web.CameraState{
		Camera: c.Camera, Side: c.Side, State: state, Ledger: web.Ledger(c.Ledger),
		LatencyP99: float64(c.LatencyP99.Microseconds()) / 1000, StripWidth: c.StripWidth,
	}
	if over > 0 {
		st.MBPerSecond = float64(c.Bytes-before.Bytes) / 1e6 / over.Seconds()
	}
	for _, k := range coverage {
		if k.Side == c.Side {
			st.Coverage = k
		}
	}
	return st
}

// Priorities of what is the matter with the appliance.
const (
	high   = inspection.HighPriority
	medium = inspection.MediumPriority
	low    = inspection.LowPriority
)

// about makes a condition of a camera or, without one, of the whole line.
func about(code string, p inspection.AlarmPriority, values map[string]string) alarm.Condition {
	return alarm.Condition{Code: code, About: values["camera"], Priority: p, Delay: delays[code], Values: values}
}

// delays are how long a condition must hold that comes and goes by itself.
var delays = map[string]time.Duration{"headroom_low": 5 * time.Second, "no_coil": 2 * time.Second}

// conditions finds what asks for a person.
func (l *live) conditions(st web.Live, now, before look, failing error) (out []alarm.Condition) {
	raise := func(code string, p inspection.AlarmPriority, values ...string) {
		m := map[string]string{}
		for i := 0; i+1 < len(values); i += 2 {
			m[values[i]] = values[i+1]
		}
		out = append(out, about(code, p, m))
	}
	if failing != nil {
		raise("record_failing", high, "reason", failing.Error())
	}
	for _, reason := range l.a.desk.Models().Refused {
		raise("model_refused", medium, "reason", reason)
	}
	if p := st.Provider; !p.Healthy {
		raise("provider_mismatch", medium, "configured", p.Configured, "measured", p.Measured)
	}
	if h := st.Headroom; h != nil && h.Ratio < lowHeadroom {
		raise("headroom_low", medium, "speed", strconv.FormatFloat(h.Speed, 'f', 1, 64), "bound", h.Bound)
	}
	out = append(out, l.encoderConditions(now.at)...)
	out = append(out, l.windowConditions()...)
	out = append(out, l.checkConditions(now.at)...)
	for _, e := range l.a.cameras {
		if e.flat.Load() == nil {
			raise("not_calibrated", medium, "camera", string(e.id), "side", string(e.side))
		}
	}
	for i, c := range now.cameras {
		b := before.cameras[i]
		switch {
		case c.Failed != nil:
			raise("camera_lost", high, "camera", string(c.Camera), "side", string(c.Side), "reason", c.Failed.Error())
		case l.a.cameras[i].device != nil && l.a.cameras[i].device.Lost() != "":
			raise("camera_lost", high, "camera", string(c.Camera), "side", string(c.Side), "reason", l.a.cameras[i].device.Lost())
		case st.Cameras[i].State == "lost":
			silent := silentAfter
			if !c.LastFrame.IsZero() {
				silent = now.at.Sub(c.LastFrame)
			}
			raise("camera_lost", high, "camera", string(c.Camera), "side", string(c.Side), "silent_s", strconv.Itoa(int(silent.Seconds())))
		}
		lost := c.Ledger.Overrun + c.Ledger.Underrun + c.Ledger.Incomplete - b.Ledger.Overrun - b.Ledger.Underrun - b.Ledger.Incomplete
		if lost > 0 {
			raise("inspection_lost", high, "camera", string(c.Camera), "side", string(c.Side), "frames", fmt.Sprint(lost))
		}
		if late := c.Ledger.DetectedOnly - b.Ledger.DetectedOnly; late > 0 {
			raise("classifier_late", medium, "camera", string(c.Camera), "side", string(c.Side), "frames", fmt.Sprint(late))
		}
		if c.Unassigned > b.Unassigned {
			raise("no_coil", medium, "metres", strconv.FormatFloat(float64(c.Unassigned)/1000, 'f', 0, 64))
		}
	}
	return out
}
