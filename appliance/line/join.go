package line

import (
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// joiner holds back the defects of one coil that two neighbouring cameras may both have seen, until both have told what
// they saw there, and makes one of what is one.
type joiner struct {
	cameras []*cameraLine
	held    []*heldDefect
}

// heldDefect is a defect in the strip that a camera shares with a neighbour.
type heldDefect struct {
	entry
	cameras []int   // that saw it
	largest float64 // mm² of the largest part, which says what it is
}

const (
	// joinSlack is how far apart two cameras may see the same end of a defect: a block of pixels and what is left of the
	// error of their alignment.
	joinSlack = inspection.MM(5)
	// longestHeld is how far the strip runs on before a defect is recorded though the neighbour has not told yet.
	longestHeld = inspection.MM(2000)
)

// hold takes a defect in.
func (j *joiner) hold(e entry) {
	h := &heldDefect{entry: e, cameras: []int{e.camera}, largest: e.defect.Area}
	j.held = slices.DeleteFunc(j.held, func(k *heldDefect) bool {
		if !j.same(h, k) {
			return false
		}
		h.absorb(k)
		return true
	})
	j.held = append(j.held, h)
}

// same reports whether two defects are one: seen by neighbours, and next to each other on the strip.
func (j *joiner) same(a, b *heldDefect) bool {
	beside := slices.ContainsFunc(a.cameras, func(i int) bool {
		return slices.ContainsFunc(b.cameras, func(k int) bool { return i != k && slices.Contains(j.cameras[i].view.neighbours, j.cameras[k]) })
	})
	return beside && a.defect.Rect.Near(b.defect.Rect, joinSlack)
}

// absorb makes one of two. The larger part says what it is: its camera saw more of it.
func (h *heldDefect) absorb(o *heldDefect) {
	d, b := h.defect, o.defect
	if o.largest > h.largest {
		d.Class, d.Conf, d.Severity, d.Camera, h.largest, h.camera = b.Class, b.Conf, b.Severity, b.Camera, o.largest, o.camera
	}
	if b.Contrast > d.Contrast || h.image == nil {
		h.image = o.image
	}
	d.Contrast = max(d.Contrast, b.Contrast)
	both := d.Rect.Overlap(b.Rect).Area() * min(d.Area/d.Rect.Area(), b.Area/b.Rect.Area())
	d.Rect = d.Rect.Union(b.Rect)
	d.Area = min(d.Area+b.Area-both, d.Rect.Area())
	if b.Seen.Before(d.Seen) {
		d.Seen = b.Seen
	}
	for _, i := range o.cameras {
		if !slices.Contains(h.cameras, i) {
			h.cameras = append(h.cameras, i)
		}
	}
}

// release gives out what waits for no camera any more: told says how far each has told of the coil.
func (j *joiner) release(told func(camera int) inspection.MM, give func(entry)) {
	j.held = slices.DeleteFunc(j.held, func(h *heldDefect) bool {
		end := h.defect.Rect.Along + h.defect.Rect.Length + joinSlack
		for _, i := range h.cameras {
			if told(i) > end+longestHeld {
				give(h.entry)
				return true
			}
			for _, n := range j.cameras[i].view.neighbours {
				if told(n.index) < end {
					return false
				}
			}
		}
		give(h.entry)
		return true
	})
}

// oldest is where the first held defect of a camera begins; ok is false where it has none.
func (j *joiner) oldest(camera int) (at inspection.MM, ok bool) {
	for _, h := range j.held {
		if slices.Contains(h.cameras, camera) && (!ok || h.defect.Rect.Along < at) {
			at, ok = h.defect.Rect.Along, true
		}
	}
	return at, ok
}
