package report

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"

	"codeberg.org/go-pdf/fpdf"
)

// Cells of density in a panel, 0.75 mm wide and high.
const (
	mapColumns = 211
	mapRows    = 41
)

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
