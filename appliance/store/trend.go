package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// standing is a condition on standing_reviews r: no newer one of the same defect.
const standing = `NOT EXISTS (SELECT 1 FROM standing_reviews newer WHERE newer.defect = r.defect AND newer.n > r.n)`

// judged is a defect with the review that stands.
type judged struct {
	model, person inspection.DefectClass
	side          inspection.Side
	along, across int // bins
}

// Trends adds up the coils that have ended; *inspection.FieldError for a query that is not possible.
func (s *Store) Trends(ctx context.Context, q inspection.TrendQuery) (t inspection.Trends, err error) {
	if err := q.Check(); err != nil {
		return t, err
	}
	err = s.view(ctx, "reading trends", func(db querier) error {
		sum := inspection.NewTrendSum(q)
		reviews, err := judgedDefects(ctx, db, q)
		if err != nil {
			return err
		}
		err = eachCoilSums(ctx, db, q, reviews, func(n int64, c inspection.CoilSums) {
			for _, j := range reviews[n] {
				sum.Review(j.model, j.person)
			}
			sum.Add(c)
		})
		if err != nil {
			return err
		}
		t = sum.Trends()
		t.Choices.Recipes, t.Choices.SteelGrades, err = trendChoices(ctx, db, q)
		return err
	})
	return t, err
}

// trendClauses select the coils c of a query and what it takes of their sides, whose number column names.
func trendClauses(q inspection.TrendQuery, side string) (where clauses) {
	where.began("c.", q.Since, q.Until)
	where.in("c.state", []any{string(inspection.Closed), string(inspection.Interrupted)})
	where.ordered("c.", q.Recipe, q.SteelGrade, q.Without)
	if q.Side != "" {
		where.add(side+" = ?", sideNumber(q.Side))
	}
	return where
}

// judgedDefects are the reviewed defects of the query's coils, by coil.
func judgedDefects(ctx context.Context, db querier, q inspection.TrendQuery) (map[int64][]judged, error) {
	where := trendClauses(q, "d.side")
	where.add(standing)
	rows, err := db.QueryContext(ctx, `SELECT c.n, c.strip_length, c.strip_width, d.class, r.class, d.side, d.along, d.across, d.length, d.width
		FROM coils c JOIN standing_reviews r ON r.coil = c.n JOIN defects d ON d.id = r.defect`+where.sql(), where.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64][]judged{}
	for rows.Next() {
		var (
			n             int64
			length, width inspection.MM
			j             judged
			r             inspection.StripRect
			side          int
		)
		if err := rows.Scan(&n, &length, &width, &j.model, &j.person, &side, &r.Along, &r.Across, &r.Length, &r.Width); err != nil {
			return nil, err
		}
		j.side = sideOf(side)
		j.along, j.across = binsOf(r, length, width)
		out[n] = append(out[n], j)
	}
	return out, rows.Err()
}

// eachCoilSums gives the query's coils with their keys and their sums as people see them, which hold until each returns.
func eachCoilSums(ctx context.Context, db querier, q inspection.TrendQuery, reviews map[int64][]judged, each func(n int64, c inspection.CoilSums)) error {
	where := trendClauses(q, "s.side")
	rows, err := db.QueryContext(ctx, `SELECT c.n, c.ordered_at, c.grade, c.recipe, c.steel_grade, c.strip_length, s.side, s.length, s.inspected, s.screened, s.defects
		FROM coils c JOIN trend_sums s ON s.coil = c.n`+where.sql()+` ORDER BY c.ordered_at, c.n, s.side`, where.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var (
		of    int64 // the coil at hand
		c     inspection.CoilSums
		names = map[string]inspection.DefectClass{}
		add   = func() {
			if of == 0 {
				return
			}
			for _, j := range reviews[of] {
				i := slices.IndexFunc(c.Sides, func(s inspection.SideSums) bool { return s.Side == j.side })
				if i < 0 || j.person == j.model {
					continue
				}
				c.Sides[i].Count(j.model, j.along, j.across, -1)
				c.Sides[i].Count(j.person, j.along, j.across, 1)
			}
			each(of, c)
		}
	)
	for rows.Next() {
		var (
			n, at int64
			side  int
			next  inspection.CoilSums
			of1   inspection.SideSums
			pack  sql.RawBytes
		)
		if err := rows.Scan(&n, &at, &next.Grade, &next.Recipe, &next.SteelGrade, &next.Length, &side, &of1.Length, &of1.Inspected, &of1.Screened, &pack); err != nil {
			return err
		}
		if n != of {
			add()
			next.At, next.Sides = timeOf(at), c.Sides[:0]
			of, c = n, next
		}
		// The room of the coil before is used again.
		if len(c.Sides) < cap(c.Sides) {
			of1.Classes = c.Sides[:len(c.Sides)+1][len(c.Sides)].Classes[:0]
		}
		of1.Side = sideOf(side)
		if of1.Classes, err = unpackSums(pack, of1.Classes, names); err != nil {
			return err
		}
		c.Sides = append(c.Sides, of1)
	}
	add()
	return rows.Err()
}

// coilsIn are the keys of the coils that have ended with a defect of a query's in its part of the strip: those that the bar of
// the part counts.
func coilsIn(ctx context.Context, db querier, q inspection.CoilQuery) ([]int64, error) {
	of := inspection.TrendQuery{Since: q.Since, Until: q.Until, Recipe: q.Recipe, SteelGrade: q.SteelGrade, Without: q.Without, Side: q.Side}
	reviews, err := judgedDefects(ctx, db, of)
	if err != nil {
		return nil, err
	}
	keys := []int64{}
	err = eachCoilSums(ctx, db, of, reviews, func(n int64, c inspection.CoilSums) {
		for i := range c.Sides {
			if c.Sides[i].HasIn(q.Class, q.Along, q.Across) {
				keys = append(keys, n)
				return
			}
		}
	})
	return keys, err
}

// trendChoices are the recipes and steel grades of the period.
func trendChoices(ctx context.Context, db querier, q inspection.TrendQuery) (recipes, steels []string, err error) {
	where := trendClauses(inspection.TrendQuery{Since: q.Since, Until: q.Until}, "")
	rows, err := db.QueryContext(ctx, `SELECT DISTINCT c.recipe, c.steel_grade FROM coils c`+where.sql(), where.args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var recipe, steel string
		if err := rows.Scan(&recipe, &steel); err != nil {
			return nil, nil, err
		}
		if recipe != "" {
			recipes = append(recipes, recipe)
		}
		if steel != "" {
			steels = append(steels, steel)
		}
	}
	slices.Sort(recipes)
	slices.Sort(steels)
	return slices.Compact(recipes), slices.Compact(steels), rows.Err()
}
