package accuracy

import (
	"image"

	"github.com/coilsight/coilsight/inspection"
)

// foundShare of a labelled defect's pixels must lie inside events for it to count as found.
const foundShare = 0.3

// cover is which pixels of a picture lie inside events.
type cover struct {
	in            []bool
	width, height int
}

func covered(regions []inspection.RegionOfInterest, width, height int) cover {
	c := cover{make([]bool, width*height), width, height}
	for _, r := range regions {
		box := rectOf(r).Intersect(image.Rect(0, 0, width, height))
		for y := box.Min.Y; y < box.Max.Y; y++ {
			row := c.in[y*width : (y+1)*width]
			for x := box.Min.X; x < box.Max.X; x++ {
				row[x] = true
			}
		}
	}
	return c
}

// area is the share of the picture inside events.
func (c cover) area() Share {
	s := Share{Of: len(c.in)}
	for _, v := range c.in {
		if v {
			s.N++
		}
	}
	return s
}

// of is the share of some pixels inside events.
func (c cover) of(pixels []image.Point) Share {
	s := Share{Of: len(pixels)}
	for _, p := range pixels {
		if c.in[p.Y*c.width+p.X] {
			s.N++
		}
	}
	return s
}

// ofRect is the share of a rectangle's pixels inside events; the rectangle lies in the picture.
func (c cover) ofRect(r image.Rectangle) Share {
	s := Share{Of: r.Dx() * r.Dy()}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, v := range c.in[y*c.width+r.Min.X : y*c.width+r.Max.X] {
			if v {
				s.N++
			}
		}
	}
	return s
}

func found(s Share) bool { return float64(s.N) >= foundShare*float64(s.Of) }

func rectOf(r inspection.RegionOfInterest) image.Rectangle {
	return image.Rect(r.X, r.Y, r.X+r.Width, r.Y+r.Height)
}

func middleOf(r inspection.RegionOfInterest) image.Point {
	return image.Pt(r.X+r.Width/2, r.Y+r.Height/2)
}

// overlap is intersection over union.
func overlap(a, b image.Rectangle) float64 {
	both := size(a.Intersect(b))
	if both == 0 {
		return 0
	}
	return float64(both) / float64(size(a)+size(b)-both)
}

func size(r image.Rectangle) int { return r.Dx() * r.Dy() }

// kept leaves out what the model takes for ordinary strip.
func kept(regions []inspection.RegionOfInterest, verdicts []inspection.Classification) (_ []inspection.RegionOfInterest, _ []inspection.Classification) {
	var r []inspection.RegionOfInterest
	var v []inspection.Classification
	for i := range regions {
		if verdicts[i].Class != inspection.NoDefect {
			r, v = append(r, regions[i]), append(v, verdicts[i])
		}
	}
	return r, v
}
