package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// TrendBook adds up what was recorded. Errors are *inspection.FieldError or a failure.
type TrendBook interface {
	Trends(ctx context.Context, q inspection.TrendQuery) (inspection.Trends, error)
}

const (
	// trendPeriod is the one that is shown where none was asked for.
	trendPeriod = 7 * 24 * time.Hour
	// maxShiftTimes bounds how often a shift may work in the period of a list of coils: more than a year.
	maxShiftTimes = 400
)

type trendsInput struct {
	Since      time.Time              `query:"since" doc:"Coils that began not before this time; left out: 7 days before until"`
	Until      time.Time              `query:"until" doc:"Coils that began before this time; left out: now"`
	Bucket     inspection.Bucket      `query:"bucket" enum:"hour,shift,day,week" doc:"Steps of time, by the plant's clock; left out: one that suits the period"`
	Recipe     string                 `query:"recipe" maxLength:"64" doc:"Of this recipe alone, every version"`
	SteelGrade string                 `query:"steel_grade" maxLength:"64" doc:"Of this steel grade alone"`
	Without    []inspection.CoilField `query:"without" enum:"recipe,steel_grade" maxItems:"2" doc:"Of coils that were recorded without these, as many as are named, parted by commas"`
	Class      inspection.DefectClass `query:"class" maxLength:"64" doc:"Defects of this class alone; grades stay those of all coils"`
	Side       string                 `query:"side" enum:"top,bottom" doc:"This side alone; grades stay those of all coils"`
}

type trendsOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         inspection.Trends
}

func (a *api) registerTrends() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-trends", Method: http.MethodGet, Path: "/api/v1/trends", Tags: []string{"trends"},
		Summary: "Read defect rates, grades and reviews over time, by class, shift, recipe and steel grade, along and across the strip",
		Description: "Rests on coils that have ended, placed by when they began. A defect counts in the class that a person gave it last, where one did, and not at all where a person called it no_defect. " +
			"Rates are per 100 m of screened side. Reviews are those that people chose to make: GET /api/v1/quality/classification-rate tells the plant's rate from a random sample.",
		Errors: []int{http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, a.getTrends)
}

func (a *api) getTrends(ctx context.Context, in *trendsInput) (*trendsOutput, error) {
	q := inspection.TrendQuery{
		Since: in.Since, Until: in.Until, Bucket: in.Bucket, Recipe: in.Recipe, SteelGrade: in.SteelGrade, Without: in.Without,
		Class: in.Class, Side: inspection.Side(in.Side), Calendar: a.Calendar,
	}
	if q.Until.IsZero() {
		q.Until = time.Now()
	}
	if q.Since.IsZero() {
		q.Since = q.Until.Add(-trendPeriod)
	}
	if q.Bucket == "" {
		q.Bucket = inspection.BucketFor(q.Until.Sub(q.Since))
	}
	t, err := a.Trends.Trends(ctx, q)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	t.Pareto, t.Profiles, t.Reviews = list(t.Pareto), list(t.Profiles), list(t.Reviews)
	t.Shifts, t.Recipes, t.SteelGrades = list(t.Shifts), list(t.Recipes), list(t.SteelGrades)
	t.Choices.Recipes, t.Choices.SteelGrades, t.Choices.Shifts = list(t.Choices.Recipes), list(t.Choices.SteelGrades), list(t.Choices.Shifts)
	return &trendsOutput{"no-cache", t}, nil
}

// worked is when a shift works in the period that a list of coils was asked for; nil where no shift was.
func (a *api) worked(in *listCoilsInput) ([]inspection.Period, error) {
	if in.Shift == "" {
		return nil, nil
	}
	if in.Since.IsZero() {
		return nil, &inspection.FieldError{Field: "shift", Reason: fmt.Sprintf("%s needs a period; give since, and until where it is not now", in.Shift)}
	}
	until := in.Until
	if until.IsZero() {
		until = time.Now()
	}
	during, err := a.Calendar.WorkedBy(in.Shift, inspection.Period{From: in.Since, Until: until}, maxShiftTimes)
	return append([]inspection.Period{}, during...), err
}
