package report

import (
	"fmt"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// Heights of a rule in mm: with a line of what it counts or where it broke, and without.
const (
	ruleHeight  = 7.9
	shortHeight = 5.4
)

// trail lists each rule with what it measured against what it allows.
func (d *paper) trail() {
	if d.result == nil {
		return
	}
	w := d.words
	d.heading(w.why+" · "+versioned(d.result.RecipeName, d.result.RecipeVersion), 2*ruleHeight)
	for _, o := range d.outcomes() {
		d.room(ruleHeight)
		d.rule(d.y)
		y := d.y + 1.2
		d.tick(sideMargin+1.7, y+2, o.Broken)
		d.black()
		name := o.Rule
		if o.Unit == "mm" {
			name = w.gapRule
		}
		d.line(sideMargin+6, y, 68, 9, o.Broken, name)
		d.grey()
		means := d.counts(o)
		room := bodyWidth - 6
		if o.Broken {
			room -= 34 // for where
		}
		d.line(sideMargin+6, y+3.5, room, 7.5, false, means)
		d.black()
		d.line(sideMargin+76, y, 70, 9, false, d.says(o))
		height := ruleHeight
		if means == "" && !o.Broken {
			height = shortHeight
		}
		if o.Broken && o.To > o.From {
			d.grey()
			d.right(pageWidth-sideMargin, y+3.5, 7.5, false, fmt.Sprintf("%s–%s", number(float64(o.From)/1000, 1), metres(o.To, 1)))
		}
		verdict := w.held
		if o.Broken {
			verdict = w.gives(w.grades[o.Grade])
		}
		d.black()
		d.right(pageWidth-sideMargin, y, 9, o.Broken, verdict)
		d.y += height
	}
	d.rule(d.y)
	d.y += 4
}

// tick marks a rule as broken by a cross or as held by a hook.
func (d *paper) tick(x, y float64, broken bool) {
	if broken {
		hue := ringHue(inspection.Block)
		d.SetDrawColor(hue.r, hue.g, hue.b)
		d.SetLineWidth(0.7)
		d.Line(x-1.4, y-1.4, x+1.4, y+1.4)
		d.Line(x+1.4, y-1.4, x-1.4, y+1.4)
		return
	}
	d.SetDrawColor(110, 114, 118)
	d.SetLineWidth(0.4)
	d.Line(x-1.5, y, x-0.4, y+1.2)
	d.Line(x-0.4, y+1.2, x+1.7, y-1.3)
}

// says is what a rule measured.
func (d *paper) says(o inspection.RuleOutcome) string {
	if o.Unit != "mm" {
		return d.words.counted(number(o.Measured, 0), number(o.Limit, 0))
	}
	if o.Broken && o.Measured <= o.Limit {
		return d.words.restUnseen
	}
	return d.words.measured(millimetres(inspection.MM(o.Measured)), millimetres(inspection.MM(o.Limit)))
}

// counts is what a rule counts, from the recipe's own figures; nothing where the recipe is not there.
func (d *paper) counts(o inspection.RuleOutcome) string {
	if d.recipe == nil {
		return ""
	}
	w := d.words
	for _, q := range d.recipe.Rules {
		if q.ID != o.Rule {
			continue
		}
		var parts []string
		add := func(set bool, text string) {
			if set {
				parts = append(parts, text)
			}
		}
		classes := make([]string, 0, len(q.Classes))
		for _, c := range q.Classes {
			classes = append(classes, d.className(c))
		}
		add(len(classes) > 0, strings.Join(classes, ", "))
		add(len(classes) == 0, w.anyClass)
		add(q.Side != "", w.side[q.Side])
		add(w.sections[q.Section] != "", w.sections[q.Section])
		add(w.zones[q.Zone] != "", w.zones[q.Zone])
		add(q.MinSeverity > 0, w.minSeverity(number(float64(q.MinSeverity), 0)))
		add(q.MinArea > 0, w.minArea(number(q.MinArea, 0)))
		add(q.MinLength > 0, w.minLength(number(float64(q.MinLength), 0)))
		add(q.MinWidth > 0, w.minWidth(number(float64(q.MinWidth), 0)))
		add(q.MinConfidence > 0, w.minConfidence(number(float64(q.MinConfidence), 2)))
		add(q.Within > 0, w.within(metres(q.Within, 0)))
		add(q.Within <= 0, w.wholeCoil)
		return strings.Join(parts, " · ")
	}
	return ""
}
