package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/inspection"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is the API over a real store. In place of the line stands the least that starts and
// finishes coils.
type fixture struct {
	http.Handler
	store *store.Store
	hub   *Hub
	ready Readiness
	now   Live
}

func newFixture(t testing.TB, changes ...func(*Options)) *fixture {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{store: s, hub: NewHub(4, 2)}
	t.Cleanup(func() {
		f.hub.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	o := Options{
		Reader: s, Changes: s, Control: f, Reviewer: s, Samples: s, Stability: twoChecks{}, Recipes: s, Live: f, Hub: f.hub, Version: "0.1.0",
		Models: oneClass{}, Trends: s,
		Calendar: inspection.Calendar{Zone: time.UTC, Shifts: []inspection.ShiftStart{"06:00", "14:00", "22:00"}},
		Ready:    func() Readiness { return f.ready },
		Metrics:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("coilsight_up 1\n")) }),
		UI: fstest.MapFS{
			"index.html":           {Data: []byte("<!doctype html><title>Coilsight</title>" + string(make([]byte, 2000)))},
			"assets/app-1a2b3c.js": {Data: []byte("console.log(1)")},
			".keep":                {},
		},
		Log: slog.New(slog.DiscardHandler),
	}
	for _, change := range changes {
		change(&o)
	}
	if f.Handler, err = New(o); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) Announce(ctx context.Context, id inspection.CoilID, o inspection.CoilOrder) (inspection.Coil, bool, error) {
	return f.store.Announce(ctx, id, o)
}

func (f *fixture) Start(ctx context.Context, id inspection.CoilID) (inspection.Coil, error) {
	return f.store.StartCoil(ctx, id, inspection.CoilOrder{}, testRecipe(), inspection.Setup{Model: "first v1"}, time.Now())
}

func (f *fixture) Finish(ctx context.Context, id inspection.CoilID) (inspection.Coil, error) {
	m, err := f.store.Map(ctx, id)
	if err != nil {
		return inspection.Coil{}, err
	}
	return f.store.CloseCoil(ctx, id, m.Strip, inspection.GradeMap(m, testRecipe()), time.Now())
}

func (f *fixture) Live() Live { return f.now }

func (f *fixture) StripPicture(_ inspection.Side, after int64) StripPicture {
	rows := []byte("aaaabbbbcccc") // rows 10 to 12
	first := min(max(after+1, 10), 13)
	return StripPicture{FirstRow: first, Columns: 4, MMPerRow: 8, MMPerColumn: 4.5, LeftEdge: 0.5, HeadRow: 11, Rows: rows[(first-10)*4:]}
}

func testRecipe() inspection.Recipe {
	return inspection.Recipe{
		Name: "hot strip", Version: 1, LongestGap: 500, GapGrade: inspection.Hold,
		Rules: []inspection.GradingRule{{ID: "holes", Classes: []inspection.DefectClass{"hole"}, Count: 1, Grade: inspection.Block}},
	}
}

// run starts a coil and records two defects (the first with a picture) and a gap.
func (f *fixture) run(t *testing.T, id inspection.CoilID) *inspection.Batch {
	t.Helper()
	if _, err := f.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	seen := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	b := &inspection.Batch{
		Coil: id,
		Defects: []inspection.Defect{
			{Side: inspection.Top, Camera: "top", Class: "hole", Conf: 0.9, Severity: 4, Area: 50, Rect: inspection.StripRect{Along: 100, Across: 200, Length: 10, Width: 5}, Seen: seen},
			{Side: inspection.Bottom, Camera: "bottom", Class: "red_iron", Conf: 0.5, Severity: 1, Area: 5, Rect: inspection.StripRect{Along: 150.5, Across: 20, Length: 3, Width: 2}, Seen: seen},
		},
		Images:   []*inspection.Crop{{Pix: make([]byte, 16), Size: 4}, nil},
		Gaps:     []inspection.Gap{{Side: inspection.Top, Camera: "top", From: 300, To: 320, State: inspection.Overrun, Cause: "burst"}},
		Progress: []inspection.Progress{{Side: inspection.Top, To: 1000, Width: 1500}, {Side: inspection.Bottom, To: 1000, Width: 1500}},
	}
	if err := f.store.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return b
}

// read decodes an answer, which must have the status given.
func read[T any](t *testing.T, f http.Handler, status int, method, target, body string) (v T) {
	t.Helper()
	w := do(t, f, method, target, body)
	if w.Code != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, target, w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%s %s: %v in %s", method, target, err, w.Body)
	}
	return v
}

// oneClass is a model that knows holes, and is watched by a shadow.
type oneClass struct{}

func (oneClass) Classes() []ClassInfo {
	return []ClassInfo{{ID: "hole", Ko: "홀", En: "hole", Cause: &Text{"원인", "cause"}, HasPicture: true}}
}

func (oneClass) ClassPicture(c inspection.DefectClass) ([]byte, bool) {
	return []byte("\x89PNG"), c == "hole"
}

func (oneClass) Models() ModelState {
	return ModelState{Active: "steel 1.0.0", Shadow: &ShadowAgreement{Shadow: "steel 1.1.0", Compared: 3, Agreed: 2, Answers: []AnswerCount{{"hole", "hole", 2}, {"hole", "unknown", 1}}}}
}
