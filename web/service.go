// Package web serves the appliance to people and machines: the REST API with its OpenAPI document, the
// event stream, and the embedded user interface. It reads and commands through the interfaces below
// and knows nothing of how they are met.
package web

import (
	"context"
	"io"

	"github.com/coilsight/coilsight/inspection"
)

// CoilReader reads what has been recorded. Errors are *inspection.NotFoundError, *inspection.FieldError
// (a cursor that is none), *inspection.GoneError, or a failure.
type CoilReader interface {
	Coils(ctx context.Context, q inspection.CoilQuery) (inspection.CoilPage, error)
	Coil(ctx context.Context, id inspection.CoilID) (inspection.Coil, error)
	// Result is the grade with its trail; *inspection.NotFoundError until the coil is closed.
	Result(ctx context.Context, id inspection.CoilID) (inspection.InspectionResult, error)
	Defects(ctx context.Context, q inspection.DefectQuery) (inspection.DefectPage, error)
	Defect(ctx context.Context, id inspection.DefectID) (inspection.Defect, error)
	Gaps(ctx context.Context, id inspection.CoilID) ([]inspection.Gap, error)
	// MapDefects gives start the coil and then each its defects in order of their ids, all of one moment. start may be
	// called before an error.
	MapDefects(ctx context.Context, id inspection.CoilID, start func(inspection.Coil), each func(inspection.MapDefect)) error
	// Image opens the picture (PNG) of a defect; the caller closes it.
	Image(ctx context.Context, id inspection.DefectID) (io.ReadCloser, error)
	// Reviews are all that people said of a defect, oldest first.
	Reviews(ctx context.Context, id inspection.DefectID) ([]inspection.ReviewRecord, error)
	// ReviewQueue is what waits for a person; *inspection.ConflictError for a coil that has not ended.
	ReviewQueue(ctx context.Context, q inspection.QueueQuery) (inspection.QueuePage, error)
	// Similar are the defects of other coils that look most like one, the most alike first.
	Similar(ctx context.Context, id inspection.DefectID, limit int) ([]inspection.Neighbour, error)
	// Neighbours are the defects within so much strip of one on its side, the nearest first.
	// Repeats are those that repeat with a defect along the strip, itself among them.
	Repeats(ctx context.Context, id inspection.DefectID) ([]inspection.Defect, error)
	Neighbours(ctx context.Context, id inspection.DefectID, within inspection.MM, limit int) ([]inspection.Neighbour, error)
	// Gradings are all grades that a coil was given, oldest first.
	Gradings(ctx context.Context, id inspection.CoilID) ([]inspection.Grading, error)
}

// Reviewer takes what people say of defects. Revision is the one of the record that the person saw, 0
// for any; *inspection.StaleError where the record has another.
type Reviewer interface {
	Review(ctx context.Context, id inspection.DefectID, r inspection.Review, revision int) (inspection.Defect, error)
	// Withdraw takes back the review that stands; *inspection.ConflictError where by did not give it.
	Withdraw(ctx context.Context, id inspection.DefectID, by string, revision int) (inspection.Defect, error)
	// Regrade judges a coil anew by its reviews; *inspection.ConflictError where it has not ended, or
	// where its grade rests on every review already.
	Regrade(ctx context.Context, id inspection.CoilID, by string, revision int) (inspection.Coil, error)
}

// ChangeLog serves the MES.
type ChangeLog interface {
	// Changes returns entries with Seq > after, at most limit, at once.
	Changes(ctx context.Context, after int64, limit int) (inspection.ChangePage, error)
	// Committed is closed when the next change commits; take it before reading to miss none.
	Committed() <-chan struct{}
	// SetCursor acknowledges entries up to acked for a consumer, registering it at first sight.
	// Going back is a *inspection.ConflictError unless rewind is set.
	SetCursor(ctx context.Context, consumer string, acked int64, rewind bool) error
	Cursor(ctx context.Context, consumer string) (int64, error)
}

// CoilControl is the mill's tracking speaking to the line.
type CoilControl interface {
	// Announce records order data; created tells whether the coil was new. A coil that already ran
	// is a *inspection.ConflictError.
	Announce(ctx context.Context, id inspection.CoilID, o inspection.CoilOrder) (c inspection.Coil, created bool, err error)
	Start(ctx context.Context, id inspection.CoilID) (inspection.Coil, error)
	Finish(ctx context.Context, id inspection.CoilID) (inspection.Coil, error)
}

// RecipeBook lists the recipes, every version.
type RecipeBook interface {
	Recipes(ctx context.Context) ([]inspection.Recipe, error)
}

// LiveView shows the line now.
type LiveView interface {
	Live() Live
	// StripPicture copies the live rows of a side after row (exclusive), the newest ones if there
	// are too many.
	StripPicture(side inspection.Side, after int64) StripPicture
}
