package inference

import (
	"image"
	"math"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// ringPixels around a region say what the strip looks like without it.
	ringPixels = 8
	// tightest is the largest side of a region whose extent is looked for pixel by pixel; of a larger one a block matters little.
	tightest = 320
	// ofPeak is the share of the strongest difference, and ofRing how many times the strip's own, at which a pixel belongs to the
	// defect.
	ofPeak = 0.4
	ofRing = 3
	// leastOfPeak is the least such share that is tried where more than the strip's own is left out.
	leastOfPeak = 0.05
	// clearly is how many times the strip's own mean difference the strongest one must be: on rough strip a defect is more than what
	// rises above the roughness.
	clearly = 12.0
	// likeRing is how many times the strip's own mean difference what is left out may show.
	likeRing = 1.25
)

// Tighten is the extent of what stands out in a region, in pixels of the image: the detector answers in blocks of eight, and leaves out
// the rim of the strip. It lies inside the region, but for what goes on in the rim beside it, and is the region itself where no pixel
// stands out alone, as in a patch of texture.
func Tighten(img inspection.LineImage, flat inspection.FlatField, r inspection.RegionOfInterest, e inspection.StripEdges) image.Rectangle {
	return intoRim(img, flat, tighten(img, flat, r), e)
}

const (
	// rimReach is how far from the strip's edge a region may begin that the rim beside it is looked at: what is not screened, and a
	// block.
	rimReach = edgeKeep + blockSize
	// rimRows before and behind a region say what the rim is like.
	rimRows = 32
	// rimChange is the share of its brightness by which a column of the rim differs where the defect goes on.
	rimChange = 0.2
)

// intoRim follows what reaches the screened part's border on to the strip's edge: an edge crack begins there.
func intoRim(img inspection.LineImage, flat inspection.FlatField, q image.Rectangle, e inspection.StripEdges) image.Rectangle {
	if !e.Present {
		return q
	}
	goesOn := func(x int) bool {
		mean := func(from, to int) (sum float64, n int) {
			for y := max(0, from); y < min(img.Height, to); y++ {
				sum += float64(flat.Correct(img.Row(y)[x], x))
				n++
			}
			return sum, n
		}
		a, n := mean(q.Min.Y-rimRows, q.Min.Y-2)
		b, m := mean(q.Max.Y+2, q.Max.Y+rimRows)
		in, k := mean(q.Min.Y, q.Max.Y)
		if n+m < rimRows/2 {
			return false
		}
		usual := (a + b) / float64(n+m)
		return math.Abs(in/float64(k)-usual) >= rimChange*usual
	}
	if left := int(math.Ceil(e.Left)); q.Min.X > left && q.Min.X-left <= rimReach {
		for q.Min.X > left && goesOn(q.Min.X-1) {
			q.Min.X--
		}
	}
	if right := int(e.Right); q.Max.X < right && right-q.Max.X <= rimReach {
		for q.Max.X < right && goesOn(q.Max.X) {
			q.Max.X++
		}
	}
	return q
}

// tighten finds the extent inside the region.
func tighten(img inspection.LineImage, flat inspection.FlatField, r inspection.RegionOfInterest) image.Rectangle {
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
	for v, k := range count {
		off[max(v-middle, middle-v)] += k
	}
	spread := rank(&off, n/2) + 1
	ring := usual(&off, n)

	// Rows and columns are counted apart: a speck of noise has neither two pixels in a row nor in a column beside it.
	most := 0
	for y := whole.Min.Y; y < whole.Max.Y; y++ {
		for x := whole.Min.X; x < whole.Max.X; x++ {
			d := grey(x, y) - middle
			most = max(most, d, -d)
		}
	}
	if float64(most) < clearly*ring {
		return whole
	}
	// What is left out must look like the strip around: a patch of scale is more than its strongest pixels, a hole has a rim.
	for share := ofPeak; share >= leastOfPeak; share /= 2 {
		limit := max(int(share*float64(most)), ofRing*spread)
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
		left, rest := 0, whole.Dx()*whole.Dy()-tight.Dx()*tight.Dy()
		for y := whole.Min.Y; y < whole.Max.Y; y++ {
			for x := whole.Min.X; x < whole.Max.X; x++ {
				if !(image.Point{X: x, Y: y}).In(tight) {
					d := grey(x, y) - middle
					left += max(d, -d)
				}
			}
		}
		if float64(left) <= likeRing*ring*float64(rest) {
			return tight
		}
	}
	return whole
}

// usual is the mean of n differences, told from the smaller three quarters of them as if they were those of noise: a defect that reaches
// into the ring does not count.
func usual(off *[256]int, n int) float64 {
	const share, ofNoise = 0.75, 1.55
	left, sum := int(share*float64(n)), 0
	for d, k := range off {
		k = min(k, left)
		sum += d * k
		left -= k
	}
	return ofNoise * float64(sum) / (share * float64(n))
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
