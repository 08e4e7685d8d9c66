package inference

import (
	"math"
	"math/rand/v2"

	"github.com/coilsight/coilsight/inspection"
)

// lookSpread is into how many bytes of a look each feature goes.
const lookSpread = 4

// lookSeed may be any number; another one makes looks that cannot be compared with those recorded.
const lookSeed = 0x10c5

// sketch makes looks of features: each feature is added to or taken from lookSpread sums, chosen once at random, so that
// inner products stay what they are within some percent (a sparse Johnson-Lindenstrauss transform: D. Kane and J. Nelson,
// Sparser Johnson-Lindenstrauss transforms, J. ACM 61, 2014).
type sketch [][lookSpread]struct {
	at   uint8
	sign float32
}

func newSketch(features int) sketch {
	random := rand.New(rand.NewPCG(lookSeed, uint64(features)))
	out := make(sketch, features)
	for i := range out {
		for k, at := range random.Perm(inspection.LookSize)[:lookSpread] {
			out[i][k].at, out[i][k].sign = uint8(at), float32(2*random.IntN(2)-1)
		}
	}
	return out
}

// look is that of features. Their mean is taken away first: it is large, and nearly the same in every picture.
func (k sketch) look(features []float32) (l inspection.Look) {
	var mean float32
	for _, f := range features {
		mean += f
	}
	mean /= float32(len(features))
	var sums [inspection.LookSize]float32
	for i, f := range features {
		f -= mean
		for _, to := range k[i] {
			sums[to.at] += to.sign * f
		}
	}
	var most float32
	for _, s := range sums {
		most = max(most, float32(math.Abs(float64(s))))
	}
	if !(most > 0) || math.IsInf(float64(most), 0) { // also where a feature is not a number
		return l
	}
	for i, s := range sums {
		l[i] = int8(math.Round(float64(s / most * math.MaxInt8)))
	}
	return l
}
