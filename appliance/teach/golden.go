package teach

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"

	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

const (
	goldenPlaces = 3    // places of the strip that each golden defect is set into
	goldenLoss   = 0.1  // share of the defects found without teaching that may be lost with it
	goldenClass  = 0.25 // a class found in so large a share of its places must not be lost altogether
	feather      = 24   // pixels over which a crop fades into the strip
)

// goldenContrasts are how strongly a golden defect is set in: as it is, and fainter.
func goldenContrasts() []float64 { return []float64{1, 0.6} }

// GoldenCheck is how the golden defects of the model fare on this strip.
type GoldenCheck struct {
	Crops int `json:"crops"` // golden crops of a defect class
	// Changed is how many of them get another class by the teaching when they are shown as they are; none may.
	Changed int `json:"changed"`
	// SetIn is how often they were set into the strip; Before and After how often a region there was then given
	// the crop's class.
	SetIn  int `json:"set_in"`
	Before int `json:"before"`
	After  int `json:"after"`
	// ByClass is the same by class, for a person to judge.
	ByClass map[inspection.DefectClass]GoldenClass `json:"by_class"`
}

// GoldenClass is how often one class was set in and found.
type GoldenClass struct {
	SetIn  int `json:"set_in"`
	Before int `json:"before"`
	After  int `json:"after"`
}

// lost are the classes that were found often before, and never after.
func (g GoldenCheck) lost() (out []inspection.DefectClass) {
	for class, c := range g.ByClass {
		if c.After == 0 && float64(c.Before) >= goldenClass*float64(c.SetIn) {
			out = append(out, class)
		}
	}
	slices.Sort(out)
	return out
}

// fault says why the teaching must not be used; nil where it may.
func (g GoldenCheck) fault() error {
	least, lost := g.Before-int(goldenLoss*float64(g.Before)), g.lost()
	switch {
	case g.Changed > 0:
		return fmt.Errorf("%d of %d golden defects would get another class; allowed is none", g.Changed, g.Crops)
	case len(lost) > 0:
		return fmt.Errorf("golden defects of class %s are found on this strip without the teaching and never with it", lost[0])
	case g.After < least:
		return fmt.Errorf("golden defects set into this strip are found %d times of %d; without the teaching %d times, and allowed are at least %d", g.After, g.SetIn, g.Before, least)
	}
	return nil
}

// goldenDefect is a golden crop of a defect class.
type goldenDefect struct {
	pix []byte
	inference.Observation
}

func goldenDefects(c *inference.Classifier, b *models.Bundle) ([]goldenDefect, error) {
	var out []goldenDefect
	for _, g := range b.Golden() {
		said, err := c.Observe(nil, [][]byte{g.Pix})
		if err != nil {
			return nil, err
		}
		if v := said[0].Verdict.Class; v != inspection.NoDefect && v != inspection.Unknown {
			out = append(out, goldenDefect{g.Pix, said[0]})
		}
	}
	return out, nil
}

// reachOf is how near two regions must be in features to have one look: half of what separates the two most alike
// golden defects of different classes.
func reachOf(golden []goldenDefect) (float32, error) {
	least := float32(2)
	for i, a := range golden {
		for _, b := range golden[:i] {
			if a.Verdict.Class != b.Verdict.Class {
				least = min(least, inference.Distance(a.Features, b.Features))
			}
		}
	}
	if least == 2 {
		return 0, fmt.Errorf("the model has golden defects of fewer than two classes; teaching needs two to know what tells them apart")
	}
	return least / 2, nil
}

// ground is a place of the strip that golden defects are set into.
type ground struct {
	img  inspection.LineImage
	x, y int
	busy int // regions that are there already
}

// grounds adds the calmest place of a picture.
func calmest(img inspection.LineImage, edges inspection.StripEdges, regions []Region) (ground, bool) {
	const side = inference.CropSize
	best := ground{busy: -1}
	for y := 0; y+side <= img.Height; y += side / 2 {
		for x := int(edges.Left) + side/4; x+side <= int(edges.Right)-side/4; x += side / 2 {
			busy, at := 0, image.Rect(x-side/4, y-side/4, x+side*5/4, y+side*5/4)
			for _, r := range regions {
				if image.Rect(r.X, r.Y, r.X+r.Width, r.Y+r.Height).Overlaps(at) {
					busy++
				}
			}
			if best.busy < 0 || busy < best.busy {
				best = ground{img, x, y, busy}
			}
		}
	}
	return best, best.busy >= 0
}

// calmestOf keeps the calmest places.
func calmestOf(all []ground) []ground {
	slices.SortStableFunc(all, func(a, b ground) int { return cmp.Compare(a.busy, b.busy) })
	return all[:min(len(all), goldenPlaces)]
}

// setIn is the strip with what a crop differs by from its mean, relative to the strip's brightness, at a contrast.
func (g ground) setIn(crop []byte, contrast float64) inspection.LineImage {
	const side = inference.CropSize
	out := g.img
	out.Pix = slices.Clone(g.img.Pix)
	var own, strip float64
	for y := range side {
		for x := range side {
			own += float64(crop[y*side+x])
			strip += float64(g.img.Pix[(g.y+y)*g.img.Stride+g.x+x])
		}
	}
	own, strip = own/(side*side), strip/(side*side)
	for y := range side {
		for x := range side {
			fade := min(1, float64(min(x+1, y+1, side-x, side-y))/feather)
			i := (g.y+y)*out.Stride + g.x + x
			v := float64(out.Pix[i]) + fade*contrast*strip*(float64(crop[y*side+x])/max(own, 1)-1)
			out.Pix[i] = byte(min(max(v+0.5, 0), 255))
		}
	}
	return out
}

// setInFound tells for each golden defect how often a region there gets its class.
func setInFound(ctx context.Context, e *eye, golden []goldenDefect, grounds []ground, normal inference.Normal) ([]int, error) {
	const side = inference.CropSize
	out := make([]int, len(golden))
	var regions []Region
	for _, g := range grounds {
		for i, d := range golden {
			for _, contrast := range goldenContrasts() {
				if ctx.Err() != nil {
					return nil, errInterrupted()
				}
				var err error
				if regions, err = e.look(regions[:0], 0, g.setIn(d.pix, contrast)); err != nil {
					return nil, err
				}
				at := image.Rect(g.x, g.y, g.x+side, g.y+side)
				if slices.ContainsFunc(regions, func(r Region) bool {
					return r.Verdict == d.Verdict.Class && r.reported(normal) && image.Pt(r.X+r.Width/2, r.Y+r.Height/2).In(at)
				}) {
					out[i]++
				}
			}
		}
	}
	return out, nil
}

// checkGolden compares what is found with and without the teaching.
func checkGolden(golden []goldenDefect, grounds []ground, before, after []int, normal inference.Normal) GoldenCheck {
	each := len(grounds) * len(goldenContrasts())
	g := GoldenCheck{Crops: len(golden), SetIn: len(golden) * each, ByClass: map[inspection.DefectClass]GoldenClass{}}
	for i, d := range golden {
		if normal.Holds(d.Features, d.Confidence) {
			g.Changed++
		}
		g.Before, g.After = g.Before+before[i], g.After+after[i]
		c := g.ByClass[d.Verdict.Class]
		g.ByClass[d.Verdict.Class] = GoldenClass{c.SetIn + each, c.Before + before[i], c.After + after[i]}
	}
	return g
}
