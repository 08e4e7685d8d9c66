package line

import (
	"math"
	"slices"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Limits of the merging of regions across frame borders.
const (
	// borderLines is how near to a frame's border a region must reach to go on in the next frame:
	// the detector answers in blocks of 8 lines.
	borderLines = 8
	// partSlack is how far apart two parts of one defect may lie: a block and a half.
	partSlack = 12 // pixels
	// longestOpen is the length after which a defect that goes on is recorded, so that a scratch
	// along a whole coil does not wait for its end. The rest is recorded as the next defect.
	longestOpen = inspection.MM(10_000)
)

// merger joins the parts of a defect: those that the detector cut a large one into, and those on both sides
// of a frame border. A defect is held until a frame comes in which it does not go on.
type merger struct {
	camera *cameraLine
	open   []*openDefect
}

type openDefect struct {
	coil         *coilRun
	from         inspection.EncoderCount
	x0, x1       float64                       // pixels across of the parts that reached the end of the frame before
	parts        []inspection.RegionOfInterest // in the newest frame
	defect       inspection.Defect
	image        *inspection.Crop
	shared       bool                               // a neighbour may have seen it too
	weight       map[inspection.DefectClass]float64 // confidence times area
	conf         map[inspection.DefectClass]float32
	before       bool    // it reached the end of the frame before
	reaches      bool    // one of its parts reaches the end of the newest frame
	endX0, endX1 float64 // pixels across of those parts
}

// frame enters the regions of a settled frame, and sends on the defects that ended.
func (m *merger) frame(s *settling, coils []*coilRun) {
	for _, d := range m.open {
		d.before, d.x0, d.x1, d.parts = d.reaches, d.endX0, d.endX1, d.parts[:0]
		d.reaches = false
	}
	for _, p := range s.regions[:s.n] {
		p.verdict = p.roi.Verdict(p.verdict)
		if p.verdict.Class == inspection.NoDefect {
			m.camera.stats.reject()
			continue
		}
		m.region(s, p, coils)
	}
	m.open = slices.DeleteFunc(m.open, func(d *openDefect) bool {
		goesOn := d.reaches && d.defect.Rect.Length < longestOpen
		if !goesOn {
			m.send(d)
		}
		return !goesOn
	})
}

func (m *merger) region(s *settling, p *pendingRegion, coils []*coilRun) {
	count := func(y int) inspection.EncoderCount { return s.countAt(y, math.Round) }
	r := p.roi
	middle := count(r.Y + r.Height/2)
	var coil *coilRun
	for _, c := range coils {
		if tail, _ := m.camera.line.tracker.end(c); c.head <= middle && middle < tail && !m.camera.account.passed(c) {
			coil = c
		}
	}
	if coil == nil { // before a head end or behind a tail end: not this coil's steel
		return
	}
	loc := m.camera.Locator
	x0, x1 := float64(r.X), float64(r.X+r.Width)
	edge, _, _ := m.camera.view.edges.at(middle)
	from, to := m.camera.across(x0, x1, edge)
	perPixel := (to - from) / inspection.MM(x1-x0)
	area := float64(r.Area) * float64(perPixel) * float64(loc.Length(s.span.Len())) / float64(s.lines)
	from, to = m.camera.across(float64(p.extent.Min.X), float64(p.extent.Max.X), edge)
	// Lines, not counts: a count may be as long as several.
	along := func(y int) inspection.MM {
		return loc.Length(s.span.From-coil.head) + loc.Length(s.span.Len())*inspection.MM(y)/inspection.MM(s.lines)
	}
	part := inspection.StripRect{
		Along:  max(0, along(p.extent.Min.Y)),
		Across: from, Width: to - from,
		Length: along(p.extent.Max.Y) - along(p.extent.Min.Y),
	}
	d := m.joined(coil, r, x0, x1, p.verdict.Class)
	if d == nil {
		d = &openDefect{
			coil: coil, from: count(r.Y),
			weight: map[inspection.DefectClass]float64{}, conf: map[inspection.DefectClass]float32{},
			defect: inspection.Defect{Coil: coil.id, Side: m.camera.Side, Camera: m.camera.ID, Rect: part},
		}
		m.open = append(m.open, d)
	}
	d.parts = append(d.parts, r)
	d.shared = d.shared || m.camera.shares(x0, x1)
	if r.Y+r.Height >= s.lines-borderLines {
		d.reach(x0, x1)
	}
	d.defect.Rect = d.defect.Rect.Union(part)
	d.defect.Area += area
	d.defect.Seen = s.arrived.UTC()
	c := p.verdict
	d.weight[c.Class] += float64(c.Confidence) * area
	d.conf[c.Class] = max(d.conf[c.Class], c.Confidence)
	if r.Score > d.defect.Contrast {
		d.defect.Contrast = r.Score
		if d.image = m.keep(p.crop); d.image != nil {
			size := inspection.MM(d.image.Size)
			d.image.Look = c.Look
			d.image.Shows = inspection.PictureSize{
				Length: loc.Length(s.span.Len()) * size / inspection.MM(s.lines),
				Width:  perPixel * size,
			}
		}
	}
}

// keep copies a crop for the record, unless there is none, or the recorder is falling behind: then pictures go first.
func (m *merger) keep(crop []byte) *inspection.Crop {
	if q := m.camera.line.rec.queue; crop == nil || len(q) > cap(q)/2 {
		m.camera.stats.dropPicture()
		return nil
	}
	return &inspection.Crop{Pix: slices.Clone(crop), Size: m.camera.line.opts.CropSize}
}

// joined finds the open defect that a region is a part of, nil without one. A region that bridges several
// makes one of them.
func (m *merger) joined(coil *coilRun, r inspection.RegionOfInterest, x0, x1 float64, class inspection.DefectClass) *openDefect {
	var into *openDefect
	m.open = slices.DeleteFunc(m.open, func(d *openDefect) bool {
		if d.coil != coil || !d.goesOn(r, x0, x1, class) {
			return false
		}
		if into == nil {
			into = d
			return false
		}
		into.absorb(d)
		return true
	})
	return into
}

// goesOn reports whether a region is a part of the defect: it is at the top of this frame where the defect
// reached the end of the frame before, or of the same class and touches a part in this frame.
func (d *openDefect) goesOn(r inspection.RegionOfInterest, x0, x1 float64, class inspection.DefectClass) bool {
	if r.Y <= borderLines && d.before && x0 <= d.x1+partSlack && d.x0 <= x1+partSlack {
		return true
	}
	_, same := d.weight[class]
	return same && slices.ContainsFunc(d.parts, func(q inspection.RegionOfInterest) bool { return touch(q, r) })
}

// absorb takes over what is known of another defect, which turns out to be the same.
func (d *openDefect) absorb(o *openDefect) {
	d.from = min(d.from, o.from)
	if o.before && d.before {
		d.x0, d.x1 = min(d.x0, o.x0), max(d.x1, o.x1)
	} else if o.before {
		d.before, d.x0, d.x1 = true, o.x0, o.x1
	}
	if o.reaches {
		d.reach(o.endX0, o.endX1)
	}
	d.parts, d.shared = append(d.parts, o.parts...), d.shared || o.shared
	if o.defect.Contrast > d.defect.Contrast {
		d.defect.Contrast, d.image = o.defect.Contrast, o.image
	}
	d.defect.Rect = d.defect.Rect.Union(o.defect.Rect)
	d.defect.Area += o.defect.Area
	for class, w := range o.weight {
		d.weight[class] += w
		d.conf[class] = max(d.conf[class], o.conf[class])
	}
}

// reach notes that a part between pixels x0 and x1 goes to the end of the newest frame.
func (d *openDefect) reach(x0, x1 float64) {
	if d.reaches {
		x0, x1 = min(x0, d.endX0), max(x1, d.endX1)
	}
	d.endX0, d.endX1, d.reaches = x0, x1, true
}

// touch reports whether two regions overlap or lie within partSlack of each other.
func touch(a, b inspection.RegionOfInterest) bool {
	return a.X <= b.X+b.Width+partSlack && b.X <= a.X+a.Width+partSlack &&
		a.Y <= b.Y+b.Height+partSlack && b.Y <= a.Y+a.Height+partSlack
}

// oldest is the encoder count where the first held defect of a coil begins.
func (m *merger) oldest(coil *coilRun) inspection.EncoderCount {
	at := openTail
	for _, d := range m.open {
		if d.coil == coil {
			at = min(at, d.from)
		}
	}
	return at
}

// cutAll sends every held defect: the next frame does not continue the strip.
func (m *merger) cutAll() {
	for _, d := range m.open {
		m.send(d)
	}
	m.open = m.open[:0]
}

// cut sends the held defects of a coil that has ended.
func (m *merger) cut(coil *coilRun) {
	m.open = slices.DeleteFunc(m.open, func(d *openDefect) bool {
		if d.coil != coil {
			return false
		}
		m.send(d)
		return true
	})
}

func (m *merger) send(d *openDefect) {
	d.defect.Class, d.defect.Conf = inspection.Unclassified, 0
	best := -1.0
	for class, w := range d.weight {
		if class == inspection.Unclassified {
			continue
		}
		if w > best || (w == best && class < d.defect.Class) {
			best = w
			d.defect.Class, d.defect.Conf = class, d.conf[class]
		}
	}
	d.defect.Severity = d.coil.recipe.SeverityOf(d.defect.Class)
	d.defect.Area = min(d.defect.Area, d.defect.Rect.Area())
	if d.defect.Seen.IsZero() {
		d.defect.Seen = time.Now().UTC()
	}
	m.camera.line.rec.queue <- entry{coil: d.coil, camera: m.camera.index, defect: &d.defect, image: d.image, shared: d.shared}
}
