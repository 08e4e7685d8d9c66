package line

import (
	"slices"
	"sync"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// latencies is how many of the newest frames the latency figures rest on.
const latencies = 1024

// stats counts what one camera does.
type stats struct {
	mu          sync.Mutex
	first, last time.Time
	lastTo      inspection.EncoderCount
	bytes       uint64
	screenTime  time.Duration
	screenBusy  time.Duration
	settleBusy  time.Duration
	rejected    uint64
	dropped     uint64
	to          inspection.EncoderCount // settled
	inspectedN  inspection.EncoderCount
	unassignedN inspection.EncoderCount
	stripWidth  inspection.MM // in the newest frame with strip
	latency     [latencies]time.Duration
	settledN    int
}

func (s *stats) frame(f *camera.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.lastTo = time.Now(), f.Span.To
	if s.first.IsZero() {
		s.first = s.last
	}
	s.bytes += uint64(f.Image.Width) * uint64(f.Image.Height)
}

func (s *stats) screened(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.screenTime += d
}

// busy adds what the goroutines of the stages worked.
func (s *stats) busy(screen, settle time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.screenBusy += screen
	s.settleBusy += settle
}

func (s *stats) unassigned(n inspection.EncoderCount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unassignedN += n
}

func (s *stats) settledTo(at inspection.EncoderCount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = at
}

func (s *stats) inspected(n inspection.EncoderCount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inspectedN += n
}

func (s *stats) width(w inspection.MM) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stripWidth = w
}

func (s *stats) reject() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected++
}

func (s *stats) dropPicture() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped++
}

func (s *stats) settled(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency[s.settledN%latencies] = d
	s.settledN++
}

// CameraStatus is what one camera has done since the line started.
type CameraStatus struct {
	Camera          inspection.CameraID
	Side            inspection.Side
	Ledger          Ledger
	LastFrame       time.Time               // zero before the first
	SettledTo       inspection.EncoderCount // end of the newest frame that is settled
	Bytes           uint64
	ScreenTime      time.Duration // spent in the detector
	ScreenBusy      time.Duration // worked by the stage that screens: the detector, cutting crops, handing them in
	SettleBusy      time.Duration // worked by the stage that settles: placing, merging, accounting; waiting for the recorder included
	Rejected        uint64        // regions that the model took for ordinary strip
	PicturesDropped uint64        // defects recorded without a picture, since the disk was behind
	Inspected       inspection.MM // strip of coils that was fully inspected
	Unassigned      inspection.MM // strip that ran without a coil
	StripWidth      inspection.MM // in the newest frame that shows strip
	LatencyP50      time.Duration // arrival of a frame to its being settled, newest frames
	LatencyP99      time.Duration
	Failed          error // why the camera's source ended, nil while it has not
}

// RecordBusy is how long the recorder has worked since the line started, waiting for the disk included.
func (l *Line) RecordBusy() time.Duration { return time.Duration(l.rec.busy.Load()) }

// Status of every camera, in the order of Options.Cameras.
func (l *Line) Status() []CameraStatus {
	out := make([]CameraStatus, len(l.cameras))
	for i, c := range l.cameras {
		out[i] = c.status()
	}
	return out
}

func (c *cameraLine) status() CameraStatus {
	st := CameraStatus{Camera: c.ID, Side: c.Side, Ledger: c.books.read()}
	if e := c.ended.Load(); e != nil {
		st.Failed = *e
	}
	s := &c.stats
	s.mu.Lock()
	recent := slices.Clone(s.latency[:min(s.settledN, latencies)])
	st.LastFrame, st.Bytes, st.ScreenTime = s.last, s.bytes, s.screenTime
	st.ScreenBusy, st.SettleBusy = s.screenBusy, s.settleBusy
	st.Rejected, st.PicturesDropped = s.rejected, s.dropped
	st.StripWidth, st.SettledTo = s.stripWidth, s.to
	st.Inspected = c.Locator.Length(s.inspectedN)
	st.Unassigned = c.Locator.Length(s.unassignedN)
	s.mu.Unlock()
	if n := len(recent); n > 0 {
		slices.Sort(recent)
		st.LatencyP50, st.LatencyP99 = recent[n/2], recent[n*99/100]
	}
	return st
}
