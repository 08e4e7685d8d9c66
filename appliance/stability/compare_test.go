package stability

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/inspection"
)

func event(picture, x, y, size int, class inspection.DefectClass, confidence, score float32) Event {
	return Event{Picture: picture, Score: score, Event: appliance.Event{X: x, Y: y, Width: size, Height: size, Class: class, Confidence: confidence}}
}

// baseline has 40 events of 32 x 32 pixels in two pictures, the first 200 long, every fourth a hole.
func baseline() Run {
	r := Run{
		At: time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC), Reference: "strips",
		Conditions: inspection.StabilityConditions{Model: "steel 1.0.0", Program: "0.2.0", Threshold: 1, Provider: "cpu"},
		Pictures: []Picture{
			{Name: "1.png", SHA256: "aa", Width: 1600, Height: 256, Brightness: 120, Noise: 4},
			{Name: "2.png", SHA256: "bb", Width: 1600, Height: 256, Brightness: 130, Noise: 4},
		},
	}
	for i := range 40 {
		class := inspection.DefectClass("red_iron")
		if i%4 == 0 {
			class = "hole"
		}
		r.Events = append(r.Events, event(i%2, 40*i, 64, 32, class, 0.9, 2))
	}
	r.Events[0].Height = 200
	return r
}

func failed(r inspection.StabilityCheck) (names []string) {
	for _, f := range r.Figures {
		if !f.Pass {
			names = append(names, f.Name)
		}
	}
	return names
}

func TestCheckNamesTheFiguresThatMoved(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Run)
		fails  []string
		has    map[string]float64
	}{
		"the same": {func(*Run) {}, nil, map[string]float64{FoundAgain: 1, ClassAgreement: 1, NewEvents: 0, LargestShift: 0, BrightnessDrift: 0}},
		"one event of forty is lost": {
			func(r *Run) { r.Events = r.Events[1:] },
			nil,
			map[string]float64{FoundAgain: 0.975},
		},
		"four events are lost": {
			func(r *Run) { r.Events = r.Events[4:] },
			[]string{FoundAgain},
			map[string]float64{FoundAgain: 0.9, NewEvents: 0},
		},
		"three events are new": {
			func(r *Run) {
				for i := range 3 {
					r.Events = append(r.Events, event(0, 100*i+50, 200, 16, "hole", 0.8, 1.1))
				}
			},
			[]string{NewEvents},
			map[string]float64{NewEvents: 0.075, FoundAgain: 1},
		},
		"three answers turn over": {
			func(r *Run) {
				for i := range 3 {
					r.Events[4*i].Class, r.Events[4*i].Confidence = "red_iron", 0.5
				}
			},
			[]string{ClassAgreement},
			map[string]float64{ClassAgreement: 37.0 / 40, ConfidenceDrift: 0},
		},
		"everything is 6 pixels lower": {
			func(r *Run) {
				for i := range r.Events {
					r.Events[i].Y += 6
				}
			},
			[]string{MeanShift},
			map[string]float64{MeanShift: 6, LargestShift: 6, FoundAgain: 1},
		},
		"one event is 20 pixels away": {
			func(r *Run) { r.Events[0].Y += 20 },
			nil,
			map[string]float64{MeanShift: 0.5, LargestShift: 20},
		},
		"a long event is 40 pixels away": {
			func(r *Run) { r.Events[0].Y += 40 },
			[]string{LargestShift},
			map[string]float64{LargestShift: 40, FoundAgain: 1},
		},
		"confidence falls": {
			func(r *Run) {
				for i := range r.Events {
					r.Events[i].Confidence -= 0.1
				}
			},
			[]string{ConfidenceDrift},
			map[string]float64{ConfidenceDrift: -0.1},
		},
		"scores rise": {
			func(r *Run) {
				for i := range r.Events {
					r.Events[i].Score *= 1.25
				}
			},
			[]string{ScoreDrift},
			map[string]float64{ScoreDrift: 0.25},
		},
		"the lamp is weaker": {
			func(r *Run) {
				for i := range r.Pictures {
					r.Pictures[i].Brightness *= 0.9
				}
			},
			[]string{BrightnessDrift},
			map[string]float64{BrightnessDrift: -0.1},
		},
		"the camera is noisier": {
			func(r *Run) { r.Pictures[0].Noise *= 2 },
			[]string{NoiseDrift},
			map[string]float64{NoiseDrift: 0.5},
		},
		"a picture is gone": {
			func(r *Run) { r.Pictures = r.Pictures[:1] },
			[]string{PicturesPresent},
			map[string]float64{PicturesPresent: 0.5},
		},
		"nothing is found": {
			func(r *Run) { r.Events = nil },
			[]string{FoundAgain, ClassAgreement, MeanShift, LargestShift, ConfidenceDrift, ScoreDrift},
			map[string]float64{FoundAgain: 0},
		},
	} {
		now := baseline()
		c.change(&now)
		r := Compare("a", baseline(), now, Limits())
		got := failed(r)
		if r.Pass != (len(c.fails) == 0) || len(got) != len(c.fails) {
			t.Errorf("%s: pass %v, failed %v; want %v", name, r.Pass, got, c.fails)
			continue
		}
		for i := range got {
			if got[i] != c.fails[i] {
				t.Errorf("%s: failed %v; want %v", name, got, c.fails)
			}
		}
		for _, f := range r.Figures {
			want, ok := c.has[f.Name]
			if ok && (f.Measured == nil || math.Abs(*f.Measured-want) > 1e-6) {
				t.Errorf("%s: %s is %v; want %g", name, f.Name, f.Measured, want)
			}
		}
	}
}

func TestWhatChangedSinceTheBaselineIsNamed(t *testing.T) {
	now := baseline()
	now.Conditions = inspection.StabilityConditions{Model: "steel 1.1.0", Program: "0.3.0", Threshold: 1.25, Provider: "cuda"}
	now.Pictures[1].SHA256 = "cc"
	r := Compare("a", baseline(), now, Limits())
	want := []inspection.StabilityChange{
		{What: "model", Before: "steel 1.0.0", Now: "steel 1.1.0"},
		{What: "program", Before: "0.2.0", Now: "0.3.0"},
		{What: "threshold", Before: "1", Now: "1.25"},
		{What: "provider", Before: "cpu", Now: "cuda"},
		{What: "pictures", Before: "as at the baseline", Now: "1 of 2 have other content: 2.png"},
	}
	if len(r.Changed) != len(want) {
		t.Fatalf("changed %+v", r.Changed)
	}
	for i := range want {
		if r.Changed[i] != want[i] {
			t.Errorf("changed %+v; want %+v", r.Changed[i], want[i])
		}
	}
	if r := Compare("a", baseline(), baseline(), Limits()); len(r.Changed) != 0 {
		t.Errorf("the same run differs by %+v", r.Changed)
	}
}

func TestEventsArePairedOneToOneWithinTheirPicture(t *testing.T) {
	base := []Event{event(0, 0, 0, 32, "hole", 1, 1), event(0, 24, 0, 32, "hole", 1, 1), event(1, 0, 0, 32, "hole", 1, 1)}
	for name, c := range map[string]struct {
		now   []Event
		want  []pair // without their measures
		fresh int
	}{
		"each to its own, not to its neighbour": {
			[]Event{event(0, 25, 0, 32, "hole", 1, 1), event(0, 2, 0, 32, "hole", 1, 1)},
			[]pair{{base: 0, now: 1}, {base: 1, now: 0}},
			0,
		},
		"one for two that are apart finds one": {[]Event{event(0, 4, 16, 16, "hole", 1, 1)}, []pair{{base: 0, now: 0}}, 0},
		"two became one":                       {[]Event{event(0, 0, 0, 56, "hole", 1, 1)}, []pair{{base: 0, now: 0}, {base: 1, now: 0, part: true}}, 0},
		"one became two":                       {[]Event{event(1, 0, 0, 24, "hole", 1, 1), event(1, 16, 16, 20, "hole", 1, 1)}, []pair{{base: 2, now: 0}}, 0},
		"the place in another picture":         {[]Event{event(2, 0, 0, 32, "hole", 1, 1)}, nil, 1},
		"far away":                             {[]Event{event(1, 100, 0, 32, "hole", 1, 1)}, nil, 1},
		"small and near without overlap":       {[]Event{event(1, 24, 24, 8, "hole", 1, 1)}, []pair{{base: 2, now: 0}}, 0},
	} {
		got, fresh := match(base, c.now)
		for i := range got {
			got[i].iou, got[i].distance = 0, 0
		}
		slices.SortFunc(got, func(a, b pair) int { return a.base - b.base })
		slices.SortFunc(c.want, func(a, b pair) int { return a.base - b.base })
		if !slices.Equal(got, c.want) || fresh != c.fresh {
			t.Errorf("%s: %+v and %d new; want %+v and %d", name, got, fresh, c.want, c.fresh)
		}
	}
}

func TestEventThatGrewAtOneEndIsWhereItWas(t *testing.T) {
	long := Event{Event: appliance.Event{X: 10, Y: 20, Width: 20, Height: 200}}
	for name, c := range map[string]struct {
		x, y, width, height int
		want                float64
	}{
		"the same":       {10, 20, 20, 200, 0},
		"cut off":        {10, 20, 20, 80, 0},
		"cut at the top": {10, 140, 20, 80, 0},
		"grown all over": {2, 12, 36, 216, 0},
		"moved":          {13, 24, 20, 200, 5},
		"moved and cut":  {13, 24, 20, 100, 5},
	} {
		if got := moved(long, Event{Event: appliance.Event{X: c.x, Y: c.y, Width: c.width, Height: c.height}}); got != c.want {
			t.Errorf("%s: %g; want %g", name, got, c.want)
		}
	}
}

func TestLimitsAreChangedByNameWithinWhatIsPossible(t *testing.T) {
	limits, err := ParseLimits([]string{"mean_shift=3.5", "found_again=0.9"})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range limits {
		if l.Figure == MeanShift && l.Value != 3.5 || l.Figure == FoundAgain && l.Value != 0.9 || l.Figure == NewEvents && l.Value != 0.05 {
			t.Errorf("limit %+v", l)
		}
		if l.Says == "" || l.Reason == "" {
			t.Errorf("limit %s has no reason", l.Figure)
		}
	}
	for _, bad := range []string{"", "mean_shift", "mean_shift=", "mean_shift=-1", "mean_shift=NaN", "found_again=95", "shift=1"} {
		if _, err := ParseLimits([]string{bad}); err == nil {
			t.Errorf("limit %q was taken", bad)
		}
	}
}

func TestNoiseAndBrightnessAreThoseOfThePicture(t *testing.T) {
	img := inspection.LineImage{Pix: make([]byte, 300*200), Width: 300, Height: 200, Stride: 300}
	for name, c := range map[string]struct {
		pixel             func(x, y int) int
		brightness, noise float64
	}{
		"even":       {func(int, int) int { return 90 }, 90, 0},
		"an incline": {func(x, y int) int { return x/4 + y/4 }, 37.375 + 24.375, 0.4},
		"an edge":    {func(x, _ int) int { return 60 + 100*(x/150) }, 110, 0},
	} {
		for y := range img.Height {
			for x := range img.Width {
				img.Row(y)[x] = byte(c.pixel(x, y))
			}
		}
		if b := brightness(img); math.Abs(b-c.brightness) > 0.5 {
			t.Errorf("%s: brightness %g; want %g", name, b, c.brightness)
		}
		if n := noise(img); n > c.noise {
			t.Errorf("%s: noise %g; want at most %g", name, n, c.noise)
		}
	}
}
