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

	id, side, severity, seen, revision, hasImage int64
	along, across, length, width, conf, contrast float64
	class, camera                                sql.RawBytes
}

func newDefectReader(coil inspection.CoilID) *defectReader {
	return &defectReader{coil: coil, classes: map[string]inspection.DefectClass{}, cameras: map[string]inspection.CameraID{}}
}

func (r *defectReader) scan(row *sql.Rows, d *inspection.Defect) error {
	// Scan is given the driver's own types: any other goes through text, at several times the cost.
	if err := row.Scan(&r.id, &r.side, &r.camera, &r.along, &r.across, &r.length, &r.width,
		&r.class, &r.conf, &r.severity, &d.Area, &r.contrast, &r.seen, &r.revision, &r.hasImage); err != nil {
		return err
	}
	d.ID, d.Coil, d.Side, d.Seen = inspection.DefectID(r.id), r.coil, sideOf(int(r.side)), timeOf(r.seen)
	d.Rect = inspection.StripRect{
		Along: inspection.MM(r.along), Across: inspection.MM(r.across), Length: inspection.MM(r.length), Width: inspection.MM(r.width),
	}
	d.Class, d.Camera = intern(r.classes, r.class), intern(r.cameras, r.camera)
	d.Conf, d.Contrast, d.Severity = float32(r.conf), float32(r.contrast), inspection.Severity(r.severity)
	d.Revision, d.HasImage = int(r.revision), r.hasImage != 0
	return nil
}

func intern[T ~string](known map[string]T, b []byte) T {
	v, ok := known[string(b)]
	if !ok {
		v = T(b)
		known[string(v)] = v
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
		where.add("id IN (SELECT defect FROM reviews WHERE coil = ?)", n)
	case inspection.OnlyUnreviewed:
		where.add("id NOT IN (SELECT defect FROM reviews WHERE coil = ?)", n)
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
