package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// sampled runs a coil with 90 holes and 10 of red iron, all with pictures.
func sampled(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	if _, err := f.Start(t.Context(), "A1"); err != nil {
		t.Fatal(err)
	}
	b := &inspection.Batch{Coil: "A1"}
	for i := range 100 {
		class := inspection.DefectClass("hole")
		if i%10 == 9 {
			class = "red_iron"
		}
		b.Defects = append(b.Defects, inspection.Defect{
			Side: inspection.Top, Camera: "top", Class: class, Conf: 0.9, Area: 50,
			Rect: inspection.StripRect{Along: inspection.MM(10 * i), Across: 200, Length: 5, Width: 5}, Seen: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC),
		})
		b.Images = append(b.Images, &inspection.Crop{Pix: make([]byte, 16), Size: 4})
	}
	if err := f.store.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSampleIsDrawnReviewedAndGivesARate(t *testing.T) {
	f := sampled(t)
	s := read[inspection.Sample](t, f, http.StatusCreated, "POST", "/api/v1/quality/samples", `{"count": 20, "seed": 7, "by": " Kim "}`)
	if s.ID != 1 || s.By != "Kim" || s.Seed != 7 || !slices.Equal(s.Strata, []inspection.Stratum{{Class: "hole", Size: 90, Drawn: 15}, {Class: "red_iron", Size: 10, Drawn: 5}}) {
		t.Errorf("drawn %+v", s)
	}
	d := read[SampleDetail](t, f, http.StatusOK, "GET", "/api/v1/quality/samples/1", "")
	if len(d.Defects) != 20 || d.Open != 20 || d.Reviewed != 0 || d.Size() != 100 {
		t.Errorf("detail %+v", d)
	}
	r := read[ClassificationRate](t, f, http.StatusOK, "GET", "/api/v1/quality/classification-rate?sample=1", "")
	if r.Open != 20 || r.Plain != nil || r.Stratified != nil || len(r.Classes) != 2 || r.Classes[0].Rate != nil || len(r.Unreviewed) != 2 {
		t.Errorf("before any review: %+v", r)
	}

	say := func(id inspection.DefectID, class inspection.DefectClass) {
		t.Helper()
		target := fmt.Sprintf("/api/v1/defects/%d/review", id)
		if w := do(t, f, "PUT", target, fmt.Sprintf(`{"class": %q, "by": "Lee"}`, class), "If-Match", "*"); w.Code != http.StatusOK {
			t.Fatalf("%s: %d: %s", target, w.Code, w.Body)
		}
	}
	drawn := map[inspection.DefectID]bool{}
	holes := 0
	for _, x := range d.Defects {
		drawn[x.ID] = true
		switch {
		case x.Class == "red_iron":
			say(x.ID, "no_defect") // the catalogue knows holes alone
		case holes < 10:
			say(x.ID, map[bool]inspection.DefectClass{true: "hole", false: "unknown"}[holes < 8])
			holes++
		}
	}
	for id := range inspection.DefectID(100) { // defects that somebody chose do not count
		if !drawn[id+1] {
			say(id+1, "no_defect")
		}
	}
	r = read[ClassificationRate](t, f, http.StatusOK, "GET", "/api/v1/quality/classification-rate?sample=1", "")
	if r.Drawn != 20 || r.Reviewed != 15 || r.Open != 5 || r.Right != 8 || len(r.Unreviewed) != 0 {
		t.Errorf("rate %+v", r)
	}
	h, red := r.Classes[0], r.Classes[1]
	if h.Reviewed != 10 || h.Right != 8 || h.Unknown != 2 || h.Rate.Rate != 0.8 || h.Rate.Lower < 0.4901 || h.Rate.Lower > 0.4902 || h.Rate.Upper < 0.9433 || h.Rate.Upper > 0.9434 {
		t.Errorf("holes %+v, %+v", h, h.Rate)
	}
	if red.NoDefect != 5 || red.Rate.Rate != 0 {
		t.Errorf("red iron %+v", red)
	}
	// 0.9 of the defects are holes and 8 of 10 of those right; no red iron is.
	if r.Stratified == nil || r.Stratified.Rate < 0.7199 || r.Stratified.Rate > 0.7201 || r.Stratified.Lower >= 0.72 || r.Stratified.Upper <= 0.72 {
		t.Errorf("stratified %+v", r.Stratified)
	}
	if d = read[SampleDetail](t, f, http.StatusOK, "GET", "/api/v1/quality/samples/1", ""); d.Open != 5 || d.Reviewed != 15 {
		t.Errorf("%d reviewed, %d open", d.Reviewed, d.Open)
	}
	if l := read[SampleList](t, f, http.StatusOK, "GET", "/api/v1/quality/samples", ""); len(l.Samples) != 1 || l.Samples[0].ID != 1 {
		t.Errorf("list %+v", l)
	}
}

func TestSampleRequestThatIsNotAllowedSaysWhy(t *testing.T) {
	empty, f := newFixture(t), sampled(t)
	if l := read[SampleList](t, empty, http.StatusOK, "GET", "/api/v1/quality/samples", ""); l.Samples == nil || len(l.Samples) != 0 {
		t.Errorf("list %+v", l)
	}
	for name, c := range map[string]struct {
		f                    *fixture
		method, target, body string
		status               int
		says                 string
	}{
		"nothing recorded":     {empty, "POST", "samples", `{"count": 5}`, 422, "body.since"},
		"no count":             {f, "POST", "samples", `{}`, 422, "body.count"},
		"too many":             {f, "POST", "samples", `{"count": 2001}`, 422, "body.count"},
		"fewer than the least": {f, "POST", "samples", `{"count": 9}`, 422, "fewer than 5 of each of 2 classes"},
		"a long name":          {f, "POST", "samples", `{"count": 9, "by": "` + strings.Repeat("긁", 65) + `"}`, 422, "body.by"},
		"a field that is none": {f, "POST", "samples", `{"count": 10, "size": 3}`, 422, "body.size"},
		"a sample never drawn": {f, "GET", "samples/9", "", 404, "is not known"},
		"a rate without one":   {f, "GET", "classification-rate", "", 422, "query.sample"},
		"a rate of none":       {f, "GET", "classification-rate?sample=9", "", 404, "is not known"},
	} {
		w := do(t, c.f, c.method, "/api/v1/quality/"+c.target, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d, want %d and %q: %s", name, w.Code, c.status, c.says, w.Body)
		}
	}
}

// twoChecks is a history of one check that passed and one that did not.
type twoChecks struct{}

func (twoChecks) StabilityChecks(limit int) (inspection.StabilityHistory, error) {
	h := inspection.StabilityHistory{Unreadable: 1}
	for i := range min(limit, 2) {
		light := -0.1 * float64(1-i)
		h.Checks = append(h.Checks, inspection.StabilityCheck{
			Name: "acceptance", At: time.Date(2026, 3, 2-i, 6, 0, 0, 0, time.UTC), Pass: i == 1,
			Figures: []inspection.StabilityFigure{{Name: "brightness_drift", Measured: &light, Limit: 0.05, Unit: "share", Pass: i == 1}, {Name: "found_again", Least: true}},
			Changed: []inspection.StabilityChange{}, Classes: []inspection.StabilityClass{},
		})
	}
	return h, nil
}

func TestStabilityChecksAreListedNewestFirst(t *testing.T) {
	f := newFixture(t)
	h := read[inspection.StabilityHistory](t, f, http.StatusOK, "GET", "/api/v1/quality/stability", "")
	if len(h.Checks) != 2 || h.Checks[0].Pass || *h.Checks[0].Figures[0].Measured != -0.1 || h.Checks[0].Figures[1].Measured != nil || h.Unreadable != 1 {
		t.Errorf("history %+v", h)
	}
	if h = read[inspection.StabilityHistory](t, f, http.StatusOK, "GET", "/api/v1/quality/stability?limit=1", ""); len(h.Checks) != 1 {
		t.Errorf("one of them: %+v", h)
	}
	if w := get(t, f, "/api/v1/quality/stability?limit=0"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("none of them: %d", w.Code)
	}
}
