package alarm

import (
	"cmp"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// Trial counts what rules would have made of past coils. It is for one goroutine.
type Trial struct {
	rules []*watched
	tally []inspection.AlarmRuleTally
}

// NewTrial makes one of rules that are possible.
func NewTrial(rules []inspection.AlarmRule) *Trial {
	t := &Trial{}
	for _, r := range rules {
		t.rules = append(t.rules, &watched{AlarmRule: r})
		t.tally = append(t.tally, inspection.AlarmRuleTally{ID: r.ID})
	}
	return t
}

// Coil takes all defects of a coil in.
func (t *Trial) Coil(defects []inspection.Defect) {
	along := slices.SortedStableFunc(slices.Values(defects), func(x, y inspection.Defect) int { return cmp.Compare(x.Rect.Along, y.Rect.Along) })
	for i, r := range t.rules {
		r.at = r.at[:0]
		times, until := 0, inspection.MM(-1) // where the stretch of the last one ends
		for _, d := range along {
			if !r.Counts(d) || !r.add(d) {
				continue
			}
			if r.Count == 1 || d.Rect.Along > until {
				times++
			}
			until = d.Rect.Along + inspection.MM(r.Within*1000)
		}
		t.tally[i].Times += times
		t.tally[i].Coils += min(times, 1)
	}
}

// Tally is what they made so far, in the order of the rules.
func (t *Trial) Tally() []inspection.AlarmRuleTally { return slices.Clone(t.tally) }
