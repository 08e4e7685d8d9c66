package bench

import (
	"context"
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
	e, err := appliance.OpenEngine(o.Config.Classifier)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := e.Close(); err == nil {
			err = cerr
		}
	}()
	c := e.Classifier
	r.Classify.Batch, r.Classify.Slots, r.Classify.Provider = c.MaxBatch(), c.Slots(), c.Provider().Name
	const turns = 3
	var batched, bare []float64
	for range turns {
		v, err := bareRate(c, seconds(share, 1.5))
		if err != nil {
			return err
		}
		bare = append(bare, v)
		batched = append(batched, batchedRate(ctx, e, seconds(share, 1.5)))
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

// batchedRate keeps the batcher's queue filled from one goroutine, as a camera does, and counts verdicts.
func batchedRate(ctx context.Context, e *appliance.Engine, d time.Duration) float64 {
	run, stop := context.WithCancel(ctx)
	var worker sync.WaitGroup
	worker.Go(func() { _ = e.Run(run) }) // returns nil by its contract
	crops := make(chan []byte, 256)
	for i := range cap(crops) {
		crop := make([]byte, inference.CropSize*inference.CropSize)
		for k := range crop {
			crop[k] = byte(k*7 + i)
		}
		crops <- crop
	}
	var done atomic.Int64
	began := time.Now()
	for time.Since(began) < d {
		crop := <-crops
		if !e.Submit(crop, time.Time{}, func(_ inspection.Classification, ok bool) {
			if ok {
				done.Add(1)
			}
			crops <- crop
		}) {
			crops <- crop
		}
	}
	n := done.Load()
	took := time.Since(began)
	stop()
	worker.Wait()
	return float64(n) / took.Seconds()
}
