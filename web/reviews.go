package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// ReviewRequest is what a person says of a defect.
type ReviewRequest struct {
	Class    inspection.DefectClass `json:"class" minLength:"1" maxLength:"64" doc:"A class of the catalogue, no_defect, or unknown for none of them"`
	By       string                 `json:"by" minLength:"1" maxLength:"64" doc:"The name of the person"`
	Note     string                 `json:"note,omitempty" maxLength:"500"`
	Severity *inspection.Severity   `json:"severity,omitempty" minimum:"0" maximum:"4" doc:"Left out: the one that the coil's recipe gives the class. Not with no_defect"`
}

// RegradeRequest asks for a coil to be graded again.
type RegradeRequest struct {
	By string `json:"by" minLength:"1" maxLength:"64" doc:"The name of the person"`
}

// ReviewList is a defect's history of reviews.
type ReviewList struct {
	Reviews []inspection.ReviewRecord `json:"reviews"`
}

// IfMatch makes a command conditional on what its sender saw.
type IfMatch struct {
	Tags string `header:"If-Match" doc:"ETag of what the decision rests on, or * for whatever is there: 412 where it has changed since, 428 where this is left out"`
}

// revision is the one of the record id that the sender saw; 0 stands for any.
func (h IfMatch) revision(id string) (int, error) {
	if h.Tags == "" {
		return 0, problemOf(http.StatusPreconditionRequired, "If-Match is missing; allowed are the ETag of the record as it was read, and * for whatever is there")
	}
	for t := range strings.SplitSeq(h.Tags, ",") {
		t = strings.TrimSpace(t)
		if t == "*" {
			return 0, nil
		}
		tag, ok := strings.CutPrefix(t, `"`+id+`-`)
		if n, err := strconv.Atoi(strings.TrimSuffix(tag, `"`)); ok && err == nil && n > 0 {
			return n, nil
		}
	}
	return 0, problemOf(http.StatusPreconditionFailed, fmt.Sprintf("If-Match is %s, which is no ETag of this record; an ETag is its id and revision: %q", h.Tags, id+"-1"))
}

func reviewErrors() []int {
	return append(commandErrors(), http.StatusPreconditionFailed, http.StatusPreconditionRequired)
}

func (a *api) registerReviews() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "review-defect", Method: http.MethodPut, Path: "/api/v1/defects/{id}/review", Tags: []string{"reviews"},
		Summary:     "Say what a defect is",
		Description: "Records a person's answer beside the model's, which stays. The newest review stands, those before are kept. The defect's revision grows and the change log tells of it; the coil keeps its grade until it is graded again.",
		Errors:      reviewErrors(), MaxBodyBytes: maxBody,
	}, a.reviewDefect)
	huma.Register(a.huma, huma.Operation{
		OperationID: "withdraw-review", Method: http.MethodDelete, Path: "/api/v1/defects/{id}/review", Tags: []string{"reviews"},
		Summary:     "Take back the review of a defect that stands",
		Description: "Only the person who gave it may. What stood before it stands again: an earlier review, or the model's answer. Nothing is deleted: the review stays in the list with who took it back, and the change log tells of it. 409 where nothing stands that this person gave.",
		Errors:      reviewErrors(),
	}, a.withdrawReview)
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-reviews", Method: http.MethodGet, Path: "/api/v1/defects/{id}/reviews", Tags: []string{"reviews"},
		Summary: "List what people said of a defect, oldest first",
		Errors:  []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, a.listReviews)
	huma.Register(a.huma, huma.Operation{
		OperationID: "regrade-coil", Method: http.MethodPost, Path: "/api/v1/coils/{id}/regrade", Tags: []string{"reviews"},
		Summary:     "Grade a coil again, by what people said of its defects",
		Description: "Under the recipe version it ran with. A reviewed defect counts with the class it was given, at full confidence; one reviewed as no_defect is absent. The grades before are kept: see gradings. 409 for a coil that has not ended, or whose grade rests on every review already.",
		Errors:      reviewErrors(), MaxBodyBytes: maxBody,
	}, a.regrade)
}

type reviewInput struct {
	DefectPath
	IfMatch
	Body ReviewRequest
}

func (a *api) reviewDefect(ctx context.Context, in *reviewInput) (*defectOutput, error) {
	revision, err := in.revision(strconv.FormatInt(in.ID, 10))
	if err != nil {
		return nil, err
	}
	catalogue := a.Models.Classes()
	classes := make([]inspection.DefectClass, 0, len(catalogue))
	for _, c := range catalogue {
		classes = append(classes, c.ID)
	}
	r := inspection.Review{Class: in.Body.Class, By: strings.TrimSpace(in.Body.By), Note: strings.TrimSpace(in.Body.Note), Severity: in.Body.Severity}
	if err := r.Check(classes); err != nil {
		return nil, a.fail(ctx, err)
	}
	d, err := a.Reviewer.Review(ctx, inspection.DefectID(in.ID), r, revision)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return answerDefect(d), nil
}

type withdrawInput struct {
	DefectPath
	IfMatch
	By string `query:"by" required:"true" minLength:"1" maxLength:"64" doc:"The name of the person"`
}

func (a *api) withdrawReview(ctx context.Context, in *withdrawInput) (*defectOutput, error) {
	revision, err := in.revision(strconv.FormatInt(in.ID, 10))
	if err != nil {
		return nil, err
	}
	by := strings.TrimSpace(in.By)
	if inspection.CheckReviewer(by) != nil {
		return nil, a.fail(ctx, &inspection.FieldError{Field: "query.by", Reason: strconv.Quote(in.By) + " is not a name; allowed are 1 to 64 characters that are not all spaces"})
	}
	d, err := a.Reviewer.Withdraw(ctx, inspection.DefectID(in.ID), by, revision)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return answerDefect(d), nil
}

type listReviewsOutput struct{ Body ReviewList }

func (a *api) listReviews(ctx context.Context, in *DefectPath) (*listReviewsOutput, error) {
	reviews, err := a.Reader.Reviews(ctx, inspection.DefectID(in.ID))
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &listReviewsOutput{ReviewList{list(reviews)}}, nil
}

type regradeInput struct {
	CoilPath
	IfMatch
	Body RegradeRequest
}

func (a *api) regrade(ctx context.Context, in *regradeInput) (*getCoilOutput, error) {
	return a.decide(ctx, in.CoilPath, in.IfMatch, in.Body.By, func(by string, revision int) (inspection.Coil, error) {
		return a.Reviewer.Regrade(ctx, in.id(), by, revision)
	})
}
