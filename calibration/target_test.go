package calibration_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
)

// lens is a line camera over the target, with everything known.
type lens struct {
	width, height int
	mm            float64 // a pixel in the middle
	cubic, square float64 // distortion at the border, shares of half the width
	start         float64 // mm of the target at the middle pixel
	skew          float64 // degrees
	mmPerLine     float64
	mirrored      bool
	noise, blur   float64 // grey levels; pixels
	dirt          bool
}

// across is where a pixel's middle lies on the target, mm.
func (l lens) across(x float64) float64 {
	half := float64(l.width) / 2
	u := (x - half) / half
	mm := half * l.mm * (u + l.cubic*u*u*u + l.square*u*u)
	if l.mirrored {
		mm = -mm
	}
	return l.start + mm
}

// render shows the target as the camera sees it. Bars begin 30 mm behind the first line.
func (l lens) render(r *rand.Rand, t calibration.Target) inspection.LineImage {
	m := inspection.LineImage{Pix: make([]byte, l.width*l.height), Width: l.width, Height: l.height, Stride: l.width}
	wide := t.Wide()
	const over = 4
	dirtX, dirtY := r.IntN(l.width), r.IntN(l.height)
	tilt := math.Tan(l.skew * math.Pi / 180)
	for y := range l.height {
		line := make([]float64, l.width)
		for x := range line {
			for s := range over {
				at := l.across(float64(x) + (float64(s)+0.5)/over)
				fromMiddle := at - l.start
				if l.mirrored {
					fromMiddle = -fromMiddle
				}
				// A scan line that is skew meets the bars' ends later on one side.
				along := (float64(y)+0.5)*l.mmPerLine - tilt*fromMiddle
				grey := 205.0
				k := int(math.Floor(at / calibration.TargetPitch))
				if k >= 0 && k < len(wide) && along >= 30 && along < 30+calibration.TargetLength {
					w := calibration.TargetNarrow
					if wide[k] {
						w = calibration.TargetWide
					}
					if at-float64(k)*calibration.TargetPitch < w {
						grey = 25
					}
				}
				line[x] += grey / over
			}
		}
		for x := range line {
			v := 0.0
			if l.blur > 0 { // three taps of a bell
				a := math.Exp(-1 / (2 * l.blur * l.blur))
				v = (line[max(0, x-1)]*a + line[x] + line[min(l.width-1, x+1)]*a) / (1 + 2*a)
			} else {
				v = line[x]
			}
			u := float64(x)/float64(l.width) - 0.5
			v *= 1 - 0.9*u*u + 0.1*u // the lamp
			if l.dirt && math.Hypot(float64(x-dirtX), float64(y-dirtY)) < 60 {
				v = 70
			}
			m.Pix[y*l.width+x] = byte(min(255, max(0, math.Round(v+l.noise*r.NormFloat64()))))
		}
	}
	return m
}

func TestGeometryIsFoundOnRenderedTargets(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	target := calibration.TargetFor(2000)
	worst, worstSkew, worstLine := 0.0, 0.0, 0.0
	n := 24
	if testing.Short() {
		n = 6
	}
	for i := range n {
		l := lens{
			width: 4096, height: 400, mm: 0.2 + 0.2*r.Float64(), cubic: 0.006 * (r.Float64() - 0.5), square: 0.004 * (r.Float64() - 0.5),
			skew: r.Float64() - 0.5, mmPerLine: 0.4 + 0.2*r.Float64(), mirrored: i%2 == 1, noise: 3, blur: 0.6, dirt: i%3 == 0,
		}
		if i%4 == 3 {
			l.width = 2048 // a camera that sees a part
			l.mm = 0.4
		}
		l.start = 400 + 600*r.Float64() + float64(l.width)/2*l.mm*0.2
		fit, err := calibration.FitGeometry(l.render(r, target), target)
		if err != nil {
			t.Fatalf("camera %d %+v: %v", i, l, err)
		}
		if fit.OperatorSideRight != l.mirrored {
			t.Errorf("camera %d: mirrored %v, found %v", i, l.mirrored, fit.OperatorSideRight)
		}
		g := calibration.Geometry{MMPerPixel: fit.MMPerPixel, MMPerCount: 1, Curve: fit.Curve, Width: l.width}
		if err := g.Check(); err != nil {
			t.Errorf("camera %d: %v", i, err)
		}
		most := 0.0
		for x := 0; x <= l.width; x += 16 {
			at := l.across(float64(x))
			if at < 10 || at > float64(target.Bars-1)*calibration.TargetPitch {
				continue // nothing of the target is there
			}
			most = max(most, math.Abs(float64(g.Across(float64(x)))-at))
		}
		worst = max(worst, most)
		worstSkew = max(worstSkew, math.Abs(fit.Skew-l.skew))
		worstLine = max(worstLine, math.Abs(float64(fit.MMPerLine)/l.mmPerLine-1))
		if most > 0.5 || math.Abs(fit.Skew-l.skew) > 0.05 || math.Abs(float64(fit.MMPerLine)/l.mmPerLine-1) > 0.005 {
			t.Errorf("camera %d %+v: off by %.3f mm; skew %.3f, found %.3f; %.4f mm a line, found %.4f; %+v", i, l, most, l.skew, fit.Skew, l.mmPerLine, float64(fit.MMPerLine), fit)
		}
	}
	t.Logf("%d cameras: places within %.3f mm, skew within %.4f degrees, mm a line within %.3f %%", n, worst, worstSkew, 100*worstLine)
}

func TestTargetThatStandsTellsNothingOfTheLines(t *testing.T) {
	target := calibration.TargetFor(1000)
	l := lens{width: 2048, height: 128, mm: 0.4, start: 500, mmPerLine: 0.0001, noise: 2}
	m := l.render(rand.New(rand.NewPCG(1, 1)), target)
	// Within the bars from the first line to the last.
	l.mmPerLine = 0.1
	whole := l
	whole.height = 600
	big := whole.render(rand.New(rand.NewPCG(1, 1)), target)
	m.Pix = big.Pix[400*2048:][:128*2048]
	fit, err := calibration.FitGeometry(m, target)
	if err != nil || fit.MMPerLine != 0 || fit.Skew != 0 {
		t.Errorf("%+v, %v; want a geometry across alone", fit, err)
	}
}

func TestPictureWithoutATargetIsRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	target := calibration.TargetFor(1000)
	good := lens{width: 2048, height: 400, mm: 0.4, start: 500, mmPerLine: 0.4, noise: 2}
	flat := inspection.LineImage{Pix: bytes.Repeat([]byte{120}, 2048*100), Width: 2048, Height: 100, Stride: 2048}
	even := inspection.LineImage{Pix: make([]byte, 2048*100), Width: 2048, Height: 100, Stride: 2048}
	for i := range even.Pix {
		even.Pix[i] = byte(40 + 160*((i%2048/12)%2)) // bars, but all alike
	}
	far := good
	far.mm = 0.04 // a few bars
	blurred := good.render(r, target)
	for y := range blurred.Height {
		row := blurred.Row(y)
		for x := range row {
			row[x] = 120 + row[x]/16
		}
	}
	for want, m := range map[string]inspection.LineImage{
		"no target is to be seen":     flat,
		"tell no place on the target": even,
		"bars are to be seen":         far.render(r, target),
		"too small for the target":    {Pix: make([]byte, 100), Width: 10, Height: 10, Stride: 10},
	} {
		if _, err := calibration.FitGeometry(m, target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want an error that says %q", err, want)
		}
	}
	if _, err := calibration.FitGeometry(blurred, target); err == nil {
		t.Error("a target of no contrast is accepted")
	}
}

func TestEightBarsStandForOnePlace(t *testing.T) {
	wide := calibration.Target{Bars: calibration.MostBars}.Wide()
	seen := map[string]int{}
	for i := 0; i+8 <= len(wide); i++ {
		key := ""
		for _, w := range wide[i : i+8] {
			if w {
				key += "w"
			} else {
				key += "n"
			}
		}
		if at, twice := seen[key]; twice {
			t.Fatalf("the bars from %d on look like those from %d on", i, at)
		}
		seen[key] = i
	}
}

func TestTargetIsPrintedOnPages(t *testing.T) {
	var out bytes.Buffer
	if err := calibration.TargetFor(1600).PDF(&out); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out.Bytes(), []byte("%PDF")) || bytes.Count(out.Bytes(), []byte("/Type /Page\n")) != 6 {
		t.Errorf("%d bytes with %d pages; want a PDF of 6 pages for 160 bars", out.Len(), bytes.Count(out.Bytes(), []byte("/Type /Page\n")))
	}
}

func TestCurveThatTurnsBackIsRefused(t *testing.T) {
	g := calibration.Geometry{MMPerPixel: 0.5, MMPerCount: 0.5, Curve: []float64{0, 1, 0, -5}, Width: 1000}
	var field *inspection.FieldError
	if err := g.Check(); !errors.As(err, &field) || field.Field != "curve" {
		t.Errorf("got %v", err)
	}
}

func TestGeometryThatChangedIsTold(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	target := calibration.TargetFor(1600)
	was := lens{width: 4096, height: 400, mm: 0.3, cubic: 0.001, start: 750, mmPerLine: 0.5, noise: 3, blur: 0.6}
	shelf := calibration.Shelf{Dir: t.TempDir()}
	fit, err := calibration.FitGeometry(was.render(r, target), target)
	if err != nil {
		t.Fatal(err)
	}
	v, err := shelf.KeepGeometry("top", "Kim", time.Now(), fit, was.render(r, target))
	if err != nil {
		t.Fatal(err)
	}
	moved, turned, bent := was, was, was
	moved.start += 3 // the target lies elsewhere
	turned.skew = 0.4
	bent.cubic = 0.004
	soft := was
	soft.blur = 1.2
	for name, c := range map[string]struct {
		lens lens
		want map[string]bool
	}{
		"the same":     {was, map[string]bool{"place_mm": true, "skew_degrees": true}},
		"target moved": {moved, map[string]bool{"place_mm": true, "skew_degrees": true}},
		"turned":       {turned, map[string]bool{"place_mm": true, "skew_degrees": false}},
		"other lens":   {bent, map[string]bool{"place_mm": false, "skew_degrees": true}},
		"out of focus": {soft, map[string]bool{"place_mm": true, "skew_degrees": true, "edge_sharpness": false}},
	} {
		figures, err := calibration.CheckGeometry(v, c.lens.render(r, target))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, f := range figures {
			want, named := c.want[f.Name]
			if f.Pass != (want || !named) {
				t.Errorf("%s: %+v, want pass %v", name, f, want || !named)
			}
		}
	}
	mirrored := was
	mirrored.mirrored = true
	if _, err := calibration.CheckGeometry(v, mirrored.render(r, target)); err == nil || !strings.Contains(err.Error(), "the other way round") {
		t.Errorf("a target the other way round gives %v", err)
	}
}
