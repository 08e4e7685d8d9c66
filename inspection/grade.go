package inspection

import (
	"cmp"
	"fmt"
	"slices"
)

// InspectionResult is a coil's grade and the trail that led to it.
type InspectionResult struct {
	Grade         Grade         `json:"grade"`
	RecipeName    string        `json:"recipe"`
	RecipeVersion int           `json:"recipe_version"`
	Trail         []RuleOutcome `json:"trail"`
	Coverage      []Coverage    `json:"coverage"`
}

// RuleOutcome says what one rule measured. Rules that held are listed too: they are what the grade
// rests on.
type RuleOutcome struct {
	Rule   string `json:"rule"`
	Broken bool   `json:"broken"`
	Grade  Grade  `json:"grade"` // what the rule lowers to when broken
	// Measured and Limit are in Unit: defects within the rule's stretch, or mm of gap. The rule
	// breaks where Measured reaches Limit (defects) or exceeds it (mm).
	Measured float64 `json:"measured"`
	Limit    float64 `json:"limit"`
	Unit     string  `json:"unit"`
	// From and To bound the worst stretch, in mm from the head end.
	From MM `json:"from_mm"`
	To   MM `json:"to_mm"`
	// Defects that broke the rule, at most decidingDefects, in order along the strip.
	Defects []DefectID `json:"defects,omitempty"`
	Reason  string     `json:"reason"`
}

// decidingDefects bounds the defects a trail names: enough to open and judge, and a coil of 200,000
// events still has a trail that fits on a page.
const decidingDefects = 20

// GapRule is the name under which the recipe's longest gap stands in a trail.
const GapRule = "longest-gap"

// GradeMap judges a coil. The same map and recipe give the same result.
func GradeMap(m DefectMap, r Recipe) InspectionResult {
	res := InspectionResult{
		Grade: Prime, RecipeName: r.Name, RecipeVersion: r.Version,
		Coverage: CoverageOf(m.Strip, m.Gaps),
	}
	gap := judgeGaps(m, r)
	res.Trail = append(res.Trail, gap)
	along := alongStrip(m.Defects)
	for i := range r.Rules {
		res.Trail = append(res.Trail, judge(&r.Rules[i], along, m.Strip.Width, r.EdgeMargin))
	}
	for _, o := range res.Trail {
		if o.Broken {
			res.Grade = res.Grade.Worse(o.Grade)
		}
	}
	return res
}

func judgeGaps(m DefectMap, r Recipe) RuleOutcome {
	o := RuleOutcome{Rule: GapRule, Grade: r.GapGrade, Limit: float64(r.LongestGap), Unit: "mm"}
	openEnd := false
	for _, s := range m.Strip.InspectedSides() {
		for _, g := range mergeGaps(m.Gaps, s) {
			if float64(g.Length()) > o.Measured {
				o.Measured, o.From, o.To = float64(g.Length()), g.From, g.To
			}
		}
	}
	for _, g := range m.Gaps {
		openEnd = openEnd || g.OpenEnd
	}
	o.Broken = o.Measured > o.Limit || openEnd
	switch {
	case openEnd:
		o.Reason = "the rest of the coil was not seen and its length is not known"
	case o.Broken:
		o.Reason = fmt.Sprintf("%.0f mm in one stretch were not fully inspected; allowed are %.0f mm", o.Measured, o.Limit)
	default:
		o.Reason = fmt.Sprintf("the longest stretch not fully inspected is %.0f mm; allowed are %.0f mm", o.Measured, o.Limit)
	}
	return o
}

// alongStrip lists defects from the head end, those at one place by their ids.
func alongStrip(defects []Defect) []*Defect {
	out := make([]*Defect, len(defects))
	for i := range defects {
		out[i] = &defects[i]
	}
	slices.SortFunc(out, func(a, b *Defect) int {
		return cmp.Or(cmp.Compare(a.Rect.Along, b.Rect.Along), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func judge(q *GradingRule, along []*Defect, stripWidth, margin MM) RuleOutcome {
	o := RuleOutcome{Rule: q.ID, Grade: q.Grade, Limit: float64(q.Count), Unit: "defects"}
	var hits []*Defect
	for _, d := range along {
		if q.counts(d, stripWidth, margin) {
			hits = append(hits, d)
		}
	}
	first, n := densest(hits, q.Within)
	worst := hits[first : first+n]
	o.Measured = float64(n)
	if n > 0 {
		o.From = worst[0].Rect.Along
		for _, d := range worst {
			o.To = max(o.To, d.Rect.Along+d.Rect.Length)
		}
	}
	where := "on the coil"
	if q.Within > 0 {
		where = fmt.Sprintf("within %.0f mm", q.Within)
	}
	o.Broken = n >= q.Count
	if o.Broken {
		for _, d := range worst[:min(n, decidingDefects)] {
			o.Defects = append(o.Defects, d.ID)
		}
		o.Reason = fmt.Sprintf("%d matching defects %s; %d or more give %s", n, where, q.Count, q.Grade)
	} else {
		o.Reason = fmt.Sprintf("%d matching defects %s; fewer than %d are allowed", n, where, q.Count)
	}
	return o
}

// densest finds the stretch of length within (zero: everything) that holds most of the defects, which
// are sorted along the strip. The earliest of equals wins.
func densest(hits []*Defect, within MM) (first, n int) {
	if within <= 0 {
		return 0, len(hits)
	}
	lo := 0
	for hi := range hits {
		for hits[hi].Rect.Along-hits[lo].Rect.Along > within {
			lo++
		}
		if hi-lo+1 > n {
			first, n = lo, hi-lo+1
		}
	}
	return first, n
}

func (q *GradingRule) counts(d *Defect, stripWidth, margin MM) bool {
	if len(q.Classes) > 0 && !slices.Contains(q.Classes, d.Class) {
		return false
	}
	return d.Conf >= q.MinConfidence && q.fits(d.Side, d.Rect, d.Area, stripWidth, margin)
}

// fits reports whether a defect of such a place and size counts where its class does.
func (q *GradingRule) fits(side Side, rect StripRect, area float64, stripWidth, margin MM) bool {
	if q.Side != "" && side != q.Side {
		return false
	}
	inEdge := rect.Across < margin || rect.Across+rect.Width > stripWidth-margin
	if (q.Zone == EdgeZone && !inEdge) || (q.Zone == BodyZone && inEdge) {
		return false
	}
	return area >= q.MinArea && rect.Length >= q.MinLength && rect.Width >= q.MinWidth
}
