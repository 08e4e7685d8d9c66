package inference

import (
	"image"
	"image/draw"
	_ "image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// realStrips reads the pictures of real strip, which are not part of the project; a benchmark that needs them is
// skipped where they are absent. How well they are judged is measured in appliance/accuracy.
func realStrips(b *testing.B) []inspection.LineImage {
	b.Helper()
	dir := os.Getenv("COILSIGHT_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "data", "severstal", "strips", "*.jpg"))
	if err != nil || len(paths) == 0 {
		b.Skip("the pictures of real strip are not here; set COILSIGHT_SHARED")
	}
	out := make([]inspection.LineImage, len(paths))
	for i, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			b.Fatal(err)
		}
		src, _, err := image.Decode(f)
		f.Close()
		if err != nil {
			b.Fatalf("%s: %v", p, err)
		}
		g := image.NewGray(src.Bounds())
		draw.Draw(g, g.Rect, src, src.Bounds().Min, draw.Src)
		out[i] = inspection.LineImage{Pix: g.Pix, Width: g.Rect.Dx(), Height: g.Rect.Dy(), Stride: g.Stride}
	}
	return out
}
