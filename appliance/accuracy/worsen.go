package accuracy

import (
	"math"
	"math/rand/v2"

	"github.com/coilsight/coilsight/inference"
)

// worsening makes of a crop what a worse camera would give. seed decides the noise.
type worsening struct {
	name  string
	apply func(crop []byte, seed uint64) []byte
}

// noiseSeed is the other half of the noise's seed.
const noiseSeed = 7

// worsenings are those that training's report is written with.
func worsenings() []worsening {
	return []worsening{
		{"noise_sigma_12", func(crop []byte, seed uint64) []byte {
			rnd := rand.New(rand.NewPCG(seed, noiseSeed))
			return each(crop, func(v float64) float64 { return v + 12*rnd.NormFloat64() })
		}},
		{"blur_5x5", func(crop []byte, _ uint64) []byte { return blurred(crop, inference.CropSize) }},
		{"gain_0.5", func(crop []byte, _ uint64) []byte {
			return each(crop, func(v float64) float64 { return v * 0.5 })
		}},
		{"gain_1.4", func(crop []byte, _ uint64) []byte {
			return each(crop, func(v float64) float64 { return v * 1.4 })
		}},
		{"contrast_0.6", func(crop []byte, _ uint64) []byte {
			mean := 0.0
			for _, v := range crop {
				mean += float64(v) / float64(len(crop))
			}
			return each(crop, func(v float64) float64 { return 0.4*mean + 0.6*v })
		}},
	}
}

func grey(v float64) byte { return byte(min(max(math.RoundToEven(v), 0), 255)) }

func each(crop []byte, f func(float64) float64) []byte {
	out := make([]byte, len(crop))
	for i, v := range crop {
		out[i] = grey(f(float64(v)))
	}
	return out
}

// blurred is the mean of the 5 x 5 pixels around, the crop being mirrored about its outermost pixels.
func blurred(crop []byte, side int) []byte {
	reflect := func(i int) int {
		if i < 0 {
			return -i
		}
		if i >= side {
			return 2*(side-1) - i
		}
		return i
	}
	rows := make([]int, side*side)
	for y := range side {
		for x := range side {
			for d := -2; d <= 2; d++ {
				rows[y*side+x] += int(crop[y*side+reflect(x+d)])
			}
		}
	}
	out := make([]byte, side*side)
	for y := range side {
		for x := range side {
			sum := 0
			for d := -2; d <= 2; d++ {
				sum += rows[reflect(y+d)*side+x]
			}
			out[y*side+x] = grey(float64(sum) / 25)
		}
	}
	return out
}
