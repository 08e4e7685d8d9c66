package inference

import (
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestCropStandsWhereTheRegionIs(t *testing.T) {
	// Each pixel tells where it is.
	at := func(x, y int) byte { return byte(x + 3*y) }
	frame := func(w, h int) inspection.LineImage {
		img := inspection.LineImage{Pix: make([]byte, w*h), Width: w, Height: h, Stride: w}
		for i := range img.Pix {
			img.Pix[i] = at(i%w, i/w)
		}
		return img
	}
	strip := inspection.StripEdges{Present: true, Left: 99.5, Right: 700.2, LastLine: 256}
	for _, c := range []struct {
		name   string
		w, h   int
		r      inspection.RegionOfInterest
		edges  inspection.StripEdges
		x0, y0 int
	}{
		{"centred on its box", 800, 256, inspection.RegionOfInterest{X: 300, Y: 100, Width: 20, Height: 10, PeakX: 301, PeakY: 101}, strip, 246, 41},
		{"long one: as near to its middle as shows the peak", 800, 512, inspection.RegionOfInterest{X: 300, Y: 0, Width: 20, Height: 512, PeakX: 301, PeakY: 380}, strip, 246, 268},
		{"long one with the peak near its middle", 800, 256, inspection.RegionOfInterest{X: 300, Y: 0, Width: 20, Height: 256, PeakX: 301, PeakY: 160}, strip, 246, 64},
		{"moved into the frame", 800, 256, inspection.RegionOfInterest{X: 795, Y: 250, Width: 5, Height: 6, PeakX: 796, PeakY: 251}, inspection.StripEdges{}, 672, 128},
		{"moved into the strip", 800, 256, inspection.RegionOfInterest{X: 100, Y: 100, Width: 20, Height: 20, PeakX: 101, PeakY: 101}, strip, 100, 46},
		{"strip narrower than the window", 800, 256, inspection.RegionOfInterest{X: 310, Y: 100, Width: 20, Height: 20, PeakX: 311, PeakY: 101}, inspection.StripEdges{Present: true, Left: 300, Right: 400}, 256, 46},
		{"frame smaller than the window", 80, 64, inspection.RegionOfInterest{X: 10, Y: 10, Width: 20, Height: 20, PeakX: 11, PeakY: 11}, inspection.StripEdges{}, -24, -32},
	} {
		t.Run(c.name, func(t *testing.T) {
			img := frame(c.w, c.h)
			gain := make(inspection.ColumnGain, c.w)
			for i := range gain {
				gain[i] = inspection.UnityGain
			}
			dst := make([]byte, CropSize*CropSize)
			for _, g := range []inspection.ColumnGain{nil, gain} {
				CutCrop(dst, img, inspection.FlatField{Gain: g}, c.r, c.edges)
				for _, p := range []int{0, 64*CropSize + 64, CropSize*CropSize - 1} {
					x, y := c.x0+p%CropSize, c.y0+p/CropSize
					if x < 0 {
						x = -1 - x
					}
					if x >= c.w {
						x = 2*c.w - 1 - x
					}
					if y < 0 {
						y = -1 - y
					}
					if y >= c.h {
						y = 2*c.h - 1 - y
					}
					if dst[p] != at(x, y) {
						t.Errorf("pixel %d is %#x, want that of column %d, row %d: %#x", p, dst[p], x, y, at(x, y))
					}
				}
			}
		})
	}
}

func TestCropIsCorrectedAsTheKernelCorrects(t *testing.T) {
	img := inspection.LineImage{Pix: make([]byte, 128*128), Width: 128, Height: 128, Stride: 128}
	gain := make(inspection.ColumnGain, 128)
	for x := range gain {
		gain[x] = uint16(x * 500)
		for y := range 128 {
			img.Pix[y*128+x] = byte(y * 2)
		}
	}
	dst := make([]byte, CropSize*CropSize)
	CutCrop(dst, img, inspection.FlatField{Gain: gain}, inspection.RegionOfInterest{X: 60, Y: 60, Width: 8, Height: 8}, inspection.StripEdges{})
	for i, got := range dst {
		if want := min(255, (int(img.Pix[i])*int(gain[i%128])+8192)>>14); int(got) != want {
			t.Fatalf("pixel (%d,%d) is %d, want %d", i%128, i/128, got, want)
		}
	}
}
