package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// ReviewQueue is a page of what waits for a person.
type ReviewQueue struct {
	Items      []inspection.QueueItem         `json:"items"`
	Waiting    int                            `json:"waiting" doc:"Defects in the whole queue, whatever reason was asked for"`
	ByReason   map[inspection.QueueReason]int `json:"by_reason" doc:"A defect counts under each of its reasons"`
	NextCursor string                         `json:"next_cursor,omitempty" doc:"Pass as cursor for the next page; absent on the last"`
}

// NeighbourList holds the defects beside one.
type NeighbourList struct {
	Defects []inspection.Neighbour `json:"defects"`
}

func (a *api) registerQueue() {
	read := []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError}
	huma.Register(a.huma, huma.Operation{
		OperationID: "read-review-queue", Method: http.MethodGet, Path: "/api/v1/review-queue", Tags: []string{"reviews"},
		Summary: "List the defects that wait for a person, the most telling first",
		Description: "What nobody reviewed of coils that ended in the last 7 days, and of older ones on hold or block that nobody graded again, released or rejected what decides their grade. " +
			"First what decides the grade, where the fewest answers turn a rule; then what the model has no class for; then severe ones; then those below the confidence that the configuration says; " +
			"then one of each group that repeats along the strip; then the rest, the least sure first. A defect without a picture waits only where it decides a grade. 409 for a coil that has not ended.",
		Errors: append(read, http.StatusConflict),
	}, a.reviewQueue)
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-similar-defects", Method: http.MethodGet, Path: "/api/v1/defects/{id}/similar", Tags: []string{"reviews"},
		Summary:     "List the defects of other coils that look most like one",
		Description: "By what the model sees in their pictures, among the newest 200,000 that the same model classified, with what people said of them. Empty where nothing is known of the defect's picture.",
		Errors:      read,
	}, a.similar)
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-neighbours", Method: http.MethodGet, Path: "/api/v1/defects/{id}/neighbours", Tags: []string{"reviews"},
		Summary: "List the defects around one on the same side of its coil, the nearest along the strip first",
		Errors:  read,
	}, a.neighbours)
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-repeats", Method: http.MethodGet, Path: "/api/v1/defects/{id}/repeats", Tags: []string{"reviews"},
		Summary:     "List the defects that repeat with one along the strip, itself among them",
		Description: "Of one class, side and place across, at distances that are alike, as a mark on a roll leaves; at most 500, in order along the strip. Empty where the defect does not repeat.",
		Errors:      read,
	}, a.repeats)
}

type repeatsOutput struct {
	Body struct {
		Defects []inspection.Defect `json:"defects"`
	}
}

func (a *api) repeats(ctx context.Context, in *DefectPath) (*repeatsOutput, error) {
	some, err := a.Reader.Repeats(ctx, inspection.DefectID(in.ID))
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	out := new(repeatsOutput)
	out.Body.Defects = list(some)
	return out, nil
}

type queueInput struct {
	Cursor string                 `query:"cursor" maxLength:"200" doc:"next_cursor of the page before; leave out for the first page"`
	Limit  int                    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Coil   string                 `query:"coil" maxLength:"64" doc:"Only this coil, however old"`
	Reason inspection.QueueReason `query:"reason" enum:"decides_grade,unknown,severe,low_confidence,repeats,other" doc:"Only defects with this reason"`
}

type queueOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         ReviewQueue
}

func (a *api) reviewQueue(ctx context.Context, in *queueInput) (*queueOutput, error) {
	p, err := a.Reader.ReviewQueue(ctx, inspection.QueueQuery{Coil: inspection.CoilID(in.Coil), Reason: in.Reason, Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &queueOutput{"no-store", ReviewQueue{list(p.Items), p.Waiting, p.ByReason, p.NextCursor}}, nil
}

type neighboursOutput struct{ Body NeighbourList }

type similarInput struct {
	DefectPath
	Limit int `query:"limit" minimum:"1" maximum:"100" default:"12"`
}

func (a *api) similar(ctx context.Context, in *similarInput) (*neighboursOutput, error) {
	some, err := a.Reader.Similar(ctx, inspection.DefectID(in.ID), in.Limit)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &neighboursOutput{NeighbourList{list(some)}}, nil
}

type neighboursInput struct {
	DefectPath
	Limit  int     `query:"limit" minimum:"1" maximum:"100" default:"12"`
	Within float64 `query:"within_mm" minimum:"0" maximum:"100000" default:"2000" doc:"Along the strip, to both sides"`
}

func (a *api) neighbours(ctx context.Context, in *neighboursInput) (*neighboursOutput, error) {
	some, err := a.Reader.Neighbours(ctx, inspection.DefectID(in.ID), inspection.MM(in.Within), in.Limit)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &neighboursOutput{NeighbourList{list(some)}}, nil
}
