package report

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"

	"codeberg.org/go-pdf/fpdf"

	"github.com/coilsight/coilsight/inspection"
)

// Measures of the map in mm. Length runs to the right; the two sides lie one above the other and share the drive side.
const (
	mapLeft     = sideMargin + 6
	mapWidth    = 158.0
	panelHeight = 31.0
	panelGap    = 5.0
	mapAbove    = 4.0 // the operator side's name
	mapBelow    = 13.0
	mapHeight   = mapAbove + 2*panelHeight + panelGap + mapBelow
)

// Cells of density in a panel, 0.75 mm wide and high.
const (
	mapColumns = 211
	mapRows    = 41
)

const stripGrey = 226

// plot places millimetres of the strip on the paper.
type plot struct {
	top           float64 // of the upper panel
	length, width float64 // of the strip, in mm
}

func (p plot) panel(side int) float64 { return p.top + float64(side)*(panelHeight+panelGap) }

func (p plot) x(along float64) float64 {
	return mapLeft + min(max(along/p.length, 0), 1)*mapWidth
}

func (p plot) y(side int, across float64) float64 {
	down := min(max(across/p.width, 0), 1) * panelHeight
	if side == 1 {
		down = panelHeight - down // the operator side is its lower edge
	}
	return p.panel(side) + down
}

// drawMap draws both sides with all defects, what was not inspected, and a legend.
func (d *paper) drawMap() {
	d.heading(d.words.defectMap, mapHeight+12)
	p := plot{top: d.y + mapAbove, length: float64(max(d.mapLength(), 1)), width: float64(max(d.width(), 1))}
	if d.width() <= 0 {
		for _, m := range d.marks {
			p.width = max(p.width, float64(m.across))
		}
	}
	d.panels(p)
	if d.dense() {
		d.drawDensity(p)
	}
	for side, s := range inspection.Sides() {
		d.hatchGaps(p, side, s)
	}
	d.symbols(p)
	d.axes(p)
	d.y += mapHeight
	d.legend()
}

// mapLength is that of the strip; a running coil's map has its ordered length.
func (d *paper) mapLength() inspection.MM {
	if d.coil.State == inspection.Running {
		return max(d.end, d.coil.Order.Length)
	}
	return d.end
}

func (d *paper) panels(p plot) {
	d.SetFillColor(stripGrey, stripGrey+3, stripGrey+5)
	for side := range inspection.Sides() {
		d.Rect(mapLeft, p.panel(side), p.x(float64(d.end))-mapLeft, panelHeight, "F")
	}
}

// span is a stretch of the map on the paper.
type span struct{ from, to float64 }

// leastSpan is how wide a gap is drawn at least: 16 mm of a coil of 1,000 m would not be seen.
const leastSpan = 0.4

// spansOf joins the gaps of a side that touch on the paper, so that their number is bounded.
func (d *paper) spansOf(p plot, s inspection.Side, screened bool) (out []span) {
	if !screened && d.blind(s) {
		return []span{{mapLeft, p.x(float64(d.end))}}
	}
	for _, g := range d.gaps {
		if g.Side != s || (g.State == inspection.DetectedOnly) != screened {
			continue
		}
		from, to := p.x(float64(g.From)), p.x(float64(g.To))
		if g.OpenEnd {
			to = mapLeft + mapWidth
		}
		if to-from < leastSpan {
			from = min(from, mapLeft+mapWidth-leastSpan)
			to = from + leastSpan
		}
		out = append(out, span{from, to})
	}
	slices.SortFunc(out, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	n := 0
	for _, s := range out {
		if n > 0 && s.from <= out[n-1].to+0.1 {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out[n] = s
		n++
	}
	return out[:n]
}

func (d *paper) hatchGaps(p plot, side int, s inspection.Side) {
	for _, screened := range []bool{true, false} {
		for _, g := range d.spansOf(p, s, screened) {
			d.hatch(g.from, p.panel(side), g.to-g.from, panelHeight, screened)
		}
	}
	if d.blind(s) {
		text := d.words.noCamera
		d.face(9, true, text)
		w := d.GetStringWidth(text) + 6
		d.SetFillColor(255, 255, 255)
		d.Rect(mapLeft+(mapWidth-w)/2, p.panel(side)+panelHeight/2-3, w, 6, "F")
		d.black()
		d.line(mapLeft+(mapWidth-w)/2+3, p.panel(side)+panelHeight/2-1.6, w, 9, true, text)
	}
}

// hatch marks an area that was not inspected: by crossing lines on white, or by slanting ones where it was screened.
func (d *paper) hatch(x, y, w, h float64, screened bool) {
	d.SetFillColor(255, 255, 255)
	if screened {
		d.SetAlpha(0.6, "Normal") // what was found there shows through
	}
	d.Rect(x, y, w, h, "F")
	d.SetAlpha(1, "Normal")
	d.SetDrawColor(40, 43, 46) // before the clip, whose end takes back what is set within
	d.SetLineWidth(0.15)
	d.ClipRect(x, y, w, h, false)
	const step = 1.4
	for at := math.Floor((x-h)/step) * step; at < x+w; at += step { // on one raster, whatever the area
		d.Line(at, y+h, at+h, y)
		if !screened {
			d.Line(at, y, at+h, y+h)
		}
	}
	d.ClipEnd()
	d.SetLineWidth(0.1)
	d.Rect(x, y, w, h, "D")
}

// leastDrawn is the least severity that has symbols: all of a few defects, of many only as many of the worst as can be
// told apart on their density.
func (d *paper) leastDrawn() inspection.Severity {
	if !d.dense() {
		return 0
	}
	var by [5]int
	for _, m := range d.marks {
		by[m.severity]++
	}
	least, n := inspection.Severity(5), 0
	for least > 0 && n+by[least-1] <= mostMarks/3 {
		least--
		n += by[least]
	}
	return least
}

// symbols draws the defects, the worst on top: what decided the grade in a ring, what has a picture with its number.
func (d *paper) symbols(p plot) {
	number := map[inspection.DefectID]int{}
	for i := range d.worst {
		number[d.worst[i].ID] = i + 1
	}
	least := d.leastDrawn()
	var drawn []mark
	for _, m := range d.marks {
		_, deciding := d.deciding[m.id]
		if m.severity >= least || deciding || number[m.id] > 0 {
			drawn = append(drawn, m)
		}
	}
	slices.SortStableFunc(drawn, func(a, b mark) int { return cmp.Compare(a.severity, b.severity) })
	place := func(m mark) (x, y float64) {
		side := 0
		if m.bottom {
			side = 1
		}
		return p.x(float64(m.along)), p.y(side, float64(m.across))
	}
	for _, m := range drawn {
		x, y := place(m)
		drawSymbol(d.Fpdf, lookOf(d.classes[m.class]), m.severity, x, y)
		if g, ok := d.deciding[m.id]; ok {
			d.ring(x, y, symbolSize(m.severity)/2+0.6, g)
		}
	}
	for _, m := range drawn {
		if n := number[m.id]; n > 0 {
			x, y := place(m)
			d.tag(x+symbolSize(m.severity)/2+0.7, y-3.1, n)
		}
	}
}

func (d *paper) ring(x, y, r float64, g inspection.Grade) {
	hue := ringHue(g)
	d.SetDrawColor(hue.r, hue.g, hue.b)
	d.SetLineWidth(0.35)
	d.Circle(x, y, r, "D")
}

// tag is the number of a picture.
func (d *paper) tag(x, y float64, n int) {
	text := fmt.Sprint(n)
	d.face(6.5, true, text)
	w := d.GetStringWidth(text) + 1
	x = min(x, mapLeft+mapWidth-w)
	d.SetFillColor(255, 255, 255)
	d.SetDrawColor(20, 22, 24)
	d.SetLineWidth(0.1)
	d.Rect(x, y, w, 2.8, "DF")
	d.black()
	d.line(x+0.5, y+0.35, w, 6.5, true, text)
}

// axes name the sides and draw the scales.
func (d *paper) axes(p plot) {
	d.SetDrawColor(20, 22, 24)
	d.SetLineWidth(0.25)
	for side, s := range inspection.Sides() {
		d.Rect(mapLeft, p.panel(side), mapWidth, panelHeight, "D")
		d.black()
		name := d.words.side[s]
		d.face(8.5, true, name)
		w := d.GetStringWidth(name)
		y := p.panel(side) + (panelHeight+w)/2
		d.TransformBegin()
		d.TransformRotate(90, mapLeft-2, y)
		d.Text(mapLeft-2, y, name)
		d.TransformEnd()
		d.grey()
		operator, drive := p.panel(side)+0.2, p.panel(side)+panelHeight-2.6
		if side == 1 {
			operator, drive = drive, operator
		}
		d.line(mapLeft+mapWidth+1, operator, 16, 7, false, "0 mm")
		if d.width() > 0 {
			d.line(mapLeft+mapWidth+1, drive, 16, 7, false, millimetres(d.width()))
		}
	}
	d.grey()
	d.line(mapLeft, p.top-3.6, 60, 7.5, false, d.words.operatorSide)
	d.line(mapLeft, p.panel(1)-4, 60, 7.5, false, d.words.driveSide)
	below := p.panel(1) + panelHeight
	d.SetLineWidth(0.2)
	step := roundStep(p.length / 1000 / 8)
	digits := 0
	if step < 1 {
		digits = int(math.Ceil(-math.Log10(step)))
	}
	for i := 0; float64(i)*step*1000 <= p.length; i++ {
		x := p.x(float64(i) * step * 1000)
		d.Line(x, below, x, below+1.2)
		text := number(float64(i)*step, digits)
		d.face(7, false, text)
		d.line(x-d.GetStringWidth(text)/2, below+1.6, 20, 7, false, text)
	}
	d.line(mapLeft, below+4.8, 60, 7.5, false, d.words.operatorSide)
	d.right(mapLeft+mapWidth, below+4.8, 7.5, false, d.words.fromHead)
}

// roundStep is the least of 1, 2 or 5 times a power of ten that is no less than v.
func roundStep(v float64) float64 {
	p := math.Pow10(int(math.Floor(math.Log10(max(v, 1e-6)))))
	for _, f := range []float64{1, 2, 5} {
		if f*p >= v {
			return f * p
		}
	}
	return 10 * p
}

// density counts defects in cells of the panels.
type density struct {
	columns, rows int
	counts        [2][]int
	most          int
}

func (d *paper) countCells(p plot) density {
	e := density{columns: mapColumns, rows: mapRows}
	for side := range e.counts {
		e.counts[side] = make([]int, e.columns*e.rows)
	}
	for _, m := range d.marks {
		side := 0
		if m.bottom {
			side = 1
		}
		column := int((p.x(float64(m.along)) - mapLeft) / mapWidth * float64(e.columns))
		row := int((p.y(side, float64(m.across)) - p.panel(side)) / panelHeight * float64(e.rows))
		cell := &e.counts[side][min(row, e.rows-1)*e.columns+min(column, e.columns-1)]
		*cell++
		e.most = max(e.most, *cell)
	}
	return e
}

// bounds are the least counts of the shades, from light to dark: evenly apart on a logarithmic scale.
func (e density) bounds() (out []int) {
	const shades = 5
	for i := range shades {
		b := int(math.Round(math.Pow(float64(e.most), float64(i)/shades)))
		if len(out) == 0 || b > out[len(out)-1] {
			out = append(out, b)
		}
	}
	return out
}

// shade is the grey of level 1 to the number of levels; 0 is the bare strip.
func shade(level, levels int) uint8 {
	if level == 0 {
		return stripGrey
	}
	const light, dark = 196, 24
	return uint8(light - (light-dark)*(level-1)/max(levels-1, 1))
}

// drawDensity shades the cells by how many defects they hold.
func (d *paper) drawDensity(p plot) {
	e := d.countCells(p)
	bounds := e.bounds()
	for side, counts := range e.counts {
		m := image.NewGray(image.Rect(0, 0, e.columns, e.rows))
		for i, n := range counts {
			level := 0
			for level < len(bounds) && n >= bounds[level] {
				level++
			}
			m.SetGray(i%e.columns, i/e.columns, color.Gray{Y: shade(level, len(bounds))})
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			d.SetError(err)
			return
		}
		name := fmt.Sprint("density ", side)
		d.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: "PNG"}, &b)
		d.ImageOptions(name, mapLeft, p.panel(side), mapWidth, panelHeight, false, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
	}
	d.shades = bounds
}

// legend explains all but the classes, whose symbols stand in the table below.
func (d *paper) legend() {
	w := d.words
	x := sideMargin
	next := func(width float64, text string) {
		d.black()
		text = d.clean(text)
		d.face(7.5, false, text)
		if width > 0 && x+width+d.GetStringWidth(text) > pageWidth-sideMargin {
			x, d.y = sideMargin, d.y+4.6
		}
	}
	item := func(width float64, draw func(x, y float64), text string) {
		next(width+1.5, text)
		draw(x, d.y)
		d.black()
		d.line(x+width+1.2, d.y+0.4, 80, 7.5, false, text)
		d.face(7.5, false, text)
		x += width + 1.2 + d.GetStringWidth(text) + 4.5
	}
	item(6, func(x, y float64) { d.hatch(x, y, 6, 3.4, false) }, w.missed)
	item(6, func(x, y float64) {
		d.SetFillColor(stripGrey, stripGrey+3, stripGrey+5)
		d.Rect(x, y, 6, 3.4, "F")
		d.hatch(x, y, 6, 3.4, true)
	}, w.screened)
	if len(d.deciding) > 0 {
		item(3.6, func(x, y float64) { d.ring(x+1.8, y+1.7, 1.6, d.result.Grade) }, w.deciding)
	}
	if len(d.worst) > 0 {
		item(2, func(x, y float64) { d.tag(x, y+0.3, 1) }, w.worstMark)
	}
	for i, least := range d.shades {
		text := count(least)
		if i == len(d.shades)-1 {
			text += "+ " + w.density
		}
		item(4, func(x, y float64) {
			g := int(shade(i+1, len(d.shades)))
			d.SetFillColor(g, g, g)
			d.Rect(x, y, 4, 3.4, "F")
		}, text)
	}
	first := d.leastDrawn()
	for s := first; s <= 4 && len(d.marks) > 0; s++ {
		text := w.severity[s]
		if s == first {
			text = w.severityName + ": " + text
		}
		item(3, func(x, y float64) { drawSymbol(d.Fpdf, look{squareShape, rgb{60, 64, 68}}, s, x+1.5, y+1.7) }, text)
	}
	d.y += 7
}
