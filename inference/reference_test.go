package inference

import (
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestReferenceChainCountsSpots(t *testing.T) {
	img := inspection.LineImage{Pix: make([]byte, 320*128), Width: 320, Height: 128, Stride: 320}
	for i := range img.Pix {
		img.Pix[i] = 120
	}
	for _, at := range []int{20*320 + 40, 90*320 + 200} {
		for y := range 4 {
			for x := range 4 {
				img.Pix[at+y*320+x] = 30
			}
		}
	}
	c, err := NewReferenceChain()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 { // the second time in the same buffers
		if n, err := c.Run(img); err != nil || n != 2 {
			t.Errorf("the chain finds %d regions (%v), want 2", n, err)
		}
	}
	img.Height = 200
	if _, err := c.Run(img); err == nil {
		t.Error("an image larger than its buffer is taken")
	}
}

func BenchmarkReferenceChainStrips(b *testing.B) {
	strips := realStrips(b)
	c, err := NewReferenceChain()
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.SetBytes(int64(len(strips[0].Pix)))
	for i := 0; b.Loop(); i++ {
		if _, err := c.Run(strips[i%len(strips)]); err != nil {
			b.Fatal(err)
		}
	}
}
