package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestMESFollowsACoilFromOrderToGrade(t *testing.T) {
	f := newFixture(t)
	order := `{"width_mm": 1500, "length_mm": 1000, "steel_grade": "S235"}`
	for _, status := range []int{http.StatusCreated, http.StatusOK} {
		if c := read[inspection.Coil](t, f, status, "PUT", "/api/v1/coils/A1", order); c.State != inspection.Announced || c.Order.SteelGrade != "S235" {
			t.Fatalf("announced %+v", c)
		}
	}
	read[inspection.Coil](t, f, http.StatusCreated, "PUT", "/api/v1/coils/A2", "") // nothing is known of it yet
	f.run(t, "A1")
	if c := read[inspection.Coil](t, f, http.StatusOK, "POST", "/api/v1/coils/A1/finish", ""); c.Grade != inspection.Block {
		t.Fatalf("finished %+v", c)
	}

	page := read[inspection.ChangePage](t, f, http.StatusOK, "GET", "/api/v1/changes?after=0&limit=4", "")
	if len(page.Changes) != 4 || !page.HasMore {
		t.Fatalf("first page %+v", page)
	}
	page = read[inspection.ChangePage](t, f, http.StatusOK, "GET", fmt.Sprintf("/api/v1/changes?after=%d", page.NextAfter), "")
	if n := len(page.Changes); n == 0 || page.HasMore || page.Changes[n-1].Type != "coil.graded" {
		t.Fatalf("second page %+v", page)
	}
	ack := fmt.Sprintf(`{"acked_seq": %d}`, page.NextAfter)
	if c := read[ConsumerCursor](t, f, http.StatusOK, "PUT", "/api/v1/consumers/mes/cursor", ack); c.Acked != page.NextAfter || c.Consumer != "mes" {
		t.Errorf("acknowledged %+v", c)
	}
	if c := read[ConsumerCursor](t, f, http.StatusOK, "GET", "/api/v1/consumers/mes/cursor", ""); c.Acked != page.NextAfter {
		t.Errorf("cursor %+v", c)
	}
	read[map[string]any](t, f, http.StatusConflict, "PUT", "/api/v1/consumers/mes/cursor", `{"acked_seq": 1}`)
	read[ConsumerCursor](t, f, http.StatusOK, "PUT", "/api/v1/consumers/mes/cursor", `{"acked_seq": 1, "rewind": true}`)
	// A cursor that was changed is not a change of the record.
	if p := read[inspection.ChangePage](t, f, http.StatusOK, "GET", fmt.Sprintf("/api/v1/changes?after=%d", page.NextAfter), ""); len(p.Changes) != 0 || p.NextAfter != page.NextAfter {
		t.Errorf("after the last: %+v", p)
	}
}

func TestCoilCarriesItsVerdictAndItsVersion(t *testing.T) {
	f := newFixture(t)
	f.run(t, "A1")
	w := get(t, f, "/api/v1/coils/A1")
	running := w.Header().Get("ETag")
	if w.Code != http.StatusOK || running == "" || strings.Contains(w.Body.String(), `"result"`) {
		t.Fatalf("running coil: %d, ETag %q: %s", w.Code, running, w.Body)
	}
	if w := get(t, f, "/api/v1/coils/A1", "If-None-Match", running); w.Code != http.StatusNotModified || w.Body.Len() != 0 || w.Header().Get("ETag") != running {
		t.Errorf("unchanged coil: %d %q, ETag %q", w.Code, w.Body, w.Header().Get("ETag"))
	}
	read[inspection.Coil](t, f, http.StatusOK, "POST", "/api/v1/coils/A1/finish", "")
	if w := get(t, f, "/api/v1/coils/A1", "If-None-Match", running); w.Code != http.StatusOK {
		t.Errorf("changed coil: %d", w.Code)
	}
	d := read[CoilDetail](t, f, http.StatusOK, "GET", "/api/v1/coils/A1", "")
	if d.State != inspection.Closed || d.Result == nil || d.Result.Grade != inspection.Block || len(d.Result.Trail) != 2 || len(d.Coverage) != 2 || d.Counts.Defects != 2 {
		t.Errorf("closed coil %+v with result %+v", d.Coil, d.Result)
	}
}

func TestListsAreFilteredAndPaged(t *testing.T) {
	f := newFixture(t)
	for i := range 5 {
		f.run(t, inspection.CoilID(fmt.Sprintf("A%d", i)))
	}
	read[inspection.Coil](t, f, http.StatusOK, "POST", "/api/v1/coils/A3/finish", "")
	coils := map[string]int{
		"":                            5,
		"?state=running":              4,
		"?state=running&state=closed": 5,
		"?grade=block":                1,
		"?grade=prime&grade=second":   0,
		"?q=a3":                       1,
		"?since=2999-01-01T00:00:00Z": 0,
		"?until=2999-01-01T00:00:00Z": 5,
	}
	for query, want := range coils {
		if l := read[CoilList](t, f, http.StatusOK, "GET", "/api/v1/coils"+query, ""); len(l.Coils) != want || l.Coils == nil {
			t.Errorf("coils%s: %d; want %d", query, len(l.Coils), want)
		}
	}
	var ids []inspection.CoilID
	next := ""
	for {
		l := read[CoilList](t, f, http.StatusOK, "GET", "/api/v1/coils?limit=2&cursor="+next, "")
		for _, c := range l.Coils {
			ids = append(ids, c.ID)
		}
		if next = l.NextCursor; next == "" {
			break
		}
	}
	if !slices.Equal(ids, []inspection.CoilID{"A4", "A3", "A2", "A1", "A0"}) {
		t.Errorf("pages of 2: %v", ids)
	}
	defects := map[string]int{
		"":                           2,
		"?side=top":                  1,
		"?class=hole":                1,
		"?class=hole&class=red_iron": 2,
		"?min_area=10":               1,
		"?min_confidence=0.6":        1,
		"?min_severity=2":            1,
		"?limit=1":                   1,
		"?class=dent":                0,
	}
	for query, want := range defects {
		if l := read[DefectList](t, f, http.StatusOK, "GET", "/api/v1/coils/A2/defects"+query, ""); len(l.Defects) != want || l.Defects == nil {
			t.Errorf("defects%s: %d; want %d", query, len(l.Defects), want)
		}
	}
	if l := read[GapList](t, f, http.StatusOK, "GET", "/api/v1/coils/A2/gaps", ""); len(l.Gaps) != 1 || l.Gaps[0].State != inspection.Overrun {
		t.Errorf("gaps %+v", l)
	}
}

func TestDefectHasItsPicture(t *testing.T) {
	f := newFixture(t)
	b := f.run(t, "A1")
	at := fmt.Sprintf("/api/v1/defects/%d", b.Defects[0].ID)
	if d := read[inspection.Defect](t, f, http.StatusOK, "GET", at, ""); d != b.Defects[0] {
		t.Errorf("read %+v\nwrote %+v", d, b.Defects[0])
	}
	w := get(t, f, at+"/image")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/png" || !bytes.HasPrefix(w.Body.Bytes(), []byte("\x89PNG")) ||
		!strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("picture: %d, %v", w.Code, w.Header())
	}
	read[map[string]any](t, f, http.StatusNotFound, "GET", fmt.Sprintf("/api/v1/defects/%d/image", b.Defects[1].ID), "")
}

func TestProblemsHaveAStableTypeAndNameTheField(t *testing.T) {
	f := newFixture(t)
	f.run(t, "R1")
	cases := []struct {
		method, target, body string
		status               int
		kind, location       string
	}{
		{"GET", "/api/v1/coils/none", "", 404, "not-found", ""},
		{"GET", "/api/v1/coils/none/defects", "", 404, "not-found", ""},
		{"GET", "/api/v1/coils/none/gaps", "", 404, "not-found", ""},
		{"GET", "/api/v1/coils/none/map.bin", "", 404, "not-found", ""},
		{"GET", "/api/v1/defects/999", "", 404, "not-found", ""},
		{"GET", "/api/v1/defects/x", "", 422, "invalid-value", "path.id"},
		{"GET", "/api/v1/consumers/none/cursor", "", 404, "not-found", ""},
		{"GET", "/api/v1/nothing", "", 404, "not-found", ""},
		{"DELETE", "/api/v1/coils/R1", "", 405, "method-not-allowed", ""},
		{"GET", "/api/v1/coils/.hidden", "", 422, "invalid-value", "path.id"},
		{"PUT", "/api/v1/coils/a%20b", "{}", 422, "invalid-value", "path.id"},
		{"PUT", "/api/v1/coils/" + strings.Repeat("a", 65), "{}", 422, "invalid-value", "path.id"},
		{"PUT", "/api/v1/coils/N1", `{"width": 1500}`, 422, "invalid-value", "body.width"},
		{"PUT", "/api/v1/coils/N1", `{"width_mm": -1}`, 422, "invalid-value", "body.width_mm"},
		{"PUT", "/api/v1/coils/N1", `{"width_mm": "wide"}`, 422, "invalid-value", "body.width_mm"},
		{"PUT", "/api/v1/coils/N1", `{"width_mm"`, 400, "bad-request", "body"},
		{"PUT", "/api/v1/coils/N1", `{"steel_grade": "` + strings.Repeat("x", maxBody) + `"}`, 413, "too-large", ""},
		{"PUT", "/api/v1/coils/R1", `{}`, 409, "conflict", ""},
		{"POST", "/api/v1/coils/R1/start", "", 409, "conflict", ""},
		{"POST", "/api/v1/coils/none/finish", "", 404, "not-found", ""},
		{"GET", "/api/v1/coils?cursor=nonsense", "", 422, "invalid-value", "query.cursor"},
		{"GET", "/api/v1/coils?limit=0", "", 422, "invalid-value", "query.limit"},
		{"GET", "/api/v1/coils?limit=1001", "", 422, "invalid-value", "query.limit"},
		{"GET", "/api/v1/coils?grade=best", "", 422, "invalid-value", "query.grade[0]"},
		{"GET", "/api/v1/coils?since=yesterday", "", 422, "invalid-value", "query.since"},
		{"GET", "/api/v1/coils?stat=running", "", 422, "invalid-value", "query.stat"},
		{"GET", "/api/v1/coils/R1/defects?side=left", "", 422, "invalid-value", "query.side"},
		{"GET", "/api/v1/coils/R1/defects?min_confidence=2", "", 422, "invalid-value", "query.min_confidence"},
		{"GET", "/api/v1/changes?after=-1", "", 422, "invalid-value", "query.after"},
		{"GET", "/api/v1/changes?after=99999", "", 422, "invalid-value", "query.after"},
		{"GET", "/api/v1/changes?wait=26", "", 422, "invalid-value", "query.wait"},
		{"GET", "/api/v1/changes?wait=soon", "", 422, "invalid-value", "query.wait"},
		{"PUT", "/api/v1/consumers/mes/cursor", `{"acked_seq": 99999}`, 422, "invalid-value", "body.acked_seq"},
		{"PUT", "/api/v1/consumers/mes/cursor", `{}`, 422, "invalid-value", "body.acked_seq"},
		{"PUT", "/api/v1/consumers/mes/cursor", `{"acked_seq": 1, "reset": true}`, 422, "invalid-value", "body.reset"},
		{"GET", "/api/v1/live/strip", "", 422, "invalid-value", "query.side"},
		{"GET", "/problems/unheard-of", "", 404, "not-found", ""},
	}
	type problem struct {
		Type, Title, Detail string
		Status              int
		Errors              []struct{ Message, Location string }
	}
	for _, c := range cases {
		name := c.method + " " + c.target
		w := do(t, f, c.method, c.target, c.body)
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s: %d with Content-Type %s: %.200s", name, w.Code, got, w.Body)
			continue
		}
		p := read[problem](t, f, c.status, c.method, c.target, c.body)
		if p.Status != c.status || p.Type != "/problems/"+c.kind || p.Title == "" || p.Detail == "" {
			t.Errorf("%s: problem %+v; want %d %s", name, p, c.status, c.kind)
		}
		if c.location == "" {
			continue
		}
		named := false
		for _, e := range p.Errors {
			named = named || (e.Location == c.location && e.Message != "")
		}
		if !named {
			t.Errorf("%s: errors %+v do not name %s", name, p.Errors, c.location)
		}
	}
	for _, k := range problemKinds() {
		if w := get(t, f, "/problems/"+k.slug); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), k.advice) {
			t.Errorf("/problems/%s: %d %s", k.slug, w.Code, w.Body)
		}
	}
}

func TestReadinessTellsWhyNot(t *testing.T) {
	f := newFixture(t)
	f.ready = Readiness{Reasons: []string{"camera top is lost"}, Model: "first v1"}
	if r := read[Readiness](t, f, http.StatusServiceUnavailable, "GET", "/readyz", ""); r.Ready || len(r.Reasons) != 1 || r.Model != "first v1" {
		t.Errorf("not ready: %+v", r)
	}
	f.ready = Readiness{Ready: true, InspectedMetres: 12.5, Provider: ProviderState{Measured: "CPU"}}
	if r := read[Readiness](t, f, http.StatusOK, "GET", "/readyz", ""); !r.Ready || r.Reasons == nil || r.Cameras == nil || r.InspectedMetres != 12.5 || r.Version != "0.1.0" {
		t.Errorf("ready: %+v", r)
	}
	if h := read[Health](t, f, http.StatusOK, "GET", "/healthz", ""); h.Status != "ok" {
		t.Errorf("health %+v", h)
	}
	if w := get(t, f, "/metrics"); w.Body.String() != "coilsight_up 1\n" {
		t.Errorf("metrics: %s", w.Body)
	}
}

func TestLiveStateIsNeverNull(t *testing.T) {
	f := newFixture(t)
	w := get(t, f, "/api/v1/live")
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "null") {
		t.Errorf("live: %d %s", w.Code, w.Body)
	}
	if r := read[RecipeList](t, f, http.StatusOK, "GET", "/api/v1/recipes", ""); r.Recipes == nil {
		t.Error("no recipes are null")
	}
	if err := f.store.SaveRecipe(t.Context(), testRecipe()); err != nil {
		t.Fatal(err)
	}
	if w := get(t, f, "/api/v1/recipes"); !strings.Contains(w.Body.String(), `"hot strip"`) || strings.Contains(w.Body.String(), "null") {
		t.Errorf("recipes: %s", w.Body)
	}
	if c := read[ClassList](t, f, http.StatusOK, "GET", "/api/v1/classes", ""); len(c.Classes) != 1 || c.Classes[0].Ko != "홀" {
		t.Errorf("classes %+v", c)
	}
}

func TestLiveStripGoesOnAfterARow(t *testing.T) {
	f := newFixture(t)
	cases := []struct{ query, first, rows string }{
		{"?side=top", "10", "aaaabbbbcccc"},
		{"?side=bottom&after=10", "11", "bbbbcccc"},
		{"?side=top&after=12", "13", ""},
	}
	for _, c := range cases {
		w := get(t, f, "/api/v1/live/strip"+c.query)
		h := w.Header()
		if w.Code != http.StatusOK || w.Body.String() != c.rows || h.Get("X-First-Row") != c.first || h.Get("X-Columns") != "4" ||
			h.Get("X-Mm-Per-Row") != "8" || h.Get("X-Mm-Per-Column") != "4.5" || h.Get("X-Left-Edge") != "0.5" || h.Get("X-Head-Row") != "11" ||
			h.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: %d %q %v", c.query, w.Code, w.Body, h)
		}
	}
}

// failing is tracking whose commands end in an error.
type failing struct {
	*fixture
	err error
}

func (f failing) Announce(context.Context, inspection.CoilID, inspection.CoilOrder) (inspection.Coil, bool, error) {
	return inspection.Coil{}, false, f.err
}

func TestFailuresOfOursStayInTheLog(t *testing.T) {
	cases := map[string]struct {
		err    error
		status int
		kind   string
		tells  bool // whether the answer has the reason
	}{
		"full disk":    {fmt.Errorf("coil A1: %w", &inspection.StorageFullError{What: "the data directory", Err: errors.New("secret")}), 507, "storage-full", false},
		"broken":       {errors.New("secret"), 500, "internal", false},
		"their recipe": {&inspection.FieldError{Field: "recipe", Reason: "secret is not a recipe"}, 422, "invalid-value", true},
	}
	for name, c := range cases {
		var log bytes.Buffer
		h, err := New(Options{Control: failing{err: c.err}, Hub: NewHub(1, 1), Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		w := do(t, h, "PUT", "/api/v1/coils/A1", "{}")
		if w.Code != c.status || !strings.Contains(w.Body.String(), "/problems/"+c.kind) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "secret") != c.tells || strings.Contains(log.String(), "secret") == c.tells {
			t.Errorf("%s: answer %s, log %q", name, w.Body, &log)
		}
	}
	var log bytes.Buffer
	h, err := New(Options{Hub: NewHub(1, 1), Log: slog.New(slog.NewTextHandler(&log, nil))}) // no tracking at all: a panic
	if err != nil {
		t.Fatal(err)
	}
	if w := do(t, h, "PUT", "/api/v1/coils/A1", "{}"); w.Code != 500 || !strings.Contains(w.Body.String(), "/problems/internal") || !strings.Contains(log.String(), "panic") {
		t.Errorf("a panic: %d %s, log %q", w.Code, w.Body, &log)
	}
}
