package inspection

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The figures of 81/263, 15/148, 0/20 and 1/29 are those published by R. G. Newcombe, Two-sided confidence intervals
// for the single proportion, Statistics in Medicine 17, 1998, table I, method 3.
func TestWilsonIntervalHasThePublishedValues(t *testing.T) {
	for _, c := range []struct {
		right, n     int
		lower, upper float64
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0, 0.1611},
		{1, 29, 0.0061, 0.1718},
		{8, 10, 0.4902, 0.9433},
		{10, 10, 0.7225, 1},
		{1, 1, 0.2065, 1},
		{0, 1, 0, 0.7935},
	} {
		w := Wilson(c.right, c.n)
		if math.Abs(w.Lower-c.lower) > 5e-5 || math.Abs(w.Upper-c.upper) > 5e-5 || w.Rate != float64(c.right)/float64(c.n) {
			t.Errorf("%d of %d: %+v; want %g to %g", c.right, c.n, w, c.lower, c.upper)
		}
		if !(0 <= w.Lower && w.Lower <= w.Rate && w.Rate <= w.Upper && w.Upper <= 1) {
			t.Errorf("%d of %d: %+v is no interval", c.right, c.n, w)
		}
	}
}

func TestDrawsAreProportionalWithALeastOfEachClass(t *testing.T) {
	for name, c := range map[string]struct {
		sizes        []int
		count, least int
		want         []int // nil: refused
	}{
		"proportional":                 {[]int{600, 300, 100}, 100, 0, []int{60, 30, 10}},
		"a rare class gets its least":  {[]int{900, 90, 10}, 100, 5, []int{86, 9, 5}},
		"as many as there are":         {[]int{900, 98, 2}, 100, 5, []int{88, 10, 2}},
		"more than there are":          {[]int{3, 2}, 100, 1, []int{3, 2}},
		"odd remainders add up":        {[]int{1, 1, 1}, 2, 0, []int{1, 1, 0}},
		"one":                          {[]int{5, 90}, 1, 0, []int{0, 1}},
		"just the least of each":       {[]int{50, 50}, 10, 5, []int{5, 5}},
		"fewer than the least of each": {[]int{50, 50}, 9, 5, nil},
		"one class":                    {[]int{50}, 20, 5, []int{20}},
	} {
		var strata []Stratum
		for i, n := range c.sizes {
			strata = append(strata, Stratum{Class: DefectClass(fmt.Sprint(i)), Size: n})
		}
		err := Allocate(strata, c.count, c.least)
		if c.want == nil {
			if err == nil || !strings.Contains(err.Error(), "10 in all") {
				t.Errorf("%s: %v, %v", name, strata, err)
			}
			continue
		}
		var got []int
		for _, h := range strata {
			got = append(got, h.Drawn)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
}

func TestEveryDefectOfAStratumIsDrawnEquallyOften(t *testing.T) {
	strata := []Stratum{{"hole", 10, 3}, {"red_iron", 40, 8}}
	const rounds = 8000
	times := map[DefectID]int{}
	first := map[DefectID]int{} // drawn as the first of all
	for round := range uint64(rounds) {
		d := NewDrawing(strata, rand.NewPCG(round, 1))
		for id := range DefectID(50) {
			class := DefectClass("red_iron")
			if id%5 == 0 {
				class = "hole"
			}
			d.See(id, class)
			d.See(1000+id, "dent") // of no stratum
		}
		drawn := d.Drawn()
		if len(drawn) != 11 {
			t.Fatalf("%d drawn: %v", len(drawn), drawn)
		}
		first[drawn[0]]++
		for _, id := range drawn {
			times[id]++
		}
	}
	for id := range DefectID(50) {
		share := 8.0 / 40
		if id%5 == 0 {
			share = 3.0 / 10
		}
		// Five standard deviations of a binomial count.
		if want := rounds * share; math.Abs(float64(times[id])-want) > 5*math.Sqrt(want*(1-share)) {
			t.Errorf("defect %d was drawn %d times; want about %.0f", id, times[id], want)
		}
		if want := rounds * share / 11; math.Abs(float64(first[id])-want) > 5*math.Sqrt(want) {
			t.Errorf("defect %d was the first %d times; want about %.0f", id, first[id], want)
		}
	}
	if len(times) != 50 {
		t.Errorf("%d different defects were drawn", len(times))
	}
}

func TestTheSameSeedDrawsTheSameSample(t *testing.T) {
	draw := func(seed uint64) []DefectID {
		d := NewDrawing([]Stratum{{"hole", 1000, 20}}, rand.NewPCG(seed, 1))
		for id := range DefectID(1000) {
			d.See(id, "hole")
		}
		return d.Drawn()
	}
	if !slices.Equal(draw(3), draw(3)) || slices.Equal(draw(3), draw(4)) {
		t.Error("the seed does not decide the sample")
	}
}

// drawnDefects are n of a class by the model, of which so many were reviewed with each answer.
func drawnDefects(class DefectClass, n int, answers map[DefectClass]int) (out []Defect) {
	for answer, k := range answers {
		for range k {
			out = append(out, Defect{Class: class, Review: &Review{Class: answer}})
		}
	}
	for len(out) < n {
		out = append(out, Defect{Class: class})
	}
	return out
}

func TestRateOfAReviewedSample(t *testing.T) {
	s := Sample{Strata: []Stratum{{"hole", 900, 50}, {"red_iron", 100, 10}}}
	all := append(
		drawnDefects("hole", 50, map[DefectClass]int{"hole": 45, "red_iron": 2, NoDefect: 2, Unknown: 1}),
		drawnDefects("red_iron", 10, map[DefectClass]int{"red_iron": 5, "hole": 5})...)
	all = append(all, Defect{Class: "dent", Review: &Review{Class: "dent"}}) // of no stratum
	e := EstimateRate(s, all)
	if e.Drawn != 60 || e.Reviewed != 60 || e.Open != 0 || e.Right != 50 || len(e.Unreviewed()) != 0 {
		t.Errorf("estimate %+v", e)
	}
	if h := e.Classes[0]; h.Right != 45 || h.NoDefect != 2 || h.Unknown != 1 || h.Reviewed != 50 || h.Rate.Rate != 0.9 {
		t.Errorf("holes %+v", h)
	}
	if math.Abs(e.Plain.Rate-50.0/60) > 1e-9 {
		t.Errorf("plain %+v", e.Plain)
	}
	// 0.9 x 0.9 + 0.1 x 0.5, and its bounds computed apart from this program.
	if r := e.Stratified; math.Abs(r.Rate-0.86) > 1e-9 || math.Abs(r.Lower-0.757544) > 1e-6 || math.Abs(r.Upper-0.915395) > 1e-6 {
		t.Errorf("stratified %+v", r)
	}
}

func TestUnfinishedSampleSaysWhatIsOpen(t *testing.T) {
	s := Sample{Strata: []Stratum{{"hole", 900, 50}, {"red_iron", 100, 10}}}
	none := EstimateRate(s, append(drawnDefects("hole", 50, nil), drawnDefects("red_iron", 10, nil)...))
	if none.Open != 60 || none.Plain != nil || none.Stratified != nil || none.Classes[0].Rate != nil {
		t.Errorf("nothing reviewed: %+v", none)
	}
	one := EstimateRate(s, append(drawnDefects("hole", 50, map[DefectClass]int{"hole": 8, "red_iron": 2}), drawnDefects("red_iron", 10, nil)...))
	if one.Open != 50 || one.Plain == nil || one.Plain.Rate != 0.8 || one.Stratified != nil || one.Classes[1].Rate != nil {
		t.Errorf("one class reviewed: %+v", one)
	}
	if u := one.Unreviewed(); !slices.Equal(u, []DefectClass{"red_iron"}) {
		t.Errorf("classes without a review: %v", u)
	}
}

func TestAllRightLeavesDoubtUnlessAllIsKnown(t *testing.T) {
	s := Sample{Strata: []Stratum{{"hole", 1000, 20}, {"red_iron", 5, 5}}}
	e := EstimateRate(s, append(drawnDefects("hole", 20, map[DefectClass]int{"hole": 20}), drawnDefects("red_iron", 5, map[DefectClass]int{"red_iron": 5})...))
	if r := e.Stratified; r.Rate != 1 || r.Upper != 1 || r.Lower > 0.9 || r.Lower < 0.8 {
		t.Errorf("stratified %+v", r)
	}
	s.Strata[0].Size = 20
	e = EstimateRate(s, append(drawnDefects("hole", 20, map[DefectClass]int{"hole": 19, NoDefect: 1}), drawnDefects("red_iron", 5, map[DefectClass]int{"red_iron": 5})...))
	if r := e.Stratified; math.Abs(r.Rate-0.96) > 1e-9 || r.Lower != r.Rate || r.Upper != r.Rate {
		t.Errorf("every defect was reviewed: %+v", r)
	}
}

// The interval is worth its name where it holds the true rate in about 95 of 100 samples.
func TestStratifiedIntervalHoldsTheTruthInNineteenOfTwentySamples(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	strata := []Stratum{{"a", 5000, 80}, {"b", 1500, 24}, {"c", 60, 5}}
	rates := []float64{0.96, 0.85, 0.6}
	truth := (5000*0.96 + 1500*0.85 + 60*0.6) / 6560
	const rounds = 4000
	held := 0
	for range rounds {
		var drawn []Defect
		for i, h := range strata {
			for range h.Drawn {
				answer := NoDefect
				if r.Float64() < rates[i] {
					answer = h.Class
				}
				drawn = append(drawn, Defect{Class: h.Class, Review: &Review{Class: answer}})
			}
		}
		if e := EstimateRate(Sample{Strata: strata}, drawn).Stratified; e.Lower <= truth && truth <= e.Upper {
			held++
		}
	}
	if share := float64(held) / rounds; share < 0.935 || share > 0.985 {
		t.Errorf("the truth is inside in %.1f %% of the samples", 100*share)
	}
}
