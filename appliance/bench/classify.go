package bench

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// ClassifyReport is how many crops a second are classified. The first figures are at the configured batch.
type ClassifyReport struct {
	CropsPerSecond        float64 `json:"crops_per_second"` // through the batcher
	SessionCropsPerSecond float64 `json:"session_crops_per_second"`
	OverSession           float64 `json:"over_session"`
	Batch                 int     `json:"batch"`
	Slots                 int     `json:"slots"`
	Provider              string  `json:"provider"`
	// Python is the version of ONNX Runtime's own Python that was measured; empty where none was, and
	// PythonMissing says why.
	Python        string      `json:"python,omitempty"`
	PythonMissing string      `json:"python_missing,omitempty"`
	Batches       []CropRates `json:"batches"` // at 1, 8 and 64 crops, and at the configured batch
}

// CropRates are the rates at one size of batch, in crops per second: medians over the turns. The ratios are
// medians of each turn's own, so that a machine that is busy for a while does not move them. Those by CPU time
// compare the work alone and hold on a busy machine, but not where a device computes.
type CropRates struct {
	Batch            int     `json:"batch"`
	Pipeline         float64 `json:"pipeline"` // through the engine and its batcher, as the line uses it
	Session          float64 `json:"session"`  // the bare session, on as many slots at once
	Python           float64 `json:"python,omitempty"`
	OverSession      float64 `json:"pipeline_over_session"`
	OverSessionByCPU float64 `json:"pipeline_over_session_by_cpu_time"`
	OverPython       float64 `json:"pipeline_over_python,omitempty"`
	OverPythonByCPU  float64 `json:"pipeline_over_python_by_cpu_time,omitempty"`
}

// Crops measures the classification alone.
func Crops(ctx context.Context, o Options) (ClassifyReport, error) {
	share := 1.0
	if o.Quick {
		share = quickShare
	}
	var r Report
	err := classification(ctx, o, share, &r)
	return r.Classify, err
}

// classification measures crops per second through the batcher, through the bare session, and through
// ONNX Runtime's own Python, in turns.
func classification(ctx context.Context, o Options, share float64, r *Report) error {
	sizes := []int{1, 8, 64}
	if !slices.Contains(sizes, o.Config.Classifier.Batch) {
		sizes = append(sizes, o.Config.Classifier.Batch)
	}
	for _, batch := range sizes {
		if err := atBatch(ctx, o, batch, share, &r.Classify); err != nil {
			return err
		}
	}
	for _, row := range r.Classify.Batches {
		if row.Batch == o.Config.Classifier.Batch {
			r.Classify.Batch, r.Classify.CropsPerSecond = row.Batch, row.Pipeline
			r.Classify.SessionCropsPerSecond, r.Classify.OverSession = row.Session, row.OverSession
		}
	}
	return nil
}

func atBatch(ctx context.Context, o Options, batch int, share float64, r *ClassifyReport) (err error) {
	o.Config.Classifier.Batch = batch
	e, err := appliance.OpenEngine(o.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	c := e.Classifier
	r.Slots, r.Provider = c.Slots(), c.Provider().Name
	python, err := comparison(ctx, o, e, r)
	if err != nil {
		return err
	}
	if python != nil {
		defer func() { err = errors.Join(err, python.close()) }()
	}
	run, stop := context.WithCancel(ctx)
	var worker sync.WaitGroup
	worker.Go(func() { _ = e.Run(run) }) // returns nil by its contract
	defer worker.Wait()
	defer stop()

	// Many and short, so that what else the machine does meets all three alike; shorter would be too few batches of 64.
	const d = 150 * time.Millisecond
	turns := int(share * 15)
	camera := newFeed(e)
	var bare, piped, own []speed
	for range turns {
		v, err := bareSpeed(c, d)
		if err != nil {
			return err
		}
		bare = append(bare, v)
		piped = append(piped, camera.speed(d))
		if python == nil {
			continue
		}
		if v, err = python.speed(batch, d); err != nil {
			return err
		}
		own = append(own, v)
	}
	row := CropRates{Batch: batch, Pipeline: medianRate(piped), Session: medianRate(bare)}
	row.OverSession, row.OverSessionByCPU = medianRatios(piped, bare)
	if python != nil {
		row.Python = medianRate(own)
		row.OverPython, row.OverPythonByCPU = medianRatios(piped, own)
	}
	r.Batches = append(r.Batches, row)
	return nil
}

// speed is what one turn measured.
type speed struct {
	rate  float64 // crops per second
	byCPU float64 // crops per second of CPU time, of all cores together
}

func medianRate(turns []speed) float64 {
	var rates []float64
	for _, v := range turns {
		rates = append(rates, v.rate)
	}
	return median(rates)
}

// medianRatios compares turn by turn.
func medianRatios(of, over []speed) (rate, byCPU float64) {
	var rates, cpus []float64
	for i, v := range of {
		rates, cpus = append(rates, v.rate/over[i].rate), append(cpus, v.byCPU/over[i].byCPU)
	}
	return median(rates), median(cpus)
}

// cpuSeconds is the CPU time this process has used.
func cpuSeconds() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails on a bad argument alone
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// comparison starts ONNX Runtime's own Python on the engine's model; nil where there is none, and the report says why.
func comparison(ctx context.Context, o Options, e *appliance.Engine, r *ClassifyReport) (*pythonSession, error) {
	if r.Provider != inference.ProviderCPU {
		r.PythonMissing = "Python is compared on the CPU alone"
		return nil, nil
	}
	path, err := modelFile(o.Work, e.Bundle.ONNX())
	if err != nil {
		return nil, err
	}
	s, missing, err := findPython(ctx, o.Python, path, r.Slots)
	if s != nil {
		r.Python = s.version
	}
	r.PythonMissing = missing
	return s, errors.Join(err, os.Remove(path)) // it is loaded by now
}

func bareSpeed(c *inference.Classifier, d time.Duration) (speed, error) {
	if err := c.RunBare(c.MaxBatch()); err != nil { // sizes the runtime's memory and is not counted
		return speed{}, err
	}
	var wg sync.WaitGroup
	rates, counts, errs := make([]float64, c.Slots()), make([]int, c.Slots()), make([]error, c.Slots())
	cpu := cpuSeconds()
	for i := range rates {
		wg.Go(func() {
			began := time.Now()
			for errs[i] == nil && time.Since(began) < d {
				errs[i] = c.RunBare(c.MaxBatch())
				counts[i] += c.MaxBatch()
			}
			rates[i] = float64(counts[i]) / time.Since(began).Seconds()
		})
	}
	wg.Wait()
	cpu = cpuSeconds() - cpu
	var sum speed
	crops := 0
	for i, v := range rates {
		sum.rate += v
		crops += counts[i]
	}
	sum.byCPU = float64(crops) / cpu
	return sum, errors.Join(errs...)
}

const (
	frameCrops  = 64 // regions of a bad frame, which a camera hands in at once
	frameGroups = 4  // frames in flight; together they fit the batcher's queue
)

// frame is what a camera hands in at once, again when all its verdicts are back.
type frame struct {
	crops   [frameCrops][]byte
	pending atomic.Int64
	answer  func(inspection.Classification, bool)
}

// feed keeps the batcher's queue filled from one goroutine, frame by frame as a camera does.
type feed struct {
	engine *appliance.Engine
	free   chan *frame // those with all verdicts back
	done   atomic.Int64
}

func newFeed(e *appliance.Engine) *feed {
	d := &feed{engine: e, free: make(chan *frame, frameGroups)}
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
				d.done.Add(1)
			}
			if f.pending.Add(-1) == 0 {
				d.free <- f
			}
		}
		d.free <- f
	}
	return d
}

func (d *feed) hand(f *frame) {
	f.pending.Store(frameCrops)
	for _, crop := range f.crops {
		if !d.engine.Submit(crop, time.Time{}, f.answer) {
			f.answer(inspection.Classification{}, false) // refused: not counted
		}
	}
}

// speed counts verdicts for about t.
func (d *feed) speed(t time.Duration) speed {
	for range frameGroups {
		d.hand(<-d.free)
	}
	// The clock starts and ends where a frame comes back, with the other batches under way both times.
	f := <-d.free
	began, cpu, before := time.Now(), cpuSeconds(), d.done.Load()
	for time.Since(began) < t {
		d.hand(f)
		f = <-d.free
	}
	crops := float64(d.done.Load() - before)
	v := speed{rate: crops / time.Since(began).Seconds(), byCPU: crops / (cpuSeconds() - cpu)}
	back := [frameGroups]*frame{f}
	for i := 1; i < frameGroups; i++ { // those in flight come back
		back[i] = <-d.free
	}
	for _, f := range back {
		d.free <- f
	}
	return v
}
