package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// Models tells of the models of the line. Its methods must answer at once.
type Models interface {
	// Models is which model classifies, which waits and which answers in the shadow.
	Models() ModelState
	// Classes is the catalogue of the model that classifies, and the answers that stand for the lack of one.
	Classes() []ClassInfo
	// ClassPicture is the PNG that shows what a class looks like; ok is false where there is none.
	ClassPicture(c inspection.DefectClass) (png []byte, ok bool)
}

// Text is a sentence in both languages.
type Text struct {
	Ko string `json:"ko"`
	En string `json:"en"`
}

// ClassInfo describes one class of the model's catalogue.
type ClassInfo struct {
	ID          inspection.DefectClass `json:"id"`
	Ko          string                 `json:"ko"`
	En          string                 `json:"en"`
	Description *Text                  `json:"description,omitempty"`
	Cause       *Text                  `json:"cause,omitempty" doc:"Where it usually comes from"`
	Remedy      *Text                  `json:"remedy,omitempty" doc:"What is usually done"`
	HasPicture  bool                   `json:"has_picture" doc:"GET /api/v1/classes/{id}/picture shows what it looks like"`
}

// ModelState is which model classifies, which waits and which answers in the shadow.
type ModelState struct {
	Active  string           `json:"active" doc:"Name and version of the bundle that classifies"`
	Next    string           `json:"next,omitempty" doc:"Proven, and takes over at the next coil"`
	Refused []string         `json:"refused" doc:"Why a bundle that is wanted is not taken"`
	Shadow  *ShadowAgreement `json:"shadow,omitempty"`
}

// ShadowAgreement is how often the shadow answered as the model that classifies did, on the same crops.
type ShadowAgreement struct {
	Shadow   string        `json:"shadow" doc:"Name and version of the bundle"`
	Since    time.Time     `json:"since"`
	Compared int           `json:"compared" doc:"Crops that both answered"`
	Agreed   int           `json:"agreed"`
	Skipped  int           `json:"skipped" doc:"Crops that came while the shadow was busy"`
	Answers  []AnswerCount `json:"answers" doc:"Each pair of answers, the commonest first"`
}

// AnswerCount is one cell of the table of both models' answers.
type AnswerCount struct {
	Active inspection.DefectClass `json:"active"`
	Shadow inspection.DefectClass `json:"shadow"`
	Crops  int                    `json:"crops"`
}

func (a *api) registerModels() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-classes", Method: http.MethodGet, Path: "/api/v1/classes", Tags: []string{"appliance"},
		Summary: "List the defect classes with their names, causes and remedies",
	}, func(context.Context, *struct{}) (*classesOutput, error) {
		return &classesOutput{ClassList{list(a.Models.Classes())}}, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-class-picture", Method: http.MethodGet, Path: "/api/v1/classes/{id}/picture", Tags: []string{"appliance"},
		Summary:   "Read the picture of a defect class",
		Responses: binaryAnswer("image/png", "The picture, rendered by the simulator"),
		Errors:    []int{http.StatusNotFound},
	}, func(_ context.Context, in *struct {
		ID string `path:"id" maxLength:"64"`
	},
	) (*bytesOutput, error) {
		png, ok := a.Models.ClassPicture(inspection.DefectClass(in.ID))
		if !ok {
			return nil, a.fail(context.Background(), &inspection.NotFoundError{Noun: "picture of class", ID: in.ID})
		}
		return &bytesOutput{ContentType: "image/png", CacheControl: "no-cache", Body: png}, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-models", Method: http.MethodGet, Path: "/api/v1/models", Tags: []string{"appliance"},
		Summary:     "Read which models are at work",
		Description: "A change takes effect at the next coil: coilsight model activate, rollback and shadow make one.",
	}, func(context.Context, *struct{}) (*modelsOutput, error) {
		s := a.Models.Models()
		s.Refused = list(s.Refused)
		if s.Shadow != nil {
			s.Shadow.Answers = list(s.Shadow.Answers)
		}
		return &modelsOutput{s}, nil
	})
}

type modelsOutput struct{ Body ModelState }
