package teach

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

// shippedClassifier is the built-in model on the CPU.
func shippedClassifier(t testing.TB) (*inference.Classifier, *models.Bundle) {
	t.Helper()
	b, err := models.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	library, err := inference.FindRuntime("")
	if err != nil {
		t.Fatal(err)
	}
	c, err := inference.NewClassifier(b, inference.ClassifierOptions{Runtime: library})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, b
}

// simulated is strip of the simulated mill as pictures, with what was seeded on it.
type simulated struct {
	pictures []inspection.LineImage
	truth    []seeded
	metres   float64
}

// seeded is a defect in pixels of one picture.
type seeded struct {
	class         inspection.DefectClass
	picture       int
	x, y          float64
	width, height float64
}

const (
	simulatedPixels = 1536
	simulatedMM     = 0.5
)

// roll renders the top side of one coil, cut into the frames of the camera, the ends left out. grain is the
// strength, in percent of the brightness, of a texture that the mill's own strip does not have.
func roll(t testing.TB, seed uint64, length inspection.MM, defectsPer100m, grain float64) simulated {
	t.Helper()
	m, err := mill.New(mill.Options{
		Seed: seed, PixelsAcross: simulatedPixels, MMPerPixel: simulatedMM, MMPerCount: simulatedMM,
		CoilLengthMin: length, DefectsPer100m: defectsPer100m, Good: defectsPer100m == 0, Coils: 1, Buffers: 4, ThreadingGap: 500,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran, drained := make(chan error, 1), make(chan struct{})
	go func() { ran <- m.Run(ctx) }()
	go func() {
		defer close(drained)
		for {
			f, err := m.Camera(inspection.Bottom).Next(ctx)
			if err != nil {
				return
			}
			f.Release()
		}
	}()
	cam := m.Camera(inspection.Top)
	gain, err := calibration.FitFlatField(cam.WhiteReference())
	if err != nil {
		t.Fatal(err)
	}
	id, head := m.First()
	truth, _ := m.Truth(id)
	rnd := rand.New(rand.NewPCG(seed, 77))
	var out simulated
	for {
		f, err := cam.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		from := inspection.MM(f.Span.From-head) * simulatedMM
		to := inspection.MM(f.Span.To-head) * simulatedMM
		if from > 200 && to < length-200 { // whole frames of strip
			img := inspection.LineImage{Pix: make([]byte, simulatedPixels*f.Image.Height), Width: simulatedPixels, Height: f.Image.Height, Stride: simulatedPixels}
			for y := range f.Image.Height {
				for x, p := range f.Image.Row(y) {
					img.Pix[y*simulatedPixels+x] = byte(min(255, (uint32(p)*uint32(gain[x])+inspection.UnityGain/2)>>14))
				}
			}
			edges := edgesOf(t, img)
			if edges.Present {
				for _, q := range truth {
					if q.Side != inspection.Top || q.Rect.Along+q.Rect.Length < from || q.Rect.Along > to {
						continue
					}
					x := edges.Left + float64(q.Rect.Across)/simulatedMM
					if !cam.OperatorSideLeft {
						x = edges.Right - float64(q.Rect.Across+q.Rect.Width)/simulatedMM
					}
					out.truth = append(out.truth, seeded{
						q.Class, len(out.pictures), x, float64(q.Rect.Along-from) / simulatedMM,
						float64(q.Rect.Width) / simulatedMM, float64(q.Rect.Length) / simulatedMM,
					})
				}
				addGrain(rnd, img, edges, grain)
				out.pictures = append(out.pictures, img)
				out.metres += float64(to-from) / 1000
			}
		}
		f.Release()
	}
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	cancel()
	<-drained
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func edgesOf(t testing.TB, img inspection.LineImage) inspection.StripEdges {
	t.Helper()
	d, err := inference.NewDetector(img.Width, inference.DetectorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var seen inspection.Screening
	if err := d.Screen(&seen, img, inspection.FlatField{}, true); err != nil {
		t.Fatal(err)
	}
	return seen.Edges
}

// addGrain lays short bright and dark flecks over the strip: a surface that neither the detector's limits nor the
// model have seen. The flecks differ in size and strength, as grains of scale do.
func addGrain(rnd *rand.Rand, img inspection.LineImage, e inspection.StripEdges, strength float64) {
	if strength == 0 {
		return
	}
	left, right := int(e.Left)+12, int(e.Right)-12
	flecks := (right - left) * img.Height / 400
	for range flecks {
		w, h := 2+rnd.IntN(5), 3+rnd.IntN(14)
		x0, y0 := left+rnd.IntN(max(1, right-left-w)), rnd.IntN(max(1, img.Height-h))
		by := rnd.NormFloat64() * strength / 100 * float64(img.Pix[y0*img.Stride+x0])
		for y := y0; y < y0+h; y++ {
			for x := x0; x < x0+w; x++ {
				i := y*img.Stride + x
				img.Pix[i] = byte(min(max(float64(img.Pix[i])+by, 0), 255))
			}
		}
	}
}
