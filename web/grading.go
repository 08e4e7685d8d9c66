package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// GradingDesk is how people decide of coils and make the rules that grade them. Errors are *inspection.NotFoundError,
// *inspection.FieldError (what is wrong with a recipe or a decision), *inspection.ConflictError, *inspection.StaleError, or a failure.
type GradingDesk interface {
	Decide(ctx context.Context, id inspection.CoilID, d inspection.Decision, revision int) (inspection.Coil, error)
	ConfirmDecision(ctx context.Context, id inspection.CoilID, by string, revision int) (inspection.Coil, error)
	// Decisions are all of a coil, the newest first.
	Decisions(ctx context.Context, id inspection.CoilID) ([]inspection.Decision, error)
	// CutPlans say what to keep of a coil that has ended to reach a grade; pieces are at least so long.
	CutPlans(ctx context.Context, id inspection.CoilID, grade inspection.Grade, least inspection.MM) ([]inspection.CutPlan, error)
	// TestRecipe grades the newest coils that have ended, at most so many, by a recipe.
	TestRecipe(ctx context.Context, r inspection.Recipe, coils int) (RecipeTest, error)
	PublishRecipe(ctx context.Context, r inspection.Recipe, by, note string) error
	RecipeLog(ctx context.Context) ([]inspection.RecipePublished, error)
}

// DecisionRequest is what a person decides of a coil.
type DecisionRequest struct {
	By          string                 `json:"by" minLength:"1" maxLength:"64" doc:"The name of the person"`
	Disposition inspection.Disposition `json:"disposition" enum:"released,held,rejected"`
	Grade       inspection.Grade       `json:"grade,omitempty" enum:"prime,second,hold,block" doc:"Left out: the machine's"`
	Reason      string                 `json:"reason,omitempty" maxLength:"500" doc:"Needed where the grade departs from the machine's, and to reject"`
}

// RecipeTest says what a recipe would have made of past coils.
type RecipeTest struct {
	Tested  int            `json:"tested"`
	Skipped int            `json:"skipped" doc:"Coils that were left out to answer in time: see detail"`
	Detail  string         `json:"detail,omitempty"`
	Before  map[string]int `json:"before" doc:"Coils by grade as they are"`
	After   map[string]int `json:"after" doc:"Coils by grade under the recipe"`
	Changed []RecipeChange `json:"changed" doc:"Coils that would change grade, the newest first"`
}

// RecipeChange is a coil that would change grade.
type RecipeChange struct {
	Coil   inspection.CoilID        `json:"coil"`
	Recipe string                   `json:"recipe" doc:"It ran under, with the version"`
	Before inspection.Grade         `json:"before"`
	After  inspection.Grade         `json:"after"`
	Why    []inspection.RuleOutcome `json:"why" doc:"Rules of the tested recipe that it breaks; empty: it breaks none"`
}

// RecipeTestRequest asks what a recipe would have made of past coils.
type RecipeTestRequest struct {
	Recipe inspection.Recipe `json:"recipe"`
	Coils  int               `json:"coils,omitempty" minimum:"1" maximum:"500" default:"500"`
}

// PublishRequest publishes a recipe.
type PublishRequest struct {
	Recipe inspection.Recipe `json:"recipe" doc:"Its version is the one after the newest"`
	By     string            `json:"by" minLength:"1" maxLength:"64" doc:"The name of the person"`
	Note   string            `json:"note,omitempty" maxLength:"500" doc:"What changed and why"`
}

type decisionsOutput struct {
	Body struct {
		Decisions []inspection.Decision `json:"decisions"`
	}
}

type cutPlansOutput struct {
	Body struct {
		Plans []inspection.CutPlan `json:"plans" doc:"The best of one piece, and those of more that save more; empty: nothing of the coil earns the grade"`
	}
}

type recipeLogOutput struct {
	Body struct {
		Published []inspection.RecipePublished `json:"published" doc:"The newest first; versions from files are not listed"`
	}
}

func (a *api) registerGrading() {
	tags := []string{"grading"}
	huma.Register(a.huma, huma.Operation{
		OperationID: "decide-coil", Method: http.MethodPost, Path: "/api/v1/coils/{id}/decision", Tags: tags,
		Summary:     "Release, hold or reject a coil",
		Description: "Stands beside the machine's grade, which stays. Where the configuration asks for four eyes, releasing is pending until a second person confirms it.",
		Errors:      reviewErrors(), MaxBodyBytes: maxBody,
	}, func(ctx context.Context, in *struct {
		CoilPath
		IfMatch
		Body DecisionRequest
	},
	) (*getCoilOutput, error) {
		return a.decide(ctx, in.CoilPath, in.IfMatch, in.Body.By, func(by string, revision int) (inspection.Coil, error) {
			d := inspection.Decision{By: by, Disposition: in.Body.Disposition, Grade: in.Body.Grade, Reason: strings.TrimSpace(in.Body.Reason)}
			return a.Grading.Decide(ctx, in.id(), d, revision)
		})
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "confirm-decision", Method: http.MethodPost, Path: "/api/v1/coils/{id}/decision/confirm", Tags: tags,
		Summary: "Confirm a decision that waits for a second person",
		Errors:  reviewErrors(), MaxBodyBytes: maxBody,
	}, func(ctx context.Context, in *struct {
		CoilPath
		IfMatch
		Body CalibrationRequest
	},
	) (*getCoilOutput, error) {
		return a.decide(ctx, in.CoilPath, in.IfMatch, in.Body.By, func(by string, revision int) (inspection.Coil, error) {
			return a.Grading.ConfirmDecision(ctx, in.id(), by, revision)
		})
	})
	errors := []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusInternalServerError}
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-decisions", Method: http.MethodGet, Path: "/api/v1/coils/{id}/decisions", Tags: tags,
		Summary: "List what people decided of a coil, the newest first", Errors: errors,
	}, func(ctx context.Context, in *struct{ CoilPath }) (*decisionsOutput, error) {
		all, err := a.Grading.Decisions(ctx, in.id())
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		out := new(decisionsOutput)
		out.Body.Decisions = list(all)
		return out, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "plan-cuts", Method: http.MethodGet, Path: "/api/v1/coils/{id}/cut-plan", Tags: tags,
		Summary:     "Find which metres to remove so that the rest earns a grade, with the least scrap",
		Description: "By the recipe the coil ran under, and by what people said of its defects. Each piece is judged as a coil of its own.",
		Errors:      errors,
	}, func(ctx context.Context, in *struct {
		CoilPath
		Grade inspection.Grade `query:"grade" enum:"prime,second,hold" default:"prime"`
		Least float64          `query:"least_m" minimum:"1" maximum:"10000" default:"20" doc:"Shortest piece that is of use, m"`
	},
	) (*cutPlansOutput, error) {
		plans, err := a.Grading.CutPlans(ctx, in.id(), in.Grade, inspection.MM(in.Least*1000))
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		out := new(cutPlansOutput)
		out.Body.Plans = list(plans)
		return out, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "test-recipe", Method: http.MethodPost, Path: "/api/v1/recipes/test", Tags: tags,
		Summary:     "See what a recipe would have made of past coils",
		Description: "Grades the newest coils that have ended, with what people said of their defects. Nothing is kept. 422 names what is wrong with the recipe.",
		Errors:      errors, MaxBodyBytes: maxBody,
	}, func(ctx context.Context, in *struct{ Body RecipeTestRequest }) (*struct{ Body RecipeTest }, error) {
		t, err := a.Grading.TestRecipe(ctx, in.Body.Recipe, in.Body.Coils)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		t.Changed = list(t.Changed)
		for i := range t.Changed {
			t.Changed[i].Why = list(t.Changed[i].Why)
		}
		return &struct{ Body RecipeTest }{t}, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "publish-recipe", Method: http.MethodPost, Path: "/api/v1/recipes", Tags: tags,
		Summary:       "Publish the next version of a recipe, or the first of a new one",
		Description:   "A version never changes. Coils that start from now on run under it; those that ran keep theirs. 409 where the version is not the next: somebody else published meanwhile.",
		DefaultStatus: http.StatusCreated, Errors: errors, MaxBodyBytes: maxBody,
	}, func(ctx context.Context, in *struct{ Body PublishRequest }) (*struct{ Body inspection.Recipe }, error) {
		by, err := person(in.Body.By)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		if err := a.Grading.PublishRecipe(ctx, in.Body.Recipe, by, strings.TrimSpace(in.Body.Note)); err != nil {
			return nil, a.fail(ctx, err)
		}
		return &struct{ Body inspection.Recipe }{in.Body.Recipe}, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-recipe-log", Method: http.MethodGet, Path: "/api/v1/recipes/log", Tags: tags,
		Summary: "List who published which versions of recipes", Errors: []int{http.StatusInternalServerError},
	}, func(ctx context.Context, _ *struct{}) (*recipeLogOutput, error) {
		log, err := a.Grading.RecipeLog(ctx)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		out := new(recipeLogOutput)
		out.Body.Published = list(log)
		return out, nil
	})
}

// decide carries out what a person decides, on the coil as the person saw it.
func (a *api) decide(ctx context.Context, in CoilPath, match IfMatch, name string, do func(by string, revision int) (inspection.Coil, error)) (*getCoilOutput, error) {
	revision, err := match.revision(in.ID)
	if err != nil {
		return nil, err
	}
	by, err := person(name)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	c, err := do(by, revision)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	if err := a.Hub.Publish("coil", c); err != nil {
		a.log.ErrorContext(ctx, "event lost", "error", err)
	}
	return a.answerCoil(ctx, c)
}
