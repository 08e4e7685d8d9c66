package appliance

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/coilsight/coilsight/appliance/alarm"
	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/rollmark"
)

// rollFor is how long after its last sighting a roll mark keeps its alarm: the way to the pulpit and a look at the map.
const rollFor = time.Minute

// RollTable lists the rolls that are named: those of the configuration or, with a simulated mill and none there, the ones that
// mill has.
func (c Config) RollTable() []inspection.Roll {
	if len(c.Rolls) > 0 || c.Source != "mill" {
		return c.Rolls
	}
	diameter := inspection.MM(math.Round(float64(mill.RollCircumference)/math.Pi*10) / 10)
	return []inspection.Roll{
		{Name: "Top work roll", Side: inspection.Top, Diameter: diameter, Elongation: 1},
		{Name: "Bottom work roll", Side: inspection.Bottom, Diameter: diameter, Elongation: 1},
	}
}

// RollWatch looks for roll marks on one coil.
func (c Config) RollWatch() line.RollWatch {
	return rollmark.New(rollmark.Options{Rolls: c.RollTable(), Tolerance: c.RollTolerance})
}

// rollState is what the live view knows of roll marks.
type rollState struct {
	marks []inspection.RollMark // of the coil
	coil  inspection.CoilID
	at    time.Time // when they changed
}

// conditions are the alarms of the marks that were seen last, one a side; none where none was of late.
func (r *rollState) conditions(now time.Time) (out []alarm.Condition) {
	if now.Sub(r.at) >= rollFor {
		return nil
	}
	for _, side := range inspection.Sides() {
		var last *inspection.RollMark
		n := 0
		for i := range r.marks {
			m := &r.marks[i]
			if m.Side != side {
				continue
			}
			n++
			if last == nil || m.Last > last.Last {
				last = m
			}
		}
		if last != nil {
			out = append(out, r.condition(last, n))
		}
	}
	return out
}

// condition is the alarm of a mark, of so many on its side.
func (r *rollState) condition(last *inspection.RollMark, marks int) alarm.Condition {
	mm := func(v inspection.MM) string { return strconv.FormatFloat(float64(v), 'f', 0, 64) }
	c := about("roll_period", medium, map[string]string{
		"side": string(last.Side), "across_mm": mm(last.Across), "period_mm": mm(last.Period), "diameter_mm": mm(last.Diameter),
		"coil": string(r.coil),
	})
	c.About = string(last.Side)
	if len(last.Rolls) > 0 {
		c.Values["roll"] = strings.Join(last.Rolls, " / ")
	}
	if marks > 1 {
		c.Values["marks"] = strconv.Itoa(marks)
	}
	return c
}
