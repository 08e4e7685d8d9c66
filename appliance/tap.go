package appliance

import (
	"context"
	"sync"

	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// tap lets the frames of a camera through to the line, and copies those that somebody asks for on the way: pictures to
// calibrate from. What nobody asks for costs nothing.
type tap struct {
	line.FrameSource
	// later is how many counts the camera sees a place after the first camera does.
	later inspection.EncoderCount

	mu        sync.Mutex
	wanted    []*wanted
	stretches []*stretch
	to        inspection.EncoderCount // end of the newest frame
}

// wanted is a picture of so many lines that is being put together.
type wanted struct {
	lines int
	pix   []byte
	width int
	done  chan struct{}
}

// Next gives the next frame.
func (t *tap) Next(ctx context.Context) (*camera.Frame, error) {
	f, err := t.FrameSource.Next(ctx)
	if err != nil {
		return nil, err
	}
	f.Span.From -= t.later
	f.Span.To -= t.later
	if f.Status == camera.Complete {
		t.copy(f.Image)
	}
	t.follow(f)
	return f, nil
}

func (t *tap) copy(img inspection.LineImage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keep := t.wanted[:0]
	for _, w := range t.wanted {
		if w.width != img.Width { // the first frame, or the camera was set up anew
			w.width, w.pix = img.Width, w.pix[:0]
		}
		for y := 0; y < img.Height && len(w.pix) < w.lines*w.width; y++ {
			w.pix = append(w.pix, img.Row(y)...)
		}
		if len(w.pix) < w.lines*w.width {
			keep = append(keep, w)
			continue
		}
		close(w.done)
	}
	clear(t.wanted[len(keep):])
	t.wanted = keep
}

// picture copies so many of the next scan lines, frame after frame. It ends with ctx.
func (t *tap) picture(ctx context.Context, lines int) (inspection.LineImage, error) {
	w := &wanted{lines: lines, done: make(chan struct{})}
	t.mu.Lock()
	t.wanted = append(t.wanted, w)
	t.mu.Unlock()
	select {
	case <-w.done:
		return inspection.LineImage{Pix: w.pix, Width: w.width, Height: lines, Stride: w.width}, nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, k := range t.wanted {
		if k == w {
			t.wanted = append(t.wanted[:i], t.wanted[i+1:]...)
			break
		}
	}
	return inspection.LineImage{}, ctx.Err()
}

// waiting is how many pictures are being put together.
func (t *tap) waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.wanted)
}
