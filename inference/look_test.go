package inference

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// centred is the cosine of two vectors after their means were taken away, which looks are made to keep.
func centred(a, b []float32) float64 {
	mean := func(v []float32) (m float64) {
		for _, x := range v {
			m += float64(x) / float64(len(v))
		}
		return m
	}
	ma, mb := mean(a), mean(b)
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i])-ma, float64(b[i])-mb
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

func cosineOf(a, b inspection.Look) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// randomFeatures are like a network's: never negative, with a mean far from zero.
func randomFeatures(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(math.Max(0, 1+r.NormFloat64()))
	}
	return v
}

func TestLooksKeepHowAlikeFeaturesAre(t *testing.T) {
	const features = 256
	r := rand.New(rand.NewPCG(3, 4))
	k := newSketch(features)
	var squares float64
	const pairs = 300
	for range pairs {
		a, other, share := randomFeatures(r, features), randomFeatures(r, features), r.Float32()
		b := make([]float32, features)
		for i := range b {
			b[i] = share*a[i] + (1-share)*other[i]
		}
		off := cosineOf(k.look(a), k.look(b)) - centred(a, b)
		squares += off * off
	}
	// A projection to 64 numbers is off by 1/8 at most where vectors have nothing in common, less where they have.
	if rms := math.Sqrt(squares / pairs); rms > 0.125 {
		t.Errorf("cosines of looks are off by %.3f", rms)
	}
}

func TestLooksAreTheSameInEveryProcess(t *testing.T) {
	v := make([]float32, 8)
	for i := range v {
		v[i] = float32(i * i)
	}
	var sum, weighed int
	for i, b := range newSketch(len(v)).look(v) {
		sum += int(b)
		weighed += i * int(b)
	}
	// Looks are recorded: another sketch would make those in records of before worthless.
	const lookSum, lookWeighed = -451, -20999
	if sum != lookSum || weighed != lookWeighed {
		t.Errorf("the look of squares has sums %d and %d, want %d and %d", sum, weighed, lookSum, lookWeighed)
	}
}

func TestFeaturesThatSayNothingHaveNoLook(t *testing.T) {
	k := newSketch(3)
	nan := float32(math.NaN())
	for _, v := range [][]float32{{0, 0, 0}, {2, 2, 2}, {1, nan, 2}, {1, float32(math.Inf(1)), 2}} {
		if l := k.look(v); l != (inspection.Look{}) {
			t.Errorf("features %v have a look: %v", v, l)
		}
	}
}

// BenchmarkLook makes the look of one crop.
func BenchmarkLook(b *testing.B) {
	k, v := newSketch(256), randomFeatures(rand.New(rand.NewPCG(1, 2)), 256)
	b.ReportAllocs()
	for b.Loop() {
		_ = k.look(v)
	}
}

func TestMostAlikeCropHasTheSameClass(t *testing.T) {
	c, bundle := shippedClassifier(t, ClassifierOptions{})
	var crops [][]byte
	for _, g := range bundle.Golden() {
		crops = append(crops, g.Pix)
	}
	said, err := c.ClassifyBatch(nil, crops)
	if err != nil {
		t.Fatal(err)
	}
	var features [][]float32
	if err := c.each(crops, func(a answer) { features = append(features, slices.Clone(a.features)) }); err != nil {
		t.Fatal(err)
	}
	// right counts the crops whose most alike other crop has the class that the model gave them.
	right := func(alike func(i, k int) float64) (n int) {
		for i := range crops {
			best := -1
			for k := range crops {
				if k != i && (best < 0 || alike(i, k) > alike(i, best)) {
					best = k
				}
			}
			if said[best].Class == said[i].Class {
				n++
			}
		}
		return n
	}
	byLook := right(func(i, k int) float64 { return cosineOf(said[i].Look, said[k].Look) })
	byFeatures := right(func(i, k int) float64 { return centred(features[i], features[k]) })
	t.Logf("of %d golden crops the most alike one has the same class for %d by looks of %d bytes, for %d by all %d features",
		len(crops), byLook, inspection.LookSize, byFeatures, c.Features())
	if 10*byLook < 9*byFeatures || 10*byLook < 6*len(crops) {
		t.Errorf("looks find a crop of the same class for %d of %d, features for %d", byLook, len(crops), byFeatures)
	}
}
