package inference

import "fmt"

// ScaleToCrop writes a picture of w x h pixels, in lines without gaps, into dst as CropSize x CropSize
// pixels: the mean of the covered pixels where it shrinks, linear between pixels where it grows. The
// picture is stretched to a square where it is none.
func ScaleToCrop(dst, pix []byte, w, h int) error {
	if w < 1 || h < 1 || len(pix) != w*h {
		return fmt.Errorf("a picture of %d x %d pixels cannot have %d bytes; allowed are sides from 1 and one byte a pixel", w, h, len(pix))
	}
	if len(dst) != CropSize*CropSize {
		return fmt.Errorf("a crop of %d bytes cannot be written; allowed are %d", len(dst), CropSize*CropSize)
	}
	if w == CropSize && h == CropSize {
		copy(dst, pix)
		return nil
	}
	// Across first, into lines of CropSize pixels; then along.
	lines := make([]float32, h*CropSize)
	for x, taps := range axisTaps(w) {
		for y := range h {
			var sum float32
			for i, weight := range taps.weights {
				sum += weight * float32(pix[y*w+taps.first+i])
			}
			lines[y*CropSize+x] = sum
		}
	}
	for y, taps := range axisTaps(h) {
		for x := range CropSize {
			var sum float32
			for i, weight := range taps.weights {
				sum += weight * lines[(taps.first+i)*CropSize+x]
			}
			dst[y*CropSize+x] = byte(sum + 0.5)
		}
	}
	return nil
}

// taps are the source pixels, from first on, that make one pixel of the crop; the weights add up to 1.
type taps struct {
	first   int
	weights []float32
}

// axisTaps gives the taps of each of the CropSize pixels along an axis of n pixels.
func axisTaps(n int) []taps {
	out := make([]taps, CropSize)
	ratio := float32(n) / CropSize
	for i := range out {
		if n >= CropSize {
			out[i] = areaTaps(float32(i)*ratio, float32(i+1)*ratio, n)
			continue
		}
		at := min(max((float32(i)+0.5)*ratio-0.5, 0), float32(n-1))
		first := min(int(at), max(n-2, 0))
		part := at - float32(first)
		out[i] = taps{first: first, weights: []float32{1 - part, part}}
		if n == 1 {
			out[i] = taps{weights: []float32{1}}
		}
	}
	return out
}

// areaTaps weighs the pixels that [from, to) covers by how much of each it covers.
func areaTaps(from, to float32, n int) taps {
	t := taps{first: min(int(from), n-1)}
	for i := t.first; i < n && float32(i) < to; i++ {
		covered := min(to, float32(i+1)) - max(from, float32(i))
		t.weights = append(t.weights, covered/(to-from))
	}
	return t
}
