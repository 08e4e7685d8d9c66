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

// PublishRecipe keeps the next version of a recipe, or the first of a new name, and who published it. Another version than the next is
// a *inspection.ConflictError: somebody else published meanwhile.
func (s *Store) PublishRecipe(ctx context.Context, r inspection.Recipe, by, note string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(ctx, fmt.Sprintf("recipe %s v%d", r.Name, r.Version), func(ctx context.Context, tx *sql.Tx) error {
		var newest int
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM recipes WHERE name = ?`, r.Name).Scan(&newest); err != nil {
			return err
		}
		if r.Version != newest+1 {
			return &inspection.ConflictError{Noun: "recipe", ID: r.Name, Reason: fmt.Sprintf("has version %d; the next to be published is %d and not %d", newest, newest+1, r.Version)}
		}
		if err := saveRecipe(ctx, tx, r); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO recipe_log (name, version, at, by_whom, note) VALUES (?, ?, ?, ?, ?)`, r.Name, r.Version, micros(s.options.Now()), by, note); err != nil {
			return err
		}
		return s.change(ctx, tx, "recipe.published", r.Name, r.Version, map[string]any{"name": r.Name, "version": r.Version, "by": by, "note": note})
	})
}

// RecipeLog reads who published which versions, the newest first.
func (s *Store) RecipeLog(ctx context.Context) (out []inspection.RecipePublished, err error) {
	err = s.view(ctx, "listing recipes", func(q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT name, version, at, by_whom, note FROM recipe_log ORDER BY at DESC, name, version DESC`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p inspection.RecipePublished
			var at int64
			if err := rows.Scan(&p.Name, &p.Version, &at, &p.By, &p.Note); err != nil {
				return err
			}
			p.At = timeOf(at)
			out = append(out, p)
		}
		return rows.Err()
	})
	return out, err
}
