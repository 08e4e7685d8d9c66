package appliance

import (
	"errors"
	"image"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// runCoil lets a coil run for a while and waits for its grade.
func runCoil(t *testing.T, a *Appliance, id inspection.CoilID, o inspection.CoilOrder) inspection.Coil {
	t.Helper()
	k := &control{a}
	if _, _, err := k.Announce(t.Context(), id, o); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if _, err := k.Finish(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	var c inspection.Coil
	eventually(t, 10*time.Second, "the coil closed", func() bool {
		var err error
		c, err = a.store.Coil(t.Context(), id)
		return err == nil && c.State == inspection.Closed
	})
	return c
}

// holding holds each coil with so many defects.
func holding(name string, version, count int) inspection.Recipe {
	return inspection.Recipe{
		Name: name, Version: version, LongestGap: 1000, GapGrade: inspection.Block,
		Rules: []inspection.GradingRule{{ID: "any", Count: count, Grade: inspection.Hold}},
	}
}

// spotted is even strip with a dark spot each metre.
func spotted(t *testing.T) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 512, 2048))
	for i := range m.Pix {
		m.Pix[i] = 150
	}
	for y := 1000; y < 1030; y++ {
		for x := 240; x < 270; x++ {
			m.Pix[y*m.Stride+x] = 40
		}
	}
	return "folder:" + pictureIn(t, m)
}

func TestCoilsAreDecidedAndRecipesPublished(t *testing.T) {
	c := fakeConfig(t)
	c.FourEyes = []inspection.Grade{inspection.Hold}
	c.Cameras = []CameraConfig{{ID: "top", Side: "top", Address: spotted(t), Pixels: 512, MMPerPixel: 0.5, LineRateHz: 8000}}
	a, stop := runAppliance(t, c)
	defer stop()
	d := &gradingDesk{a}
	ctx := t.Context()

	// A recipe for one customer is taken for his coils alone.
	strict := holding("strict", 1, 1)
	strict.Customers = []string{"Hanbit"}
	if err := d.PublishRecipe(ctx, strict, "Kim", "for car bodies"); err != nil {
		t.Fatal(err)
	}
	var conflict *inspection.ConflictError
	if err := d.PublishRecipe(ctx, strict, "Lee", ""); !errors.As(err, &conflict) || !strings.Contains(conflict.Reason, "the next to be published is 2 and not 1") {
		t.Errorf("publishing version 1 again gives %v", err)
	}
	if log, err := d.RecipeLog(ctx); err != nil || len(log) != 1 || log[0].By != "Kim" || log[0].Note != "for car bodies" {
		t.Errorf("published are %+v, %v", log, err)
	}
	other := runCoil(t, a, "A1", inspection.CoilOrder{Customer: "Saebyeok"})
	coil := runCoil(t, a, "A2", inspection.CoilOrder{Customer: "Hanbit"})
	if other.RecipeName != "hot-strip" || coil.RecipeName != "strict" || coil.Grade != inspection.Hold || coil.Order.Customer != "Hanbit" {
		t.Fatalf("A1 ran under %s; A2, for %s, under %s with grade %s", other.RecipeName, coil.Order.Customer, coil.RecipeName, coil.Grade)
	}

	// What a looser one would have made of it.
	test, err := d.TestRecipe(ctx, holding("strict", 2, 1000), 500)
	if err != nil || test.Tested != 2 || len(test.Changed) == 0 || test.Changed[0].Coil != "A2" || test.Changed[0].After != inspection.Prime || len(test.Changed[0].Why) != 0 {
		t.Errorf("the test gives %+v, %v; want A2 prime in place of hold", test, err)
	}
	if _, err := d.TestRecipe(ctx, inspection.Recipe{Name: "empty", Version: 1, GapGrade: inspection.Hold}, 5); err == nil || !strings.Contains(err.Error(), "a recipe needs at least one") {
		t.Errorf("a recipe without rules gives %v", err)
	}

	// Beside the spots it is prime.
	plans, err := d.CutPlans(ctx, "A2", inspection.Prime, 100)
	if err != nil || len(plans) < 2 || plans[len(plans)-1].Scrap < 10 || plans[len(plans)-1].Scrap > 100 {
		t.Errorf("the cut plans are %+v, %v", plans, err)
	}

	released := inspection.Decision{By: "Kim", Disposition: inspection.Released, Grade: inspection.Second}
	var field *inspection.FieldError
	if _, err := d.Decide(ctx, "A2", released, coil.Revision); !errors.As(err, &field) || field.Field != "reason" {
		t.Errorf("releasing without a reason gives %v", err)
	}
	released.Grade = ""
	if _, err := d.Decide(ctx, "A2", released, coil.Revision); !errors.As(err, &field) || field.Field != "grade" {
		t.Errorf("releasing a coil on hold as it is gives %v", err)
	}
	released.Grade, released.Reason = inspection.Second, "ends are cut off"
	var stale *inspection.StaleError
	if _, err := d.Decide(ctx, "A2", released, coil.Revision+7); !errors.As(err, &stale) {
		t.Errorf("deciding what nobody saw gives %v", err)
	}
	coil, err = d.Decide(ctx, "A2", released, coil.Revision)
	if err != nil || coil.Decision == nil || !coil.Decision.Pending || coil.Grade != inspection.Hold {
		t.Fatalf("after the first person: %+v, %v", coil.Decision, err)
	}
	if _, err := d.ConfirmDecision(ctx, "A2", "Kim", coil.Revision); !errors.As(err, &conflict) || !strings.Contains(conflict.Reason, "somebody else must confirm it") {
		t.Errorf("the same person confirming gives %v", err)
	}
	coil, err = d.ConfirmDecision(ctx, "A2", "Lee", coil.Revision)
	if k := coil.Decision; err != nil || k.Pending || k.ConfirmedBy != "Lee" || k.MachineGrade != inspection.Hold || k.Grade != inspection.Second {
		t.Errorf("after the second person: %+v, %v", k, err)
	}
	if _, err := d.ConfirmDecision(ctx, "A2", "Park", coil.Revision); !errors.As(err, &conflict) {
		t.Errorf("confirming again gives %v", err)
	}
	rejected := inspection.Decision{By: "Park", Disposition: inspection.Rejected, Reason: "edge damaged in store"}
	if coil, err = d.Decide(ctx, "A2", rejected, 0); err != nil || coil.Decision.Disposition != inspection.Rejected || coil.Decision.Pending {
		t.Errorf("rejecting gives %+v, %v", coil.Decision, err)
	}
	if all, err := d.Decisions(ctx, "A2"); err != nil || len(all) != 2 || all[1].ConfirmedBy != "Lee" {
		t.Errorf("decisions are %+v, %v", all, err)
	}
	page, err := a.store.Changes(ctx, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, k := range page.Changes {
		if strings.Contains(k.Type, "deci") || strings.Contains(k.Type, "recipe") {
			told = append(told, k.Type)
		}
	}
	if s := strings.Join(told, " "); s != "recipe.published coil.decided coil.decision_confirmed coil.decided" {
		t.Errorf("the MES is told %q", s)
	}
}
