package accuracy

import (
	"encoding/json"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

func said(truth, class inspection.DefectClass, confidence float32) answer {
	return answer{truth, inspection.Classification{Class: class, Confidence: confidence}}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func TestFiguresOfAnswersAreThoseOfTheBook(t *testing.T) {
	got := score([]answer{
		said("a", "a", 0.95), said("a", "a", 0.95), said("a", "b", 0.55), said("a", inspection.Unknown, 0.3),
		said("b", "b", 0.95), said("b", "c", 0.95),
	}, []inspection.DefectClass{"a", "b", "c"})
	if got.Accuracy != (Share{3, 6}) || got.Unknown != (Share{1, 6}) || got.Answered != (Share{3, 5}) {
		t.Errorf("accuracy %s, unknown %s, answered %s", got.Accuracy, got.Unknown, got.Answered)
	}
	// a: precision 2/2, recall 2/4; b: precision 1/2, recall 1/2; c has no pictures.
	if f := (2*2.0/(2+4) + 2*1.0/(2+2)) / 2; !near(got.MacroF1, f) {
		t.Errorf("macro-F1 is %g; want %g", got.MacroF1, f)
	}
	a := got.ByClass[0]
	if len(got.ByClass) != 2 || a.Precision != (Share{2, 2}) || a.Recall != (Share{2, 4}) || a.Unknown != (Share{1, 4}) {
		t.Errorf("by class: %+v", got.ByClass)
	}
	// Four answers at 0.95, three right; one at 0.55, wrong; the unknown one claims nothing.
	if e := 4.0/5*math.Abs(float64(float32(0.95))-0.75) + 1.0/5*float64(float32(0.55)); !near(got.CalibrationError, e) {
		t.Errorf("calibration error is %g; want %g", got.CalibrationError, e)
	}
	k := got.Confusion
	if !slices.Equal(k.Truth, []inspection.DefectClass{"a", "b"}) || !slices.Equal(k.Answer, []inspection.DefectClass{"a", "b", "c", inspection.Unknown}) ||
		!slices.Equal(k.Counts[0], []int{2, 1, 0, 1}) || !slices.Equal(k.Counts[1], []int{0, 1, 1, 0}) {
		t.Errorf("confusion: %+v", k)
	}
}

func TestUnknownIsRightForPicturesOfNoClass(t *testing.T) {
	got := score([]answer{said(inspection.Unknown, inspection.Unknown, 0.4), said(inspection.Unknown, "a", 1)}, []inspection.DefectClass{"a"})
	if got.Accuracy != (Share{1, 2}) || got.ByClass[0].Recall != (Share{1, 2}) || got.CalibrationError != 1 {
		t.Errorf("%+v", got)
	}
}

func TestNoAnswersGiveNoFigures(t *testing.T) {
	got := score(nil, []inspection.DefectClass{"a"})
	if got.Accuracy.String() != "–" || got.CalibrationError != 0 || got.MacroF1 != 0 {
		t.Errorf("%+v", got)
	}
}

func TestShareOfNothingIsNullAndNotZero(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{Share{}, `{"n":0,"of":0,"share":null}`},
		{Share{1, 4}, `{"n":1,"of":4,"share":0.25}`},
		{Mean{}, `{"mean":null,"of":0}`},
		{Mean{3, 4}, `{"mean":0.75,"of":4}`},
	} {
		if got, err := json.Marshal(c.v); err != nil || string(got) != c.want {
			t.Errorf("%+v is %s, %v; want %s", c.v, got, err, c.want)
		}
	}
}

func TestWorseCameraDoesWhatItsNameSays(t *testing.T) {
	const n = inference.CropSize
	crop := make([]byte, n*n)
	for i := range crop {
		crop[i] = byte(60 + (i%n)/2 + i/n/2)
	}
	out := map[string][]byte{}
	for _, w := range worsenings() {
		before := slices.Clone(crop)
		out[w.name] = w.apply(crop, 5)
		if !slices.Equal(before, crop) {
			t.Errorf("%s writes to the picture it is given", w.name)
		}
	}
	mean := func(v []byte) (m float64) {
		for _, b := range v {
			m += float64(b) / float64(len(v))
		}
		return m
	}
	var spread float64
	for i, v := range out["noise_sigma_12"] {
		d := float64(v) - float64(crop[i])
		spread += d * d / float64(len(crop))
	}
	if s := math.Sqrt(spread); s < 11.7 || s > 12.3 {
		t.Errorf("the noise has a sigma of %.2f; want 12", s)
	}
	again := worsenings()[0].apply(crop, 5)
	other := worsenings()[0].apply(crop, 6)
	if !slices.Equal(again, out["noise_sigma_12"]) || slices.Equal(other, again) {
		t.Error("noise must follow from its seed")
	}
	if got := out["gain_0.5"][3*n+7]; got != grey(float64(crop[3*n+7])*0.5) {
		t.Errorf("gain 0.5 makes %d of %d", got, crop[3*n+7])
	}
	if got := out["gain_1.4"][n*n-1]; got != 255 {
		t.Errorf("gain 1.4 makes %d of %d; want 255", got, crop[n*n-1])
	}
	if a, b := mean(out["contrast_0.6"]), mean(crop); math.Abs(a-b) > 0.5 {
		t.Errorf("contrast 0.6 moves the mean from %.2f to %.2f", b, a)
	}
	if lo, hi := int(slices.Min(out["contrast_0.6"])), int(slices.Max(out["contrast_0.6"])); hi-lo > 77 || hi-lo < 74 {
		t.Errorf("contrast 0.6 leaves a range of %d of %d", hi-lo, slices.Max(crop)-slices.Min(crop))
	}
}

func TestBlurIsTheMeanOfTheNeighboursAndMirrorsTheBorder(t *testing.T) {
	const n = 9
	crop := make([]byte, n*n)
	crop[4*n+4] = 250
	got := blurred(crop, n)
	for y := range n {
		for x := range n {
			want := byte(0)
			if x >= 2 && x <= 6 && y >= 2 && y <= 6 {
				want = 10
			}
			if got[y*n+x] != want {
				t.Fatalf("at %d, %d: %d; want %d", x, y, got[y*n+x], want)
			}
		}
	}
	// From columns 0 and 1, column 1 is seen twice.
	crop = make([]byte, n*n)
	for y := range n {
		crop[y*n+1] = 100
	}
	if got := blurred(crop, n); got[0] != 40 || got[1] != 40 || got[2] != 20 {
		t.Errorf("at the border: %v", got[:4])
	}
}

func TestMaskFallsIntoItsConnectedParts(t *testing.T) {
	// Two rectangles that touch at a corner alone, and one apart.
	runs, err := numbers(strings.Fields(runLengths(20, image.Rect(2, 2, 5, 6), image.Rect(5, 6, 7, 9), image.Rect(10, 0, 12, 20))))
	if err != nil {
		t.Fatal(err)
	}
	got, err := mask{"3", runs}.regions(30, 20)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d parts, %v; want 3", len(got), err)
	}
	for i, want := range []image.Rectangle{image.Rect(2, 2, 5, 6), image.Rect(5, 6, 7, 9), image.Rect(10, 0, 12, 20)} {
		if got[i].rect() != want || len(got[i].pixels) != size(want) {
			t.Errorf("part %d is %v with %d pixels; want %v", i, got[i].rect(), len(got[i].pixels), want)
		}
	}
	for name, runs := range map[string][]int{"odd": {1, 2, 3}, "from 0": {0, 2}, "too long": {599, 3}} {
		if _, err := (mask{"3", runs}).regions(30, 20); err == nil {
			t.Errorf("%s: runs %v are accepted", name, runs)
		}
	}
}

func TestThreeTenthsOfTheLabelledPixelsCount(t *testing.T) {
	box := image.Rect(10, 10, 20, 20)
	for covers, want := range map[int]bool{2: false, 3: true, 10: true} {
		c := covered([]inspection.RegionOfInterest{{X: 0, Y: 10, Width: 10 + covers, Height: 10}}, 40, 40)
		if got := found(c.ofRect(box)); got != want {
			t.Errorf("%d of 10 columns are covered: found is %v", covers, got)
		}
		var pixels []image.Point
		for y := box.Min.Y; y < box.Max.Y; y++ {
			for x := box.Min.X; x < box.Max.X; x++ {
				pixels = append(pixels, image.Pt(x, y))
			}
		}
		if c.of(pixels) != c.ofRect(box) {
			t.Errorf("%d columns: %s of the pixels, %s of the rectangle", covers, c.of(pixels), c.ofRect(box))
		}
	}
	two := covered([]inspection.RegionOfInterest{{X: 0, Y: 0, Width: 4, Height: 4}, {X: 2, Y: 2, Width: 4, Height: 4}}, 10, 10)
	if two.area() != (Share{28, 100}) {
		t.Errorf("area of two that overlap: %s; want 28 of 100", two.area())
	}
}

func TestOverlapIsIntersectionOverUnion(t *testing.T) {
	a := image.Rect(0, 0, 10, 10)
	for _, c := range []struct {
		b    image.Rectangle
		want float64
	}{{a, 1}, {image.Rect(5, 0, 15, 10), 50.0 / 150}, {image.Rect(10, 0, 20, 10), 0}, {image.Rect(2, 2, 4, 4), 0.04}} {
		if got := overlap(a, c.b); !near(got, c.want) {
			t.Errorf("%v: %g; want %g", c.b, got, c.want)
		}
	}
	regions := []inspection.RegionOfInterest{{X: 50, Y: 50, Width: 9, Height: 9}, {X: 0, Y: 0, Width: 10, Height: 5}, {X: 0, Y: 0, Width: 10, Height: 9}}
	if at, iou := bestFit(a, regions); at != 2 || !near(iou, 0.9) {
		t.Errorf("best fit is region %d with %g", at, iou)
	}
	if at, iou := bestFit(a, regions[:1]); at != -1 || iou != 0 {
		t.Errorf("nothing touches, and region %d fits with %g", at, iou)
	}
}

func TestPictureSetInFadesOutAndKeepsTheBrightness(t *testing.T) {
	strip := inspection.LineImage{Pix: slices.Repeat([]byte{100}, 200*200), Width: 200, Height: 200, Stride: 200}
	pic := inspection.LineImage{Pix: slices.Repeat([]byte{50}, 100*100), Width: 100, Height: 100, Stride: 100}
	for y := 40; y < 60; y++ {
		for x := 40; x < 60; x++ {
			pic.Pix[y*100+x] = 20
		}
	}
	mean := 50 - 30*0.04 // of the picture
	for _, contrast := range contrasts() {
		got := setInto(strip, pic, image.Pt(50, 50), Added, contrast)
		scale := contrast * 100 / mean
		if v, want := got.Pix[100*200+100], grey(100+scale*(20-mean)); math.Abs(float64(v)-float64(want)) > 1 {
			t.Errorf("contrast %g: the middle is %d; want %d", contrast, v, want)
		}
		whole, faded := got.Pix[50*200+50], got.Pix[(50-featherPixels)*200+100]
		if want := grey(100 + scale*(50-mean)); whole != want || got.Pix[(49-featherPixels)*200+100] != 100 || faded > whole || faded < 100 {
			t.Errorf("contrast %g: the picture's corner is %d, want %d; where it has faded out it is %d", contrast, whole, want, faded)
		}
	}
	for i := range strip.Pix { // a texture that only what is added to goes on through
		strip.Pix[i] += byte(i % 2 * 20)
	}
	for way, differs := range map[Way]int{Replaced: 0, Added: 20} {
		got := setInto(strip, pic, image.Pt(50, 50), way, 1)
		if d := int(got.Pix[100*200+81]) - int(got.Pix[100*200+80]); d != differs {
			t.Errorf("%s: neighbours in the picture's plain part differ by %d; want %d", way, d, differs)
		}
	}
	if strip.Pix[100*200+100] != 100 {
		t.Error("the strip itself was written to")
	}
}

func TestVOCBoxesCountFromOneWithTheirLastPixel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.xml")
	write := func(xmin, ymin, xmax, ymax string) {
		text := "<annotation><size><width>200</width><height>200</height></size><object><name>pit</name><bndbox><xmin>" + xmin + "</xmin><ymin>" + ymin +
			"</ymin><xmax>" + xmax + "</xmax><ymax>" + ymax + "</ymax></bndbox></object></annotation>"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1", "3", "200", "10")
	got, err := readVOC(path)
	if err != nil || len(got) != 1 || got[0].rect != image.Rect(0, 2, 200, 10) || got[0].class != "pit" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range [][4]string{{"20", "3", "10", "10"}, {"201", "3", "210", "10"}} {
		write(bad[0], bad[1], bad[2], bad[3])
		if b, err := readVOC(path); err == nil {
			t.Errorf("box %v is accepted as %v", bad, b)
		}
	}
	for _, text := range []string{"<annotation></annotation>", "<other/>", "no xml"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := readVOC(path); err == nil {
			t.Errorf("%q is accepted as %v", text, b)
		}
	}
}
