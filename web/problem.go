package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/coilsight/coilsight/inspection"
)

// problemKind is one type of RFC 9457 problem. Its slug is part of the interface and never changes.
type problemKind struct {
	status int
	slug   string
	title  string
	advice string
}

const failureDetail = "the appliance could not answer; its log has the reason"

// problemKinds lists every problem the API answers with, one for each status.
func problemKinds() []problemKind {
	return []problemKind{
		{http.StatusBadRequest, "bad-request", "The request cannot be read", "Send well-formed JSON with Content-Type: application/json."},
		{http.StatusForbidden, "cross-origin", "Requests from other origins are refused", "Send commands from the appliance's own pages or from a program, not from another site's page."},
		{http.StatusNotFound, "not-found", "Not recorded", "Check the id; GET /api/v1/coils lists what is recorded."},
		{http.StatusMethodNotAllowed, "method-not-allowed", "The method is not allowed here", "See /docs for the methods of each path."},
		{http.StatusNotAcceptable, "not-acceptable", "The wanted format is not offered", "Ask for application/json."},
		{http.StatusRequestTimeout, "request-timeout", "The request did not arrive in time", "Send it again."},
		{http.StatusConflict, "conflict", "The request does not fit the present state", "Read the record, then decide again."},
		{http.StatusGone, "changes-gone", "These changes are no longer kept", "Read the coils anew through GET /api/v1/coils, then follow the change log from the number given in the answer."},
		{http.StatusPreconditionFailed, "stale", "The record has changed since it was read", "Read the record anew, then decide again and send its new ETag in If-Match."},
		{http.StatusRequestEntityTooLarge, "too-large", "The request is too large", fmt.Sprintf("A body may have %d bytes.", maxBody)},
		{http.StatusUnsupportedMediaType, "unsupported-media-type", "The body's format is not understood", "Send application/json."},
		{http.StatusUnprocessableEntity, "invalid-value", "A value is not allowed", "The list \"errors\" names each field with what is allowed."},
		{http.StatusPreconditionRequired, "precondition-required", "The request must say what it rests on", "Send the ETag of the record as it was read in If-Match, or * for whatever is there."},
		{http.StatusInternalServerError, "internal", "The appliance failed to answer", "Try again later; tell whoever runs the appliance, whose log has the reason."},
		{http.StatusServiceUnavailable, "unavailable", "The appliance cannot take this now", "Wait as long as Retry-After says, then try again."},
		{http.StatusInsufficientStorage, "storage-full", "The data directory is full", "Free space on the appliance; nothing already recorded is lost."},
	}
}

// kindOf finds the problem for a status; one that is not listed counts as a failure of ours.
func kindOf(status int) problemKind {
	var failure problemKind
	for _, k := range problemKinds() {
		if k.status == status {
			return k
		}
		if k.status == http.StatusInternalServerError {
			failure = k
		}
	}
	return failure
}

func problemOf(status int, detail string, errs ...*huma.ErrorDetail) *huma.ErrorModel {
	k := kindOf(status)
	return &huma.ErrorModel{Type: "/problems/" + k.slug, Title: k.title, Status: status, Detail: detail, Errors: errs}
}

// typed gives the problems that huma itself finds (a value out of range, an unknown field) their type.
func typed(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok || m.Type != "" || m.Status == http.StatusNotModified {
		return v, nil
	}
	k := kindOf(m.Status)
	m.Type, m.Title = "/problems/"+k.slug, k.title
	for _, e := range m.Errors {
		// huma locates a missing field at what should hold it.
		if name, ok := strings.CutPrefix(e.Message, "expected required property "); ok {
			name, _, _ = strings.Cut(name, " ")
			e.Location += "." + name
		}
	}
	return m, nil
}

// fail turns an error of the parts behind the API into a problem; what is not the caller's mistake goes
// to the log only.
func (a *api) fail(ctx context.Context, err error) error {
	var (
		field    *inspection.FieldError
		notFound *inspection.NotFoundError
		conflict *inspection.ConflictError
		stale    *inspection.StaleError
		gone     *inspection.GoneError
		full     *inspection.StorageFullError
	)
	switch {
	case errors.As(err, &field):
		return problemOf(http.StatusUnprocessableEntity, field.Error(), &huma.ErrorDetail{Message: field.Reason, Location: location(field.Field)})
	case errors.As(err, &notFound):
		return problemOf(http.StatusNotFound, notFound.Error())
	case errors.As(err, &conflict):
		return problemOf(http.StatusConflict, conflict.Error())
	case errors.As(err, &stale):
		return problemOf(http.StatusPreconditionFailed, stale.Error())
	case errors.As(err, &gone):
		return problemOf(http.StatusGone, gone.Error(), &huma.ErrorDetail{Message: "older than what is kept", Location: "query.after", Value: gone.After})
	case errors.As(err, &full):
		a.log.ErrorContext(ctx, "storage is full", "error", err, "cause", full.Err)
		return problemOf(http.StatusInsufficientStorage, full.Error())
	case ctx.Err() != nil:
		return problemOf(http.StatusServiceUnavailable, "the request was given up before it was answered")
	}
	a.log.ErrorContext(ctx, "request failed", "error", err)
	return problemOf(http.StatusInternalServerError, failureDetail)
}

// location says in which part of the request a field of the parts behind the API came.
func location(field string) string {
	switch {
	case field == "cursor":
		return "query.cursor"
	case field == "id" || field == "consumer":
		return "path." + field
	case strings.HasPrefix(field, "query.") || strings.HasPrefix(field, "body.") || strings.HasPrefix(field, "path."):
		return field
	}
	return "body." + field
}

func writeProblem(c *gin.Context, m *huma.ErrorModel) {
	writeProblemTo(c.Writer, m)
	c.Abort()
}

func writeProblemTo(w http.ResponseWriter, m *huma.ErrorModel) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(m.Status)
	_ = json.NewEncoder(w).Encode(m) // the client has gone if this fails
}

// explainProblem answers the type URI of a problem with what to do about it.
func explainProblem(c *gin.Context) {
	for _, k := range problemKinds() {
		if k.slug == c.Param("slug") {
			c.String(http.StatusOK, "%s (%d)\n\n%s\n", k.title, k.status, k.advice)
			return
		}
	}
	writeProblem(c, problemOf(http.StatusNotFound, fmt.Sprintf("there is no problem called %q", c.Param("slug"))))
}

// answer is a body, or the problem that took its place.
func answer[T any](ctx context.Context, a *api, body T, err error) (*struct{ Body T }, error) {
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &struct{ Body T }{body}, nil
}
