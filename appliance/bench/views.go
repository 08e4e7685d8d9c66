package bench

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// views shows the frames of one camera as those of several that look at it side by side, each at some of its columns. Close it
// once Run has ended and all frames are released.
type views struct {
	source line.FrameSource
	of     []*columnView
}

// columnView is a FrameSource of the columns [from, to) of another's frames.
type columnView struct {
	from, to int
	pool     *camera.Pool
	frames   chan *camera.Frame
}

const viewBuffers = 4

// splitViews makes views of frames of so many lines, one for each pair of columns.
func splitViews(id inspection.CameraID, source line.FrameSource, lines int, columns ...[2]int) (*views, error) {
	v := &views{source: source}
	for _, c := range columns {
		pool, err := camera.NewPool(id, viewBuffers, (c[1]-c[0])*lines)
		if err != nil {
			return nil, errors.Join(err, v.Close())
		}
		v.of = append(v.of, &columnView{from: c[0], to: c[1], pool: pool, frames: make(chan *camera.Frame, viewBuffers)})
	}
	return v, nil
}

// Run shares the frames out until the source ends, or ctx.
func (v *views) Run(ctx context.Context) error {
	defer func() {
		for _, c := range v.of {
			close(c.frames)
		}
	}()
	for {
		f, err := v.source.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		err = v.share(ctx, f)
		f.Release()
		if err != nil {
			return err
		}
	}
}

// share copies each view's columns of a frame, all at once.
func (v *views) share(ctx context.Context, f *camera.Frame) error {
	errs := make([]error, len(v.of))
	var copying sync.WaitGroup
	for i, c := range v.of {
		copying.Go(func() {
			g, err := c.pool.Wait(ctx)
			if err != nil {
				errs[i] = err
				return
			}
			g.ID, g.Span, g.Status, g.Arrived = f.ID, f.Span, f.Status, f.Arrived
			g.Fit(c.to-c.from, f.Image.Height)
			for y := range f.Image.Height {
				copy(g.Image.Row(y), f.Image.Row(y)[c.from:c.to])
			}
			c.frames <- g
		})
	}
	copying.Wait()
	return errors.Join(errs...)
}

// Close returns the memory.
func (v *views) Close() error {
	var errs []error
	for _, c := range v.of {
		errs = append(errs, c.pool.Close())
	}
	return errors.Join(errs...)
}

// Next gives the next frame of the view.
func (c *columnView) Next(ctx context.Context) (*camera.Frame, error) {
	select {
	case f, ok := <-c.frames:
		if !ok {
			return nil, io.EOF
		}
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
