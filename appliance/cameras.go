package appliance

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/encoder"
	"github.com/coilsight/coilsight/camera/genicam"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// openAgain is how long a camera that could not be opened is left alone.
const openAgain = 2 * time.Second

// openCameras makes the configured cameras, and the encoder where one is read.
func (a *Appliance) openCameras(ctx context.Context) error {
	if err := a.restoreScale(); err != nil {
		a.o.Log.Error("calibration cannot be used", "camera", calibration.EncoderName, "error", err)
	}
	if err := a.openEncoder(); err != nil {
		return err
	}
	scale, counts := &lineScale{}, &encoder.Scale{}
	if a.o.Config.Encoder.Source != encoderLines {
		scale = nil
	}
	for _, c := range a.o.Config.Cameras {
		if err := a.openCamera(ctx, c, scale, counts); err != nil {
			return err
		}
	}
	return nil
}

// openCamera makes one camera. A GenICam camera that cannot be opened does not keep the others from their work: it is tried
// again while the line runs, and says on the screen what is in its way.
func (a *Appliance) openCamera(ctx context.Context, c CameraConfig, scale *lineScale, counts *encoder.Scale) error {
	e := a.o.Config.Encoder
	check, err := a.newCheck(c)
	if err != nil {
		return err
	}
	d, err := inference.NewDetector(c.Pixels, inference.DetectorOptions{
		Threshold: a.o.Config.Detector.Threshold, Bands: a.o.Config.Detector.Bands, Scales: a.desk.engine().Scales(),
	})
	if err != nil {
		return err
	}
	area, err := areaOf(a.o.Config.Calibrations(), c)
	if err != nil {
		d.Close()
		return err
	}
	s, err := openDevice(ctx, c, area, e.MMPerCount, scale, a.o.Log)
	if err != nil {
		d.Close()
		return err
	}
	eye := &eye{
		id: inspection.CameraID(c.ID), side: inspection.Side(c.Side), width: c.Pixels, device: s, check: check, detector: d, along: c.AlongMM,
		geometry: calibration.Geometry{
			MMPerPixel: c.MMPerPixel, MMPerCount: e.MMPerCount, OperatorSideRight: c.OperatorSideRight, Position: c.PositionMM,
		},
	}
	if area.version.Number > 0 { // stands over what the configuration says
		eye.area = area.version
		eye.geometry.MMPerPixel, eye.geometry.Position = area.MMPerPixel, area.Position(c.OperatorSideRight)
	}
	var frames line.FrameSource = s
	switch {
	case !c.isClocked():
	case e.timed():
		eye.placed = encoder.NewSource(s, a.encoder, encoder.SourceOptions{
			LineRate: c.LineRateHz, Latency: time.Duration(c.LatencyMS * float64(time.Millisecond)),
		})
		frames = eye.placed
	case e.Source == encoderChunk:
		if eye.counted, err = encoder.NewCounted(s, e.track(), counts); err != nil {
			d.Close()
			return errors.Join(err, s.Close())
		}
		eye.placed, frames = eye.counted, eye.counted
	}
	eye.tap = &tap{FrameSource: check.watch(frames)}
	a.addCamera(eye)
	return nil
}

// cameraSource is a GenICam camera that may not be there yet.
type cameraSource struct {
	id     inspection.CameraID
	config CameraConfig
	scale  *lineScale // nil: an encoder places the frames
	log    *slog.Logger

	opened chan struct{} // closed once source is set
	offset inspection.EncoderCount
	begun  bool // offset is known; used by Next alone

	mu     sync.Mutex
	source *genicam.Source
	reason string // why there is none
}

func newCameraSource(c CameraConfig, scale *lineScale, log *slog.Logger) *cameraSource {
	return &cameraSource{
		id: inspection.CameraID(c.ID), config: c, scale: scale, log: log,
		opened: make(chan struct{}), reason: "it has not been opened yet",
	}
}

// Run opens the camera, however often it takes, and lets it stream until ctx ends.
func (c *cameraSource) Run(ctx context.Context) {
	for {
		err := c.open(ctx)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			return
		}
		c.fail(err)
		select {
		case <-time.After(openAgain):
		case <-ctx.Done():
			return
		}
	}
}

func (c *cameraSource) open(ctx context.Context) error {
	s, err := genicam.Open(ctx, genicam.Options{
		Camera: c.id, Address: c.config.Address, Features: c.config.Features, EncoderChunk: c.config.EncoderChunk, PacketSize: c.config.PacketSize,
	})
	if err != nil {
		return err
	}
	w, _ := s.Size()
	if err := c.config.sized(w, s); err != nil {
		return err
	}
	c.mu.Lock()
	c.source, c.reason = s, ""
	c.mu.Unlock()
	close(c.opened)
	c.log.Info("camera streams", "camera", c.id, "device", s.Device().String())
	for _, hint := range s.Hints() {
		c.log.Warn("camera", "camera", c.id, "hint", hint)
	}
	return nil
}

// fail notes why the camera is not there, and logs it once.
func (c *cameraSource) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if reason := err.Error(); reason != c.reason {
		c.reason = reason
		c.log.Error("camera cannot be used", "camera", c.id, "reason", reason)
	}
}

// Next gives the next frame, on the scale that all cameras count on. It waits for a camera that is not there.
func (c *cameraSource) Next(ctx context.Context) (*camera.Frame, error) {
	select {
	case <-c.opened:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f, err := c.source.Next(ctx)
	if err != nil {
		return nil, err
	}
	if c.scale == nil {
		return f, nil
	}
	if !c.begun {
		c.offset, c.begun = c.scale.offset(f), true
	}
	f.Span.From += c.offset
	f.Span.To += c.offset
	c.scale.saw(f)
	return f, nil
}

// Lost says why no frames can come of the camera; empty while they can.
func (c *cameraSource) Lost() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.source == nil {
		return c.reason
	}
	if s := c.source.State(); !s.Streaming {
		return s.Reason
	}
	return ""
}

// Name is what the camera is; empty while it was never found.
func (c *cameraSource) Name() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.source == nil {
		return ""
	}
	return c.source.Device().String()
}

// Stats are the transfer's own counts; ok is false before it began.
func (c *cameraSource) Stats() (s genicam.Stats, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.source == nil {
		return s, false
	}
	return c.source.Stats(), true
}

func (c *cameraSource) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.source == nil {
		return nil
	}
	return c.source.Close()
}

// lineScale puts the line counters of cameras, which began at different moments, on one scale: that of the first camera to
// deliver. Another one's first frame is taken to end where the strip was when it arrived, by the newest frame of the others and
// the speed at which they come. That is as exact as frames arrive, about a millisecond's strip; cameras that share an encoder
// reading are as exact as that.
type lineScale struct {
	mu     sync.Mutex
	frames []scaleFrame // the newest, oldest first, over scaleOver
}

// scaleFrame is where a frame ended on the common scale, and when it arrived.
type scaleFrame struct {
	to inspection.EncoderCount
	at time.Time
}

const (
	// scaleOver is what the speed is taken over. Two frames tell none: on a busy machine they arrive late and at once.
	scaleOver = time.Second
	// scaleLeast is the shortest stretch that tells one.
	scaleLeast = 100 * time.Millisecond
)

// offset is what a camera's counts are moved by, from its first frame.
func (s *lineScale) offset(f *camera.Frame) inspection.EncoderCount {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.frames) == 0 {
		return 0
	}
	first, last := s.frames[0], s.frames[len(s.frames)-1]
	now := last.to
	if over := last.at.Sub(first.at); over >= scaleLeast {
		now += inspection.EncoderCount(float64(last.to-first.to) * f.Arrived.Sub(last.at).Seconds() / over.Seconds())
	}
	return now - f.Span.To
}

// saw takes in a frame on the common scale.
func (s *lineScale) saw(f *camera.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.frames); n > 0 && f.Span.To <= s.frames[n-1].to {
		return
	}
	old := 0
	for old < len(s.frames)-1 && f.Arrived.Sub(s.frames[old+1].at) >= scaleOver {
		old++
	}
	s.frames = append(s.frames[:0], s.frames[old:]...)
	s.frames = append(s.frames, scaleFrame{f.Span.To, f.Arrived})
}
