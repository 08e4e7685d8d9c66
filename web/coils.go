package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// CoilPath is the id of a coil. It names a folder too, hence the narrow set of characters.
type CoilPath struct {
	ID string `path:"id" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9_-][A-Za-z0-9._-]*$" patternDescription:"1 to 64 of A-Z a-z 0-9 . _ - without a leading dot" doc:"The coil's id, as the mill's tracking names it"`
}

func (p CoilPath) id() inspection.CoilID { return inspection.CoilID(p.ID) }

// PageParams choose a page of a list.
type PageParams struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"next_cursor of the page before; leave out for the first page"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

// IfNoneMatch makes a read conditional.
type IfNoneMatch struct {
	Tags string `header:"If-None-Match" doc:"ETag of an earlier answer: 304 without a body while nothing has changed"`
}

// unchanged reports whether the client already has the version tagged etag.
func (h IfNoneMatch) unchanged(etag string) bool {
	for t := range strings.SplitSeq(h.Tags, ",") {
		if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == etag || t == "*" {
			return true
		}
	}
	return false
}

func notModified(etag string) error {
	return huma.ErrorWithHeaders(huma.Status304NotModified(), http.Header{"Etag": {etag}})
}

// etagOf tags a version of a coil's record: the revision grows with every change of it.
func etagOf(c inspection.Coil) string { return fmt.Sprintf(`"%s-%d"`, c.ID, c.Revision) }

// CoilList is a page of coils.
type CoilList struct {
	Coils      []inspection.Coil `json:"coils"`
	NextCursor string            `json:"next_cursor,omitempty" doc:"Pass as cursor for the next page; absent on the last"`
}

// CoilDetail is a coil with its verdict.
type CoilDetail struct {
	inspection.Coil
	Result   *inspection.InspectionResult `json:"result,omitempty" doc:"The grade with the trail of rules that led to it; absent until the coil is closed"`
	Gradings []inspection.Grading         `json:"gradings" doc:"Every grade the coil was given, oldest first; the last one stands"`
}

// GapList holds all gaps of a coil.
type GapList struct {
	Gaps []inspection.Gap `json:"gaps"`
}

func (a *api) registerCoils() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-coils", Method: http.MethodGet, Path: "/api/v1/coils", Tags: []string{"coils"},
		Summary:     "List coils",
		Description: "Newest first, by the time they started or, where they have not, were announced.",
		Errors:      []int{http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, a.listCoils)
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-coil", Method: http.MethodGet, Path: "/api/v1/coils/{id}", Tags: []string{"coils"},
		Summary: "Read one coil with its grade and the reasons for it",
		Errors:  []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, a.getCoil)
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-gaps", Method: http.MethodGet, Path: "/api/v1/coils/{id}/gaps", Tags: []string{"coils"},
		Summary: "List the parts of a coil that were not fully inspected",
		Errors:  []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, a.listGaps)
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-map", Method: http.MethodGet, Path: "/api/v1/coils/{id}/map.bin", Tags: []string{"coils"},
		Summary:     "Read all defects of a coil as columns",
		Description: mapLayout,
		Responses:   binaryAnswer("application/octet-stream", "The map, in the layout above"),
		Errors:      []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, a.getMap)
}

type listCoilsInput struct {
	PageParams
	State []inspection.CoilState `query:"state,explode" doc:"Only these states; may be repeated"`
	Grade []inspection.Grade     `query:"grade,explode" doc:"Only these grades; may be repeated"`
	Text  string                 `query:"q" maxLength:"64" doc:"Part of the coil id or of the steel grade"`
	Since time.Time              `query:"since" doc:"Not before this time"`
	Until time.Time              `query:"until" doc:"Before this time"`

	Shift      inspection.ShiftStart  `query:"shift" maxLength:"5" doc:"Began in this shift, named by its start such as 06:00; needs since"`
	Recipe     string                 `query:"recipe" maxLength:"64" doc:"Only this recipe, every version"`
	SteelGrade string                 `query:"steel_grade" maxLength:"64" doc:"Only this steel grade"`
	Without    []inspection.CoilField `query:"without" enum:"recipe,steel_grade" maxItems:"2" doc:"Only coils that were recorded without these, as many as are named, parted by commas"`
	Class      inspection.DefectClass `query:"class" maxLength:"64" doc:"Only with a defect of this class, by the newest review of each defect where there is one"`
	Side       string                 `query:"side" enum:"top,bottom" doc:"Only with a defect on this side; together with class, with one of it there"`
	Along      int                    `query:"along" minimum:"1" maximum:"20" doc:"Only coils that have ended with such a defect, or with any, in this twentieth of their length, counted from the head end"`
	Across     int                    `query:"across" minimum:"1" maximum:"20" doc:"Like along, by the width, counted from the operator-side edge; not together with along"`
	Reviewed   inspection.DefectClass `query:"reviewed" maxLength:"64" doc:"Only with a reviewed defect that the model gave this class, on side where that is given"`
}

type listCoilsOutput struct{ Body CoilList }

func (a *api) listCoils(ctx context.Context, in *listCoilsInput) (*listCoilsOutput, error) {
	during, err := a.worked(in)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	page, err := a.Reader.Coils(ctx, inspection.CoilQuery{
		States: in.State, Grades: in.Grade, Text: in.Text, Since: in.Since, Until: in.Until,
		During: during, Recipe: in.Recipe, SteelGrade: in.SteelGrade, Without: in.Without,
		Class: in.Class, Side: inspection.Side(in.Side), Along: in.Along, Across: in.Across, Reviewed: in.Reviewed,
		Cursor: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &listCoilsOutput{CoilList{Coils: list(page.Coils), NextCursor: page.NextCursor}}, nil
}

type getCoilInput struct {
	CoilPath
	IfNoneMatch
}

type getCoilOutput struct {
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         CoilDetail
}

func (a *api) getCoil(ctx context.Context, in *getCoilInput) (*getCoilOutput, error) {
	c, err := a.Reader.Coil(ctx, in.id())
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	tag := etagOf(c)
	if in.unchanged(tag) {
		return nil, notModified(tag)
	}
	return a.answerCoil(ctx, c)
}

// answerCoil gives a coil with its verdict.
func (a *api) answerCoil(ctx context.Context, c inspection.Coil) (*getCoilOutput, error) {
	gradings, err := a.Reader.Gradings(ctx, c.ID)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	out := &getCoilOutput{ETag: etagOf(c), CacheControl: "no-cache", Body: CoilDetail{Coil: c, Gradings: list(gradings)}}
	if c.State == inspection.Closed || c.State == inspection.Interrupted {
		res, err := a.Reader.Result(ctx, c.ID)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		out.Body.Result = &res
	}
	return out, nil
}

type listGapsOutput struct{ Body GapList }

func (a *api) listGaps(ctx context.Context, in *struct{ CoilPath }) (*listGapsOutput, error) {
	gaps, err := a.Reader.Gaps(ctx, in.id())
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &listGapsOutput{GapList{Gaps: list(gaps)}}, nil
}

type bytesOutput struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	ETag         string `header:"ETag"`
	Body         []byte
}

type getMapInput struct {
	CoilPath
	IfNoneMatch
	Skip int `query:"skip" minimum:"0" doc:"Leaves out so many of the first defects: those that the caller has, while a coil runs"`
}

func (a *api) getMap(ctx context.Context, in *getMapInput) (*bytesOutput, error) {
	c, err := a.Reader.Coil(ctx, in.id())
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	if tag := etagOf(c); in.unchanged(tag) {
		return nil, notModified(tag)
	}
	if in.Skip > c.Counts.Defects {
		return nil, a.fail(ctx, &inspection.FieldError{Field: "skip", Reason: fmt.Sprintf("%d defects cannot be left out; coil %s has %d", in.Skip, c.ID, c.Counts.Defects)})
	}
	var m *mapEncoder
	err = a.Reader.MapDefects(ctx, in.id(),
		func(now inspection.Coil) { c, m = now, newMapEncoder(now, in.Skip) },
		func(d inspection.MapDefect) { m.add(d) })
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	body, err := m.bytes()
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &bytesOutput{ContentType: "application/octet-stream", CacheControl: "no-cache", ETag: etagOf(c), Body: body}, nil
}

// list keeps an empty list from becoming null.
func list[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}
