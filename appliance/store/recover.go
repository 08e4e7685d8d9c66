package store

import (
	"context"
	"database/sql"

	"github.com/coilsight/coilsight/inspection"
)

// interruptedCause is the cause of the gap that an interruption leaves.
const interruptedCause = "inspection interrupted"

// RecoverInterrupted ends every coil that was running when the process before this one stopped: its
// unseen rest becomes a gap on each side, and grade judges what is there under the coil's recipe. It
// must not run while a coil is inspected.
func (s *Store) RecoverInterrupted(ctx context.Context, grade func(inspection.DefectMap, inspection.Recipe) inspection.InspectionResult) ([]inspection.CoilID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []inspection.CoilID
	err := s.write(ctx, "closing interrupted coils", func(ctx context.Context, tx *sql.Tx) error {
		var err error
		if ids, err = runningCoils(ctx, tx); err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.interrupt(ctx, tx, id, grade); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := s.tidyImages(id); err != nil {
			s.options.Log.Warn("pictures of an interrupted coil could not be tidied", "coil", string(id), "error", err)
		}
	}
	return ids, nil
}

func runningCoils(ctx context.Context, tx *sql.Tx) (ids []inspection.CoilID, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id FROM coils WHERE state = 'running' ORDER BY n`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id inspection.CoilID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (s *Store) interrupt(ctx context.Context, tx *sql.Tx, id inspection.CoilID, grade func(inspection.DefectMap, inspection.Recipe) inspection.InspectionResult) error {
	c, err := coilRow(ctx, tx, id)
	if err != nil {
		return err
	}
	recipe, err := readRecipe(ctx, tx, c.RecipeName, c.RecipeVersion)
	if err != nil {
		return err
	}
	progress, err := readProgress(ctx, tx, c.n)
	if err != nil {
		return err
	}
	gaps, length := unseenRest(c.Order.Length, progress)
	for _, g := range gaps {
		if err := insertGap(ctx, tx, c.n, g); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE coils SET gaps = gaps + ? WHERE n = ?`, len(gaps), c.n); err != nil {
		return err
	}
	if err := s.changeGaps(ctx, tx, id, c.Revision+1, gaps); err != nil {
		return err
	}
	c.Strip.Length, c.Strip.Sides = length, sidesOf(progress)
	m, err := readMap(ctx, tx, c)
	if err != nil {
		return err
	}
	// The coil ended when it was last heard of, not when it was found.
	_, err = s.end(ctx, tx, c, inspection.Interrupted, c.Strip, grade(m, recipe), timeOf(c.updatedAt))
	return err
}

func readProgress(ctx context.Context, tx *sql.Tx, n int64) (map[inspection.Side]inspection.MM, error) {
	rows, err := tx.QueryContext(ctx, `SELECT side, to_mm FROM progress WHERE coil = ?`, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[inspection.Side]inspection.MM{}
	for rows.Next() {
		var (
			side int
			to   inspection.MM
		)
		if err := rows.Scan(&side, &to); err != nil {
			return nil, err
		}
		out[sideOf(side)] = to
	}
	return out, rows.Err()
}

// sidesOf are the sides that a coil was inspected on: the line reports progress for these. Without any
// progress nothing is known, and the strip stands for both.
func sidesOf(progress map[inspection.Side]inspection.MM) (sides []inspection.Side) {
	for _, side := range inspection.Sides() {
		if _, ok := progress[side]; ok {
			sides = append(sides, side)
		}
	}
	return sides
}

// unseenRest is what an interruption left of a coil: on each side from where it had come to the
// announced length or, where that is less or not known, to where the other side had come. The true end
// is not known then, and each side's gap says so even where it has no length. A side that no camera
// looks at has no gap.
func unseenRest(announced inspection.MM, progress map[inspection.Side]inspection.MM) (gaps []inspection.Gap, length inspection.MM) {
	length = announced
	for _, to := range progress {
		length = max(length, to)
	}
	openEnd := length > announced || announced == 0
	strip := inspection.Strip{Sides: sidesOf(progress)}
	for _, side := range strip.InspectedSides() {
		if from := progress[side]; from < length || openEnd {
			gaps = append(gaps, inspection.Gap{
				Side: side, From: from, To: length, State: inspection.Unseen, Cause: interruptedCause, OpenEnd: openEnd,
			})
		}
	}
	return gaps, length
}
