package appliance

import (
	"context"
	"slices"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// stretch is what a camera sees of a span of strip, on its way to be complete.
type stretch struct {
	calibration.Stretch
	span inspection.EncoderSpan
	done chan struct{}
}

// mostStretch bounds what is copied, in pixels: a camera whose encoder stands might send for ever.
const mostStretch = 512 << 20

// follow copies a frame for those that look at a stretch of strip.
func (t *tap) follow(f *camera.Frame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.to = f.Span.To
	t.stretches = slices.DeleteFunc(t.stretches, func(s *stretch) bool {
		if f.Status == camera.Complete {
			s.take(f)
		}
		over := f.Span.To >= s.span.To || len(s.Image.Pix) >= mostStretch
		if over {
			close(s.done)
		}
		return over
	})
}

// take copies the lines that lie in the span.
func (s *stretch) take(f *camera.Frame) {
	if s.Image.Width != f.Image.Width { // the first frame, or the camera was set up anew
		s.Stretch = calibration.Stretch{Image: inspection.LineImage{Width: f.Image.Width, Stride: f.Image.Width}}
	}
	each := float64(f.Span.Len()) / float64(f.Image.Height)
	for y := range f.Image.Height {
		at := float64(f.Span.From) + (float64(y)+0.5)*each
		if at < float64(s.span.From) || at >= float64(s.span.To) {
			continue
		}
		s.Image.Pix = append(s.Image.Pix, f.Image.Row(y)...)
		s.Image.Height++
		s.At = append(s.At, at)
	}
}

// newest is the encoder count up to which the camera has seen the strip.
func (t *tap) newest() inspection.EncoderCount {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.to
}

// stretch copies what the camera sees of a span of strip that is to come. It ends with ctx.
func (t *tap) stretch(ctx context.Context, span inspection.EncoderSpan) (calibration.Stretch, error) {
	s := &stretch{span: span, done: make(chan struct{})}
	t.mu.Lock()
	t.stretches = append(t.stretches, s)
	t.mu.Unlock()
	select {
	case <-s.done:
		return s.Stretch, nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stretches = slices.DeleteFunc(t.stretches, func(o *stretch) bool { return o == s })
	return calibration.Stretch{}, ctx.Err()
}
