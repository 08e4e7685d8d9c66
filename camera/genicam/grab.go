package genicam

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

const (
	// silence is for how long no frame may come before the camera is asked whether it is still there.
	// A camera that is triggered by the strip is silent while it stands.
	silence = 500 * time.Millisecond
	// retry is how often a lost camera is asked at its last address, search how often it is looked for
	// elsewhere, which takes a second.
	retry  = 200 * time.Millisecond
	search = 2 * time.Second
)

// configure sets an open camera up and gives what its frames will be like. A camera may still be
// streaming for a program that died.
func (s *Source) configure(h *handle) (shape, error) {
	id := s.o.Camera
	bad := func(format string, a ...any) error {
		return &inspection.FieldError{Field: "camera " + string(id), Reason: fmt.Sprintf(format, a...)}
	}
	_ = h.write("AcquisitionStop", nil) // fails where nothing was running
	h.lock(false)
	if f, ok := h.feature("AcquisitionMode"); ok && f.Writable {
		if err := h.set(id, Feature{"AcquisitionMode", "Continuous"}); err != nil {
			return shape{}, err
		}
	}
	for _, f := range s.o.Features {
		if err := h.set(id, f); err != nil {
			return shape{}, err
		}
	}
	if s.o.EncoderChunk != "" {
		if err := h.sendChunk(id, s.o.EncoderChunk); err != nil {
			return shape{}, err
		}
	}
	var sh shape
	for name, to := range map[string]*int{"Width": &sh.width, "Height": &sh.height, "PayloadSize": &sh.payload} {
		f, _ := h.feature(name)
		v, ok := f.Value.(int64)
		if !ok || v < 1 || v > 1<<31 {
			return sh, bad("its %s is %v", name, f.Value)
		}
		*to = int(v)
	}
	f, _ := h.feature("PixelFormat")
	name, _ := f.Value.(string)
	var err error
	if sh.format, err = formatOf(name); err != nil {
		return sh, bad("%v", err)
	}
	if need := sh.format.bytes(sh.width * sh.height); sh.payload < need {
		return sh, bad("its frames have %d bytes; %d x %d pixels of %s are %d", sh.payload, sh.width, sh.height, name, need)
	}
	return sh, nil
}

// lock tells the camera that its frames keep their size, or may change it. Many cameras do not care.
func (h *handle) lock(on bool) {
	if f, ok := h.feature("TLParamsLocked"); ok && f.Writable {
		v := int64(0)
		if on {
			v = 1
		}
		_ = h.write("TLParamsLocked", v)
	}
}

// begin starts a configured camera into the buffers that are free.
func (s *Source) begin(h *handle, r route) error {
	size, extended := 0, false
	if h.gigE() {
		if err := r.checkPacketSize(s.o.PacketSize); err != nil {
			return &inspection.FieldError{Field: "camera " + string(s.o.Camera), Reason: err.Error()}
		}
		var err error
		if size, err = h.packetSize(s.o.PacketSize); err != nil {
			return fmt.Errorf("camera %s: packet size %d: %w", s.o.Camera, s.o.PacketSize, err)
		}
		if s.o.PacketSize != 0 && size != s.o.PacketSize {
			return &inspection.FieldError{Field: "camera " + string(s.o.Camera), Reason: fmt.Sprintf("packet size %d is not possible; the camera keeps %d", s.o.PacketSize, size)}
		}
		f, _ := h.feature("GevGVSPExtendedIDMode")
		extended = f.Value == "On"
	}
	st, err := h.newStream(s.bufs, !s.o.NoResend, r.loopback, size, extended, s.o.EncoderChunk)
	if err != nil {
		return fmt.Errorf("camera %s: %w", s.o.Camera, err)
	}
	s.mu.Lock()
	s.stream = st
	s.hints = nil
	if h.gigE() {
		s.hints = r.hints(size)
	}
	for i, f := range s.lent {
		if f != nil {
			st.push(i)
		}
	}
	s.mu.Unlock()
	h.lock(true)
	if err := h.write("AcquisitionStart", nil); err != nil {
		s.unstream().close()
		return fmt.Errorf("camera %s: it does not start: %w", s.o.Camera, err)
	}
	s.mu.Lock()
	s.state = State{Streaming: true, Since: time.Now()}
	s.mu.Unlock()
	return nil
}

// unstream books what the stream has counted and lets nobody use it any more.
func (s *Source) unstream() *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stream
	s.stats.add(st)
	s.stream = nil
	return st
}

// feed lends every buffer that comes back to the camera.
func (s *Source) feed(ctx context.Context) {
	for {
		f, err := s.pool.Wait(ctx)
		if err != nil {
			return
		}
		i := s.index[&f.Buffer()[0]]
		s.mu.Lock()
		s.lent[i] = f
		if s.stream != nil {
			s.stream.push(i)
		}
		s.mu.Unlock()
	}
}

// run takes the camera's frames until ctx ends, and finds the camera again where it is lost.
func (s *Source) run(ctx context.Context) {
	defer close(s.frames)
	defer s.release()
	for {
		err := s.grab(ctx, s.stream)
		st := s.unstream()
		if err == nil {
			_ = st.write("AcquisitionStop", nil)
			st.lock(false)
			st.close()
			st.handle.close()
			return
		}
		s.count.lose()
		s.lost(err)
		st.close()
		s.wg.Go(st.handle.close) // tries for seconds to sign off from a camera that is gone
		if !s.reconnect(ctx) {
			return
		}
	}
}

func (s *Source) lost(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Streaming {
		s.state = State{Since: time.Now()}
	}
	s.state.Reason = err.Error()
}

var errControlLost = errors.New("the connection to the camera is lost")

// grab hands on frames. It returns nil at the end of ctx, and else why the camera is lost.
func (s *Source) grab(ctx context.Context, st *stream) error {
	last := time.Now()
	for ctx.Err() == nil {
		if st.controlLost() {
			return errControlLost
		}
		if a, ok := st.pop(50 * time.Millisecond); ok {
			last = time.Now()
			s.deliver(st, a, last)
			continue
		}
		if time.Since(last) < silence {
			continue
		}
		if at, ok := s.device.ip(); ok {
			held, _, err := holder(ctx, at)
			if ctx.Err() == nil && err != nil {
				return fmt.Errorf("the camera is silent: %w", err)
			}
			if err == nil && !held {
				return errors.New("the camera was restarted")
			}
		}
		last = time.Now()
	}
	return nil
}

// deliver makes a frame of a buffer and hands it on.
func (s *Source) deliver(st *stream, a arrival, now time.Time) {
	if a.status == statusAborted {
		s.mu.Lock()
		st.push(a.index)
		s.mu.Unlock()
		return
	}
	cause := s.fault(st, a)
	before := s.count.next
	id := s.count.number(a.id, a.device, now)

	s.mu.Lock()
	f := s.lent[a.index]
	s.lent[a.index] = nil
	s.stats.Lost += id - before
	if st.packets > 0 {
		s.missed += st.expected(a) - a.packets
	}
	if cause == "" {
		s.stats.Completed++
	} else {
		s.stats.Incomplete++
	}
	s.mu.Unlock()

	lines := inspection.EncoderCount(s.shape.height)
	f.ID, f.Arrived, f.Device = id, now, a.device
	f.Counter, f.Counted = a.counter, a.counted
	f.Span = inspection.EncoderSpan{From: inspection.EncoderCount(id) * lines, To: inspection.EncoderCount(id+1) * lines}
	f.Fit(s.shape.width, s.shape.height)
	if cause != "" {
		f.Status, f.Cause = camera.Incomplete, cause
	} else if s.shape.format.narrow != nil {
		s.shape.format.narrow(f.Buffer(), s.shape.width*s.shape.height)
	}
	s.frames <- f
}

// fault says in words why a buffer's pixels are not to be trusted; empty where they are.
func (s *Source) fault(st *stream, a arrival) string {
	absent := "packets did not arrive"
	if n := st.packets - a.packets; n > 0 && n <= st.packets {
		absent = fmt.Sprintf("%d of %d packets did not arrive", n, st.packets)
	}
	switch a.status {
	case statusSuccess:
	case statusMissingPackets:
		return absent
	case statusTimeout:
		return absent + " in time"
	case statusSizeMismatch, statusWrongPacketID:
		return fmt.Sprintf("the camera sent a frame of another size than the %d bytes it had told", s.shape.payload)
	default:
		return fmt.Sprintf("the frame was not received (status %d)", a.status)
	}
	switch {
	case !a.image:
		return "the camera sent something else than a picture"
	case a.format != s.shape.format.code:
		return fmt.Sprintf("the camera sent pixel format 0x%08x in place of %s", a.format, s.shape.format.name)
	case a.width != s.shape.width || a.height != s.shape.height:
		return fmt.Sprintf("the camera sent %d x %d pixels in place of %d x %d", a.width, a.height, s.shape.width, s.shape.height)
	case a.bytes > 0 && a.bytes < s.shape.format.bytes(a.width*a.height):
		return fmt.Sprintf("the camera sent %d bytes in place of %d", a.bytes, s.shape.format.bytes(a.width*a.height))
	}
	return ""
}

// reconnect tries until the camera streams again; it reports false at the end of ctx.
func (s *Source) reconnect(ctx context.Context) bool {
	sought := time.Now()
	for pause(ctx, retry) == nil {
		d, ok := s.present(ctx)
		if !ok && time.Since(sought) > search {
			if _, err := netip.ParseAddr(s.o.Address); err != nil {
				d, ok = s.elsewhere(ctx)
			}
			sought = time.Now()
		}
		if !ok {
			continue
		}
		if err := s.resume(ctx, d); err != nil {
			s.lost(err)
			continue
		}
		return true
	}
	return false
}

// present asks at the last address whether the camera is back.
func (s *Source) present(ctx context.Context) (Device, bool) {
	at, ok := s.device.ip()
	if !ok {
		return Device{}, false
	}
	d, err := identify(ctx, at)
	if err != nil {
		return d, false
	}
	if d.ID != s.device.ID {
		// Another camera has another calibration: a person decides.
		s.lost(fmt.Errorf("%s is in the place of %s", d, s.device.ID))
		return d, false
	}
	return d, true
}

// elsewhere looks for the camera under another address.
func (s *Source) elsewhere(ctx context.Context) (Device, bool) {
	list, err := Discover(ctx)
	if err != nil {
		return Device{}, false
	}
	for _, d := range list {
		if d.ID == s.device.ID && d.Reachable {
			return d, true
		}
	}
	return Device{}, false
}

// resume sets a camera that came back as it was and streams again.
func (s *Source) resume(ctx context.Context, d Device) error {
	h, r, err := open(ctx, s.o.Camera, d, 0)
	if err != nil {
		return err
	}
	sh, err := s.configure(h)
	if err == nil && (sh.payload != s.shape.payload || sh.width != s.shape.width || sh.height != s.shape.height || sh.format.code != s.shape.format.code) {
		err = fmt.Errorf("camera %s: it came back with frames of %d x %d pixels of %s in place of %d x %d of %s", s.o.Camera,
			sh.width, sh.height, sh.format.name, s.shape.width, s.shape.height, s.shape.format.name)
	}
	if err == nil {
		err = s.begin(h, r)
	}
	if err != nil {
		h.close()
		return err
	}
	s.mu.Lock()
	s.device = d
	s.stats.Reconnects++
	s.mu.Unlock()
	return nil
}
