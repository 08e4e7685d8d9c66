// Package line is the pipeline of an inspection line and its ledger: frames are grabbed, screened,
// their regions classified, placed on the strip and recorded, and every frame that was not fully
// inspected becomes a gap in the coil's map.
//
// One frame passes three goroutines of its camera (grab, screen, settle) and then the recorder that
// all cameras share. The order of frames is kept throughout. Nothing here ever makes a camera wait,
// unless Options.Lossless says that the sources are recordings.
package line

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// FrameSource gives the frames of one camera in order.
type FrameSource interface {
	// Next gives the frame to the caller, who must Release it. io.EOF ends a recording.
	Next(ctx context.Context) (*camera.Frame, error)
}

// Detector screens every pixel of a frame. One detector serves one camera.
type Detector interface {
	// Screen fills out; img is borrowed for the call.
	Screen(out *inspection.Screening, img inspection.LineImage, flat inspection.FlatField, seam bool) error
	// Reset forgets the strip seen so far, at a head end.
	Reset()
}

// Classifier answers crops, later and from another goroutine.
type Classifier interface {
	// Submit hands in a crop, which the classifier borrows until it calls answer, exactly once and
	// without blocking: ok is false where the deadline (zero: none) passed first. Submit never
	// blocks; it reports false, and calls nothing, where its queue is full.
	Submit(crop []byte, deadline time.Time, answer func(c inspection.Classification, ok bool)) bool
}

// Locator places what a camera sees on the strip.
type Locator interface {
	// Length is the strip length that n encoder counts make.
	Length(n inspection.EncoderCount) inspection.MM
	// Across is where a pixel lies across the line: mm from a place that the cameras of a side have in common, the more
	// the nearer it is to the drive side.
	Across(x float64) inspection.MM
}

// CoilLog is the durable record. Each call is all or nothing.
type CoilLog interface {
	StartCoil(ctx context.Context, id inspection.CoilID, o inspection.CoilOrder, r inspection.Recipe, by inspection.Setup, at time.Time) (inspection.Coil, error)
	// Append fills in the ids of b.Defects.
	Append(ctx context.Context, b *inspection.Batch) error
	CloseCoil(ctx context.Context, id inspection.CoilID, s inspection.Strip, r inspection.InspectionResult, at time.Time) (inspection.Coil, error)
}

// Observer is told what became durable. Its calls must not block.
type Observer interface {
	Recorded(b *inspection.Batch)
	CoilChanged(c inspection.Coil)
	RecordFailing(err error) // nil: recording works again
	// Screened lends the reduced picture of a frame that was screened.
	Screened(id inspection.CameraID, span inspection.EncoderSpan, s *inspection.Screening)
}

// RollWatch looks for what comes again at each turn of a roll, on one coil.
type RollWatch interface {
	// Add takes a defect in, about in the order of the strip, and reports whether the findings changed. It is borrowed for the
	// call.
	Add(d *inspection.Defect) bool
	// Findings gives the caller all that was found so far.
	Findings() []inspection.RollMark
}

// Camera is one camera of the line and what belongs to it.
type Camera struct {
	ID   inspection.CameraID
	Side inspection.Side
	// Width of a frame in pixels. It is needed where several cameras look at one side, which must leave no strip between
	// them.
	Width    int
	Source   FrameSource
	Detector Detector
	// FlatField is that of the next frame; nil for none. It is asked by one goroutine.
	FlatField func() inspection.FlatField
	Locator   Locator
}

// Options of a line.
type Options struct {
	Cameras    []Camera
	Classifier Classifier
	Log        CoilLog
	Observer   Observer
	// Setup names what inspects a coil. It is called where a coil starts, once no running coil is in the
	// way: the place to change it.
	Setup func() inspection.Setup
	// Cut copies the crop of a region, CropSize x CropSize pixels, out of a borrowed image.
	Cut      func(dst []byte, img inspection.LineImage, flat inspection.FlatField, r inspection.RegionOfInterest, e inspection.StripEdges)
	CropSize int
	// Tighten, where it is set, finds the extent in pixels of what stands out in a region, inside it.
	Tighten func(img inspection.LineImage, flat inspection.FlatField, r inspection.RegionOfInterest, e inspection.StripEdges) image.Rectangle
	// Rolls gives each coil its watch, of which one goroutine makes use; nil: nobody looks for roll marks.
	Rolls func() RollWatch
	// RegionCap bounds the regions of a frame that are classified; the rest makes the frame
	// detected-only. Zero is the default.
	RegionCap int
	// ClassifyWithin is the time after a frame's arrival by which its regions must be classified.
	ClassifyWithin time.Duration
	// FlushEvery is the time of defects that one transaction holds.
	FlushEvery time.Duration
	// LostAfter is how long after a tail end a silent camera is waited for.
	LostAfter time.Duration
	// Lossless lets the line slow its sources down: for recordings, never for cameras.
	Lossless bool
	Logger   *slog.Logger
}

const (
	grabBacklog   = 24  // frames of 256 lines; 150 ms at 40 kHz, so that a scheduler hiccup costs no strip
	settleBacklog = 32  // frames that wait for their classification; 200 ms at the same rate
	cropBuffers   = 512 // crops in flight; 8 MiB, and 0.4 s of a burst of 1,200 regions a second
	recordBacklog = 256 // settled frames that wait for the disk; 1.6 s at 40 kHz

	defaultRegionCap      = 64 // in a frame: 10,000 regions a second at 40 kHz, twice what a core classifies
	defaultClassifyWithin = 250 * time.Millisecond
	defaultFlushEvery     = 50 * time.Millisecond
	defaultLostAfter      = 3 * time.Second
)

// Line runs the cameras of one strip.
type Line struct {
	opts    Options
	tracker *tracker
	cameras []*cameraLine
	rec     *recorder
	starts  sync.Mutex // held over a start: the log and the tracker change together

	grabbing   sync.WaitGroup
	grabsEnded chan struct{} // closed when every source has ended
	ended      atomic.Bool   // no more frames come; the record may give up on a broken disk
}

// New checks the options and builds a line. Run starts it.
func New(o Options) (*Line, error) {
	if len(o.Cameras) == 0 {
		return nil, fmt.Errorf("line: there is no camera; a line needs at least one")
	}
	o.RegionCap = orDefault(o.RegionCap, defaultRegionCap)
	o.ClassifyWithin = orDefault(o.ClassifyWithin, defaultClassifyWithin)
	o.FlushEvery = orDefault(o.FlushEvery, defaultFlushEvery)
	o.LostAfter = orDefault(o.LostAfter, defaultLostAfter)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	l := &Line{opts: o, tracker: newTracker(), grabsEnded: make(chan struct{})}
	l.rec = newRecorder(l)
	crops := make(chan []byte, cropBuffers)
	for range cropBuffers {
		crops <- make([]byte, o.CropSize*o.CropSize)
	}
	if o.Lossless && len(o.Cameras)*o.RegionCap > cropBuffers {
		return nil, fmt.Errorf("line: %d cameras of %d regions a frame can hold all %d crops and wait for each other; allowed are %d regions", len(o.Cameras), o.RegionCap, cropBuffers, cropBuffers/len(o.Cameras))
	}
	seen := map[inspection.CameraID]bool{}
	for i, c := range o.Cameras {
		if seen[c.ID] {
			return nil, fmt.Errorf("line: two cameras have the id %q; each needs its own", c.ID)
		}
		if !c.Side.Valid() {
			return nil, fmt.Errorf("line: camera %s looks at side %q; allowed are top and bottom", c.ID, c.Side)
		}
		seen[c.ID] = true
		l.cameras = append(l.cameras, newCameraLine(l, i, c, crops))
	}
	for _, side := range inspection.Sides() {
		if err := l.arrange(side); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func orDefault[T int | time.Duration](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

// Run inspects until ctx ends or every source has. Frames that had arrived are then settled and
// recorded before it returns. A coil that is still open when the sources of a lossless line end is
// finished at the last line seen; otherwise it is left open for CoilLog's owner to close as
// interrupted.
func (l *Line) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { l.ended.Store(true) })()
	var cams sync.WaitGroup
	l.grabbing.Add(len(l.cameras))
	go func() {
		l.grabbing.Wait()
		close(l.grabsEnded)
	}()
	for _, c := range l.cameras {
		cams.Go(func() { c.run(ctx) })
	}
	done := make(chan error, 1)
	go func() { done <- l.rec.run(context.WithoutCancel(ctx)) }()
	cams.Wait()
	l.ended.Store(true)
	var err error
	if id, _, ok := l.tracker.running(); ok && l.opts.Lossless && ctx.Err() == nil {
		err = l.tracker.finish(id, Here, time.Now())
	}
	for _, c := range l.cameras {
		c.account.finishAll()
	}
	close(l.rec.queue)
	return errors.Join(err, <-done)
}

// mayGiveUp reports whether a record that keeps failing may be given up: when the line has been told to
// stop, or can be run again from its recording. A running line goes on trying.
func (l *Line) mayGiveUp() bool { return l.ended.Load() || l.opts.Lossless }

// Here stands for the newest encoder count that has arrived at the moment a coil is started or finished:
// no frame that is already under way lies behind it.
const Here = inspection.EncoderCount(math.MinInt64)

// Start opens a coil whose head end is at encoder count at; durable when it returns.
func (l *Line) Start(ctx context.Context, id inspection.CoilID, o inspection.CoilOrder, r inspection.Recipe, at inspection.EncoderCount) (inspection.Coil, error) {
	l.starts.Lock()
	defer l.starts.Unlock()
	if l.ended.Load() {
		return inspection.Coil{}, stoppedError(id)
	}
	if err := l.tracker.canStart(id, at); err != nil {
		return inspection.Coil{}, err
	}
	c, err := l.opts.Log.StartCoil(ctx, id, o, r, l.opts.Setup(), time.Now().UTC())
	if err != nil {
		return inspection.Coil{}, err
	}
	if err := l.tracker.start(id, r, at); err != nil {
		return inspection.Coil{}, err
	}
	l.opts.Observer.CoilChanged(c)
	return c, nil
}

// Finish says that the tail end of the running coil is at encoder count at. The coil is graded as soon
// as every camera has accounted for its strip up to there.
func (l *Line) Finish(id inspection.CoilID, at inspection.EncoderCount) error {
	if l.ended.Load() {
		return stoppedError(id)
	}
	return l.tracker.finish(id, at, time.Now())
}

func stoppedError(id inspection.CoilID) error {
	return &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "cannot be started or finished: the cameras have ended"}
}

// Position is the newest encoder count that any camera has delivered.
func (l *Line) Position() inspection.EncoderCount { return l.tracker.position() }

// Running is the coil whose head end has come and whose tail end has not; ok is false without one.
func (l *Line) Running() (id inspection.CoilID, head inspection.EncoderCount, ok bool) {
	return l.tracker.running()
}

// Settled reports whether every coil that was finished is closed in the log.
func (l *Line) Settled() bool { return l.tracker.settled() }
