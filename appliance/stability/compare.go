package stability

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// Two boxes are the same event where they share so much of their union, or their middles are so near. An
	// event of 16 x 16 pixels that moves by one block each way has an IoU of 0.14 and is 11 pixels away; a long
	// scratch whose end is cut off differently is far away and has a large IoU.
	sameIoU      = 0.3
	sameDistance = 24 // px, three of the detector's blocks
	sameInside   = 0.5

	fewEvents = 20
)

// Compare judges a run by a baseline.
func Compare(name string, base, now Run, limits []Limit) inspection.StabilityCheck {
	pairs, fresh := match(base.Events, now.Events)
	r := inspection.StabilityCheck{
		Name: name, At: now.At, BaselineAt: base.At, Conditions: now.Conditions, Reference: now.Reference,
		Events: len(base.Events), Found: len(pairs), New: fresh, Few: len(base.Events) < fewEvents,
		Changed: changed(base, now), Classes: countClasses(base.Events, now.Events, pairs), Pass: true,
	}
	measured := measure(base, now, pairs, fresh)
	for _, l := range limits {
		f := inspection.StabilityFigure{Name: l.Figure, Limit: l.Value, Least: l.Least, Unit: l.Unit}
		if v, ok := measured[l.Figure]; ok {
			f.Measured = &v
			f.Pass = l.Least && v >= l.Value || !l.Least && math.Abs(v) <= l.Value
		}
		r.Pass = r.Pass && f.Pass
		r.Figures = append(r.Figures, f)
	}
	return r
}

// measure leaves out what cannot be measured.
func measure(base, now Run, pairs []pair, fresh int) map[string]float64 {
	present := 0
	var light, lightNow, noise, noiseNow float64
	for i, p := range base.Pictures {
		if i < len(now.Pictures) && p.Width == now.Pictures[i].Width && p.Height == now.Pictures[i].Height {
			present++
		}
		light += p.Brightness
		noise += p.Noise
	}
	for _, p := range now.Pictures {
		lightNow += p.Brightness
		noiseNow += p.Noise
	}
	m := map[string]float64{}
	share := func(name string, n, of float64) {
		if of > 0 {
			m[name] = n / of
		}
	}
	drift := func(name string, now, before float64) {
		if before > 0 {
			m[name] = now/before - 1
		}
	}
	share(PicturesPresent, float64(present), float64(len(base.Pictures)))
	before, after := float64(len(base.Pictures)), float64(max(len(now.Pictures), 1))
	drift(BrightnessDrift, lightNow/after, light/max(before, 1))
	drift(NoiseDrift, noiseNow/after, noise/max(before, 1))
	share(FoundAgain, float64(len(pairs)), float64(len(base.Events)))
	share(NewEvents, float64(fresh), float64(len(base.Events)))

	var same, shift, largest, confidence, score, scoreNow float64
	whole := 0.0
	for _, p := range pairs {
		a, b := base.Events[p.base], now.Events[p.now]
		if p.part { // it has no place, class and score of its own any more
			continue
		}
		whole++
		if a.Class == b.Class {
			same++
			confidence += float64(b.Confidence - a.Confidence)
		}
		by := moved(a, b)
		shift += by
		largest = max(largest, by)
		score += float64(a.Score)
		scoreNow += float64(b.Score)
	}
	share(ClassAgreement, same, whole)
	share(MeanShift, shift, whole)
	share(ConfidenceDrift, confidence, same)
	drift(ScoreDrift, scoreNow, score)
	if whole > 0 {
		m[LargestShift] = largest
	}
	return m
}

// pair is an event of the baseline and the same one now, by their indices.
type pair struct {
	base, now int
	part      bool // the baseline's event is a part of a larger one now
	iou       float64
	distance  float64 // px, between the middles
}

// match pairs the events of the same picture one to one, the best overlap first, and counts the new ones. Of those
// left over, one that lies inside an event of the other run is no loss and not new: where defects are dense, a little
// noise joins and parts their boxes.
func match(base, now []Event) (pairs []pair, fresh int) {
	in := map[int][]int{} // events now, by picture
	for j, e := range now {
		in[e.Picture] = append(in[e.Picture], j)
	}
	var all []pair
	inside := map[int]int{} // the event now in which one of the baseline lies
	covered := map[int]bool{}
	for i, a := range base {
		most := sameInside
		for _, j := range in[a.Picture] {
			b := now[j]
			p := pair{base: i, now: j, iou: iou(a, b), distance: distance(a, b)}
			if p.iou >= sameIoU || p.distance <= sameDistance {
				all = append(all, p)
			}
			common := float64(overlap(a, b))
			if share := common / float64(a.Width*a.Height); share >= most {
				inside[i], most = j, share
			}
			covered[j] = covered[j] || common/float64(b.Width*b.Height) >= sameInside
		}
	}
	slices.SortFunc(all, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.iou, a.iou), cmp.Compare(a.distance, b.distance), cmp.Compare(a.base, b.base), cmp.Compare(a.now, b.now))
	})
	takenBase, takenNow := map[int]bool{}, map[int]bool{}
	for _, p := range all {
		if !takenBase[p.base] && !takenNow[p.now] {
			takenBase[p.base], takenNow[p.now] = true, true
			pairs = append(pairs, p)
		}
	}
	for i := range base {
		if j, ok := inside[i]; ok && !takenBase[i] {
			pairs = append(pairs, pair{base: i, now: j, part: true})
		}
	}
	for j := range now {
		if !takenNow[j] && !covered[j] {
			fresh++
		}
	}
	return pairs, fresh
}

func overlap(a, b Event) int {
	w := min(a.X+a.Width, b.X+b.Width) - max(a.X, b.X)
	h := min(a.Y+a.Height, b.Y+b.Height) - max(a.Y, b.Y)
	return max(w, 0) * max(h, 0)
}

func iou(a, b Event) float64 {
	common := overlap(a, b)
	return float64(common) / float64(a.Width*a.Height+b.Width*b.Height-common)
}

func distance(a, b Event) float64 {
	middle := func(at, size int) float64 { return float64(at) + float64(size)/2 }
	return math.Hypot(middle(a.X, a.Width)-middle(b.X, b.Width), middle(a.Y, a.Height)-middle(b.Y, b.Height))
}

// moved is how far an event moved, in pixels. Along each axis the least of its two ends and its middle counts: a
// long event that lost or gained a piece at one end is where it was.
func moved(a, b Event) float64 {
	axis := func(from, size, fromNow, sizeNow int) float64 {
		head, tail := float64(fromNow-from), float64(fromNow+sizeNow-from-size)
		return min(math.Abs(head), math.Abs(tail), math.Abs(head+tail)/2)
	}
	return math.Hypot(axis(a.X, a.Width, b.X, b.Width), axis(a.Y, a.Height, b.Y, b.Height))
}

// changed names everything that was another at the baseline: a check that fails after a new model was put in is
// expected, one that fails where nothing is named is an alarm.
func changed(base, now Run) []inspection.StabilityChange {
	out := []inspection.StabilityChange{}
	note := func(what, before, after string) {
		if before != after {
			out = append(out, inspection.StabilityChange{What: what, Before: before, Now: after})
		}
	}
	a, b := base.Conditions, now.Conditions
	note("model", a.Model, b.Model)
	note("program", a.Program, b.Program)
	note("threshold", fmt.Sprint(a.Threshold), fmt.Sprint(b.Threshold))
	note("provider", a.Provider, b.Provider)
	note("number of pictures", fmt.Sprint(len(base.Pictures)), fmt.Sprint(len(now.Pictures)))
	var other []string
	for i := range min(len(base.Pictures), len(now.Pictures)) {
		if base.Pictures[i].SHA256 != now.Pictures[i].SHA256 {
			other = append(other, now.Pictures[i].Name)
		}
	}
	if n := len(other); n > 0 {
		const named = 5
		names := strings.Join(other[:min(n, named)], ", ")
		if n > named {
			names += ", …"
		}
		note("pictures", "as at the baseline", fmt.Sprintf("%d of %d have other content: %s", n, len(now.Pictures), names))
	}
	return out
}

func countClasses(base, now []Event, pairs []pair) []inspection.StabilityClass {
	at := map[inspection.DefectClass]*inspection.StabilityClass{}
	for _, e := range base {
		if at[e.Class] == nil {
			at[e.Class] = &inspection.StabilityClass{Class: e.Class}
		}
		at[e.Class].Baseline++
	}
	for _, p := range pairs {
		c := at[base[p.base].Class]
		c.Found++
		if now[p.now].Class == c.Class {
			c.Same++
		}
	}
	out := []inspection.StabilityClass{}
	for _, c := range at {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b inspection.StabilityClass) int { return cmp.Compare(a.Class, b.Class) })
	return out
}
