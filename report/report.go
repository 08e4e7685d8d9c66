// Package report writes what is recorded of a coil into files that leave the appliance: a report on paper (PDF),
// and its defects as a workbook (XLSX) and as comma-separated text (CSV).
package report

import (
	"context"
	"io"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Rows reads a coil and its defects, a page at a time. Errors are those of the record: *inspection.NotFoundError
// for a coil that is not known, or a failure.
type Rows interface {
	Coil(ctx context.Context, id inspection.CoilID) (inspection.Coil, error)
	Defects(ctx context.Context, q inspection.DefectQuery) (inspection.DefectPage, error)
}

// Record reads all that a report on paper shows.
type Record interface {
	Rows
	Gaps(ctx context.Context, id inspection.CoilID) ([]inspection.Gap, error)
	// Gradings are all grades that the coil was given, oldest first.
	Gradings(ctx context.Context, id inspection.CoilID) ([]inspection.Grading, error)
	MapDefects(ctx context.Context, id inspection.CoilID, start func(inspection.Coil), each func(inspection.MapDefect)) error
	Defect(ctx context.Context, id inspection.DefectID) (inspection.Defect, error)
	// Image opens the picture (PNG) of a defect; the caller closes it.
	Image(ctx context.Context, id inspection.DefectID) (io.ReadCloser, error)
}

// Class is a defect class with its name in both languages.
type Class struct {
	ID     inspection.DefectClass
	Ko, En string
}

// About is what a report says beside the record.
type About struct {
	Classes []Class
	// Recipes are searched for the version that the coil ran under; the report says less of its rules where that is
	// not among them.
	Recipes []inspection.Recipe
	Zone    *time.Location // the plant's; nil: UTC
	Version string         // of the appliance
	Printed time.Time
}

func (a About) zone() *time.Location {
	if a.Zone == nil {
		return time.UTC
	}
	return a.Zone
}

// recipeOf is the version that a coil ran under, nil where it is not there.
func (a About) recipeOf(c inspection.Coil) *inspection.Recipe {
	for i := range a.Recipes {
		if r := &a.Recipes[i]; r.Name == c.RecipeName && r.Version == c.RecipeVersion {
			return r
		}
	}
	return nil
}

// names finds classes by their ids. One that the catalogue no longer has is called by its id.
type names map[inspection.DefectClass]Class

func namesOf(classes []Class) names {
	n := names{}
	for _, c := range classes {
		n[c.ID] = c
	}
	return n
}

func (n names) of(id inspection.DefectClass) Class {
	if c, ok := n[id]; ok {
		return c
	}
	return Class{ID: id, Ko: string(id), En: string(id)}
}

// pageRows is how many defects are held at once.
const pageRows = 1000

// eachDefect gives each the defects that a query selects, in order of their ids, and page the end of each page.
func eachDefect(ctx context.Context, r Rows, q inspection.DefectQuery, each func(*inspection.Defect) error, page func() error) error {
	q.Limit = pageRows
	for {
		p, err := r.Defects(ctx, q)
		if err != nil {
			return err
		}
		for i := range p.Defects {
			if err := each(&p.Defects[i]); err != nil {
				return err
			}
		}
		if err := page(); err != nil {
			return err
		}
		if q.Cursor = p.NextCursor; q.Cursor == "" {
			return nil
		}
	}
}
