package inference

import (
	"strings"
	"testing"
)

func TestPictureOfCropSizeIsTakenAsItIs(t *testing.T) {
	pix := make([]byte, CropSize*CropSize)
	for i := range pix {
		pix[i] = byte(i * 7)
	}
	dst := make([]byte, len(pix))
	if err := ScaleToCrop(dst, pix, CropSize, CropSize); err != nil {
		t.Fatal(err)
	}
	if string(dst) != string(pix) {
		t.Error("pixels changed")
	}
}

func TestScalingKeepsAnEvenGrey(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 300}, {2, 2}, {64, 64}, {127, 129}, {200, 200}, {333, 77}, {1600, 256}} {
		w, h := size[0], size[1]
		pix := make([]byte, w*h)
		for i := range pix {
			pix[i] = 173
		}
		dst := make([]byte, CropSize*CropSize)
		if err := ScaleToCrop(dst, pix, w, h); err != nil {
			t.Fatal(err)
		}
		for i, p := range dst {
			if p != 173 {
				t.Fatalf("%d x %d: pixel %d is %d; want 173", w, h, i, p)
			}
		}
	}
}

func TestShrinkingTakesTheMeanOfWhatEachPixelCovers(t *testing.T) {
	const w = 2 * CropSize
	pix := make([]byte, w*w)
	for y := range w {
		for x := range w {
			pix[y*w+x] = byte(100 + 40*(x%2) + 20*(y%2))
		}
	}
	dst := make([]byte, CropSize*CropSize)
	if err := ScaleToCrop(dst, pix, w, w); err != nil {
		t.Fatal(err)
	}
	for i, p := range dst {
		if p != 130 {
			t.Fatalf("pixel %d is %d; want 130, the mean of 100, 140, 120 and 160", i, p)
		}
	}
}

func TestGrowingRunsStraightBetweenPixels(t *testing.T) {
	dst := make([]byte, CropSize*CropSize)
	if err := ScaleToCrop(dst, []byte{0, 200, 0, 200}, 2, 2); err != nil {
		t.Fatal(err)
	}
	row := dst[:CropSize]
	if row[0] != 0 || row[CropSize-1] != 200 {
		t.Errorf("ends are %d and %d; want 0 and 200", row[0], row[CropSize-1])
	}
	for x := 1; x < CropSize; x++ {
		if step := int(row[x]) - int(row[x-1]); step < 0 || step > 4 {
			t.Errorf("step of %d at %d; want an even rise", step, x)
		}
	}
}

func TestScalingRefusesSizesThatDoNotFit(t *testing.T) {
	dst := make([]byte, CropSize*CropSize)
	for want, c := range map[string]struct {
		dst, pix []byte
		w, h     int
	}{
		"0 x 5 pixels cannot have 0 bytes": {dst, nil, 0, 5},
		"3 x 3 pixels cannot have 8 bytes": {dst, make([]byte, 8), 3, 3},
		"a crop of 4 bytes":                {make([]byte, 4), make([]byte, 9), 3, 3},
	} {
		if err := ScaleToCrop(c.dst, c.pix, c.w, c.h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
}
