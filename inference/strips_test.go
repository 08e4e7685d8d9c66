package inference

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"image"
	"image/draw"
	_ "image/jpeg"
	_ "image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// sharedData is the folder of real pictures, which are not part of the project; tests that need them
// are skipped where it is absent.
func sharedData(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("COILSIGHT_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	dir = filepath.Join(dir, "data")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the folder of real pictures is not here (%v); set COILSIGHT_SHARED", err)
	}
	return dir
}

func readGray(t testing.TB, path string) (inspection.LineImage, [sha256.Size]byte) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	src, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	g := image.NewGray(src.Bounds())
	draw.Draw(g, g.Rect, src, src.Bounds().Min, draw.Src)
	return inspection.LineImage{Pix: g.Pix, Width: g.Rect.Dx(), Height: g.Rect.Dy(), Stride: g.Stride}, sha256.Sum256(raw)
}

type stripPicture struct {
	name    string
	img     inspection.LineImage
	tune    bool          // belongs to the half that thresholds were chosen on
	regions []stripRegion // labelled defects of at least 64 pixels
	clean   []image.Rectangle
}

type stripRegion struct {
	class  string
	pixels []image.Point
}

// labelledStrips reads the strips with their masks; class regions are connected by four neighbours.
func labelledStrips(t testing.TB) []stripPicture {
	t.Helper()
	dir := filepath.Join(sharedData(t), "severstal")
	paths, err := filepath.Glob(filepath.Join(dir, "strips", "*.jpg"))
	if err != nil || len(paths) == 0 {
		t.Skip("there are no labelled strips here")
	}
	rows := func(name string) [][]string {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		recs, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return recs[1:]
	}
	masks, windows := rows("rle.csv"), rows("clean_windows.csv")
	var out []stripPicture
	for _, p := range paths {
		img, sum := readGray(t, p)
		s := stripPicture{name: filepath.Base(p), img: img, tune: sum[0]%2 == 1}
		for _, r := range masks {
			if r[0] == s.name {
				s.regions = append(s.regions, maskRegions(t, r[1], r[2], img.Width, img.Height)...)
			}
		}
		for _, r := range windows {
			if r[0] == s.name {
				v := atoiAll(t, r[1:])
				s.clean = append(s.clean, image.Rect(v[0], v[1], v[0]+v[2], v[1]+v[3]))
			}
		}
		out = append(out, s)
	}
	return out
}

func atoiAll(t testing.TB, fields []string) []int {
	t.Helper()
	var out []int
	for _, f := range fields {
		v, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func maskRegions(t testing.TB, class, rle string, width, height int) []stripRegion {
	t.Helper()
	v := atoiAll(t, strings.Fields(rle))
	set := make([]bool, width*height) // column-major, as the masks are
	for i := 0; i+1 < len(v); i += 2 {
		for k := range v[i+1] {
			set[v[i]-1+k] = true
		}
	}
	var out []stripRegion
	for i := range set {
		if !set[i] {
			continue
		}
		set[i] = false
		stack, reg := []int{i}, stripRegion{class: class}
		for len(stack) > 0 {
			p := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			x, y := p/height, p%height
			reg.pixels = append(reg.pixels, image.Pt(x, y))
			for _, d := range []image.Point{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
				nx, ny := x+d.X, y+d.Y
				if nx >= 0 && nx < width && ny >= 0 && ny < height && set[nx*height+ny] {
					set[nx*height+ny] = false
					stack = append(stack, nx*height+ny)
				}
			}
		}
		if len(reg.pixels) >= 64 {
			out = append(out, reg)
		}
	}
	return out
}

// stripScore is what the events of some strips are worth.
type stripScore struct {
	found, total   map[string]int
	fired, windows int
	area           float64 // summed share of a strip inside events
	events, strips int
	missed         []string
}

func (s *stripScore) recall() float64 {
	f, n := 0, 0
	for c, v := range s.total {
		f, n = f+s.found[c], n+v
	}
	return float64(f) / float64(max(n, 1))
}

func (s *stripScore) firedShare() float64 { return float64(s.fired) / float64(max(s.windows, 1)) }
func (s *stripScore) meanArea() float64   { return s.area / float64(max(s.strips, 1)) }

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

// judge adds one strip: a region is found when 30 % of its pixels lie in events, a clean window has
// fired when it holds the centre of one.
func (s *stripScore) judge(p stripPicture, regions []inspection.RegionOfInterest) {
	if s.found == nil {
		s.found, s.total = map[string]int{}, map[string]int{}
	}
	in := covered(regions, p.img.Width, p.img.Height)
	for _, r := range p.regions {
		hit := 0
		for _, q := range r.pixels {
			if in[q.Y*p.img.Width+q.X] {
				hit++
			}
		}
		s.total[r.class]++
		if float64(hit) >= 0.3*float64(len(r.pixels)) {
			s.found[r.class]++
		} else {
			s.missed = append(s.missed, p.name+" class "+r.class+" at "+r.pixels[0].String()+" "+strconv.Itoa(hit*100/len(r.pixels))+"%")
		}
	}
	for _, w := range p.clean {
		s.windows++
		if slices.ContainsFunc(regions, func(r inspection.RegionOfInterest) bool {
			return image.Pt(r.X+r.Width/2, r.Y+r.Height/2).In(w)
		}) {
			s.fired++
			s.missed = append(s.missed, p.name+" fired in clean "+w.String())
		}
	}
	n := 0
	for _, v := range in {
		if v {
			n++
		}
	}
	s.area += float64(n) / float64(len(in))
	s.events += len(regions)
	s.strips++
}

func screenAlone(t testing.TB, d *Detector, img inspection.LineImage) []inspection.RegionOfInterest {
	t.Helper()
	var out inspection.Screening
	d.Reset()
	if err := d.Screen(&out, img, nil, true); err != nil {
		t.Fatal(err)
	}
	return out.Regions
}

// scattered sets regions down elsewhere: what recall their area alone would buy.
func scattered(r *rand.Rand, regions []inspection.RegionOfInterest, img inspection.LineImage) []inspection.RegionOfInterest {
	out := slices.Clone(regions)
	for i := range out {
		out[i].X = r.IntN(img.Width - out[i].Width + 1)
		out[i].Y = r.IntN(img.Height - out[i].Height + 1)
	}
	return out
}

func TestDetectorFindsWhatIsLabelledOnRealStrips(t *testing.T) {
	strips := labelledStrips(t)
	d, err := NewDetector(strips[0].img.Width, DetectorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var all, tuned, other, random stripScore
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, p := range strips {
		r := screenAlone(t, d, p.img)
		all.judge(p, r)
		random.judge(p, scattered(rnd, r, p.img))
		if p.tune {
			tuned.judge(p, r)
		} else {
			other.judge(p, r)
		}
	}
	for _, m := range all.missed {
		t.Log("missed: ", m)
	}
	for _, part := range []struct {
		name string
		s    *stripScore
	}{{"tuned on", &tuned}, {"other half", &other}, {"all", &all}, {"the same boxes, set down at random", &random}} {
		t.Logf("%-34s recall %.3f (class 3 %d/%d, class 4 %d/%d), clean windows fired %d/%d, area in events %.3f, events %d on %d strips", part.name,
			part.s.recall(), part.s.found["3"], part.s.total["3"], part.s.found["4"], part.s.total["4"], part.s.fired, part.s.windows, part.s.meanArea(), part.s.events, part.s.strips)
	}
	if all.recall() < 0.96 || other.recall() < 0.93 {
		t.Errorf("recall %.3f (other half %.3f) is below 0.96 (0.93)", all.recall(), other.recall())
	}
	if all.firedShare() > 0.10 {
		t.Errorf("%.2f of the clean windows fired; allowed are 0.10", all.firedShare())
	}
	if all.meanArea() > 0.20 {
		t.Errorf("%.2f of the area lies in events; allowed are 0.20", all.meanArea())
	}
}
