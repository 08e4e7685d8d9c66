package inspection

import (
	"cmp"
	"slices"
)

// CutPlan says what to keep of a coil so that each piece earns a grade.
type CutPlan struct {
	Grade  Grade      `json:"grade"`
	Pieces []CutPiece `json:"pieces"` // in order along the strip
	Scrap  MM         `json:"scrap_mm"`
}

// CutPiece is a stretch of the coil that is kept.
type CutPiece struct {
	From  MM    `json:"from_mm"`
	To    MM    `json:"to_mm"`
	Grade Grade `json:"grade"` // of the piece by itself
}

const (
	// mostPieces of a plan: more are more work than the steel is worth.
	mostPieces = 3
	// mostStretches bounds the work on a coil that breaks rules everywhere; its longest stretches are looked at.
	mostStretches = 1500
	// leastGain is the share of the coil that a further piece must save.
	leastGain = 0.005
)

// CutPlans finds the pieces that earn at least a grade, with the least scrap: the best plan of one piece, and those of two and three where
// they save more. Pieces are at least so long. None: nothing of the coil earns it. Every piece is judged by itself, its ends as head and
// tail.
func CutPlans(m DefectMap, r Recipe, grade Grade, least MM) []CutPlan {
	bars := r.bars(m, grade)
	stretches := longest(slices.DeleteFunc(freeOf(bars, m.Strip.Length), func(s stretch) bool { return s.len() < least }))
	var plans []CutPlan
	kept := MM(0)
	for n, parts := range bestParts(stretches, least) {
		p := CutPlan{Grade: grade, Scrap: m.Strip.Length}
		for _, s := range parts {
			got := GradeMap(m.Part(s.from, s.to), r).Grade
			if got.rank() > grade.rank() { // an end became the head or tail of its piece
				continue
			}
			p.Pieces = append(p.Pieces, CutPiece{s.from, s.to, got})
			p.Scrap -= s.len()
		}
		if now := m.Strip.Length - p.Scrap; len(p.Pieces) > 0 && (n == 0 || now > kept+leastGain*m.Strip.Length) {
			plans, kept = append(plans, p), now
		}
	}
	return plans
}

// Part is the strip [from, to) as a coil of its own.
func (m DefectMap) Part(from, to MM) DefectMap {
	p := DefectMap{Strip: m.Strip}
	p.Strip.Length = to - from
	for _, d := range m.Defects {
		if d.Rect.Along < to && d.Rect.Along+d.Rect.Length > from {
			d.Rect.Along -= from
			p.Defects = append(p.Defects, d)
		}
	}
	for _, g := range m.Gaps {
		if g.From < to && (g.To > from || g.OpenEnd) {
			g.OpenEnd = g.OpenEnd && to > g.From
			g.From, g.To = max(g.From, from)-from, max(min(g.To, to), max(g.From, from))-from
			p.Gaps = append(p.Gaps, g)
		}
	}
	return p
}

// bar is what a piece must not hold whole: it begins at or behind from, or ends at or before to.
type bar struct{ from, to MM }

// bars are those of the rules that give less than a grade.
func (r Recipe) bars(m DefectMap, grade Grade) (bars []bar) {
	v := r.view(m.Strip)
	along := alongStrip(m.Defects)
	for i := range r.Rules {
		q := r.Rules[i]
		if q.Grade.rank() <= grade.rank() {
			continue
		}
		if q.Section != BodySection {
			q.Section = "" // where the piece's own head will be is not known yet
		}
		hits := q.hits(along, v)
		for j := q.Count - 1; j < len(hits); j++ {
			first, last := hits[j-q.Count+1].Rect, hits[j].Rect
			if q.Within == 0 || last.Along-first.Along <= q.Within {
				bars = append(bars, bar{first.Along + first.Length, last.Along})
			}
		}
	}
	if r.GapGrade.rank() <= grade.rank() {
		return bars
	}
	for _, side := range m.Strip.InspectedSides() {
		for _, g := range mergeGaps(m.Gaps, side) {
			if g.Length() > r.LongestGap {
				bars = append(bars, bar{g.To - r.LongestGap, g.From + r.LongestGap})
			}
		}
	}
	for _, g := range m.Gaps {
		if g.OpenEnd {
			bars = append(bars, bar{m.Strip.Length + 1, g.From})
		}
	}
	return bars
}

// stretch of strip.
type stretch struct{ from, to MM }

func (s stretch) len() MM { return s.to - s.from }

// freeOf are the stretches of a strip that hold no bar and cannot be made longer, by where they begin. Both their beginnings and their
// ends ascend.
func freeOf(bars []bar, length MM) (free []stretch) {
	bars = slices.Clone(bars)
	slices.SortFunc(bars, func(a, b bar) int { return cmp.Compare(a.from, b.from) })
	// ends[i] is the least end of the bars from i on: a stretch that begins before bars[i].from must end there.
	ends := make([]MM, len(bars)+1)
	ends[len(bars)] = length
	for i := len(bars) - 1; i >= 0; i-- {
		ends[i] = min(ends[i+1], bars[i].to)
	}
	from := MM(0)
	for i := 0; ; {
		for i < len(bars) && bars[i].from <= from {
			i++
		}
		if to := ends[i]; to > from && (len(free) == 0 || to > free[len(free)-1].to) {
			free = append(free, stretch{from, to})
		}
		if i == len(bars) {
			return free
		}
		from = bars[i].from
		if from >= length {
			return free
		}
	}
}

// longest keeps the longest stretches of too many, in their order.
func longest(all []stretch) []stretch {
	if len(all) <= mostStretches {
		return all
	}
	by := slices.SortedFunc(slices.Values(all), func(a, b stretch) int { return cmp.Compare(b.len(), a.len()) })
	least := by[mostStretches-1].len()
	return slices.DeleteFunc(all, func(s stretch) bool { return s.len() < least })
}

// bestParts gives, for one piece and more, the pieces that keep most. Stretches that overlap are cut where the first ends.
func bestParts(all []stretch, least MM) (parts [][]stretch) {
	if len(all) == 0 {
		return nil
	}
	kept := make([][]MM, mostPieces)
	before := make([][]int, mostPieces) // the stretch before, of the best pieces that end with this one; -1: none
	for n := range mostPieces {
		kept[n], before[n] = make([]MM, len(all)), make([]int, len(all))
		best := -1
		for j, s := range all {
			kept[n][j], before[n][j] = -1, -1
			if n == 0 {
				kept[n][j] = s.len()
			}
			for i := 0; n > 0 && i < j; i++ {
				if length := s.to - max(s.from, all[i].to); kept[n-1][i] >= 0 && length >= least && kept[n-1][i]+length > kept[n][j] {
					kept[n][j], before[n][j] = kept[n-1][i]+length, i
				}
			}
			if kept[n][j] >= 0 && (best < 0 || kept[n][j] > kept[n][best]) {
				best = j
			}
		}
		if best < 0 {
			return parts
		}
		var pieces []stretch
		for k, j := n, best; k >= 0; k-- {
			s, i := all[j], before[k][j]
			if i >= 0 {
				s.from = max(s.from, all[i].to)
			}
			pieces = append(pieces, s)
			j = i
		}
		slices.Reverse(pieces)
		parts = append(parts, pieces)
	}
	return parts
}
