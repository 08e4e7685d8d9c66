package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Announce records a coil's order data, or replaces them as long as it has not started.
func (s *Store) Announce(ctx context.Context, id inspection.CoilID, o inspection.CoilOrder) (c inspection.Coil, created bool, err error) {
	if err := checkID(id); err != nil {
		return c, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.write(ctx, "coil "+string(id)+" cannot be announced", func(ctx context.Context, tx *sql.Tx) error {
		row, err := coilRow(ctx, tx, id)
		var missing *inspection.NotFoundError
		created = errors.As(err, &missing)
		switch {
		case created:
			err = insertCoil(ctx, tx, id, o, s.options.Now())
		case err != nil:
			return err
		case row.State != inspection.Announced:
			return &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "is " + string(row.State) + " and cannot be announced any more"}
		case row.Order == o:
			c = row.Coil
			return nil // sent again: nothing changes
		default:
			err = updateOrder(ctx, tx, row.n, id, o)
		}
		if err != nil {
			return err
		}
		c, err = s.changeCoil(ctx, tx, id, "coil.announced")
		return err
	})
	return c, created, err
}

// StartCoil begins a coil under a recipe, which is kept with it, as is what inspects it. Order data given here go before those
// announced. A coil id runs once: *inspection.ConflictError after that.
func (s *Store) StartCoil(ctx context.Context, id inspection.CoilID, o inspection.CoilOrder, r inspection.Recipe, by inspection.Setup, at time.Time) (c inspection.Coil, err error) {
	if err := checkID(id); err != nil {
		return c, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.write(ctx, "coil "+string(id)+" cannot start", func(ctx context.Context, tx *sql.Tx) error {
		if err := saveRecipe(ctx, tx, r); err != nil {
			return err
		}
		row, err := coilRow(ctx, tx, id)
		var missing *inspection.NotFoundError
		if errors.As(err, &missing) {
			if err = insertCoil(ctx, tx, id, o, at); err == nil {
				row, err = coilRow(ctx, tx, id)
			}
		}
		if err != nil {
			return err
		}
		switch row.State {
		case inspection.Announced:
		case inspection.Running:
			return &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "is running already"}
		default:
			return &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "has run already; a coil id runs once"}
		}
		if err := updateOrder(ctx, tx, row.n, id, merge(row.Order, o)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE coils SET state = ?, recipe = ?, recipe_version = ?, model = ?, started_at = ?, updated_at = ?, ordered_at = ? WHERE n = ?`,
			inspection.Running, r.Name, r.Version, by.Model, micros(at), micros(at), micros(at), row.n)
		if err != nil {
			return err
		}
		for _, k := range by.Calibrations {
			if _, err := tx.ExecContext(ctx, `INSERT INTO coil_calibrations (coil, camera, kind, version, at) VALUES (?, ?, ?, ?, ?)`,
				row.n, k.Camera, k.Kind, k.Version, micros(k.At)); err != nil {
				return err
			}
		}
		c, err = s.changeCoil(ctx, tx, id, "coil.opened")
		return err
	})
	return c, err
}

// CloseCoil ends a running coil with its measured strip and its grade.
func (s *Store) CloseCoil(ctx context.Context, id inspection.CoilID, strip inspection.Strip, res inspection.InspectionResult, at time.Time) (c inspection.Coil, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.write(ctx, "coil "+string(id)+" cannot be closed", func(ctx context.Context, tx *sql.Tx) error {
		row, err := runningCoil(ctx, tx, id)
		if err != nil {
			return err
		}
		c, err = s.end(ctx, tx, row, inspection.Closed, strip, res, at)
		return err
	})
	return c, err
}

// end writes the end of a coil: its strip, its grade, and a change for each.
func (s *Store) end(ctx context.Context, tx *sql.Tx, row coil, state inspection.CoilState, strip inspection.Strip, res inspection.InspectionResult, at time.Time) (inspection.Coil, error) {
	b, err := json.Marshal(res)
	if err != nil {
		return inspection.Coil{}, err
	}
	sides, err := json.Marshal(append([]inspection.Side{}, strip.Sides...))
	if err != nil {
		return inspection.Coil{}, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE coils SET state = ?, strip_length = ?, strip_width = ?, strip_sides = ?, grade = ?, result = ?, ended_at = ?, updated_at = ? WHERE n = ?`,
		state, float64(strip.Length), float64(strip.Width), string(sides), res.Grade, string(b), micros(at), micros(s.options.Now()), row.n)
	if err != nil {
		return inspection.Coil{}, err
	}
	if err := insertGrading(ctx, tx, row.n, s.options.Now(), "", 0, 0, b); err != nil {
		return inspection.Coil{}, err
	}
	if err := insertSums(ctx, tx, row.n, strip, res.Coverage); err != nil {
		return inspection.Coil{}, err
	}
	if _, err := s.changeCoil(ctx, tx, row.ID, "coil."+string(state)); err != nil {
		return inspection.Coil{}, err
	}
	return s.changeCoil(ctx, tx, row.ID, "coil.graded")
}

// checkID refuses what could not be the name of a folder.
func checkID(id inspection.CoilID) error {
	ok := len(id) >= 1 && len(id) <= 64 && id[0] != '.'
	for _, c := range []byte(id) {
		ok = ok && (c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if ok {
		return nil
	}
	return &inspection.FieldError{Field: "id", Reason: fmt.Sprintf("coil id %q is not allowed; allowed are 1 to 64 of A-Z a-z 0-9 . _ - without a leading dot", id)}
}

// merge takes each value from the newer order where it has one.
func merge(old, newer inspection.CoilOrder) inspection.CoilOrder {
	pick := func(n, o inspection.MM) inspection.MM {
		if n != 0 {
			return n
		}
		return o
	}
	text := func(n, o string) string {
		if n != "" {
			return n
		}
		return o
	}
	return inspection.CoilOrder{
		Width: pick(newer.Width, old.Width), Thickness: pick(newer.Thickness, old.Thickness), Length: pick(newer.Length, old.Length),
		SteelGrade: text(newer.SteelGrade, old.SteelGrade), Recipe: text(newer.Recipe, old.Recipe),
		Customer: text(newer.Customer, old.Customer),
	}
}

func insertCoil(ctx context.Context, tx *sql.Tx, id inspection.CoilID, o inspection.CoilOrder, at time.Time) error {
	// Revision 0: the change that follows makes it 1.
	if _, err := tx.ExecContext(ctx, `INSERT INTO coils (id, state, width, thickness, length, steel_grade, recipe_wanted, revision, announced_at, updated_at, ordered_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
		id, inspection.Announced, float64(o.Width), float64(o.Thickness), float64(o.Length), o.SteelGrade, o.Recipe, micros(at), micros(at), micros(at)); err != nil {
		return err
	}
	return saveCustomer(ctx, tx, id, o.Customer)
}

func updateOrder(ctx context.Context, tx *sql.Tx, n int64, id inspection.CoilID, o inspection.CoilOrder) error {
	if _, err := tx.ExecContext(ctx, `UPDATE coils SET width = ?, thickness = ?, length = ?, steel_grade = ?, recipe_wanted = ? WHERE n = ?`,
		float64(o.Width), float64(o.Thickness), float64(o.Length), o.SteelGrade, o.Recipe, n); err != nil {
		return err
	}
	return saveCustomer(ctx, tx, id, o.Customer)
}

// saveCustomer keeps whom a coil is for.
func saveCustomer(ctx context.Context, tx *sql.Tx, id inspection.CoilID, customer string) error {
	if customer == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO coil_customers (coil, customer) SELECT n, ? FROM coils WHERE id = ?
		ON CONFLICT (coil) DO UPDATE SET customer = excluded.customer`, customer, id)
	return err
}

func runningCoil(ctx context.Context, tx *sql.Tx, id inspection.CoilID) (coil, error) {
	row, err := coilRow(ctx, tx, id)
	if err == nil && row.State != inspection.Running {
		err = &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "is not running, it is " + string(row.State)}
	}
	return row, err
}

// coilChange is what a change of a coil carries: enough to act on without asking back.
type coilChange struct {
	ID            inspection.CoilID     `json:"id"`
	State         inspection.CoilState  `json:"state"`
	Grade         inspection.Grade      `json:"grade,omitempty"`
	Revision      int                   `json:"revision"`
	Recipe        string                `json:"recipe,omitempty"`
	RecipeVersion int                   `json:"recipe_version,omitempty"`
	Strip         inspection.Strip      `json:"strip"`
	Coverage      []inspection.Coverage `json:"coverage"`
	Counts        inspection.Counts     `json:"counts"`
	Decision      *inspection.Decision  `json:"decision,omitempty"` // the newest that a person made
	By            string                `json:"by,omitempty"`       // the person who asked for it
}

// changeCoil raises a coil's revision, reads it as it is now and writes a change about it.
func (s *Store) changeCoil(ctx context.Context, tx *sql.Tx, id inspection.CoilID, kind string) (inspection.Coil, error) {
	return s.changeCoilBy(ctx, tx, id, kind, "")
}

func (s *Store) changeCoilBy(ctx context.Context, tx *sql.Tx, id inspection.CoilID, kind, by string) (inspection.Coil, error) {
	if _, err := tx.ExecContext(ctx, `UPDATE coils SET revision = revision + 1 WHERE id = ?`, id); err != nil {
		return inspection.Coil{}, err
	}
	row, err := coilRow(ctx, tx, id)
	if err != nil {
		return inspection.Coil{}, err
	}
	c := row.Coil
	if err := s.change(ctx, tx, kind, string(id), c.Revision, coilChange{
		ID: c.ID, State: c.State, Grade: c.Grade, Revision: c.Revision, Recipe: c.RecipeName, RecipeVersion: c.RecipeVersion,
		Strip: c.Strip, Coverage: append([]inspection.Coverage{}, c.Coverage...), Counts: c.Counts, Decision: c.Decision, By: by,
	}); err != nil {
		return inspection.Coil{}, err
	}
	return c, nil
}
