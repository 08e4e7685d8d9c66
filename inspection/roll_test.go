package inspection

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestPeriodOfARoll(t *testing.T) {
	r := Roll{Name: "F1", Side: Top, Diameter: 800, Elongation: 4}
	if got, want := float64(r.Period()), 4*math.Pi*800; math.Abs(got-want) > 1e-6 {
		t.Errorf("period %g; want %g", got, want)
	}
}

func TestBadRollsAreNamed(t *testing.T) {
	good := Roll{Name: "F7", Side: Top, Diameter: 700, Elongation: 1}
	with := func(change func(*Roll)) []Roll {
		r := good
		r.Name = "F6"
		change(&r)
		return []Roll{good, r}
	}
	for want, rolls := range map[string][]Roll{
		`rolls[1].name: "" is not possible`:            with(func(r *Roll) { r.Name = "" }),
		`rolls[1].name: "F7" is listed twice`:          {good, good},
		`rolls[1].side: "left" is not known`:           with(func(r *Roll) { r.Side = "left" }),
		"rolls[1].diameter_mm: 99 is not possible":     with(func(r *Roll) { r.Diameter = 99 }),
		"rolls[1].diameter_mm: NaN is not possible":    with(func(r *Roll) { r.Diameter = MM(math.NaN()) }),
		"rolls[1].elongation: 20.5 is not possible":    with(func(r *Roll) { r.Elongation = 20.5 }),
		"rolls[1].elongation: 0 is not possible":       with(func(r *Roll) { r.Elongation = 0 }),
		"rolls: 65 rolls are too many; allowed are 64": slices.Repeat([]Roll{good}, 65),
	} {
		err := CheckRolls(rolls)
		var f *FieldError
		if !errors.As(err, &f) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v; want %s", err, want)
		}
	}
	if err := CheckRolls([]Roll{good}); err != nil {
		t.Error(err)
	}
}
