package line

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// cameraLine runs one camera: grab and screen here, settle in settle.go.
type cameraLine struct {
	Camera
	line  *Line
	index int
	books books
	stats stats

	grabbed chan grabbed   // grab -> screen; full means overrun
	settles chan *settling // screen -> settle
	idle    chan *settling // settled ones, to be used again
	crops   chan []byte    // free crop buffers, shared by the cameras
	ended   atomic.Pointer[error]

	// Owned by the screen goroutine.
	screening inspection.Screening
	coils     []*coilRun
	lastCoil  *coilRun

	// Owned by the settle goroutine.
	account accounts
	merge   merger

	view view // where it looks, and its neighbours
}

// grabbed is a frame on its way to the detector, behind the strip that was lost just before it. The
// last one of a camera may have no frame.
type grabbed struct {
	lost  []loss
	frame *camera.Frame
}

// settling is a screened frame that waits for its regions to be classified. The pixels are gone, but
// for the crops.
type settling struct {
	lost     []loss
	hasFrame bool
	span     inspection.EncoderSpan
	lines    int
	seam     bool
	arrived  time.Time
	edges    inspection.StripEdges
	blind    []inspection.UnscreenedLines
	unseen   bool                // no line of it showed strip
	uncoiled bool                // screened while no coil ran: its regions were let go
	state    inspection.GapState // empty: inspected
	cause    string
	regions  []*pendingRegion // used ones first; the slice keeps its spares
	n        int
	pending  sync.WaitGroup
}

// pendingRegion is a region between its crop being cut and its verdict.
type pendingRegion struct {
	roi     inspection.RegionOfInterest
	extent  image.Rectangle // of what stands out in it, pixels
	crop    []byte          // nil: none was cut
	verdict inspection.Classification
	ok      bool
	answer  func(inspection.Classification, bool) // made once, so that a crop costs no allocation
}

func newCameraLine(l *Line, index int, c Camera, crops chan []byte) *cameraLine {
	cl := &cameraLine{
		Camera: c, line: l, index: index, crops: crops,
		grabbed: make(chan grabbed, grabBacklog),
		settles: make(chan *settling, settleBacklog),
		idle:    make(chan *settling, settleBacklog+2), // those queued, one being filled, one being settled
	}
	for range cap(cl.idle) {
		s := &settling{regions: make([]*pendingRegion, l.opts.RegionCap)}
		for i := range s.regions {
			p := &pendingRegion{}
			p.answer = func(c inspection.Classification, ok bool) {
				p.verdict, p.ok = c, ok
				s.pending.Done()
			}
			s.regions[i] = p
		}
		cl.idle <- s
	}
	cl.account = newAccounts(cl)
	cl.merge.camera = cl
	return cl
}

// run returns when the source has ended, or ctx, and everything that had arrived is with the recorder.
func (c *cameraLine) run(ctx context.Context) {
	var stages sync.WaitGroup
	stages.Go(func() {
		defer close(c.settles)
		for g := range c.grabbed {
			c.screen(g)
		}
		c.view.edges.gone(c.view.place)
	})
	stages.Go(c.settle)
	if err := c.grab(ctx); err != nil {
		c.ended.Store(&err)
		c.line.opts.Logger.Error("camera stopped", "camera", c.ID, "error", err)
	}
	close(c.grabbed)
	c.line.grabbing.Done()
	stages.Wait()
}

const overrunCause = "frames arrived faster than they were screened"

// grab takes frames from the source as they come. It never waits for the stages behind it, unless the
// line is lossless: what cannot be queued is an overrun.
func (c *cameraLine) grab(ctx context.Context) error {
	var lost []loss
	for {
		f, err := c.Source.Next(ctx)
		if err != nil {
			if len(lost) > 0 {
				c.grabbed <- grabbed{lost: lost}
			}
			if errors.Is(err, io.EOF) || ctx.Err() != nil {
				return nil //nolint:nilerr // the end of a recording or of the run is not a failure
			}
			return fmt.Errorf("camera %s: %w", c.ID, err)
		}
		c.stats.frame(f)
		c.line.tracker.arrived(f.Span.To)
		if missing, jumped := c.books.arrive(f); jumped {
			lost = append(lost, missing)
		}
		if c.line.opts.Lossless {
			c.grabbed <- grabbed{lost: lost, frame: f}
			lost = nil
			continue
		}
		select {
		case c.grabbed <- grabbed{lost: lost, frame: f}:
			lost = nil
		default:
			c.books.settle(inspection.Overrun)
			lost = addLoss(lost, loss{span: f.Span, state: inspection.Overrun, cause: overrunCause})
			f.Release()
		}
	}
}

// addLoss appends a loss, lengthening the last one where it goes on.
func addLoss(lost []loss, l loss) []loss {
	if n := len(lost); n > 0 && lost[n-1].state == l.state && lost[n-1].cause == l.cause && lost[n-1].span.To == l.span.From {
		lost[n-1].span.To = l.span.To
		return lost
	}
	return append(lost, l)
}

// screen finds the regions of a frame, hands their crops to the classifier and lets the frame go.
func (c *cameraLine) screen(g grabbed) {
	s := <-c.idle
	began := time.Now()
	s.lost, s.hasFrame, s.n, s.state, s.cause, s.uncoiled = g.lost, g.frame != nil, 0, "", "", false
	s.unseen = false
	if f := g.frame; f != nil {
		s.span, s.lines, s.seam, s.arrived = f.Span, f.Image.Height, f.Seam, f.Arrived
		s.edges, s.blind = inspection.StripEdges{}, s.blind[:0]
		if f.Status == camera.Incomplete {
			s.state, s.cause = inspection.Incomplete, f.Cause
		} else {
			c.screenFrame(s, f)
		}
		c.view.edges.come(c.view.place, f.Span.To)
		f.Release()
	}
	c.stats.busy(time.Since(began), 0)
	c.settles <- s
}

func (c *cameraLine) screenFrame(s *settling, f *camera.Frame) {
	o := &c.line.opts
	c.coils = c.line.tracker.over(c.coils[:0], f.Span)
	s.uncoiled = len(c.coils) == 0
	if n := len(c.coils); n > 0 && c.coils[n-1] != c.lastCoil {
		c.lastCoil = c.coils[n-1]
		c.Detector.Reset()
	}
	began := time.Now()
	flat := c.flat()
	if err := c.Detector.Screen(&c.screening, f.Image, flat, f.Seam); err != nil {
		s.state, s.cause = inspection.Incomplete, err.Error()
		return
	}
	c.stats.screened(time.Since(began))
	s.edges = c.screening.Edges
	s.blind = append(s.blind, c.screening.Unscreened...)
	c.view.saw(c.Locator, f, s.edges)
	o.Observer.Screened(c.ID, f.Span, &c.screening)
	if len(c.coils) == 0 {
		if s.edges.Present {
			c.stats.unassigned(f.Span.Len())
		}
		return
	}
	blind := 0
	for _, b := range s.blind {
		blind += b.To - b.From
	}
	if blind == f.Image.Height && c.line.tracker.inside(c.coils, f.Span) {
		// A dark lamp or a covered window looks like this: nothing was seen, so nothing was inspected.
		s.state, s.cause, s.unseen = inspection.Incomplete, s.blind[0].Cause, true
		return
	}
	found := c.screening.Regions
	if over := len(found) - o.RegionCap; over > 0 {
		slices.SortFunc(found, func(a, b inspection.RegionOfInterest) int { return cmp.Compare(b.Score, a.Score) })
		found = found[:o.RegionCap]
		s.state, s.cause = inspection.DetectedOnly, fmt.Sprintf("more than %d regions in one frame", o.RegionCap)
	}
	var deadline time.Time
	if !o.Lossless {
		deadline = f.Arrived.Add(o.ClassifyWithin)
	}
	// Where most of the places for waiting frames are taken, classes are given up before strip is.
	behind := !o.Lossless && len(c.grabbed) > cap(c.grabbed)*3/4
	for _, r := range found {
		p := s.regions[s.n]
		s.n++
		p.roi, p.crop, p.ok = r, nil, false
		p.extent = image.Rect(r.X, r.Y, r.X+r.Width, r.Y+r.Height)
		if o.Tighten != nil && !behind {
			p.extent = o.Tighten(f.Image, flat, r, s.edges)
		}
		switch {
		case behind:
			s.state, s.cause = inspection.DetectedOnly, "frames waited to be screened; their regions were not classified"
		case !c.submit(s, p, f, flat, deadline):
			s.state, s.cause = inspection.DetectedOnly, "regions arrived faster than they were classified"
		}
	}
}

func (c *cameraLine) flat() inspection.FlatField {
	if c.FlatField == nil {
		return inspection.FlatField{}
	}
	return c.FlatField()
}

// submit cuts a region's crop and queues it. It reports false where no crop buffer or no place in the
// queue was free; the region is then recorded as unclassified.
func (c *cameraLine) submit(s *settling, p *pendingRegion, f *camera.Frame, flat inspection.FlatField, deadline time.Time) bool {
	select {
	case p.crop = <-c.crops:
	default:
		if !c.line.opts.Lossless {
			return false
		}
		p.crop = <-c.crops
	}
	c.line.opts.Cut(p.crop, f.Image, flat, p.roi, s.edges)
	s.pending.Add(1)
	if !c.line.opts.Classifier.Submit(p.crop, deadline, p.answer) {
		s.pending.Done()
		return false
	}
	return true
}
