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
		got := tighten(img, inspection.FlatField{Gain: c.gain}, roi)
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
		if got := tighten(img, inspection.FlatField{}, roi); got != image.Rect(roi.X, roi.Y, roi.X+roi.Width, roi.Y+roi.Height) {
			t.Errorf("%+v becomes %v", roi, got)
		}
	}
}

func abs(v int) int { return max(v, -v) }

func BenchmarkTighten(b *testing.B) {
	img := drawStrip(rand.New(rand.NewPCG(12, 3)), 512, 256, 110)
	add(img, 203, 101, 11, 15, -60)
	for b.Loop() {
		Tighten(img, inspection.FlatField{}, inspection.RegionOfInterest{X: 190, Y: 94, Width: 36, Height: 36}, inspection.StripEdges{})
	}
}

func TestWhatReachesTheRimIsFollowedToTheEdge(t *testing.T) {
	const left, right = 40, 470
	for name, c := range map[string]struct {
		spot, want image.Rectangle
	}{
		"crack on the left":  {image.Rect(left, 100, left+30, 118), image.Rect(left, 100, left+30, 118)},
		"crack on the right": {image.Rect(right-24, 100, right, 118), image.Rect(right-24, 100, right, 118)},
		"short of the rim":   {image.Rect(left+12, 100, left+30, 118), image.Rect(left+12, 100, left+30, 118)},
	} {
		img := drawStrip(rand.New(rand.NewPCG(12, 4)), 512, 256, 110)
		add(img, c.spot.Min.X, c.spot.Min.Y, c.spot.Dx(), c.spot.Dy(), -70)
		for y := range img.Height { // beside the strip is nothing, and its rim is bright
			row := img.Row(y)
			clear(row[:left])
			clear(row[right:])
			for x := range 4 {
				row[left+x] = min(row[left+x], 200) + byte(40-10*x)
			}
		}
		roi := inspection.RegionOfInterest{X: left + 10, Y: 90, Width: 34, Height: 40}
		if c.spot.Max.X == right {
			roi.X = right - 44
		}
		got := Tighten(img, inspection.FlatField{}, roi, inspection.StripEdges{Present: true, Left: left, Right: right, LastLine: 256})
		if d := got.Min.Sub(c.want.Min); abs(d.X) > 1 || abs(d.Y) > 1 {
			t.Errorf("%s: %v begins at %v, want %v", name, got, got.Min, c.want.Min)
		}
		if d := got.Max.Sub(c.want.Max); abs(d.X) > 1 || abs(d.Y) > 1 {
			t.Errorf("%s: %v ends at %v, want %v", name, got, got.Max, c.want.Max)
		}
	}
}

func TestHoleBesideTheRegionDoesNotHideItsExtent(t *testing.T) {
	img := drawStrip(rand.New(rand.NewPCG(12, 5)), 512, 256, 110)
	add(img, 200, 120, 30, 40, -90)
	// The halo of a hole: narrower than it, and far longer.
	got := Tighten(img, inspection.FlatField{}, inspection.RegionOfInterest{X: 208, Y: 40, Width: 12, Height: 124}, inspection.StripEdges{})
	if got.Min.Y < 118 || got.Max.Y > 162 {
		t.Errorf("%v; want what lies on the hole's lines alone, 120 to 160", got)
	}
}
