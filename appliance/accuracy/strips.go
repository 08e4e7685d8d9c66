package accuracy

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// speck is the fewest pixels of a labelled region: below a block of the detector it is a rest of the drawing.
const speck = 64

// stripSet is a folder of strips with masks and windows without defects.
type stripSet struct {
	dir    string
	strips []labelledStrip
}

type labelledStrip struct {
	path  string
	masks []mask
	clean []image.Rectangle
}

// mask is run lengths of one class: pairs of a start, counted from 1 down the columns, and a length.
type mask struct {
	class inspection.DefectClass
	runs  []int
}

// labelledRegion is a connected part of a mask.
type labelledRegion struct {
	class  inspection.DefectClass
	pixels []image.Point
}

// Strips are the figures of the detector on labelled strip.
type Strips struct {
	Path     string       `json:"path"`
	Strips   int          `json:"strips"`
	Regions  int          `json:"regions"`
	Specks   int          `json:"specks"` // labelled regions left out for having fewer than 64 pixels
	Windows  int          `json:"clean_windows"`
	Detector StripFigures `json:"detector"` // every region
	Kept     StripFigures `json:"kept"`     // regions the model did not take for ordinary strip
	// Chance is of the labelled regions what the detector's rectangles would find set down at random: what their
	// area alone buys.
	Chance  Share        `json:"found_by_chance"`
	ByClass []StripClass `json:"by_class"`
}

// StripFigures are of one set of events.
type StripFigures struct {
	Found  Share `json:"found"`
	Fired  Share `json:"clean_windows_fired"` // clean windows that hold the middle of an event
	Area   Share `json:"area"`                // in pixels
	Events int   `json:"events"`
}

// StripClass is one class of the masks.
type StripClass struct {
	Class    inspection.DefectClass `json:"class"`
	Detector Share                  `json:"detector"`
	Kept     Share                  `json:"kept"`
}

func readStrips(dir string) (stripSet, error) {
	s := stripSet{dir: dir}
	paths, err := picturesIn(filepath.Join(dir, stripsDir))
	if err != nil {
		return s, err
	}
	at := map[string]int{}
	for i, p := range paths {
		at[filepath.Base(p)] = i
		s.strips = append(s.strips, labelledStrip{path: p})
	}
	err = eachRow(filepath.Join(dir, masksFile), []string{"image", "class", "rle"}, func(row []string) error {
		i, ok := at[row[0]]
		if !ok {
			return fmt.Errorf("picture %q is not in %s", row[0], stripsDir)
		}
		runs, err := numbers(strings.Fields(row[2]))
		if err != nil {
			return err
		}
		s.strips[i].masks = append(s.strips[i].masks, mask{inspection.DefectClass(row[1]), runs})
		return nil
	})
	if err != nil {
		return s, err
	}
	err = eachRow(filepath.Join(dir, windowsFile), []string{"image", "x", "y", "width", "height"}, func(row []string) error {
		i, ok := at[row[0]]
		if !ok {
			return fmt.Errorf("picture %q is not in %s", row[0], stripsDir)
		}
		v, err := numbers(row[1:])
		if err != nil {
			return err
		}
		s.strips[i].clean = append(s.strips[i].clean, image.Rect(v[0], v[1], v[0]+v[2], v[1]+v[3]))
		return nil
	})
	return s, err
}

// eachRow reads a CSV file with a heading.
func eachRow(path string, columns []string, take func([]string) error) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = len(columns)
	rows, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], columns) {
		return fmt.Errorf("%s does not begin with the columns %s", path, strings.Join(columns, ","))
	}
	for i, row := range rows[1:] {
		if err := take(row); err != nil {
			return fmt.Errorf("%s, row %d: %w", path, i+2, err)
		}
	}
	return nil
}

func numbers(fields []string) ([]int, error) {
	out := make([]int, len(fields))
	for i, f := range fields {
		v, err := strconv.Atoi(f)
		if err != nil || v < 0 {
			return nil, fmt.Errorf("%q is no number; allowed are whole numbers from 0", f)
		}
		out[i] = v
	}
	return out, nil
}

// regions are the connected parts of a mask, by four neighbours.
func (k mask) regions(width, height int) ([]labelledRegion, error) {
	if len(k.runs)%2 != 0 {
		return nil, fmt.Errorf("the mask of class %s has %d numbers; allowed are pairs", k.class, len(k.runs))
	}
	set := make([]bool, width*height) // down the columns, as the runs are
	for i := 0; i < len(k.runs); i += 2 {
		from, n := k.runs[i]-1, k.runs[i+1]
		if from < 0 || from+n > len(set) {
			return nil, fmt.Errorf("the mask of class %s has a run of %d from %d; allowed are runs within %d pixels", k.class, n, from+1, len(set))
		}
		for j := from; j < from+n; j++ {
			set[j] = true
		}
	}
	var out []labelledRegion
	for i := range set {
		if !set[i] {
			continue
		}
		set[i] = false
		stack, reg := []int{i}, labelledRegion{class: k.class}
		for len(stack) > 0 {
			p := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			x, y := p/height, p%height
			reg.pixels = append(reg.pixels, image.Pt(x, y))
			for _, d := range []image.Point{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}} {
				nx, ny := x+d.X, y+d.Y
				if nx >= 0 && nx < width && ny >= 0 && ny < height && set[nx*height+ny] {
					set[nx*height+ny] = false
					stack = append(stack, nx*height+ny)
				}
			}
		}
		out = append(out, reg)
	}
	return out, nil
}

func (r labelledRegion) rect() image.Rectangle {
	box := image.Rectangle{Min: r.pixels[0], Max: r.pixels[0].Add(image.Pt(1, 1))}
	for _, p := range r.pixels {
		box = box.Union(image.Rectangle{Min: p, Max: p.Add(image.Pt(1, 1))})
	}
	return box
}

func (m *meter) strips(ctx context.Context, set stripSet) (Strips, error) {
	out := Strips{Path: set.dir, Strips: len(set.strips)}
	classes := map[inspection.DefectClass]*StripClass{}
	for n, s := range set.strips {
		if err := interrupted(ctx); err != nil {
			return out, err
		}
		img, err := readPicture(s.path)
		if err != nil {
			return out, err
		}
		regions, verdicts, err := m.look.Look(img)
		if err != nil {
			return out, fmt.Errorf("%s: %w", s.path, err)
		}
		left, _ := kept(regions, verdicts)
		random := covered(scattered(uint64(n), regions, img.Width, img.Height), img.Width, img.Height)
		every, rest := covered(regions, img.Width, img.Height), covered(left, img.Width, img.Height)
		out.Detector.add(every, len(regions))
		out.Kept.add(rest, len(left))
		for _, k := range s.masks {
			parts, err := k.regions(img.Width, img.Height)
			if err != nil {
				return out, fmt.Errorf("%s: %w", s.path, err)
			}
			for _, part := range parts {
				if len(part.pixels) < speck {
					out.Specks++
					continue
				}
				out.Regions++
				c := classes[part.class]
				if c == nil {
					c = &StripClass{Class: part.class}
					classes[part.class] = c
				}
				in, still := every.of(part.pixels), rest.of(part.pixels)
				out.Detector.Found.count(found(in))
				out.Kept.Found.count(found(still))
				out.Chance.count(found(random.of(part.pixels)))
				c.Detector.count(found(in))
				c.Kept.count(found(still))
				if !found(still) {
					m.errors.add(Error{
						Kind: MissedRegion, Path: filepath.Base(s.path), Rect: rectangle(part.rect()), Truth: part.class,
						Covered: still.Value(), crop: cropAt(img, part.rect()),
					}, float64(still.Of-still.N))
				}
			}
		}
		for _, w := range s.clean {
			if !w.In(image.Rect(0, 0, img.Width, img.Height)) {
				return out, fmt.Errorf("%s: the clean window %v lies outside its %d x %d pixels", s.path, w, img.Width, img.Height)
			}
			out.Windows++
			inside := func(r inspection.RegionOfInterest) bool { return middleOf(r).In(w) }
			out.Detector.Fired.count(slices.ContainsFunc(regions, inside))
			out.Kept.Fired.count(slices.ContainsFunc(left, inside))
			for j, r := range regions {
				if inside(r) {
					m.errors.add(Error{
						Kind: FiredClean, Path: filepath.Base(s.path), Rect: rectangle(rectOf(r)), Truth: inspection.NoDefect,
						Answer: verdicts[j].Class, Confidence: verdicts[j].Confidence, crop: cropAt(img, rectOf(r)),
					}, float64(r.Score))
				}
			}
		}
		m.tell("strips", n+1, len(set.strips))
	}
	for _, c := range sortedKeys(classes) {
		out.ByClass = append(out.ByClass, *classes[c])
	}
	return out, nil
}

// scattered sets rectangles down elsewhere in the picture.
func scattered(seed uint64, regions []inspection.RegionOfInterest, width, height int) []inspection.RegionOfInterest {
	r := rand.New(rand.NewPCG(seed, 1))
	out := slices.Clone(regions)
	for i := range out {
		out[i].X, out[i].Y = r.IntN(width-out[i].Width+1), r.IntN(height-out[i].Height+1)
	}
	return out
}

func (f *StripFigures) add(c cover, events int) {
	a := c.area()
	f.Area.N, f.Area.Of = f.Area.N+a.N, f.Area.Of+a.Of
	f.Events += events
}
