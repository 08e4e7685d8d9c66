package inference

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/coilsight/coilsight/inspection"
)

// gated is a classifier that waits at a gate before each batch: it makes the shipped one slow, or is
// slow alone where there is no model to run.
type gated struct {
	inner batchClassifier // nil: every crop is of class "seen"
	gate  chan struct{}   // nil: open
	slots int
	err   error
	calls atomic.Int64
}

func (g *gated) Slots() int { return max(1, g.slots) }

func (g *gated) MaxBatch() int { return 4 }

func (g *gated) ClassifyBatch(dst []inspection.Classification, crops [][]byte) ([]inspection.Classification, error) {
	g.calls.Add(1)
	if g.gate != nil {
		<-g.gate
	}
	if g.err != nil {
		return dst, g.err
	}
	if g.inner != nil {
		return g.inner.ClassifyBatch(dst, crops)
	}
	for range crops {
		dst = append(dst, inspection.Classification{Class: "seen", Confidence: 1})
	}
	return dst, nil
}

// running starts a batcher; the returned function stops it and waits for it.
func running(t testing.TB, c batchClassifier, o BatchOptions) (*Batcher, func()) {
	t.Helper()
	b, err := NewBatcher(c, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	return b, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// answers collects what becomes of requests.
type answers struct {
	wait        sync.WaitGroup
	with, empty atomic.Int64
}

func (a *answers) request(crop []byte, deadline time.Time) *Request {
	a.wait.Add(1)
	return &Request{Crop: crop, Deadline: deadline, Done: func(v inspection.Classification, ok bool) {
		if ok {
			a.with.Add(1)
		} else if v.Class == inspection.Unclassified {
			a.empty.Add(1)
		}
		a.wait.Done()
	}}
}

func TestEveryRequestGetsTheVerdictOfItsOwnCrop(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	c, bundle := shippedClassifier(t, ClassifierOptions{})
	b, stop := running(t, c, BatchOptions{})
	golden := bundle.Golden()
	var wait sync.WaitGroup
	for i := range 200 {
		g := golden[i%len(golden)]
		want, err := c.ClassifyBatch(nil, [][]byte{g.Pix})
		if err != nil {
			t.Fatal(err)
		}
		wait.Add(1)
		ok := b.Submit(&Request{Crop: g.Pix, Done: func(v inspection.Classification, ok bool) {
			defer wait.Done()
			if !ok || v.Class != want[0].Class {
				t.Errorf("request %d got %v, %v; want %v", i, v, ok, want[0])
			}
		}})
		if !ok {
			t.Fatal("refused")
		}
	}
	wait.Wait()
	stop()
	if s := b.Stats(); s.Submitted != 200 || s.Classified != 200 || s.Batches < 25 {
		t.Errorf("stats are %+v", s)
	}
}

func TestFullQueueRefusesAndNeverBlocks(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	c := &gated{gate: make(chan struct{})}
	b, stop := running(t, c, BatchOptions{Queue: 8})
	var a answers
	accepted := 0
	for range 100 {
		r := a.request(nil, time.Time{})
		if b.Submit(r) {
			accepted++
		} else {
			a.wait.Done()
		}
	}
	// 8 in the queue and at most a batch of 4 in the worker's hands.
	if accepted < 8 || accepted > 12 {
		t.Errorf("%d of 100 were accepted; want 8 to 12", accepted)
	}
	close(c.gate)
	a.wait.Wait()
	stop()
	if s := b.Stats(); int(s.Refused) != 100-accepted || int(s.Classified) != accepted {
		t.Errorf("stats are %+v with %d accepted", s, accepted)
	}
}

func TestSlowModelLeavesOldRequestsUnclassifiedWithoutRunningThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &gated{gate: make(chan struct{})}
		b, stop := running(t, c, BatchOptions{})
		var a answers
		if !b.Submit(a.request(nil, time.Now().Add(time.Second))) {
			t.Fatal("refused")
		}
		time.Sleep(10 * time.Millisecond) // its batch is at the gate
		for range 6 {
			if !b.Submit(a.request(nil, time.Now().Add(50*time.Millisecond))) {
				t.Fatal("refused")
			}
		}
		time.Sleep(time.Second)
		close(c.gate)
		a.wait.Wait()
		if a.with.Load() != 1 || a.empty.Load() != 6 || c.calls.Load() != 1 {
			t.Errorf("%d with and %d without a verdict in %d runs; want 1, 6 and 1", a.with.Load(), a.empty.Load(), c.calls.Load())
		}
		stop()
		if s := b.Stats(); s.Expired != 6 || s.Submitted != 7 {
			t.Errorf("stats are %+v", s)
		}
	})
}

func TestBatchStartsWhenFullOrWhenItsFirstCropHasWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &gated{}
		b, stop := running(t, c, BatchOptions{MaxWait: 5 * time.Millisecond})
		var a answers
		begun := time.Now()
		for range 4 {
			b.Submit(a.request(nil, time.Time{}))
		}
		a.wait.Wait()
		if d := time.Since(begun); d != 0 {
			t.Errorf("a full batch waited %s", d)
		}
		b.Submit(a.request(nil, time.Time{}))
		a.wait.Wait()
		if d := time.Since(begun); d != 5*time.Millisecond {
			t.Errorf("a single crop waited %s; want 5 ms", d)
		}
		stop()
	})
}

func TestStoppingAnswersWhatStillWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &gated{gate: make(chan struct{})}
		b, stop := running(t, c, BatchOptions{})
		var a answers
		for range 20 {
			if !b.Submit(a.request(nil, time.Time{})) {
				t.Fatal("refused")
			}
		}
		synctest.Wait() // a batch of 4 is at the gate
		go func() {
			time.Sleep(time.Second)
			close(c.gate)
		}()
		stop()
		a.wait.Wait()
		if a.with.Load() != 4 || a.empty.Load() != 16 {
			t.Errorf("%d with and %d without a verdict; want 4 and 16", a.with.Load(), a.empty.Load())
		}
		if b.Submit(&Request{}) {
			t.Error("a stopped batcher accepted a request")
		}
	})
}

func TestFailingModelIsToldAndItsRequestsAnswered(t *testing.T) {
	c := &gated{err: errors.New("device lost")}
	var told atomic.Int64
	b, stop := running(t, c, BatchOptions{Failed: func(err error) {
		if strings.Contains(err.Error(), "device lost") {
			told.Add(1)
		}
	}})
	var a answers
	for range 4 {
		b.Submit(a.request(nil, time.Time{}))
	}
	a.wait.Wait()
	stop()
	if a.empty.Load() != 4 || told.Load() < 1 || b.Stats().Failed != 4 {
		t.Errorf("%d without a verdict, told %d times, stats %+v", a.empty.Load(), told.Load(), b.Stats())
	}
}

func TestBatchOptionsAreBounded(t *testing.T) {
	for want, o := range map[string]BatchOptions{
		"a batch of 5 crops is not possible; allowed are 1 to 4": {MaxBatch: 5},
		"a wait of 2s is not possible":                           {MaxWait: 2 * time.Second},
		"a queue of 2 requests is not possible":                  {Queue: 2},
	} {
		if _, err := NewBatcher(&gated{}, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %v; want %q", o, err, want)
		}
	}
}

func TestSubmitDoesNotAllocate(t *testing.T) {
	b, stop := running(t, &gated{}, BatchOptions{})
	defer stop()
	done := make(chan struct{}, 4)
	r := &Request{Done: func(inspection.Classification, bool) { done <- struct{}{} }}
	if n := testing.AllocsPerRun(200, func() {
		for range 4 {
			b.Submit(r)
		}
		for range 4 {
			<-done
		}
	}); n != 0 {
		t.Errorf("four requests allocate %g times; want none", n)
	}
}

// BenchmarkBatcher is the whole way of a crop, to be compared with BenchmarkBareSession: one slot too.
func BenchmarkBatcher(b *testing.B) {
	c, bundle := shippedClassifier(b, ClassifierOptions{Slots: 1})
	batcher, stop := running(b, c, BatchOptions{})
	defer stop()
	golden := bundle.Golden()
	free := make(chan *Request, 256)
	for i := range cap(free) {
		r := &Request{Crop: golden[i%len(golden)].Pix}
		r.Done = func(inspection.Classification, bool) { free <- r }
		free <- r
	}
	b.ReportAllocs()
	for b.Loop() {
		if !batcher.Submit(<-free) {
			b.Fatal("refused")
		}
	}
	for range cap(free) {
		<-free
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "crops/s")
}
