package inspection_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

const (
	hole    inspection.DefectClass = "hole"
	scratch inspection.DefectClass = "surface_scratch"
)

func recipe(change func(*inspection.Recipe)) inspection.Recipe {
	r := inspection.Recipe{
		Name: "hot", Version: 1, EdgeMargin: 20, LongestGap: 500, GapGrade: inspection.Hold,
		Severity: map[inspection.DefectClass]inspection.Severity{hole: 4},
		Rules: []inspection.GradingRule{
			{ID: "hole", Classes: []inspection.DefectClass{hole}, Count: 1, Grade: inspection.Block},
			{ID: "scratches", Classes: []inspection.DefectClass{scratch}, Count: 3, Within: 1000, MinLength: 10, Zone: inspection.BodyZone, Grade: inspection.Second},
		},
	}
	if change != nil {
		change(&r)
	}
	return r
}

func defect(id int, class inspection.DefectClass, along, across inspection.MM) inspection.Defect {
	return inspection.Defect{
		ID: inspection.DefectID(id), Class: class, Side: inspection.Top, Conf: 0.9, Area: 40,
		Rect: inspection.StripRect{Along: along, Across: across, Length: 20, Width: 2},
	}
}

func TestGradeMap(t *testing.T) {
	strip := inspection.Strip{Coil: "C", Length: 100_000, Width: 1000}
	for name, c := range map[string]struct {
		defects []inspection.Defect
		gaps    []inspection.Gap
		recipe  func(*inspection.Recipe)
		want    inspection.Grade
		broken  string // ids of the broken rules
	}{
		"clean coil is prime": {want: inspection.Prime},
		"a hole blocks":       {defects: []inspection.Defect{defect(1, hole, 10, 500)}, want: inspection.Block, broken: "hole"},
		"three scratches within a metre lower the grade": {
			defects: []inspection.Defect{defect(3, scratch, 1900, 500), defect(1, scratch, 900, 400), defect(2, scratch, 1500, 300)},
			want:    inspection.Second, broken: "scratches",
		},
		"three scratches further apart do not": {
			defects: []inspection.Defect{defect(1, scratch, 899, 400), defect(2, scratch, 1500, 300), defect(3, scratch, 1900, 500)},
			want:    inspection.Prime,
		},
		"scratches in the edge zone do not count": {
			defects: []inspection.Defect{defect(1, scratch, 900, 10), defect(2, scratch, 1000, 985), defect(3, scratch, 1100, 500)},
			want:    inspection.Prime,
		},
		"the worse of two broken rules decides": {
			defects: []inspection.Defect{defect(1, scratch, 1, 400), defect(2, scratch, 2, 300), defect(3, scratch, 3, 500), defect(4, hole, 5, 500)},
			want:    inspection.Block, broken: "hole scratches",
		},
		"a size limit leaves small ones out": {
			defects: []inspection.Defect{defect(1, hole, 10, 500)},
			recipe:  func(r *inspection.Recipe) { r.Rules[0].MinArea = 50 }, want: inspection.Prime,
		},
		"a confidence limit leaves doubtful ones out": {
			defects: []inspection.Defect{defect(1, hole, 10, 500)},
			recipe:  func(r *inspection.Recipe) { r.Rules[0].MinConfidence = 0.95 }, want: inspection.Prime,
		},
		"a severity limit leaves lesser ones out": {
			defects: []inspection.Defect{defect(1, hole, 10, 500)}, // which has none
			recipe:  func(r *inspection.Recipe) { r.Rules[0].MinSeverity = 1 }, want: inspection.Prime,
		},
		"a rule for one side does not see the other": {
			defects: []inspection.Defect{defect(1, hole, 10, 500)},
			recipe:  func(r *inspection.Recipe) { r.Rules[0].Side = inspection.Bottom }, want: inspection.Prime,
		},
		"coil with long gap is not prime": {
			gaps: []inspection.Gap{{Side: inspection.Top, From: 100, To: 601, State: inspection.Overrun}},
			want: inspection.Hold, broken: "longest-gap",
		},
		"gaps of two causes that touch are one stretch": {
			gaps: []inspection.Gap{
				{Side: inspection.Top, From: 400, To: 700, State: inspection.DetectedOnly},
				{Side: inspection.Top, From: 100, To: 400, State: inspection.Overrun},
			},
			want: inspection.Hold, broken: "longest-gap",
		},
		"gaps of two sides are two stretches": {
			gaps: []inspection.Gap{
				{Side: inspection.Bottom, From: 400, To: 700, State: inspection.Underrun},
				{Side: inspection.Top, From: 100, To: 400, State: inspection.Overrun},
			},
			want: inspection.Prime,
		},
		"a rest of unknown length is never prime": {
			gaps: []inspection.Gap{{Side: inspection.Top, From: 400, To: 400, State: inspection.Unseen, OpenEnd: true}},
			want: inspection.Hold, broken: "longest-gap",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := inspection.DefectMap{Strip: strip, Defects: c.defects, Gaps: c.gaps}
			got := inspection.GradeMap(m, recipe(c.recipe))
			var broken []string
			for _, o := range got.Trail {
				if o.Broken {
					broken = append(broken, o.Rule)
				}
			}
			if c.broken == "longest-gap" && len(broken) == 1 {
				broken[0] = inspection.GapRule
			}
			if got.Grade != c.want || strings.Join(broken, " ") != c.broken {
				t.Errorf("grade %s by %v; want %s by %q", got.Grade, broken, c.want, c.broken)
			}
			if len(got.Trail) != 3 {
				t.Errorf("the trail has %d outcomes; rules that held belong there too: want 3", len(got.Trail))
			}
			if again := inspection.GradeMap(m, recipe(c.recipe)); !reflect.DeepEqual(got, again) {
				t.Error("the same map and recipe gave two results")
			}
		})
	}
}

func TestTrailNamesTheDecidingDefects(t *testing.T) {
	m := inspection.DefectMap{
		Strip:   inspection.Strip{Length: 9000, Width: 1000},
		Defects: []inspection.Defect{defect(9, scratch, 5000, 300), defect(7, scratch, 5200, 300), defect(8, scratch, 5100, 300), defect(1, scratch, 10, 300)},
	}
	o := inspection.GradeMap(m, recipe(nil)).Trail[2]
	if want := []inspection.DefectID{9, 8, 7}; !reflect.DeepEqual(o.Defects, want) || o.From != 5000 || o.To != 5220 {
		t.Errorf("got defects %v from %v to %v; want %v from 5000 to 5220", o.Defects, o.From, o.To, want)
	}
}

func TestCoverageCountsOverlapsOnce(t *testing.T) {
	got := inspection.CoverageOf(inspection.Strip{Length: 1000}, []inspection.Gap{
		{Side: inspection.Top, From: -50, To: 100, State: inspection.Unseen},
		{Side: inspection.Top, From: 50, To: 200, State: inspection.DetectedOnly},
		{Side: inspection.Top, From: 900, To: 1200, State: inspection.Overrun},
	})
	want := []inspection.Coverage{
		{Side: inspection.Top, Length: 1000, Inspected: 700, DetectedOnly: 100, Missed: 200},
		{Side: inspection.Bottom, Length: 1000, Inspected: 1000},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestRecipeCheckNamesTheField(t *testing.T) {
	classes := []inspection.DefectClass{hole, scratch, inspection.NoDefect}
	for field, change := range map[string]func(*inspection.Recipe){
		"name":                    func(r *inspection.Recipe) { r.Name = "" },
		"version":                 func(r *inspection.Recipe) { r.Version = 0 },
		"edge_margin_mm":          func(r *inspection.Recipe) { r.EdgeMargin = -1 },
		"longest_gap_mm":          func(r *inspection.Recipe) { r.LongestGap = -1 },
		"gap_grade":               func(r *inspection.Recipe) { r.GapGrade = inspection.Prime },
		"rules":                   func(r *inspection.Recipe) { r.Rules = nil },
		"severity.sliver":         func(r *inspection.Recipe) { r.Severity["sliver"] = 1 },
		"severity.hole":           func(r *inspection.Recipe) { r.Severity[hole] = 5 },
		"rules[1].id":             func(r *inspection.Recipe) { r.Rules[1].ID = "hole" },
		"rules[0].id":             func(r *inspection.Recipe) { r.Rules[0].ID = "" },
		"rules[0].side":           func(r *inspection.Recipe) { r.Rules[0].Side = "left" },
		"rules[0].zone":           func(r *inspection.Recipe) { r.Rules[0].Zone = "middle" },
		"rules[0].min_area_mm2":   func(r *inspection.Recipe) { r.Rules[0].MinArea = -1 },
		"rules[0].min_severity":   func(r *inspection.Recipe) { r.Rules[0].MinSeverity = 5 },
		"rules[0].min_confidence": func(r *inspection.Recipe) { r.Rules[0].MinConfidence = 1.5 },
		"rules[0].count":          func(r *inspection.Recipe) { r.Rules[0].Count = 0 },
		"rules[0].grade":          func(r *inspection.Recipe) { r.Rules[0].Grade = "bad" },
		"rules[0].classes[0]":     func(r *inspection.Recipe) { r.Rules[0].Classes[0] = "sliver" },
		"rules[1].classes[0]":     func(r *inspection.Recipe) { r.Rules[1].Classes[0] = inspection.NoDefect },
	} {
		r := recipe(change)
		var got *inspection.FieldError
		if err := r.Check(classes); !errors.As(err, &got) || got.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if err := recipe(nil).Check(classes); err != nil {
		t.Error(err)
	}
}

// BenchmarkGradeMap grades a coil of 200,000 defects, the worst that a tinplate line gives.
func BenchmarkGradeMap(b *testing.B) {
	classes := []inspection.DefectClass{"slag_inclusion", "surface_scratch", "red_iron", "hole"}
	m := inspection.DefectMap{Strip: inspection.Strip{Length: 10_000_000, Width: 1000, Sides: inspection.Sides()}}
	for i := range 200_000 {
		m.Defects = append(m.Defects, inspection.Defect{
			ID: inspection.DefectID(i + 1), Side: inspection.Sides()[i%2], Class: classes[i%len(classes)], Severity: inspection.Severity(i % 5), Area: 40,
			Rect: inspection.StripRect{Along: inspection.MM(i * 50), Across: inspection.MM(i % 990), Length: 10, Width: 10},
		})
	}
	r := inspection.Recipe{Name: "worst", Version: 1, LongestGap: 1000, GapGrade: inspection.Hold, EdgeMargin: 20}
	for i, class := range classes {
		r.Rules = append(r.Rules, inspection.GradingRule{ID: string(class), Classes: []inspection.DefectClass{class}, Count: 10, Within: inspection.MM(1000 * (i + 1)), Grade: inspection.Second})
	}
	r.Rules = append(r.Rules, inspection.GradingRule{ID: "all", Count: 1000, Grade: inspection.Hold})
	b.ReportAllocs()
	for b.Loop() {
		if res := inspection.GradeMap(m, r); res.Grade != inspection.Hold {
			b.Fatalf("grade %s", res.Grade)
		}
	}
}
