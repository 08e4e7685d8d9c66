package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/coilsight/coilsight/inspection"
)

// SaveRecipe keeps a version of a recipe for good. Saving it again changes nothing; the same name and
// version with other content is a *inspection.ConflictError.
func (s *Store) SaveRecipe(ctx context.Context, r inspection.Recipe) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(ctx, fmt.Sprintf("recipe %s v%d", r.Name, r.Version), func(ctx context.Context, tx *sql.Tx) error {
		return saveRecipe(ctx, tx, r)
	})
}

func saveRecipe(ctx context.Context, tx *sql.Tx, r inspection.Recipe) error {
	b, err := json.Marshal(r) // maps come sorted: the same recipe has the same text
	if err != nil {
		return err
	}
	var kept string
	err = tx.QueryRowContext(ctx, `SELECT content FROM recipes WHERE name = ? AND version = ?`, r.Name, r.Version).Scan(&kept)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.ExecContext(ctx, `INSERT INTO recipes (name, version, content) VALUES (?, ?, ?)`, r.Name, r.Version, string(b))
		return err
	case err != nil:
		return err
	case kept != string(b):
		return &inspection.ConflictError{
			Noun: "recipe", ID: fmt.Sprintf("%s v%d", r.Name, r.Version),
			Reason: "is recorded with other content; a version never changes, give the new content the next version",
		}
	}
	return nil
}

// Recipe reads a version of a recipe; version 0 is the newest.
func (s *Store) Recipe(ctx context.Context, name string, version int) (inspection.Recipe, error) {
	r, err := readRecipe(ctx, s.readers, name, version)
	if err != nil {
		err = s.wrap("reading a recipe", err)
	}
	return r, err
}

func readRecipe(ctx context.Context, q querier, name string, version int) (r inspection.Recipe, err error) {
	var b string
	err = q.QueryRowContext(ctx, `SELECT content FROM recipes WHERE name = ? AND (version = ? OR ? = 0) ORDER BY version DESC LIMIT 1`,
		name, version, version).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		id := name
		if version != 0 {
			id = fmt.Sprintf("%s v%d", name, version)
		}
		return r, &inspection.NotFoundError{Noun: "recipe", ID: id}
	}
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(b), &r)
}

// Recipes lists every version of every recipe.
func (s *Store) Recipes(ctx context.Context) ([]inspection.Recipe, error) {
	rows, err := s.readers.QueryContext(ctx, `SELECT content FROM recipes ORDER BY name, version`)
	if err != nil {
		return nil, s.wrap("listing recipes", err)
	}
	defer rows.Close()
	var out []inspection.Recipe
	for rows.Next() {
		var (
			r inspection.Recipe
			b []byte
		)
		if err := rows.Scan(&b); err != nil {
			return nil, s.wrap("listing recipes", err)
		}
		if err := json.Unmarshal(b, &r); err != nil {
			return nil, s.wrap("listing recipes", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}
