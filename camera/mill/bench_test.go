package mill

import (
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// BenchmarkRender is one camera's rendering on one core, defects, strip edges and threading gaps
// included.
func BenchmarkRender(b *testing.B) {
	o := Options{Seed: 3, CoilLengthMin: 20_000}.withDefaults()
	r := newRenderer(o, inspection.Top, newTextures(o.Seed, o.PixelsAcross))
	pix := make([]byte, o.PixelsAcross*o.FrameLines)
	b.SetBytes(int64(len(pix)))
	b.ReportAllocs()
	var from inspection.EncoderCount
	for b.Loop() {
		r.frame(pix, from)
		from += inspection.EncoderCount(o.FrameLines)
	}
}
