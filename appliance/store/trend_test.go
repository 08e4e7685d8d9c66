package store

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

var trendsFrom = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func shifts() inspection.Calendar {
	return inspection.Calendar{Zone: time.UTC, Shifts: []inspection.ShiftStart{"06:00", "14:00", "22:00"}}
}

func week() inspection.TrendQuery {
	return inspection.TrendQuery{Since: trendsFrom, Until: trendsFrom.AddDate(0, 0, 7), Bucket: inspection.ByDay, Calendar: shifts()}
}

// rollCoils records coils of random defects, every hour one from trendsFrom on, and reviews some of them.
func rollCoils(t *testing.T, s *Store, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	classes := []inspection.DefectClass{"hole", "red_iron", "scratch", "unknown", "unclassified"}
	for i := range n {
		id := inspection.CoilID(fmt.Sprintf("T%03d", i))
		at := trendsFrom.Add(time.Duration(i) * time.Hour)
		order := inspection.CoilOrder{SteelGrade: []string{"S235", "S355", ""}[i%3]}
		rec := recipe(1)
		rec.Name = []string{"hot strip", "pickled"}[i%2]
		if _, err := s.StartCoil(t.Context(), id, order, rec, inspection.Setup{Model: "first v1"}, at); err != nil {
			t.Fatal(err)
		}
		length, width := inspection.MM(20_000+r.IntN(80_000)), inspection.MM(900+r.IntN(600))
		b := &inspection.Batch{Coil: id}
		for range r.IntN(40) {
			d := inspection.Defect{
				Side: inspection.Sides()[r.IntN(2)], Class: classes[r.IntN(len(classes))], Conf: 0.9,
				Rect: inspection.StripRect{Along: length * inspection.MM(r.Float64()), Across: width * inspection.MM(r.Float64()), Length: 3, Width: 2}, Seen: at,
			}
			d.Camera = inspection.CameraID(d.Side)
			b.Defects = append(b.Defects, d)
		}
		b.Progress = []inspection.Progress{{Side: inspection.Top, To: length, Width: width}, {Side: inspection.Bottom, To: length, Width: width}}
		b.Gaps = []inspection.Gap{
			{Side: inspection.Top, Camera: "top", From: 100, To: 100 + inspection.MM(r.IntN(5000)), State: inspection.Overrun, Cause: "burst"},
			{Side: inspection.Bottom, Camera: "bottom", From: 9000, To: 9000 + inspection.MM(r.IntN(5000)), State: inspection.DetectedOnly, Cause: "burst"},
		}
		appendTo(t, s, b)
		if i == n-1 {
			continue // the last one still runs
		}
		m, err := s.Map(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.CloseCoil(t.Context(), id, m.Strip, inspection.GradeMap(m, rec), at.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		for _, d := range m.Defects {
			if r.IntN(4) != 0 {
				continue
			}
			for range 1 + r.IntN(2) { // the newest stands
				said := append(classes[:3:3], inspection.NoDefect, d.Class)[r.IntN(5)]
				if _, err := s.Review(t.Context(), d.ID, inspection.Review{Class: said, By: "Lee"}, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// seenCoils are the coils of a query with their maps, by reading each.
func seenCoils(t *testing.T, s *Store, q inspection.TrendQuery) (coils []inspection.Coil, found []inspection.DefectMap) {
	t.Helper()
	page, err := s.Coils(t.Context(), inspection.CoilQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range page.Coils {
		if c.EndedAt == nil || c.StartedAt.Before(q.Since) || !c.StartedAt.Before(q.Until) ||
			(slices.Contains(q.Without, inspection.SteelGradeField) && c.Order.SteelGrade != "") || (q.Recipe != "" && c.RecipeName != q.Recipe) || (q.SteelGrade != "" && c.Order.SteelGrade != q.SteelGrade) {
			continue
		}
		m, err := s.Map(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		coils, found = append(coils, c), append(found, m)
	}
	return coils, found
}

// checkTrends holds the trends to what one pass over every defect gives.
func checkTrends(t *testing.T, s *Store, q inspection.TrendQuery) {
	t.Helper()
	got, err := s.Trends(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	type figures struct {
		coils, defects int
		screened       float64
	}
	var all figures
	byClass, coilsOf := map[inspection.DefectClass]int{}, map[inspection.DefectClass]int{}
	days, along, across := map[time.Time]figures{}, map[inspection.Side][]int{}, map[inspection.Side][]int{}
	grades := map[string]map[string]map[inspection.Grade]int{"shift": {}, "recipe": {}, "steel": {}}
	rates := map[inspection.DefectClass]inspection.ReviewRates{}
	coils, found := seenCoils(t, s, q)
	for i, c := range coils {
		day := days[c.StartedAt.Truncate(24*time.Hour)]
		day.coils++
		all.coils++
		shift := map[bool]string{c.StartedAt.Hour() < 6 || c.StartedAt.Hour() >= 22: "22:00", c.StartedAt.Hour() >= 6 && c.StartedAt.Hour() < 14: "06:00"}[true]
		if shift == "" {
			shift = "14:00"
		}
		for kind, name := range map[string]string{"shift": shift, "recipe": c.RecipeName, "steel": c.Order.SteelGrade} {
			if grades[kind][name] == nil {
				grades[kind][name] = map[inspection.Grade]int{}
			}
			grades[kind][name][c.Grade]++
		}
		for _, k := range c.Coverage {
			if q.Side == "" || k.Side == q.Side {
				all.screened += float64(k.Inspected+k.DetectedOnly) / 1000
			}
		}
		has := map[inspection.DefectClass]bool{}
		for _, d := range found[i].Defects {
			if q.Side != "" && d.Side != q.Side {
				continue
			}
			class := d.Class
			if d.Review != nil {
				class = d.Review.Class
				if d.Class != inspection.Unclassified && (q.Class == "" || d.Class == q.Class) {
					for _, k := range []inspection.DefectClass{"", d.Class} {
						r := rates[k]
						r.Reviewed++
						if class == d.Class {
							r.Agreed++
						}
						if class == inspection.NoDefect {
							r.NoDefect++
						}
						rates[k] = r
					}
				}
			}
			if class == inspection.NoDefect || (q.Class != "" && class != q.Class) {
				continue
			}
			all.defects++
			day.defects++
			byClass[class]++
			if !has[class] {
				coilsOf[class]++
			}
			has[class] = true
			if along[d.Side] == nil {
				along[d.Side], across[d.Side] = make([]int, inspection.TrendBins), make([]int, inspection.TrendBins)
			}
			along[d.Side][int(min(19, 20*(d.Rect.Along+d.Rect.Length/2)/c.Strip.Length))]++
			across[d.Side][int(min(19, 20*(d.Rect.Across+d.Rect.Width/2)/c.Strip.Width))]++
		}
		days[c.StartedAt.Truncate(24*time.Hour)] = day
	}
	if all.coils == 0 || all.defects == 0 {
		t.Fatal("nothing to compare")
	}
	if got.All.Coils != all.coils || got.All.Defects != all.defects || math.Abs(got.All.Screened-all.screened) > 1e-6 || !maps.Equal(got.All.ByClass, byClass) {
		t.Errorf("in all %+v, want %+v %v", got.All, all, byClass)
	}
	if want := 100 * float64(all.defects) / all.screened; got.All.Per100M == nil || math.Abs(*got.All.Per100M-want) > 1e-9 {
		t.Errorf("per 100 m %v, want %v", got.All.Per100M, want)
	}
	for _, p := range got.Points {
		if want := days[p.From]; p.Coils != want.coils || p.Defects != want.defects {
			t.Errorf("%s: %d coils, %d defects, want %+v", p.From, p.Coils, p.Defects, want)
		}
	}
	last, sum := math.MaxInt, 0
	for _, c := range got.Pareto {
		sum += c.Defects
		if c.Defects != byClass[c.Class] || c.Coils != coilsOf[c.Class] || c.Defects > last || math.Abs(c.Cumulative-float64(sum)/float64(all.defects)) > 1e-9 {
			t.Errorf("Pareto %+v, want %d in %d coils", c, byClass[c.Class], coilsOf[c.Class])
		}
		last = c.Defects
		// A class leads to the coils that it concerns.
		page, err := s.Coils(t.Context(), inspection.CoilQuery{
			States: []inspection.CoilState{inspection.Closed, inspection.Interrupted}, Since: q.Since, Until: q.Until,
			Recipe: q.Recipe, SteelGrade: q.SteelGrade, Without: q.Without, Class: c.Class, Side: q.Side, Limit: 1000,
		})
		if err != nil || len(page.Coils) != c.Coils {
			t.Errorf("%s leads to %d coils, want %d: %v", c.Class, len(page.Coils), c.Coils, err)
		}
	}
	if len(got.Pareto) != len(byClass) {
		t.Errorf("%d classes, want %d", len(got.Pareto), len(byClass))
	}
	for kind, counts := range map[string][]inspection.GradeCounts{"shift": got.Shifts, "recipe": got.Recipes, "steel": got.SteelGrades} {
		have := map[string]map[inspection.Grade]int{}
		for _, g := range counts {
			have[g.Name] = g.Grades
		}
		if !reflect.DeepEqual(have, grades[kind]) {
			t.Errorf("by %s %v, want %v", kind, have, grades[kind])
		}
	}
	for _, p := range got.Profiles {
		if !slices.Equal(p.Along, along[p.Side]) || !slices.Equal(p.Across, across[p.Side]) {
			t.Errorf("%s side: along %v, want %v; across %v, want %v", p.Side, p.Along, along[p.Side], p.Across, across[p.Side])
		}
		checkParts(t, s, q, p, coils, found)
	}
	for _, r := range got.Reviews {
		want := rates[r.Class]
		if r.Reviewed != want.Reviewed || r.Agreed != want.Agreed || r.NoDefect != want.NoDefect {
			t.Errorf("reviews of %q: %+v, want %+v", r.Class, r, want)
		}
		if r.Class != "" {
			of := 0
			for i := range coils {
				if slices.ContainsFunc(found[i].Defects, func(d inspection.Defect) bool {
					return d.Review != nil && d.Class == r.Class && (q.Side == "" || d.Side == q.Side)
				}) {
					of++
				}
			}
			page, err := s.Coils(t.Context(), inspection.CoilQuery{Since: q.Since, Until: q.Until, Recipe: q.Recipe, SteelGrade: q.SteelGrade, Without: q.Without, Side: q.Side, Reviewed: r.Class, Limit: 1000})
			if err != nil || len(page.Coils) != of {
				t.Errorf("reviews of %s lead to %d coils, want %d: %v", r.Class, len(page.Coils), of, err)
			}
		}
		if w := inspection.Wilson(r.NoDefect, max(1, r.Reviewed)); r.Reviewed > 0 && *r.FalseRate != w {
			t.Errorf("reviews of %q: false events %v, want %v", r.Class, *r.FalseRate, w)
		}
	}
}

// checkParts holds the coils that the bars of a side lead to to those that a pass over every defect gives.
func checkParts(t *testing.T, s *Store, q inspection.TrendQuery, p inspection.StripProfile, coils []inspection.Coil, found []inspection.DefectMap) {
	t.Helper()
	for part := range 2 * inspection.TrendBins {
		at := part % inspection.TrendBins
		list := inspection.CoilQuery{Since: q.Since, Until: q.Until, Recipe: q.Recipe, SteelGrade: q.SteelGrade, Without: q.Without, Class: q.Class, Side: p.Side, Limit: 1000}
		if part < inspection.TrendBins {
			list.Along = at + 1
		} else {
			list.Across = at + 1
		}
		var want []inspection.CoilID
		for i, c := range coils {
			if slices.ContainsFunc(found[i].Defects, func(d inspection.Defect) bool {
				if d.Review != nil {
					d.Class = d.Review.Class
				}
				in := int(min(19, 20*(d.Rect.Along+d.Rect.Length/2)/c.Strip.Length))
				if list.Across > 0 {
					in = int(min(19, 20*(d.Rect.Across+d.Rect.Width/2)/c.Strip.Width))
				}
				return d.Side == p.Side && d.Class != inspection.NoDefect && (q.Class == "" || d.Class == q.Class) && in == at
			}) {
				want = append(want, c.ID)
			}
		}
		page, err := s.Coils(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		var got []inspection.CoilID
		for _, c := range page.Coils {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s side, along %d, across %d: %v, want %v", p.Side, list.Along, list.Across, got, want)
		}
	}
}

func TestTrendsAreWhatAPassOverEveryDefectGives(t *testing.T) {
	s := open(t, t.TempDir())
	rollCoils(t, s, 60)
	for name, change := range map[string]func(*inspection.TrendQuery){
		"everything":  func(*inspection.TrendQuery) {},
		"a recipe":    func(q *inspection.TrendQuery) { q.Recipe = "pickled" },
		"a steel":     func(q *inspection.TrendQuery) { q.SteelGrade = "S355" },
		"no steel":    func(q *inspection.TrendQuery) { q.Without = []inspection.CoilField{inspection.SteelGradeField} },
		"a class":     func(q *inspection.TrendQuery) { q.Class = "scratch" },
		"a side":      func(q *inspection.TrendQuery) { q.Side = inspection.Bottom },
		"two days":    func(q *inspection.TrendQuery) { q.Until = q.Since.AddDate(0, 0, 2) },
		"all at once": func(q *inspection.TrendQuery) { q.Class, q.Side, q.Recipe = "hole", inspection.Top, "hot strip" },
	} {
		t.Run(name, func(t *testing.T) {
			q := week()
			change(&q)
			checkTrends(t, s, q)
		})
	}
}

// TestSumsAreWrittenForARecordWithoutThem takes away what a version before did not have.
func TestSumsAreWrittenForARecordWithoutThem(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	rollCoils(t, s, 12)
	before, err := s.Trends(t.Context(), week())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.ExecContext(t.Context(), `DROP TABLE trend_sums; PRAGMA user_version = 6`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := open(t, dir).Trends(t.Context(), week())
	if err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("after %+v\nbefore %+v\n%v", after, before, err)
	}
	if before.All.Defects == 0 {
		t.Error("nothing was compared")
	}
}

func TestCoilsByTheShiftThatWorked(t *testing.T) {
	s := open(t, t.TempDir())
	rollCoils(t, s, 49)
	q := week()
	trends, err := s.Trends(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range trends.Shifts {
		during, err := q.Calendar.WorkedBy(inspection.ShiftStart(g.Name), inspection.Period{From: q.Since, Until: q.Until}, 100)
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.Coils(t.Context(), inspection.CoilQuery{During: during, States: []inspection.CoilState{inspection.Closed}, Limit: 100})
		if err != nil || len(page.Coils) != g.Coils || g.Coils != 16 {
			t.Errorf("shift %s: the list has %d, the trends %d, want 16: %v", g.Name, len(page.Coils), g.Coils, err)
		}
	}
	if len(trends.Shifts) != 3 {
		t.Errorf("%d shifts", len(trends.Shifts))
	}
}

func TestTrendsThatAreNotPossible(t *testing.T) {
	s := open(t, t.TempDir())
	q := week()
	q.Until = q.Since
	if _, err := s.Trends(t.Context(), q); !isType[*inspection.FieldError](err) {
		t.Error(err)
	}
	q = week()
	q.Until, q.Bucket = q.Since.AddDate(1, 0, 0), inspection.ByHour
	if _, err := s.Trends(t.Context(), q); !isType[*inspection.FieldError](err) {
		t.Error(err)
	}
}

func TestSumsThatAreCutShortAreAnError(t *testing.T) {
	var side inspection.SideSums
	side.Count("hole", 3, 19, 300)
	side.Count("scratch", 0, 7, 1)
	b := packSums(nil, side.Classes)
	names := map[string]inspection.DefectClass{}
	got, err := unpackSums(b, nil, names)
	if err != nil || !reflect.DeepEqual(got, side.Classes) {
		t.Fatalf("%+v, %v", got, err)
	}
	whole := len(packSums(nil, side.Classes[:1]))
	for n := 1; n < len(b); n++ {
		if _, err := unpackSums(b[:n], nil, names); err == nil && n != whole {
			t.Errorf("%d of %d bytes are accepted", n, len(b))
		}
	}
}

// BenchmarkTrends reads the trends of 5,000 coils with 2,000,000 defects, 20,000 of them reviewed.
func BenchmarkTrends(b *testing.B) {
	s := seedTrends(b, 5000, 400, 4)
	q := inspection.TrendQuery{Since: trendsFrom, Until: trendsFrom.AddDate(0, 0, 30), Bucket: inspection.ByShift, Calendar: shifts()}
	b.ReportAllocs()
	for b.Loop() {
		t, err := s.Trends(b.Context(), q)
		if err != nil || t.All.Coils != 5000 || t.All.Defects < 1_900_000 || t.Reviews[0].Reviewed != 18_000 { // a tenth are of regions that were not classified
			b.Fatal(t.All, err)
		}
	}
}

// BenchmarkCoilsOfAFigure lists the coils that the trends of 5,000 coils with 2,000,000 defects lead to.
func BenchmarkCoilsOfAFigure(b *testing.B) {
	s := seedTrends(b, 5000, 400, 4)
	for name, q := range map[string]inspection.CoilQuery{
		"class and side": {Class: "hole", Side: inspection.Top},
		"no such class":  {Class: "none"},
		"part":           {Class: "hole", Side: inspection.Top, Along: 3},
		"reviewed":       {Reviewed: "hole"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Coils(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// seedTrends writes coils straight into the tables, some defects each and some of them reviewed: the line's own way would
// take minutes.
func seedTrends(t testing.TB, coils, defects, reviews int) *Store {
	t.Helper()
	s := open(t, t.TempDir())
	if err := s.SaveRecipe(t.Context(), recipe(1)); err != nil {
		t.Fatal(err)
	}
	tx, err := s.writer.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	must := func(_ any, err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	classes := []inspection.DefectClass{"hole", "red_iron", "surface_scratch", "edge_crack", "roll_mark", "inclusion", "slag", "stain", "unknown", "unclassified"}
	for i := range coils {
		n, at := int64(i+1), trendsFrom.Add(time.Duration(i)*8*time.Minute)
		b := &inspection.Batch{Defects: make([]inspection.Defect, defects)}
		for k := range b.Defects {
			b.Defects[k] = inspection.Defect{
				ID: inspection.DefectID(i*defects + k + 1), Side: inspection.Sides()[k%2], Class: classes[(k/2+i)%len(classes)], Conf: 0.9, Seen: at, Revision: 1,
				Rect: inspection.StripRect{Along: inspection.MM(k) * 2500, Across: inspection.MM(k*37%1400) + 3, Length: 5, Width: 3},
			}
		}
		must(tx.ExecContext(t.Context(), `INSERT INTO coils (n, id, state, width, thickness, length, steel_grade, recipe_wanted, grade, recipe, recipe_version, announced_at, started_at, ended_at, updated_at, ordered_at, strip_length, strip_width)
			VALUES (?, ?, 'closed', 1500, 2, 1e6, ?, '', ?, 'hot strip', 1, ?, ?, ?, ?, ?, 1e6, 1450)`,
			n, fmt.Sprintf("C%05d", i), []string{"S235", "S355"}[i%2], inspection.Grades()[i%4], micros(at), micros(at), micros(at), micros(at), micros(at)))
		must(nil, s.insertDefects(t.Context(), tx, n, b.Defects))
		strip := inspection.Strip{Length: 1e6, Width: 1450}
		must(nil, insertSums(t.Context(), tx, n, strip, inspection.CoverageOf(strip, nil)))
		for k := range reviews {
			must(tx.ExecContext(t.Context(), `INSERT INTO reviews (coil, defect, revision, class, reviewer, note, at, model_class, model_conf, model) VALUES (?, ?, 2, ?, 'Lee', '', 0, '', 0, '')`,
				n, int64(b.Defects[k*defects/reviews].ID), []string{"hole", "no_defect"}[k%2]))
		}
	}
	must(nil, tx.Commit())
	return s
}
