package accuracy

import (
	"context"
	"encoding/xml"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// boxSet is a folder of pictures with VOC boxes.
type boxSet struct {
	dir      string
	pictures []boxPicture
}

type boxPicture struct {
	sample // of the first box's class
	boxes  []labelledBox
}

type labelledBox struct {
	class inspection.DefectClass
	rect  image.Rectangle
}

// Boxes are the figures of the detector on pictures with boxes.
type Boxes struct {
	Path     string     `json:"path"`
	Pictures int        `json:"pictures"`
	Detector BoxFigures `json:"detector"` // every region
	Kept     BoxFigures `json:"kept"`     // regions the model did not take for ordinary strip
	ByClass  []BoxClass `json:"by_class"`
	// ClassRight is of the boxes found after the rejection whose class the model has: the event that overlaps
	// most has that class.
	ClassRight Share `json:"class_right"`
	// NotInModel are the annotated classes that the model does not have.
	NotInModel []inspection.DefectClass `json:"not_in_model,omitempty"`
}

// BoxFigures are of one set of events.
type BoxFigures struct {
	Found  Share   `json:"found"`
	IoU    Mean    `json:"iou"` // of a box with the event that fits it best; 0 where none touches it
	Area   Share   `json:"area"`
	Events int     `json:"events"`
	PerPic float64 `json:"events_per_picture"`
}

// BoxClass is one annotated class.
type BoxClass struct {
	Class    inspection.DefectClass `json:"class"`
	Detector Share                  `json:"detector"`
	Kept     Share                  `json:"kept"`
	IoU      Mean                   `json:"iou"` // of every region
}

type vocAnnotation struct {
	XMLName xml.Name `xml:"annotation"`
	Size    struct {
		Width  int `xml:"width"`
		Height int `xml:"height"`
	} `xml:"size"`
	Objects []vocObject `xml:"object"`
}

type vocObject struct {
	Name string `xml:"name"`
	Box  vocBox `xml:"bndbox"`
}

type vocBox struct {
	XMin float64 `xml:"xmin"`
	YMin float64 `xml:"ymin"`
	XMax float64 `xml:"xmax"`
	YMax float64 `xml:"ymax"`
}

func readBoxes(dir string, fold Fold) (boxSet, error) {
	s := boxSet{dir: dir}
	paths, err := picturesIn(filepath.Join(dir, imagesDir))
	if err != nil {
		return s, err
	}
	for _, path := range paths {
		sum, err := hashOf(path)
		if err != nil {
			return s, err
		}
		if !fold.holds(sum) {
			continue
		}
		base := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		boxes, err := readVOC(filepath.Join(dir, boxesDir, base+".xml"))
		if err != nil {
			return s, err
		}
		s.pictures = append(s.pictures, boxPicture{sample{path, boxes[0].class, sum}, boxes})
	}
	if len(s.pictures) == 0 {
		return s, fmt.Errorf("folder %s has no picture in fold %s", dir, fold)
	}
	return s, nil
}

// readVOC reads the boxes of a picture. VOC counts pixels from 1 and the last one belongs to the box.
func readVOC(path string) ([]labelledBox, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("boxes of a picture: %w", err)
	}
	var a vocAnnotation
	if err := xml.Unmarshal(data, &a); err != nil {
		return nil, fmt.Errorf("%s is no VOC annotation: %w", path, err)
	}
	var out []labelledBox
	for _, o := range a.Objects {
		b := o.Box
		r := image.Rect(int(b.XMin)-1, int(b.YMin)-1, int(b.XMax), int(b.YMax)).Intersect(image.Rect(0, 0, a.Size.Width, a.Size.Height))
		if b.XMin > b.XMax || b.YMin > b.YMax || r.Empty() {
			return nil, fmt.Errorf("%s has a box from %g, %g to %g, %g; allowed are boxes within 1, 1 to %d, %d", path, b.XMin, b.YMin, b.XMax, b.YMax, a.Size.Width, a.Size.Height)
		}
		out = append(out, labelledBox{inspection.DefectClass(o.Name), r})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no box; allowed are pictures with at least one", path)
	}
	return out, nil
}

func (m *meter) boxes(ctx context.Context, set boxSet) (Boxes, error) {
	out := Boxes{Path: set.dir, Pictures: len(set.pictures)}
	classes := map[inspection.DefectClass]*BoxClass{}
	for n, p := range set.pictures {
		if err := interrupted(ctx); err != nil {
			return out, err
		}
		img, err := readPicture(p.path)
		if err != nil {
			return out, err
		}
		regions, verdicts, err := m.look.Look(img)
		if err != nil {
			return out, fmt.Errorf("%s: %w", p.path, err)
		}
		left, answers := kept(regions, verdicts)
		every, rest := covered(regions, img.Width, img.Height), covered(left, img.Width, img.Height)
		out.Detector.add(every, len(regions))
		out.Kept.add(rest, len(left))
		for _, b := range p.boxes {
			if !b.rect.In(image.Rect(0, 0, img.Width, img.Height)) {
				return out, fmt.Errorf("%s: a box at %v lies outside its %d x %d pixels", p.path, b.rect, img.Width, img.Height)
			}
			k := classes[b.class]
			if k == nil {
				k = &BoxClass{Class: b.class}
				classes[b.class] = k
			}
			in := every.ofRect(b.rect)
			_, iou := bestFit(b.rect, regions)
			out.Detector.Found.count(found(in))
			out.Detector.IoU.add(iou)
			k.Detector.count(found(in))
			k.IoU.add(iou)

			best, iou := bestFit(b.rect, left)
			still := found(rest.ofRect(b.rect))
			out.Kept.Found.count(still)
			out.Kept.IoU.add(iou)
			k.Kept.count(still)
			if still && m.knows(b.class) {
				out.ClassRight.count(answers[best].Class == b.class)
			}
			if !found(in) {
				m.errors.add(Error{
					Kind: MissedBox, Path: filepath.Base(p.path), Rect: rectangle(b.rect), Truth: b.class, Covered: in.Value(), crop: cropAt(img, b.rect),
				}, float64(in.Of-in.N))
			}
		}
		m.tell("boxes", n+1, len(set.pictures))
	}
	out.Detector.PerPic = float64(out.Detector.Events) / float64(max(out.Pictures, 1))
	out.Kept.PerPic = float64(out.Kept.Events) / float64(max(out.Pictures, 1))
	for _, c := range sortedKeys(classes) {
		out.ByClass = append(out.ByClass, *classes[c])
		if !m.knows(c) {
			out.NotInModel = append(out.NotInModel, c)
		}
	}
	return out, nil
}

func (f *BoxFigures) add(c cover, events int) {
	a := c.area()
	f.Area.N, f.Area.Of = f.Area.N+a.N, f.Area.Of+a.Of
	f.Events += events
}

// bestFit is the index of the region that fits a box best, and how well; -1 and 0 where none touches it.
func bestFit(box image.Rectangle, regions []inspection.RegionOfInterest) (at int, iou float64) {
	at = -1
	for i, r := range regions {
		if v := overlap(box, rectOf(r)); v > iou {
			at, iou = i, v
		}
	}
	return at, iou
}

func sortedKeys[V any](m map[inspection.DefectClass]V) []inspection.DefectClass {
	var out []inspection.DefectClass
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
