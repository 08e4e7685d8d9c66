package inspection_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// holesAt is a coil of so many metres with holes at some metres.
func holesAt(metres float64, at ...float64) inspection.DefectMap {
	m := inspection.DefectMap{Strip: inspection.Strip{Length: inspection.MM(metres * 1000), Width: 1000}}
	for i, a := range at {
		m.Defects = append(m.Defects, inspection.Defect{ID: inspection.DefectID(i + 1), Side: inspection.Top, Class: "hole", Conf: 1, Rect: inspection.StripRect{Along: inspection.MM(a * 1000), Across: 500, Length: 20, Width: 20}})
	}
	return m
}

func recipeOf(rules ...inspection.GradingRule) inspection.Recipe {
	return inspection.Recipe{Name: "test", Version: 1, EdgeMargin: 10, LongestGap: 1000, GapGrade: inspection.Hold, Head: 5000, Tail: 5000, Rules: rules}
}

func told(plans []inspection.CutPlan) string {
	out := ""
	for _, p := range plans {
		out += fmt.Sprintf("scrap %.2f m:", float64(p.Scrap)/1000)
		for _, k := range p.Pieces {
			out += fmt.Sprintf(" %.2f-%.2f", float64(k.From)/1000, float64(k.To)/1000)
		}
		out += "; "
	}
	return out
}

func TestCutPlansKeepMost(t *testing.T) {
	hole := inspection.GradingRule{ID: "hole", Classes: []inspection.DefectClass{"hole"}, Count: 1, Grade: inspection.Block}
	many := inspection.GradingRule{ID: "many", Count: 3, Within: 10_000, Grade: inspection.Second}
	gap := holesAt(100)
	gap.Gaps = []inspection.Gap{{Side: inspection.Bottom, From: 40_000, To: 44_000}}
	open := holesAt(100)
	open.Gaps = []inspection.Gap{{Side: inspection.Top, From: 90_000, To: 100_000, OpenEnd: true}}
	for name, c := range map[string]struct {
		m     inspection.DefectMap
		r     inspection.Recipe
		grade inspection.Grade
		want  string
	}{
		"nothing to cut":      {holesAt(100), recipeOf(hole), inspection.Prime, "scrap 0.00 m: 0.00-100.00; "},
		"one hole":            {holesAt(100, 30), recipeOf(hole), inspection.Prime, "scrap 30.02 m: 30.02-100.00; scrap 0.02 m: 0.00-30.00 30.02-100.00; "},
		"near the tail":       {holesAt(100, 99.7), recipeOf(hole), inspection.Hold, "scrap 0.30 m: 0.00-99.70; "},
		"two of a rule of 3":  {holesAt(100, 50, 55), recipeOf(many), inspection.Prime, "scrap 0.00 m: 0.00-100.00; "},
		"three within 10 m":   {holesAt(100, 50, 52, 55), recipeOf(many), inspection.Prime, "scrap 45.00 m: 0.00-55.00; scrap 0.00 m: 0.00-55.00 55.00-100.00; "},
		"second is good":      {holesAt(100, 50, 52, 55), recipeOf(many), inspection.Second, "scrap 0.00 m: 0.00-100.00; "},
		"a gap of 4 m":        {gap, recipeOf(hole), inspection.Prime, "scrap 43.00 m: 43.00-100.00; scrap 2.00 m: 0.00-41.00 43.00-100.00; "},
		"an end that is open": {open, recipeOf(hole), inspection.Prime, "scrap 10.00 m: 0.00-90.00; "},
		"holes each 5 m":      {holesAt(20, 0, 5, 10, 15, 19.9), recipeOf(hole), inspection.Prime, ""},
	} {
		if got := told(inspection.CutPlans(c.m, c.r, c.grade, 10_000)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// No single piece that is cut out at places of a grid earns the grade and is longer than the plan's.
func TestCutPlanOfOnePieceIsTheLongest(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	recipe := recipeOf(
		inspection.GradingRule{ID: "a", Count: 4, Within: 8000, Grade: inspection.Second},
		inspection.GradingRule{ID: "b", Classes: []inspection.DefectClass{"hole"}, Side: inspection.PrimeSide, MinConfidence: 0.9, Count: 2, Grade: inspection.Hold},
	)
	for range 40 {
		m := holesAt(60)
		for i := range 25 {
			d := inspection.Defect{ID: inspection.DefectID(i + 1), Class: "hole", Conf: float32(0.8 + 0.2*r.Float64()), Side: inspection.Top}
			if r.IntN(2) == 0 {
				d.Side = inspection.Bottom
			}
			d.Rect = inspection.StripRect{Along: inspection.MM(60_000 * r.Float64()), Across: 300, Length: inspection.MM(1 + 100*r.Float64()), Width: 10}
			m.Defects = append(m.Defects, d)
		}
		best := inspection.MM(0)
		for a := inspection.MM(0); a < 60_000; a += 500 {
			for b := a + 1000; b <= 60_000; b += 500 {
				if b-a > best && inspection.GradeMap(m.Part(a, b), recipe).Grade == inspection.Prime {
					best = b - a
				}
			}
		}
		plans := inspection.CutPlans(m, recipe, inspection.Prime, 1000)
		kept := inspection.MM(0)
		if len(plans) > 0 {
			kept = m.Strip.Length - plans[0].Scrap
			for _, p := range plans {
				for _, k := range p.Pieces {
					if got := inspection.GradeMap(m.Part(k.From, k.To), recipe).Grade; got != inspection.Prime {
						t.Errorf("the piece %v is %s", k, got)
					}
				}
			}
		}
		if kept < best-250 { // a defect that reaches over a cut counts in both; the plan leaves it out whole
			t.Errorf("the plan keeps %.0f mm; %.0f would do", float64(kept), float64(best))
		}
	}
}

func TestRulesOfSectionsAndThePrimeSide(t *testing.T) {
	m := holesAt(100, 1, 50, 99)
	m.Defects[1].Side = inspection.Bottom
	for name, c := range map[string]struct {
		change func(*inspection.GradingRule, *inspection.Recipe)
		want   float64
	}{
		"all":              {func(*inspection.GradingRule, *inspection.Recipe) {}, 3},
		"head":             {func(q *inspection.GradingRule, _ *inspection.Recipe) { q.Section = inspection.HeadSection }, 1},
		"body":             {func(q *inspection.GradingRule, _ *inspection.Recipe) { q.Section = inspection.BodySection }, 1},
		"tail":             {func(q *inspection.GradingRule, _ *inspection.Recipe) { q.Section = inspection.TailSection }, 1},
		"prime, top":       {func(q *inspection.GradingRule, _ *inspection.Recipe) { q.Side = inspection.PrimeSide }, 2},
		"other, top prime": {func(q *inspection.GradingRule, _ *inspection.Recipe) { q.Side = inspection.OtherSide }, 1},
		"prime, bottom": {func(q *inspection.GradingRule, r *inspection.Recipe) {
			q.Side, r.Prime = inspection.PrimeSide, inspection.Bottom
		}, 1},
	} {
		r := recipeOf(inspection.GradingRule{ID: "q", Count: 9, Grade: inspection.Hold})
		c.change(&r.Rules[0], &r)
		if err := r.Check(nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := inspection.GradeMap(m, r).Trail[1].Measured; got != c.want {
			t.Errorf("%s: %v defects, want %v", name, got, c.want)
		}
	}
}
