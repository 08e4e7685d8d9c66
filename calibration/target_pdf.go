package calibration

import (
	"fmt"
	"io"

	"codeberg.org/go-pdf/fpdf"
)

const (
	pageWidth  = 297.0 // A4, landscape, mm
	pageHeight = 210.0
	pageMargin = 13.5
	pageBars   = 27 // of a page
	pageTop    = 45.0
)

// PDF writes the target on pages of A4, to be printed at their own size and joined at their marks.
func (t Target) PDF(w io.Writer) error {
	p := fpdf.New("L", "mm", "A4", "")
	p.SetTitle("Coilsight geometry target", true)
	p.SetFont("Helvetica", "", 10)
	wide := t.Wide()
	pages := (t.Bars + pageBars - 1) / pageBars
	for page := range pages {
		first := page * pageBars
		last := min(t.Bars, first+pageBars)
		p.AddPage()
		p.SetXY(pageMargin, 10)
		p.CellFormat(0, 5, fmt.Sprintf("Coilsight geometry target, %d mm: page %d of %d, bars %d to %d. Print at 100 %%, not fitted to the page.", int(float64(t.Bars)*TargetPitch), page+1, pages, first+1, last), "", 1, "L", false, 0, "")
		p.SetX(pageMargin)
		p.CellFormat(0, 5, "The ruler below must be 100 mm long. Join pages so that the marks of one lie on those of the next. Operator side: bar 1.", "", 1, "L", false, 0, "")
		ruler(p, pageMargin, 30)
		p.SetFillColor(0, 0, 0)
		for i := first; i < last; i++ {
			x := pageMargin + float64(i-first)*TargetPitch
			p.Rect(x, pageTop, barWidth(wide[i]), TargetLength, "F")
		}
		// Where the next page's first bar begins, above and below the bars.
		for _, x := range []float64{pageMargin, pageMargin + float64(last-first)*TargetPitch} {
			for _, y := range []float64{pageTop - 8, pageTop + TargetLength + 3} {
				p.Line(x, y, x, y+5)
			}
		}
	}
	return p.Output(w)
}

// ruler draws 100 mm.
func ruler(p *fpdf.Fpdf, x, y float64) {
	p.SetLineWidth(0.2)
	p.Line(x, y, x+100, y)
	for i := range 11 {
		p.Line(x+float64(10*i), y-2, x+float64(10*i), y+2)
	}
}
