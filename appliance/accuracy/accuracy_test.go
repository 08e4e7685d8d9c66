package accuracy

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

const (
	hole    inspection.DefectClass = "hole"
	scratch inspection.DefectClass = "surface_scratch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func writePicture(t *testing.T, path string, m image.Image) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rendered writes n simulated pictures of each class into class folders.
func rendered(t *testing.T, dir string, n int, classes ...inspection.DefectClass) {
	t.Helper()
	r, err := mill.NewSampler(991, inference.CropSize)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range classes {
		for i := range n {
			pix, err := r.Render(c, uint64(70_000+i), 1)
			if err != nil {
				t.Fatal(err)
			}
			writePicture(t, filepath.Join(dir, string(c), fmt.Sprintf("%d.png", i)),
				&image.Gray{Pix: pix, Stride: inference.CropSize, Rect: image.Rect(0, 0, inference.CropSize, inference.CropSize)})
		}
	}
}

// greyStrip is plain strip with dark spots.
func greyStrip(width, height int, spots ...image.Rectangle) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetGray(x, y, color.Gray{uint8(120 + (x*7+y*13+x*y%11)%5)})
			for _, s := range spots {
				if image.Pt(x, y).In(s) {
					m.SetGray(x, y, color.Gray{30})
				}
			}
		}
	}
	return m
}

// runLengths writes rectangles as a mask's runs, down the columns from 1.
func runLengths(height int, rects ...image.Rectangle) string {
	var runs []string
	for _, r := range rects {
		for x := r.Min.X; x < r.Max.X; x++ {
			runs = append(runs, fmt.Sprint(x*height+r.Min.Y+1), fmt.Sprint(r.Dy()))
		}
	}
	return strings.Join(runs, " ")
}

func run(t *testing.T, o Options) Report {
	t.Helper()
	o.Config, o.Work = appliance.DefaultConfig(), t.TempDir()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRenderedClassesAreScoredAndCopiesCountOnce(t *testing.T) {
	dir := t.TempDir()
	rendered(t, dir, 12, hole, scratch, inspection.NoDefect)
	data, err := os.ReadFile(filepath.Join(dir, string(hole), "0.png"))
	if err != nil {
		t.Fatal(err)
	}
	writeText(t, filepath.Join(dir, string(hole), "copy.png"), string(data))
	writeText(t, filepath.Join(dir, "readme.txt"), "what these are")
	v := run(t, Options{Paths: []string{dir}}).ClassFolders[0]
	if v.Pictures != 36 || v.Copies != 1 || v.Accuracy.Of != 36 {
		t.Errorf("%d pictures, %d copies, accuracy of %d; want 36, 1, 36", v.Pictures, v.Copies, v.Accuracy.Of)
	}
	if v.Accuracy.Value() < 0.8 {
		t.Errorf("accuracy on rendered pictures is %s; the shipped model reaches more than 0.8", v.Accuracy)
	}
	if len(v.Under) != 5 || v.Under[2].Name != "gain_0.5" || v.Under[2].Accuracy.Of != 36 {
		t.Errorf("pictures of a worse camera: %+v", v.Under)
	}
	sum := 0
	for _, row := range v.Confusion.Counts {
		for _, n := range row {
			sum += n
		}
	}
	if sum != 36 {
		t.Errorf("the confusion matrix counts %d pictures of 36", sum)
	}
}

func TestFoldsPartThePictures(t *testing.T) {
	dir := t.TempDir()
	rendered(t, dir, 24, hole)
	total := 0
	for k := range 3 {
		s, err := readFolders(dir, Fold{k, 3}, []inspection.DefectClass{hole})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.samples {
			if int(p.sum[0])%3 != k {
				t.Errorf("%s begins with %d and is in fold %d/3", p.path, p.sum[0], k)
			}
		}
		total += len(s.samples)
	}
	if total != 24 {
		t.Errorf("three folds hold %d pictures of 24", total)
	}
	for _, bad := range []string{"", "1", "4/4", "-1/4", "0/0", "0/4x", "0/300", " 0/4"} {
		if f, err := ParseFold(bad); err == nil || !strings.Contains(err.Error(), "allowed are K/N") {
			t.Errorf("fold %q: %v, %v", bad, f, err)
		}
	}
	if f, err := ParseFold("3/4"); err != nil || f != (Fold{3, 4}) {
		t.Errorf("fold 3/4: %v, %v", f, err)
	}
}

func TestFolderThatFitsNoLayoutIsRefusedInOneSentence(t *testing.T) {
	picture := func(path string) { writePicture(t, path, greyStrip(128, 128)) }
	for name, c := range map[string]struct {
		lay  func(dir string)
		want string
	}{
		"empty":        {func(string) {}, "fits none of the layouts"},
		"loose":        {func(d string) { picture(filepath.Join(d, "a.png")) }, "fits none of the layouts"},
		"strange":      {func(d string) { picture(filepath.Join(d, "rust", "a.png")) }, "fits none of the layouts"},
		"masks alone":  {func(d string) { writeText(t, filepath.Join(d, "rle.csv"), "") }, "fits none of the layouts"},
		"one stranger": {func(d string) { picture(filepath.Join(d, "hole", "a.png")); picture(filepath.Join(d, "rust", "b.png")) }, `class "rust"`},
		"no annotation": {func(d string) {
			picture(filepath.Join(d, "images", "a.png"))
			writeText(t, filepath.Join(d, "annotations", "b.xml"), "")
		}, "a.xml"},
		"unknown strip": {func(d string) {
			picture(filepath.Join(d, "strips", "a.png"))
			writeText(t, filepath.Join(d, "rle.csv"), "image,class,rle\nb.png,1,1 1\n")
			writeText(t, filepath.Join(d, "clean_windows.csv"), "image,x,y,width,height\n")
		}, `"b.png" is not in strips`},
		"other columns": {func(d string) {
			picture(filepath.Join(d, "strips", "a.png"))
			writeText(t, filepath.Join(d, "rle.csv"), "picture,class,rle\n")
			writeText(t, filepath.Join(d, "clean_windows.csv"), "image,x,y,width,height\n")
		}, "image,class,rle"},
	} {
		dir := t.TempDir()
		c.lay(dir)
		_, err := readSets(Options{Paths: []string{dir}}, []inspection.DefectClass{"hole", inspection.NoDefect})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want one sentence with %q", name, err, c.want)
		}
	}
	if _, err := readSets(Options{Paths: []string{filepath.Join(t.TempDir(), "gone")}}, nil); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestUnreadablePictureIsAnErrorThatNamesIt(t *testing.T) {
	dir := t.TempDir()
	writeText(t, filepath.Join(dir, "hole", "broken.png"), "not a picture")
	_, err := Run(t.Context(), Options{Config: appliance.DefaultConfig(), Paths: []string{dir}})
	if err == nil || !strings.Contains(err.Error(), "broken.png") {
		t.Errorf("an unreadable picture: %v", err)
	}
}

func TestSpotOnStripIsFoundAndCleanStripStaysQuiet(t *testing.T) {
	dir := t.TempDir()
	spot, faint := image.Rect(300, 100, 330, 124), image.Rect(700, 40, 720, 60)
	writePicture(t, filepath.Join(dir, "strips", "a.png"), greyStrip(800, 256, spot))
	writeText(t, filepath.Join(dir, "rle.csv"), "image,class,rle\na.png,3,"+runLengths(256, spot, faint, image.Rect(10, 10, 13, 13))+"\n")
	writeText(t, filepath.Join(dir, "clean_windows.csv"), "image,x,y,width,height\na.png,0,0,200,256\na.png,200,0,200,256\n")
	r := run(t, Options{Paths: []string{dir}})
	v := r.Strips[0]
	if v.Regions != 2 || v.Specks != 1 || v.Detector.Found != (Share{1, 2}) {
		t.Errorf("%d regions, %d specks, found %s; want 2, 1 and one of two: nothing is to be seen of the other", v.Regions, v.Specks, v.Detector.Found)
	}
	if v.Detector.Fired != (Share{1, 2}) { // the spot is in the second window, which is not clean at all
		t.Errorf("clean windows fired: %s; want 1 of 2", v.Detector.Fired)
	}
	if a := v.Detector.Area.Value(); a <= 0 || a > 0.1 || v.Detector.Area.Of != 800*256 {
		t.Errorf("area in events: %s", v.Detector.Area)
	}
	kinds := map[ErrorKind]int{}
	for i, e := range r.Errors {
		kinds[e.Kind]++
		if e.Number != i+1 || len(e.crop) != inference.CropSize*inference.CropSize {
			t.Errorf("error %d has number %d and a picture of %d bytes", i, e.Number, len(e.crop))
		}
	}
	if kinds[MissedRegion] < 1 || kinds[FiredClean] != 1 {
		t.Errorf("worst errors: %v; want the region that was missed and the window that fired", kinds)
	}
}

func TestBoxesAreFoundAndForeignClassesAreNamed(t *testing.T) {
	dir := t.TempDir()
	spot := image.Rect(80, 90, 110, 114)
	writePicture(t, filepath.Join(dir, "images", "pit_1.png"), greyStrip(200, 200, spot))
	writeText(t, filepath.Join(dir, "annotations", "pit_1.xml"), voc(t, 200, map[string]image.Rectangle{"pit": spot}))
	v := run(t, Options{Paths: []string{dir}}).Boxes[0]
	if v.Detector.Found != (Share{1, 1}) || v.Detector.IoU.Value() < 0.3 {
		t.Errorf("found %s, IoU %s; want the spot", v.Detector.Found, v.Detector.IoU)
	}
	if len(v.NotInModel) != 1 || v.NotInModel[0] != "pit" || v.ClassRight.Of != 0 {
		t.Errorf("classes that the model does not have: %v, class right %s", v.NotInModel, v.ClassRight)
	}
}

// voc is an annotation, in its own way of counting pixels.
func voc(t *testing.T, side int, boxes map[string]image.Rectangle) string {
	t.Helper()
	var a vocAnnotation
	a.Size.Width, a.Size.Height = side, side
	a.Objects = make([]vocObject, 0, len(boxes))
	for name, r := range boxes {
		a.Objects = append(a.Objects, vocObject{Name: name, Box: vocBox{float64(r.Min.X + 1), float64(r.Min.Y + 1), float64(r.Max.X), float64(r.Max.Y)}})
	}
	data, err := xml.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPicturesAreSetIntoSimulatedStrip(t *testing.T) {
	dir := t.TempDir()
	rendered(t, dir, 6, hole)
	writePicture(t, filepath.Join(dir, string(hole), "large.png"), greyStrip(400, 400))
	v := run(t, Options{Paths: []string{dir}, SetIn: true}).SetIn
	if v == nil || v.Into != "simulated strip" || v.Places < simulatedPlaces/2 || len(v.ByClass) != 1 {
		t.Fatalf("set in: %+v", v)
	}
	k := v.ByClass[0]
	if k.Pictures != 7 || k.TooLarge != 1 || !k.InModel || len(k.ByContrast) != 6 {
		t.Fatalf("class: %+v", k)
	}
	full := k.ByContrast[0]
	if full.Way != Replaced || full.Contrast != 1 || k.ByContrast[5].Way != Added {
		t.Errorf("first and last are %+v and %+v", full, k.ByContrast[5])
	}
	if full.Found.Of != 6 || full.Found.N < 5 || full.ClassRight.Of != full.Found.N {
		t.Errorf("found %s, class right %s", full.Found, full.ClassRight)
	}
	if full.CropRight.Of != 6 || full.CropRight.N < 4 {
		t.Errorf("the picture's own crop: %s right", full.CropRight)
	}
	said := 0
	for _, n := range full.As {
		said += n
	}
	if said != full.Found.N {
		t.Errorf("%d of %d found have an answer", said, full.Found.N)
	}
}

func TestGoodStripIsMeasuredAlone(t *testing.T) {
	r := run(t, Options{GoodMetres: 5})
	if r.Good == nil || r.Good.GoodMetres < 9.9 || r.Good.GoodMetres > 10.1 {
		t.Errorf("good strip: %+v; want both sides of 5 m", r.Good)
	}
}

func TestNothingToMeasureAndNothingToSetInAreErrors(t *testing.T) {
	if _, err := Run(t.Context(), Options{Config: appliance.DefaultConfig()}); err == nil || !strings.Contains(err.Error(), "nothing to evaluate") {
		t.Errorf("no path: %v", err)
	}
	dir := t.TempDir()
	writePicture(t, filepath.Join(dir, "strips", "a.png"), greyStrip(400, 256))
	writeText(t, filepath.Join(dir, "rle.csv"), "image,class,rle\n")
	writeText(t, filepath.Join(dir, "clean_windows.csv"), "image,x,y,width,height\n")
	_, err := Run(t.Context(), Options{Config: appliance.DefaultConfig(), Paths: []string{dir}, SetIn: true})
	if err == nil || !strings.Contains(err.Error(), "nothing to set into strip") {
		t.Errorf("strips alone: %v", err)
	}
}

func TestInterruptedMeasurementSaysSo(t *testing.T) {
	dir := t.TempDir()
	rendered(t, dir, 1, hole)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Run(ctx, Options{Config: appliance.DefaultConfig(), Paths: []string{dir}}); err == nil || err.Error() != "interrupted" {
		t.Errorf("interrupted: %v", err)
	}
}

func TestReportIsWrittenAndOldPicturesGo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	r := Report{Model: "m 1", Errors: []Error{{Number: 1, Kind: WrongClass, Path: "hole/a.png", Truth: "hole", Answer: "edge_crack", Confidence: 0.9, crop: make([]byte, inference.CropSize*inference.CropSize)}}}
	r.ClassFolders = []ClassFolders{{Path: "p", Answers: score([]answer{{"hole", inspection.Classification{Class: "edge_crack", Confidence: 0.9}}}, []inspection.DefectClass{"hole", "edge_crack"})}}
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, reportTables))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hole/a.png", "edge_crack 90.0 %", "Confusion", "2 edge_crack (no pictures)"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q:\n%s", reportTables, want, text)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, reportJSON))
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(data, &back); err != nil || back.ClassFolders[0].Accuracy != (Share{0, 1}) || back.Errors[0].Path != "hole/a.png" {
		t.Errorf("read back: %v, %+v", err, back)
	}
	f, err := os.Open(filepath.Join(dir, montagePNG))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.DecodeConfig(f)
	if err != nil || m.Width != inference.CropSize+2*montageGap || m.Height != m.Width {
		t.Errorf("montage of one tile: %+v, %v", m, err)
	}
	if err := (Report{}).Write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, montagePNG)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the pictures of an older run are still there: %v", err)
	}
}

func TestWorstErrorsComeFirstAndAreBounded(t *testing.T) {
	var w worst
	for i := range 3 * worstOfKind {
		c := (i * 37) % (3 * worstOfKind)
		w.add(Error{Kind: WrongClass, Confidence: float32(c)}, float64(c))
	}
	w.add(Error{Kind: MissedBox}, 5)
	got := w.sorted()
	if len(got) != worstOfKind+1 || got[len(got)-1].Kind != MissedBox {
		t.Fatalf("%d errors are kept", len(got))
	}
	if got[0].Confidence != 3*worstOfKind-1 || !slices.IsSortedFunc(got[:worstOfKind], func(a, b Error) int { return int(b.Confidence - a.Confidence) }) {
		t.Errorf("the worst is not first: %v", got[0])
	}
}
