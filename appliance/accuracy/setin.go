package accuracy

import (
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"slices"

	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inspection"
)

const (
	// featherPixels is how far beyond its border a picture fades into the strip.
	featherPixels = 24
	// simulatedSide is the side of a simulated place: the picture with as much strip around it, for the
	// detector to compare with.
	simulatedSide = 512
	// simulatedPlaces is how many are rendered, each of another surface.
	simulatedPlaces = 24
	// simulatedSeed is not among the seeds that training pictures are rendered with, which are small.
	simulatedSeed = 7_700_003
)

// contrasts that pictures are set in at: as they are, and fainter.
func contrasts() []float64 { return []float64{1, 0.6, 0.4} }

// Way is how a picture comes onto clean strip.
type Way string

const (
	// Replaced is the picture in place of the strip: its own texture around the defect, however unlike the strip's.
	Replaced Way = "replaced"
	// Added is the strip with the defect on top: the strip's own texture goes on through the picture.
	Added Way = "added"
)

func ways() []Way { return []Way{Replaced, Added} }

// SetIn is how single pictures fare that are set into clean strip.
type SetIn struct {
	Into    string       `json:"into"`   // real strips, or simulated ones
	Places  int          `json:"places"` // windows of clean strip in which the detector does not fire
	ByClass []SetInClass `json:"by_class"`
}

// SetInClass is one class of one folder.
type SetInClass struct {
	Path       string                 `json:"path"`
	Class      inspection.DefectClass `json:"class"`
	InModel    bool                   `json:"in_model"`
	Pictures   int                    `json:"pictures"`
	TooLarge   int                    `json:"too_large"`   // left out: they do not fit a window
	ByContrast []SetInContrast        `json:"by_contrast"` // of each way
}

// SetInContrast is one contrast of one way.
type SetInContrast struct {
	Way      Way     `json:"way"`
	Contrast float64 `json:"contrast"`
	Found    Share   `json:"found"` // by the detector: a region has its middle in the picture
	// Of those found: the largest event in the picture that the model did not reject has the right class
	// (of nothing where the model does not have the class), or none was left.
	ClassRight Share `json:"class_right"`
	Rejected   Share `json:"rejected"`
	Unknown    Share `json:"unknown"`
	// CropRight is of all pictures, found or not, whose class the model has: the crop about the picture's
	// middle has the right class. It tells what the model makes of strip around a defect from what the
	// detector makes of where it is.
	CropRight Share `json:"crop_right"`
	// As counts what those found were called; the rejected ones stand under no_defect.
	As map[inspection.DefectClass]int `json:"as"`
}

// place is where a picture can be set in.
type place struct {
	strip  inspection.LineImage
	window image.Rectangle
}

func (m *meter) setIn(ctx context.Context, s sets) (*SetIn, error) {
	type group struct {
		path    string
		samples []sample
	}
	var groups []group
	total := 0
	for _, f := range s.folders {
		groups = append(groups, group{f.dir, f.samples})
		total += len(f.samples)
	}
	for _, b := range s.boxes {
		g := group{path: b.dir}
		for _, p := range b.pictures {
			g.samples = append(g.samples, p.sample)
		}
		groups = append(groups, g)
		total += len(g.samples)
	}
	if total == 0 {
		return nil, errors.New("there is nothing to set into strip; needed is a folder of class folders or of pictures with boxes")
	}
	places, into, err := m.places(s.strips)
	if err != nil {
		return nil, err
	}
	out := &SetIn{Into: into, Places: len(places)}
	done := 0
	for _, g := range groups {
		classes := map[inspection.DefectClass]*SetInClass{}
		for _, p := range g.samples {
			if err := interrupted(ctx); err != nil {
				return nil, err
			}
			k := classes[p.class]
			if k == nil {
				k = &SetInClass{Path: g.path, Class: p.class, InModel: m.knows(p.class)}
				for _, w := range ways() {
					for _, c := range contrasts() {
						k.ByContrast = append(k.ByContrast, SetInContrast{Way: w, Contrast: c, As: map[inspection.DefectClass]int{}})
					}
				}
				classes[p.class] = k
			}
			if err := m.setInOne(k, p, places[p.seed()%uint64(len(places))]); err != nil {
				return nil, err
			}
			done++
			m.tell("set into strip", done, total)
		}
		for _, c := range sortedKeys(classes) {
			out.ByClass = append(out.ByClass, *classes[c])
		}
	}
	return out, nil
}

// places are the clean windows in which the detector does not fire as they are; simulated ones where
// there are no real strips.
func (m *meter) places(real []stripSet) ([]place, string, error) {
	var candidates []place
	into := "simulated strip"
	for _, s := range real {
		into = "clean windows of labelled strips"
		for _, p := range s.strips {
			if len(p.clean) == 0 {
				continue
			}
			img, err := readPicture(p.path)
			if err != nil {
				return nil, into, err
			}
			for _, w := range p.clean {
				candidates = append(candidates, place{img, w})
			}
		}
	}
	if len(real) == 0 {
		r, err := mill.NewSampler(simulatedSeed, simulatedSide)
		if err != nil {
			return nil, into, err
		}
		for n := range uint64(simulatedPlaces) {
			pix, err := r.Render(inspection.NoDefect, simulatedSeed+n, 1)
			if err != nil {
				return nil, into, err
			}
			img := inspection.LineImage{Pix: pix, Width: simulatedSide, Height: simulatedSide, Stride: simulatedSide}
			const q = simulatedSide / 4
			candidates = append(candidates, place{img, image.Rect(q, q, 3*q, 3*q)})
		}
	}
	var out []place
	for _, c := range candidates {
		regions, _, err := m.look.Look(c.strip)
		if err != nil {
			return nil, into, err
		}
		if !slices.ContainsFunc(regions, func(r inspection.RegionOfInterest) bool { return middleOf(r).In(c.window) }) {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return nil, into, fmt.Errorf("the detector fires in each of the %d windows of %s; pictures can only be set in where it does not", len(candidates), into)
	}
	return out, into, nil
}

func (m *meter) setInOne(k *SetInClass, s sample, p place) error {
	pic, err := readPicture(s.path)
	if err != nil {
		return err
	}
	k.Pictures++
	if pic.Width+2*featherPixels > p.window.Dx() || pic.Height+2*featherPixels > p.window.Dy() {
		k.TooLarge++
		return nil
	}
	at := image.Rect(0, 0, pic.Width, pic.Height).Add(p.window.Min).
		Add(image.Pt((p.window.Dx()-pic.Width)/2, (p.window.Dy()-pic.Height)/2))
	for i := range k.ByContrast {
		f := &k.ByContrast[i]
		img := setInto(p.strip, pic, at.Min, f.Way, f.Contrast)
		regions, verdicts, err := m.look.Look(img)
		if err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
		var here, largest int
		said := inspection.Classification{Class: inspection.NoDefect}
		for j, r := range regions {
			if !middleOf(r).In(at) {
				continue
			}
			here++
			if a := size(rectOf(r).Intersect(at)); verdicts[j].Class != inspection.NoDefect && a > largest {
				largest, said = a, verdicts[j]
			}
		}
		f.Found.count(here > 0)
		if k.InModel {
			whole, err := m.engine.Classifier.ClassifyBatch(nil, [][]byte{cropAt(img, at)})
			if err != nil {
				return fmt.Errorf("%s: %w", s.path, err)
			}
			f.CropRight.count(whole[0].Class == s.class)
		}
		if here == 0 {
			continue
		}
		f.As[said.Class]++
		f.Rejected.count(largest == 0)
		f.Unknown.count(said.Class == inspection.Unknown)
		if !k.InModel {
			continue
		}
		f.ClassRight.count(said.Class == s.class)
		if said.Class != s.class && largest > 0 && f.Contrast == 1 && f.Way == Replaced {
			m.errors.add(Error{
				Kind: WrongSetIn, Path: filepath.Join(string(s.class), filepath.Base(s.path)), Truth: s.class,
				Answer: said.Class, Confidence: said.Confidence, crop: cropAt(img, at),
			}, float64(said.Confidence))
		}
	}
	return nil
}

// setInto is the strip with a picture at a place: what differs from the picture's mean, scaled by contrast and by the
// strip's brightness there, on the strip as it is or on its mean. Beyond its border the picture goes on mirrored and
// fades out, so that a defect at the border is neither cut nor faded.
func setInto(strip, pic inspection.LineImage, at image.Point, way Way, contrast float64) inspection.LineImage {
	out := strip
	out.Pix = slices.Clone(strip.Pix)
	var pm, sm float64
	for y := range pic.Height {
		for x := range pic.Width {
			pm += float64(pic.Pix[y*pic.Stride+x])
			sm += float64(strip.Pix[(at.Y+y)*strip.Stride+at.X+x])
		}
	}
	scale := 0.0
	if pm > 0 { // a black picture has nothing to add
		scale = contrast * sm / pm
	}
	area := float64(pic.Width * pic.Height)
	pm, sm = pm/area, sm/area
	for y := -featherPixels; y < pic.Height+featherPixels; y++ {
		for x := -featherPixels; x < pic.Width+featherPixels; x++ {
			beyond := max(-x, -y, x-pic.Width+1, y-pic.Height+1, 0)
			fade := 1 - float64(beyond)/(featherPixels+1)
			i := (at.Y+y)*strip.Stride + at.X + x
			v := float64(strip.Pix[i])
			if way == Replaced {
				v += fade * (sm - v)
			}
			v += fade * scale * (float64(pic.Pix[mirrored(y, pic.Height)*pic.Stride+mirrored(x, pic.Width)]) - pm)
			out.Pix[i] = byte(min(max(v+0.5, 0), 255))
		}
	}
	return out
}

// mirrored folds a position just outside [0, n) back in.
func mirrored(i, n int) int {
	if i < 0 {
		i = -1 - i
	}
	if i >= n {
		i = 2*n - 1 - i
	}
	return min(max(i, 0), n-1)
}
