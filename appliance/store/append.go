package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/coilsight/coilsight/inspection"
)

// inserts are the statements of the hot path, prepared once.
type inserts struct{ defect, change *sql.Stmt }

func prepare(ctx context.Context, db *sql.DB) (p inserts, err error) {
	p.defect, err = db.PrepareContext(ctx, `INSERT INTO defects
		(id, coil, side, camera, along, across, length, width, class, conf, severity, area, contrast, seen, revision, has_image)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return p, err
	}
	p.change, err = db.PrepareContext(ctx, `INSERT INTO changes (time, type, subject, revision, data) VALUES (?, ?, ?, ?, ?)`)
	return p, err
}

func (p inserts) close() error {
	var errs []error
	for _, st := range []*sql.Stmt{p.defect, p.change} {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	return errors.Join(errs...)
}

// Append makes a batch durable as a whole, in one transaction with its changes, and fills in the
// defects' ids. Pictures are written first; one that cannot be written is left out and never holds up
// the record. After an error nothing of the batch is recorded and it may be appended again.
func (s *Store) Append(ctx context.Context, b *inspection.Batch) error {
	if len(b.Images) != 0 && len(b.Images) != len(b.Defects) {
		return fmt.Errorf("batch of coil %s: %d pictures for %d defects; give one each, nil for none", b.Coil, len(b.Images), len(b.Defects))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Defects {
		d := &b.Defects[i]
		d.ID, d.Coil, d.Revision, d.HasImage = s.nextID+inspection.DefectID(i), b.Coil, 1, false
	}
	// Ids that are used again after a failed transaction overwrite its pictures.
	s.writeImages(b)
	err := s.write(ctx, "batch of coil "+string(b.Coil), func(ctx context.Context, tx *sql.Tx) error {
		row, err := runningCoil(ctx, tx, b.Coil)
		if err != nil {
			return err
		}
		return s.appendTo(ctx, tx, row, b)
	})
	if err == nil {
		s.nextID += inspection.DefectID(len(b.Defects))
	}
	return err
}

func (s *Store) appendTo(ctx context.Context, tx *sql.Tx, row coil, b *inspection.Batch) error {
	if err := s.insertDefects(ctx, tx, row.n, b.Defects); err != nil {
		return err
	}
	if err := insertPictures(ctx, tx, row.n, b); err != nil {
		return err
	}
	for _, g := range b.Gaps {
		if err := insertGap(ctx, tx, row.n, g); err != nil {
			return err
		}
	}
	if b.RollMarks != nil {
		if err := saveRollMarks(ctx, tx, row.n, b.RollMarks); err != nil {
			return err
		}
	}
	length, width := row.Strip.Length, row.Strip.Width
	for _, p := range b.Progress {
		length = max(length, p.To)
		if p.Width > 0 {
			width = p.Width
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO progress (coil, side, to_mm) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET to_mm = max(to_mm, excluded.to_mm)`, row.n, sideNumber(p.Side), float64(p.To))
		if err != nil {
			return err
		}
	}
	revision := row.Revision + 1
	_, err := tx.ExecContext(ctx, `UPDATE coils SET strip_length = ?, strip_width = ?, gaps = gaps + ?, revision = ?, updated_at = ? WHERE n = ?`,
		float64(length), float64(width), len(b.Gaps), revision, micros(s.options.Now()), row.n)
	if err != nil {
		return err
	}
	if n := len(b.Defects); n > 0 {
		err := s.change(ctx, tx, "defect.batch", string(b.Coil), revision, defectBatch{b.Coil, b.Defects[0].ID, b.Defects[n-1].ID, n})
		if err != nil {
			return err
		}
	}
	return s.changeGaps(ctx, tx, b.Coil, revision, b.Gaps)
}

// defectBatch is what the change about a batch carries: the ids are those of one stretch, and
// GET /coils/{id}/defects gives them.
type defectBatch struct {
	Coil  inspection.CoilID   `json:"coil"`
	First inspection.DefectID `json:"first_id"`
	Last  inspection.DefectID `json:"last_id"`
	Count int                 `json:"count"`
}

type gapChange struct {
	Coil inspection.CoilID `json:"coil"`
	inspection.Gap
}

func (s *Store) changeGaps(ctx context.Context, tx *sql.Tx, id inspection.CoilID, revision int, gaps []inspection.Gap) error {
	for _, g := range gaps {
		if err := s.change(ctx, tx, "inspection.gap", string(id), revision, gapChange{id, g}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) insertDefects(ctx context.Context, tx *sql.Tx, n int64, defects []inspection.Defect) error {
	type key struct {
		class inspection.DefectClass
		side  int
	}
	counts := map[key]int{}
	insert := tx.StmtContext(ctx, s.inserts.defect)
	for i := range defects {
		d := &defects[i]
		side := sideNumber(d.Side)
		_, err := insert.ExecContext(ctx, int64(d.ID), n, side, string(d.Camera),
			float64(d.Rect.Along), float64(d.Rect.Across), float64(d.Rect.Length), float64(d.Rect.Width),
			string(d.Class), float64(d.Conf), int(d.Severity), d.Area, float64(d.Contrast), micros(d.Seen), d.Revision, d.HasImage)
		if err != nil {
			return err
		}
		counts[key{d.Class, side}]++
	}
	if err := insertPart(ctx, tx, n, defects); err != nil {
		return err
	}
	for k, c := range counts {
		_, err := tx.ExecContext(ctx, `INSERT INTO counts (coil, class, side, n) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET n = n + excluded.n`, n, string(k.class), k.side, c)
		if err != nil {
			return err
		}
	}
	return nil
}

func insertGap(ctx context.Context, tx *sql.Tx, n int64, g inspection.Gap) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO gaps (coil, side, camera, from_mm, to_mm, state, cause, open_end) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		n, sideNumber(g.Side), string(g.Camera), float64(g.From), float64(g.To), string(g.State), g.Cause, g.OpenEnd)
	return err
}

// sideNumber is a side as the database keeps it.
func sideNumber(s inspection.Side) int {
	if s == inspection.Bottom {
		return 1
	}
	return 0
}

func sideOf(n int) inspection.Side {
	if n == 1 {
		return inspection.Bottom
	}
	return inspection.Top
}
