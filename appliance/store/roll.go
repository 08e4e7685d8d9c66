package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/coilsight/coilsight/inspection"
)

// saveRollMarks keeps all that was found on a coil in place of what was kept before.
func saveRollMarks(ctx context.Context, tx *sql.Tx, coil int64, marks []inspection.RollMark) error {
	b, err := json.Marshal(marks)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO coil_rolls (coil, marks) VALUES (?, ?) ON CONFLICT DO UPDATE SET marks = excluded.marks`, coil, string(b))
	return err
}

// rollMarks are those of a coil; nil where none were found.
func rollMarks(ctx context.Context, q querier, coil int64) (marks []inspection.RollMark, err error) {
	var text string
	err = q.QueryRowContext(ctx, `SELECT marks FROM coil_rolls WHERE coil = ?`, coil).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return marks, json.Unmarshal([]byte(text), &marks)
}
