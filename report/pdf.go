package report

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// WritePDF writes the report of a coil: two pages of A4, more where its rules or gaps are many, and one of pictures. It is
// written at the end, all at once. Errors are those of the record.
func WritePDF(ctx context.Context, w io.Writer, r Record, id inspection.CoilID, lang Language, a About) error {
	c, err := gather(ctx, r, id, a)
	if err != nil {
		return err
	}
	d, err := newPaper(c, lang, a)
	if err != nil {
		return fmt.Errorf("report of coil %s: %w", id, err)
	}
	d.first()
	if c.coil.State != inspection.Announced {
		d.drawMap()
		d.byClass()
		d.trail()
		d.rollMarks()
		d.coverage()
		d.setup()
		if err := d.pictures(ctx, r); err != nil {
			return err
		}
	}
	if err := d.Output(w); err != nil {
		return fmt.Errorf("report of coil %s: %w", id, err)
	}
	return nil
}

// paper is a report as it is drawn.
type paper struct {
	*sheet
	*contents
	about  About
	names  names
	shades []int // least counts of the shades of density, where the map has them
}

func newPaper(c *contents, lang Language, a About) (*paper, error) {
	w := wordsOf(lang)
	id := string(c.coil.ID)
	zone := a.zone()
	foot := fmt.Sprintf("%s %s · Coilsight %s · %s %s", w.printed, a.Printed.In(zone).Format(time.DateTime), a.Version, w.coil, id)
	s, err := newSheet(lang, w.title+" "+id, w.title+" · "+id, foot)
	if err != nil {
		return nil, err
	}
	s.SetCreator("Coilsight "+a.Version, true)
	s.SetCreationDate(a.Printed)
	s.SetModificationDate(a.Printed)
	return &paper{sheet: s, contents: c, about: a, names: namesOf(a.Classes)}, nil
}

func (d *paper) className(id inspection.DefectClass) string { return d.lang.name(d.names.of(id)) }

// at is a time on the plant's clock.
func (d *paper) at(t time.Time) string { return t.In(d.about.zone()).Format(time.DateTime) }

// first writes what stands above the map: what coil it is, its grade, and what that rests on.
func (d *paper) first() {
	d.AddPage()
	w := d.words
	d.grey()
	d.line(sideMargin, 12, bodyWidth, 10, false, w.title)
	d.black()
	id := string(d.coil.ID)
	if half := len(id) / 2; half > 16 { // it is ASCII, and has 64 characters at most
		d.whole(sideMargin, 17, 112, 13, true, id[:half])
		d.whole(sideMargin, 22.5, 112, 13, true, id[half:])
	} else {
		d.whole(sideMargin, 17, 112, 25, true, id)
	}
	d.badge(pageWidth-sideMargin-62, 12, 62, 19)
	d.y = 30
	if banner := d.banner(); banner != "" {
		d.black()
		d.SetDrawColor(20, 22, 24)
		d.SetLineWidth(0.4)
		d.y += 3
		h := d.lines(sideMargin+3, d.y+1.8, bodyWidth-6, 9.5, 2, banner) + 3
		d.Rect(sideMargin, d.y, bodyWidth, h, "D")
		d.y += h
	}
	d.y += 3
	d.facts()
	d.restsOn()
}

func (d *paper) banner() string {
	switch d.coil.State {
	case inspection.Running:
		return d.words.running
	case inspection.Announced:
		return d.words.announced
	case inspection.Interrupted:
		return d.words.cutShort
	}
	return ""
}

// badge shows the grade, readable from an arm's length and without colour.
func (d *paper) badge(x, y, width, height float64) {
	d.black()
	d.SetDrawColor(20, 22, 24)
	d.SetLineWidth(0.7)
	d.Rect(x, y, width, height, "D")
	if d.result == nil {
		d.line(x+4, y+6, width-8, 15, true, d.words.notGraded)
		return
	}
	g := d.result.Grade
	d.line(x+4, y+2.6, width-8, 24, true, d.words.grades[g])
	d.line(x+4, y+13, width-8, 9, false, d.words.gradeMeaning[g])
}

// facts writes a grid of names and values, four in a row.
func (d *paper) facts() {
	w, c := d.words, d.coil
	when := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return d.at(*t)
	}
	length := func(mm inspection.MM, digits int, unit string, per inspection.MM) string {
		if mm <= 0 {
			return ""
		}
		return number(float64(mm/per), digits) + " " + unit
	}
	steel := c.Order.SteelGrade
	if c.Order.Customer != "" {
		steel = strings.Trim(steel+" · "+c.Order.Customer, " ·")
	}
	facts := [][2]string{
		{w.steel, steel},
		{w.length, length(d.lengthKnown(), 1, "m", 1000)},
		{w.width, length(d.width(), 0, "mm", 1)},
		{w.thickness, length(c.Order.Thickness, 2, "mm", 1)},
		{w.state, w.coilState[c.State]},
		{w.started, when(c.StartedAt)},
		{w.ended, when(c.EndedAt)},
		{w.zone, zoneName(d.about.zone(), d.about.Printed)},
		{w.recipe, versioned(c.RecipeName, c.RecipeVersion)},
		{w.model, c.Model},
		{w.program, "Coilsight " + d.about.Version},
		{w.defects, count(c.Counts.Defects)},
	}
	const columns = 4
	const step = bodyWidth / columns
	for i, f := range facts {
		x, y := sideMargin+float64(i%columns)*step, d.y+float64(i/columns)*9
		d.grey()
		d.line(x, y, step-3, 7.5, false, f[0])
		d.black()
		value := f[1]
		if value == "" {
			value = "–"
		}
		d.line(x, y+3.3, step-3, 9.5, false, value)
	}
	d.y += float64((len(facts)+columns-1)/columns) * 9
}

// lengthKnown is the measured length, before the coil runs the ordered one.
func (d *paper) lengthKnown() inspection.MM {
	if d.coil.Strip.Length > 0 {
		return d.coil.Strip.Length
	}
	return d.coil.Order.Length
}

// mostGradings bounds the grades that are told: the line's own and the last ones.
const mostGradings = 4

// restsOn says who gave the grade, and how many defects people reviewed.
func (d *paper) restsOn() {
	if len(d.gradings) == 0 {
		d.y += 2.5
		return
	}
	w := d.words
	d.rule(d.y)
	d.y += 1.6
	say := func(text string) {
		d.black()
		d.y += d.lines(sideMargin, d.y, bodyWidth, 9, 2, text)
	}
	first, last := d.gradings[0], d.gradings[len(d.gradings)-1]
	own := w.machineSaid(w.grades[first.Result.Grade])
	rests := w.restsOnModel
	if last.Reviewed > 0 {
		rests = w.restsOn(last.Reviewed)
	}
	n, all := d.coil.Counts.Reviewed, d.coil.Counts.Defects
	reviewed := ""
	if all > 0 {
		reviewed = " " + w.reviewShare(n, all, percent(float64(n)/float64(all))) + "."
	}
	say(own + ". " + rests + reviewed)
	later := d.gradings[1:]
	for _, g := range later[max(0, len(later)-mostGradings+1):] {
		say(w.regraded(d.at(g.At), g.By, w.grades[g.Result.Grade], g.Reviewed))
	}
	if n := d.coil.Counts.NotInGrade; n > 0 {
		say(w.notInGradeYet(n))
	}
	if k := d.coil.Decision; k != nil {
		say(decisionText(w, k, d.about.zone()))
	}
	d.y += 2.5
}

// decisionText is what a person decided, who confirmed it, and why.
func decisionText(w words, k *inspection.Decision, zone *time.Location) string {
	at := func(t time.Time) string { return t.In(zone).Format(time.DateTime) }
	grade := ""
	if k.Disposition == inspection.Released {
		grade = w.grades[k.Grade]
	}
	said := []string{w.decided(w.dispositions[k.Disposition], grade, at(k.At), k.By)}
	if k.ConfirmedAt != nil {
		said = append(said, w.confirmed(at(*k.ConfirmedAt), k.ConfirmedBy))
	}
	if k.Pending {
		said = append(said, w.pending)
	}
	if k.Reason != "" {
		said = append(said, w.decisionReason(k.Reason))
	}
	return strings.Join(said, " ")
}

// rollMarks lists the marks that rolls left; where there is none, nothing.
func (d *paper) rollMarks() {
	if len(d.coil.RollMarks) == 0 {
		return
	}
	w := d.words
	d.heading(w.rollMarks, 12)
	d.black()
	for _, m := range d.coil.RollMarks {
		roll := w.unknownRoll(millimetres(m.Diameter))
		if len(m.Rolls) > 0 {
			roll = strings.Join(m.Rolls, " / ")
		}
		d.room(9)
		d.y += d.lines(sideMargin, d.y, bodyWidth, 8.5, 2, w.rollMark(w.side[m.Side], roll, millimetres(m.Period), millimetres(m.Across), number(float64(m.First)/1000, 1), metres(m.Last, 1), m.Seen, m.Possible))
	}
	d.y += 3
}

// outcomes are those of the rules, the broken ones first.
func (d *paper) outcomes() []inspection.RuleOutcome {
	out := slices.Clone(d.result.Trail)
	slices.SortStableFunc(out, func(a, b inspection.RuleOutcome) int {
		switch {
		case a.Broken == b.Broken:
			return 0
		case a.Broken:
			return -1
		}
		return 1
	})
	return out
}
