// Package camera moves frames from a source to the pipeline: the frame, the pool whose buffers it
// lives in, and who may touch it when. Sources are its sub-packages.
package camera

import (
	"sync/atomic"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Status says how a frame arrived.
type Status uint8

// Arrival of a frame.
const (
	Complete   Status = iota // every scan line is there
	Incomplete               // the pixels are not to be trusted; Cause says why
)

// Frame is a block of scan lines in a buffer of a Pool. Whoever holds it reads it; only a sole
// holder (the source, before it hands it on) may write. Each holder calls Release exactly once.
type Frame struct {
	Camera inspection.CameraID
	// ID counts the frames the camera produced, lost ones included: a jump is a loss.
	ID uint64
	// Span holds the encoder counts of the frame's lines: line y of h covers
	// [From + y*Len/h, From + (y+1)*Len/h). It starts where the frame before ended, or steel is missing.
	Span  inspection.EncoderSpan
	Image inspection.LineImage
	// Seam tells that the first line does not continue the frame before (pictures set end to end).
	Seam   bool
	Status Status
	Cause  string // why Status is Incomplete
	// Missing says why strip before the frame is missing, where a source knows.
	Missing string
	Arrived time.Time
	// Device is when the camera took the frame, by a clock of its own that begins anywhere; 0: it does not say.
	Device time.Duration
	// Counter is what the camera's encoder counter held at the frame's first line, as the frame's chunk data
	// says; it wraps as the camera's does. Counted tells that it is there.
	Counter int64
	Counted bool

	pool *Pool
	buf  []byte
	refs atomic.Int32
}

// Retain adds a holder, who must Release.
func (f *Frame) Retain() {
	if f.refs.Add(1) <= 1 {
		panic("camera: frame retained after its release")
	}
}

// Release gives up one hold. With the last one the buffer returns to its pool and the frame must
// not be touched any more.
func (f *Frame) Release() {
	switch n := f.refs.Add(-1); {
	case n == 0:
		f.pool.put(f)
	case n < 0:
		panic("camera: frame released twice")
	}
}

// Buffer is all of the frame's memory, for a source whose driver fills it. It keeps its address for the
// pool's life. Only a sole holder may write to it.
func (f *Frame) Buffer() []byte { return f.buf }

// Fit sets the image to width x height pixels at the buffer's start. It reports false, and changes
// nothing, where the buffer is too small.
func (f *Frame) Fit(width, height int) bool {
	if width <= 0 || height <= 0 || width*height > len(f.buf) {
		return false
	}
	f.Image = inspection.LineImage{Pix: f.buf[:width*height], Width: width, Height: height, Stride: width}
	return true
}
