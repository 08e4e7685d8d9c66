package appliance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/appliance/teach"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/web"
)

// taught is the API over the record of an appliance on which one version was learned.
type taught struct {
	http.Handler
	config Config
	desk   *modelDesk
	strips string
}

// learned teaches line-2-v1 from eight pictures with a dark spot each.
func learned(t *testing.T) *taught {
	t.Helper()
	c := DefaultConfig()
	c.Data, c.Classifier.Provider = t.TempDir(), inference.ProviderCPU
	strips := t.TempDir()
	for i := range 8 {
		m := image.NewGray(image.Rect(0, 0, 1600, 256))
		for y := range 256 {
			for x := range 1600 {
				m.SetGray(x, y, color.Gray{uint8(120 + (x*7+y*13+x*y%11)%5)})
				if x >= 300+20*i && x < 330+30*i && y >= 100 && y < 124 {
					m.SetGray(x, y, color.Gray{30})
				}
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(strips, fmt.Sprintf("%d.png", i)), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, err := OpenEngine(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := teach.Learn(t.Context(), teach.Options{
		Classifier: e.Classifier, Bundle: e.Bundle, Threshold: 1, Shelf: c.Teachings(), Name: "line-2", Paths: []string{strips},
		MMPerPixel: 0.5, By: "Kim", Now: time.Now(),
	}); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return served(t, c, strips)
}

// served is the API over a record, with a line that stands.
func served(t *testing.T, c Config, strips string) *taught {
	t.Helper()
	d, err := openDesk(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	h, err := web.New(web.Options{
		Models: d, Teachings: &teachDesk{config: c, desk: d}, Hub: web.NewHub(1, 1), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &taught{h, c, d, strips}
}

func (a *taught) do(t *testing.T, ctx context.Context, method, target, body, match string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(ctx, method, "/api/v1/teachings"+target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if match != "" {
		r.Header.Set("If-Match", match)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// list reads the list as the answer to a command, or to GET.
func (a *taught) list(t *testing.T, method, target, body, match string) (l web.TeachingList) {
	t.Helper()
	w := a.do(t, t.Context(), method, target, body, match)
	if w.Code != http.StatusOK {
		t.Fatalf("%s %s: %d: %s", method, target, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil {
		t.Fatal(err)
	}
	if tag := fmt.Sprintf(`"teachings-%d"`, l.Revision); w.Header().Get("ETag") != tag {
		t.Errorf("ETag %s; want %s", w.Header().Get("ETag"), tag)
	}
	return l
}

func (a *taught) detail(t *testing.T, status int, method, target, body string) (d web.TeachingDetail) {
	t.Helper()
	w := a.do(t, t.Context(), method, target, body, "")
	if w.Code != status {
		t.Fatalf("%s %s: %d: %s", method, target, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTeachingIsAnsweredActivatedAndTakenBackByTheAPI(t *testing.T) {
	a := learned(t)
	l := a.list(t, "GET", "", "", "")
	if len(l.Teachings) != 1 || l.Active.ID != "" || l.Previous != nil || l.AtWork != "" || l.Revision != 1 {
		t.Fatalf("the list is %+v", l)
	}
	v := l.Teachings[0]
	if v.ID != "line-2-v1" || v.By != "Kim" || v.Strip.Pictures != 8 || v.Strip.Folders[0] != a.strips || v.Unfit != "" || v.Before.Found == 0 || v.Golden.SetIn == 0 || v.Asked == 0 {
		t.Errorf("the version is %+v", v)
	}
	if !strings.Contains(l.LearnCommand, `"`+a.config.Data+`"`) {
		t.Errorf("the command is %s", l.LearnCommand)
	}
	d := a.detail(t, http.StatusOK, "GET", "/line-2-v1", "")
	if len(d.Questions) != v.Asked || len(d.Classes) == 0 {
		t.Fatalf("the version has %d questions and %d classes", len(d.Questions), len(d.Classes))
	}
	q := d.Questions[0]
	if q.Number != 1 || q.Answer != "" || q.Alike < 1 || q.Across <= 0 || q.Across >= 1 || q.Along < 30 || q.Along > 65 || !strings.HasSuffix(q.Picture, ".png") {
		t.Errorf("question %+v", q)
	}
	for _, target := range []string{"/line-2-v1/questions/1/picture", "/line-2-v1/picture"} {
		w := a.do(t, t.Context(), "GET", target, "", "")
		if _, err := png.Decode(w.Body); w.Code != http.StatusOK || err != nil || w.Header().Get("Content-Type") != "image/png" {
			t.Errorf("%s: %d, %v", target, w.Code, err)
		}
	}

	next := a.detail(t, http.StatusCreated, "POST", "/line-2-v1/answers", `{"by": " Lee ", "answers": [{"number": 1, "answer": "defect"}]}`)
	if next.ID != "line-2-v2" || next.From != 1 || next.By != "Lee" || next.Answered != 1 || next.Questions[0].Answer != "defect" || next.Questions[0].By != "Lee" {
		t.Errorf("answered %+v", next.Teaching)
	}

	l = a.list(t, "POST", "/line-2-v1/activate", `{"by": "Lee"}`, `"teachings-1"`)
	if l.Active.ID != "line-2-v1" || l.Active.By != "Lee" || l.AtWork != "" || l.Revision != 2 || l.Previous == nil || l.Previous.ID != "" {
		t.Errorf("activated %+v", l)
	}
	a.desk.look()
	a.desk.boundary()
	if l = a.list(t, "GET", "", "", ""); l.AtWork != "line-2-v1" || l.Teachings[0].ID != "line-2-v2" {
		t.Errorf("after a coil boundary %+v", l)
	}
	l = a.list(t, "POST", "/line-2-v2/activate", `{"by": "Lee"}`, `"teachings-2"`)
	if l.Active.ID != "line-2-v2" || l.Previous.ID != "line-2-v1" || l.AtWork != "line-2-v1" {
		t.Errorf("the next one %+v", l)
	}
	if w := a.do(t, t.Context(), "POST", "/off", `{"by": "Lee"}`, `"teachings-2"`); w.Code != http.StatusPreconditionFailed {
		t.Errorf("who saw an old list may switch it off: %d: %s", w.Code, w.Body)
	}
	if l = a.list(t, "POST", "/off", `{"by": "Park"}`, `"teachings-3"`); l.Active.ID != "" || l.Active.By != "Park" || l.Previous.ID != "line-2-v2" {
		t.Errorf("off %+v", l)
	}
	for _, want := range []string{"line-2-v2", "line-2-v1", ""} {
		if l = a.list(t, "POST", "/rollback", `{"by": "Park"}`, "*"); l.Active.ID != want {
			t.Errorf("a rollback goes to %q; want %q", l.Active.ID, want)
		}
	}
	if l.Previous != nil {
		t.Errorf("there is %+v before the first", l.Previous)
	}
	a.desk.look()
	a.desk.boundary()
	if l = a.list(t, "GET", "", "", ""); l.AtWork != "" || l.Revision != 7 {
		t.Errorf("in the end %+v", l)
	}
}

func TestTeachingThatIsNotAllowedSaysWhy(t *testing.T) {
	a := learned(t)
	putTaught(t, a.config, 9, "other 2.0.0") // and active
	if err := a.config.Teachings().Off(teach.Change{At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a.config.Data, "teach", "line-2", "v10.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	by := func(answers string) string { return `{"by": "Kim", "answers": [` + answers + `]}` }
	one := `{"number": 1, "answer": "normal"}`
	for name, c := range map[string]struct {
		method, target, body, match string
		status                      int
		says                        string
	}{
		"a version that is none":         {"GET", "/line-2-v7", "", "", 404, `teaching "line-2-v7" is not known`},
		"a name that is no version's":    {"GET", "/..active", "", "", 404, "is not known"},
		"a question that is none":        {"GET", "/line-2-v1/questions/99/picture", "", "", 404, "is not known"},
		"question 0":                     {"GET", "/line-2-v1/questions/0/picture", "", "", 422, "path.number"},
		"a version without its pictures": {"GET", "/line-2-v9/picture", "", "", 404, "picture of teaching"},
		"answers to none":                {"POST", "/line-2-v7/answers", by(one), "", 404, "is not known"},
		"answers by nobody":              {"POST", "/line-2-v1/answers", `{"by": "  ", "answers": [` + one + `]}`, "", 422, "body.by"},
		"no answers":                     {"POST", "/line-2-v1/answers", by(""), "", 422, "body.answers"},
		"an answer twice":                {"POST", "/line-2-v1/answers", by(one + "," + one), "", 422, "question 1 is answered twice"},
		"an answer nobody knows":         {"POST", "/line-2-v1/answers", by(`{"number": 1, "answer": "rust"}`), "", 422, `allowed are normal, defect,`},
		"an answer to question 99":       {"POST", "/line-2-v1/answers", by(`{"number": 99, "answer": "normal"}`), "", 422, "there is no question 99"},
		"answers to another model's":     {"POST", "/line-2-v9/answers", by(one), "", 422, "was learned with model other 2.0.0"},
		"another model's":                {"POST", "/line-2-v9/activate", `{"by": "Kim"}`, "*", 422, "needs a teaching of its own"},
		"a version that is none, active": {"POST", "/line-2-v7/activate", `{"by": "Kim"}`, "*", 404, "is not known"},
		"by nobody":                      {"POST", "/line-2-v1/activate", `{"by": " "}`, "*", 422, "body.by"},
		"seen by nobody":                 {"POST", "/line-2-v1/activate", `{"by": "Kim"}`, "", 428, "If-Match is missing"},
		"an old list":                    {"POST", "/line-2-v1/activate", `{"by": "Kim"}`, `"teachings-1"`, 412, "is at revision 3, not 1"},
		"back to another model's":        {"POST", "/rollback", `{"by": "Kim"}`, "*", 409, "cannot be gone back to"},
	} {
		w := a.do(t, t.Context(), c.method, c.target, c.body, c.match)
		if w.Code != c.status || !strings.Contains(strings.ReplaceAll(w.Body.String(), `\"`, `"`), c.says) || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d, want %d and %q: %s", name, w.Code, c.status, c.says, w.Body)
		}
	}
	l := a.list(t, "GET", "", "", "")
	if len(l.Teachings) != 2 || l.Teachings[1].ID != "line-2-v9" || !strings.Contains(l.Teachings[1].Unfit, "other 2.0.0") {
		t.Errorf("the list has %+v", l.Teachings)
	}
	if len(l.Unreadable) != 1 || l.Unreadable[0].ID != "line-2-v10" {
		t.Errorf("unreadable are %+v", l.Unreadable)
	}

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if w := a.do(t, gone, "POST", "/line-2-v1/answers", by(one), ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a request that was given up: %d: %s", w.Code, w.Body)
	}
	if err := os.Remove(filepath.Join(a.strips, "3.png")); err != nil {
		t.Fatal(err)
	}
	if w := a.do(t, t.Context(), "POST", "/line-2-v1/answers", by(one), ""); w.Code != 422 || !strings.Contains(w.Body.String(), "the pictures must stay") {
		t.Errorf("without the strip: %d: %s", w.Code, w.Body)
	}
	if l := a.list(t, "GET", "", "", ""); len(l.Teachings) != 2 {
		t.Errorf("what was refused made %d versions", len(l.Teachings)-2)
	}
}

func TestAPlantWithoutTeachingsHasNothingToGoBackTo(t *testing.T) {
	c := DefaultConfig()
	c.Data, c.Classifier.Provider = filepath.Join(t.TempDir(), "new"), inference.ProviderCPU
	a := served(t, c, "")
	w := a.do(t, t.Context(), "GET", "", "", "")
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusOK || !bytes.Contains(body, []byte(`"teachings":[]`)) || bytes.Contains(body, []byte("null")) {
		t.Errorf("%d: %s", w.Code, body)
	}
	if w := a.do(t, t.Context(), "POST", "/rollback", `{"by": "Kim"}`, `"teachings-1"`); w.Code != http.StatusConflict {
		t.Errorf("back from nothing: %d: %s", w.Code, w.Body)
	}
	if l := a.list(t, "POST", "/off", `{"by": "Kim"}`, `"teachings-1"`); l.Revision != 1 || l.Active.ID != "" {
		t.Errorf("off from off %+v", l)
	}
}
