package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/coilsight/coilsight/inspection"
)

const defectColumns = `id, side, camera, along, across, length, width, class, conf, severity, area, contrast, seen, revision, has_image`

// defectReader turns rows into defects. Class and camera repeat all over a coil; it keeps one copy.
type defectReader struct {
	coil    inspection.CoilID
	classes map[string]inspection.DefectClass
	cameras map[string]inspection.CameraID
	row     [15]any
	into    []any // row's elements
}

func newDefectReader(coil inspection.CoilID) *defectReader {
	r := &defectReader{coil: coil, classes: map[string]inspection.DefectClass{}, cameras: map[string]inspection.CameraID{}}
	r.into = pointers(r.row[:])
	return r
}

// pointers are what Scan takes. It hands the driver's values over as they are where it is given *any; any other type goes
// through reflection or text, at several times the cost.
func pointers(row []any) []any {
	out := make([]any, len(row))
	for i := range row {
		out[i] = &row[i]
	}
	return out
}

func (r *defectReader) scan(rows *sql.Rows, d *inspection.Defect) error {
	if err := rows.Scan(r.into...); err != nil {
		return err
	}
	v := r.row[:]
	d.ID, d.Coil, d.Side, d.Seen = inspection.DefectID(v[0].(int64)), r.coil, sideOf(int(v[1].(int64))), timeOf(v[12].(int64))
	d.Rect = inspection.StripRect{
		Along: inspection.MM(v[3].(float64)), Across: inspection.MM(v[4].(float64)), Length: inspection.MM(v[5].(float64)), Width: inspection.MM(v[6].(float64)),
	}
	d.Camera, d.Class = intern(r.cameras, v[2].(string)), intern(r.classes, v[7].(string))
	d.Conf, d.Severity = float32(v[8].(float64)), inspection.Severity(v[9].(int64))
	d.Area, d.Contrast = v[10].(float64), float32(v[11].(float64))
	d.Revision, d.HasImage = int(v[13].(int64)), v[14].(int64) != 0
	return nil
}

func intern[T ~string](known map[string]T, s string) T {
	v, ok := known[s]
	if !ok {
		v = T(s)
		known[s] = v
	}
	return v
}

// Defects reads one page of a coil's defects in order of their ids.
func (s *Store) Defects(ctx context.Context, q inspection.DefectQuery) (inspection.DefectPage, error) {
	var page inspection.DefectPage
	err := s.view(ctx, "listing defects", func(db querier) error {
		c, err := coilRow(ctx, db, q.Coil)
		if err != nil {
			return err
		}
		where, err := defectClauses(c.n, q)
		if err != nil {
			return err
		}
		limit := pageSize(q.Limit)
		page.Defects, err = readDefects(ctx, db, c, where, limit+1)
		if len(page.Defects) > limit {
			page.Defects = page.Defects[:limit]
			page.NextCursor = encodeCursor(int64(page.Defects[limit-1].ID))
		}
		return err
	})
	return page, err
}

func defectClauses(n int64, q inspection.DefectQuery) (clauses, error) {
	var where clauses
	where.add("coil = ?", n)
	if q.Side != "" {
		where.add("side = ?", sideNumber(q.Side))
	}
	where.in("class", texts(q.Classes))
	if q.MinArea > 0 {
		where.add("area >= ?", q.MinArea)
	}
	if q.MinConfidence > 0 {
		where.add("conf >= ?", float64(q.MinConfidence))
	}
	if q.MinSeverity > 0 {
		where.add("severity >= ?", int(q.MinSeverity))
	}
	switch q.Review {
	case inspection.OnlyReviewed:
		where.add("id IN (SELECT defect FROM standing_reviews WHERE coil = ?)", n)
	case inspection.OnlyUnreviewed:
		where.add("id NOT IN (SELECT defect FROM standing_reviews WHERE coil = ?)", n)
	}
	if q.Cursor != "" {
		at, err := decodeCursor(q.Cursor, 1)
		if err != nil {
			return where, err
		}
		where.add("id > ?", at[0])
	}
	return where, nil
}

// readDefects reads at most limit defects; a negative limit reads all.
func readDefects(ctx context.Context, q querier, c coil, where clauses, limit int) ([]inspection.Defect, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+defectColumns+` FROM defects`+where.sql()+` ORDER BY id LIMIT ?`, append(where.args, limit)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	r := newDefectReader(c.ID)
	most := c.Counts.Defects
	if limit >= 0 {
		most = min(most, limit)
	}
	out := make([]inspection.Defect, 0, most)
	for rows.Next() {
		var d inspection.Defect
		if err := r.scan(rows, &d); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, attachReviews(ctx, q, c.n, out)
}

// Defect reads one defect.
func (s *Store) Defect(ctx context.Context, id inspection.DefectID) (inspection.Defect, error) {
	var d inspection.Defect
	err := s.view(ctx, "reading a defect", func(q querier) (err error) {
		d, _, err = defectRow(ctx, q, id)
		return err
	})
	return d, err
}

// defectRow reads one defect with the key and the model of its coil.
func defectRow(ctx context.Context, q querier, id inspection.DefectID) (inspection.Defect, coil, error) {
	var owner coil
	err := q.QueryRowContext(ctx, `SELECT c.id, c.n, c.model FROM defects d JOIN coils c ON c.n = d.coil WHERE d.id = ?`, int64(id)).
		Scan(&owner.ID, &owner.n, &owner.Model)
	if errors.Is(err, sql.ErrNoRows) {
		err = &inspection.NotFoundError{Noun: "defect", ID: strconv.FormatInt(int64(id), 10)}
	}
	if err != nil {
		return inspection.Defect{}, owner, err
	}
	one, err := readDefects(ctx, q, owner, clauses{[]string{"id = ?"}, []any{int64(id)}}, 1)
	if err != nil {
		return inspection.Defect{}, owner, err
	}
	return one[0], owner, nil
}

// Map reads the whole of a coil at one moment.
func (s *Store) Map(ctx context.Context, id inspection.CoilID) (inspection.DefectMap, error) {
	var m inspection.DefectMap
	err := s.view(ctx, "reading a defect map", func(q querier) error {
		c, err := coilRow(ctx, q, id)
		if err != nil {
			return err
		}
		m, err = readMap(ctx, q, c)
		return err
	})
	return m, err
}

func readMap(ctx context.Context, q querier, c coil) (inspection.DefectMap, error) {
	m := inspection.DefectMap{Strip: c.Strip}
	var err error
	if m.Defects, err = readDefects(ctx, q, c, clauses{[]string{"coil = ?"}, []any{c.n}}, -1); err != nil {
		return m, err
	}
	m.Gaps, err = readGaps(ctx, q, c.n)
	return m, err
}
