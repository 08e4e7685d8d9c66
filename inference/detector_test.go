package inference

import (
	"image"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

const grain = 12 // peak to peak of the drawn strip's noise, in grey levels

// drawStrip is plain strip with grain along the rolling direction: noise of its own for each column,
// drifting from line to line, and noise for each pixel.
func drawStrip(r *rand.Rand, width, height int, level float64) inspection.LineImage {
	img := inspection.LineImage{Pix: make([]byte, width*height), Width: width, Height: height, Stride: width}
	columns := make([]float64, width)
	for y := range height {
		row := img.Row(y)
		for x := range row {
			columns[x] = 0.98*columns[x] + 0.2*r.NormFloat64()
			row[x] = byte(min(255, max(0, level*(1+0.01*columns[x])+grain*(r.Float64()-0.5))))
		}
	}
	return img
}

func add(img inspection.LineImage, x0, y0, w, h int, by float64) {
	for y := y0; y < y0+h; y++ {
		for x := x0; x < x0+w; x++ {
			p := &img.Pix[y*img.Stride+x]
			*p = byte(min(255, max(0, float64(*p)*(1+by))))
		}
	}
}

func covered(regions []inspection.RegionOfInterest, width, height int) []bool {
	in := make([]bool, width*height)
	for _, r := range regions {
		for y := r.Y; y < r.Y+r.Height; y++ {
			for x := r.X; x < r.X+r.Width; x++ {
				in[y*width+x] = true
			}
		}
	}
	return in
}

func newDetector(t testing.TB, width int, o DetectorOptions) *Detector {
	t.Helper()
	d, err := NewDetector(width, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func screen(t testing.TB, d *Detector, img inspection.LineImage, seam bool) inspection.Screening {
	t.Helper()
	var out inspection.Screening
	if err := d.Screen(&out, img, inspection.FlatField{}, seam); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDefectOnPlainStripIsFoundInATightBox(t *testing.T) {
	for _, c := range []struct {
		name       string
		x, y, w, h int
		by         float64
		bright     bool
	}{
		{"dark spot", 500, 100, 6, 6, -0.5, false},
		{"bright spot", 500, 100, 6, 6, 0.5, true},
		{"hole", 301, 77, 30, 40, -1, false},
		{"faint long scratch", 402, 0, 3, 256, -0.12, false},
		{"bright scratch", 402, 30, 2, 180, 0.2, true},
		{"patch", 600, 64, 90, 90, -0.2, false},
		{"line across", 200, 130, 120, 3, 0.3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			d := newDetector(t, 1024, DetectorOptions{})
			for range 3 {
				if out := screen(t, d, drawStrip(r, 1024, 256, 110), false); len(out.Regions) > 0 {
					t.Fatalf("plain strip has the regions %v", out.Regions)
				}
			}
			img := drawStrip(r, 1024, 256, 110)
			add(img, c.x, c.y, c.w, c.h, c.by)
			out := screen(t, d, img, false)
			in := covered(out.Regions, img.Width, img.Height)
			hit, all := 0, 0
			for y := range img.Height {
				for x := range img.Width {
					if !in[y*img.Width+x] {
						continue
					}
					all++
					if x >= c.x && x < c.x+c.w && y >= c.y && y < c.y+c.h {
						hit++
					}
				}
			}
			if float64(hit) < 0.5*float64(c.w*c.h) {
				t.Errorf("%d of its %d pixels lie in regions: %v", hit, c.w*c.h, out.Regions)
			}
			if most := (c.w + 56) * (c.h + 56); all > most {
				t.Errorf("%d pixels lie in regions, more than the %d of its rectangle and 28 around", all, most)
			}
			strongest := float32(0)
			for _, q := range out.Regions {
				strongest = max(strongest, q.Score)
				if q.PeakX < q.X || q.PeakX >= q.X+q.Width || q.PeakY < q.Y || q.PeakY >= q.Y+q.Height {
					t.Errorf("the peak (%d,%d) lies outside its rectangle %v", q.PeakX, q.PeakY, q)
				}
				if q.Area < 1 || q.Area > q.Width*q.Height || q.X < 0 || q.Y < 0 || q.X+q.Width > 1024 || q.Y+q.Height > 256 {
					t.Errorf("region %+v is not within its limits", q)
				}
			}
			for _, q := range out.Regions {
				if q.Score == strongest && q.Bright != c.bright {
					t.Errorf("the strongest region has bright %v, want %v: %+v", q.Bright, c.bright, q)
				}
			}
		})
	}
}

func TestAThousandMetresOfPlainStripHardlyFire(t *testing.T) {
	if testing.Short() {
		t.Skip("screens 1,000 m of strip")
	}
	// Forty frames drawn once, shown in changing order: 1,000 m at 0.5 mm are 7,813 frames of 256 lines.
	r := rand.New(rand.NewPCG(5, 6))
	frames := make([]inspection.LineImage, 40)
	for i := range frames {
		frames[i] = drawStrip(r, 512, 256, 110)
	}
	d := newDetector(t, 512, DetectorOptions{})
	var out inspection.Screening
	events := 0
	for range 7813 {
		if err := d.Screen(&out, frames[r.IntN(len(frames))], inspection.FlatField{}, false); err != nil {
			t.Fatal(err)
		}
		events += len(out.Regions)
	}
	t.Logf("%d events on 1,000 m of plain strip", events)
	if events > 10 {
		t.Errorf("%d events on 1,000 m of plain strip; allowed are 10", events)
	}
}

func TestRegionsDoNotDependOnBands(t *testing.T) {
	var want []inspection.Screening
	for _, bands := range []int{1, 2, 3, 8} {
		d := newDetector(t, 800, DetectorOptions{Bands: bands})
		r := rand.New(rand.NewPCG(7, 8))
		for i := range 4 {
			img := drawStrip(r, 800, 131, 90)
			add(img, 100+i*50, 20, 40, 60, -0.4)
			add(img, 600, 0, 4, 131, 0.5)
			out := screen(t, d, img, false)
			if bands == 1 {
				want = append(want, out)
				if len(out.Regions) == 0 {
					t.Fatal("nothing is found")
				}
			} else if !reflect.DeepEqual(out, want[i]) {
				t.Errorf("with %d bands frame %d has the regions %v, with one %v", bands, i, out.Regions, want[i].Regions)
			}
		}
	}
}

// A faint line that the last 24 lines of a frame show too little of is found with those before.
func TestContextReachesOverTheFrameBorder(t *testing.T) {
	run := func(seam bool) int {
		r := rand.New(rand.NewPCG(9, 10))
		d := newDetector(t, 512, DetectorOptions{})
		for range 3 {
			screen(t, d, drawStrip(r, 512, 256, 110), false)
		}
		last := drawStrip(r, 512, 256, 110)
		add(last, 200, 128, 3, 128, -0.035)
		screen(t, d, last, false)
		img := drawStrip(r, 512, 24, 110)
		add(img, 200, 0, 3, 24, -0.035)
		return len(screen(t, d, img, seam).Regions)
	}
	if n := run(false); n == 0 {
		t.Error("with what went before the line is not found")
	}
	if n := run(true); n != 0 {
		t.Errorf("behind a seam %d regions are found in what cannot be told from grain", n)
	}
}

func TestNoDefectIsInventedAtASeam(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	d := newDetector(t, 512, DetectorOptions{})
	for range 3 {
		screen(t, d, drawStrip(r, 512, 128, 110), false)
	}
	for _, level := range []float64{190, 60, 140} {
		if out := screen(t, d, drawStrip(r, 512, 128, level), true); len(out.Regions) > 0 {
			t.Errorf("the picture of level %.0f set behind another has the regions %v", level, out.Regions)
		}
	}
}

func TestStripEdgesAreFoundAndDoNotFire(t *testing.T) {
	for _, c := range []struct {
		name        string
		level, dark float64
		left, right int
		drift       float64 // pixels a line
	}{
		{"bright strip", 150, 8, 120, 900, 0},
		{"dark strip", 40, 6, 77, 1000, 0},
		{"strip to the frame's side", 110, 10, 0, 700, 0},
		{"running edge", 110, 10, 150, 880, 0.2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(13, 14))
			d := newDetector(t, 1024, DetectorOptions{})
			for i := range 3 {
				img := drawStrip(r, 1024, 256, c.level)
				for y := range 256 {
					shift := int(c.drift * float64(i*256+y))
					for x := range 1024 {
						if (c.left > 0 && x < c.left+shift) || x >= c.right+shift {
							img.Pix[y*1024+x] = byte(c.dark + 3*r.Float64())
						}
					}
				}
				out := screen(t, d, img, false)
				if len(out.Regions) > 0 {
					t.Errorf("frame %d: the edges fire: %v", i, out.Regions)
				}
				shift := c.drift * (float64(i*256) + 128)
				if math.Abs(out.Edges.Left-float64(c.left)-min(shift, float64(c.left))) > 3 || math.Abs(out.Edges.Right-float64(c.right)-shift) > 3 {
					t.Errorf("frame %d: the edges are %.1f and %.1f, want %.1f and %.1f", i, out.Edges.Left, out.Edges.Right, float64(c.left)+shift, float64(c.right)+shift)
				}
			}
			if c.left == 0 {
				return
			}
			img := drawStrip(r, 1024, 256, c.level)
			shift := int(c.drift * 3 * 256)
			for y := range 256 {
				for x := range 1024 {
					notch := y >= 100 && y < 124 && x < c.left+shift+30
					if x < c.left+shift || x >= c.right+shift || notch {
						img.Pix[y*1024+x] = byte(c.dark + 3*r.Float64())
					}
				}
			}
			if c.drift == 0 && len(screen(t, d, img, false).Regions) == 0 {
				t.Error("a crack in the edge is not found")
			}
		})
	}
}

func TestRollerTableHasNoStripAndNoRegions(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	d := newDetector(t, 512, DetectorOptions{})
	table := func() inspection.LineImage {
		img := drawStrip(r, 512, 256, 9)
		add(img, 200, 60, 30, 30, 0.8)
		return img
	}
	if out := screen(t, d, table(), false); out.Edges.Present || len(out.Regions) > 0 {
		t.Errorf("an empty line shows strip (%+v) or the regions %v", out.Edges, out.Regions)
	}
	head := drawStrip(r, 512, 256, 120)
	copy(head.Pix[:512*128], table().Pix[:512*128])
	out := screen(t, d, head, false)
	if !out.Edges.Present || out.Edges.FirstLine < 120 || out.Edges.FirstLine > 136 || out.Edges.LastLine != 256 {
		t.Errorf("strip from line 128 on is taken for %+v", out.Edges)
	}
	if len(out.Regions) > 0 {
		t.Errorf("a head end fires: %v", out.Regions)
	}
	// Four block rows, 32 lines, next to the end are left out, and said to be.
	if u := out.Unscreened; len(u) != 2 || u[0] != (inspection.UnscreenedLines{To: 128, Cause: causeNoStrip}) || u[1] != (inspection.UnscreenedLines{From: 128, To: 160, Cause: causeEnd}) {
		t.Errorf("unscreened lines %+v; want the table up to 128 and the rim up to 160", u)
	}
	if u := screen(t, d, drawStrip(r, 512, 256, 120), false).Unscreened; len(u) != 0 {
		t.Errorf("unscreened lines %+v in the middle of a strip", u)
	}
	if out := screen(t, d, table(), false); out.Edges.Present || len(out.Regions) > 0 {
		t.Errorf("the table behind a strip shows strip (%+v) or the regions %v", out.Edges, out.Regions)
	}
}

func TestMediansFollowATextureAndNotADefect(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	d := newDetector(t, 512, DetectorOptions{})
	for range 4 {
		screen(t, d, drawStrip(r, 512, 256, 110), false)
	}
	before := d.levels.median[featureTexture]
	for range 8 { // 1 m of a defect over 40 % of the width
		img := drawStrip(r, 512, 256, 110)
		for y := range 256 {
			for x := 100; x < 300; x++ {
				img.Pix[y*512+x] = byte(60 + r.IntN(120))
			}
		}
		if out := screen(t, d, img, false); len(out.Regions) == 0 {
			t.Fatal("a long defect is lost")
		}
	}
	if after := d.levels.median[featureTexture]; after > 2.5*before {
		t.Errorf("a long defect drags the median from %.1f to %.1f", before, after)
	}
	quiet := 0
	for range 12 { // a new texture
		img := drawStrip(r, 512, 256, 110)
		for i := range img.Pix {
			img.Pix[i] = byte(int(img.Pix[i]) + r.IntN(50) - 25)
		}
		quiet = len(screen(t, d, img, false).Regions)
	}
	if quiet > 0 {
		t.Errorf("after 1.5 m of another texture it still has %d regions a frame", quiet)
	}
}

func TestCapKeepsTheStrongestInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	d := newDetector(t, 1024, DetectorOptions{MaxRegions: 3})
	screen(t, d, drawStrip(r, 1024, 256, 110), false)
	img := drawStrip(r, 1024, 256, 110)
	for i, by := range []float64{-0.3, -0.9, -0.35, -0.8, -0.32, -0.7} {
		add(img, 100+i*150, 200-i*30, 10, 10, by)
	}
	out := screen(t, d, img, false)
	if len(out.Regions) != 3 {
		t.Fatalf("%d regions are kept, want 3", len(out.Regions))
	}
	for i, x := range []int{850, 550, 250} { // from the top
		if q := out.Regions[i]; q.X > x || q.X+q.Width < x+10 {
			t.Errorf("region %d is %+v, want the defect at column %d", i, q, x)
		}
	}
}

func TestImpossibleFramesAndOptionsAreRefused(t *testing.T) {
	for _, c := range []struct {
		width int
		o     DetectorOptions
		want  string
	}{
		{10, DetectorOptions{}, "width of 10 pixels"},
		{512, DetectorOptions{Bands: -1}, "-1 bands"},
		{512, DetectorOptions{Threshold: -2}, "threshold of -2"},
		{512, DetectorOptions{Threshold: float32(math.NaN())}, "threshold of NaN"},
		{512, DetectorOptions{MaxRegions: -5}, "-5 regions"},
	} {
		if _, err := NewDetector(c.width, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("width %d, %+v: the error is %v, want one with %q", c.width, c.o, err, c.want)
		}
	}
	d := newDetector(t, 512, DetectorOptions{})
	ok := drawStrip(rand.New(rand.NewPCG(1, 1)), 512, 64, 100)
	for name, img := range map[string]inspection.LineImage{
		"narrower":  {Pix: ok.Pix, Width: 511, Height: 64, Stride: 512},
		"no lines":  {Pix: ok.Pix, Width: 512, Height: 0, Stride: 512},
		"too short": {Pix: ok.Pix[:100], Width: 512, Height: 64, Stride: 512},
		"stride":    {Pix: ok.Pix, Width: 512, Height: 64, Stride: 100},
	} {
		if err := d.Screen(&inspection.Screening{}, img, inspection.FlatField{}, false); err == nil {
			t.Errorf("%s: the frame is taken", name)
		}
	}
	if err := d.Screen(&inspection.Screening{}, ok, inspection.FlatField{Gain: make(inspection.ColumnGain, 3)}, false); err == nil {
		t.Error("a flat field of 3 factors is taken")
	}
}

func TestScreenDoesNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	d := newDetector(t, 1024, DetectorOptions{Bands: 2})
	img := drawStrip(r, 1024, 256, 110)
	add(img, 100, 20, 60, 60, -0.5)
	add(img, 600, 0, 4, 256, 0.5)
	var out inspection.Screening
	if n := testing.AllocsPerRun(50, func() {
		if err := d.Screen(&out, img, inspection.FlatField{}, false); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("a frame costs %.0f allocations, want none", n)
	}
	if len(out.Regions) == 0 {
		t.Error("nothing is found")
	}
}

// roughStrip is drawn strip with coarse grain but for the smooth parts.
func roughStrip(r *rand.Rand, width, height int, smooth ...image.Rectangle) inspection.LineImage {
	img := drawStrip(r, width, height, 110)
	for y := 0; y < height; y += 2 {
		for x := 0; x < width; x += 2 {
			by := 0.1 * r.NormFloat64()
			if !slices.ContainsFunc(smooth, image.Pt(x, y).In) {
				add(img, x, y, 2, 2, by)
			}
		}
	}
	return img
}

func TestPatchSmootherThanRoughStripIsFound(t *testing.T) {
	const width, height = 1024, 256
	for _, c := range []struct {
		name  string
		lane  image.Rectangle // smooth from the head end on
		patch image.Rectangle // smooth in the last frame only
		found bool
	}{
		{"as large as a hand", image.Rectangle{}, image.Rect(700, 64, 800, 160), true},
		{"a few blocks are smooth on any strip", image.Rectangle{}, image.Rect(700, 64, 724, 88), false},
		{"a third of the strip is how the strip is", image.Rect(0, 0, 350, height), image.Rectangle{}, false},
		{"where a third is smooth, a smooth patch is nothing new", image.Rect(0, 0, 350, height), image.Rect(700, 64, 800, 160), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			d := newDetector(t, width, DetectorOptions{})
			for range 2 {
				if out := screen(t, d, roughStrip(r, width, height, c.lane), false); len(out.Regions) > 0 {
					t.Fatalf("rough strip without a patch has the regions %v", out.Regions)
				}
			}
			out := screen(t, d, roughStrip(r, width, height, c.lane, c.patch), false)
			if got := len(out.Regions) > 0; got != c.found {
				t.Fatalf("found: %v, want %v; regions %v", got, c.found, out.Regions)
			}
			if !c.found {
				return
			}
			hit, all := 0, 0
			for i, in := range covered(out.Regions, width, height) {
				if in {
					all++
					if image.Pt(i%width, i/width).In(c.patch) {
						hit++
					}
				}
			}
			if want := c.patch.Dx() * c.patch.Dy(); hit < want/2 || all > hit*3/2 {
				t.Errorf("regions cover %d of its %d pixels and %d in all", hit, want, all)
			}
			if k := out.Regions[0].Kind; k != inspection.PatchRegion {
				t.Errorf("it is a %v", k)
			}
		})
	}
}

func TestPeakOfSmoothPatchIsTheMarkInIt(t *testing.T) {
	const width, height = 1024, 256
	patch, mark := image.Rect(600, 24, 800, 224), image.Rect(740, 150, 752, 162)
	r := rand.New(rand.NewPCG(5, 7))
	d := newDetector(t, width, DetectorOptions{})
	for range 2 {
		screen(t, d, roughStrip(r, width, height), false)
	}
	img := roughStrip(r, width, height, patch)
	add(img, mark.Min.X, mark.Min.Y, mark.Dx(), mark.Dy(), -0.08)
	out := screen(t, d, img, false)
	var largest inspection.RegionOfInterest
	for _, q := range out.Regions {
		if q.Area > largest.Area {
			largest = q
		}
	}
	if p := image.Pt(largest.PeakX, largest.PeakY); !p.In(mark.Inset(-blockSize)) {
		t.Errorf("the peak of %+v is %v; the mark lies at %v", largest, p, mark)
	}
}

func BenchmarkScreenStrips(b *testing.B) {
	strips := realStrips(b)
	d := newDetector(b, strips[0].Width, DetectorOptions{})
	gain := make(inspection.ColumnGain, strips[0].Width)
	for i := range gain {
		gain[i] = inspection.UnityGain
	}
	var out inspection.Screening
	for _, s := range strips { // buffers grow to what the strips need
		if err := d.Screen(&out, s, inspection.FlatField{Gain: gain}, true); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(strips[0].Pix)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := d.Screen(&out, strips[i%len(strips)], inspection.FlatField{Gain: gain}, true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScreenPlainStrip(b *testing.B) {
	img := drawStrip(rand.New(rand.NewPCG(1, 2)), 4096, 256, 110)
	gain := make(inspection.ColumnGain, img.Width)
	for i := range gain {
		gain[i] = inspection.UnityGain
	}
	d := newDetector(b, 4096, DetectorOptions{})
	var out inspection.Screening
	b.SetBytes(int64(len(img.Pix)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Screen(&out, img, inspection.FlatField{Gain: gain}, false); err != nil {
			b.Fatal(err)
		}
	}
}
