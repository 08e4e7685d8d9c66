package report

import (
	"cmp"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// rowHeight is that of a table's row in mm.
const rowHeight = 4.5

// byClass counts the defects by class and side, in two columns, beside the symbols that the map shows them by.
func (d *paper) byClass() {
	w := d.words
	if len(d.classes) == 0 && d.ruledOut == 0 {
		d.room(10)
		d.black()
		d.line(sideMargin, d.y, bodyWidth, 9.5, false, w.noDefects)
		d.y += 8
		return
	}
	order := make([]int, len(d.classes))
	for i := range order {
		order[i] = i
	}
	total := func(i int) int { return d.bySide[i][0] + d.bySide[i][1] }
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(total(b), total(a)), cmp.Compare(d.classes[a], d.classes[b]))
	})
	entries := len(order)
	if d.ruledOut > 0 {
		entries++
	}
	rows := (entries + 1) / 2
	d.heading(w.byClass, float64(min(rows, 12)+1)*rowHeight)
	const half = bodyWidth/2 - 3
	ends := [3]float64{half - 26, half - 13, half}
	for from := 0; from < rows; {
		room := max(1, int((bodyEnd-d.y)/rowHeight)-1)
		n := min(rows-from, room)
		for column := range 2 {
			x := sideMargin + float64(column)*(bodyWidth/2+3)
			d.grey()
			for i, name := range []string{w.sideShort[inspection.Top], w.sideShort[inspection.Bottom], w.total} {
				d.right(x+ends[i], d.y, 7.5, false, name)
			}
			for k := range n {
				at := column*rows + from + k
				if at >= entries {
					continue
				}
				y := d.y + float64(k+1)*rowHeight
				d.black()
				if at == len(order) {
					d.line(x+5, y, half-40, 8.5, false, w.ruledOut)
					d.right(x+ends[2], y, 8.5, false, count(d.ruledOut))
					continue
				}
				i := order[at]
				drawSymbol(d.Fpdf, lookOf(d.classes[i]), 3, x+1.8, y+1.6)
				d.line(x+5, y, half-42, 8.5, false, d.className(d.classes[i]))
				d.right(x+ends[0], y, 8.5, false, count(d.bySide[i][0]))
				d.right(x+ends[1], y, 8.5, false, count(d.bySide[i][1]))
				d.right(x+ends[2], y, 8.5, true, count(total(i)))
			}
		}
		d.y += float64(n+1) * rowHeight
		if from += n; from < rows {
			d.room(bodyEnd)
		}
	}
	d.y += 4
}

// mostGaps is how many gaps are listed; the rest is told in one line.
const mostGaps = 40

// coverage says for each side how much was inspected, and lists the gaps.
func (d *paper) coverage() {
	w := d.words
	d.heading(w.coverage, 20)
	for _, s := range inspection.Sides() {
		d.room(9)
		d.black()
		d.line(sideMargin, d.y, 30, 9.5, true, w.side[s])
		at := slices.IndexFunc(d.coil.Coverage, func(c inspection.Coverage) bool { return c.Side == s })
		switch {
		case d.blind(s):
			d.line(sideMargin+32, d.y, 100, 9.5, false, w.noCamera)
		case at < 0:
			d.line(sideMargin+32, d.y, 100, 9.5, false, w.knownAtEnd)
		default:
			d.covered(d.coil.Coverage[at])
		}
		d.y += 8.6
	}
	d.y += 2
	if len(d.gaps) == 0 {
		if len(d.coil.Coverage) > 0 {
			d.black()
			d.line(sideMargin, d.y, bodyWidth, 9, false, w.noGaps)
			d.y += 8
		}
		return
	}
	d.listGaps()
}

// covered writes the figures of a side, and a bar of them.
func (d *paper) covered(c inspection.Coverage) {
	w := d.words
	x := sideMargin + 32
	d.line(x, d.y, 30, 9.5, true, percent(c.Share()))
	d.line(x+20, d.y+0.4, bodyWidth-52, 7.5, false, w.inspected+" "+millimetres(c.Inspected)+" / "+millimetres(c.Length)+
		" · "+w.screened+" "+millimetres(c.DetectedOnly)+" · "+w.missed+" "+millimetres(c.Missed))
	if c.Length <= 0 {
		return
	}
	const width = bodyWidth - 32
	y := d.y + 4.3
	seen := width * float64(c.Inspected/c.Length)
	screened := width * float64(c.DetectedOnly/c.Length)
	d.SetFillColor(150, 155, 160)
	d.Rect(x, y, seen, 2.4, "F")
	if screened > 0 {
		d.hatch(x+seen, y, screened, 2.4, true)
	}
	if missed := width - seen - screened; missed > 0.01 {
		d.hatch(x+seen+screened, y, missed, 2.4, false)
	}
	d.SetDrawColor(20, 22, 24)
	d.SetLineWidth(0.2)
	d.Rect(x, y, width, 2.4, "D")
}

func (d *paper) listGaps() {
	w := d.words
	gaps := slices.Clone(d.gaps)
	slices.SortStableFunc(gaps, func(a, b inspection.Gap) int { return cmp.Compare(b.Length(), a.Length()) })
	shown := gaps[:min(len(gaps), mostGaps)]
	x := [...]float64{0, 14, 31, 51, 69, 107, 127}
	head := func() {
		d.grey()
		for i, name := range []string{w.sideHead, w.from + " (m)", w.to + " (m)", w.stretch + " (mm)", w.state, w.camera, w.cause} {
			d.line(sideMargin+x[i], d.y, 40, 7.5, false, name)
		}
		d.y += rowHeight
	}
	d.heading(w.gapsLongest, float64(min(len(shown), 6)+2)*rowHeight)
	head()
	for _, g := range shown {
		if d.y+rowHeight > bodyEnd {
			d.room(bodyEnd)
			head()
		}
		to, length := number(float64(g.To)/1000, 3), number(float64(g.Length()), 0)
		if g.OpenEnd {
			to, length = w.openEnd, "≥ "+length
		}
		for i, text := range []string{
			w.sideShort[g.Side], number(float64(g.From)/1000, 3), to, length, w.gapState[g.State], string(g.Camera), causeIn(d.lang, g.Cause),
		} {
			d.black()
			width := bodyWidth - x[i]
			if i+1 < len(x) {
				width = x[i+1] - x[i] - 2
			}
			d.line(sideMargin+x[i], d.y, width, 8, false, text)
		}
		d.y += rowHeight
	}
	if more := gaps[len(shown):]; len(more) > 0 {
		var sum inspection.MM
		for _, g := range more {
			sum += g.Length()
		}
		d.room(rowHeight)
		d.black()
		d.line(sideMargin, d.y, bodyWidth, 8, false, w.moreGaps(len(more), millimetres(sum)))
		d.y += rowHeight
	}
	d.y += 4
}

// mostCalibrations bounds what is listed: three kinds of a dozen cameras and the encoder.
const mostCalibrations = 40

// setup names what inspected the coil: program, model, recipe and calibrations, each with its version.
func (d *paper) setup() {
	w := d.words
	d.heading(w.setup, 24)
	recipe := versioned(d.coil.RecipeName, d.coil.RecipeVersion)
	if d.recipe != nil && d.recipe.Description != "" {
		recipe += " · " + d.recipe.Description
	}
	for _, f := range [][2]string{{w.program, "Coilsight " + d.about.Version}, {w.model, d.coil.Model}, {w.recipe, recipe}} {
		d.grey()
		d.line(sideMargin, d.y, 30, 8, false, f[0])
		d.black()
		d.line(sideMargin+32, d.y, bodyWidth-32, 8.5, false, f[1])
		d.y += rowHeight
	}
	d.grey()
	d.line(sideMargin, d.y, 30, 8, false, w.calibration)
	if len(d.coil.Calibrations) == 0 {
		d.black()
		d.line(sideMargin+32, d.y, bodyWidth-32, 8.5, false, w.noCalibration)
		d.y += rowHeight
	}
	for _, k := range d.coil.Calibrations[:min(len(d.coil.Calibrations), mostCalibrations)] {
		d.room(rowHeight)
		kind := w.calibrationKind[k.Kind]
		if kind == "" {
			kind = k.Kind
		}
		d.black()
		x, widths := sideMargin+32, [...]float64{36, 30, 24, 58}
		for j, text := range []string{string(k.Camera), kind, w.version + " " + count(k.Version), w.madeAt + " " + d.at(k.At)} {
			d.line(x, d.y, widths[j]-2, 8.5, false, text)
			x += widths[j]
		}
		d.y += rowHeight
	}
	d.y += 4
}
