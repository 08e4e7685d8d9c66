package calibration

import (
	"fmt"
	"io"

	"codeberg.org/go-pdf/fpdf"

	"github.com/coilsight/coilsight/inspection"
)

// Checkerboard is what an area camera is fitted to, by its inner corners: where four squares meet.
type Checkerboard struct {
	Columns, Rows int     // of inner corners; one square more each way
	Square        float64 // mm
}

// Check reports the first value that is not possible.
func (b Checkerboard) Check() error {
	bad := func(field, format string, a ...any) error {
		return &inspection.FieldError{Field: field, Reason: fmt.Sprintf(format, a...)}
	}
	const least, most = 4, 60
	switch {
	case b.Columns < least || b.Columns > most:
		return bad("columns", "%d inner corners are not possible; allowed are %d to %d", b.Columns, least, most)
	case b.Rows < least || b.Rows > most:
		return bad("rows", "%d inner corners are not possible; allowed are %d to %d", b.Rows, least, most)
	case !(b.Square >= 1 && b.Square <= 500):
		return bad("square", "%g mm are not possible; allowed are 1 to 500", b.Square)
	}
	return nil
}

// Measures of the board's page in mm.
const boardTop, boardBottom = 42.0, 10.0

// size of the board with its outer squares, mm.
func (b Checkerboard) size() (width, height float64) {
	return float64(b.Columns+1) * b.Square, float64(b.Rows+1) * b.Square
}

// CheckPage reports a board that is not possible, or that does not fit on a page of A4.
func (b Checkerboard) CheckPage() error {
	if err := b.Check(); err != nil {
		return err
	}
	if w, h := b.size(); w > pageWidth-2*pageMargin || h > pageHeight-boardTop-boardBottom {
		return fmt.Errorf("a board of %g x %g mm does not fit on a page of A4; allowed are %g x %g", w, h, pageWidth-2*pageMargin, pageHeight-boardTop-boardBottom)
	}
	return nil
}

// PDF writes the board on a page of A4, to be printed at its own size. One that does not fit is an error.
func (b Checkerboard) PDF(w io.Writer) error {
	if err := b.CheckPage(); err != nil {
		return err
	}
	p := fpdf.New("L", "mm", "A4", "")
	p.SetTitle("Coilsight checkerboard", true)
	p.SetFont("Helvetica", "", 10)
	p.AddPage()
	p.SetXY(pageMargin, 8)
	p.CellFormat(0, 5, fmt.Sprintf("Coilsight checkerboard, %d x %d inner corners, squares of %g mm. Print at 100 %%, not fitted to the page.", b.Columns, b.Rows, b.Square), "", 1, "L", false, 0, "")
	p.SetX(pageMargin)
	p.CellFormat(0, 5, "The ruler below must be 100 mm long. Glue the page on something flat and stiff.", "", 1, "L", false, 0, "")
	ruler(p, pageMargin, 22)
	p.SetFillColor(0, 0, 0)
	width, _ := b.size()
	left := (pageWidth - width) / 2
	for j := range b.Rows + 1 {
		for i := range b.Columns + 1 {
			if (i+j)&1 == 0 {
				p.Rect(left+float64(i)*b.Square, boardTop+float64(j)*b.Square, b.Square, b.Square, "F")
			}
		}
	}
	return p.Output(w)
}
