package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// Decide records what a person decided of a coil that has ended, at the revision that the person saw (0: any). secondFor are the
// machine's grades whose release needs a second person. Errors are *inspection.FieldError, *inspection.NotFoundError,
// *inspection.StaleError and *inspection.ConflictError.
func (s *Store) Decide(ctx context.Context, id inspection.CoilID, d inspection.Decision, revision int, secondFor []inspection.Grade) (inspection.Coil, error) {
	return s.decide(ctx, id, d.By, revision, func(ctx context.Context, tx *sql.Tx, row coil) (string, error) {
		d.MachineGrade = row.Grade
		if d.Grade == "" {
			d.Grade = row.Grade
		}
		if err := d.Check(); err != nil {
			return "", err
		}
		d.Pending = d.NeedsSecond(secondFor)
		_, err := tx.ExecContext(ctx, `INSERT INTO decisions (coil, at, by_whom, disposition, grade, machine_grade, reason, pending) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			row.n, micros(s.options.Now()), d.By, d.Disposition, d.Grade, d.MachineGrade, d.Reason, d.Pending)
		return "coil.decided", err
	})
}

// ConfirmDecision records that a second person agrees with the decision that waits for one.
func (s *Store) ConfirmDecision(ctx context.Context, id inspection.CoilID, by string, revision int) (inspection.Coil, error) {
	return s.decide(ctx, id, by, revision, func(ctx context.Context, tx *sql.Tx, row coil) (string, error) {
		all, err := decisions(ctx, tx, row.n)
		if err != nil {
			return "", err
		}
		conflict := func(reason string) error {
			return &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: reason}
		}
		if len(all) == 0 || !all[0].Pending {
			return "", conflict("has no decision that waits for a second person")
		}
		if inspection.SamePerson(all[0].By, by) {
			return "", conflict("was decided by " + by + "; somebody else must confirm it")
		}
		if all[0].MachineGrade != row.Grade {
			return "", conflict("has another grade than when it was decided; decide it anew")
		}
		_, err = tx.ExecContext(ctx, `UPDATE decisions SET pending = 0, confirmed_by = ?, confirmed_at = ? WHERE n = ?`, by, micros(s.options.Now()), all[0].N)
		return "coil.decision_confirmed", err
	})
}

// decide changes a coil that has ended.
func (s *Store) decide(ctx context.Context, id inspection.CoilID, by string, revision int, do func(context.Context, *sql.Tx, coil) (kind string, err error)) (c inspection.Coil, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.write(ctx, "coil "+string(id)+" cannot be decided", func(ctx context.Context, tx *sql.Tx) error {
		row, err := coilRow(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case revision != 0 && revision != row.Revision:
			return &inspection.StaleError{Noun: "coil", ID: string(id), Revision: row.Revision, Presented: revision}
		case row.State != inspection.Closed && row.State != inspection.Interrupted:
			return &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "is " + string(row.State) + "; a coil is decided after its end"}
		}
		kind, err := do(ctx, tx, row)
		if err != nil {
			return err
		}
		c, err = s.changeCoilBy(ctx, tx, id, kind, by)
		return err
	})
	return c, err
}

// Decisions reads all that people decided of a coil, the newest first.
func (s *Store) Decisions(ctx context.Context, id inspection.CoilID) (out []inspection.Decision, err error) {
	err = s.view(ctx, "listing decisions", func(q querier) error {
		row, err := coilRow(ctx, q, id)
		if err != nil {
			return err
		}
		out, err = decisions(ctx, q, row.n)
		return err
	})
	return out, err
}

func decisions(ctx context.Context, q querier, coil int64) (out []inspection.Decision, err error) {
	rows, err := q.QueryContext(ctx, `SELECT n, at, by_whom, disposition, grade, machine_grade, reason, pending, confirmed_by, confirmed_at FROM decisions WHERE coil = ? ORDER BY n DESC`, coil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d inspection.Decision
		var at int64
		var confirmed sql.NullInt64
		if err := rows.Scan(&d.N, &at, &d.By, &d.Disposition, &d.Grade, &d.MachineGrade, &d.Reason, &d.Pending, &d.ConfirmedBy, &confirmed); err != nil {
			return nil, err
		}
		d.At = timeOf(at)
		if confirmed.Valid {
			t := timeOf(confirmed.Int64)
			d.ConfirmedAt = &t
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// decided fills in the newest decision of coils.
func decided(ctx context.Context, q querier, coils []coil) error {
	if len(coils) == 0 {
		return nil
	}
	at, args := byKey(coils)
	rows, err := q.QueryContext(ctx, `SELECT DISTINCT coil FROM decisions WHERE coil IN (?`+strings.Repeat(", ?", len(args)-1)+`)`, args...)
	if err != nil {
		return err
	}
	var some []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return errors.Join(err, rows.Close())
		}
		some = append(some, n)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, n := range some {
		all, err := decisions(ctx, q, n)
		if err != nil {
			return err
		}
		at[n].Decision = &all[0]
	}
	return nil
}
