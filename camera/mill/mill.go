package mill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// Mill is a simulated line. Build it with New, Run it once, Close it when all its frames are released.
type Mill struct {
	o       Options
	cameras [2]*Camera
	speed   atomic.Uint64 // float64 bits, m/s

	mu    sync.Mutex
	plan  *timeline
	cur   *coil // whose signals are due next; nil after the last
	begun bool  // its head end was signalled
}

// Camera is one of the mill's two cameras.
type Camera struct {
	ID   inspection.CameraID
	Side inspection.Side
	// OperatorSideLeft tells that the operator side of the strip is at the left of the picture: at the
	// top it is; the camera below sees the strip mirrored.
	OperatorSideLeft bool

	pool   *camera.Pool
	frames chan *camera.Frame // capacity of the pool: a frame that was lent always finds a place
	lost   atomic.Int64
	render *renderer
}

// New makes a mill. An option that no mill can run with is refused in one sentence.
func New(o Options) (*Mill, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	m := &Mill{o: o, plan: newTimeline(o)}
	m.cur = m.plan.next()
	textures := newTextures(o.Seed, o.PixelsAcross)
	for i, side := range inspection.Sides() {
		id := inspection.CameraID("mill-" + string(side))
		pool, err := camera.NewPool(id, o.Buffers, o.PixelsAcross*o.FrameLines)
		if err != nil {
			if i > 0 {
				_ = m.cameras[0].pool.Close()
			}
			return nil, fmt.Errorf("mill: %w", err)
		}
		m.cameras[i] = &Camera{
			ID: id, Side: side, OperatorSideLeft: side == inspection.Top,
			pool: pool, frames: make(chan *camera.Frame, o.Buffers), render: newRenderer(o, side, textures),
		}
	}
	return m, nil
}

// Options are those the mill runs with, defaults filled in.
func (m *Mill) Options() Options { return m.o }

// Camera is the camera over one side.
func (m *Mill) Camera(side inspection.Side) *Camera {
	if side == inspection.Bottom {
		return m.cameras[1]
	}
	return m.cameras[0]
}

// Speed is the strip's speed in m/s at this moment; 0 while it stands.
func (m *Mill) Speed() float64 { return math.Float64frombits(m.speed.Load()) }

// Close returns the cameras' memory. It refuses while a frame is lent; frames that nobody took are
// released. Call it after Run has ended.
func (m *Mill) Close() error {
	var errs []error
	for _, c := range m.cameras {
		for more := true; more; {
			select {
			case f, ok := <-c.frames:
				if more = ok; ok {
					f.Release()
				}
			default:
				more = false
			}
		}
		if err := c.pool.Close(); err != nil {
			errs = append(errs, fmt.Errorf("mill: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Next gives the next frame to the caller, who must Release it. After the last coil it is io.EOF.
func (c *Camera) Next(ctx context.Context) (*camera.Frame, error) {
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

// referenceLines is the height of a white reference: enough for its noise to average out.
const referenceLines = 64

// WhiteReference is what the camera sees of an evenly grey target: the lamp, the lens and the noise, for
// a flat field to be fitted to.
func (c *Camera) WhiteReference() inspection.LineImage {
	const grey = 180
	w := len(c.render.lamp)
	m := inspection.LineImage{Pix: make([]byte, w*referenceLines), Width: w, Height: referenceLines, Stride: w}
	r := rand.New(rand.NewPCG(uint64(w), referenceLines))
	for y := range referenceLines {
		row := m.Row(y)
		for x, g := range c.render.lamp {
			v := grey*float64(g)/inspection.UnityGain + r.NormFloat64()*c.render.noiseAmp
			row[x] = byte(min(255, max(0, math.Round(v))))
		}
	}
	return m
}

// LostFrames counts the frames for which no buffer was free.
func (c *Camera) LostFrames() int64 { return c.lost.Load() }

// Run lets the strip run past the cameras until the last coil is through, which is nil, or ctx ends,
// which is its error. It may be called once.
func (m *Mill) Run(ctx context.Context) error {
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := time.Now()
	var wg sync.WaitGroup
	for _, c := range m.cameras {
		wg.Go(func() {
			defer close(c.frames)
			if err := m.shoot(both, c, start); err != nil {
				cancel(err) // the first one says why the other ends too
			}
		})
	}
	wg.Wait()
	m.setSpeed(0)
	if both.Err() == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.Cause(both)
}

// shoot produces the frames of one camera.
func (m *Mill) shoot(ctx context.Context, c *Camera, start time.Time) error {
	clock := newClock(m.o)
	lines := inspection.EncoderCount(m.o.FrameLines)
	for id := uint64(0); ; id++ {
		span := inspection.EncoderSpan{From: inspection.EncoderCount(id) * lines}
		span.To = span.From + lines
		if !clock.running(span.From) {
			return nil
		}
		// A frame is there when its last line is.
		if err := m.pace(ctx, c, clock, span, start); err != nil {
			return err
		}
		if err := m.announce(ctx, span.To); err != nil {
			return err
		}
		f := c.pool.Get()
		if f == nil && m.o.Realtime {
			c.lost.Add(1)
			continue
		}
		if f == nil {
			var err error
			if f, err = c.pool.Wait(ctx); err != nil {
				return err
			}
		}
		f.ID, f.Span, f.Status = id, span, camera.Complete
		f.Fit(m.o.PixelsAcross, m.o.FrameLines)
		c.render.frame(f.Image.Pix, span.From)
		f.Arrived = time.Now()
		c.frames <- f
	}
}

// pace runs the clock over a span and, in real time, waits for it. The speed is told by the top
// camera's clock alone.
func (m *Mill) pace(ctx context.Context, c *Camera, clock *clock, span inspection.EncoderSpan, start time.Time) error {
	for leg := range clock.legs(span) {
		if c.Side == inspection.Top {
			m.setSpeed(leg.speed)
		}
		if !m.o.Realtime {
			continue
		}
		wait := time.NewTimer(time.Until(start.Add(leg.until)))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		}
	}
	return ctx.Err()
}

func (m *Mill) setSpeed(v float64) { m.speed.Store(math.Float64bits(v)) }

// announce gives the signals of all that happens before a count.
func (m *Mill) announce(ctx context.Context, before inspection.EncoderCount) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.cur != nil {
		s := camera.Signal{Kind: camera.HeadEnd, Coil: m.cur.id, Order: m.cur.order, At: m.cur.start}
		if m.begun {
			s = camera.Signal{Kind: camera.TailEnd, Coil: m.cur.id, At: m.cur.end()}
		}
		if s.At >= before {
			return nil
		}
		if m.o.Tracking != nil {
			if err := m.o.Tracking(ctx, s); err != nil {
				return fmt.Errorf("mill: tracking of coil %s: %w", s.Coil, err)
			}
		}
		if m.begun {
			m.cur = m.plan.next()
		}
		m.begun = !m.begun
	}
	return nil
}

// First is the first coil and the encoder count at which its head end arrives.
func (m *Mill) First() (inspection.CoilID, inspection.EncoderCount) {
	c := newTimeline(m.o).next()
	return c.id, c.start
}

// Truth is what the mill puts on a coil, for tests; the pipeline has no way to it. ok is false for a
// coil that is not one of the mill's.
func (m *Mill) Truth(id inspection.CoilID) (defects []SeededDefect, ok bool) {
	n, ok := coilNumber(m.o, id)
	if !ok {
		return nil, false
	}
	for _, d := range planCoil(m.o, n).defects {
		if t, seen := d.truth(m.o); seen {
			defects = append(defects, t)
		}
	}
	return defects, true
}
