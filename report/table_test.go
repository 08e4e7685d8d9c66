package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/report"
)

// formulas are names that a spreadsheet takes for formulas.
func formulas() []string {
	return []string{`=HYPERLINK("http://x","y")`, "+1+1", "-2+3", "@SUM(1)", "\t=1+1", "＝1+1", "\r=1"}
}

// reviewed records ten defects, some of them reviewed: agreed with, corrected, ruled out, and by people whose names are formulas.
func reviewed(t *testing.T) *store.Store {
	t.Helper()
	s := newStore(t)
	b := run(t, s, "H-4711", 10, 1)
	review(t, s, b.Defects[0].ID, b.Defects[0].Class, "Kim, \"Min\"")
	review(t, s, b.Defects[1].ID, "hole", "김민준")
	review(t, s, b.Defects[2].ID, "no_defect", "이서연")
	for i, name := range formulas() {
		if _, err := s.Review(t.Context(), b.Defects[3+i].ID, inspection.Review{Class: "hole", By: name + "x", Note: name, Severity: new(inspection.Severity(0))}, 0); err != nil {
			t.Fatal(err)
		}
	}
	finish(t, s, "H-4711")
	return s
}

func TestCSVIsReadBack(t *testing.T) {
	s := reviewed(t)
	var b bytes.Buffer
	if err := report.WriteCSV(t.Context(), &b, s, "H-4711", about()); err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutPrefix(b.String(), "\ufeff")
	if !ok {
		t.Error("there is no byte order mark: Excel shows no Hangul")
	}
	if strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		t.Error("lines do not all end with CRLF")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rows[0], report.Columns()) || len(rows) != 11 {
		t.Fatalf("%d rows under %q", len(rows), rows[0])
	}
	// The header's names are documented in docs/api.md and never change.
	if got := strings.Join(rows[0], ","); got != "id,side,along_m,across_mm,length_mm,width_mm,area_mm2,class,class_ko,class_en,confidence,severity,camera,seen_at,review,reviewed_class,reviewed_by,reviewed_at,note,reviewed_severity" {
		t.Errorf("columns %s", got)
	}
	value := func(row int, column string) string { return rows[row+1][slices.Index(rows[0], column)] }
	for _, c := range []struct {
		row          int
		column, want string
	}{
		{0, "id", "1"},
		{0, "side", "top"},
		{0, "along_m", "0"},
		{1, "along_m", "247.1518"},
		{1, "across_mm", "608.89"},
		{1, "class", "edge_crack"},
		{1, "class_ko", "에지 크랙"},
		{1, "class_en", "edge crack"},
		{1, "severity", "3"},
		{1, "camera", "bottom"},
		{1, "seen_at", "2026-03-01T08:00:00.25Z"},
		{0, "review", "agreed"},
		{0, "reviewed_by", `Kim, "Min"`},
		{1, "review", "other_class"},
		{1, "reviewed_class", "hole"},
		{1, "reviewed_by", "김민준"},
		{2, "review", "no_defect"},
		{0, "reviewed_severity", "4"},
		{1, "reviewed_severity", "4"}, // the recipe's of the class that was given
		{2, "reviewed_severity", ""},
		{3, "reviewed_severity", "0"}, // the person's
	} {
		if got := value(c.row, c.column); got != c.want {
			t.Errorf("row %d, %s: %q; want %q", c.row, c.column, got, c.want)
		}
	}
	for i, name := range formulas() {
		// A lone carriage return is no part of RFC 4180; the writer leaves it out.
		if got := value(3+i, "note"); got != "'"+strings.ReplaceAll(name, "\r", "") {
			t.Errorf("note %q reads %q; a spreadsheet would take it for a formula", name, got)
		}
		if got := value(3+i, "reviewed_by"); !strings.HasPrefix(got, "'") {
			t.Errorf("name %q reads %q", name, got)
		}
	}
}

func TestCSVOfNoDefectsHasItsHeader(t *testing.T) {
	s := newStore(t)
	run(t, s, "C1", 0, 0)
	var b bytes.Buffer
	if err := report.WriteCSV(t.Context(), &b, s, "C1", report.About{}); err != nil || strings.TrimSpace(b.String()) != "\ufeff"+strings.Join(report.Columns(), ",") {
		t.Errorf("%v: %q", err, b.String())
	}
	var gone *inspection.NotFoundError
	if err := report.WriteCSV(t.Context(), io.Discard, s, "none", report.About{}); !errors.As(err, &gone) {
		t.Errorf("an unknown coil: %v", err)
	}
}

// failing takes some bytes and then no more.
type failing struct{ left int }

var errFull = errors.New("the reader is gone")

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWritingStopsWhenTheReaderIsGone(t *testing.T) {
	s := newStore(t)
	run(t, s, "M1", 3000, 0)
	w := &failing{left: 1000}
	if err := report.WriteCSV(t.Context(), w, s, "M1", report.About{}); !errors.Is(err, errFull) {
		t.Errorf("csv: %v", err)
	}
	b, err := report.NewWorkbook(t.Context(), s, "M1", about())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Write(&failing{left: 1000}); !errors.Is(err, errFull) {
		t.Errorf("xlsx: %v", err)
	}
}

func open(t *testing.T, s report.Rows, id inspection.CoilID) *excelize.File {
	t.Helper()
	b, err := report.NewWorkbook(t.Context(), s, id, about())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var file bytes.Buffer
	if err := b.Write(&file); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestWorkbookIsReadBack(t *testing.T) {
	s := reviewed(t)
	f := open(t, s, "H-4711")
	if got := f.GetSheetList(); !slices.Equal(got, []string{"Coil", "Defects"}) {
		t.Fatalf("sheets %q", got)
	}
	rows, err := f.GetRows("Defects")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 11 || !slices.Equal(rows[0], report.Columns()) {
		t.Fatalf("%d rows under %q", len(rows), rows[0])
	}
	cell := func(row int, column string) string {
		name, err := excelize.CoordinatesToCellName(slices.Index(rows[0], column)+1, row)
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, c := range []struct {
		column, want string
		kind         excelize.CellType
	}{
		{"id", "2", excelize.CellTypeUnset},
		{"along_m", "247.1518", excelize.CellTypeUnset},
		{"confidence", "0.6909", excelize.CellTypeUnset},
		{"severity", "3", excelize.CellTypeUnset},
		{"class_ko", "에지 크랙", excelize.CellTypeInlineString},
		{"reviewed_by", "김민준", excelize.CellTypeInlineString},
		{"reviewed_severity", "4", excelize.CellTypeUnset},
		{"seen_at", "2026-03-01 17:00:00", excelize.CellTypeUnset}, // the plant's clock
	} {
		at := cell(3, c.column)
		kind, err := f.GetCellType("Defects", at)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.GetCellValue("Defects", at); err != nil || got != c.want || kind != c.kind {
			t.Errorf("%s: %q of kind %d, %v; want %q of kind %d", c.column, got, kind, err, c.want, c.kind)
		}
	}
	for i, name := range formulas() {
		at := cell(5+i, "note")
		formula, err := f.GetCellFormula("Defects", at)
		if err != nil || formula != "" {
			t.Errorf("%s holds the formula %q, %v", at, formula, err)
		}
		kind, err := f.GetCellType("Defects", at)
		if err != nil || kind != excelize.CellTypeInlineString {
			t.Errorf("%q is of kind %d, %v; want text", name, kind, err)
		}
	}
	panes, err := f.GetPanes("Defects")
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("the header is not frozen: %+v, %v", panes, err)
	}
	filtered := false
	for _, n := range f.GetDefinedName() {
		filtered = filtered || (strings.Contains(n.Name, "FilterDatabase") && strings.Contains(n.RefersTo, "$A$1:$T$11"))
	}
	if !filtered {
		t.Errorf("no filter over all rows: %+v", f.GetDefinedName())
	}
	facts, err := f.GetRows("Coil")
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for _, r := range facts {
		if len(r) == 3 {
			text[r[0]] = r[2]
		}
	}
	for name, want := range map[string]string{
		"Coil": "H-4711", "Grade": "Prime / 정품", "Steel grade": "SS400 강판", "Length (mm)": "400000", "Thickness (mm)": "2.5", "Started": "2026-03-01 17:00:00",
		"Times in": "Asia/Seoul (UTC+09:00)", "Recipe": "hot-strip v3", "Model": "steel-surface 1.3.0", "Defects": "10", "Top side: Inspected (%)": "99.97",
	} {
		if text[name] != want {
			t.Errorf("%s: %q; want %q", name, text[name], want)
		}
	}
}

// crowded says of a coil that it has more defects than a sheet has rows.
type crowded struct{ report.Rows }

func (c crowded) Coil(ctx context.Context, id inspection.CoilID) (inspection.Coil, error) {
	coil, err := c.Rows.Coil(ctx, id)
	coil.Counts.Defects = 1 << 20
	return coil, err
}

func TestWorkbookRefusesMoreThanASheetHolds(t *testing.T) {
	s := newStore(t)
	run(t, s, "M1", 1, 0)
	var conflict *inspection.ConflictError
	if _, err := report.NewWorkbook(t.Context(), crowded{s}, "M1", about()); !errors.As(err, &conflict) || !strings.Contains(err.Error(), "defects.csv") {
		t.Errorf("1,048,576 defects: %v", err)
	}
}

// paced counts the pages that were read, and remembers how many had been when the first byte was written.
type paced struct {
	report.Rows
	pages, first int
}

func (p *paced) Defects(ctx context.Context, q inspection.DefectQuery) (inspection.DefectPage, error) {
	p.pages++
	return p.Rows.Defects(ctx, q)
}

func (p *paced) Write(b []byte) (int, error) {
	if p.first == 0 {
		p.first = p.pages
	}
	return len(b), nil
}

func TestRowsAreWrittenAsTheyAreRead(t *testing.T) {
	s := newStore(t)
	run(t, s, "M1", 5000, 0)
	p := &paced{Rows: s}
	if err := report.WriteCSV(t.Context(), p, p, "M1", report.About{}); err != nil {
		t.Fatal(err)
	}
	if p.pages != 5 || p.first != 1 {
		t.Errorf("the first rows were written after %d of %d pages; want 1 of 5", p.first, p.pages)
	}
}
