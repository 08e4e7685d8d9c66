package inference

import (
	"math"

	"github.com/coilsight/coilsight/inspection"
)

// CropSize is the side in pixels of the picture that a classifier sees.
const CropSize = 128

// peakWithin is how far from a window's middle a peak may lie: 16 pixels around it are seen.
const peakWithin = CropSize/2 - 16

// CutCrop writes the CropSize x CropSize corrected pixels around r into dst, at native scale. Along each axis the window
// is centred on the rectangle where that fits, else as near to its middle as still shows the peak; it is then moved into
// the frame, and across also into the strip where the strip is wide enough. A frame smaller than the window is mirrored
// at its borders. dst must hold CropSize*CropSize bytes.
func CutCrop(dst []byte, img inspection.LineImage, flat inspection.FlatField, r inspection.RegionOfInterest, e inspection.StripEdges) {
	lo, hi := 0, img.Width
	if e.Present {
		l, h := max(0, int(math.Ceil(e.Left))), min(img.Width, int(e.Right))
		if h-l >= CropSize {
			lo, hi = l, h
		}
	}
	x0 := cropStart(r.X, r.Width, r.PeakX, lo, hi)
	y0 := cropStart(r.Y, r.Height, r.PeakY, 0, img.Height)
	for y := range CropSize {
		row := img.Row(mirror(y0+y, img.Height))
		out := dst[y*CropSize : (y+1)*CropSize]
		if x0 >= 0 && x0+CropSize <= img.Width {
			for i, v := range row[x0 : x0+CropSize] {
				out[i] = flat.Correct(v, x0+i)
			}
			continue
		}
		for i := range out {
			x := mirror(x0+i, img.Width)
			out[i] = flat.Correct(row[x], x)
		}
	}
}

// cropStart is where a window along one axis begins: about [from, from+size) or about peak, within
// [lo, hi) where that is long enough, else centred on it.
func cropStart(from, size, peak, lo, hi int) int {
	if hi-lo < CropSize {
		return lo - (CropSize-(hi-lo))/2
	}
	centre := from + size/2
	if size > CropSize {
		centre = min(max(centre, peak-peakWithin), peak+peakWithin)
	}
	return min(max(centre-CropSize/2, lo), hi-CropSize)
}

// mirror folds a position into [0, n), the outermost pixels being repeated once.
func mirror(i, n int) int {
	i %= 2 * n
	if i < 0 {
		i += 2 * n
	}
	if i >= n {
		i = 2*n - 1 - i
	}
	return i
}
