package appliance

import (
	"runtime"
	"syscall"
	"time"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

const (
	// headroomOver is the time that a headroom rests on; from leastHeadroom on it is told.
	headroomOver  = 10 * time.Second
	leastHeadroom = 3 * time.Second
	// mostHeadroom is how many times the present speed is still told: a load that is hardly there says little of
	// one that is full.
	mostHeadroom = 4
	// lowHeadroom alarms before strip is lost. The load is a mean over seconds, and bursts need room above it.
	lowHeadroom = 1.15
)

// load is what the parts of the line have worked since the start, at one moment.
type load struct {
	at       time.Time
	position inspection.EncoderCount
	busy     map[string]time.Duration // by what bounds the line: each may work as long as the clock runs
}

// headroom tells how fast the strip could run before something on the line works without a pause. All that is done
// grows with the strip that passes, so that what is busy a third of the time bears three times the speed.
type headroom struct{ loads []load }

// measure takes in the load of a moment and gives the headroom; nil while no strip moves under a coil.
func (h *headroom) measure(now load, speed func(inspection.EncoderCount, time.Duration) float64) *web.Headroom {
	h.loads = append(h.loads, now)
	for len(h.loads) > 2 && now.at.Sub(h.loads[1].at) >= headroomOver {
		h.loads = h.loads[1:]
	}
	first := h.loads[0]
	over := now.at.Sub(first.at)
	v := speed(now.position-first.position, over)
	if over < leastHeadroom || v <= 0 {
		return nil
	}
	out := web.Headroom{Ratio: mostHeadroom}
	for bound, busy := range now.busy {
		worked := busy - first.busy[bound]
		if worked <= 0 { // another model has taken over, with counters of its own
			continue
		}
		if ratio := over.Seconds() / worked.Seconds(); ratio < out.Ratio || (ratio == out.Ratio && bound < out.Bound) {
			out.Ratio, out.Bound = ratio, bound
		}
	}
	out.Speed = v * out.Ratio
	return &out
}

// forget begins anew: what was measured before says nothing of the strip that comes.
func (h *headroom) forget() { h.loads = h.loads[:0] }

// load is what the line's parts have worked.
func (a *Appliance) load(k look) load {
	busy := map[string]time.Duration{
		"processor":  processorTime() / time.Duration(runtime.GOMAXPROCS(0)),
		"classifier": a.desk.engine().Stats().Busy,
		"record":     a.line.RecordBusy(),
	}
	for _, c := range k.cameras {
		busy["detector"] = max(busy["detector"], c.ScreenBusy)
		busy["placing"] = max(busy["placing"], c.SettleBusy)
	}
	return load{k.at, k.position, busy}
}

// processorTime is what this process has used of all processors since its start.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
