package bench

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// classification measures crops per second through the batcher, as the line uses it, and through the bare
// session on as many slots at once.
func classification(ctx context.Context, o Options, share float64, r *Report) (err error) {
	e, err := appliance.OpenEngine(o.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	c := e.Classifier
	r.Classify.Batch, r.Classify.Slots, r.Classify.Provider = c.MaxBatch(), c.Slots(), c.Provider().Name
	run, stop := context.WithCancel(ctx)
	var worker sync.WaitGroup
	worker.Go(func() { _ = e.Run(run) }) // returns nil by its contract
	defer worker.Wait()
	defer stop()
	const turns = 3
	var batched, bare []float64
	for range turns {
		v, err := bareRate(c, seconds(share, 1.5))
		if err != nil {
			return err
		}
		bare = append(bare, v)
		batched = append(batched, batchedRate(e, seconds(share, 1.5)))
	}
	r.Classify.SessionCropsPerSecond, r.Classify.CropsPerSecond = median(bare), median(batched)
	r.Classify.OverSession = r.Classify.CropsPerSecond / r.Classify.SessionCropsPerSecond
	return nil
}

func bareRate(c *inference.Classifier, d time.Duration) (float64, error) {
	var wg sync.WaitGroup
	rates, errs := make([]float64, c.Slots()), make([]error, c.Slots())
	for i := range rates {
		wg.Go(func() { rates[i], errs[i] = c.BareSessionRate(c.MaxBatch(), d) })
	}
	wg.Wait()
	sum := 0.0
	for i, v := range rates {
		if errs[i] != nil {
			return 0, errs[i]
		}
		sum += v
	}
	return sum, nil
}

const (
	frameCrops  = 64 // regions of a bad frame, which a camera hands in at once
	frameGroups = 4  // frames in flight; together they fit the batcher's queue
)

// batchedRate keeps the batcher's queue filled from one goroutine, frame by frame as a camera does, and
// counts verdicts.
func batchedRate(e *appliance.Engine, d time.Duration) float64 {
	type frame struct {
		crops   [frameCrops][]byte
		pending atomic.Int64
		answer  func(inspection.Classification, bool)
	}
	free := make(chan *frame, frameGroups)
	var done atomic.Int64
	for range frameGroups {
		f := &frame{}
		for i := range f.crops {
			f.crops[i] = make([]byte, inference.CropSize*inference.CropSize)
			for k := range f.crops[i] {
				f.crops[i][k] = byte(k*7 + i)
			}
		}
		f.answer = func(_ inspection.Classification, ok bool) {
			if ok {
				done.Add(1)
			}
			if f.pending.Add(-1) == 0 {
				free <- f
			}
		}
		free <- f
	}
	began := time.Now()
	for time.Since(began) < d {
		f := <-free
		f.pending.Store(frameCrops)
		for _, crop := range f.crops {
			if !e.Submit(crop, time.Time{}, f.answer) {
				f.answer(inspection.Classification{}, false) // refused: not counted
			}
		}
	}
	rate := float64(done.Load()) / time.Since(began).Seconds()
	for range frameGroups { // those in flight come back
		<-free
	}
	return rate
}
