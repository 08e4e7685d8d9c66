package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/coilsight/coilsight/inspection"
)

func TestCoilLeavesAsReportWorkbookAndText(t *testing.T) {
	f := newFixture(t)
	f.run(t, "A1")
	read[inspection.Coil](t, f, http.StatusOK, "POST", "/api/v1/coils/A1/finish", "")
	for target, want := range map[string]struct{ kind, file, begins string }{
		"report.pdf":         {"application/pdf", "coil-A1-report-en.pdf", "%PDF-"},
		"report.pdf?lang=ko": {"application/pdf", "coil-A1-report-ko.pdf", "%PDF-"},
		"defects.xlsx":       {xlsxType, "coil-A1-defects.xlsx", "PK"},
		"defects.csv":        {csvType, "coil-A1-defects.csv", "\ufeffid,side,"},
	} {
		w := get(t, f, "/api/v1/coils/A1/"+target)
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Content-Type") != want.kind || h.Get("Content-Disposition") != `attachment; filename="`+want.file+`"` || !strings.HasPrefix(w.Body.String(), want.begins) {
			t.Errorf("%s: %d, %v: %.40q", target, w.Code, h, w.Body)
		}
	}
	rows, err := csv.NewReader(get(t, f, "/api/v1/coils/A1/defects.csv").Body).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][7] != "hole" || rows[1][8] != "홀" || rows[2][8] != "red_iron" {
		t.Errorf("%v: %q; want the names of the catalogue, or the id of a class that it lacks", err, rows)
	}
	book, err := excelize.OpenReader(get(t, f, "/api/v1/coils/A1/defects.xlsx").Body)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if rows, err := book.GetRows("Defects"); err != nil || len(rows) != 3 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestExportsRefuseWhatIsNotThere(t *testing.T) {
	f := newFixture(t)
	f.run(t, "A1")
	for range 2 * maxExports { // a refusal keeps no place
		for target, status := range map[string]int{
			"none/report.pdf": 404, "none/defects.xlsx": 404, "none/defects.csv": 404, "A1/report.pdf?lang=de": 422, "A1/report.pdf?language=ko": 422, "A1/report.pdf": 200,
		} {
			if w := get(t, f, "/api/v1/coils/"+target); w.Code != status {
				t.Errorf("%s: %d, want %d: %.200s", target, w.Code, status, w.Body)
			}
		}
	}
	w := get(t, f, "/api/v1/coils/A1/report.pdf?lang=de")
	if !strings.Contains(w.Body.String(), `expected value to be one of \"ko, en\"`) {
		t.Errorf("the languages are not named: %s", w.Body)
	}
}

// stalled gives a page of defects and then waits, or fails.
type stalled struct {
	CoilReader
	begun, wait chan struct{}
	err         error
}

func (s stalled) Defects(ctx context.Context, q inspection.DefectQuery) (inspection.DefectPage, error) {
	if s.wait != nil && q.Cursor == "" {
		s.begun <- struct{}{}
		select {
		case <-s.wait:
		case <-ctx.Done():
		}
	}
	if q.Cursor != "" {
		return inspection.DefectPage{}, s.err
	}
	d := inspection.Defect{ID: 1, Coil: q.Coil, Side: inspection.Top, Class: "hole", Camera: inspection.CameraID(strings.Repeat("x", 100<<10))}
	return inspection.DefectPage{Defects: []inspection.Defect{d}, NextCursor: "next"}, nil
}

func TestListThatCannotBeCompletedDoesNotLookWhole(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Reader = stalled{CoilReader: o.Reader, err: errors.New("disk")} })
	f.run(t, "A1")
	server := httptest.NewServer(f)
	defer server.Close()
	resp, err := http.Get(server.URL + "/api/v1/coils/A1/defects.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || !bytes.Contains(b, []byte("1,top")) || err == nil {
		t.Errorf("%d, %d bytes, then %v; want the first row and a broken connection", resp.StatusCode, len(b), err)
	}
}

func TestOnlySomeExportsAreMadeAtOnce(t *testing.T) {
	begun, wait := make(chan struct{}), make(chan struct{})
	f := newFixture(t, func(o *Options) {
		o.Reader = stalled{CoilReader: o.Reader, begun: begun, wait: wait, err: errors.New("enough")}
	})
	f.run(t, "A1")
	done := make(chan int, maxExports)
	for range maxExports {
		go func() { done <- get(t, f, "/api/v1/coils/A1/defects.csv").Code }()
	}
	for range maxExports {
		<-begun
	}
	for _, target := range []string{"report.pdf", "defects.xlsx", "defects.csv"} {
		if w := get(t, f, "/api/v1/coils/A1/"+target); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("one more %s than allowed: %d, %v", target, w.Code, w.Header())
		}
	}
	close(wait)
	for range maxExports {
		<-done
	}
	if w := get(t, f, "/api/v1/coils/A1/report.pdf"); w.Code != http.StatusOK {
		t.Errorf("after the others: %d", w.Code)
	}
}

// deadlines remembers the last deadline that was set.
type deadlines struct {
	*httptest.ResponseRecorder
	last *time.Time
}

func (d deadlines) SetWriteDeadline(t time.Time) error {
	*d.last = t
	return nil
}

func TestExportLeavesTheConnectionWithoutADeadline(t *testing.T) {
	f := newFixture(t)
	f.run(t, "A1")
	for _, target := range []string{"defects.csv", "defects.xlsx"} {
		last := time.Unix(1, 0)
		f.ServeHTTP(deadlines{httptest.NewRecorder(), &last}, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/coils/A1/"+target, nil))
		if !last.IsZero() {
			t.Errorf("%s leaves the deadline %v to the next request", target, last)
		}
	}
}
