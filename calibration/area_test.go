package calibration_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/calibration/scene"
	"github.com/coilsight/coilsight/inspection"
)

// overStrip is an area camera with a strong lens, 0.3 mm a pixel, that looks a little askew.
func overStrip() scene.Camera {
	return scene.Camera{
		Width: 640, Height: 480, FX: 800, FY: 801, CX: 325, CY: 235, Distortion: [5]float64{-0.22, 0.05, 4e-4, -3e-4},
		Tilt: 6, Pan: -5, Turn: 2, X: -10, Y: 5, Z: 240,
	}
}

// known is the area that a fit without any error would find.
func known(c scene.Camera) calibration.Area {
	a, b, o := c.Axes()
	area := calibration.Area{Width: c.Width, Height: c.Height, Matrix: [4]float64{c.FX, c.FY, c.CX, c.CY}, Distortion: c.Distortion}
	for i, v := range [][3]float64{a, b, o} {
		area.Homography[i], area.Homography[3+i], area.Homography[6+i] = c.FX*v[0]+c.CX*v[2], c.FY*v[1]+c.CY*v[2], v[2]
	}
	return area
}

func TestPlacesOfAKnownAreaCamera(t *testing.T) {
	c := overStrip()
	v, err := known(c).View()
	if err != nil {
		t.Fatal(err)
	}
	for y := 0.0; y < 480; y += 37 {
		for x := 0.0; x < 640; x += 37 {
			across, along, ok := v.Place(x, y)
			wx, wy := c.Place(x, y)
			if !ok || math.Hypot(across-wx, along-wy) > 1e-6 {
				t.Fatalf("pixel %g, %g lies at %g, %g mm (%v); want %g, %g", x, y, across, along, ok, wx, wy)
			}
			px, py, ok := v.Pixel(wx, wy)
			if !ok || math.Hypot(px-x, py-y) > 1e-6 {
				t.Fatalf("%g, %g mm are seen at %g, %g (%v); want %g, %g", wx, wy, px, py, ok, x, y)
			}
		}
	}
	if _, _, ok := v.Pixel(-4000, 0); ok {
		t.Error("a place far beyond where the lens's polynomial turns back is seen")
	}
}

// No pixel of the rectified picture is made up: all lie within the camera's picture, and no line or column more would.
func TestLargestRectangleIsFullySeen(t *testing.T) {
	for _, mm := range []inspection.MM{0, 0.25, 0.4} {
		c := overStrip()
		a, err := known(c).Framed(mm)
		if err != nil {
			t.Fatal(err)
		}
		if mm != 0 && a.MMPerPixel != mm || mm == 0 && a.MMPerPixel != 0.3 {
			t.Errorf("%v mm a pixel asked, %v given", mm, a.MMPerPixel)
		}
		at := func(col, row int) bool {
			u, v := c.Pixel(float64(a.First)+float64(a.MMPerPixel)*(float64(col)+0.5), float64(a.Top)+float64(a.MMPerPixel)*(float64(row)+0.5))
			return u >= -1e-6 && v >= -1e-6 && u <= float64(c.Width-1)+1e-6 && v <= float64(c.Height-1)+1e-6
		}
		column := func(col int) (all bool) {
			all = true
			for row := range a.Rows {
				all = all && at(col, row)
			}
			return all
		}
		line := func(row int) (all bool) {
			all = true
			for col := range a.Columns {
				all = all && at(col, row)
			}
			return all
		}
		for row := range a.Rows {
			if !line(row) {
				t.Fatalf("line %d of %d x %d pixels reaches beyond the camera's picture", row, a.Columns, a.Rows)
			}
		}
		if column(-1) || column(a.Columns) || line(-1) || line(a.Rows) {
			t.Errorf("%d x %d pixels of %v mm could be larger", a.Columns, a.Rows, a.MMPerPixel)
		}
		share := float64(a.Columns*a.Rows) * math.Pow(float64(a.MMPerPixel)/0.3, 2) / (640 * 480)
		t.Logf("%d x %d pixels of %v mm, %.0f %% of the picture", a.Columns, a.Rows, a.MMPerPixel, 100*share)
		if share < 0.7 {
			t.Errorf("only %.0f %% of the picture are kept", 100*share)
		}
	}
}

func TestAreasThatAreNotPossibleAreRefused(t *testing.T) {
	flat := overStrip()
	flat.Tilt = 75
	for want, change := range map[string]func(*calibration.Area){
		"something that is no number":                            func(a *calibration.Area) { a.Distortion[1] = math.NaN() },
		"pictures of 0 x 480 pixels are not possible":            func(a *calibration.Area) { a.Width = 0 },
		"a focal length of -1 x 801 pixels is not possible":      func(a *calibration.Area) { a.Matrix[0] = -1 },
		"the plane is seen edge on":                              func(a *calibration.Area) { a.Homography = [9]float64{} },
		"would skip pixels where the camera sees the strip":      func(a *calibration.Area) { *a = known(flat) },
		"a rectified picture of -1 x 0 pixels is not possible":   func(a *calibration.Area) { a.Columns = -1 },
		"allowed are 0.0754 to 0.452":                            func(a *calibration.Area) { a.Top = 5 },
		"20 mm a pixel are not possible; allowed are 0.01 to 10": func(a *calibration.Area) { a.MMPerPixel = 20 },
	} {
		a := known(overStrip())
		change(&a)
		err := a.Check()
		if err == nil {
			mm := inspection.MM(0)
			if a.Top == 5 {
				mm = 1
			}
			_, err = a.Framed(mm)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want an error that says %q", err, want)
		}
	}
	if _, err := calibration.NewRectifier(known(overStrip())); err == nil || !strings.Contains(err.Error(), "a rectified picture of 0 x 0 pixels") {
		t.Errorf("an area that was not framed: %v", err)
	}
	a, err := known(overStrip()).Framed(0.3)
	if err != nil {
		t.Fatal(err)
	}
	a.First -= 20
	if _, err := calibration.NewRectifier(a); err == nil || !strings.Contains(err.Error(), "lies outside of the camera's picture") {
		t.Errorf("an area beyond the picture: %v", err)
	}
}

// A picture whose grey grows evenly with the place is rectified to what each place is, within rounding.
func TestRectifiedGreyIsThatOfThePlace(t *testing.T) {
	c := overStrip()
	a, err := known(c).Framed(0.3)
	if err != nil {
		t.Fatal(err)
	}
	slope := func(x, y float64) float64 { return 120 + 0.5*x + 0.3*y }
	m := c.Render(rand.New(rand.NewPCG(1, 1)), slope)
	table, err := calibration.NewRectifier(a)
	if err != nil {
		t.Fatal(err)
	}
	out := inspection.LineImage{Pix: make([]byte, a.Columns*a.Rows), Width: a.Columns, Height: a.Rows, Stride: a.Columns}
	if err := table.Rectify(out, m); err != nil {
		t.Fatal(err)
	}
	for y := range a.Rows {
		for x, g := range out.Row(y) {
			want := slope(float64(a.First)+0.3*(float64(x)+0.5), float64(a.Top)+0.3*(float64(y)+0.5))
			if math.Abs(float64(g)-want) > 1.1 {
				t.Fatalf("pixel %d, %d has grey %d; its place has %.2f", x, y, g, want)
			}
		}
	}
}

func BenchmarkRectify(b *testing.B) {
	c := scene.Camera{
		Width: 1920, Height: 1080, FX: 2000, FY: 2000, CX: 960, CY: 540, Distortion: [5]float64{-0.2, 0.05},
		Tilt: 4, Pan: -3, Turn: 2, Z: 600,
	}
	a, err := known(c).Framed(0)
	if err != nil {
		b.Fatal(err)
	}
	table, err := calibration.NewRectifier(a)
	if err != nil {
		b.Fatal(err)
	}
	src := inspection.LineImage{Pix: make([]byte, 1920*1080), Width: 1920, Height: 1080, Stride: 1920}
	dst := inspection.LineImage{Pix: make([]byte, a.Columns*a.Rows), Width: a.Columns, Height: a.Rows, Stride: a.Columns}
	b.SetBytes(int64(len(dst.Pix)))
	b.ReportAllocs()
	for b.Loop() {
		_ = table.Rectify(dst, src)
	}
}
