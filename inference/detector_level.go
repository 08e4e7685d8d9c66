package inference

// levels follows how much the measures of ordinary strip amount to: the running median of each since
// the head end.
type levels struct {
	known  bool
	median [features]float32
}

const (
	levelBins = 256
	levelStep = 0.25 // percent of brightness a bin
	// levelLines is the run of scan lines over which a median may move by a fifth: a change of
	// texture is followed within half a metre, while a defect has passed long before.
	levelLines = 256
)

// follow takes in a frame of height lines. The first one sets the medians.
func (l *levels) follow(feat []float32, plane int, inside blockMask, height int) {
	for f := range features {
		m, ok := inside.median(feat[f*plane:])
		if !ok {
			return
		}
		if !l.known {
			l.median[f] = m
			continue
		}
		most := max(levelStep, 0.2*l.median[f]) * min(1, float32(height)/levelLines)
		l.median[f] += min(max(m-l.median[f], -most), most)
	}
	l.known = true
}

// limits are the contrasts in percent of the brightness around at which a measure fires on strip
// without texture, and how many medians of ordinary strip are taken off first.
func limits() (at, medians [features]float32) {
	at = [features]float32{
		featurePatch: 13.5, featureWide: 20, featureGradX: 11.5, featureGradY: 16, featureDark: 40, featureLight: 60,
		featureRow: 30, featureCol: 30, featureLine32: 30, featureLine64: 16, featureLine128: 14,
	}
	medians = [features]float32{featureGradX: 1, featureGradY: 1, featureDark: 1, featureLight: 1, featureRow: 1, featureCol: 1}
	return at, medians
}

// thresholds turns the limits into what is taken off a measure and what it is multiplied by.
func (l *levels) thresholds(k float32) (floor, weight [features]float32) {
	at, medians := limits()
	for f := range features {
		floor[f] = medians[f] * l.median[f]
		weight[f] = 1 / (k * at[f])
	}
	return floor, weight
}

// blockMask says which blocks of a frame lie wholly on the strip.
type blockMask struct {
	left, right []int32 // columns of pixels, a row each
	nb          int
}

func (m blockMask) row(r int) (from, to int) {
	from = int(m.left[r]+blockSize-1) / blockSize
	return from, max(from, int(m.right[r])/blockSize)
}

// median is the middle of the measure's size over the strip, to levelStep.
func (m blockMask) median(feat []float32) (float32, bool) {
	var bins [levelBins]int32
	total := int32(0)
	for r := range m.left {
		from, to := m.row(r)
		for _, v := range feat[r*m.nb+from : r*m.nb+to] {
			if v < 0 {
				v = -v
			}
			bins[min(int(v*(1/levelStep)), levelBins-1)]++
		}
		total += int32(to - from)
	}
	seen := int32(0)
	for i, n := range bins {
		seen += n
		if 2*seen > total {
			return (float32(i) + 0.5) * levelStep, true
		}
	}
	return 0, false
}

// clear takes away the score of blocks off the strip.
func (m blockMask) clear(score []float32) {
	for r := range m.left {
		from, to := m.row(r)
		clear(score[r*m.nb : r*m.nb+min(from, m.nb)])
		clear(score[r*m.nb+min(to, m.nb) : (r+1)*m.nb])
	}
}
