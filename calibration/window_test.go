package calibration_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
)

// strip is a screening of strip of some brightness, seen through a window.
type strip struct {
	r       *rand.Rand
	columns int
	window  func(c int) float64 // what passes
}

func (s *strip) frame(grey, tilt float64) *inspection.Screening {
	const rows = 32
	out := &inspection.Screening{
		BlockColumns: s.columns, BlockRows: rows, Means: make([]byte, rows*s.columns),
		Edges: inspection.StripEdges{Present: true, Left: 100, Right: float64(8*s.columns - 120)},
	}
	for i := range out.Means {
		c := i % s.columns
		v := grey * (1 + tilt*(float64(c)/float64(s.columns)-0.5)) * s.window(c) * (1 + 0.03*s.r.NormFloat64())
		if 8*c < 100 || 8*c+8 > 8*s.columns-120 {
			v = 6
		}
		out.Means[i] = byte(min(255, math.Round(v)))
	}
	return out
}

// roll runs coils of changing brightness, and with a streak of the strip's own somewhere on each.
func (s *strip) roll(w *calibration.WindowWatch, coils int, light func(coil int) float64) {
	clean := s.window
	defer func() { s.window = clean }()
	for n := range coils {
		grey, tilt, at := 90+60*s.r.Float64(), 0.3*s.r.NormFloat64()/3, s.r.IntN(s.columns)
		s.window = func(c int) float64 {
			if c >= at && c < at+4 {
				return 0.8 * clean(c)
			}
			return clean(c)
		}
		for range 60 {
			w.Frame(s.frame(grey*light(n), tilt))
		}
		w.CoilEnd()
	}
}

func steady(int) float64 { return 1 }
func noDirt(int) float64 { return 1 }
func newStrip(seed uint64, window func(int) float64) *strip {
	return &strip{r: rand.New(rand.NewPCG(seed, 1)), columns: 256, window: window}
}

func TestCleanWindowHasNoFindingHoweverTheStripVaries(t *testing.T) {
	for seed := range uint64(4) {
		var w calibration.WindowWatch
		s := newStrip(seed, noDirt)
		for n := range 25 {
			s.roll(&w, 4, steady)
			if f := w.Findings(); len(f) > 0 {
				t.Fatalf("seed %d, after %d coils: %+v", seed, 4*n+4, f)
			}
		}
	}
}

func TestDirtIsFoundWhereItIs(t *testing.T) {
	var w calibration.WindowWatch
	s := newStrip(5, func(c int) float64 {
		if c >= 120 && c < 126 {
			return 0.88
		}
		return 1
	})
	s.roll(&w, 8, steady)
	f := w.Findings()
	if len(f) != 1 || f[0].Fault != calibration.WindowDirty || f[0].From > 968 || f[0].To < 1000 || f[0].From < 944 || f[0].To > 1024 {
		t.Fatalf("found %+v, want dirt at the pixels 960 to 1008", f)
	}
	if f[0].Darker < 9 || f[0].Darker > 16 {
		t.Errorf("it is %.1f %% darker, want 12", f[0].Darker)
	}
	s.window = noDirt // wiped
	s.roll(&w, 16, steady)
	if f := w.Findings(); len(f) > 0 {
		t.Errorf("a window that was wiped still has %+v", f)
	}
}

func TestFailingPartOfALampIsTold(t *testing.T) {
	var w calibration.WindowWatch
	s := newStrip(6, func(c int) float64 {
		if c >= 150 && c < 182 {
			return 0.5
		}
		return 1
	})
	s.roll(&w, 6, steady)
	if f := w.Findings(); len(f) != 1 || f[0].Fault != calibration.LampFailing {
		t.Fatalf("found %+v, want a failing lamp", f)
	}
}

func TestLampThatDarkensOverCoilsIsAgeing(t *testing.T) {
	var w calibration.WindowWatch
	s := newStrip(7, noDirt)
	s.roll(&w, 60, func(coil int) float64 { return 1 - 0.01*math.Min(40, float64(coil)) })
	if f := w.Findings(); len(f) != 1 || f[0].Fault != calibration.LampAgeing || f[0].Darker < 25 {
		t.Fatalf("found %+v, want an ageing lamp", f)
	}
}

func TestLostLampIsToldAtOnce(t *testing.T) {
	var w calibration.WindowWatch
	s := newStrip(8, noDirt)
	s.roll(&w, 1, steady)
	dark := &inspection.Screening{BlockColumns: 256, BlockRows: 32, Means: make([]byte, 32*256)}
	for n := range 8 {
		if f := w.Findings(); len(f) > 0 {
			t.Fatalf("after %d dark frames: %+v", n, f)
		}
		w.Frame(dark)
	}
	if f := w.Findings(); len(f) != 1 || f[0].Fault != calibration.LampLost {
		t.Fatalf("found %+v, want a lost lamp", f)
	}
	w.Frame(s.frame(120, 0))
	if f := w.Findings(); len(f) > 0 {
		t.Errorf("with light again: %+v", f)
	}
}

func TestFrameCostsTheWindowWatchNoAllocation(t *testing.T) {
	var w calibration.WindowWatch
	f := newStrip(9, noDirt).frame(120, 0)
	w.Frame(f)
	if n := testing.AllocsPerRun(100, func() { w.Frame(f) }); n > 0 {
		t.Errorf("%v allocations a frame, want none", n)
	}
}

// textured strip, blurred by a few pixels across and along.
func textured(r *rand.Rand, across, along int) inspection.LineImage {
	const w, h = 256, 64
	raw := make([]float64, (w+16)*(h+16))
	for i := range raw {
		raw[i] = 120 + 25*r.NormFloat64()
	}
	m := inspection.LineImage{Pix: make([]byte, w*h), Width: w, Height: h, Stride: w}
	for y := range h {
		for x := range w {
			sum := 0.0
			for j := range along + 2 { // the lens itself
				for i := range across + 2 {
					sum += raw[(y+j)*(w+16)+x+i]
				}
			}
			m.Pix[y*w+x] = byte(min(255, max(0, sum/float64((along+2)*(across+2)))))
		}
	}
	return m
}

func TestBlurIsToldByItsDirection(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 1))
	sharp, soft, smeared := calibration.MeasureFocus(textured(r, 0, 0)), calibration.MeasureFocus(textured(r, 3, 3)), calibration.MeasureFocus(textured(r, 0, 3))
	if soft.Across > 0.85*sharp.Across || soft.Along > 0.85*sharp.Along {
		t.Errorf("sharp %+v, soft %+v", sharp, soft)
	}
	if smeared.Along > 0.85*sharp.Along || smeared.Across < 0.95*sharp.Across {
		t.Errorf("sharp %+v, smeared %+v", sharp, smeared)
	}
	if dark := calibration.MeasureFocus(inspection.LineImage{Pix: make([]byte, 100*100), Width: 100, Height: 100, Stride: 100}); dark != (calibration.Focus{}) {
		t.Errorf("a dark picture has %+v", dark)
	}
}

func TestPictureThatGrowsSoftIsTold(t *testing.T) {
	for want, blur := range map[calibration.WindowFault][2]int{"": {0, 0}, calibration.FocusSoft: {3, 3}, calibration.MotionBlur: {0, 3}} {
		var w calibration.WindowWatch
		s := newStrip(11, noDirt)
		coils := func(n, across, along int) {
			for range n {
				for range 4 {
					w.Picture(calibration.MeasureFocus(textured(s.r, across, along)))
				}
				s.roll(&w, 1, steady)
			}
		}
		coils(12, 0, 0)
		if f := w.Findings(); len(f) > 0 {
			t.Fatalf("while it is sharp: %+v", f)
		}
		coils(24, blur[0], blur[1])
		f := w.Findings()
		if got := len(f); (want == "") != (got == 0) || (got > 0 && f[0].Fault != want) {
			t.Errorf("found %+v, want %q", f, want)
		}
	}
}
