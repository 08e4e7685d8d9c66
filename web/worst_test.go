package web

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
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

// TestWorstCoilInTheBrowser opens the worst coil's page in Chromium. What it measures is printed with -v; its limits
// are in web/ui/tests/e2e/worst.spec.ts.
func TestWorstCoilInTheBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	const playwright = "node_modules/@playwright/test/cli.js"
	if _, err := os.Stat("ui/" + playwright); err != nil {
		t.Skip("web/ui/node_modules is not there; make setup brings it")
	}
	if _, err := os.Stat("ui/dist/index.html"); err != nil {
		t.Skip("the user interface is not built; make build does")
	}
	classes := shippedClasses(t)
	f := newFixture(t, func(o *Options) { o.UI, o.Models = os.DirFS("ui/dist"), classes })
	f.runWorst(t, classes.classes)
	server := httptest.NewServer(f)
	defer server.Close()
	defer f.hub.Close()

	cmd := exec.CommandContext(t.Context(), "node", playwright, "test", "worst", "--reporter=line")
	cmd.Dir = "ui"
	cmd.Env = append(os.Environ(), "COILSIGHT_URL="+server.URL, "COILSIGHT_WORST="+worstCoil, fmt.Sprint("COILSIGHT_WORST_DEFECTS=", worstDefects))
	out, err := cmd.CombinedOutput()
	t.Log(strings.TrimSpace(string(out)))
	if err != nil {
		t.Error(err)
	}
}
