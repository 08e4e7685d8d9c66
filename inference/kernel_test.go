package inference

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// slowFirstPass says in the plainest way what the kernel must compute.
func slowFirstPass(img inspection.LineImage, flat inspection.FlatField) (blocks [planes][]uint16, cols []uint16) {
	nb, nr := rowBlocks(img.Width), (img.Height+7)/8
	for m := range blocks {
		blocks[m] = make([]uint16, nb*nr)
	}
	cols = make([]uint16, nb*8*nr)
	at := func(x, y int) int {
		x, y = min(x, img.Width-1), min(y, img.Height-1)
		p := int(img.Pix[y*img.Stride+x])
		if flat.Gain != nil {
			if flat.Offset != nil {
				p = max(0, p-int(flat.Offset[x]))
			}
			p = min(255, (p*int(flat.Gain[x])+8192)>>14)
		}
		return p
	}
	abs := func(a int) int { return max(a, -a) }
	for r := range nr {
		for b := range nb {
			var sum, gx, gy, rowHi, colHi, pairHi int
			rowLo, colLo, pairLo := 1<<16, 1<<16, 1<<16
			for i := range 8 {
				row, col := 0, 0
				for j := range 8 {
					x, y := b*8+j, r*8+i
					row += at(x, y)
					col += at(b*8+i, r*8+j)
					// Beyond the last block there is nothing but the last column again.
					gx += abs(at(x+1, y) - at(x, y))
					if i > 0 {
						gy += abs(at(x, y) - at(x, y-1))
						pair := ((at(x, y)+at(x, y-1)+1)>>1 + (at(x+1, y)+at(x+1, y-1)+1)>>1 + 1) >> 1
						pairLo, pairHi = min(pairLo, pair), max(pairHi, pair)
					}
				}
				sum += row
				rowLo, rowHi = min(rowLo, row), max(rowHi, row)
				colLo, colHi = min(colLo, col), max(colHi, col)
				cols[r*nb*8+b*8+i] = uint16(col)
			}
			for m, v := range map[int]int{
				planeSum: sum, planeGX: gx, planeGY: gy, planePairLo: pairLo, planePairHi: pairHi,
				planeRowLo: rowLo, planeRowHi: rowHi, planeColLo: colLo, planeColHi: colHi,
			} {
				blocks[m][r*nb+b] = uint16(v)
			}
		}
	}
	return blocks, cols
}

func checkFirstPass(t *testing.T, img inspection.LineImage, flat inspection.FlatField) {
	t.Helper()
	nb, nr := rowBlocks(img.Width), (img.Height+7)/8
	want, wantCols := slowFirstPass(img, flat)
	for path := range kernelPaths() {
		got, cols := make([]uint16, planes*nb*nr), make([]uint16, nb*8*nr)
		split := nr / 2 // two bands must give what one gives
		firstPass(img, flat, 0, split, got, nb*nr, cols, path)
		firstPass(img, flat, split, nr, got, nb*nr, cols, path)
		for m := range planes {
			for i := range nb * nr {
				if g, w := got[m*nb*nr+i], want[m][i]; g != w {
					t.Fatalf("path %d, image %dx%d, stride %d: measure %d of block (%d,%d) is %d, want %d",
						path, img.Width, img.Height, img.Stride, m, i%nb, i/nb, g, w)
				}
			}
		}
		for i := range cols {
			if cols[i] != wantCols[i] {
				t.Fatalf("path %d: column sum %d of row %d is %d, want %d", path, i%(nb*8), i/(nb*8), cols[i], wantCols[i])
			}
		}
	}
}

func randomImage(r *rand.Rand, width, height, stride int) inspection.LineImage {
	img := inspection.LineImage{Pix: make([]byte, stride*(height-1)+width), Width: width, Height: height, Stride: stride}
	for i := range img.Pix {
		img.Pix[i] = byte(r.Uint32())
	}
	return img
}

func TestKernelEqualsReference(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ width, height, pad int }{
		{1, 1, 0},
		{8, 8, 0},
		{9, 7, 3},
		{32, 8, 0},
		{33, 17, 0},
		{63, 9, 1},
		{511, 8, 0},
		{512, 16, 0},
		{513, 8, 5},
		{520, 24, 0},
		{1600, 33, 0},
		{1607, 15, 64},
		{1025, 40, 7},
	} {
		t.Run(fmt.Sprintf("%dx%d+%d", c.width, c.height, c.pad), func(t *testing.T) {
			img := randomImage(r, c.width, c.height, c.width+c.pad)
			checkFirstPass(t, img, inspection.FlatField{})
			gain := make(inspection.ColumnGain, c.width)
			for i := range gain {
				gain[i] = uint16(r.Uint32())
			}
			checkFirstPass(t, img, inspection.FlatField{Gain: gain})
			offset := make([]uint8, c.width)
			for i := range offset {
				offset[i] = uint8(r.Uint32() >> r.IntN(8))
			}
			checkFirstPass(t, img, inspection.FlatField{Gain: gain, Offset: offset})
			for i := range gain {
				gain[i] = inspection.UnityGain
			}
			checkFirstPass(t, img, inspection.FlatField{Gain: gain})
		})
	}
}

func TestKernelHoldsAtTheLimits(t *testing.T) {
	for _, fill := range []byte{0, 255} {
		img := inspection.LineImage{Pix: make([]byte, 40*16), Width: 40, Height: 16, Stride: 40}
		for i := range img.Pix {
			img.Pix[i] = fill
		}
		gain := make(inspection.ColumnGain, 40)
		for i := range gain {
			gain[i] = 65535
		}
		checkFirstPass(t, img, inspection.FlatField{Gain: gain})
		for i := range img.Pix {
			img.Pix[i] = byte((i + i/40) % 2 * 255) // the steepest gradients there are
		}
		checkFirstPass(t, img, inspection.FlatField{})
	}
}

func FuzzKernelEqualsReference(f *testing.F) {
	f.Add(uint64(1), uint16(40), uint8(16), uint8(0), true)
	f.Add(uint64(2), uint16(513), uint8(9), uint8(3), false)
	f.Fuzz(func(t *testing.T, seed uint64, width uint16, height, pad uint8, flat bool) {
		w, h := int(width)%1300+1, int(height)%40+1
		r := rand.New(rand.NewPCG(seed, 0))
		img := randomImage(r, w, h, w+int(pad))
		var f inspection.FlatField
		if flat {
			f = inspection.FlatField{Gain: make(inspection.ColumnGain, w), Offset: make([]uint8, w)}
			for i := range f.Gain {
				f.Gain[i], f.Offset[i] = uint16(r.Uint32()), uint8(r.Uint32()>>r.IntN(8))
			}
		}
		checkFirstPass(t, img, f)
	})
}

func BenchmarkFirstPass(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	img := randomImage(r, 4096, 256, 4096)
	gain := make(inspection.ColumnGain, 4096)
	for i := range gain {
		gain[i] = uint16(15000 + r.IntN(3000))
	}
	blocks, cols := make([]uint16, planes*512*32), make([]uint16, 4096*32)
	for path := range kernelPaths() {
		b.Run(fmt.Sprintf("path=%d", path), func(b *testing.B) {
			b.SetBytes(int64(len(img.Pix)))
			for b.Loop() {
				firstPass(img, inspection.FlatField{Gain: gain}, 0, 32, blocks, 512*32, cols, path)
			}
		})
	}
}
