package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// LineReport is the whole line at work: two cameras, detector, classifier and record.
type LineReport struct {
	MBPerSecond     float64 `json:"mb_per_second"` // paced, with every frame inspected
	EventsPerSecond float64 `json:"events_per_second"`
	UncountedFrames int64   `json:"uncounted_frames"` // produced and in no column of the ledger
	LostFrames      uint64  `json:"lost_frames"`      // counted as lost at that rate
	LatencyMS       struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	} `json:"latency_ms"` // arrival of a frame to its defect being durable and published
	CapacityMBps float64 `json:"capacity_mb_per_second"` // unpaced: as fast as the line takes frames
}

const (
	linePixels     = 3300 // 1.65 m at 0.5 mm: a hot strip
	lineFrameLines = 256
	lineMM         = 0.5
	// benchDefects is 2.5 defects a metre of each side: 50 a second at 20 m/s of one side.
	benchDefects = 250
	benchFrames  = 48 // of each side, rendered before the clock starts
)

// renderStrip renders the frames that the line is fed with, and measures how fast.
func renderStrip(ctx context.Context, _ Options, share float64, r *Report) ([]inspection.LineImage, error) {
	frames, err := renderSide(ctx, inspection.Top, benchFrames)
	if err != nil {
		return nil, err
	}
	// One camera's share of a mill that waits for buffers: both sides are rendered at once on two
	// cores, so the rate is taken on one side with the other's frames thrown away.
	began := time.Now()
	n := int(share*60) + 10
	if _, err := renderSide(ctx, inspection.Bottom, n); err != nil {
		return nil, err
	}
	r.Mill.RenderMBps = float64(n*linePixels*lineFrameLines) / 1e6 / time.Since(began).Seconds()
	return frames, nil
}

// renderSide renders n frames of the line's strip with its defects.
func renderSide(ctx context.Context, side inspection.Side, n int) ([]inspection.LineImage, error) {
	return renderFrames(ctx, side, n, mill.Options{PixelsAcross: linePixels, DefectsPer100m: benchDefects})
}

// renderFrames renders n frames of one side of a coil.
func renderFrames(ctx context.Context, side inspection.Side, n int, o mill.Options) (out []inspection.LineImage, err error) {
	o.Seed, o.FrameLines, o.MMPerPixel, o.MMPerCount = 11, lineFrameLines, lineMM, lineMM
	o.CoilLengthMin, o.Coils, o.ThreadingGap = inspection.MM((n+8)*lineFrameLines)*lineMM, 1, 500
	m, err := mill.New(o)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = m.Run(ctx) }) // ends by stop
	defer func() {
		stop()
		wg.Wait()
		err = errors.Join(err, m.Close())
	}()
	other := inspection.Bottom
	if side == inspection.Bottom {
		other = inspection.Top
	}
	wg.Go(func() {
		for {
			f, err := m.Camera(other).Next(ctx)
			if err != nil {
				return
			}
			f.Release()
		}
	})
	for skip := 4; len(out) < n; skip-- { // the head end is not full width
		f, err := m.Camera(side).Next(ctx)
		if err != nil {
			return nil, err
		}
		if skip <= 0 {
			img := f.Image
			img.Pix = slices.Clone(img.Pix)
			out = append(out, img)
		}
		f.Release()
	}
	return out, nil
}

// player is a camera that delivers frames rendered before, copied into the pool's buffers as a network card
// would, at a rate or as fast as they are taken.
type player struct {
	pool  *camera.Pool
	strip []inspection.LineImage
	every time.Duration // between frames; 0: unpaced
	until time.Time
	began time.Time
	next  uint64
	at    inspection.EncoderCount
}

func (p *player) Next(ctx context.Context) (*camera.Frame, error) {
	for {
		if time.Now().After(p.until) {
			return nil, io.EOF
		}
		var f *camera.Frame
		if p.every > 0 {
			if wait := time.Until(p.began.Add(time.Duration(p.next+1) * p.every)); wait > 0 {
				time.Sleep(wait)
			}
			f = p.pool.Get()
		} else {
			var err error
			if f, err = p.pool.Wait(ctx); err != nil {
				return nil, err
			}
		}
		img := p.strip[p.next%uint64(len(p.strip))]
		seam := p.next%uint64(len(p.strip)) == 0
		id, span := p.next, inspection.EncoderSpan{From: p.at, To: p.at + inspection.EncoderCount(img.Height)}
		p.next, p.at = p.next+1, span.To
		if f == nil {
			continue // underrun: the line will notice the jump
		}
		f.Fit(img.Width, img.Height)
		copy(f.Image.Pix, img.Pix)
		f.ID, f.Span, f.Seam, f.Arrived = id, span, seam, time.Now()
		return f, nil
	}
}

// wholeLine finds the highest rate at which nothing is lost: first what the line takes unpaced, then that
// rate in real time, lowered until every frame is inspected.
func wholeLine(ctx context.Context, o Options, share float64, r *Report) error {
	strip, err := renderSide(ctx, inspection.Top, benchFrames)
	if err != nil {
		return err
	}
	free, err := runLine(ctx, o, strip, load{d: seconds(share, 6)})
	if err != nil {
		return err
	}
	pace := 0.9 * free.MBPerSecond
	for try := 0; ; try++ {
		paced, err := runLine(ctx, o, strip, load{mbps: pace, d: seconds(share, 10)})
		if err != nil {
			return err
		}
		paced.CapacityMBps = free.MBPerSecond
		r.Line = paced
		if paced.LostFrames == 0 || try == 3 {
			return nil
		}
		pace *= 0.85
	}
}

// load is what a line is given to do.
type load struct {
	mbps float64       // of both cameras together; 0: as fast as frames are taken
	d    time.Duration // how long
	// beside runs beside the line on the first coil, until ctx ends with the line; nil: nothing does.
	beside func(ctx context.Context, l *line.Line, r inspection.Recipe, w *latencies)
}

func runLine(ctx context.Context, o Options, strip []inspection.LineImage, under load) (_ LineReport, err error) {
	dir := filepath.Join(o.Work, fmt.Sprintf("line-%d", time.Now().UnixNano()))
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	st, err := store.Open(ctx, dir, store.Options{})
	if err != nil {
		return LineReport{}, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	e, err := appliance.OpenEngine(o.Config)
	if err != nil {
		return LineReport{}, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	classify, stop := context.WithCancel(ctx)
	var worker sync.WaitGroup
	worker.Go(func() { _ = e.Run(classify) }) // returns nil by its contract
	defer worker.Wait()
	defer stop()

	geometry := calibration.Geometry{MMPerPixel: lineMM, MMPerCount: lineMM}
	gain := make(inspection.ColumnGain, linePixels)
	for x := range gain {
		gain[x] = inspection.UnityGain + uint16(x%64)
	}
	watch := &latencies{}
	opts := line.Options{
		Classifier: e, Log: st, Observer: watch, Setup: func() inspection.Setup { return inspection.Setup{Model: e.Bundle.ID()} }, Cut: inference.CutCrop, Tighten: inference.Tighten,
		CropSize: inference.CropSize, RegionCap: o.Config.Line.RegionCap, Lossless: under.mbps == 0,
		FlushEvery: time.Duration(o.Config.Line.FlushMS) * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	}
	began := time.Now()
	var players []*player
	for _, side := range inspection.Sides() {
		pool, err := camera.NewPool(inspection.CameraID(side), 24, linePixels*lineFrameLines)
		if err != nil {
			return LineReport{}, err
		}
		defer func() { err = errors.Join(err, pool.Close()) }()
		det, err := inference.NewDetector(linePixels, inference.DetectorOptions{Threshold: o.Config.Detector.Threshold})
		if err != nil {
			return LineReport{}, err
		}
		defer det.Close()
		p := &player{pool: pool, strip: strip, began: began, until: began.Add(under.d)}
		if under.mbps > 0 {
			p.every = time.Duration(float64(linePixels*lineFrameLines) / (under.mbps * 1e6 / 2) * float64(time.Second))
		}
		players = append(players, p)
		opts.Cameras = append(opts.Cameras, line.Camera{
			ID: inspection.CameraID(side), Side: side, Source: p, Detector: det, FlatField: func() inspection.FlatField { return inspection.FlatField{Gain: gain} }, Locator: geometry,
		})
	}
	l, err := line.New(opts)
	if err != nil {
		return LineReport{}, err
	}
	recipe := inspection.Recipe{
		Name: "bench", Version: 1, LongestGap: 1000, GapGrade: inspection.Hold,
		Rules: []inspection.GradingRule{{ID: "any", Count: 1 << 30, Grade: inspection.Second}},
	}
	if _, err := l.Start(ctx, "BENCH", inspection.CoilOrder{}, recipe, 0); err != nil {
		return LineReport{}, err
	}
	beside, ended := context.WithCancel(ctx)
	var other sync.WaitGroup
	if under.beside != nil {
		other.Go(func() { under.beside(beside, l, recipe, watch) })
	}
	err = l.Run(ctx)
	ended()
	other.Wait()
	if err != nil {
		return LineReport{}, err
	}
	took := time.Since(began).Seconds()
	var r LineReport
	for i, s := range l.Status() {
		k := s.Ledger
		r.MBPerSecond += float64(k.Inspected) * linePixels * lineFrameLines / 1e6 / took
		r.LostFrames += k.DetectedOnly + k.Incomplete + k.Underrun + k.Overrun
		known := k.Inspected + k.DetectedOnly + k.Incomplete + k.Underrun + k.Overrun
		// Frames lost after the last one delivered are not known to a line that then stops.
		r.UncountedFrames += int64(players[i].next) - int64(known)
	}
	r.EventsPerSecond = float64(watch.defects()) / took
	r.LatencyMS.P50, r.LatencyMS.P99 = watch.take()
	return r, nil
}
