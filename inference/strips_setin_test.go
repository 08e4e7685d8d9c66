package inference

import (
	"fmt"
	"image"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// defectPicture is a picture of one defect without the strip around it.
type defectPicture struct {
	class string
	img   inspection.LineImage
	tune  bool
}

// defectPictures reads up to most pictures of each class of both collections, evenly spread.
func defectPictures(t testing.TB, most int) []defectPicture {
	t.Helper()
	dir := sharedData(t)
	classes := map[string][]string{}
	xsdd, _ := filepath.Glob(filepath.Join(dir, "xsdd", "*", "*.*"))
	for _, p := range xsdd {
		c := "X-SDD " + filepath.Base(filepath.Dir(p))
		classes[c] = append(classes[c], p)
	}
	neu, _ := filepath.Glob(filepath.Join(dir, "neu_det", "images", "*.*"))
	for _, p := range neu {
		name := filepath.Base(p)
		c := "NEU " + name[:strings.LastIndex(name, "_")]
		classes[c] = append(classes[c], p)
	}
	if len(classes) == 0 {
		t.Skip("there are no pictures of single defects here")
	}
	var out []defectPicture
	for c, paths := range classes {
		slices.Sort(paths)
		for i := range min(most, len(paths)) {
			img, sum := readGray(t, paths[i*len(paths)/min(most, len(paths))])
			out = append(out, defectPicture{c, img, sum[0]%2 == 1})
		}
	}
	slices.SortStableFunc(out, func(a, b defectPicture) int { return strings.Compare(a.class, b.class) })
	return out
}

// setIn adds to the strip, from (x0, y0) on, what differs from the picture's mean, scaled by contrast
// and by the strip's brightness, and fading out over 24 pixels at the picture's border.
func setIn(strip, pic inspection.LineImage, x0, y0 int, contrast float64) inspection.LineImage {
	out := inspection.LineImage{Pix: slices.Clone(strip.Pix), Width: strip.Width, Height: strip.Height, Stride: strip.Stride}
	var pm, sm float64
	for y := range pic.Height {
		for x := range pic.Width {
			pm += float64(pic.Pix[y*pic.Stride+x])
			sm += float64(strip.Pix[(y0+y)*strip.Stride+x0+x])
		}
	}
	scale := contrast * sm / pm
	pm /= float64(pic.Width * pic.Height)
	for y := range pic.Height {
		for x := range pic.Width {
			border := min(x+1, y+1, pic.Width-x, pic.Height-y)
			fade := min(1, float64(border)/24)
			i := (y0+y)*strip.Stride + x0 + x
			v := float64(strip.Pix[i]) + fade*scale*(float64(pic.Pix[y*pic.Stride+x])-pm)
			out.Pix[i] = byte(min(max(v+0.5, 0), 255))
		}
	}
	return out
}

// TestDetectorFindsDefectsSetIntoCleanStrip prints the share of pictures found by class and contrast.
// The windows are those that are labelled clean and do not fire as they are.
func TestDetectorFindsDefectsSetIntoCleanStrip(t *testing.T) {
	strips, pics := labelledStrips(t), defectPictures(t, 40)
	d, err := NewDetector(strips[0].img.Width, DetectorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	found := setInFound(t, d, strips, pics, false)
	for _, c := range slices.Sorted(mapKeys(found)) {
		t.Log(found[c].line(c))
	}
	all := setInCount{}
	for _, f := range found {
		for i := range all.found {
			all.found[i] += f.found[i]
		}
		all.total += f.total
	}
	t.Log(all.line("all"))
	for i, least := range []float64{0.7, 0.45, 0.25} {
		if got := float64(all.found[i]) / float64(all.total); got < least {
			t.Errorf("%.2f of the defects at contrast %.1f are found; the floor is %.2f", got, contrasts()[i], least)
		}
	}
}

func mapKeys(m map[string]*setInCount) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func contrasts() [3]float64 { return [3]float64{1, 0.6, 0.4} }

type setInCount struct {
	found [3]int
	total int
}

func (c setInCount) line(name string) string {
	s := fmt.Sprintf("%-42s", name)
	for i, k := range contrasts() {
		s += fmt.Sprintf("  %.1f: %.2f", k, float64(c.found[i])/float64(c.total))
	}
	return s + fmt.Sprintf("  of %d", c.total)
}

func setInFound(t testing.TB, d *Detector, strips []stripPicture, pics []defectPicture, tune bool) map[string]*setInCount {
	t.Helper()
	type place struct {
		strip int
		at    image.Rectangle
	}
	var places []place
	for i, p := range strips {
		regions := screenAlone(t, d, p.img)
		for _, w := range p.clean {
			if p.tune == tune && !slices.ContainsFunc(regions, func(r inspection.RegionOfInterest) bool { return middleOf(r).In(w) }) {
				places = append(places, place{i, w})
			}
		}
	}
	if len(places) == 0 {
		t.Fatal("the detector fires in every clean window")
	}
	found := map[string]*setInCount{}
	for i, pic := range pics {
		if pic.tune != tune || pic.img.Width > 256 || pic.img.Height > 256 {
			continue
		}
		if found[pic.class] == nil {
			found[pic.class] = &setInCount{}
		}
		count := found[pic.class]
		count.total++
		p := places[i%len(places)]
		at := image.Rect(0, 0, pic.img.Width, pic.img.Height).Add(p.at.Min).Add(image.Pt((p.at.Dx()-pic.img.Width)/2, (p.at.Dy()-pic.img.Height)/2))
		for k, contrast := range contrasts() {
			img := setIn(strips[p.strip].img, pic.img, at.Min.X, at.Min.Y, contrast)
			if slices.ContainsFunc(screenAlone(t, d, img), func(r inspection.RegionOfInterest) bool { return middleOf(r).In(at) }) {
				count.found[k]++
			}
		}
	}
	return found
}

func middleOf(r inspection.RegionOfInterest) image.Point {
	return image.Pt(r.X+r.Width/2, r.Y+r.Height/2)
}
