package appliance

import (
	"math"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// perMetre is the speed of a line with a thousand encoder counts a metre.
func perMetre(n inspection.EncoderCount, over time.Duration) float64 {
	if over <= 0 {
		return 0
	}
	return float64(n) / 1000 / over.Seconds()
}

// runLooks measures n looks, half a second apart, of strip at 5 m/s and parts that are busy the given shares of the time.
func runLooks(h *headroom, from load, n int, shares map[string]float64) (load, float64, string) {
	var ratio float64
	var bound string
	for range n {
		next := load{at: from.at.Add(500 * time.Millisecond), position: from.position + 2500, busy: map[string]time.Duration{}}
		for part, share := range shares {
			next.busy[part] = from.busy[part] + time.Duration(share*5e8)
		}
		from = next
		ratio, bound = 0, ""
		if r := h.measure(from, perMetre); r != nil {
			ratio, bound = r.Ratio, r.Bound
			if math.Abs(r.Speed-5*r.Ratio) > 1e-9 {
				ratio = math.NaN()
			}
		}
	}
	return from, ratio, bound
}

func TestHeadroomIsThatOfTheBusiestPart(t *testing.T) {
	h, start := &headroom{}, load{at: time.Unix(1000, 0), busy: map[string]time.Duration{}}
	at, ratio, _ := runLooks(h, start, 6, map[string]float64{"detector": 0.4, "processor": 0.5})
	if ratio != 0 {
		t.Errorf("after 2.5 s the headroom is %g; want none yet", ratio)
	}
	at, ratio, bound := runLooks(h, at, 2, map[string]float64{"detector": 0.4, "processor": 0.5})
	if ratio != 2 || bound != "processor" {
		t.Errorf("the headroom is %g by %q; want 2 by the processor", ratio, bound)
	}
	if at, ratio, bound = runLooks(h, at, 30, map[string]float64{"detector": 0.8, "processor": 0.5}); ratio != 1.25 || bound != "detector" {
		t.Errorf("ten seconds after the detector has become slower it is %g by %q; want 1.25 by the detector", ratio, bound)
	}
	if at, ratio, bound = runLooks(h, at, 30, map[string]float64{"detector": 0.01}); ratio != mostHeadroom || bound != "" {
		t.Errorf("with hardly any load it is %g by %q; want %d by nothing", ratio, bound, mostHeadroom)
	}
	h.forget()
	if _, ratio, _ = runLooks(h, at, 2, map[string]float64{"detector": 0.9}); ratio != 0 {
		t.Errorf("at the head end it is %g; want none yet", ratio)
	}
}

func TestStandingStripHasNoHeadroom(t *testing.T) {
	h := &headroom{}
	for i := range 20 {
		at := load{at: time.Unix(int64(i), 0), position: 7, busy: map[string]time.Duration{"detector": time.Duration(i) * time.Millisecond}}
		if r := h.measure(at, perMetre); r != nil {
			t.Fatalf("after %d s without movement the headroom is %+v; want none", i, r)
		}
	}
}

func TestCountersThatBeginAnewAreLeftOut(t *testing.T) {
	h, start := &headroom{}, load{at: time.Unix(1000, 0), busy: map[string]time.Duration{"classifier": time.Hour}}
	h.measure(start, perMetre)
	start.busy = map[string]time.Duration{}
	if _, ratio, bound := runLooks(h, start, 8, map[string]float64{"classifier": 0.9, "detector": 0.5}); ratio != 2 || bound != "detector" {
		t.Errorf("after a change of the model the headroom is %g by %q; want 2 by the detector", ratio, bound)
	}
}
