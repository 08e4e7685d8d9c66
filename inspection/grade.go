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
		res.Trail = append(res.Trail, judge(&r.Rules[i], along, r.view(m.Strip)))
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

func judge(q *GradingRule, along []*Defect, v view) RuleOutcome {
	o := RuleOutcome{Rule: q.ID, Grade: q.Grade, Limit: float64(q.Count), Unit: "defects"}
	hits := q.hits(along, v)
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

// view is what a recipe sees of a strip: its measures, and which side is prime.
type view struct {
	width, length, margin, head, tail MM
	prime                             Side
}

func (r Recipe) view(s Strip) view {
	v := view{width: s.Width, length: s.Length, margin: r.EdgeMargin, head: r.Head, tail: r.Tail, prime: r.Prime}
	if v.prime == "" {
		v.prime = Top
	}
	return v
}

// section is the part of the strip in which a defect begins.
func (v view) section(r StripRect) Section {
	switch at := r.Along; {
	case at < v.head:
		return HeadSection
	case at >= v.length-v.tail:
		return TailSection
	}
	return BodySection
}

// on reports whether a side is the one that a rule names.
func (v view) on(side, named Side) bool {
	switch named {
	case "":
		return true
	case PrimeSide:
		return side == v.prime
	case OtherSide:
		return side != v.prime
	}
	return side == named
}

// hits are the defects that the rule counts, in their order.
func (q *GradingRule) hits(along []*Defect, v view) (hits []*Defect) {
	for _, d := range along {
		if q.counts(d, v) {
			hits = append(hits, d)
		}
	}
	return hits
}

func (q *GradingRule) counts(d *Defect, v view) bool {
	if len(q.Classes) > 0 && !slices.Contains(q.Classes, d.Class) {
		return false
	}
	return d.Severity >= q.MinSeverity && d.Conf >= q.MinConfidence && q.fits(d.Side, d.Rect, d.Area, v)
}

// fits reports whether a defect of such a place and size counts where its class does.
func (q *GradingRule) fits(side Side, rect StripRect, area float64, v view) bool {
	if !v.on(side, q.Side) || (q.Section != "" && q.Section != WholeLength && q.Section != v.section(rect)) {
		return false
	}
	inEdge := rect.Across < v.margin || rect.Across+rect.Width > v.width-v.margin
	if (q.Zone == EdgeZone && !inEdge) || (q.Zone == BodyZone && inEdge) {
		return false
	}
	return area >= q.MinArea && rect.Length >= q.MinLength && rect.Width >= q.MinWidth
}
