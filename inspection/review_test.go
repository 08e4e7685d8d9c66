package inspection_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestReviewSaysWhatIsNotAllowed(t *testing.T) {
	classes := []inspection.DefectClass{inspection.NoDefect, hole, scratch, inspection.Unclassified}
	for name, c := range map[string]struct {
		review inspection.Review
		field  string
	}{
		"a class of the catalogue":      {inspection.Review{Class: hole, By: "Kim"}, ""},
		"no defect":                     {inspection.Review{Class: inspection.NoDefect, By: "Kim"}, ""},
		"unknown":                       {inspection.Review{Class: inspection.Unknown, By: "Kim"}, ""},
		"a class the model lacks":       {inspection.Review{Class: "dent", By: "Kim"}, "class"},
		"no class":                      {inspection.Review{By: "Kim"}, "class"},
		"unclassified is not a verdict": {inspection.Review{Class: inspection.Unclassified, By: "Kim"}, "class"},
		"no name":                       {inspection.Review{Class: hole}, "by"},
		"a name of spaces":              {inspection.Review{Class: hole, By: " \t "}, "by"},
		"64 Hangul are a name":          {inspection.Review{Class: hole, By: strings.Repeat("김", 64)}, ""},
		"65 are not":                    {inspection.Review{Class: hole, By: strings.Repeat("김", 65)}, "by"},
		"a note of 500":                 {inspection.Review{Class: hole, By: "Kim", Note: strings.Repeat("긁", 500)}, ""},
		"a longer note":                 {inspection.Review{Class: hole, By: "Kim", Note: strings.Repeat("긁", 501)}, "note"},
		"the least severity":            {inspection.Review{Class: hole, By: "Kim", Severity: new(inspection.Severity(0))}, ""},
		"the highest":                   {inspection.Review{Class: inspection.Unknown, By: "Kim", Severity: new(inspection.Severity(4))}, ""},
		"a higher one":                  {inspection.Review{Class: hole, By: "Kim", Severity: new(inspection.Severity(5))}, "severity"},
		"a severity of no defect":       {inspection.Review{Class: inspection.NoDefect, By: "Kim", Severity: new(inspection.Severity(0))}, "severity"},
	} {
		err := c.review.Check(classes)
		var field *inspection.FieldError
		if errors.As(err, &field) != (c.field != "") || (field != nil && field.Field != c.field) {
			t.Errorf("%s: %v; want an error in %q", name, err, c.field)
		}
		if c.field == "class" && !strings.Contains(err.Error(), "[hole surface_scratch no_defect unknown]") {
			t.Errorf("%s: %v does not say what is allowed", name, err)
		}
	}
}

func TestReviewedMapIsGradedByWhatPeopleSaid(t *testing.T) {
	said := func(class inspection.DefectClass) *inspection.Review {
		return &inspection.Review{Class: class, By: "Kim"}
	}
	r := recipe(func(r *inspection.Recipe) {
		r.Rules[0].MinConfidence = 0.8
		r.Rules = append(r.Rules, inspection.GradingRule{ID: "anything", Count: 3, Grade: inspection.Hold})
	})
	for name, c := range map[string]struct {
		class  inspection.DefectClass
		conf   float32
		review *inspection.Review
		want   inspection.Grade
	}{
		"the model's hole blocks":                            {hole, 0.9, nil, inspection.Block},
		"a hole that is no defect is absent":                 {hole, 0.9, said(inspection.NoDefect), inspection.Prime},
		"a hole that is a scratch counts as one":             {hole, 0.9, said(scratch), inspection.Prime},
		"a scratch that is a hole blocks":                    {scratch, 0.9, said(hole), inspection.Block},
		"a doubtful hole does not count":                     {hole, 0.5, nil, inspection.Prime},
		"a person's word makes a doubtful hole certain":      {hole, 0.5, said(hole), inspection.Block},
		"an unknown defect counts for rules about any class": {hole, 0.9, said(inspection.Unknown), inspection.Hold},
	} {
		first := defect(1, c.class, 10, 500)
		first.Conf, first.Review = c.conf, c.review
		m := inspection.DefectMap{Strip: inspection.Strip{Length: 100_000, Width: 1000}, Defects: []inspection.Defect{first}}
		if c.want == inspection.Hold {
			m.Defects = append(m.Defects, defect(2, scratch, 20_000, 500), defect(3, scratch, 40_000, 500))
		}
		seen := inspection.Reviewed(m, r)
		if got := inspection.GradeMap(seen, r).Grade; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if m.Defects[0].Class != c.class || m.Defects[0].Conf != c.conf {
			t.Errorf("%s: the model's answer became %+v", name, m.Defects[0])
		}
	}
}

func TestReviewedDefectHasTheSeverityOfThePersonElseTheRecipes(t *testing.T) {
	r := recipe(func(r *inspection.Recipe) { r.Severity[scratch] = 2 })
	for name, c := range map[string]struct {
		class  inspection.DefectClass
		review *inspection.Review
		want   inspection.Severity
	}{
		"nobody reviewed it":                    {hole, nil, 4},
		"the model is right":                    {hole, &inspection.Review{Class: hole}, 4},
		"another class":                         {hole, &inspection.Review{Class: scratch}, 2},
		"a class the recipe does not name":      {hole, &inspection.Review{Class: inspection.Unknown}, 1},
		"the model is right, and it is trivial": {hole, &inspection.Review{Class: hole, Severity: new(inspection.Severity(0))}, 0},
		"another class, and it is grave":        {hole, &inspection.Review{Class: scratch, Severity: new(inspection.Severity(4))}, 4},
		"unknown, and it is grave":              {scratch, &inspection.Review{Class: inspection.Unknown, Severity: new(inspection.Severity(3))}, 3},
	} {
		d := defect(1, c.class, 10, 500)
		d.Severity, d.Review = r.SeverityOf(c.class), c.review
		m := inspection.DefectMap{Strip: inspection.Strip{Length: 100_000, Width: 1000}, Defects: []inspection.Defect{d}}
		seen := inspection.Reviewed(m, r)
		if got := seen.Defects[0].Severity; got != c.want {
			t.Errorf("%s: severity %d; want %d", name, got, c.want)
		}
		if m.Defects[0].Severity != r.SeverityOf(c.class) {
			t.Errorf("%s: the model's became %d", name, m.Defects[0].Severity)
		}
	}
}

func TestSeverityThatAPersonGaveTurnsARuleThatAsksForOne(t *testing.T) {
	r := recipe(func(r *inspection.Recipe) { r.Rules[0].MinSeverity = 3 }) // holes, of severity 4
	for name, c := range map[string]struct {
		severity *inspection.Severity
		want     inspection.Grade
	}{
		"the recipe's": {nil, inspection.Block},
		"enough":       {new(inspection.Severity(3)), inspection.Block},
		"less":         {new(inspection.Severity(2)), inspection.Prime},
	} {
		d := defect(1, hole, 10, 500)
		d.Severity, d.Review = 4, &inspection.Review{Class: hole, By: "Kim", Severity: c.severity}
		m := inspection.DefectMap{Strip: inspection.Strip{Length: 100_000, Width: 1000}, Defects: []inspection.Defect{d}}
		if got := inspection.GradeMap(inspection.Reviewed(m, r), r).Grade; got != c.want {
			t.Errorf("%s: the grade is %s; want %s", name, got, c.want)
		}
	}
}

func TestCoilIsGradedUnderAnotherRecipeByItsSeverities(t *testing.T) {
	other := recipe(func(r *inspection.Recipe) { r.Rules[0].MinSeverity, r.Severity[hole] = 3, 2 })
	d := defect(1, hole, 10, 500)
	d.Severity = 4 // of the recipe that the coil ran under
	m := inspection.DefectMap{Strip: inspection.Strip{Length: 100_000, Width: 1000}, Defects: []inspection.Defect{d}}
	if got := inspection.GradeMap(inspection.Reviewed(m, other), other).Grade; got != inspection.Prime {
		t.Errorf("the grade is %s; want %s", got, inspection.Prime)
	}
}
