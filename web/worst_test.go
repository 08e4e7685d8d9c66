package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// The worst coil of a tinplate line: 200 defects a second for 1,000 s, on both sides, at 15 m/s.
const (
	worstCoil    = "WORST"
	worstDefects = 200_000
	worstLength  = inspection.MM(15_000_000)
	worstWidth   = inspection.MM(1000)
)

// catalogue is the shipped model's classes, with their names.
type catalogue struct {
	oneClass
	classes []ClassInfo
}

func (c catalogue) Classes() []ClassInfo { return c.classes }

func shippedClasses(t testing.TB) catalogue {
	t.Helper()
	b, err := os.ReadFile("../models/bundles/steel-surface-1/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Classes []struct {
			ID     inspection.DefectClass
			Ko, En string
		}
	}
	if err := json.Unmarshal(b, &manifest); err != nil {
		t.Fatal(err)
	}
	var c catalogue
	for _, m := range manifest.Classes {
		c.classes = append(c.classes, ClassInfo{ID: m.ID, Ko: m.Ko, En: m.En})
	}
	return c
}

// runWorst records and closes the worst coil: defects spread without a pattern, more of them towards the tail
// end, and a hundred of them reviewed.
func (f *fixture) runWorst(t testing.TB, classes []ClassInfo) {
	t.Helper()
	if _, err := f.Start(t.Context(), worstCoil); err != nil {
		t.Fatal(err)
	}
	const a = 10_000 // a batch: 50 s of the line
	seen := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	spread := func(i int, step float64) inspection.MM {
		_, frac := math.Modf(float64(i) * step)
		return inspection.MM(frac)
	}
	for from := 0; from < worstDefects; from += a {
		b := &inspection.Batch{Coil: worstCoil}
		for i := from; i < from+a; i++ {
			side := inspection.Sides()[i%2]
			// The cameras report a little out of order, as frames end at different times.
			at := inspection.MM(math.Sqrt((float64(i) + 40*float64(spread(i, 0.618034))) / (worstDefects + 40)))
			b.Defects = append(b.Defects, inspection.Defect{
				Side: side, Camera: inspection.CameraID(side), Class: classes[1+i%(len(classes)-1)].ID, Conf: float32(spread(i, 0.3819)),
				Severity: inspection.Severity(i % 97 % 5), Area: float64(5 + i%200), Contrast: 1.5, Seen: seen.Add(time.Duration(i) * 5 * time.Millisecond),
				Rect: inspection.StripRect{
					Along: at * (worstLength - 100), Across: spread(i, 0.414214) * (worstWidth - 30),
					Length: 2 + 60*spread(i, 0.236), Width: 1 + 20*spread(i, 0.7321),
				},
			})
		}
		done := inspection.MM(math.Sqrt(float64(from+a)/worstDefects)) * worstLength
		b.Progress = []inspection.Progress{{Side: inspection.Top, To: done, Width: worstWidth}, {Side: inspection.Bottom, To: done, Width: worstWidth}}
		b.Gaps = []inspection.Gap{{Side: inspection.Top, Camera: "top", From: done - 4000, To: done - 3200, State: inspection.DetectedOnly, Cause: "burst"}}
		if err := f.store.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for _, d := range b.Defects[:5] {
			if _, err := f.store.Review(t.Context(), d.ID, inspection.Review{Class: classes[0].ID, By: "Kim"}, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := f.Finish(t.Context(), worstCoil); err != nil {
		t.Fatal(err)
	}
}

// TestWorstCoil reads the worst coil by the API and opens its page in Chromium. What it measures is printed with -v.
func TestWorstCoil(t *testing.T) {
	if testing.Short() {
		t.Skip("records 200,000 defects and drives a browser")
	}
	classes := shippedClasses(t)
	f := newFixture(t, func(o *Options) { o.UI, o.Models = os.DirFS("ui/dist"), classes })
	f.runWorst(t, classes.classes)
	t.Run("pages", func(t *testing.T) { pageWorst(t, f) })
	t.Run("changes", func(t *testing.T) { followWorst(t, f) })
	t.Run("map", func(t *testing.T) { mapWorst(t, f) })
	t.Run("exports", func(t *testing.T) { exportWorst(t, f) })
	t.Run("browser", func(t *testing.T) { openWorst(t, f) })
}

// pageWorst reads every defect; the last pages must come as fast as the first.
func pageWorst(t *testing.T, f *fixture) {
	var took []time.Duration
	last, n := inspection.DefectID(0), 0
	for cursor := ""; ; {
		began := time.Now()
		w := get(t, f, "/api/v1/coils/"+worstCoil+"/defects?limit=1000&cursor="+cursor)
		took = append(took, time.Since(began))
		var page DefectList
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
			t.Fatal(w.Code, err)
		}
		for _, d := range page.Defects {
			if d.ID <= last {
				t.Fatalf("defect %d after %d", d.ID, last)
			}
			last = d.ID
			n++
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if n != worstDefects {
		t.Errorf("the pages hold %d defects, want %d", n, worstDefects)
	}
	median := func(d []time.Duration) time.Duration { return slices.Sorted(slices.Values(d))[len(d)/2] }
	first, deep := median(took[:40]), median(took[len(took)-40:])
	t.Logf("a page of 1000 defects: first ones %v, last ones %v", first, deep)
	if deep > 4*first {
		t.Errorf("a late page takes %v, an early one %v", deep, first)
	}
}

// followWorst reads the change log from its beginning.
func followWorst(t *testing.T, f *fixture) {
	began, seq, graded := time.Now(), int64(0), false
	for more := true; more; {
		page := read[inspection.ChangePage](t, f, http.StatusOK, "GET", fmt.Sprintf("/api/v1/changes?limit=50&after=%d", seq), "")
		for _, c := range page.Changes {
			if c.Seq != seq+1 {
				t.Fatalf("change %d after %d", c.Seq, seq)
			}
			seq, graded = c.Seq, c.Type == "coil.graded"
		}
		more = page.HasMore
	}
	t.Logf("%d changes: %v", seq, time.Since(began))
	if !graded {
		t.Error("the last change is not the grade")
	}
}

// mapWorst reads the map, which must hold every defect.
func mapWorst(t *testing.T, f *fixture) {
	began := time.Now()
	w := get(t, f, "/api/v1/coils/"+worstCoil+"/map.bin")
	took := time.Since(began)
	m := decodeMap(t, w.Body.Bytes())
	reviewed := 0
	for _, flags := range m.bytes[3] {
		reviewed += int(flags&flagReview) / flagReview
	}
	t.Logf("map of %d defects, %d bytes: %v", len(m.ids), w.Body.Len(), took)
	if len(m.ids) != worstDefects || !slices.IsSorted(m.ids) || reviewed != 100 {
		t.Errorf("the map holds %d defects, %d of them reviewed; want %d and 100, in order", len(m.ids), reviewed, worstDefects)
	}
	if limit := 2 * time.Second; took > limit {
		t.Errorf("the map took %v; allowed are %v", took, limit)
	}
}

// sink takes an answer and keeps none of it.
type sink struct{ header http.Header }

func (s sink) Header() http.Header { return s.header }

func (sink) WriteHeader(int) {}

func (sink) Write(b []byte) (int, error) { return len(b), nil }

// liveBytes is what lives on the heap: what was given up is collected first.
func liveBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// heldBy is how many bytes of memory a request keeps alive at most.
func heldBy(t *testing.T, f *fixture, target string) uint64 {
	before := liveBytes()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.ServeHTTP(sink{http.Header{}}, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
	}()
	most := before
	for {
		select {
		case <-done:
			return most - before
		default:
			most = max(most, liveBytes())
		}
	}
}

// exportWorst takes the coil as report, workbook and text.
func exportWorst(t *testing.T, f *fixture) {
	cases := []struct {
		target      string
		within      time.Duration
		least, most int    // bytes
		held        uint64 // bytes
	}{
		{"report.pdf?lang=ko", 3 * time.Second, 20 << 10, 3 << 20, 64 << 20},
		{"defects.csv", 10 * time.Second, 100 * worstDefects, 300 * worstDefects, 8 << 20},
		{"defects.xlsx", 30 * time.Second, 20 * worstDefects, 200 * worstDefects, 64 << 20},
	}
	held := make([]uint64, len(cases)) // before an answer is kept, whose end would hide some of it
	for i, c := range cases {
		held[i] = heldBy(t, f, "/api/v1/coils/"+worstCoil+"/"+c.target)
	}
	for i, c := range cases {
		began := time.Now()
		answer := get(t, f, "/api/v1/coils/"+worstCoil+"/"+c.target)
		took := time.Since(began)
		t.Logf("%s: %d bytes in %v; at most %d KiB in use", c.target, answer.Body.Len(), took, held[i]>>10)
		if n := answer.Body.Len(); answer.Code != http.StatusOK || n < c.least || n > c.most {
			t.Errorf("%s: %d with %d bytes; want %d to %d", c.target, answer.Code, n, c.least, c.most)
		}
		if took > c.within {
			t.Errorf("%s took %v; allowed are %v", c.target, took, c.within)
		}
		if held[i] > c.held {
			t.Errorf("%s held %d bytes; allowed are %d", c.target, held[i], c.held)
		}
		if c.target == "defects.csv" && bytes.Count(answer.Body.Bytes(), []byte("\r\n")) != worstDefects+1 {
			t.Errorf("%d lines", bytes.Count(answer.Body.Bytes(), []byte("\r\n")))
		}
	}
}

// openWorst drives the page; the limits of its figures are in ui/tests/e2e/worst.spec.ts.
func openWorst(t *testing.T, f *fixture) {
	const spec, playwright = "tests/e2e/worst.spec.ts", "node_modules/@playwright/test/cli.js"
	for file, means := range map[string]string{playwright: "make setup", "dist/index.html": "make build"} {
		if _, err := os.Stat("ui/" + file); err != nil {
			t.Skipf("web/ui/%s is not there; %s brings it", file, means)
		}
	}
	if _, err := os.ReadFile("ui/" + spec); err != nil { // read, so that go test knows when it changes
		t.Fatal(err)
	}
	server := httptest.NewServer(f)
	defer server.Close()
	defer f.hub.Close() // ends the event stream, for which Close waits

	cmd := exec.CommandContext(t.Context(), "node", playwright, "test", spec, "--reporter=line")
	cmd.Dir = "ui"
	cmd.Env = append(os.Environ(), "COILSIGHT_URL="+server.URL, "COILSIGHT_WORST="+worstCoil, fmt.Sprint("COILSIGHT_WORST_DEFECTS=", worstDefects))
	out, err := cmd.CombinedOutput()
	t.Log(strings.TrimSpace(string(out)))
	if err != nil {
		t.Error(err)
	}
}
