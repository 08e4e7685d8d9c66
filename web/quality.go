package web

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// SampleBook draws random samples of defects and keeps which they are. Errors are *inspection.FieldError (a draw that
// is not allowed, or finds nothing), *inspection.NotFoundError, or a failure.
type SampleBook interface {
	DrawSample(ctx context.Context, d inspection.SampleDraw) (inspection.Sample, error)
	// Sample gives the defects as they are now, in the random order of the draw.
	Sample(ctx context.Context, id inspection.SampleID) (inspection.Sample, []inspection.Defect, error)
	// Samples are the newest, at most limit, the newest first.
	Samples(ctx context.Context, limit int) ([]inspection.Sample, error)
}

// StabilityBook tells what the checks against reference coils gave, the newest first, at most limit.
type StabilityBook interface {
	StabilityChecks(limit int) (inspection.StabilityHistory, error)
}

// mostSamples bounds a list: a sample a week for two years.
const mostSamples = 100

// SampleRequest asks for a sample.
type SampleRequest struct {
	Count         int       `json:"count" minimum:"1" maximum:"2000" doc:"Defects to draw, in all"`
	LeastPerClass *int      `json:"least_per_class,omitempty" minimum:"0" maximum:"500" doc:"5 where it is absent. Of each class of the model's answer, as far as it has so many"`
	Since         time.Time `json:"since,omitempty" doc:"Leave out defects seen before it"`
	Seed          *uint64   `json:"seed,omitempty" doc:"The same seed on the same record draws the same defects; without it a random one"`
	By            string    `json:"by,omitempty" maxLength:"64" doc:"The name of the person"`
}

// SampleList is the newest samples.
type SampleList struct {
	Samples []inspection.Sample `json:"samples"`
}

// SampleDetail is a sample with its defects.
type SampleDetail struct {
	inspection.Sample
	Reviewed int                 `json:"reviewed" doc:"Defects of the sample that have a review"`
	Open     int                 `json:"open" doc:"Defects of the sample that have none yet"`
	Defects  []inspection.Defect `json:"defects" doc:"In random order: review them from the first on. One with a review is done"`
}

// ClassificationRate is what people's reviews of a sample say of the model.
type ClassificationRate struct {
	inspection.RateEstimate
	Sample inspection.Sample `json:"sample"`
	// Unreviewed holds the classes that keep the stratified estimate from being given.
	Unreviewed []inspection.DefectClass `json:"unreviewed_classes" doc:"While there is one, stratified is absent"`
}

// DetailOf lists a sample's defects, given as they are now.
func DetailOf(s inspection.Sample, defects []inspection.Defect) SampleDetail {
	e := inspection.EstimateRate(s, defects)
	return SampleDetail{Sample: s, Reviewed: e.Reviewed, Open: e.Open, Defects: list(defects)}
}

// RateOf counts the reviews of a sample's defects, given as they are now.
func RateOf(s inspection.Sample, defects []inspection.Defect) ClassificationRate {
	e := inspection.EstimateRate(s, defects)
	return ClassificationRate{RateEstimate: e, Sample: s, Unreviewed: list(e.Unreviewed())}
}

func (a *api) registerQuality() {
	read := []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError}
	huma.Register(a.huma, huma.Operation{
		OperationID: "draw-sample", Method: http.MethodPost, Path: "/api/v1/quality/samples", Tags: []string{"quality"},
		Summary:       "Draw a random sample of recorded defects for people to review",
		Description:   "Stratified by the class the model gave, in proportion to their numbers with a least of each. Defects without a picture or without an answer of the model are left out.",
		DefaultStatus: http.StatusCreated,
		Errors:        []int{http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusInsufficientStorage}, MaxBodyBytes: maxBody,
	}, a.drawSample)
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-samples", Method: http.MethodGet, Path: "/api/v1/quality/samples", Tags: []string{"quality"},
		Summary: "List the newest samples, the newest first",
		Errors:  []int{http.StatusInternalServerError},
	}, a.listSamples)
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-sample", Method: http.MethodGet, Path: "/api/v1/quality/samples/{id}", Tags: []string{"quality"},
		Summary: "Read a sample: which defects were drawn, and which of them are reviewed",
		Errors:  read,
	}, a.getSample)
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-classification-rate", Method: http.MethodGet, Path: "/api/v1/quality/classification-rate", Tags: []string{"quality"},
		Summary:     "How often people agree with the model, with 95 % intervals",
		Description: "Counts the standing reviews of one sample's defects and no others: reviews of defects that people chose themselves say nothing of the rest. Per class of the model's answer and in all with Wilson intervals; stratified weighs the classes by their numbers and is the plant's rate.",
		Errors:      read,
	}, a.getClassificationRate)
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-stability-checks", Method: http.MethodGet, Path: "/api/v1/quality/stability", Tags: []string{"quality"},
		Summary:     "List what the checks against reference coils gave, the newest first",
		Description: "Each is a pass of a reference coil by \"coilsight stability check\": the figures with their limits, and what was not the same as at the baseline.",
		Errors:      []int{http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, a.listStabilityChecks)
}

type stabilityInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"400" default:"30"`
}

type stabilityOutput struct{ Body inspection.StabilityHistory }

func (a *api) listStabilityChecks(ctx context.Context, in *stabilityInput) (*stabilityOutput, error) {
	h, err := a.Stability.StabilityChecks(in.Limit)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	h.Checks = list(h.Checks)
	return &stabilityOutput{h}, nil
}

type sampleOutput struct{ Body inspection.Sample }

func (a *api) drawSample(ctx context.Context, in *struct{ Body SampleRequest }) (*sampleOutput, error) {
	b := in.Body
	d := inspection.SampleDraw{Since: b.Since, Count: b.Count, Least: inspection.LeastPerClass, By: strings.TrimSpace(b.By), Seed: uint64(rand.Uint32())}
	if b.LeastPerClass != nil {
		d.Least = *b.LeastPerClass
	}
	if b.Seed != nil {
		d.Seed = *b.Seed
	}
	s, err := a.Samples.DrawSample(ctx, d)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &sampleOutput{s}, nil
}

type sampleListOutput struct{ Body SampleList }

func (a *api) listSamples(ctx context.Context, _ *struct{}) (*sampleListOutput, error) {
	some, err := a.Samples.Samples(ctx, mostSamples)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &sampleListOutput{SampleList{list(some)}}, nil
}

type sampleInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The sample's id"`
}

type sampleDetailOutput struct{ Body SampleDetail }

func (a *api) getSample(ctx context.Context, in *sampleInput) (*sampleDetailOutput, error) {
	s, defects, err := a.Samples.Sample(ctx, inspection.SampleID(in.ID))
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &sampleDetailOutput{DetailOf(s, defects)}, nil
}

type rateInput struct {
	Sample int64 `query:"sample" minimum:"1" required:"true" doc:"The sample's id"`
}

type rateOutput struct{ Body ClassificationRate }

func (a *api) getClassificationRate(ctx context.Context, in *rateInput) (*rateOutput, error) {
	s, defects, err := a.Samples.Sample(ctx, inspection.SampleID(in.Sample))
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &rateOutput{RateOf(s, defects)}, nil
}
