package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/report"
)

// maxExports bounds the reports and lists that are made at once: each takes a processor that the line may need.
const maxExports = 2

const (
	csvType  = "text/csv; charset=utf-8"
	xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

func (a *api) registerExports() {
	errs := []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable}
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-report", Method: http.MethodGet, Path: "/api/v1/coils/{id}/report.pdf", Tags: []string{"coils"},
		Summary:     "Read the report of a coil on paper (PDF)",
		Description: "The grade with the trail of rules, the map of both sides, coverage and gaps, the worst defects in pictures, and what inspected the coil. A coil that has not ended has a report too, which says so.",
		Responses:   binaryAnswer("application/pdf", "The report, A4"),
		Errors:      errs,
	}, a.getReport)
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-defects-xlsx", Method: http.MethodGet, Path: "/api/v1/coils/{id}/defects.xlsx", Tags: []string{"coils"},
		Summary:     "Read all defects of a coil as a workbook (XLSX)",
		Description: "Sheet Coil has the facts, sheet Defects one row a defect in the columns of defects.csv. Times are those of the plant's clock. 409 for a coil with more defects than a sheet has rows.",
		Responses:   binaryAnswer(xlsxType, "The workbook"),
		Errors:      append(errs, http.StatusConflict),
	}, a.getWorkbook)
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-defects-csv", Method: http.MethodGet, Path: "/api/v1/coils/{id}/defects.csv", Tags: []string{"coils"},
		Summary:     "Read all defects of a coil as comma-separated text (CSV)",
		Description: "RFC 4180 in UTF-8 with a byte order mark, one row a defect in order of their ids, times in UTC. Columns are only ever added, behind the last. Text that a spreadsheet would take for a formula has an apostrophe before it. The connection breaks where the list cannot be completed.",
		Responses:   binaryAnswer(csvType, "The list"),
		Errors:      errs,
	}, a.getCSV)
}

// export takes one of the places of those that are made at once; the caller gives it back by calling done.
func (a *api) export() (done func(), err error) {
	select {
	case a.exports <- struct{}{}:
		return func() { <-a.exports }, nil
	default:
		return nil, a.busy(fmt.Sprintf("%d reports or lists are being made already", maxExports))
	}
}

// about is what reports say beside the record.
func (a *api) about(ctx context.Context) (report.About, error) {
	recipes, err := a.Recipes.Recipes(ctx)
	if err != nil {
		return report.About{}, err
	}
	return report.About{Classes: a.reportClasses(), Recipes: recipes, Zone: a.Zone, Version: a.Version, Printed: time.Now()}, nil
}

func (a *api) reportClasses() []report.Class {
	catalogue := a.Models.Classes()
	out := make([]report.Class, 0, len(catalogue))
	for _, c := range catalogue {
		out = append(out, report.Class{ID: c.ID, Ko: c.Ko, En: c.En})
	}
	return out
}

// attachment names the file that a browser saves. A coil's id has no character that a header or a file name minds.
func attachment(id inspection.CoilID, rest string) string {
	return fmt.Sprintf(`attachment; filename="coil-%s-%s"`, id, rest)
}

type getReportInput struct {
	CoilPath
	Lang report.Language `query:"lang" enum:"ko,en" default:"en" doc:"Language of the report"`
}

type fileOutput struct {
	ContentType  string `header:"Content-Type"`
	Disposition  string `header:"Content-Disposition"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

func (a *api) getReport(ctx context.Context, in *getReportInput) (*fileOutput, error) {
	done, err := a.export()
	if err != nil {
		return nil, err
	}
	defer done()
	about, err := a.about(ctx)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	var b bytes.Buffer
	if err := report.WritePDF(ctx, &b, a.Reader, in.id(), in.Lang, about); err != nil {
		return nil, a.fail(ctx, err)
	}
	return &fileOutput{
		ContentType: "application/pdf", CacheControl: "no-store", Body: b.Bytes(),
		Disposition: attachment(in.id(), fmt.Sprintf("report-%s.pdf", in.Lang)),
	}, nil
}

func (a *api) getWorkbook(ctx context.Context, in *CoilPath) (*huma.StreamResponse, error) {
	done, err := a.export()
	if err != nil {
		return nil, err
	}
	about, err := a.about(ctx)
	if err != nil {
		done()
		return nil, a.fail(ctx, err)
	}
	book, err := report.NewWorkbook(ctx, a.Reader, in.id(), about)
	if err != nil {
		done()
		return nil, a.fail(ctx, err)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer done()
		defer func() { _ = book.Close() }() // what it leaves in a file is of no use to anyone
		w := startFile(hc, xlsxType, attachment(in.id(), "defects.xlsx"))
		if err := book.Write(w); err != nil {
			a.cutOff(ctx, w, err)
			return
		}
		w.end()
	}}, nil
}

func (a *api) getCSV(ctx context.Context, in *CoilPath) (*huma.StreamResponse, error) {
	done, err := a.export()
	if err != nil {
		return nil, err
	}
	about, err := a.about(ctx)
	if err == nil {
		_, err = a.Reader.Coil(ctx, in.id())
	}
	if err != nil {
		done()
		return nil, a.fail(ctx, err)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer done()
		w := startFile(hc, csvType, attachment(in.id(), "defects.csv"))
		if err := report.WriteCSV(ctx, w, a.Reader, in.id(), about); err != nil {
			a.cutOff(ctx, w, err)
			return
		}
		w.end()
	}}, nil
}

// fileWriter sends a file as it is made. A client that takes no byte for writeTimeout counts as gone.
type fileWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func startFile(hc huma.Context, contentType, disposition string) *fileWriter {
	c := humagin.Unwrap(hc)
	h := c.Writer.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", disposition)
	h.Set("Cache-Control", "no-store")
	c.Status(http.StatusOK)
	return &fileWriter{w: c.Writer, rc: http.NewResponseController(c.Writer)}
}

func (w *fileWriter) Write(b []byte) (int, error) {
	_ = w.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // a writer that cannot take one is a test's
	return w.w.Write(b)
}

// end takes the deadline from the connection, which may serve other requests.
func (w *fileWriter) end() { _ = w.rc.SetWriteDeadline(time.Time{}) }

// cutOff breaks the connection under a file that cannot be completed: it has begun with 200, and an end in order would
// make it look whole.
func (a *api) cutOff(ctx context.Context, w *fileWriter, err error) {
	if ctx.Err() == nil {
		a.log.ErrorContext(ctx, "a file was cut off", "error", err)
	}
	under := w.w
	if u, ok := under.(interface{ Unwrap() http.ResponseWriter }); ok {
		under = u.Unwrap() // gin gives no connection away that was written to
	}
	if conn, _, err := http.NewResponseController(under).Hijack(); err == nil {
		_ = conn.Close() // it is given up either way
	}
}
