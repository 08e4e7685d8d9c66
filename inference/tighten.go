package inference

import (
	"image"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// ringPixels around a region say what the strip looks like without it.
	ringPixels = 8
	// tightest is the largest side of a region whose extent is looked for pixel by pixel; of a larger one a block matters little.
	tightest = 160
	// ofPeak is the share of the strongest difference, and ofRing how many times the strip's own, at which a pixel belongs to the
	// defect.
	ofPeak = 0.4
	ofRing = 3
	// clearly is how many times the strip's own mean difference the strongest one must be: on rough strip a defect is more than what
	// rises above the roughness.
	clearly = 12.0
	// likeRing is how many times the strip's own mean difference what is left out may show.
	likeRing = 1.25
)

// Tighten is the extent of what stands out in a region, in pixels of the image: the detector answers in blocks of eight. It lies inside the
// region, and is the region itself where no pixel stands out alone, as in a patch of texture.
func Tighten(img inspection.LineImage, flat inspection.FlatField, r inspection.RegionOfInterest) image.Rectangle {
	whole := image.Rect(r.X, r.Y, r.X+r.Width, r.Y+r.Height)
	if r.Width > tightest || r.Height > tightest {
		return whole
	}
	around := whole.Inset(-ringPixels).Intersect(image.Rect(0, 0, img.Width, img.Height))
	grey := func(x, y int) int {
		return int(flat.Correct(img.Row(y)[x], x))
	}
	var count [256]int
	n := 0
	for y := around.Min.Y; y < around.Max.Y; y++ {
		for x := around.Min.X; x < around.Max.X; x++ {
			if !(image.Point{X: x, Y: y}).In(whole) {
				count[grey(x, y)]++
				n++
			}
		}
	}
	if n < ringPixels*ringPixels {
		return whole
	}
	middle := rank(&count, n/2)
	var off [256]int
	ring := 0 // sum of the differences around
	for v, k := range count {
		d := max(v-middle, middle-v)
		off[d] += k
		ring += d * k
	}
	spread := rank(&off, n/2) + 1

	// Rows and columns are counted apart: a speck of noise has neither two pixels in a row nor in a column beside it.
	most := 0
	for y := whole.Min.Y; y < whole.Max.Y; y++ {
		for x := whole.Min.X; x < whole.Max.X; x++ {
			d := grey(x, y) - middle
			most = max(most, d, -d)
		}
	}
	if float64(most)*float64(n) < clearly*float64(ring) {
		return whole
	}
	limit := max(int(ofPeak*float64(most)), ofRing*spread)
	var rows, columns [tightest]int
	for y := whole.Min.Y; y < whole.Max.Y; y++ {
		for x := whole.Min.X; x < whole.Max.X; x++ {
			if d := grey(x, y) - middle; d >= limit || -d >= limit {
				rows[y-whole.Min.Y]++
				columns[x-whole.Min.X]++
			}
		}
	}
	x0, x1 := extent(columns[:r.Width])
	y0, y1 := extent(rows[:r.Height])
	if x0 >= x1 || y0 >= y1 {
		return whole
	}
	tight := image.Rect(whole.Min.X+x0, whole.Min.Y+y0, whole.Min.X+x1, whole.Min.Y+y1)
	// What is left out must look like the strip around: a patch of scale is more than its strongest pixels.
	left, rest := 0, whole.Dx()*whole.Dy()-tight.Dx()*tight.Dy()
	for y := whole.Min.Y; y < whole.Max.Y; y++ {
		for x := whole.Min.X; x < whole.Max.X; x++ {
			if !(image.Point{X: x, Y: y}).In(tight) {
				d := grey(x, y) - middle
				left += max(d, -d)
			}
		}
	}
	if float64(left)*float64(n) > likeRing*float64(ring)*float64(rest) {
		return whole
	}
	return tight
}

// rank is the value that so many of those counted lie at or below.
func rank(count *[256]int, n int) int {
	for v, k := range count {
		if n -= k; n < 0 {
			return v
		}
	}
	return 255
}

// extent is the first and the last line that two pixels lie on, exclusive.
func extent(lines []int) (from, to int) {
	from = slices.IndexFunc(lines, func(n int) bool { return n >= 2 })
	if from < 0 {
		return 0, 0
	}
	for to = len(lines); to > from && lines[to-1] < 2; to-- {
	}
	return from, to
}
