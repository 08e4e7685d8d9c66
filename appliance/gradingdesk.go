package appliance

import (
	"context"
	"fmt"
	"slices"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// gradingDesk is how people decide of coils and make the recipes.
type gradingDesk struct{ a *Appliance }

// Decide records a decision.
func (d *gradingDesk) Decide(ctx context.Context, id inspection.CoilID, c inspection.Decision, revision int) (inspection.Coil, error) {
	return d.a.store.Decide(ctx, id, c, revision, d.a.o.Config.FourEyes)
}

// ConfirmDecision records that a second person agrees.
func (d *gradingDesk) ConfirmDecision(ctx context.Context, id inspection.CoilID, by string, revision int) (inspection.Coil, error) {
	return d.a.store.ConfirmDecision(ctx, id, by, revision)
}

// Decisions are all of a coil.
func (d *gradingDesk) Decisions(ctx context.Context, id inspection.CoilID) ([]inspection.Decision, error) {
	return d.a.store.Decisions(ctx, id)
}

// CutPlans finds what to keep of a coil.
func (d *gradingDesk) CutPlans(ctx context.Context, id inspection.CoilID, grade inspection.Grade, least inspection.MM) ([]inspection.CutPlan, error) {
	c, err := d.a.store.Coil(ctx, id)
	if err != nil {
		return nil, err
	}
	if !hasEnded(c) {
		return nil, &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "is " + string(c.State) + "; cuts are planned after its end"}
	}
	r, err := d.a.store.Recipe(ctx, c.RecipeName, c.RecipeVersion)
	if err != nil {
		return nil, err
	}
	m, err := d.a.store.Map(ctx, id)
	if err != nil {
		return nil, err
	}
	return inspection.CutPlans(inspection.Reviewed(m, r), r, grade, least), nil
}

func hasEnded(c inspection.Coil) bool {
	return c.State == inspection.Closed || c.State == inspection.Interrupted
}

// TestRecipe grades past coils by a recipe.
func (d *gradingDesk) TestRecipe(ctx context.Context, r inspection.Recipe, coils int) (t web.RecipeTest, err error) {
	if err := d.check(r); err != nil {
		return t, err
	}
	t.Before, t.After = map[string]int{}, map[string]int{}
	t.Tested, t.Skipped, err = d.a.pastCoils(ctx, coils, func(c inspection.Coil) error { return d.test(ctx, r, c, &t) })
	if t.Skipped > 0 {
		t.Detail = fmt.Sprintf("the newest %d coils were graded in %v; ask for fewer", t.Tested, pastWithin)
	}
	return t, err
}

// test grades one coil.
func (d *gradingDesk) test(ctx context.Context, r inspection.Recipe, c inspection.Coil, t *web.RecipeTest) error {
	m, err := d.a.store.Map(ctx, c.ID)
	if err != nil {
		return err
	}
	res := inspection.GradeMap(inspection.Reviewed(m, r), r)
	t.Before[string(c.Grade)]++
	t.After[string(res.Grade)]++
	if res.Grade != c.Grade {
		t.Changed = append(t.Changed, web.RecipeChange{
			Coil: c.ID, Recipe: fmt.Sprintf("%s v%d", c.RecipeName, c.RecipeVersion), Before: c.Grade, After: res.Grade,
			Why: slices.DeleteFunc(res.Trail, func(o inspection.RuleOutcome) bool { return !o.Broken }),
		})
	}
	return nil
}

// PublishRecipe keeps the next version of a recipe.
func (d *gradingDesk) PublishRecipe(ctx context.Context, r inspection.Recipe, by, note string) error {
	if err := d.check(r); err != nil {
		return err
	}
	return d.a.store.PublishRecipe(ctx, r, by, note)
}

// check refuses a recipe that the model at work cannot serve.
func (d *gradingDesk) check(r inspection.Recipe) error {
	return r.Check(d.a.desk.engine().Classifier.Classes())
}

// RecipeLog tells who published what.
func (d *gradingDesk) RecipeLog(ctx context.Context) ([]inspection.RecipePublished, error) {
	return d.a.store.RecipeLog(ctx)
}

// recipeFor is the recipe of a coil: the one it was announced with, else the newest version of the one that fits its customer and steel
// grade best, else the line's.
func (a *Appliance) recipeFor(ctx context.Context, o inspection.CoilOrder) (inspection.Recipe, error) {
	if o.Recipe != "" {
		return a.store.Recipe(ctx, o.Recipe, 0)
	}
	all, err := a.store.Recipes(ctx)
	if err != nil {
		return inspection.Recipe{}, err
	}
	newest := map[string]inspection.Recipe{}
	for _, r := range all { // by name, then version
		newest[r.Name] = r
	}
	best, fits := newest[a.o.Config.Recipe], 1 // one that says nothing of customers gives way to the line's
	for _, r := range all {
		if n := newest[r.Name].Fits(o.Customer, o.SteelGrade); r.Version == newest[r.Name].Version && n > fits {
			best, fits = r, n
		}
	}
	return best, nil
}
