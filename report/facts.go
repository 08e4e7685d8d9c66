package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// fact is one line of the sheet about the coil.
type fact struct {
	en, ko string
	value  any
}

// coilFacts are what a workbook says of a coil; what is not known of it is left out. Times are in the plant's zone.
func coilFacts(c inspection.Coil, a About) (out []fact) {
	en, ko := wordsOf(English), wordsOf(Korean)
	add := func(of func(words) string, value any) { out = append(out, fact{of(en), of(ko), value}) }
	length := func(of func(words) string, mm inspection.MM) {
		if mm > 0 {
			add(of, rounded(float64(mm), 2))
		}
	}
	at := func(of func(words) string, t *time.Time) {
		if t != nil {
			add(of, t.In(a.zone()))
		}
	}
	add(func(w words) string { return w.coil }, string(c.ID))
	add(func(w words) string { return w.state }, en.coilState[c.State]+" / "+ko.coilState[c.State])
	if c.Grade != "" {
		add(func(w words) string { return w.grade }, en.grades[c.Grade]+" / "+ko.grades[c.Grade])
	}
	if c.Order.SteelGrade != "" {
		add(func(w words) string { return w.steel }, c.Order.SteelGrade)
	}
	if c.Order.Customer != "" {
		add(func(w words) string { return w.customer }, c.Order.Customer)
	}
	if k := c.Decision; k != nil {
		add(func(w words) string { return w.decision }, decisionText(en, k, a.zone())+" / "+decisionText(ko, k, a.zone()))
	}
	length(func(w words) string { return w.length + " (mm)" }, c.Strip.Length)
	length(func(w words) string { return w.width + " (mm)" }, c.Strip.Width)
	length(func(w words) string { return w.thickness + " (mm)" }, c.Order.Thickness)
	at(func(w words) string { return w.started }, c.StartedAt)
	at(func(w words) string { return w.ended }, c.EndedAt)
	add(func(w words) string { return w.zone }, zoneName(a.zone(), a.Printed))
	add(func(w words) string { return w.recipe }, versioned(c.RecipeName, c.RecipeVersion))
	add(func(w words) string { return w.model }, c.Model)
	add(func(w words) string { return w.calibration }, calibrationText(c.Calibrations))
	add(func(w words) string { return w.program }, "Coilsight "+a.Version)
	add(func(w words) string { return w.printed }, a.Printed.In(a.zone()))
	add(func(w words) string { return w.defects }, int64(c.Counts.Defects))
	add(func(w words) string { return w.reviewed }, int64(c.Counts.Reviewed))
	add(func(w words) string { return w.notInGrade }, int64(c.Counts.NotInGrade))
	add(func(w words) string { return w.gaps }, int64(c.Counts.Gaps))
	for _, v := range c.Coverage {
		side := func(what func(words) string) func(words) string {
			return func(w words) string { return fmt.Sprintf("%s: %s", w.side[v.Side], what(w)) }
		}
		add(side(func(w words) string { return w.inspected + " (%)" }), floored(v.Share()*100, 2))
		add(side(func(w words) string { return w.inspected + " (mm)" }), rounded(float64(v.Inspected), 2))
		add(side(func(w words) string { return w.screened + " (mm)" }), rounded(float64(v.DetectedOnly), 2))
		add(side(func(w words) string { return w.missed + " (mm)" }), rounded(float64(v.Missed), 2))
	}
	return out
}

func versioned(name string, version int) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf("%s v%d", name, version)
}

func calibrationText(in []inspection.CalibrationRef) string {
	var out []string
	for _, k := range in {
		out = append(out, fmt.Sprintf("%s %s v%d", k.Camera, k.Kind, k.Version))
	}
	return strings.Join(out, ", ")
}

// zoneName names a zone with its distance from UTC at a time.
func zoneName(z *time.Location, at time.Time) string {
	name := z.String()
	if name == "Local" {
		name, _ = at.In(z).Zone()
	}
	return fmt.Sprintf("%s (UTC%s)", name, at.In(z).Format("-07:00"))
}
