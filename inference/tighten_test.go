package inference

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestTightenFindsTheExtentInPixels(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	for name, c := range map[string]struct {
		spot image.Rectangle
		by   float64
		gain inspection.ColumnGain
	}{
		"dark spot":      {image.Rect(203, 101, 214, 116), -60, nil},
		"bright scratch": {image.Rect(203, 70, 206, 131), 50, nil},
		"through a gain": {image.Rect(203, 101, 214, 116), -40, make(inspection.ColumnGain, 512)},
	} {
		img := drawStrip(r, 512, 256, 110)
		for x := range c.gain {
			c.gain[x] = inspection.UnityGain * 5 / 4
		}
		add(img, c.spot.Min.X, c.spot.Min.Y, c.spot.Dx(), c.spot.Dy(), c.by)
		roi := inspection.RegionOfInterest{X: 190, Y: 60, Width: 36, Height: 84}
		got := Tighten(img, inspection.FlatField{Gain: c.gain}, roi)
		if !got.In(image.Rect(roi.X, roi.Y, roi.X+roi.Width, roi.Y+roi.Height)) {
			t.Errorf("%s: %v lies outside the region", name, got)
		}
		if d := got.Min.Sub(c.spot.Min); abs(d.X) > 1 || abs(d.Y) > 1 {
			t.Errorf("%s: begins at %v, want %v", name, got.Min, c.spot.Min)
		}
		if d := got.Max.Sub(c.spot.Max); abs(d.X) > 1 || abs(d.Y) > 1 {
			t.Errorf("%s: ends at %v, want %v", name, got.Max, c.spot.Max)
		}
	}
}

func TestTightenLeavesWhatHasNoExtentOfItsOwn(t *testing.T) {
	img := drawStrip(rand.New(rand.NewPCG(12, 2)), 512, 256, 110)
	for _, roi := range []inspection.RegionOfInterest{
		{X: 100, Y: 100, Width: 400, Height: 20}, // larger than a block matters
		{X: 0, Y: 0, Width: 512, Height: 256},    // nothing around
	} {
		if got := Tighten(img, inspection.FlatField{}, roi); got != image.Rect(roi.X, roi.Y, roi.X+roi.Width, roi.Y+roi.Height) {
			t.Errorf("%+v becomes %v", roi, got)
		}
	}
}

func abs(v int) int { return max(v, -v) }

func BenchmarkTighten(b *testing.B) {
	img := drawStrip(rand.New(rand.NewPCG(12, 3)), 512, 256, 110)
	add(img, 203, 101, 11, 15, -60)
	for b.Loop() {
		Tighten(img, inspection.FlatField{}, inspection.RegionOfInterest{X: 190, Y: 94, Width: 36, Height: 36})
	}
}
