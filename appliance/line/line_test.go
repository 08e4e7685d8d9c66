package line

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testWidth = 64
	testLines = 32
	// A region of the scripted detector is written into a frame's pixels as a byte: its class.
	markInclusion, markScratch = 1, 2
	// A frame that begins with markDark shows no strip.
	markDark = 200
	// A frame that begins with markEnd shows no strip in its first 8 lines and a rim in the next 4.
	markEnd = 201
)

// scriptedDetector reports each pixel value 1 to 9 as a region of 8 x 8 at that place.
type scriptedDetector struct {
	delay  time.Duration
	resets int
	fail   bool
	edges  func(frame int) inspection.StripEdges // nil: 4 pixels from either side
	frames int
}

func (d *scriptedDetector) Reset() { d.resets++ }

func (d *scriptedDetector) Screen(out *inspection.Screening, img inspection.LineImage, _ inspection.FlatField, _ bool) error {
	if d.delay > 0 {
		time.Sleep(d.delay)
	}
	out.Unscreened = out.Unscreened[:0]
	if img.Pix[0] == markDark {
		out.Edges, out.Regions = inspection.StripEdges{}, out.Regions[:0]
		out.Unscreened = append(out.Unscreened, inspection.UnscreenedLines{To: img.Height, Cause: "dark"})
		return nil
	}
	if img.Pix[0] == markEnd {
		out.Unscreened = append(out.Unscreened, inspection.UnscreenedLines{To: 8, Cause: "no strip"}, inspection.UnscreenedLines{From: 8, To: 12, Cause: "rim"})
	}
	if d.fail {
		return errors.New("detector: broken")
	}
	out.Edges = inspection.StripEdges{Present: true, Left: 4, Right: float64(img.Width) - 4, LastLine: img.Height}
	if d.edges != nil {
		out.Edges = d.edges(d.frames)
		d.frames++
	}
	out.Regions = out.Regions[:0]
	for y := range img.Height {
		for x, v := range img.Row(y) {
			if v > 0 && v < 10 {
				out.Regions = append(out.Regions, inspection.RegionOfInterest{
					X: x, Y: y, Width: min(8, img.Width-x), Height: min(8, img.Height-y), PeakX: x, PeakY: y,
					Score: float32(v), Area: 16,
				})
			}
		}
	}
	return nil
}

func cutCorner(dst []byte, img inspection.LineImage, _ inspection.FlatField, r inspection.RegionOfInterest, _ inspection.StripEdges) {
	dst[0] = img.Row(r.Y)[r.X]
}

// promptClassifier answers at once, by the crop's first pixel; slow ones never answer before the deadline.
type promptClassifier struct {
	full, late bool
	asked      atomic.Int64
}

func (c *promptClassifier) Submit(crop []byte, _ time.Time, answer func(inspection.Classification, bool)) bool {
	c.asked.Add(1)
	if c.full {
		return false
	}
	class := map[byte]inspection.DefectClass{markInclusion: "slag_inclusion", markScratch: "surface_scratch", 9: inspection.NoDefect}[crop[0]]
	go answer(inspection.Classification{Class: class, Confidence: 0.9, Look: inspection.Look{int8(crop[0])}}, !c.late)
	return true
}

// memoryLog is a CoilLog in memory that can be told to fail.
type memoryLog struct {
	mu       sync.Mutex
	started  map[inspection.CoilID]bool
	maps     map[inspection.CoilID]*inspection.DefectMap
	progress map[inspection.CoilID]map[inspection.Side]inspection.MM
	results  map[inspection.CoilID]inspection.InspectionResult
	failures int           // how many appends fail
	takes    time.Duration // an append
	images   int
	image    inspection.Crop // the newest
	nextID   inspection.DefectID
}

func newMemoryLog() *memoryLog {
	return &memoryLog{
		started: map[inspection.CoilID]bool{}, maps: map[inspection.CoilID]*inspection.DefectMap{},
		progress: map[inspection.CoilID]map[inspection.Side]inspection.MM{},
		results:  map[inspection.CoilID]inspection.InspectionResult{},
	}
}

func (l *memoryLog) StartCoil(_ context.Context, id inspection.CoilID, o inspection.CoilOrder, _ inspection.Recipe, _ inspection.Setup, _ time.Time) (inspection.Coil, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.started[id] {
		return inspection.Coil{}, &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "has already run"}
	}
	l.started[id] = true
	l.maps[id] = &inspection.DefectMap{}
	l.progress[id] = map[inspection.Side]inspection.MM{}
	return inspection.Coil{ID: id, Order: o, State: inspection.Running}, nil
}

func (l *memoryLog) Append(_ context.Context, b *inspection.Batch) error {
	time.Sleep(l.takes)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failures > 0 {
		l.failures--
		return errors.New("disk full")
	}
	for i := range b.Defects {
		l.nextID++
		b.Defects[i].ID = l.nextID
		if i < len(b.Images) && b.Images[i] != nil {
			l.images++
			l.image = *b.Images[i]
		}
	}
	m := l.maps[b.Coil]
	m.Defects = append(m.Defects, b.Defects...)
	m.Gaps = append(m.Gaps, b.Gaps...)
	for _, p := range b.Progress {
		l.progress[b.Coil][p.Side] = max(l.progress[b.Coil][p.Side], p.To)
	}
	return nil
}

func (l *memoryLog) CloseCoil(_ context.Context, id inspection.CoilID, s inspection.Strip, r inspection.InspectionResult, _ time.Time) (inspection.Coil, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.maps[id].Strip, l.results[id] = s, r
	return inspection.Coil{ID: id, State: inspection.Closed}, nil
}

// quiet is an Observer that keeps what it was told of failures.
type quiet struct{ failing, recovered atomic.Int64 }

func (q *quiet) Recorded(*inspection.Batch)                                                  {}
func (q *quiet) CoilChanged(inspection.Coil)                                                 {}
func (q *quiet) Screened(inspection.CameraID, inspection.EncoderSpan, *inspection.Screening) {}
func (q *quiet) RecordFailing(err error) {
	if err != nil {
		q.failing.Add(1)
	} else {
		q.recovered.Add(1)
	}
}

// unit is a Locator of one mm a count and a pixel.
type unit struct{}

func (unit) Length(n inspection.EncoderCount) inspection.MM { return inspection.MM(n) }
func (unit) Across(x float64) inspection.MM                 { return inspection.MM(x) }

// mark is a region that a scripted frame carries.
type mark struct {
	x, y  int
	value byte
}

// script is a FrameSource that plays frames: marks by frame number, frames to lose or to damage.
type script struct {
	pool    *camera.Pool
	buffers int // of the pool; 0: 4
	frames  int
	marks   map[int][]mark
	skip    map[int]bool // the camera produced them, nobody could take them
	damaged map[int]bool
	seams   map[int]bool
	every   time.Duration // real time between frames; 0: as fast as buffers are free
	hold    <-chan struct{}
	next    int
	at      inspection.EncoderCount
	lostAt  []inspection.EncoderSpan
}

func (s *script) Next(ctx context.Context) (*camera.Frame, error) {
	for {
		if s.next >= s.frames {
			if s.hold != nil {
				select {
				case <-s.hold:
				case <-ctx.Done():
				}
			}
			return nil, io.EOF
		}
		var f *camera.Frame
		var err error
		if s.every > 0 {
			time.Sleep(s.every)
			f = s.pool.Get()
		} else if f, err = s.pool.Wait(ctx); err != nil {
			return nil, err
		}
		i := s.next
		span := inspection.EncoderSpan{From: s.at, To: s.at + testLines}
		s.next++
		s.at = span.To
		if f == nil || s.skip[i] {
			s.lostAt = append(s.lostAt, span)
			if f != nil {
				f.Release()
			}
			continue
		}
		f.Fit(testWidth, testLines)
		clear(f.Image.Pix)
		for _, m := range s.marks[i] {
			f.Image.Row(m.y)[m.x] = m.value
		}
		f.ID, f.Span, f.Seam, f.Arrived = uint64(i), span, s.seams[i], time.Now()
		if s.damaged[i] {
			f.Status, f.Cause = camera.Incomplete, "packets missing"
		}
		return f, nil
	}
}

// rig is a line of scripted cameras.
type rig struct {
	line     *Line
	log      *memoryLog
	observer *quiet
	class    *promptClassifier
	detector []*scriptedDetector
	pools    []*camera.Pool
}

var testRecipe = inspection.Recipe{
	Name: "test", Version: 1, LongestGap: 10, GapGrade: inspection.Hold,
	Rules: []inspection.GradingRule{{ID: "inclusions", Classes: []inspection.DefectClass{"slag_inclusion"}, Count: 3, Grade: inspection.Second}},
}

func newRig(t *testing.T, change func(*Options), sources ...*script) *rig {
	t.Helper()
	r := &rig{log: newMemoryLog(), observer: &quiet{}, class: &promptClassifier{}}
	o := Options{
		Classifier: r.class, Log: r.log, Observer: r.observer, Setup: func() inspection.Setup { return inspection.Setup{Model: "test"} }, Cut: cutCorner, CropSize: 2, Lossless: true,
	}
	for i, s := range sources {
		side := inspection.Sides()[i%2]
		pool, err := camera.NewPool(inspection.CameraID(side), cmp.Or(s.buffers, 4), testWidth*testLines)
		if err != nil {
			t.Fatal(err)
		}
		s.pool = pool
		d := &scriptedDetector{}
		r.pools, r.detector = append(r.pools, pool), append(r.detector, d)
		o.Cameras = append(o.Cameras, Camera{ID: inspection.CameraID(side), Side: side, Source: s, Detector: d, Locator: unit{}})
	}
	if change != nil {
		change(&o)
	}
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.line = l
	return r
}

func (r *rig) start(t *testing.T, id inspection.CoilID, at inspection.EncoderCount) {
	t.Helper()
	if _, err := r.line.Start(context.Background(), id, inspection.CoilOrder{}, testRecipe, at); err != nil {
		t.Fatal(err)
	}
}

// run runs the line to its end, and checks what must always hold: the ledgers balance and no frame is
// still lent.
func (r *rig) run(t *testing.T) {
	t.Helper()
	if err := r.line.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, s := range r.line.Status() {
		if !s.Ledger.Balanced() || s.Ledger.InFlight != 0 {
			t.Errorf("camera %s: the ledger does not balance: %+v", s.Camera, s.Ledger)
		}
		if err := r.pools[i].Close(); err != nil {
			t.Error(err)
		}
	}
}

// gapCounts lists the encoder counts of a side that the gaps of a coil cover, merged.
func (r *rig) gaps(id inspection.CoilID, side inspection.Side) string {
	var spans []inspection.EncoderSpan
	gaps := slices.Clone(r.log.maps[id].Gaps)
	slices.SortFunc(gaps, func(a, b inspection.Gap) int { return int(a.From - b.From) })
	for _, g := range gaps {
		if g.Side != side {
			continue
		}
		s := inspection.EncoderSpan{From: inspection.EncoderCount(g.From), To: inspection.EncoderCount(g.To)}
		if n := len(spans); n > 0 && spans[n-1].To == s.From {
			spans[n-1].To = s.To
		} else {
			spans = append(spans, s)
		}
	}
	return fmt.Sprint(spans)
}

func TestDefectIsPlacedAndCoilGraded(t *testing.T) {
	r := newRig(t, nil,
		&script{frames: 10, marks: map[int][]mark{3: {{20, 10, markInclusion}}, 5: {{30, 4, 9}}}},
		&script{frames: 10})
	r.start(t, "A1", 32)
	r.run(t)
	m := r.log.maps["A1"]
	if len(m.Defects) != 1 || len(m.Gaps) != 0 {
		t.Fatalf("got %d defects, %d gaps; want 1 defect (the other region is no defect) and no gap", len(m.Defects), len(m.Gaps))
	}
	d := m.Defects[0]
	want := inspection.StripRect{Along: 3*32 + 10 - 32, Across: 16, Length: 8, Width: 8}
	if d.Rect != want || d.Class != "slag_inclusion" || d.Side != inspection.Top {
		t.Errorf("got %+v; want a slag_inclusion on top at %+v", d, want)
	}
	if m.Strip.Length != 9*32 || m.Strip.Width != 56 {
		t.Errorf("strip is %+v; want 288 mm long and 56 mm wide", m.Strip)
	}
	if g := r.log.results["A1"].Grade; g != inspection.Prime {
		t.Errorf("grade %s; want prime", g)
	}
	if r.log.images != 1 {
		t.Errorf("%d pictures kept; want 1", r.log.images)
	}
	if c := r.log.image; c.Look != (inspection.Look{markInclusion}) || c.Shows != (inspection.PictureSize{Length: 2, Width: 2}) {
		t.Errorf("the picture of 2 pixels of 1 mm shows %+v and looks like %v", c.Shows, c.Look)
	}
}

func TestDefectAcrossFrameBordersIsOne(t *testing.T) {
	across := map[int][]mark{2: {{20, 24, markScratch}}, 3: {{22, 0, markScratch}, {48, 12, markScratch}, {22, 24, markScratch}}, 4: {{21, 0, markScratch}}}
	r := newRig(t, nil, &script{frames: 8, marks: across})
	r.start(t, "A1", 0)
	r.run(t)
	var rects []inspection.StripRect
	for _, d := range r.log.maps["A1"].Defects {
		rects = append(rects, d.Rect)
	}
	want := []inspection.StripRect{
		{Along: 88, Across: 16, Length: 16, Width: 10}, // frame 2 into 3
		{Along: 108, Across: 44, Length: 8, Width: 8},  // inside frame 3
		{Along: 120, Across: 17, Length: 16, Width: 9}, // frame 3 into 4
	}
	slices.SortFunc(rects, func(a, b inspection.StripRect) int { return int(a.Along - b.Along) })
	if !slices.Equal(rects, want) {
		t.Errorf("got %v; want %v", rects, want)
	}
}

func TestPiecesOfOneLargeDefectAreOneRecord(t *testing.T) {
	pieces := []mark{{8, 4, markScratch}, {16, 4, markScratch}, {16, 12, markScratch}, {24, 12, markInclusion}, {48, 4, markScratch}}
	r := newRig(t, nil, &script{frames: 4, marks: map[int][]mark{2: pieces}})
	r.start(t, "A1", 0)
	r.run(t)
	d := r.log.maps["A1"].Defects
	if len(d) != 3 {
		t.Fatalf("%d defects; want 3: the scratch in three pieces, the inclusion beside it, the scratch apart", len(d))
	}
	slices.SortFunc(d, func(a, b inspection.Defect) int { return int(b.Area - a.Area) })
	if want := (inspection.StripRect{Along: 68, Across: 4, Length: 16, Width: 16}); d[0].Rect != want || d[0].Area != 48 {
		t.Errorf("the large one is %+v of %g mm²; want %+v of 48", d[0].Rect, d[0].Area, want)
	}
}

func TestRegionThatBridgesTwoDefectsMakesThemOne(t *testing.T) {
	// Two scratches come over the border; what lies between them in the next frame joins them.
	r := newRig(t, nil, &script{frames: 6, marks: map[int][]mark{
		2: {{8, 24, markScratch}, {40, 24, markScratch}},
		3: {{8, 0, markScratch}, {40, 0, markScratch}, {16, 4, markScratch}, {24, 4, markScratch}, {32, 4, markScratch}},
	}})
	r.start(t, "A1", 0)
	r.run(t)
	d := r.log.maps["A1"].Defects
	if want := (inspection.StripRect{Along: 88, Across: 4, Length: 20, Width: 40}); len(d) != 1 || d[0].Rect != want || d[0].Area != 7*16 {
		t.Errorf("got %+v; want one of %+v, 112 mm²", d, want)
	}
}

func TestSeamEndsADefect(t *testing.T) {
	across := map[int][]mark{2: {{20, 24, markScratch}}, 3: {{20, 0, markScratch}}}
	r := newRig(t, nil, &script{frames: 8, marks: across, seams: map[int]bool{3: true}})
	r.start(t, "A1", 0)
	r.run(t)
	if n := len(r.log.maps["A1"].Defects); n != 2 {
		t.Errorf("%d defects; want 2, one on each side of the seam", n)
	}
}

func TestRegionsOutsideTheCoilAreNotItsDefects(t *testing.T) {
	r := newRig(t, nil, &script{frames: 10, marks: map[int][]mark{0: {{20, 2, 1}}, 1: {{20, 0, 1}, {40, 20, 1}}, 7: {{20, 2, 1}, {20, 20, 1}}}})
	r.start(t, "A1", 40) // within frame 1
	if err := r.line.Finish("A1", 7*32+16); err != nil {
		t.Fatal(err)
	}
	r.run(t)
	if n := len(r.log.maps["A1"].Defects); n != 2 {
		t.Errorf("%d defects; want 2: those at counts 52 and 226", n)
	}
	if l := r.log.maps["A1"].Strip.Length; l != 200 {
		t.Errorf("strip is %g mm long; want 200", float64(l))
	}
}

func TestEveryLossIsAGapOfItsCause(t *testing.T) {
	storm := []mark{}
	for x := range 6 {
		storm = append(storm, mark{x * 8, 0, markInclusion})
	}
	r := newRig(t, func(o *Options) { o.RegionCap = 4 }, &script{
		frames: 20, skip: map[int]bool{2: true, 3: true}, damaged: map[int]bool{6: true}, marks: map[int][]mark{9: storm},
	})
	r.start(t, "A1", 0)
	r.run(t)
	if got := r.gaps("A1", inspection.Top); got != "[[64, 128) [192, 224) [288, 320)]" {
		t.Errorf("gaps cover %s", got)
	}
	var states []inspection.GapState
	for _, g := range r.log.maps["A1"].Gaps {
		states = append(states, g.State)
	}
	if want := []inspection.GapState{inspection.Underrun, inspection.Incomplete, inspection.DetectedOnly}; !slices.Equal(states, want) {
		t.Errorf("gap states %v; want %v", states, want)
	}
	l := r.line.Status()[0].Ledger
	if want := (Ledger{Arrived: 20, Inspected: 16, DetectedOnly: 1, Incomplete: 1, Underrun: 2}); l != want {
		t.Errorf("ledger %+v; want %+v", l, want)
	}
	if g := r.log.results["A1"]; g.Grade != inspection.Hold {
		t.Errorf("grade %s; want hold: a gap of 64 mm is longer than the 10 mm allowed", g.Grade)
	}
}

func TestLateClassifierLeavesRegionsUnclassifiedAndAGap(t *testing.T) {
	r := newRig(t, nil, &script{frames: 6, marks: map[int][]mark{3: {{20, 10, markInclusion}}}})
	r.class.late = true
	r.start(t, "A1", 0)
	r.run(t)
	m := r.log.maps["A1"]
	if len(m.Defects) != 1 || m.Defects[0].Class != inspection.Unclassified {
		t.Errorf("defects %+v; want one, unclassified", m.Defects)
	}
	if got := r.gaps("A1", inspection.Top); got != "[[96, 128)]" {
		t.Errorf("gaps cover %s; want the frame of the region", got)
	}
}

func TestFullClassifierQueueIsADetectedOnlyGap(t *testing.T) {
	r := newRig(t, nil, &script{frames: 6, marks: map[int][]mark{3: {{20, 10, markInclusion}}}})
	r.class.full = true
	r.start(t, "A1", 0)
	r.run(t)
	if got := r.gaps("A1", inspection.Top); got != "[[96, 128)]" || len(r.log.maps["A1"].Defects) != 1 {
		t.Errorf("gaps cover %s, %d defects; want the frame and one", got, len(r.log.maps["A1"].Defects))
	}
}

func TestBrokenDetectorIsAGapNotAStop(t *testing.T) {
	r := newRig(t, nil, &script{frames: 6})
	r.detector[0].fail = true
	r.start(t, "A1", 0)
	r.run(t)
	if got := r.gaps("A1", inspection.Top); got != "[[0, 192)]" {
		t.Errorf("gaps cover %s; want the whole coil", got)
	}
}

func TestFailingDiskLosesPicturesButNoDefect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, &script{frames: 6, marks: map[int][]mark{1: {{20, 10, markInclusion}}, 3: {{20, 10, markInclusion}}}})
		r.log.failures = 3
		r.start(t, "A1", 0)
		r.run(t)
		if n := len(r.log.maps["A1"].Defects); n != 2 {
			t.Errorf("%d defects recorded; want 2", n)
		}
		if r.observer.failing.Load() != 3 || r.observer.recovered.Load() == 0 {
			t.Errorf("told of %d failures and %d recoveries; want 3 and 1", r.observer.failing.Load(), r.observer.recovered.Load())
		}
	})
}

func TestSilentCameraLeavesTheRestUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		r := newRig(t, func(o *Options) { o.Lossless = false },
			&script{frames: 10, every: time.Millisecond, hold: hold},
			&script{frames: 4, every: time.Millisecond, hold: hold}) // the bottom camera falls silent
		r.start(t, "A1", 0)
		go func() {
			time.Sleep(time.Second)
			if err := r.line.Finish("A1", 320); err != nil {
				t.Error(err)
			}
			time.Sleep(10 * time.Second)
			if !r.line.Settled() {
				t.Error("the coil is still open 10 s after its tail end")
			}
			close(hold)
		}()
		r.run(t)
		if got := r.gaps("A1", inspection.Bottom); got != "[[128, 320)]" {
			t.Errorf("bottom gaps cover %s; want the part after the camera's last frame", got)
		}
		if got := r.gaps("A1", inspection.Top); got != "[]" {
			t.Errorf("top gaps cover %s; want none", got)
		}
	})
}

func TestCameraThatIsGoneLetsCoilsClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		r := newRig(t, func(o *Options) { o.Lossless = false },
			&script{frames: 10, every: time.Millisecond, hold: hold},
			&script{frames: 4, every: time.Millisecond}) // the bottom camera's source ends
		r.start(t, "A1", 0)
		go func() {
			time.Sleep(time.Second)
			if err := r.line.Finish("A1", 320); err != nil {
				t.Error(err)
			}
			time.Sleep(10 * time.Second)
			if !r.line.Settled() {
				t.Error("the coil is still open 10 s after its tail end")
			}
			close(hold)
		}()
		r.run(t)
		if got := r.gaps("A1", inspection.Bottom); got != "[[128, 320)]" {
			t.Errorf("bottom gaps cover %s; want the part after the camera's last frame", got)
		}
	})
}

func TestStripThatIsNotVisibleIsNotInspected(t *testing.T) {
	r := newRig(t, nil, &script{frames: 6, marks: map[int][]mark{2: {{0, 0, markDark}}, 3: {{0, 0, markDark}}}})
	r.start(t, "A1", 0)
	r.run(t)
	if got := r.gaps("A1", inspection.Top); got != "[[64, 128)]" {
		t.Errorf("gaps cover %s; want the two dark frames", got)
	}
}

func TestUnscreenedLinesOfAFrameAreGaps(t *testing.T) {
	r := newRig(t, nil, &script{frames: 6, marks: map[int][]mark{1: {{0, 0, markEnd}}, 4: {{0, 0, markEnd}, {20, 20, markInclusion}}}})
	r.class.late = true
	r.start(t, "A1", 36) // in the middle of what frame 1 shows no strip in
	r.run(t)
	var got []string
	for _, g := range r.log.maps["A1"].Gaps {
		got = append(got, fmt.Sprintf("%g-%g %s", float64(g.From), float64(g.To), g.State))
	}
	// Lines from the head end at count 36: frame 1 has 4 and 4 of them, frame 4 begins at 92.
	want := []string{"0-4 incomplete", "4-8 incomplete", "92-100 incomplete", "100-104 incomplete", "104-124 detected-only"}
	if !slices.Equal(got, want) {
		t.Errorf("gaps %v; want %v: where nothing was looked for is not detected-only", got, want)
	}
	if got := r.line.Status()[0].Inspected; got != 20+32+32+32 {
		t.Errorf("%g mm inspected; want 20 of frame 1 and frames 2, 3 and 5 whole", float64(got))
	}
}

func TestDefectsOnBothSidesOfLostStripAreTwo(t *testing.T) {
	r := newRig(t, nil, &script{frames: 8, skip: map[int]bool{3: true}, marks: map[int][]mark{2: {{20, 24, markScratch}}, 4: {{20, 0, markScratch}}}})
	r.start(t, "A1", 0)
	r.run(t)
	if n := len(r.log.maps["A1"].Defects); n != 2 {
		t.Errorf("%d defects; want 2: nobody saw what lies between", n)
	}
}

// Under overload, whatever happens to a frame, the gaps cover exactly the counts that were not
// inspected, and the ledger says the same in frames.
func TestOverloadIsAccountedToTheLine(t *testing.T) {
	top := &script{frames: 400, every: 50 * time.Microsecond}
	bottom := &script{frames: 400, every: 70 * time.Microsecond, skip: map[int]bool{17: true, 18: true, 250: true}}
	r := newRig(t, func(o *Options) { o.Lossless = false }, top, bottom)
	for _, d := range r.detector {
		d.delay = 200 * time.Microsecond // four times slower than the frames come
	}
	r.start(t, "A1", 0)
	if err := r.line.Finish("A1", 400*testLines); err != nil {
		t.Fatal(err)
	}
	r.run(t)
	for i, st := range r.line.Status() {
		l := st.Ledger
		if l.Arrived != 400 {
			// Frames lost after the last delivered one are known only from the tail end.
			if missing := 400 - l.Arrived; missing > 40 {
				t.Errorf("camera %s: %d of 400 frames arrived", st.Camera, l.Arrived)
			}
		}
		if l.Overrun+l.Underrun == 0 {
			t.Errorf("camera %s: %+v: nothing was lost; the test makes no overload", st.Camera, l)
		}
		var gaps inspection.MM
		for _, c := range r.log.results["A1"].Coverage {
			if c.Side == r.line.cameras[i].Side {
				gaps = c.Length - c.Inspected
			}
		}
		if want := inspection.MM((400 - int(l.Inspected)) * testLines); gaps != want {
			t.Errorf("camera %s: gaps cover %g mm; %d frames of 400 were inspected, so want %g", st.Camera, float64(gaps), l.Inspected, float64(want))
		}
	}
}

// everyFrame marks a region in each frame, too far from the borders to go on in the next.
func everyFrame(frames int) map[int][]mark {
	marks := map[int][]mark{}
	for i := range frames {
		marks[i] = []mark{{20, 12, markInclusion}}
	}
	return marks
}

// The order of giving up: classes before strip.
func TestDetectorThatFallsBehindGivesUpClassesBeforeStrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const frames = 200
		r := newRig(t, func(o *Options) { o.Lossless = false }, &script{frames: frames, every: 10 * time.Millisecond, buffers: 64, marks: everyFrame(frames)})
		r.detector[0].delay = 13 * time.Millisecond
		r.start(t, "A1", 0)
		r.run(t)
		m := r.log.maps["A1"]
		slices.SortFunc(m.Gaps, func(a, b inspection.Gap) int { return cmp.Compare(a.From, b.From) })
		if len(m.Gaps) < 2 || m.Gaps[0].State != inspection.DetectedOnly || m.Gaps[0].From < 18*testLines {
			t.Fatalf("gaps %+v; want first one without classes, once most of the backlog waits", m.Gaps)
		}
		l := r.line.Status()[0].Ledger
		if l.Overrun == 0 || l.Underrun != 0 || l.DetectedOnly < 6 {
			t.Errorf("ledger %+v; want frames without classes, then overruns", l)
		}
		unclassified := 0
		for _, d := range m.Defects {
			if d.Class == inspection.Unclassified {
				unclassified++
			}
		}
		if len(m.Defects) != int(l.Inspected+l.DetectedOnly) || unclassified != int(l.DetectedOnly) {
			t.Errorf("%d defects, %d of them unclassified; want one of each frame that was screened, and %d", len(m.Defects), unclassified, l.DetectedOnly)
		}
	})
}

// The order of giving up: pictures before anything else.
func TestSlowDiskLosesPicturesBeforeAnythingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const frames = 1500
		r := newRig(t, func(o *Options) { o.Lossless = false }, &script{frames: frames, every: 5 * time.Millisecond, buffers: 64, marks: everyFrame(frames)})
		r.log.takes = 900 * time.Millisecond // 180 frames long
		r.start(t, "A1", 0)
		r.run(t)
		st, m := r.line.Status()[0], r.log.maps["A1"]
		if st.Ledger.Inspected != frames || len(m.Gaps) != 0 {
			t.Errorf("ledger %+v and %d gaps; want all %d frames inspected", st.Ledger, len(m.Gaps), frames)
		}
		if len(m.Defects) != frames || st.PicturesDropped == 0 || r.log.images+int(st.PicturesDropped) != frames {
			t.Errorf("%d defects, %d with a picture, %d pictures dropped; want %d defects, some without", len(m.Defects), r.log.images, st.PicturesDropped, frames)
		}
	})
}

// slowLog takes its time to start a coil, while frames go on arriving.
type slowLog struct {
	*memoryLog
	starting, goOn chan struct{}
}

func (l slowLog) StartCoil(ctx context.Context, id inspection.CoilID, o inspection.CoilOrder, r inspection.Recipe, by inspection.Setup, at time.Time) (inspection.Coil, error) {
	close(l.starting)
	<-l.goOn
	return l.memoryLog.StartCoil(ctx, id, o, r, by, at)
}

func TestCoilStartedHereOwesNothingOfTheStripBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := slowLog{newMemoryLog(), make(chan struct{}), make(chan struct{})}
		r := newRig(t, func(o *Options) { o.Lossless, o.Log = false, log },
			&script{frames: 100, every: time.Millisecond}, &script{frames: 100, every: 1100 * time.Microsecond})
		go func() {
			time.Sleep(20 * time.Millisecond)
			go func() {
				<-log.starting
				time.Sleep(10 * time.Millisecond)
				close(log.goOn)
			}()
			if _, err := r.line.Start(context.Background(), "A1", inspection.CoilOrder{}, testRecipe, Here); err != nil {
				t.Error(err)
			}
			time.Sleep(30 * time.Millisecond)
			if err := r.line.Finish("A1", Here); err != nil {
				t.Error(err)
			}
		}()
		r.run(t)
		m := log.maps["A1"]
		if len(m.Gaps) != 0 || m.Strip.Length < 20*testLines {
			t.Errorf("strip of %g mm with gaps %+v; want 30 ms of strip and no gap", float64(m.Strip.Length), m.Gaps)
		}
	})
}

func TestStartAndFinishRefuseWhatDoesNotFit(t *testing.T) {
	r := newRig(t, nil, &script{frames: 4})
	var conflict *inspection.ConflictError
	if err := r.line.Finish("A1", 10); !errors.As(err, &conflict) {
		t.Errorf("finish without a start gives %v; want a conflict", err)
	}
	r.start(t, "A1", 0)
	for _, id := range []inspection.CoilID{"A1", "B2"} {
		if _, err := r.line.Start(context.Background(), id, inspection.CoilOrder{}, testRecipe, 50); !errors.As(err, &conflict) {
			t.Errorf("start of %s while A1 runs gives %v; want a conflict", id, err)
		}
	}
	if err := r.line.Finish("A1", 100); err != nil {
		t.Fatal(err)
	}
	if err := r.line.Finish("A1", 100); !errors.As(err, &conflict) {
		t.Errorf("a second finish gives %v; want a conflict", err)
	}
	r.run(t)
}

func TestRefusedStartDoesNotAskForAModel(t *testing.T) {
	asked := 0
	r := newRig(t, func(o *Options) {
		o.Setup = func() inspection.Setup {
			asked++
			return inspection.Setup{Model: "test"}
		}
	}, &script{frames: 4})
	r.start(t, "A1", 0)
	if _, err := r.line.Start(context.Background(), "A2", inspection.CoilOrder{}, testRecipe, 64); err == nil {
		t.Error("a second coil started while one runs")
	}
	if asked != 1 {
		t.Errorf("the model was asked for %d times; a running coil must keep its own", asked)
	}
	r.run(t)
}
