package camera

import (
	"context"
	"fmt"
	"sync"
	"syscall"

	"github.com/coilsight/coilsight/inspection"
)

// Pool owns the frame buffers of one camera: one slab outside the Go heap, cut into equal parts, so
// that frames cost the garbage collector nothing and a camera's memory is bounded from the start.
type Pool struct {
	camera inspection.CameraID
	slab   []byte
	frames []Frame
	free   chan *Frame // capacity len(frames): a put never blocks

	mu     sync.Mutex
	closed bool
}

// NewPool makes n buffers of bytes each. The caller must Close it.
func NewPool(id inspection.CameraID, n, bytes int) (*Pool, error) {
	if n < 1 || bytes < 1 {
		return nil, fmt.Errorf("camera %s: a pool of %d buffers of %d bytes is not possible; both must be at least 1", id, n, bytes)
	}
	slab, err := syscall.Mmap(-1, 0, n*bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("camera %s: %d buffers of %d bytes: %w", id, n, bytes, err)
	}
	p := &Pool{camera: id, slab: slab, frames: make([]Frame, n), free: make(chan *Frame, n)}
	for i := range p.frames {
		f := &p.frames[i]
		f.pool, f.buf = p, slab[i*bytes:(i+1)*bytes:(i+1)*bytes]
		p.free <- f
	}
	return p, nil
}

// Get lends a free frame, with one hold, or nil where none is free: the caller then has an underrun
// to account for. It never blocks.
func (p *Pool) Get() *Frame {
	select {
	case f := <-p.free:
		return p.lend(f)
	default:
		return nil
	}
}

// Wait lends a frame as Get does, waiting for one. It is for sources that can be slowed down, such as
// recordings; a camera cannot.
func (p *Pool) Wait(ctx context.Context) (*Frame, error) {
	select {
	case f := <-p.free:
		return p.lend(f), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *Pool) lend(f *Frame) *Frame {
	buf := f.buf
	*f = Frame{Camera: p.camera, pool: p, buf: buf} //nolint:govet // the count starts anew
	f.refs.Store(1)
	return f
}

func (p *Pool) put(f *Frame) { p.free <- f }

// Lent is the number of frames that are out.
func (p *Pool) Lent() int { return len(p.frames) - len(p.free) }

// Size is the number of frames the pool owns.
func (p *Pool) Size() int { return len(p.frames) }

// Close returns the memory. It refuses while a frame is lent, since its pixels would vanish under a
// reader.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	if n := p.Lent(); n > 0 {
		return fmt.Errorf("camera %s: the pool cannot close while %d of its %d frames are lent", p.camera, n, len(p.frames))
	}
	p.closed = true
	return syscall.Munmap(p.slab)
}
