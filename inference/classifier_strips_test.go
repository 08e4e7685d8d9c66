package inference

import (
	"fmt"
	"image"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// TestRejectionOnRealStripsKeepsWhatIsLabelled measures what the class "no_defect" does to strips the
// model never learned from: what is labelled there must still be found after the rejection.
func TestRejectionOnRealStripsKeepsWhatIsLabelled(t *testing.T) {
	strips := labelledStrips(t)
	c, _ := shippedClassifier(t, ClassifierOptions{})
	d, err := NewDetector(strips[0].img.Width, DetectorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var before, after stripScore
	var onDefect, elsewhere, inClean rejection
	classes := map[inspection.DefectClass]int{}
	for _, p := range strips {
		var seen inspection.Screening
		d.Reset()
		if err := d.Screen(&seen, p.img, nil, true); err != nil {
			t.Fatal(err)
		}
		verdicts := classifyRegions(t, c, p.img, &seen)
		masked := image.NewGray(image.Rect(0, 0, p.img.Width, p.img.Height))
		for _, r := range p.regions {
			for _, q := range r.pixels {
				masked.Pix[q.Y*masked.Stride+q.X] = 1
			}
		}
		var kept []inspection.RegionOfInterest
		for i, r := range seen.Regions {
			rejected := verdicts[i].Class == inspection.NoDefect
			if !rejected {
				kept = append(kept, r)
			}
			hit := 0
			for y := r.Y; y < r.Y+r.Height; y++ {
				for x := r.X; x < r.X+r.Width; x++ {
					hit += int(masked.GrayAt(x, y).Y)
				}
			}
			box := image.Rect(r.X, r.Y, r.X+r.Width, r.Y+r.Height)
			switch {
			case hit > r.Width*r.Height/5:
				onDefect.add(rejected)
				classes[verdicts[i].Class]++
			case inAny(box, p.clean):
				inClean.add(rejected)
			default:
				elsewhere.add(rejected)
			}
		}
		before.judge(p, seen.Regions)
		after.judge(p, kept)
	}
	t.Logf("rejected as no_defect: %s of regions on labelled defects, %s in clean windows, %s elsewhere", onDefect, inClean, elsewhere)
	t.Logf("labelled regions found %.3f before, %.3f after rejection; clean windows fired %d and %d of %d; events %d and %d",
		before.recall(), after.recall(), before.fired, after.fired, before.windows, before.events, after.events)
	t.Logf("classes given to regions on labelled defects: %v", classes)
	if after.recall() < before.recall()-0.04 {
		t.Errorf("rejection loses %.1f %% of what is labelled; at most 4 %% are allowed", 100*(before.recall()-after.recall()))
	}
}

// rejection counts regions and those the classifier rejected.
type rejection struct{ rejected, all int }

func (r *rejection) add(rejected bool) {
	r.all++
	if rejected {
		r.rejected++
	}
}

func (r rejection) String() string {
	return fmt.Sprintf("%d/%d (%.1f %%)", r.rejected, r.all, 100*float64(r.rejected)/float64(max(r.all, 1)))
}

func inAny(r image.Rectangle, windows []image.Rectangle) bool {
	for _, w := range windows {
		if r.In(w) {
			return true
		}
	}
	return false
}

// classifyRegions cuts and classifies every region of a frame.
func classifyRegions(t testing.TB, c *Classifier, img inspection.LineImage, seen *inspection.Screening) []inspection.Classification {
	t.Helper()
	crops := make([][]byte, len(seen.Regions))
	for i, r := range seen.Regions {
		crops[i] = make([]byte, CropSize*CropSize)
		CutCrop(crops[i], img, nil, r, seen.Edges)
	}
	verdicts, err := c.ClassifyBatch(nil, crops)
	if err != nil {
		t.Fatal(err)
	}
	return verdicts
}
