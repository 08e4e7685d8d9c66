package inference

import (
	"math/rand/v2"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func BenchmarkScreenStrips(b *testing.B) {
	strips := labelledStrips(b)
	d, err := NewDetector(strips[0].img.Width, DetectorOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	gain := make(inspection.ColumnGain, strips[0].img.Width)
	for i := range gain {
		gain[i] = inspection.UnityGain
	}
	var out inspection.Screening
	b.SetBytes(int64(len(strips[0].img.Pix)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := d.Screen(&out, strips[i%len(strips)].img, gain, true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScreenQuietStrip(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	img := inspection.LineImage{Pix: make([]byte, 4096*256), Width: 4096, Height: 256, Stride: 4096}
	for i := range img.Pix {
		img.Pix[i] = byte(110 + r.IntN(16))
	}
	d, err := NewDetector(4096, DetectorOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	var out inspection.Screening
	b.SetBytes(int64(len(img.Pix)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Screen(&out, img, nil, false); err != nil {
			b.Fatal(err)
		}
	}
}
