package teach

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

const (
	// leastStrips is how many pictures tell what recurs.
	leastStrips = 8
	// worthIt is the share of the reports that raised limits must not leave more than.
	worthIt = 0.9
	// mostRegions bounds the memory: 200 MB of features.
	mostRegions = 200_000
)

// Options say what to learn from, and with what.
type Options struct {
	Classifier *inference.Classifier // of Bundle, and taught nothing
	Bundle     *models.Bundle
	Threshold  float32 // the detector's
	Shelf      *Shelf
	Name       string
	Paths      []string // pictures, and folders of them; the strip runs down the pictures
	MMPerPixel inspection.MM
	// Continuous tells that each picture goes on where the one before ended.
	Continuous bool
	By         string
	Now        time.Time
	Progress   func(what string, done, total int) // nil: nobody is told
}

func (o Options) tell(what string, done, total int) {
	if o.Progress != nil {
		o.Progress(what, done, total)
	}
}

// Learn looks at the strip, learns what is normal on it, writes the next version and its work folder, and activates
// nothing. Where the golden defects do not allow all of what the strip would teach the detector, it takes less of it;
// where they allow nothing it is an error.
func Learn(ctx context.Context, o Options) (*Taught, error) {
	if err := CheckName(o.Name); err != nil {
		return nil, err
	}
	if !(o.MMPerPixel >= 0.01 && o.MMPerPixel <= 10) {
		return nil, fmt.Errorf("a pixel of %g mm is not possible; allowed are 0.01 to 10", float64(o.MMPerPixel))
	}
	paths, err := findPictures(o.Paths)
	if err != nil {
		return nil, err
	}
	if len(paths) < leastStrips {
		return nil, fmt.Errorf("there are %d pictures of strip; what recurs shows on %d and more", len(paths), leastStrips)
	}
	golden, err := goldenDefects(o.Classifier, o.Bundle)
	if err != nil {
		return nil, err
	}
	t := &Taught{
		Format: format, Name: o.Name, Created: o.Now.UTC(), By: o.By, Model: o.Bundle.ID(), ModelSHA256: modelSum(o.Bundle),
		Continuous: o.Continuous, MMPerPixel: o.MMPerPixel, Threshold: o.Threshold, Answers: []Answer{}, Recurring: []Recurring{}, Looks: []Look{},
	}
	if t.Reach, err = reachOf(golden); err != nil {
		return nil, err
	}
	for _, g := range golden {
		t.Defects = append(t.Defects, g.Features)
	}
	before, err := o.look(ctx, paths, nil, "as it is")
	if err != nil {
		return nil, err
	}
	if before.responses.tiles < leastTiles {
		return nil, fmt.Errorf("the pictures show %d tiles of %d x %d pixels of strip; the limits can be learned from %d and more",
			before.responses.tiles, tileBlocks*8, tileBlocks*8, leastTiles)
	}
	t.Pictures, t.Metres = before.pictures, before.lines*float64(o.MMPerPixel)/1000
	t.Before = count(before.regions, nil)
	grounds := calmestOf(before.grounds)
	if len(grounds) == 0 {
		return nil, fmt.Errorf("no picture has room for a golden defect of %d x %d pixels on the strip", inference.CropSize, inference.CropSize)
	}
	found, err := o.setInFound(ctx, golden, grounds, nil, nil)
	if err != nil {
		return nil, err
	}
	after, err := o.teach(ctx, t, paths, before, golden, grounds, found)
	if err != nil {
		return nil, err
	}
	t.After = count(after.regions, t.Normal())
	w := work{t: t, dir: "", before: before.regions, after: after.regions, grounds: grounds}
	if err := o.Shelf.begin(t); err != nil {
		return nil, err
	}
	w.dir = o.Shelf.Work(t)
	if err := w.write(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(w.dir))
	}
	return t, o.Shelf.save(t)
}

// teach fills in scales and looks, as far as the golden defects allow: first how far the limits may be raised, then
// how far the looks may reach.
func (o Options) teach(ctx context.Context, t *Taught, paths []string, before *strip, golden []goldenDefect, grounds []ground, found []int) (*strip, error) {
	scales, err := o.allowed(ctx, t, before.responses, golden, grounds, found)
	if err != nil {
		return nil, err
	}
	after, err := o.look(ctx, paths, scales, "as taught")
	if err != nil {
		return nil, err
	}
	reported := reportedOf(after.regions)
	if float64(len(reported)) > worthIt*float64(t.Before.Reported) {
		// The raised limits take off the faint parts of what is still reported, and nothing else.
		t.GivenBack = []Scale{}
		for f, v := range before.responses.scales() {
			if v > 1 {
				t.GivenBack = append(t.GivenBack, Scale{inference.Measures()[f], v})
			}
			scales[f] = 1
		}
		if after, err = o.look(ctx, paths, scales, "as taught"); err != nil {
			return nil, err
		}
		reported = reportedOf(after.regions)
	}
	for f, name := range inference.Measures() {
		t.Scales = append(t.Scales, Scale{name, scales[f]})
	}
	reported = thinned(reported, mostCompared)
	var along func(*Region) float64
	if o.Continuous {
		along = func(r *Region) float64 { return float64(r.Line) }
	}
	o.tell("looks", 0, 1)
	looks, fixed := recur(reported, len(paths), t.Reach, t.Defects, along)
	o.tell("looks", 1, 1)
	for _, f := range fixed {
		t.Recurring = append(t.Recurring, f)
		t.Defects = append(t.Defects, f.Region.Features)
	}
	// With no look at all the golden defects are where the scales left them.
	for _, share := range []float32{1, 0.85, 0.7, 0} {
		t.Looks = []Look{}
		for _, l := range looks {
			if l.Radius *= share; l.Radius >= narrowest*t.Reach {
				t.Looks = append(t.Looks, Look{Prototype: l.Prototype, Members: l.members, Pictures: l.pictures})
			}
		}
		with, err := o.setInFound(ctx, golden, grounds, scales, t.Normal())
		if err != nil {
			return nil, err
		}
		if t.Golden = checkGolden(golden, grounds, found, with, t.Normal()); t.Golden.fault() == nil {
			t.Questions = questions(reported, looks, t)
			return after, nil
		}
	}
	return nil, fmt.Errorf("nothing is taught: %w", t.Golden.fault())
}

func errInterrupted() error { return errors.New("interrupted") }

// reportedOf are the regions that reach the record where nothing is taught.
func reportedOf(regions []Region) (out []Region) {
	for i := range regions {
		if regions[i].reported(nil) {
			out = append(out, regions[i])
		}
	}
	return out
}

// allowed are the scales that leave the golden defects found. A limit that is raised too far goes half of the way
// back, as often as needed: the one first that costs most defects for the tiles that it quiets.
func (o Options) allowed(ctx context.Context, t *Taught, r *responses, golden []goldenDefect, grounds []ground, found []int) (inference.Scales, error) {
	check := func(scales inference.Scales) (GoldenCheck, error) {
		with, err := o.setInFound(ctx, golden, grounds, scales, nil)
		return checkGolden(golden, grounds, found, with, nil), err
	}
	wanted := r.scales()
	scales := slices.Clone(wanted)
	for {
		now, err := check(scales)
		if err != nil {
			return nil, err
		}
		if now.fault() == nil {
			t.GivenBack = []Scale{}
			for f, v := range wanted {
				if scales[f] < v {
					t.GivenBack = append(t.GivenBack, Scale{inference.Measures()[f], v})
				}
			}
			return scales, nil
		}
		worst, most := -1, 0.0
		for f, v := range scales {
			if v <= 1 {
				continue
			}
			less := slices.Clone(scales)
			less[f] = halfway(v)
			then, err := check(less)
			if err != nil {
				return nil, err
			}
			if per := float64(then.After-now.After) / float64(1+r.above(f, less[f])-r.above(f, v)); worst < 0 || per > most {
				worst, most = f, per
			}
		}
		if worst < 0 { // the shipped limits, which find what they found
			return nil, fmt.Errorf("nothing is taught: %w", now.fault())
		}
		scales[worst] = halfway(scales[worst])
	}
}

// halfway is a scale half of the way to 1; one that hardly raises a limit any more does not.
func halfway(v float32) float32 {
	if v = (1 + v) / 2; v < 1.1 {
		return 1
	}
	return v
}

// strip is what was seen of all pictures.
type strip struct {
	pictures  []Picture
	lines     float64
	regions   []Region
	responses *responses
	grounds   []ground
}

// look looks at every picture with some scales, as the line would.
func (o Options) look(ctx context.Context, paths []string, scales inference.Scales, what string) (*strip, error) {
	e := newEye(o.Classifier, o.Threshold, scales)
	e.continuous = o.Continuous
	defer e.close()
	s := &strip{responses: newResponses()}
	var tiles []float32
	for i, path := range paths {
		if ctx.Err() != nil {
			return nil, errInterrupted()
		}
		img, p, err := readStrip(path)
		if err != nil {
			return nil, err
		}
		first := len(s.regions)
		if s.regions, err = e.look(s.regions, i, img); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(s.regions) > mostRegions {
			return nil, fmt.Errorf("the detector fires %d times on %d pictures; allowed are %d: take fewer pictures, or a higher detector.threshold", len(s.regions), i+1, mostRegions)
		}
		tiles = e.detector.Responses(tiles[:0], &e.seen, tileBlocks)
		s.responses.add(tiles)
		s.pictures = append(s.pictures, p)
		if e.seen.Edges.Present {
			s.lines += float64(e.seen.Edges.LastLine - e.seen.Edges.FirstLine)
			if scales == nil {
				if g, ok := calmest(img, e.seen.Edges, s.regions[first:]); ok {
					s.grounds = calmestOf(append(s.grounds, g))
				}
			}
		}
		o.tell("strip "+what, i+1, len(paths))
	}
	return s, nil
}

func (o Options) setInFound(ctx context.Context, golden []goldenDefect, grounds []ground, scales inference.Scales, normal inference.Normal) ([]int, error) {
	e := newEye(o.Classifier, o.Threshold, scales)
	defer e.close()
	o.tell("golden defects", 0, 1)
	defer o.tell("golden defects", 1, 1)
	return setInFound(ctx, e, golden, grounds, normal)
}
