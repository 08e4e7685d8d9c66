package inspection

import (
	"cmp"
	"slices"
)

// Coverage says how much of one side of a coil was looked at.
type Coverage struct {
	Side         Side `json:"side"`
	Length       MM   `json:"length_mm"`
	Inspected    MM   `json:"inspected_mm"`
	DetectedOnly MM   `json:"detected_only_mm"` // screened, not fully classified
	Missed       MM   `json:"missed_mm"`        // not screened at all
}

// Share is the inspected part of the length, 0 to 1; an empty side has 0.
func (c Coverage) Share() float64 {
	if c.Length <= 0 {
		return 0
	}
	return float64(c.Inspected / c.Length)
}

// CoverageOf adds up what the gaps leave of each side. Overlapping gaps count once, at their worse
// state. A side without a camera has no coverage.
func CoverageOf(s Strip, gaps []Gap) []Coverage {
	var out []Coverage
	for _, side := range s.InspectedSides() {
		missed := total(mergeGaps(slices.DeleteFunc(slices.Clone(gaps), func(g Gap) bool {
			return g.State == DetectedOnly
		}), side), s.Length)
		all := total(mergeGaps(gaps, side), s.Length)
		out = append(out, Coverage{
			Side: side, Length: s.Length, Inspected: s.Length - all,
			DetectedOnly: all - missed, Missed: missed,
		})
	}
	return out
}

// mergeGaps joins the gaps of one side that touch or overlap, whatever their state, sorted along the
// strip.
func mergeGaps(gaps []Gap, side Side) []Gap {
	var out []Gap
	for _, g := range gaps {
		if g.Side == side && g.To > g.From {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b Gap) int { return cmp.Compare(a.From, b.From) })
	n := 0
	for _, g := range out {
		// Positions come from encoder counts; a hundredth of a millimetre is rounding, not steel.
		if n > 0 && g.From <= out[n-1].To+0.01 {
			out[n-1].To = max(out[n-1].To, g.To)
			continue
		}
		out[n] = g
		n++
	}
	return out[:n]
}

func total(gaps []Gap, length MM) MM {
	var sum MM
	for _, g := range gaps {
		sum += max(0, min(g.To, length)-max(g.From, 0))
	}
	return sum
}
