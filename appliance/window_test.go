package appliance

import (
	"os"
	"slices"
	"testing"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
)

func windowAt(t *testing.T, level func(c int) float32) *window {
	t.Helper()
	c := DefaultConfig()
	c.Data = t.TempDir()
	w, err := openWindow(c, "top")
	if err != nil {
		t.Fatal(err)
	}
	s := calibration.WindowState{Columns: 256, Coils: 5, Level: make([]float32, 256), First: 100, Now: 100}
	for i := range s.Level {
		s.Level[i] = level(i)
	}
	w.watch.State = s
	return w
}

func clean(int) float32 { return 1 }

func darkFrames(w *window) {
	for range 100 {
		w.frame(&inspection.Screening{BlockColumns: 256, BlockRows: 4, Means: make([]byte, 4*256)})
	}
}

func TestWindowFaultsAreAlarmsWithTheirPlaceAcrossTheLine(t *testing.T) {
	dirty := func(c int) float32 {
		if c >= 100 && c < 104 {
			return 0.85
		}
		return 1
	}
	a := &Appliance{cameras: []*eye{
		{id: "top", side: inspection.Top, width: 2048, geometry: calibration.Geometry{MMPerPixel: 0.5, Position: 10}, window: windowAt(t, dirty)},
		{id: "beside", side: inspection.Top, width: 2048, window: windowAt(t, clean)},
		{id: "bottom", side: inspection.Bottom, width: 2048, window: windowAt(t, clean)},
	}}
	darkFrames(a.cameras[1].window) // looks beside a narrow strip: the other one of its side has light
	darkFrames(a.cameras[2].window)
	got := (&live{a: a}).windowConditions()
	if len(got) != 2 {
		t.Fatalf("conditions %+v, want dirt at the top and no light at the bottom", got)
	}
	if k := got[0]; k.Code != "window_dirty" || k.Priority != low || k.Values["across_mm"] != "410–426" || k.Values["darker"] != "15" || k.Values["camera"] != "top" {
		t.Errorf("got %+v", k)
	}
	if k := got[1]; k.Code != "lamp_lost" || k.Priority != high || k.Values["camera"] != "bottom" {
		t.Errorf("got %+v", k)
	}
}

func TestTrendComparesTheNewestCoilsWithTheFirst(t *testing.T) {
	w := windowAt(t, clean)
	w.watch.State.Coils, w.watch.State.First, w.watch.State.Now = 2, 100, 90
	if got := w.trend(); got != nil {
		t.Errorf("after two coils: %+v", got)
	}
	w.watch.State.Coils = 12
	if got := w.trend(); got == nil || got.Coils != 12 || got.Grey > -9.9 || got.Grey < -10.1 || got.Across != nil {
		t.Errorf("got %+v, want 10 %% darker and nothing of the focus", got)
	}
	w.watch.State.FocusCoils = 12
	w.watch.State.FirstFocus, w.watch.State.NowFocus = calibration.Focus{Across: 0.5, Along: 0.4}, calibration.Focus{Across: 0.55, Along: 0.3}
	if got := w.trend(); got.Across == nil || *got.Across < 9.9 || *got.Across > 10.1 || *got.Along > -24.9 || *got.Along < -25.1 {
		t.Errorf("got %+v, want 10 %% finer across and a quarter less along", got)
	}
}

func TestWhatIsKnownOfAWindowOutlivesARestart(t *testing.T) {
	c := DefaultConfig()
	c.Data = t.TempDir()
	w, err := openWindow(c, "top")
	if err != nil {
		t.Fatal(err)
	}
	w.watch.State = calibration.WindowState{Columns: 8, Coils: 5, Level: slices.Repeat([]float32{0.9}, 8), First: 100, Now: 90}
	if err := w.coilEnd(); err != nil {
		t.Fatal(err)
	}
	again, err := openWindow(c, "top")
	if err != nil || again.watch.State.Coils != 5 || again.watch.State.Level[7] != 0.9 || again.watch.State.Now != 90 {
		t.Errorf("read again: %+v, %v", again.watch.State, err)
	}
	if err := os.WriteFile(w.path, []byte(`{"columns": 3}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if w, err := openWindow(c, "top"); err == nil || w == nil || w.watch.State.Coils != 0 {
		t.Errorf("a file that does not fit gives %+v, %v; want an error, and a watch that begins anew", w, err)
	}
}
