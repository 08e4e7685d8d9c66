package web

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// DefectList is a page of defects.
type DefectList struct {
	Defects    []inspection.Defect `json:"defects"`
	NextCursor string              `json:"next_cursor,omitempty" doc:"Pass as cursor for the next page; absent on the last"`
}

func (a *api) registerDefects() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-defects", Method: http.MethodGet, Path: "/api/v1/coils/{id}/defects", Tags: []string{"coils"},
		Summary:     "List a coil's defects",
		Description: "In the order in which they were recorded. Filters add up.",
		Errors:      []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, a.listDefects)
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-defect", Method: http.MethodGet, Path: "/api/v1/defects/{id}", Tags: []string{"coils"},
		Summary:     "Read one defect",
		Description: "class and confidence are the model's; review is what a person said of it last.",
		Errors:      []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, a.getDefect)
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-defect-image", Method: http.MethodGet, Path: "/api/v1/defects/{id}/image", Tags: []string{"coils"},
		Summary:     "Read the picture of a defect",
		Description: "The picture never changes and may be kept for ever. 404 where the defect has none: see has_image.",
		Responses:   binaryAnswer("image/png", "The picture"),
		Errors:      []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, a.getDefectImage)
}

type listDefectsInput struct {
	CoilPath
	PageParams
	Side          inspection.Side          `query:"side" enum:"top,bottom" doc:"Only this side"`
	Class         []inspection.DefectClass `query:"class,explode" maxItems:"64" doc:"Only these classes of the model's answer; may be repeated"`
	MinArea       float64                  `query:"min_area" minimum:"0" doc:"Least area in mm²"`
	MinConfidence float32                  `query:"min_confidence" minimum:"0" maximum:"1"`
	MinSeverity   uint8                    `query:"min_severity" maximum:"4"`
	Review        inspection.ReviewFilter  `query:"review" enum:"reviewed,unreviewed" doc:"Only defects that a person reviewed, or only those that nobody did"`
}

type listDefectsOutput struct{ Body DefectList }

func (a *api) listDefects(ctx context.Context, in *listDefectsInput) (*listDefectsOutput, error) {
	page, err := a.Reader.Defects(ctx, inspection.DefectQuery{
		Coil: in.id(), Side: in.Side, Classes: in.Class, MinArea: in.MinArea, MinConfidence: in.MinConfidence,
		MinSeverity: inspection.Severity(in.MinSeverity), Review: in.Review, Cursor: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &listDefectsOutput{DefectList{Defects: list(page.Defects), NextCursor: page.NextCursor}}, nil
}

// DefectPath is the id of a defect.
type DefectPath struct {
	ID int64 `path:"id" minimum:"1" doc:"The defect's id"`
}

type defectOutput struct {
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         inspection.Defect
}

// answerDefect tags a defect with its version: the revision grows with every change of it.
func answerDefect(d inspection.Defect) *defectOutput {
	return &defectOutput{ETag: fmt.Sprintf(`"%d-%d"`, d.ID, d.Revision), CacheControl: "no-cache", Body: d}
}

func (a *api) getDefect(ctx context.Context, in *DefectPath) (*defectOutput, error) {
	d, err := a.Reader.Defect(ctx, inspection.DefectID(in.ID))
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return answerDefect(d), nil
}

func (a *api) getDefectImage(ctx context.Context, in *DefectPath) (*bytesOutput, error) {
	r, err := a.Reader.Image(ctx, inspection.DefectID(in.ID))
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	defer r.Close()
	png, err := io.ReadAll(r)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &bytesOutput{ContentType: "image/png", CacheControl: "public, max-age=31536000, immutable", Body: png}, nil
}
