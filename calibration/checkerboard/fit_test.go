package checkerboard_test

import (
	"bytes"
	"image"
	"image/draw"
	_ "image/png"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/calibration/checkerboard"
	"github.com/coilsight/coilsight/calibration/scene"
	"github.com/coilsight/coilsight/inspection"
)

var board = calibration.Checkerboard{Columns: 9, Rows: 6, Square: 20}

// cameraOver is a camera of some lens over the board, which takes up about a part of the picture's width.
func cameraOver(r *rand.Rand, part float64) scene.Camera {
	c := scene.Camera{Width: 960, Height: 720, Blur: 0.7, Noise: 2}
	within := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	f := within(0.8, 1.8) * float64(c.Width)
	c.FX, c.FY = f, f*within(0.998, 1.002)
	c.CX, c.CY = float64(c.Width)*within(0.48, 0.52), float64(c.Height)*within(0.48, 0.52)
	c.Distortion = [5]float64{within(-0.25, 0.1), within(-0.05, 0.08), within(-1e-3, 1e-3), within(-1e-3, 1e-3), 0}
	c.Tilt, c.Pan, c.Turn = within(-8, 8), within(-8, 8), within(-4, 4)
	return centred(c, part, within(-0.1, 0.1), within(-0.1, 0.1))
}

// centred moves the plane so that the board takes up a part of the width, and lies off the middle by parts of the picture.
func centred(c scene.Camera, part, offX, offY float64) scene.Camera {
	width := float64(board.Columns-1) * board.Square
	c.X, c.Y = 0, 0
	c.Z = c.FX * width / (part * float64(c.Width))
	// The board's middle, seen from its first corner.
	for range 20 {
		u, v := c.Pixel(width/2, float64(board.Rows-1)*board.Square/2)
		c.X += (float64(c.Width)*(0.5+offX) - u) * c.Z / c.FX
		c.Y += (float64(c.Height)*(0.5+offY) - v) * c.Z / c.FY
	}
	return c
}

// pictures are so many of a tilted board, and the last of it on the strip.
func pictures(r *rand.Rand, c scene.Camera, tilted int) (out []inspection.LineImage) {
	seen := scene.Board(board.Columns, board.Rows, board.Square)
	for i := range tilted {
		t := c
		t.Tilt, t.Pan = 28*math.Cos(float64(i)*2.4), 28*math.Sin(float64(i)*2.4)
		t.Turn += 10 * (r.Float64() - 0.5)
		// Each time in another part of the picture.
		t = centred(t, 0.45, 0.22*math.Cos(float64(i)*2.4+0.5), 0.2*math.Sin(float64(i)*2.4+0.5))
		out = append(out, t.Render(r, seen))
	}
	return append(out, c.Render(r, seen))
}

// errorsOf is how far the fit's places lie off over the rectified part of the plane, mm, and the rectified part's share of the
// picture.
func errorsOf(t *testing.T, c scene.Camera, a calibration.Area) (off []float64) {
	t.Helper()
	v, err := a.View()
	if err != nil {
		t.Fatal(err)
	}
	const parts = 40
	for j := range parts + 1 {
		for i := range parts + 1 {
			x := float64(a.First) + float64(a.MMPerPixel)*float64(a.Columns)*float64(i)/parts
			y := float64(a.Top) + float64(a.MMPerPixel)*float64(a.Rows)*float64(j)/parts
			// A place is drawn where the fit sees it, and really lies where the camera sees that pixel.
			px, py, ok := v.Pixel(x, y)
			if !ok {
				t.Fatalf("%g, %g mm is not seen", x, y)
			}
			tx, ty := c.Place(px, py)
			off = append(off, math.Hypot(tx-x, ty-y))
			if bx, by, ok := v.Place(px, py); !ok || math.Hypot(bx-x, by-y) > 1e-6 {
				t.Fatalf("%g, %g mm comes back as %g, %g", x, y, bx, by)
			}
		}
	}
	return off
}

func rms(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x * x
	}
	return math.Sqrt(s / float64(len(v)))
}

func TestPlacesOfRenderedAreaCameras(t *testing.T) {
	n := 8
	if testing.Short() {
		n = 2
	}
	var all []float64
	for i := range n {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		c := cameraOver(r, 0.5+0.2*r.Float64())
		a, err := checkerboard.Fit(pictures(r, c, 7), checkerboard.Options{Board: board})
		if err != nil {
			t.Fatalf("camera %d %+v: %v", i, c, err)
		}
		off := errorsOf(t, c, a)
		all = append(all, off...)
		share := float64(a.Columns*a.Rows) * math.Pow(float64(a.MMPerPixel)*c.FX/c.Z, 2) / float64(c.Width*c.Height)
		t.Logf("camera %d: rms %.3f mm, most %.3f; residual %.4f mm, most %.4f, %.3f pixels; %d x %d of %.3g mm, %.0f %% of the picture, board over %.0f %%; turn %.2f (%.2f)",
			i, rms(off), slices.Max(off), a.RMS, a.Most, a.RMSPixels, a.Columns, a.Rows, float64(a.MMPerPixel), 100*share, 100*a.Coverage, a.Turn, c.Turn)
		if slices.Max(off) > 0.2 {
			t.Errorf("camera %d %+v: places lie off by %.3f mm", i, c, slices.Max(off))
		}
		if share < 0.6 {
			t.Errorf("camera %d: only %.0f %% of the picture are kept", i, 100*share)
		}
	}
	slices.Sort(all)
	t.Logf("%d cameras, %d places: rms %.3f mm, 99 %% within %.3f, most %.3f", n, len(all), rms(all), all[len(all)*99/100], all[len(all)-1])
}

// What one picture tells, and how far off it is beside the board.
func TestOnePictureTellsThePlaneWhereTheBoardLies(t *testing.T) {
	var all, on []float64
	n := 12
	if testing.Short() {
		n = 2
	}
	for i := range n {
		r := rand.New(rand.NewPCG(8, uint64(i)))
		c := cameraOver(r, 0.66)
		c = centred(c, 0.66, 0.01, -0.01)
		a, err := checkerboard.Fit(pictures(r, c, 0), checkerboard.Options{Board: board})
		if err != nil {
			t.Errorf("camera %d %+v: %v", i, c, err)
			continue
		}
		off := errorsOf(t, c, a)
		all = append(all, off...)
		// The board itself, with its outer squares.
		part := a
		part.First, part.Top = -20, -20
		part.Columns, part.Rows = int(200/float64(a.MMPerPixel)), int(140/float64(a.MMPerPixel))
		inner := errorsOf(t, c, part)
		on = append(on, inner...)
		t.Logf("camera %d: on the board most %.3f mm; rms %.3f mm, most %.3f; residual %.4f mm; f %.0f (%.0f) k1 %.3f (%.3f)", i, slices.Max(inner), rms(off), slices.Max(off), a.RMS, a.Matrix[0], c.FX, a.Distortion[0], c.Distortion[0])
	}
	slices.Sort(on)
	slices.Sort(all)
	t.Logf("%d cameras: on the board rms %.3f mm, 99 %% within %.3f, most %.3f; over the picture rms %.3f, 99 %% within %.3f, most %.3f",
		n, rms(on), on[len(on)*99/100], on[len(on)-1], rms(all), all[len(all)*99/100], all[len(all)-1])
	if on[len(on)*99/100] > 0.2 || all[len(all)*99/100] > 0.5 {
		t.Error("of places on the board 99 % must lie within 0.2 mm, over the picture within 0.5")
	}
}

// Marks on the strip are found in the rectified picture where they lie, in mm.
func TestMarksLieWhereTheyAreInTheRectifiedPicture(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	c := cameraOver(r, 0.5)
	a, err := checkerboard.Fit(pictures(r, c, 6), checkerboard.Options{Board: board, MMPerPixel: 0.25})
	if err != nil {
		t.Fatal(err)
	}
	if a.MMPerPixel != 0.25 || a.Pictures != 7 {
		t.Errorf("%v mm a pixel by %d pictures; want 0.25 by 7", a.MMPerPixel, a.Pictures)
	}
	// Bright dots 20 mm apart all over what is seen.
	const pitch, radius = 20.0, 2.0
	m := c.Render(r, func(x, y float64) float64 {
		if math.Hypot(x-pitch*math.Round(x/pitch), y-pitch*math.Round(y/pitch)) < radius {
			return 220
		}
		return 90
	})
	table, err := calibration.NewRectifier(a)
	if err != nil {
		t.Fatal(err)
	}
	out := inspection.LineImage{Pix: make([]byte, a.Columns*a.Rows), Width: a.Columns, Height: a.Rows, Stride: a.Columns}
	if err := table.Rectify(out, m); err != nil {
		t.Fatal(err)
	}
	mm, first, top := float64(a.MMPerPixel), float64(a.First), float64(a.Top)
	most, marks := 0.0, 0
	for j := math.Ceil((top + 5) / pitch); j*pitch < top+mm*float64(a.Rows)-5; j++ {
		for i := math.Ceil((first + 5) / pitch); i*pitch < first+mm*float64(a.Columns)-5; i++ {
			// The middle of what is brighter around where the mark must be.
			cx, cy := (i*pitch-first)/mm, (j*pitch-top)/mm
			var sum, sx, sy float64
			for y := int(cy - 4/mm); y <= int(cy+4/mm); y++ {
				for x := int(cx - 4/mm); x <= int(cx+4/mm); x++ {
					if g := float64(out.Row(y)[x]) - 110; g > 0 {
						sum, sx, sy = sum+g, sx+g*(float64(x)+0.5), sy+g*(float64(y)+0.5)
					}
				}
			}
			if sum < 1000 {
				t.Fatalf("no mark at %g, %g mm", i*pitch, j*pitch)
			}
			most, marks = max(most, math.Hypot(sx/sum-cx, sy/sum-cy)), marks+1
		}
	}
	t.Logf("%d marks in %d x %d pixels of 0.25 mm, %.2f pixels off at most", marks, a.Columns, a.Rows, most)
	if marks < 60 || most > 0.5 {
		t.Errorf("%d marks, %.2f pixels off at most; want 60 and more within half a pixel", marks, most)
	}
	if n := testing.AllocsPerRun(3, func() { _ = table.Rectify(out, m) }); n != 0 {
		t.Errorf("a picture costs %v allocations", n)
	}
	small := m
	small.Width = 100
	if err := table.Rectify(out, small); err == nil || !strings.Contains(err.Error(), "cannot be rectified by a fit to pictures of 960 x 720") {
		t.Errorf("a picture of another size: %v", err)
	}
}

// A board that lies the other way round, or has thickness, changes where the plane is and nothing else.
func TestBoardMayLieEachWayRoundAndHasThickness(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 1))
	c := cameraOver(r, 0.45)
	c.Turn = 0
	c = centred(c, 0.45, 0, 0)
	tilted := pictures(r, c, 6)[:6]
	seen := scene.Board(board.Columns, board.Rows, board.Square)
	for _, turn := range []float64{2, 92, 181, -88} {
		q := c
		q.Turn = turn
		q = centred(q, 0.52, 0, 0)
		a, err := checkerboard.Fit(append(slices.Clone(tilted), q.Render(r, seen)), checkerboard.Options{Board: board, BoardAt: 500, Thickness: 3})
		if err != nil {
			t.Errorf("turned by %g degrees: %v", turn, err)
			continue
		}
		v, err := a.View()
		if err != nil {
			t.Fatal(err)
		}
		// The strip lies 3 mm farther away than the board.
		strip, n := q, q.Normal()
		strip.X, strip.Y, strip.Z = q.X+3*n[0], q.Y+3*n[1], q.Z+3*n[2]
		ax, ay, _ := v.Place(200, 150)
		bx, by, _ := v.Place(760, 150)
		dx, dy, _ := v.Place(200, 570)
		tx, ty := strip.Place(200, 150)
		ux, uy := strip.Place(760, 150)
		wx, wy := strip.Place(200, 570)
		across, along := math.Hypot(bx-ax, by-ay)-math.Hypot(ux-tx, uy-ty), math.Hypot(dx-ax, dy-ay)-math.Hypot(wx-tx, wy-ty)
		if math.Abs(across) > 0.1 || math.Abs(along) > 0.1 || math.Abs(bx-ax) < 50 || bx < ax || dy < ay {
			t.Errorf("turned by %g degrees: lengths lie off by %.3f mm across and %.3f along, from %.1f, %.1f to the right %.1f and down %.1f", turn, across, along, ax, ay, bx, dy)
		}
		if a.Turn < -4 || a.Turn > 4 || a.Position(false) != 500+a.First || a.Position(true) != 500-a.First {
			t.Errorf("turned by %g degrees: it says %.2f degrees, and that the first column lies at %v and %v with %v", turn, a.Turn, a.Position(false), a.Position(true), a.First)
		}
	}
}

func TestPicturesThatCannotServeAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	c := cameraOver(r, 0.5)
	c.Width, c.Height, c.Turn = 720, 540, 0 // three quarters, for time
	c.FX, c.FY, c.CX, c.CY = c.FX*0.75, c.FY*0.75, c.CX*0.75, c.CY*0.75
	c = centred(c, 0.5, 0, 0)
	good := pictures(r, c, 6)
	seen := scene.Board(board.Columns, board.Rows, board.Square)
	empty := c.Render(r, func(_, _ float64) float64 { return 120 })
	with := func(i int, m inspection.LineImage) []inspection.LineImage {
		out := slices.Clone(good)
		out[i] = m
		return out
	}
	of := func(change func(*scene.Camera)) inspection.LineImage {
		q := c
		change(&q)
		return q.Render(r, seen)
	}
	smaller := of(func(q *scene.Camera) { q.Width = 700 })
	far := of(func(q *scene.Camera) { *q = centred(*q, 0.15, 0, 0) })
	small := of(func(q *scene.Camera) { *q = centred(*q, 0.25, 0, 0) })
	askew := of(func(q *scene.Camera) { q.Turn = 40; *q = centred(*q, 0.45, 0, 0) })
	zoomed := of(func(q *scene.Camera) { q.FX, q.FY, q.Tilt = q.FX*1.6, q.FY*1.6, 35; *q = centred(*q, 0.5, 0, 0) })
	bent := c.Render(r, func(x, y float64) float64 { return seen(x+4*math.Sin(x/40), y) })
	var level []inspection.LineImage
	for i := range 6 {
		level = append(level, of(func(q *scene.Camera) {
			q.Tilt, q.Pan = 0, 0
			*q = centred(*q, 0.5, 0.2*math.Cos(float64(i)), 0.2*math.Sin(float64(i)))
		}))
	}
	o := checkerboard.Options{Board: board}
	for name, k := range map[string]struct {
		pictures []inspection.LineImage
		change   func(*checkerboard.Options)
		want     string
	}{
		"none":               {nil, nil, "0 pictures do not tell the lens; allowed are one"},
		"three":              {good[:3], nil, "3 pictures do not tell the lens; allowed are one"},
		"no board":           {with(3, empty), nil, "no board of 9 x 6 inner corners is found in picture 4"},
		"wrong board":        {good, func(o *checkerboard.Options) { o.Board.Columns = 8 }, "no board of 8 x 6 inner corners is found in picture 1"},
		"other size":         {with(6, smaller), nil, "picture 7 has 700 x 540 pixels, the first 720 x 540"},
		"far":                {with(2, far), nil, "of the width of picture 3; allowed are 20 and more"},
		"small on the strip": {with(6, small), nil, "of the width of picture 7; allowed are 30 and more"},
		"alone and small":    {good[6:], nil, "of the width of picture 1; allowed are 60 and more"},
		"askew":              {with(6, askew), nil, "the board of the last picture is turned by 4"},
		"another zoom":       {with(1, zoomed), nil, "pixels off the fitted lens; allowed are 0.5"},
		"bent":               {with(6, bent), nil, "off the fitted"},
		"never moved":        {slices.Repeat(good[6:], 6), nil, "cover"},
		"never tilted":       {level, nil, "are tilted against each other by"},
		"alone and thick":    {good[6:], func(o *checkerboard.Options) { o.Thickness = 3 }, "one picture does not tell how far away the board is"},
		"thickness":          {good, func(o *checkerboard.Options) { o.Thickness = -1 }, "thickness: -1 mm are not possible"},
		"coarse":             {good, func(o *checkerboard.Options) { o.MMPerPixel = 2 }, "2 mm a pixel are not possible where the camera sees"},
		"square":             {good, func(o *checkerboard.Options) { o.Board.Square = 0 }, "square: 0 mm are not possible"},
	} {
		opts := o
		if k.change != nil {
			k.change(&opts)
		}
		_, err := checkerboard.Fit(k.pictures, opts)
		if err == nil || !strings.Contains(err.Error(), k.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s gives %v; want one sentence with %q", name, err, k.want)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}

func TestPrintedBoardIsFound(t *testing.T) {
	if _, err := exec.LookPath("pdftoppm"); err != nil {
		t.Skip("pdftoppm is not installed: package poppler-utils")
	}
	var pdf bytes.Buffer
	if err := board.PDF(&pdf); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "board")
	if err := os.WriteFile(path+".pdf", pdf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	const perMM = 100 / 25.4
	if out, err := exec.Command("pdftoppm", "-r", "100", "-gray", "-png", "-singlefile", path+".pdf", path).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm: %v: %s", err, out)
	}
	f, err := os.Open(path + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	g := image.NewGray(m.Bounds())
	draw.Draw(g, g.Rect, m, image.Point{}, draw.Src)
	// The page without its margins, as a camera would see it that is near enough.
	x, w, h := 160, g.Rect.Dx()-2*160, g.Rect.Dy()
	a, err := checkerboard.Fit([]inspection.LineImage{{Pix: g.Pix[x:], Width: w, Height: h, Stride: g.Stride}}, checkerboard.Options{Board: board})
	if err != nil {
		t.Fatal(err)
	}
	v, err := a.View()
	if err != nil {
		t.Fatal(err)
	}
	x0, _, _ := v.Pixel(0, 0)
	x1, y1, _ := v.Pixel(160, 0)
	_, y2, _ := v.Pixel(160, 100)
	if w, h := (x1-x0)/perMM, (y2-y1)/perMM; math.Abs(w-160) > 0.1 || math.Abs(h-100) > 0.1 {
		t.Errorf("the printed corners lie %.3f x %.3f mm apart; want 160 x 100", w, h)
	}
	if err := (calibration.Checkerboard{Columns: 9, Rows: 6, Square: 30}).PDF(&pdf); err == nil || !strings.Contains(err.Error(), "a board of 300 x 210 mm does not fit on a page of A4") {
		t.Errorf("a board larger than the page: %v", err)
	}
}
