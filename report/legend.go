package report

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
