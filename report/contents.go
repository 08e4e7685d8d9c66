package report

import (
	"cmp"
	"context"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// worstPictures is how many defects a report shows in pictures: a page of them.
	worstPictures = 12
	// mostMarks is how many defects a map of 180 mm shows as symbols; more would hide each other, and it shows their
	// density instead.
	mostMarks = 1200
)

// mark is what the map keeps of a defect: its middle in mm, and how it looks.
type mark struct {
	id            inspection.DefectID
	along, across float32
	class         uint16 // index into contents.classes
	severity      inspection.Severity
	bottom        bool
}

// contents are what a report shows of a coil.
type contents struct {
	coil     inspection.Coil
	gaps     []inspection.Gap
	gradings []inspection.Grading
	result   *inspection.InspectionResult // that stands; nil until the coil is graded
	recipe   *inspection.Recipe           // that the coil ran under; nil where it is not there
	classes  []inspection.DefectClass
	bySide   [][2]int // defects of each class, top and bottom
	marks    []mark   // but for what people found to be no defect
	ruledOut int      // by people
	deciding map[inspection.DefectID]inspection.Grade
	worst    []inspection.Defect
	end      inspection.MM // of what the map shows
}

// gather reads what a report shows. Defects count as people see them: one that was reviewed has the class and the
// severity of its review.
func gather(ctx context.Context, r Record, id inspection.CoilID, a About) (*contents, error) {
	var c contents
	var err error
	if c.coil, err = r.Coil(ctx, id); err != nil {
		return nil, err
	}
	c.recipe = a.recipeOf(c.coil)
	reviews := map[inspection.DefectID]inspection.Review{}
	if c.coil.Counts.Reviewed > 0 {
		err := eachDefect(ctx, r, inspection.DefectQuery{Coil: id, Review: inspection.OnlyReviewed}, func(d *inspection.Defect) error {
			reviews[d.ID] = *d.Review
			return nil
		}, func() error { return nil })
		if err != nil {
			return nil, err
		}
	}
	if c.gradings, err = r.Gradings(ctx, id); err != nil {
		return nil, err
	}
	if n := len(c.gradings); n > 0 {
		c.result = &c.gradings[n-1].Result
		c.deciding = decidingOf(c.result)
	}
	if c.gaps, err = r.Gaps(ctx, id); err != nil {
		return nil, err
	}
	w := worstOf{deciding: c.deciding}
	indices := map[inspection.DefectClass]uint16{}
	err = r.MapDefects(ctx, id, func(now inspection.Coil) {
		now.Calibrations, now.RollMarks, now.Coverage = c.coil.Calibrations, c.coil.RollMarks, c.coil.Coverage
		c.coil = now
		c.marks = make([]mark, 0, now.Counts.Defects)
	}, func(d inspection.MapDefect) { c.add(d, reviews, indices, &w) })
	if err != nil {
		return nil, err
	}
	c.end = max(c.end, c.coil.Strip.Length)
	for _, id := range w.ids() {
		d, err := r.Defect(ctx, id)
		if err != nil {
			return nil, err
		}
		c.worst = append(c.worst, d)
	}
	return &c, nil
}

func (c *contents) add(d inspection.MapDefect, reviews map[inspection.DefectID]inspection.Review, indices map[inspection.DefectClass]uint16, w *worstOf) {
	c.end = max(c.end, d.Rect.Along+d.Rect.Length)
	if r, ok := reviews[d.ID]; ok {
		if r.Class == inspection.NoDefect {
			c.ruledOut++
			return
		}
		d.Class, d.Severity = r.Class, severityUnder(r, c.recipe)
	}
	at, ok := indices[d.Class]
	if !ok {
		at = uint16(len(c.classes))
		indices[d.Class] = at
		c.classes, c.bySide = append(c.classes, d.Class), append(c.bySide, [2]int{})
	}
	m := mark{
		id: d.ID, along: float32(d.Rect.Along + d.Rect.Length/2), across: float32(d.Rect.Across + d.Rect.Width/2),
		class: at, severity: min(d.Severity, 4), bottom: d.Side == inspection.Bottom,
	}
	c.marks = append(c.marks, m)
	c.bySide[at][panelOf(d.Side)]++
	w.add(d)
}

// severityUnder is the severity of a review under the recipe of its coil, or under none where that is not there.
func severityUnder(r inspection.Review, recipe *inspection.Recipe) inspection.Severity {
	if recipe == nil {
		recipe = &inspection.Recipe{}
	}
	return r.SeverityUnder(*recipe)
}

// dense reports whether the map shows density in place of symbols.
func (c *contents) dense() bool { return len(c.marks) > mostMarks }

// width of the strip as far as it is known, in mm; 0 where it is not.
func (c *contents) width() inspection.MM {
	if c.coil.Strip.Width > 0 {
		return c.coil.Strip.Width
	}
	return c.coil.Order.Width
}

// blind reports whether no camera looks at a side.
func (c *contents) blind(s inspection.Side) bool {
	return !slices.Contains(c.coil.Strip.InspectedSides(), s)
}

func panelOf(s inspection.Side) int {
	if s == inspection.Bottom {
		return 1
	}
	return 0
}

// decidingOf are the defects that broke a rule, each with the worst grade it gave.
func decidingOf(r *inspection.InspectionResult) map[inspection.DefectID]inspection.Grade {
	out := map[inspection.DefectID]inspection.Grade{}
	for _, o := range r.Trail {
		if o.Broken {
			for _, id := range o.Defects {
				out[id] = out[id].Worse(o.Grade)
			}
		}
	}
	return out
}

// worstOf keeps the worst defects of those it is given: the most severe; of these what decided the grade; of these the
// largest; and the first of equals.
type worstOf struct {
	deciding map[inspection.DefectID]inspection.Grade
	kept     []inspection.MapDefect
}

func (w *worstOf) order(a, b inspection.MapDefect) int {
	decides := func(d inspection.MapDefect) int {
		if _, ok := w.deciding[d.ID]; ok {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(b.Severity, a.Severity), cmp.Compare(decides(b), decides(a)),
		cmp.Compare(b.Rect.Area(), a.Rect.Area()), cmp.Compare(a.ID, b.ID),
	)
}

func (w *worstOf) add(d inspection.MapDefect) {
	if len(w.kept) == worstPictures && w.order(w.kept[worstPictures-1], d) <= 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(w.kept, d, w.order)
	w.kept = slices.Insert(w.kept, at, d)
	w.kept = w.kept[:min(len(w.kept), worstPictures)]
}

func (w *worstOf) ids() (out []inspection.DefectID) {
	for _, d := range w.kept {
		out = append(out, d.ID)
	}
	return out
}
