package report

import (
	"cmp"
	"fmt"
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
	p := plot{top: d.y + mapAbove, length: float64(max(d.mapLength(), 1000)), width: float64(max(d.width(), 1))}
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
	if w < narrow && h > narrow {
		d.bar(x, y, w, h, screened)
		return
	}
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

// narrow is the width in mm below which an area shows no hatching.
const narrow = 1.2

// bar marks an area too narrow for hatching: dark on white, so that it is seen on bare strip as on dense defects; broken
// where it was screened.
func (d *paper) bar(x, y, w, h float64, screened bool) {
	d.SetFillColor(255, 255, 255)
	d.Rect(x-0.25, y, w+0.5, h, "F")
	d.SetFillColor(40, 43, 46)
	if !screened {
		d.Rect(x, y, w, h, "F")
		return
	}
	for at := y; at < y+h; at += 1.6 {
		d.Rect(x, at, w, min(1, y+h-at), "F")
	}
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
	var taken []fpdf.PointType
	for _, m := range drawn {
		if n := number[m.id]; n > 0 {
			x, y := place(m)
			at := beside(x, y, symbolSize(m.severity)/2+0.7, taken)
			taken = append(taken, at)
			d.tag(at.X, at.Y, n)
		}
	}
}

// Size of a number of two digits on the map, with its frame, in mm.
const (
	tagWidth  = 3.4
	tagHeight = 2.8
)

// beside finds a corner of a symbol where a number hides none of those that are taken.
func beside(x, y, reach float64, taken []fpdf.PointType) fpdf.PointType {
	right, left, above, below := x+reach, x-reach-tagWidth, y-3.1, y+0.3
	corners := []fpdf.PointType{{X: right, Y: above}, {X: right, Y: below}, {X: left, Y: above}, {X: left, Y: below}}
	for _, c := range corners {
		hidden := c.X+tagWidth > mapLeft+mapWidth || c.X < mapLeft
		for _, o := range taken {
			hidden = hidden || (math.Abs(c.X-o.X) < tagWidth && math.Abs(c.Y-o.Y) < tagHeight)
		}
		if !hidden {
			return c
		}
	}
	return corners[0]
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
	d.Rect(x, y, w, tagHeight, "DF")
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
