package teach

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/coilsight/coilsight/inference"
)

// near gives features a little off a direction.
func near(rnd *rand.Rand, direction int, off float64) []float32 {
	f := make([]float32, 16)
	for i := range f {
		f[i] = float32(rnd.NormFloat64() * off)
	}
	f[direction]++
	return inference.UnitFeatures(nil, f)
}

const testReach = 0.3

func TestTextureIsLearnedAndMarksAreListed(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var regions []Region
	for i := range 200 { // texture: everywhere
		regions = append(regions, Region{Picture: i % 40, Across: rnd.Float64(), Line: i * 700, Features: near(rnd, 0, 0.02)})
	}
	for i := range 30 { // a guide's scratch: one place across, at any distance
		regions = append(regions, Region{Picture: i, Across: 0.71, Line: rnd.IntN(100_000), Features: near(rnd, 3, 0.02)})
	}
	for i := range 10 { // a roll's mark: one place across, at one distance
		regions = append(regions, Region{Picture: i * 4, Across: 0.2, Line: 500 + i*4_000 + rnd.IntN(20), Features: near(rnd, 6, 0.02)})
	}
	for i := range 6 { // a few alike
		regions = append(regions, Region{Picture: i, Across: rnd.Float64(), Features: near(rnd, 9, 0.02)})
	}
	looks, fixed := recur(regions, 40, testReach, nil, func(r *Region) float64 { return float64(r.Line) })
	normal := inference.Normal{}
	for _, l := range looks {
		normal = append(normal, l.Prototype)
	}
	for _, c := range []struct {
		name      string
		direction int
		want      bool
	}{{"texture", 0, true}, {"a scratch at one place across", 3, false}, {"a mark at one distance along", 6, false}, {"what is seen six times", 9, false}} {
		if got := normal.Holds(near(rnd, c.direction, 0), 0.5); got != c.want {
			t.Errorf("%s is held: %v; want %v", c.name, got, c.want)
		}
	}
	if normal.Holds(near(rnd, 0, 0), 0.95) {
		t.Error("a look that nobody was asked about overrules a model that is sure")
	}
	var places []float64
	every := 0.0
	for _, f := range fixed {
		places = append(places, math.Round(f.Across*100)/100)
		if f.Across < 0.5 {
			every = f.EveryLines
		}
	}
	if len(fixed) != 2 || math.Abs(every-4_000) > 40 {
		t.Errorf("what comes back is listed at %v, the mark every %.0f lines; want two places, and 4,000 lines", places, every)
	}
}

func TestSomethingAtAnyDistanceHasNoPeriod(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	wrong := 0
	for range 200 {
		var at []float64
		for range 12 {
			at = append(at, rnd.Float64()*100_000)
		}
		if period(at) != 0 {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of 200 random rows have a period", wrong)
	}
	var at []float64
	for i := range 12 {
		if i != 4 && i != 7 { // turns of which nothing was seen
			at = append(at, 1_000+float64(i)*3_141+rnd.Float64()*20)
		}
	}
	if got := period(at); math.Abs(got-3_141) > 30 {
		t.Errorf("a mark every 3,141 lines that is missed twice has the period %.0f", got)
	}
}

func TestNoLookHoldsADefect(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	var regions []Region
	for i := range 300 {
		regions = append(regions, Region{Picture: i % 50, Across: rnd.Float64(), Features: near(rnd, 0, 0.06)})
	}
	for _, off := range []float64{0, 0.05, 0.1, 0.3} {
		defect := near(rnd, 0, off)
		looks, _ := recur(regions, 50, testReach, [][]float32{defect}, nil)
		for i, l := range looks {
			if d := inference.Distance(l.Features, defect); d <= l.Radius {
				t.Errorf("look %d of radius %.3f holds a defect at %.3f", i, l.Radius, d)
			}
		}
	}
}

// drawn gives the responses of so many tiles of ordinary strip, and of a share with defects.
func drawn(rnd *rand.Rand, tiles int, middle, width, defects float64) *responses {
	r := newResponses()
	one := make([]float32, len(inference.Measures()))
	for range tiles {
		for f := range one {
			one[f] = float32(max(0, middle-width*math.Log(-math.Log(rnd.Float64()))))
			if rnd.Float64() < defects {
				one[f] = 3
			}
		}
		r.add(one)
	}
	return r
}

func TestScalesFollowTheStripAndNotItsDefects(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	clean, spoilt := drawn(rnd, 20_000, 0.6, 0.08, 0).scales(), drawn(rnd, 20_000, 0.6, 0.08, 0.03).scales()
	for f := range clean {
		if d := math.Abs(float64(spoilt[f] - clean[f])); d > 0.1 {
			t.Errorf("defects on 3 %% of the tiles move the scale of %s from %.2f to %.2f", inference.Measures()[f], clean[f], spoilt[f])
		}
	}
	if at, want := float64(clean[0]), 0.6+0.08*math.Log(1/rareTile); math.Abs(at-want) > 0.05 {
		t.Errorf("the scale is %.2f; the rare tile reaches %.2f", at, want)
	}
	for name, r := range map[string]*responses{"rough": drawn(rnd, 5_000, 2, 0.5, 0), "smooth": drawn(rnd, 5_000, 0.05, 0.01, 0)} {
		if err := r.scales().Check(); err != nil {
			t.Errorf("%s strip: %v", name, err)
		}
	}
	if s := drawn(rnd, 5_000, 0.3, 0.02, 0).scales(); s[0] > 1 {
		t.Errorf("a limit that nothing reaches is raised to %.2f", s[0])
	}
}

func TestAnswersAreFollowed(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	var regions []Region
	for i := range 120 {
		regions = append(regions, Region{Picture: i % 30, Across: rnd.Float64(), Features: near(rnd, 0, 0.05)})
	}
	looks, _ := recur(regions, 30, testReach, nil, nil)
	v := &Taught{Reach: testReach}
	for _, l := range looks {
		v.Looks = append(v.Looks, Look{Prototype: l.Prototype})
	}
	sure := &Region{Features: near(rnd, 0, 0.01), Confidence: 0.99}
	if v.Normal().Holds(sure.Features, sure.Confidence) {
		t.Fatal("the model is overruled before anybody was asked")
	}
	if err := v.allow(sure); err != nil || !v.Normal().Holds(sure.Features, sure.Confidence) {
		t.Errorf("what a person called normal is still reported: %v", err)
	}
	other := &Region{Features: near(rnd, 5, 0.01), Confidence: 0.8}
	if err := v.allow(other); err != nil || !v.Normal().Holds(other.Features, 0.99) {
		t.Errorf("a new look that a person called normal is still reported: %v", err)
	}
	v.Defects = append(v.Defects, near(rnd, 0, 0.02))
	v.trim()
	if v.Normal().Holds(v.Defects[0], 0) {
		t.Error("what a person called a defect is taken for normal")
	}
	if err := v.allow(&Region{Features: near(rnd, 0, 0.005)}); err == nil {
		t.Error("what looks like a defect may be called normal")
	}
}
