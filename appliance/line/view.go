package line

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// view is where a camera looks across the line, among those of its side.
type view struct {
	edges      *sideEdges
	place      int // among the cameras of the side, from the operator's on
	from, to   inspection.MM
	neighbours []*cameraLine
}

// alone tells that no other camera looks at the side.
func (v *view) alone() bool { return len(v.neighbours) == 0 }

// saw enters where a frame shows strip.
func (v *view) saw(l Locator, f *camera.Frame, e inspection.StripEdges) {
	left, right := l.Across(e.Left), l.Across(e.Right)
	seen := edgesSeen{
		span: f.Span, present: e.Present, operator: left, drive: right,
		operatorInside: e.Left >= 1, driveInside: e.Right <= float64(f.Image.Width-1),
	}
	if right < left {
		seen.operator, seen.drive = right, left
		seen.operatorInside, seen.driveInside = seen.driveInside, seen.operatorInside
	}
	v.edges.saw(v.place, seen)
}

// across is the distance of the pixels [x0, x1) from the operator-side edge of the strip, nearer end first.
func (c *cameraLine) across(x0, x1 float64, edge inspection.MM) (from, to inspection.MM) {
	a, b := c.Locator.Across(x0), c.Locator.Across(x1)
	return min(a, b) - edge, max(a, b) - edge
}

// largestHole is how far apart the views of two cameras may end: a rounding, not steel.
const largestHole = inspection.MM(0.5)

// arrange finds the neighbours among the cameras of one side. No strip may run between two of them.
func (l *Line) arrange(side inspection.Side) error {
	var on []*cameraLine
	for _, c := range l.cameras {
		if c.Side == side {
			on = append(on, c)
		}
	}
	edges := newSideEdges(len(on))
	for _, c := range on {
		if len(on) > 1 && c.Width < 1 {
			return fmt.Errorf("line: camera %s is one of several on the %s side, and the width of its frames is not known", c.ID, side)
		}
		a, b := c.Locator.Across(0), c.Locator.Across(float64(c.Width))
		c.view = view{edges: edges, from: min(a, b), to: max(a, b)}
	}
	slices.SortFunc(on, func(a, b *cameraLine) int { return cmp.Compare(a.view.from, b.view.from) })
	for i, c := range on {
		c.view.place = i
		if i == 0 {
			continue
		}
		before := on[i-1]
		switch hole := c.view.from - before.view.to; {
		case hole > largestHole:
			return fmt.Errorf("line: cameras %s and %s leave %.0f mm of the %s side unseen between them; their views must meet: correct their positions", before.ID, c.ID, float64(hole), side)
		case c.view.to <= before.view.to:
			return fmt.Errorf("line: camera %s sees nothing of the %s side that camera %s does not see (%.0f to %.0f mm across); correct their positions", c.ID, side, before.ID, float64(c.view.from), float64(c.view.to))
		}
		before.view.neighbours, c.view.neighbours = append(before.view.neighbours, c), append(c.view.neighbours, before)
	}
	return nil
}

// shares reports whether a neighbour sees something of what lies at [from, to) across the line too.
func (c *cameraLine) shares(x0, x1 float64) bool {
	from, to := c.across(x0-partSlack, x1+partSlack, 0)
	return slices.ContainsFunc(c.view.neighbours, func(n *cameraLine) bool { return from < n.view.to && n.view.from < to })
}
