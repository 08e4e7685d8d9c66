package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func TestTrendsCountWhatPeopleSaid(t *testing.T) {
	f := newFixture(t)
	for _, id := range []inspection.CoilID{"A1", "A2", "A3"} {
		f.run(t, id)
	}
	read[inspection.Coil](t, f, http.StatusOK, "POST", "/api/v1/coils/A1/finish", "")
	read[inspection.Coil](t, f, http.StatusOK, "POST", "/api/v1/coils/A2/finish", "") // A3 runs on and does not count
	got := read[inspection.Trends](t, f, http.StatusOK, "GET", "/api/v1/trends", "")
	if got.All.Coils != 2 || got.All.Defects != 4 || got.Bucket != inspection.ByShift || got.All.Grades[inspection.Block] != 2 || len(got.Profiles) != 2 {
		t.Fatalf("%+v", got)
	}
	// Two coils of 1 m; 20 mm of the top side of each were not screened.
	if want := 100 * 4 / 3.96; got.All.Per100M == nil || *got.All.Per100M < want-1e-6 || *got.All.Per100M > want+1e-6 {
		t.Errorf("per 100 m %v, want %v", got.All.Per100M, want)
	}
	if p := got.Profiles[0]; p.Side != inspection.Top || p.Along[2] != 2 || p.Across[2] != 2 {
		t.Errorf("top side %+v", p)
	}
	if _, err := f.store.Review(t.Context(), 1, inspection.Review{Class: inspection.NoDefect, By: "Lee"}, 0); err != nil {
		t.Fatal(err)
	}
	got = read[inspection.Trends](t, f, http.StatusOK, "GET", "/api/v1/trends?class=hole", "")
	if got.All.Defects != 1 || len(got.Pareto) != 1 || got.Pareto[0].Coils != 1 || got.Pareto[0].Cumulative != 1 {
		t.Errorf("after the review %+v", got.Pareto)
	}
	if r := got.Reviews[0]; r.Reviewed != 1 || r.NoDefect != 1 || r.FalseRate == nil || r.FalseRate.Upper != 1 || r.AgreedRate.Lower != 0 {
		t.Errorf("reviews %+v", got.Reviews)
	}
	// The class leads to the coil that still has one.
	if l := read[CoilList](t, f, http.StatusOK, "GET", "/api/v1/coils?class=hole&state=closed", ""); len(l.Coils) != 1 || l.Coils[0].ID != "A2" {
		t.Errorf("coils with a hole: %+v", l.Coils)
	}
	if l := read[CoilList](t, f, http.StatusOK, "GET", "/api/v1/coils?class=hole&side=bottom", ""); len(l.Coils) != 0 {
		t.Errorf("coils with a hole at the bottom: %+v", l.Coils)
	}
	if l := read[CoilList](t, f, http.StatusOK, "GET", "/api/v1/coils?side=top&state=closed", ""); len(l.Coils) != 1 || l.Coils[0].ID != "A2" {
		t.Errorf("coils with a defect at the top: %+v", l.Coils)
	}
}

func TestCoilsOfAPartOfTheStrip(t *testing.T) {
	f := newFixture(t)
	f.run(t, "A1")
	f.run(t, "A2") // runs on and does not count
	read[inspection.Coil](t, f, http.StatusOK, "POST", "/api/v1/coils/A1/finish", "")
	for query, want := range map[string]int{
		"along=3": 1, "across=3": 1, "along=3&side=top&class=hole": 1, "along=9": 0, "along=3&class=scratch": 0, "across=20": 0,
		"along=3&without=steel_grade": 1, "along=3&without=recipe": 0, "without=steel_grade,recipe": 0, "without=steel_grade": 2,
	} {
		if l := read[CoilList](t, f, http.StatusOK, "GET", "/api/v1/coils?"+query, ""); len(l.Coils) != want {
			t.Errorf("%s: %d coils, want %d", query, len(l.Coils), want)
		}
	}
	if got := read[inspection.Trends](t, f, http.StatusOK, "GET", "/api/v1/trends?without=steel_grade", ""); got.All.Coils != 1 || got.SteelGrades[0].Name != "" {
		t.Errorf("without a steel grade: %+v", got.All)
	}
	if got := read[inspection.Trends](t, f, http.StatusOK, "GET", "/api/v1/trends?without=recipe", ""); got.All.Coils != 0 {
		t.Errorf("without a recipe: %+v", got.All)
	}
}

func TestCoilsOfAShift(t *testing.T) {
	f := newFixture(t)
	f.run(t, "A1")
	since := url.QueryEscape(time.Now().Add(-time.Hour).Format(time.RFC3339))
	found := 0
	for _, shift := range []string{"06:00", "14:00", "22:00"} {
		found += len(read[CoilList](t, f, http.StatusOK, "GET", "/api/v1/coils?shift="+shift+"&since="+since, "").Coils)
	}
	if found != 1 {
		t.Errorf("the coil began in %d shifts", found)
	}
}

func TestWhatTrendsCannotTellIsOneSentence(t *testing.T) {
	f := newFixture(t)
	for target, want := range map[string]string{
		"/api/v1/trends?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z":             "until: 2026-03-01T00:00:00Z is not after 2026-03-02T00:00:00Z, where the period begins",
		"/api/v1/trends?since=2020-03-02T00:00:00Z&until=2026-03-01T00:00:00Z&bucket=hour": `bucket: the period has more than 1500 times a bucket of "hour"; choose a longer bucket or a shorter period`,
		"/api/v1/trends?since=yesterday":                                                   "invalid date/time",
		"/api/v1/trends?bucket=year":                                                       "hour",
		"/api/v1/trends?side=left":                                                         "top",
		"/api/v1/coils?along=21":                                                           "20",
		"/api/v1/coils?along=2&across=3":                                                   "across: along is given too; choose a part of the length or one of the width",
		"/api/v1/trends?without=name":                                                      "steel_grade",
		"/api/v1/coils?shift=06:00":                                                        "shift: 06:00 needs a period; give since, and until where it is not now",
		"/api/v1/coils?shift=07:00&since=2026-03-02T00:00:00Z":                             `shift: "07:00" is not the start of a shift; the plant's begin at [06:00 14:00 22:00]`,
	} {
		p := read[struct {
			Detail string                     `json:"detail"`
			Errors []struct{ Message string } `json:"errors"`
		}](t, f, http.StatusUnprocessableEntity, "GET", target, "")
		text := p.Detail
		for _, e := range p.Errors {
			text += " " + e.Message
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s", target, text, want)
		}
	}
}
