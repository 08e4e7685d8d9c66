package report

import (
	"archive/zip"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/coilsight/coilsight/inspection"
)

const (
	coilSheet   = "Coil"
	defectSheet = "Defects"
	// sheetRows is the most that a sheet holds below its header.
	sheetRows = excelize.TotalRows - 1
)

// Workbook is a coil and its defects, ready to be written. Rows beyond 16 MiB wait in a file until Close.
type Workbook struct {
	file             *excelize.File
	head, time, wrap int // styles
}

// NewWorkbook reads a coil and its defects into a workbook of two sheets; times are those of the plant's clock. It is
// *inspection.ConflictError for a coil with more defects than a sheet has rows. The caller closes it.
func NewWorkbook(ctx context.Context, r Rows, id inspection.CoilID, a About) (_ *Workbook, err error) {
	c, err := r.Coil(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.Counts.Defects > sheetRows {
		return nil, &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: fmt.Sprintf("has %d defects; a sheet holds %d: take defects.csv", c.Counts.Defects, sheetRows)}
	}
	b := &Workbook{file: excelize.NewFile()}
	defer func() {
		if err != nil {
			_ = b.Close()
		}
	}()
	if err := b.prepare(); err != nil {
		return nil, fmt.Errorf("workbook of coil %s: %w", id, err)
	}
	if err := b.writeCoil(c, a); err != nil {
		return nil, fmt.Errorf("workbook of coil %s: %w", id, err)
	}
	return b, b.writeDefects(ctx, r, c, a)
}

// Close removes what waits in a file.
func (b *Workbook) Close() error { return b.file.Close() }

// Write writes the workbook, compressed as it goes.
func (b *Workbook) Write(w io.Writer) error {
	b.file.SetZipWriter(func(io.Writer) excelize.ZipWriter {
		z := zip.NewWriter(w)
		z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
		return z
	})
	return b.file.Write(io.Discard)
}

func (b *Workbook) prepare() (err error) {
	if err := b.file.SetSheetName("Sheet1", coilSheet); err != nil {
		return err
	}
	if _, err := b.file.NewSheet(defectSheet); err != nil {
		return err
	}
	bold := &excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E2E5E7"}}}
	if b.head, err = b.file.NewStyle(bold); err != nil {
		return err
	}
	format := "yyyy-mm-dd hh:mm:ss"
	if b.time, err = b.file.NewStyle(&excelize.Style{CustomNumFmt: &format, Alignment: &excelize.Alignment{Horizontal: "left"}}); err != nil {
		return err
	}
	b.wrap, err = b.file.NewStyle(&excelize.Style{Alignment: &excelize.Alignment{Horizontal: "left", Vertical: "top", WrapText: true}})
	return err
}

// writeDefects writes one row a defect under a header that stays in view.
func (b *Workbook) writeDefects(ctx context.Context, r Rows, c inspection.Coil, a About) error {
	failed := func(err error) error { return fmt.Errorf("workbook of coil %s: %w", c.ID, err) }
	s, err := b.file.NewStreamWriter(defectSheet)
	if err != nil {
		return failed(err)
	}
	widths := []float64{10, 9, 11, 11, 11, 11, 11, 30, 18, 30, 11, 10, 14, 20, 13, 26, 16, 20, 30, 18}
	for i, w := range widths {
		if err := s.SetColWidth(i+1, i+1, w); err != nil {
			return failed(err)
		}
	}
	if err := s.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return failed(err)
	}
	row := make([]any, 0, len(Columns()))
	for _, name := range Columns() {
		row = append(row, excelize.Cell{StyleID: b.head, Value: name})
	}
	if err := s.SetRow("A1", row); err != nil {
		return failed(err)
	}
	n, recipe, at := namesOf(a.Classes), a.recipeOf(c), 1
	err = eachDefect(ctx, r, inspection.DefectQuery{Coil: c.ID}, func(d *inspection.Defect) error {
		if at > sheetRows {
			return &inspection.ConflictError{Noun: "coil", ID: string(c.ID), Reason: fmt.Sprintf("has more defects than the %d that a sheet holds: take defects.csv", sheetRows)}
		}
		row = rowOf(row[:0], d, n, recipe)
		inZone(row, a.zone())
		for i, v := range row {
			if t, ok := v.(time.Time); ok {
				row[i] = excelize.Cell{StyleID: b.time, Value: t}
			}
		}
		at++
		return s.SetRow(fmt.Sprint("A", at), row)
	}, func() error { return nil })
	if err != nil {
		return err
	}
	last, err := excelize.CoordinatesToCellName(len(Columns()), max(at, 2))
	if err != nil {
		return failed(err)
	}
	if err := b.file.AutoFilter(defectSheet, "A1:"+last, nil); err != nil {
		return failed(err)
	}
	if err := s.Flush(); err != nil {
		return failed(err)
	}
	return nil
}

// writeCoil writes the coil's facts: their names in both languages, and their values.
func (b *Workbook) writeCoil(c inspection.Coil, a About) error {
	f := b.file
	for column, width := range map[string]float64{"A": 34, "B": 26, "C": 48} {
		if err := f.SetColWidth(coilSheet, column, column, width); err != nil {
			return err
		}
	}
	for i, fact := range coilFacts(c, a) {
		style := b.wrap
		if _, ok := fact.value.(time.Time); ok {
			style = b.time
		}
		row := i + 1
		if err := f.SetSheetRow(coilSheet, fmt.Sprint("A", row), &[]any{fact.en, fact.ko, fact.value}); err != nil {
			return err
		}
		if err := f.SetCellStyle(coilSheet, fmt.Sprint("C", row), fmt.Sprint("C", row), style); err != nil {
			return err
		}
		if err := f.SetCellStyle(coilSheet, fmt.Sprint("A", row), fmt.Sprint("B", row), b.head); err != nil {
			return err
		}
	}
	return nil
}
