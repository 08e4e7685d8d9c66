package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// querier is a transaction or a pool of connections.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// coil is a coil with its key in the database.
type coil struct {
	inspection.Coil
	n         int64
	orderedAt int64
	updatedAt int64
}

// noSides is an empty list of sides as the database keeps it.
const noSides = "[]"

const coilColumns = `n, id, state, width, thickness, length, steel_grade, recipe_wanted, strip_length, strip_width, strip_sides,
	revision, grade, recipe, recipe_version, model, announced_at, started_at, ended_at, updated_at, ordered_at, gaps,
	json_extract(result, '$.coverage'), coalesce((SELECT customer FROM coil_customers k WHERE k.coil = coils.n), '')`

func scanCoil(row interface{ Scan(...any) error }) (coil, error) {
	var (
		c              coil
		announced      int64
		started, ended sql.NullInt64
		coverage       sql.NullString
		sides          string
	)
	err := row.Scan(&c.n, &c.ID, &c.State, &c.Order.Width, &c.Order.Thickness, &c.Order.Length, &c.Order.SteelGrade, &c.Order.Recipe,
		&c.Strip.Length, &c.Strip.Width, &sides, &c.Revision, &c.Grade, &c.RecipeName, &c.RecipeVersion, &c.Model,
		&announced, &started, &ended, &c.updatedAt, &c.orderedAt, &c.Counts.Gaps, &coverage, &c.Order.Customer)
	if err != nil {
		return c, err
	}
	c.Strip.Coil = c.ID
	c.AnnouncedAt = timeOf(announced)
	if started.Valid {
		t := timeOf(started.Int64)
		c.StartedAt = &t
	}
	if ended.Valid {
		t := timeOf(ended.Int64)
		c.EndedAt = &t
	}
	if coverage.Valid {
		if err := json.Unmarshal([]byte(coverage.String), &c.Coverage); err != nil {
			return c, err
		}
	}
	if sides == noSides {
		return c, nil
	}
	return c, json.Unmarshal([]byte(sides), &c.Strip.Sides)
}

// coilRow reads one coil with its counts.
func coilRow(ctx context.Context, q querier, id inspection.CoilID) (coil, error) {
	c, err := scanCoil(q.QueryRowContext(ctx, `SELECT `+coilColumns+` FROM coils WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return c, &inspection.NotFoundError{Noun: "coil", ID: string(id)}
	}
	if err != nil {
		return c, err
	}
	one := []coil{c}
	if err := countDefects(ctx, q, one); err != nil {
		return c, err
	}
	return one[0], decided(ctx, q, one)
}

// byKey are coils by their keys, which are also given as arguments of a statement.
func byKey(coils []coil) (at map[int64]*coil, args []any) {
	at, args = map[int64]*coil{}, make([]any, 0, len(coils))
	for i := range coils {
		at[coils[i].n] = &coils[i]
		args = append(args, coils[i].n)
	}
	return at, args
}

// countDefects fills in the counts of coils.
func countDefects(ctx context.Context, q querier, coils []coil) error {
	if len(coils) == 0 {
		return nil
	}
	at, args := byKey(coils)
	rows, err := q.QueryContext(ctx, `SELECT coil, class, side, n FROM counts WHERE coil IN (?`+strings.Repeat(", ?", len(args)-1)+`)`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			key     int64
			class   inspection.DefectClass
			side, n int
		)
		if err := rows.Scan(&key, &class, &side, &n); err != nil {
			return err
		}
		c := &at[key].Counts
		if c.ByClass == nil {
			c.ByClass, c.BySide = map[inspection.DefectClass]int{}, map[inspection.Side]int{}
		}
		c.Defects += n
		c.ByClass[class] += n
		c.BySide[sideOf(side)] += n
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return countReviews(ctx, q, at, args)
}

// view runs f on one state of the database.
func (s *Store) view(ctx context.Context, what string, f func(querier) error) error {
	tx, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return s.wrap(what, err)
	}
	defer tx.Rollback() // it has only read
	if err := f(tx); err != nil {
		return s.wrap(what, err)
	}
	return nil
}

// Coil reads one coil, with the calibrations it ran under and its roll marks.
func (s *Store) Coil(ctx context.Context, id inspection.CoilID) (inspection.Coil, error) {
	var c coil
	err := s.view(ctx, "reading a coil", func(q querier) (err error) {
		if c, err = coilRow(ctx, q, id); err != nil {
			return err
		}
		if c.Calibrations, err = calibrations(ctx, q, c.n); err != nil {
			return err
		}
		c.RollMarks, err = rollMarks(ctx, q, c.n)
		return err
	})
	return c.Coil, err
}

// calibrations are those that were in force when a coil began.
func calibrations(ctx context.Context, q querier, coil int64) (in []inspection.CalibrationRef, err error) {
	rows, err := q.QueryContext(ctx, `SELECT camera, kind, version, at FROM coil_calibrations WHERE coil = ? ORDER BY camera, kind`, coil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k inspection.CalibrationRef
		var at int64
		if err := rows.Scan(&k.Camera, &k.Kind, &k.Version, &at); err != nil {
			return nil, err
		}
		k.At = timeOf(at)
		in = append(in, k)
	}
	return in, rows.Err()
}

// Coils reads one page of coils, newest first.
func (s *Store) Coils(ctx context.Context, q inspection.CoilQuery) (inspection.CoilPage, error) {
	if err := q.Check(); err != nil {
		return inspection.CoilPage{}, err
	}
	var where clauses
	where.in("state", texts(q.States))
	where.in("grade", texts(q.Grades))
	if q.Text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q.Text) + "%"
		where.add(`(id LIKE ? ESCAPE '\' OR steel_grade LIKE ? ESCAPE '\')`, like, like)
	}
	where.began("", q.Since, q.Until)
	where.ordered("", q.Recipe, q.SteelGrade, q.Without)
	if err := where.during(q.During); err != nil {
		return inspection.CoilPage{}, err
	}
	inPart := q.Along > 0 || q.Across > 0
	if !inPart && (q.Class != "" || (q.Side != "" && q.Reviewed == "")) {
		where.withDefect(q.Class, q.Side)
	}
	if q.Reviewed != "" {
		where.add(`EXISTS (SELECT 1 FROM standing_reviews r JOIN defects d ON d.id = r.defect WHERE r.coil = coils.n AND d.class = ? AND (? = '' OR d.side = ?))`,
			string(q.Reviewed), string(q.Side), sideNumber(q.Side))
	}
	if q.Cursor != "" {
		at, err := decodeCursor(q.Cursor, 2)
		if err != nil {
			return inspection.CoilPage{}, err
		}
		where.add("(ordered_at, n) < (?, ?)", at[0], at[1])
	}
	limit := pageSize(q.Limit)
	var coils []coil
	err := s.view(ctx, "listing coils", func(db querier) error {
		if inPart {
			keys, err := coilsIn(ctx, db, q)
			if err != nil {
				return err
			}
			if err := where.among(keys); err != nil {
				return err
			}
		}
		rows, err := db.QueryContext(ctx, `SELECT `+coilColumns+` FROM coils`+where.sql()+` ORDER BY ordered_at DESC, n DESC LIMIT ?`, append(where.args, limit+1)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			c, err := scanCoil(rows)
			if err != nil {
				return err
			}
			coils = append(coils, c)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if err := countDefects(ctx, db, coils); err != nil {
			return err
		}
		return decided(ctx, db, coils)
	})
	if err != nil {
		return inspection.CoilPage{}, err
	}
	var page inspection.CoilPage
	if len(coils) > limit {
		coils = coils[:limit]
		last := coils[limit-1]
		page.NextCursor = encodeCursor(last.orderedAt, last.n)
	}
	for _, c := range coils {
		page.Coils = append(page.Coils, c.Coil)
	}
	return page, nil
}

// Result reads a coil's grade with its trail; *inspection.NotFoundError until the coil is closed.
func (s *Store) Result(ctx context.Context, id inspection.CoilID) (inspection.InspectionResult, error) {
	var (
		res inspection.InspectionResult
		b   sql.NullString
	)
	err := s.readers.QueryRowContext(ctx, `SELECT result FROM coils WHERE id = ?`, id).Scan(&b)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return res, &inspection.NotFoundError{Noun: "coil", ID: string(id)}
	case err != nil:
		return res, s.wrap("reading a result", err)
	case !b.Valid:
		return res, &inspection.NotFoundError{Noun: "result of coil", ID: string(id)}
	}
	if err := json.Unmarshal([]byte(b.String), &res); err != nil {
		return res, s.wrap("reading the result of coil "+string(id), err)
	}
	return res, nil
}

// Gaps reads a coil's gaps along the strip.
func (s *Store) Gaps(ctx context.Context, id inspection.CoilID) (gaps []inspection.Gap, err error) {
	err = s.view(ctx, "listing gaps", func(q querier) error {
		c, err := coilRow(ctx, q, id)
		if err != nil {
			return err
		}
		gaps, err = readGaps(ctx, q, c.n)
		return err
	})
	return gaps, err
}

func readGaps(ctx context.Context, q querier, n int64) (gaps []inspection.Gap, err error) {
	rows, err := q.QueryContext(ctx, `SELECT side, camera, from_mm, to_mm, state, cause, open_end FROM gaps WHERE coil = ? ORDER BY from_mm, side, id`, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			g    inspection.Gap
			side int
		)
		if err := rows.Scan(&side, &g.Camera, &g.From, &g.To, &g.State, &g.Cause, &g.OpenEnd); err != nil {
			return nil, err
		}
		g.Side = sideOf(side)
		gaps = append(gaps, g)
	}
	return gaps, rows.Err()
}

func pageSize(limit int) int {
	if limit <= 0 {
		return 100
	}
	return min(limit, 1000)
}

// encodeCursor says where a page ended. It means nothing to those who carry it.
func encodeCursor(keys ...int64) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = strconv.FormatInt(k, 36)
	}
	return strings.Join(parts, "_")
}

func decodeCursor(cursor string, n int) ([]int64, error) {
	bad := &inspection.FieldError{Field: "cursor", Reason: strconv.Quote(cursor) + " is not a cursor; pass next_cursor of the page before, or none"}
	parts := strings.Split(cursor, "_")
	if len(parts) != n {
		return nil, bad
	}
	keys := make([]int64, n)
	for i, p := range parts {
		k, err := strconv.ParseInt(p, 36, 64)
		if err != nil || strconv.FormatInt(k, 36) != p {
			return nil, bad
		}
		keys[i] = k
	}
	return keys, nil
}
