package mill

import (
	"math/rand/v2"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// evenly draws classes so that each comes once before any comes twice.
func evenly(r *rand.Rand) func() inspection.DefectClass {
	var deck []inspection.DefectClass
	return func() inspection.DefectClass {
		if len(deck) == 0 {
			deck = Catalogue()
			r.Shuffle(len(deck), func(a, b int) { deck[a], deck[b] = deck[b], deck[a] })
		}
		class := deck[0]
		deck = deck[1:]
		return class
	}
}

// everydayShares is how many of a thousand defects are of a class. They are no mill's figures: they are such that what only looks bad is
// common and what blocks a coil is rare.
func everydayShares() []int {
	return []int{ // in the order of the catalogue
		40, 120, 220, 220, 180, 35, 170, 5, 10,
	}
}

// everyday draws classes by their shares.
func everyday(r *rand.Rand) func() inspection.DefectClass {
	var of []inspection.DefectClass // a thousand
	for i, share := range everydayShares() {
		of = append(of, slices.Repeat(Catalogue()[i:i+1], share)...)
	}
	return func() inspection.DefectClass { return of[r.IntN(len(of))] }
}

// everydayDensity is that of a coil over the mean: nearly half are good, one of five is bad.
func everydayDensity(r *rand.Rand) float64 {
	switch n := r.IntN(100); {
	case n < 45:
		return 0.3
	case n < 80:
		return 0.9
	}
	return 2.75
}
