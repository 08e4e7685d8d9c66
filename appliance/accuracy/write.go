package accuracy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Names of the files that Write leaves.
const (
	reportJSON   = "accuracy.json"
	reportTables = "accuracy.md"
	montagePNG   = "errors.png"
)

// Write leaves the report in a folder, which is made where it is not there: the figures as JSON and as
// tables, and the pictures of the worst errors, if there are any.
func (r Report) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("folder for the report: %w", err)
	}
	files := []struct {
		name  string
		write func(io.Writer) error
	}{
		{reportJSON, func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", " ")
			return e.Encode(r)
		}},
		{reportTables, func(w io.Writer) error {
			if _, err := fmt.Fprint(w, "# Accuracy\n\nThe figures are defined in the guide to `coilsight evaluate`.\n\n"); err != nil {
				return err
			}
			return r.WriteTables(w, true)
		}},
		{montagePNG, func(w io.Writer) error { return WriteMontage(w, r.Errors) }},
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if f.name == montagePNG && len(r.Errors) == 0 {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // an older run's
				return err
			}
			continue
		}
		if err := writeFile(path, f.write); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}
