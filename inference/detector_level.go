package inference

import (
	"math"
	"slices"
)

// levels follows how much the measures of ordinary strip amount to: the running median of each since
// the head end.
type levels struct {
	known  bool
	median [features]float32
	// calm is the texture below which a tenth of the strip lies. What is smoother by far than that is not the
	// strip's own variation, however rough it is and however much its texture varies across.
	calm float32
	room []float32 // for the samples of a measure
}

const (
	levelStep = 0.25 // percent of brightness a bin
	calmStep  = 2.5  // percent of texture a bin
	calmShare = 0.1
	// levelLines is the run of scan lines over which a median may move by a fifth: a change of
	// texture is followed within half a metre, while a defect has passed long before.
	levelLines = 256
)

// follow takes in a frame of height lines. The first one with enough strip sets the medians; until then
// each frame is judged by its own, or by ordinary strip where it shows next to nothing.
func (l *levels) follow(feat []float32, plane int, inside blockMask, height int) {
	_, ordinary := limits()
	l.room = slices.Grow(l.room[:0], 2*inside.sampled()+quantileRoom)
	room := l.room[:cap(l.room)]
	for f := range featureSmooth {
		m, n := inside.quantile(feat[f*plane:], 0.5, levelStep, room)
		switch {
		case l.known && n < fewSamples:
		case l.known:
			most := max(levelStep, 0.2*l.median[f]) * min(1, float32(height)/levelLines)
			l.median[f] += min(max(m-l.median[f], -most), most)
		case n < fewSamples:
			l.median[f] = ordinary[f]
		default:
			l.median[f] = m
		}
	}
	switch m, n := inside.quantile(feat[featureSmooth*plane:], calmShare, calmStep, room); {
	case n < fewSamples:
	case l.known:
		most := 20 * min(1, float32(height)/levelLines)
		l.calm += min(max(m-l.calm, -most), most)
	default:
		l.calm = m
	}
	l.known = l.known || inside.rows() >= min(firstRows, len(inside.left))
}

const (
	// fewSamples of a measure tell nothing of its median.
	fewSamples = 64
	// firstRows is how many block rows of strip a frame must show for its medians to stand.
	firstRows = 12
)

// limits are the values at which the measures fire on strip of an ordinary texture, and the medians
// which that texture has, both in percent of the brightness around.
func limits() (fire, ordinary [features]float32) {
	fire = [features]float32{
		featurePatch: 9.7, featureGradX: 25, featureGradY: 35, featureTexture: 90, featureDark: 124, featureLight: 49,
		featureRow: 69, featureCol: 23, featureLine32: 19, featureLine64: 26, featureLine128: 8,
		featureSmooth: 25,
	}
	ordinary = [features]float32{
		featurePatch: 1.5, featureGradX: 5, featureGradY: 5, featureTexture: 17, featureDark: 8, featureLight: 9,
		featureRow: 4.5, featureCol: 4.5, featureLine32: 2.2, featureLine64: 1.7, featureLine128: 1.3,
	}
	return fire, ordinary
}

// leastTexture, as 100 times the logarithm of half percents, is 2.2 percent of the brightness: less is the camera's
// noise, and one part of a strip without texture is not smoother than another.
const leastTexture = 150

const (
	// adapt is the power of the strip's texture with which a limit grows. With 0 a limit is a fixed
	// contrast, and rough strip fires all over; with 1 it is a multiple of the texture, and defects on
	// rough strip are lost.
	adapt = 0.2
	// A texture beyond this multiple of the ordinary raises the limits no further.
	roughest = 3
	// quiet is the share of the ordinary texture below which a strip is taken for clean: what limits the
	// sight is then the camera's noise and not scale, and whatever rises clear of it is a defect.
	quiet = 0.6
)

// clearOf are the multiples of its own median that a measure rises to on strip without scale, with a
// third to spare.
func clearOf() [features]float32 {
	return [features]float32{
		featurePatch: 11.5, featureGradX: 1.9, featureGradY: 2.1, featureTexture: 2, featureDark: 5.5, featureLight: 3.6,
		featureRow: 5, featureCol: 4.6, featureLine32: 5.6, featureLine64: 5.6, featureLine128: 5.5,
	}
}

// weights turns the limits, each times its scale, into what a measure is multiplied by to be 1 where it fires.
func (l *levels) weights(k float32, scales *[features]float32) (weight [features]float32) {
	fire, ordinary := limits()
	times := clearOf()
	isQuiet := l.median[featureTexture] < quiet*ordinary[featureTexture]
	for f := range featureSmooth {
		texture := min(l.median[f]/ordinary[f], roughest)
		at := fire[f] * float32(math.Pow(float64(texture), adapt))
		if isQuiet {
			at = min(at, times[f]*l.median[f])
		}
		weight[f] = 1 / (k * max(at*scales[f], leastContrast))
	}
	weight[featureSmooth] = 1 / (k * fire[featureSmooth] * scales[featureSmooth])
	return weight
}

// leastContrast in percent: below it the rounding of 8-bit pixels is at work.
const leastContrast = 1.5

// blockMask says which blocks of a frame lie wholly on the strip.
type blockMask struct {
	left, right []int32 // columns of pixels, a row each
	nb          int
}

func (m blockMask) row(r int) (from, to int) {
	from = int(m.left[r]+blockSize-1) / blockSize
	return from, max(from, int(m.right[r])/blockSize)
}

// levelSamples is how many blocks of a frame a median is taken of: its error is then about a thirtieth
// of the spread, and the cost does not grow with the frame.
const levelSamples = 1500

// rows that are screened.
func (m blockMask) rows() (n int) {
	for r := range m.left {
		if m.right[r] > m.left[r] {
			n++
		}
	}
	return n
}

// each is the step from one sampled block of a row to the next.
func (m blockMask) each() int { return max(1, len(m.left)*m.nb/levelSamples) }

// sampled is the most blocks that are sampled.
func (m blockMask) sampled() int { return len(m.left) * (m.nb/m.each() + 1) }

// quantile is what the measure's size stays below on the given share of the strip, to a step, and the number of
// blocks it was taken of. Where a measure is 0 it was not taken: a line needs rows enough.
func (m blockMask) quantile(feat []float32, share, step float32, room []float32) (value float32, samples int) {
	at, n := quantile(feat, m, m.each(), step, share, room)
	if n == 0 {
		return 0, 0
	}
	return (float32(at) + 0.5) * step, n
}
