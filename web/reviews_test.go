package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// reviewed runs and finishes a coil with two defects, 1 a hole and 2 red iron.
func reviewed(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.run(t, "A1")
	read[inspection.Coil](t, f, http.StatusOK, "POST", "/api/v1/coils/A1/finish", "")
	return f
}

func TestQualityStaffRelabelADefectAndGradeTheCoilAgain(t *testing.T) {
	f := reviewed(t)
	before := get(t, f, "/api/v1/defects/1")
	tag := before.Header().Get("ETag")
	if tag != `"1-1"` {
		t.Fatalf("ETag %s", tag)
	}
	w := do(t, f, "PUT", "/api/v1/defects/1/review", `{"class": "no_defect", "by": " Kim ", "note": "물때"}`, "If-Match", tag)
	if w.Code != http.StatusOK || w.Header().Get("ETag") != `"1-2"` {
		t.Fatalf("reviewed: %d, ETag %s: %s", w.Code, w.Header().Get("ETag"), w.Body)
	}
	d := read[inspection.Defect](t, f, http.StatusOK, "GET", "/api/v1/defects/1", "")
	if d.Class != "hole" || d.Conf != 0.9 || d.Revision != 2 || d.Review == nil || d.Review.Class != inspection.NoDefect || d.Review.By != "Kim" || d.Review.Note != "물때" {
		t.Errorf("defect %+v, review %+v", d, d.Review)
	}
	if w := do(t, f, "PUT", "/api/v1/defects/1/review", `{"class": "unknown", "by": "Lee", "severity": 0}`, "If-Match", "*"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"severity":0}`) {
		t.Errorf("whatever is there: %d: %s", w.Code, w.Body)
	}
	if w := do(t, f, "PUT", "/api/v1/defects/1/review", `{"class": "no_defect", "by": "Lee"}`, "If-Match", `"1-3"`); w.Code != http.StatusOK {
		t.Errorf("third: %d: %s", w.Code, w.Body)
	}
	history := read[ReviewList](t, f, http.StatusOK, "GET", "/api/v1/defects/1/reviews", "").Reviews
	if len(history) != 3 || history[0].By != "Kim" || history[2].Class != inspection.NoDefect || history[2].ModelClass != "hole" || history[0].Severity != nil || history[1].Severity == nil || *history[1].Severity != 0 || history[2].Severity != nil || history[2].Model != "first v1" {
		t.Errorf("history %+v", history)
	}
	if l := read[DefectList](t, f, http.StatusOK, "GET", "/api/v1/coils/A1/defects?review=unreviewed", ""); len(l.Defects) != 1 || l.Defects[0].ID != 2 {
		t.Errorf("unreviewed %+v", l)
	}
	if m := decodeMap(t, get(t, f, "/api/v1/coils/A1/map.bin").Body.Bytes()); m.bytes[3][0]&4 == 0 || m.bytes[3][1]&4 != 0 || m.classes[m.bytes[0][0]] != "hole" {
		t.Errorf("flags %v, classes %v", m.bytes[3], m.classes)
	}

	c := get(t, f, "/api/v1/coils/A1")
	detail := read[CoilDetail](t, f, http.StatusOK, "GET", "/api/v1/coils/A1", "")
	if detail.Grade != inspection.Block || detail.Counts.Reviewed != 1 || detail.Counts.NotInGrade != 1 || len(detail.Gradings) != 1 {
		t.Errorf("reviewed coil: %+v with %d gradings", detail.Coil, len(detail.Gradings))
	}
	if w := do(t, f, "POST", "/api/v1/coils/A1/regrade", `{"by": "Kim"}`, "If-Match", c.Header().Get("ETag")); w.Code != http.StatusOK {
		t.Fatalf("regraded: %d: %s", w.Code, w.Body)
	}
	detail = read[CoilDetail](t, f, http.StatusOK, "GET", "/api/v1/coils/A1", "")
	if detail.Grade != inspection.Prime || detail.Result.Grade != inspection.Prime || detail.Counts.NotInGrade != 0 {
		t.Errorf("regraded coil: %+v", detail.Coil)
	}
	if g := detail.Gradings; len(g) != 2 || g[0].Result.Grade != inspection.Block || g[0].By != "" || g[1].By != "Kim" || g[1].Reviewed != 1 {
		t.Errorf("gradings %+v", g)
	}

	var kinds []string
	for _, c := range read[inspection.ChangePage](t, f, http.StatusOK, "GET", "/api/v1/changes", "").Changes {
		if c.Type == "defect.revised" || c.Type == "coil.regraded" {
			kinds = append(kinds, fmt.Sprint(c.Type, " ", c.Subject, " ", c.Revision))
		}
	}
	if got := strings.Join(kinds, ", "); got != fmt.Sprintf("defect.revised 1 2, defect.revised 1 3, defect.revised 1 4, coil.regraded A1 %d", detail.Revision) {
		t.Errorf("the MES sees %s", got)
	}
}

func TestReviewThatIsNotAllowedSaysWhy(t *testing.T) {
	f := reviewed(t)
	if w := do(t, f, "PUT", "/api/v1/defects/2/review", `{"class": "hole", "by": "Kim"}`, "If-Match", `"2-1"`); w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	for name, c := range map[string]struct {
		target, body, match string
		status              int
		says                string // in the detail, or where the error is
	}{
		"a class the model lacks":       {"defects/1/review", `{"class": "dent", "by": "Kim"}`, `"1-1"`, 422, "body.class"},
		"a name of spaces":              {"defects/1/review", `{"class": "hole", "by": "  "}`, `"1-1"`, 422, "body.by"},
		"no name":                       {"defects/1/review", `{"class": "hole"}`, `"1-1"`, 422, "body.by"},
		"a long note":                   {"defects/1/review", `{"class": "hole", "by": "Kim", "note": "` + strings.Repeat("긁", 501) + `"}`, `"1-1"`, 422, "body.note"},
		"a field that is none":          {"defects/1/review", `{"class": "hole", "by": "Kim", "grade": "prime"}`, `"1-1"`, 422, "body.grade"},
		"a severity beyond the highest": {"defects/1/review", `{"class": "hole", "by": "Kim", "severity": 5}`, `"1-1"`, 422, "body.severity"},
		"a severity of no defect":       {"defects/1/review", `{"class": "no_defect", "by": "Kim", "severity": 2}`, `"1-1"`, 422, "no_defect has no severity, and 2 was given; leave it out"},
		"no If-Match":                   {"defects/1/review", `{"class": "hole", "by": "Kim"}`, ``, 428, "If-Match is missing"},
		"a version before the last":     {"defects/2/review", `{"class": "no_defect", "by": "Kim"}`, `"2-1"`, 412, "is at revision 2, not 1"},
		"the ETag of another":           {"defects/2/review", `{"class": "no_defect", "by": "Kim"}`, `"1-2"`, 412, "no ETag of this record"},
		"a weak ETag":                   {"defects/2/review", `{"class": "no_defect", "by": "Kim"}`, `W/"2-2"`, 412, "no ETag of this record"},
		"a defect that is not recorded": {"defects/99/review", `{"class": "hole", "by": "Kim"}`, `*`, 404, `"99" is not known`},
		"a coil that is not recorded":   {"coils/A9/regrade", `{"by": "Kim"}`, `*`, 404, `"A9" is not known`},
		"a coil seen before the review": {"coils/A1/regrade", `{"by": "Kim"}`, `"A1-1"`, 412, "is at revision"},
		"a regrade by nobody":           {"coils/A1/regrade", `{"by": " "}`, `*`, 422, "body.by"},
		"a regrade without If-Match":    {"coils/A1/regrade", `{"by": "Kim"}`, ``, 428, "If-Match is missing"},
	} {
		method := http.MethodPut
		if strings.HasSuffix(c.target, "regrade") {
			method = http.MethodPost
		}
		header := []string{}
		if c.match != "" {
			header = []string{"If-Match", c.match}
		}
		w := do(t, f, method, "/api/v1/"+c.target, c.body, header...)
		if w.Code != c.status || !strings.Contains(strings.ReplaceAll(w.Body.String(), `\"`, `"`), c.says) || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d, want %d and %q: %s", name, w.Code, c.status, c.says, w.Body)
		}
	}
	var p huma.ErrorModel
	w := do(t, f, "PUT", "/api/v1/defects/1/review", `{"class": "dent", "by": "Kim"}`, "If-Match", "*")
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if p.Type != "/problems/invalid-value" || !strings.Contains(p.Detail, "allowed are [hole no_defect unknown]") {
		t.Errorf("the problem is %+v", p)
	}
	if l := read[ReviewList](t, f, http.StatusOK, "GET", "/api/v1/defects/1/reviews", ""); l.Reviews == nil || len(l.Reviews) != 0 {
		t.Errorf("what was refused is recorded: %+v", l)
	}
	if w := do(t, f, "POST", "/api/v1/coils/A1/regrade", `{"by": "Kim"}`, "If-Match", "*"); w.Code != http.StatusOK {
		t.Errorf("regrade: %d: %s", w.Code, w.Body)
	}
	if w := do(t, f, "POST", "/api/v1/coils/A1/regrade", `{"by": "Kim"}`, "If-Match", "*"); w.Code != http.StatusConflict {
		t.Errorf("regrade without a new review: %d: %s", w.Code, w.Body)
	}
}
