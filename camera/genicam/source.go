// Package genicam gives the frames of GigE Vision and USB3 Vision cameras to the pipeline, through
// Aravis. Aravis writes what the network brings straight into the buffers of a camera.Pool; nothing is
// copied after that.
//
// The encoder counts of its frames are the camera's own scan lines: the frame numbered n covers
// [n*h, (n+1)*h) for h lines a frame. A camera that is triggered by the encoder's pulses counts strip
// that way. Where Options.EncoderChunk names a chunk, each frame brings the camera's own encoder counter as
// well, for package encoder to place it by.
package genicam

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// Options of a source. A zero field takes the default named beside it.
type Options struct {
	Camera inspection.CameraID // "camera"
	// Address names the device: Aravis's id, a serial number, a MAC address, or an IP address, which is
	// asked without a search.
	Address string
	// Features are set in this order at the start and after every loss of the camera. Height is the scan
	// lines of a frame, PixelFormat one of Mono8, Mono10, Mono10p, Mono12, Mono12p and Mono16, of which
	// the upper eight bits are kept.
	Features []Feature
	// EncoderChunk names the integer feature of the camera's chunk data that holds an encoder's count at a
	// frame's first line, such as ChunkEncoderValue or ChunkCounterValue; empty: no chunk data is asked for.
	// The chunk that is switched on is the one that ChunkSelector names without the Chunk in front.
	EncoderChunk string
	Buffers      int // 16 frames
	// PacketSize of GigE Vision in bytes, the IP header included; 0 finds the greatest that arrives,
	// where the camera can send test packets, and else leaves the camera's own.
	PacketSize int
	NoResend   bool // do not ask the camera again for packets that did not arrive
}

// Stats count what a source has seen since Open, over all its connections.
type Stats struct {
	Completed  uint64 `json:"completed"`  // frames that arrived whole
	Incomplete uint64 `json:"incomplete"` // frames of which a part arrived
	Lost       uint64 `json:"lost"`       // frames of which nothing arrived: for want of a free buffer, on the way, or while the camera was away
	Reconnects uint64 `json:"reconnects"`

	// GigE Vision alone.
	ReceivedPackets uint64 `json:"received_packets"`
	MissingPackets  uint64 `json:"missing_packets"`   // of completed and incomplete frames
	ResentPackets   uint64 `json:"resent_packets"`    // that arrived when asked for again
	NoBufferPackets uint64 `json:"no_buffer_packets"` // that found no free buffer: the line behind is too slow
}

// State tells whether frames are coming, in words.
type State struct {
	Streaming bool
	Reason    string    // why not
	Since     time.Time // of the present state
}

// shape is what the frames of a camera are like.
type shape struct {
	width, height, payload int
	format                 pixelFormat
}

// Source is a streaming camera. It finds a lost camera again by itself; meanwhile Next waits.
type Source struct {
	o       Options
	shape   shape
	pool    *camera.Pool
	bufs    [][]byte
	index   map[*byte]int      // of a buffer by its first byte
	frames  chan *camera.Frame // capacity of the pool: a frame always finds a place
	release func()             // gives the claim back
	cancel  context.CancelFunc // ends the goroutines
	wg      sync.WaitGroup     // of them
	count   counter            // of run alone

	mu     sync.Mutex
	device Device
	hints  []string
	lent   []*camera.Frame // by buffer: those that Aravis has or will get
	stream *stream         // nil: the camera is lost
	stats  Stats           // without what the present stream has counted
	missed int64           // packets; a frame may take one that was counted for its neighbour
	state  State
}

// Open connects to a camera, sets its features and begins to stream. It is an error where the camera is
// not there, is held by another host, or does not allow what is asked; later its source waits for it.
// The caller must Close the source.
func Open(ctx context.Context, o Options) (*Source, error) {
	if o.Camera == "" {
		o.Camera = "camera"
	}
	if o.Buffers == 0 {
		o.Buffers = 16
	}
	if o.Buffers < 2 || o.Buffers > 4096 {
		return nil, &inspection.FieldError{Field: "camera " + string(o.Camera), Reason: fmt.Sprintf("%d buffers are not possible; allowed are 2 to 4096", o.Buffers)}
	}
	d, err := find(ctx, o.Camera, o.Address)
	if err != nil {
		return nil, err
	}
	s := &Source{o: o, device: d, frames: make(chan *camera.Frame, o.Buffers), index: map[*byte]int{}}
	if s.release, err = claim(o.Camera, d); err != nil {
		return nil, err
	}
	h, r, err := open(ctx, o.Camera, d, heartbeat)
	if err != nil {
		s.release()
		return nil, err
	}
	if err := s.prepare(h, r); err != nil {
		h.close()
		s.release()
		return nil, err
	}
	run, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.wg.Go(func() { s.feed(run) })
	s.wg.Go(func() { s.run(run) })
	return s, nil
}

// prepare sets the camera up, makes the buffers and begins to stream.
func (s *Source) prepare(h *handle, r route) error {
	var err error
	if s.shape, err = s.configure(h); err != nil {
		return err
	}
	if s.pool, err = camera.NewPool(s.o.Camera, s.o.Buffers, s.shape.payload); err != nil {
		return err
	}
	s.lent = make([]*camera.Frame, s.o.Buffers)
	for i := range s.lent {
		f := s.pool.Get()
		b := f.Buffer()
		s.lent[i], s.bufs, s.index[&b[0]] = f, append(s.bufs, b), i
	}
	if err := s.begin(h, r); err != nil {
		s.takeBack()
		_ = s.pool.Close()
		return err
	}
	return nil
}

// takeBack releases the frames that wait for the camera's data. No stream may write to them any more.
func (s *Source) takeBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.lent {
		if f != nil {
			f.Release()
			s.lent[i] = nil
		}
	}
}

// Next gives the next frame to the caller, who must Release it. While the camera is lost it waits; after
// Close it is io.EOF.
func (s *Source) Next(ctx context.Context) (*camera.Frame, error) {
	select {
	case f, ok := <-s.frames:
		if !ok {
			return nil, io.EOF
		}
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Size is the width of a frame in pixels and its height in scan lines.
func (s *Source) Size() (width, height int) { return s.shape.width, s.shape.height }

// Device is the camera that streams, or did before it was lost.
func (s *Source) Device() Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.device
}

// Hints are sentences on what would make the transfer cheaper or safer; none is a fault.
func (s *Source) Hints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hints
}

// State tells whether the camera streams.
func (s *Source) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Stats are the counts up to now. With NoResend they are exact; else a packet that is late may be
// counted for the frame after its own, and the sum is right once no frame is open.
func (s *Source) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	if s.stream != nil {
		st.add(s.stream)
	}
	st.MissingPackets = uint64(max(0, s.missed))
	return st
}

// add adds what a stream has counted.
func (st *Stats) add(s *stream) {
	received, resent, noBuffer := s.counts()
	st.ReceivedPackets += received
	st.ResentPackets += resent
	st.NoBufferPackets += noBuffer
}

// Close stops the camera, gives it back and returns the memory. It refuses while a frame is lent; frames
// that nobody took are released. Next then gives io.EOF. Within seconds of a loss it takes up to 15 s, for
// Aravis signs off from the camera that was lost.
func (s *Source) Close() error {
	s.cancel()
	s.wg.Wait()
	for f := range s.frames {
		f.Release()
	}
	s.takeBack()
	return s.pool.Close()
}
