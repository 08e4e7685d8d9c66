package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// Health says that the process answers.
type Health struct {
	Status  string `json:"status" enum:"ok"`
	Version string `json:"version"`
}

// RecipeList holds every version of every recipe.
type RecipeList struct {
	Recipes []inspection.Recipe `json:"recipes"`
}

// ClassList is the model's catalogue.
type ClassList struct {
	Classes []ClassInfo `json:"classes"`
}

func (a *api) registerProbes() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "healthz", Method: http.MethodGet, Path: "/healthz", Tags: []string{"appliance"},
		Summary: "Is the process alive",
	}, func(context.Context, *struct{}) (*healthOutput, error) {
		return &healthOutput{Health{Status: "ok", Version: a.Version}}, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "readyz", Method: http.MethodGet, Path: "/readyz", Tags: []string{"appliance"},
		Summary:     "Is the appliance inspecting",
		Description: "503 with the reasons when it is not.",
		Responses: map[string]*huma.Response{
			"503": {Description: "Not ready: see reasons", Content: a.jsonOf(Readiness{})},
		},
	}, func(context.Context, *struct{}) (*readyOutput, error) {
		r := a.Ready()
		r.Reasons, r.Cameras = list(r.Reasons), list(r.Cameras)
		if r.Version == "" {
			r.Version = a.Version
		}
		out := &readyOutput{Status: http.StatusOK, Body: r}
		if !r.Ready {
			out.Status = http.StatusServiceUnavailable
		}
		return out, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-recipes", Method: http.MethodGet, Path: "/api/v1/recipes", Tags: []string{"appliance"},
		Summary:     "List the recipes",
		Description: "Every version; a version never changes.",
		Errors:      []int{http.StatusInternalServerError},
	}, func(ctx context.Context, _ *struct{}) (*recipesOutput, error) {
		r, err := a.Recipes.Recipes(ctx)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		for i := range r {
			r[i].Rules = list(r[i].Rules)
			if r[i].Severity == nil {
				r[i].Severity = map[inspection.DefectClass]inspection.Severity{}
			}
		}
		return &recipesOutput{RecipeList{list(r)}}, nil
	})
}

type (
	healthOutput struct{ Body Health }
	readyOutput  struct {
		Status int
		Body   Readiness
	}
	recipesOutput struct{ Body RecipeList }
	classesOutput struct{ Body ClassList }
)
