package mill

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small is a mill that a test can run to its end in a moment.
func small() Options {
	return Options{
		Seed: 5, PixelsAcross: 512, FrameLines: 128, CoilLengthMin: 6000, ThreadingGap: 400,
		Coils: 2, Buffers: 4, DefectsPer100m: 150,
	}
}

func newMill(t testing.TB, o Options) *Mill {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// roll runs a mill to its end; look sees each frame, in order for each camera.
func roll(t testing.TB, m *Mill, look func(*Camera, *camera.Frame)) {
	t.Helper()
	var wg sync.WaitGroup
	for _, side := range inspection.Sides() {
		c := m.Camera(side)
		wg.Go(func() {
			for {
				f, err := c.Next(t.Context())
				if errors.Is(err, io.EOF) {
					return
				}
				if err != nil {
					t.Errorf("camera %s: %v", c.ID, err)
					return
				}
				look(c, f)
				f.Release()
			}
		})
	}
	if err := m.Run(t.Context()); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

type frameKey struct {
	camera inspection.CameraID
	id     uint64
}

// hashes are the pixels of every frame of a run, boiled down.
func hashes(t testing.TB, m *Mill, slow func(*camera.Frame)) map[frameKey]uint64 {
	var mu sync.Mutex
	out := map[frameKey]uint64{}
	roll(t, m, func(_ *Camera, f *camera.Frame) {
		h := fnv.New64a()
		h.Write(f.Image.Pix)
		mu.Lock()
		out[frameKey{f.Camera, f.ID}] = h.Sum64()
		mu.Unlock()
		if slow != nil {
			slow(f)
		}
	})
	return out
}

func TestSameSeedGivesSamePixelsWhateverThePacing(t *testing.T) {
	free := hashes(t, newMill(t, small()), nil)
	if len(free) == 0 {
		t.Fatal("the mill gave no frames")
	}
	synctest.Test(t, func(t *testing.T) {
		o := small()
		o.Realtime, o.Buffers = true, 2
		m := newMill(t, o)
		paced := hashes(t, m, func(f *camera.Frame) {
			if f.ID%40 == 20 {
				time.Sleep(300 * time.Millisecond) // long enough to lose frames
			}
		})
		if lost := len(free) - len(paced); lost == 0 || int64(lost) != m.Camera(inspection.Top).LostFrames()+m.Camera(inspection.Bottom).LostFrames() {
			t.Errorf("%d frames are missing; the cameras count %d and %d as lost", lost,
				m.Camera(inspection.Top).LostFrames(), m.Camera(inspection.Bottom).LostFrames())
		}
		for k, h := range paced {
			if free[k] != h {
				t.Fatalf("frame %d of camera %s differs between the two runs", k.id, k.camera)
			}
		}
	})
	o := small()
	o.Seed++
	for k, h := range hashes(t, newMill(t, o), nil) {
		if free[k] == h {
			t.Fatalf("frame %d of camera %s is the same under another seed", k.id, k.camera)
		}
	}
}

func TestFramesAndCountsAreContiguousAndSignalsComeFirst(t *testing.T) {
	o := small()
	var delivered atomic.Int64 // count up to which some frame was handed out
	var signals []camera.Signal
	o.Tracking = func(_ context.Context, s camera.Signal) error {
		if to := delivered.Load(); to > int64(s.At) {
			t.Errorf("signal %v of count %d came after a frame up to %d", s.Kind, s.At, to)
		}
		signals = append(signals, s)
		return nil
	}
	m := newMill(t, o)
	var mu sync.Mutex
	last := map[inspection.CameraID]*inspection.EncoderSpan{}
	n := map[inspection.CameraID]uint64{}
	roll(t, m, func(c *Camera, f *camera.Frame) {
		mu.Lock()
		defer mu.Unlock()
		if l := last[c.ID]; f.ID != n[c.ID] || (l != nil && l.To != f.Span.From) {
			t.Errorf("camera %s: frame %d at %v follows %v", c.ID, f.ID, f.Span, l)
		}
		if f.Span.Len() != 128 || f.Image.Height != 128 || f.Image.Width != 512 || f.Status != camera.Complete || f.Seam {
			t.Errorf("camera %s: frame %d spans %v, %d x %d", c.ID, f.ID, f.Span, f.Image.Width, f.Image.Height)
		}
		span := f.Span
		last[c.ID] = &span
		n[c.ID]++
		delivered.Store(max(delivered.Load(), int64(f.Span.To)))
	})
	if len(signals) != 4 {
		t.Fatalf("%d signals; want head and tail of two coils", len(signals))
	}
	for i, s := range signals {
		kind, coil := camera.SignalKind(i%2), coilName(m.o, 1+i/2)
		if s.Kind != kind || s.Coil != coil {
			t.Errorf("signal %d is %v of %s; want %v of %s", i, s.Kind, s.Coil, kind, coil)
		}
		if hasOrder := s.Order.Width > 0 && s.Order.Thickness > 0 && s.Order.SteelGrade != ""; hasOrder != (kind == camera.HeadEnd) {
			t.Errorf("signal %d has the order %+v", i, s.Order)
		}
	}
	if got := signals[1].At - signals[0].At; got != 12_000 {
		t.Errorf("a coil of 6 m is %d counts long, want 12000", got)
	}
	for id, l := range last {
		if l.To < signals[3].At {
			t.Errorf("camera %s ends at %d, before the tail at %d", id, l.To, signals[3].At)
		}
	}
}

func TestFrameIsLostWhereNoBufferIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := small()
		o.Realtime, o.Buffers, o.Coils = true, 3, 1
		m := newMill(t, o)
		jumped := map[inspection.Side]uint64{}
		next := map[inspection.Side]uint64{}
		var mu sync.Mutex
		roll(t, m, func(c *Camera, f *camera.Frame) {
			mu.Lock()
			jumped[c.Side] += f.ID - next[c.Side]
			next[c.Side] = f.ID + 1
			mu.Unlock()
			if f.Span.From != inspection.EncoderCount(f.ID)*128 {
				t.Errorf("frame %d begins at count %d; the encoder did not go on through the loss", f.ID, f.Span.From)
			}
			if c.Side == inspection.Top && f.ID == 10 {
				time.Sleep(2 * time.Second)
			}
		})
		if n := jumped[inspection.Top]; n < 5 || int64(n) != m.Camera(inspection.Top).LostFrames() {
			t.Errorf("the slow reader missed %d frames; the camera counts %d", n, m.Camera(inspection.Top).LostFrames())
		}
		if n := m.Camera(inspection.Bottom).LostFrames(); n != 0 {
			t.Errorf("the other camera lost %d frames", n)
		}
	})
}

// withStop finds a seed whose first coil stops.
func withStop(t *testing.T, o Options) Options {
	t.Helper()
	for ; o.Seed < 100; o.Seed++ {
		if len(planCoil(o.withDefaults(), 1).stops) > 0 {
			return o
		}
	}
	t.Fatal("no coil stops")
	return o
}

func TestStripRampsAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := small()
		o.Realtime, o.Coils, o.Good = true, 1, true
		o.CoilLengthMin = 60_000
		o = withStop(t, o)
		m := newMill(t, o)
		plan := newTimeline(m.o).next()
		var arrived []time.Time
		var speeds []float64
		stood := make(chan float64, 1)
		roll(t, m, func(c *Camera, f *camera.Frame) {
			if c.Side != inspection.Top {
				return
			}
			arrived = append(arrived, f.Arrived)
			speeds = append(speeds, m.Speed())
			stop := plan.start + inspection.EncoderCount(plan.stops[0].line)
			if f.Span.To <= stop && stop < f.Span.To+128 {
				// The next frame comes after the stop; in its middle the strip stands.
				time.AfterFunc(time.Second, func() { stood <- m.Speed() })
			}
		})
		var longest, usual time.Duration
		for i := 1; i < len(arrived); i++ {
			longest = max(longest, arrived[i].Sub(arrived[i-1]))
		}
		usual = arrived[1].Sub(arrived[0])
		if pause := time.Duration(plan.stops[0].seconds * float64(time.Second)); longest < pause || longest > pause+time.Second {
			t.Errorf("the longest time between two frames is %v; the strip stood %v", longest, pause)
		}
		if want := 64 * time.Millisecond; usual < want-time.Millisecond || usual > want+time.Millisecond {
			t.Errorf("a frame of 64 mm at 1 m/s takes %v, want %v", usual, want)
		}
		if v := <-stood; v != 0 {
			t.Errorf("the strip stands, and its speed is %g", v)
		}
		top := 0.0
		for _, v := range speeds {
			top = max(top, v)
		}
		if speeds[0] != 1 || top < 5.5 || top > 6 || speeds[len(speeds)-2] != 1 {
			t.Errorf("speed is %g at the head, at most %g, %g at the tail; want 1, about 6, 1", speeds[0], top, speeds[len(speeds)-2])
		}
	})
}

func TestCancelledMillEndsAndClosesWhenItsFramesAreBack(t *testing.T) {
	o := small()
	o.Coils = 0
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- m.Run(ctx) }()
	f, err := m.Camera(inspection.Top).Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled run gives %v", err)
	}
	if err := m.Close(); err == nil {
		t.Error("the mill closed under a lent frame")
	}
	f.Release()
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

func TestFailedTrackingEndsTheMill(t *testing.T) {
	o := small()
	lost := errors.New("connection lost")
	o.Tracking = func(context.Context, camera.Signal) error { return lost }
	m := newMill(t, o)
	if err := m.Run(t.Context()); !errors.Is(err, lost) {
		t.Errorf("run gives %v, want %v", err, lost)
	}
}

func TestImpossibleOptionsAreRefusedByName(t *testing.T) {
	for want, o := range map[string]Options{
		"mill: 64 pixels across are not possible; allowed are 128 to 16384":                                  {PixelsAcross: 64},
		"mill: -1 lines a frame are not possible; allowed are 1 to 8192":                                     {FrameLines: -1},
		"mill: 9 mm a pixel are not possible; allowed are 0.05 to 5":                                         {MMPerPixel: 9},
		"mill: -1 mm a count are not possible; allowed are 0.05 to 5":                                        {MMPerCount: -1},
		"mill: a strip of 1300 mm does not suit cameras that see 1280 mm; allowed are 384 to 1228.8 mm":      {StripWidth: 1300},
		"mill: coils of 2000 to 2000 mm are not possible; allowed are 3000 to 20000000 mm, the lesser first": {CoilLengthMin: 2000},
		"mill: coils of 9000 to 8000 mm are not possible; allowed are 3000 to 20000000 mm, the lesser first": {CoilLengthMin: 9000, CoilLengthMax: 8000},
		"mill: a threading gap of 1 mm is not possible; allowed are 100 to 1000000":                          {ThreadingGap: 1},
		"mill: a speed of -6 m/s is not possible; allowed are above 0 to 50":                                 {Speed: -6, ThreadingSpeed: 1},
		"mill: a threading speed of 7 m/s is not possible; allowed are above 0 to the speed, 6":              {ThreadingSpeed: 7},
		"mill: -1 defects in 100 m are not possible; allowed are 0 to 2000":                                  {DefectsPer100m: -1},
		"mill: -1 coils are not possible; allowed are 0, for no end, and more":                               {Coils: -1},
		"mill: the first coil cannot be number -1; the least is 1":                                           {FirstCoil: -1},
		"mill: 5000 buffers a camera are not possible; allowed are 1 to 4096":                                {Buffers: 5000},
	} {
		if _, err := New(o); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
