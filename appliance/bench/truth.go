package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// TruthReport compares the record of simulated coils with what the mill put on them.
type TruthReport struct {
	Seeded     int     `json:"seeded"`
	Found      int     `json:"found"`       // an event overlaps the seeded defect
	Placed     int     `json:"placed"`      // of those, the event's middle is within 5 mm of it
	ClassRight int     `json:"class_right"` // of those found
	FoundShare float64 `json:"found_share"`
	PlaceShare float64 `json:"placed_share"`
	ClassShare float64 `json:"class_right_share"`
	// Twice counts events on a seeded defect beside the one that speaks for it.
	Twice int `json:"events_beside"`
	// Along and Across say how far the middles of events lie from those of the small defects they are on.
	Along  PositionError `json:"along"`
	Across PositionError `json:"across"`

	GoodReport
	ByClass map[inspection.DefectClass]*ClassTruth `json:"by_class"`
}

// PositionError is the error of places along one axis, mm.
type PositionError struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean_mm"` // with its sign
	P50  float64 `json:"p50_mm"`  // of the size, as the next
	P99  float64 `json:"p99_mm"`

	errors []float64
}

// smallMM is the longest side of a defect whose middle is compared: of a larger one a part may be found.
const smallMM = inspection.MM(30)

func (e *PositionError) add(mm inspection.MM) { e.errors = append(e.errors, float64(mm)) }

func (e *PositionError) sum() {
	e.N = len(e.errors)
	if e.N == 0 {
		return
	}
	sizes := make([]float64, e.N)
	for i, v := range e.errors {
		e.Mean += v / float64(e.N)
		sizes[i] = math.Abs(v)
	}
	slices.Sort(sizes)
	e.P50, e.P99 = sizes[e.N/2], sizes[e.N*99/100]
}

// GoodReport is what a line reports of strip on which there is nothing to report.
type GoodReport struct {
	GoodMetres       float64       `json:"good_metres"` // of sides of strip without seeded defects
	FalseEvents      int           `json:"false_events"`
	FalsePer1000M    float64       `json:"false_per_1000m"`
	FalseRegions     uint64        `json:"false_regions"` // of the detector on good strip, before the model
	RejectedRegions  uint64        `json:"rejected_regions"`
	RejectedShare    float64       `json:"rejected_share"`
	InspectedEveryMM bool          `json:"inspected_every_mm"` // no gap on the coil but at its ends
	EndMM            inspection.MM `json:"end_mm"`             // longest gap at a head or tail end, whose rim is not screened
}

// ClassTruth is one class's share of a TruthReport.
type ClassTruth struct {
	Seeded     int                            `json:"seeded"`
	Found      int                            `json:"found"`
	ClassRight int                            `json:"class_right"`
	As         map[inspection.DefectClass]int `json:"as"` // what those found were called
}

const (
	// truthSeed is not among the seeds that training pictures are rendered with, which are small.
	truthSeed = 7_700_001
	placeMM   = inspection.MM(5)
	// truthPixels is 1.65 m at 0.5 mm.
	truthPixels = 3300
)

// Truth rolls simulated coils through the whole line, seeded ones and good ones of metres each side, and
// compares the record with the mill's truth.
func Truth(ctx context.Context, o Options, metres float64) (TruthReport, error) {
	r, err := SeededStrip(ctx, o, metres, 1)
	if err != nil {
		return r, err
	}
	r.GoodReport, err = GoodStrip(ctx, o, metres)
	return r, err
}

// SeededStrip rolls a simulated coil of so many metres with seeded defects past one or two cameras a side, and compares the
// record with the mill's truth.
func SeededStrip(ctx context.Context, o Options, metres float64, cameras int) (TruthReport, error) {
	r := TruthReport{ByClass: map[inspection.DefectClass]*ClassTruth{}}
	err := rollCoil(ctx, o, mill.Options{Seed: truthSeed, DefectsPer100m: 40}, metres, cameras, func(m *mill.Mill, c inspection.Coil, got inspection.DefectMap, _ []line.CameraStatus) {
		seeded, _ := m.Truth(c.ID)
		for _, t := range seeded {
			r.compare(t, got.Defects)
		}
	})
	if err != nil {
		return r, err
	}
	r.FoundShare = share(float64(r.Found), float64(r.Seeded))
	r.PlaceShare = share(float64(r.Placed), float64(r.Found))
	r.ClassShare = share(float64(r.ClassRight), float64(r.Found))
	r.Along.sum()
	r.Across.sum()
	return r, nil
}

// GoodStrip rolls a simulated coil of so many metres without seeded defects through the whole line, both
// sides, and counts what was recorded all the same.
func GoodStrip(ctx context.Context, o Options, metres float64) (GoodReport, error) {
	r := GoodReport{InspectedEveryMM: true}
	err := rollCoil(ctx, o, mill.Options{Seed: truthSeed + 1, Good: true}, metres, 1, func(_ *mill.Mill, _ inspection.Coil, got inspection.DefectMap, st []line.CameraStatus) {
		r.account(got)
		r.FalseEvents = len(got.Defects)
		r.GoodMetres = 2 * float64(got.Strip.Length) / 1000
		for _, s := range st {
			r.RejectedRegions += s.Rejected
		}
	})
	r.FalseRegions = r.RejectedRegions + uint64(r.FalseEvents)
	r.FalsePer1000M = share(float64(r.FalseEvents)*1000, r.GoodMetres)
	if r.FalseRegions > 0 {
		r.RejectedShare = float64(r.RejectedRegions) / float64(r.FalseRegions)
	}
	return r, err
}

func share(n, of float64) float64 {
	if of == 0 {
		return math.NaN()
	}
	return n / of
}

// truth rolls 500 m of each kind, a quick run 40 m.
func truth(ctx context.Context, o Options, share float64, r *Report) (err error) {
	metres := 500.0
	if share < 1 {
		metres = 40
	}
	r.Truth, err = Truth(ctx, o, metres)
	return err
}

// account looks for gaps.
func (r *GoodReport) account(got inspection.DefectMap) {
	for _, g := range got.Gaps {
		if g.From > 0 && g.To < got.Strip.Length {
			r.InspectedEveryMM = false
			continue
		}
		r.EndMM = max(r.EndMM, g.Length())
	}
}

// compare looks for the events on a seeded defect: the one with the largest overlap speaks for its place
// and class.
func (r *TruthReport) compare(t mill.SeededDefect, got []inspection.Defect) {
	k := r.ByClass[t.Class]
	if k == nil {
		k = &ClassTruth{As: map[inspection.DefectClass]int{}}
		r.ByClass[t.Class] = k
	}
	r.Seeded++
	k.Seeded++
	var best *inspection.Defect
	most, on := 0.0, 0
	for i := range got {
		d := &got[i]
		if d.Side != t.Side {
			continue
		}
		a := d.Rect.Overlap(t.Rect).Area()
		if a > 0 {
			on++
		}
		if a > most {
			best, most = d, a
		}
	}
	if best == nil {
		return
	}
	r.Twice += on - 1
	if t.Rect.Length <= smallMM && t.Rect.Width <= smallMM {
		r.Along.add(best.Rect.Along + best.Rect.Length/2 - t.Rect.Along - t.Rect.Length/2)
		r.Across.add(best.Rect.Across + best.Rect.Width/2 - t.Rect.Across - t.Rect.Width/2)
	}
	r.Found++
	k.Found++
	k.As[best.Class]++
	if distance(best.Rect, t.Rect) <= placeMM {
		r.Placed++
	}
	if best.Class == t.Class {
		r.ClassRight++
		k.ClassRight++
	}
}

// distance is how far the middle of event lies outside the seeded rectangle.
func distance(event, seeded inspection.StripRect) inspection.MM {
	outside := func(at, from, to inspection.MM) float64 { return float64(max(from-at, at-to, 0)) }
	return inspection.MM(math.Hypot(
		outside(event.Along+event.Length/2, seeded.Along, seeded.Along+seeded.Length),
		outside(event.Across+event.Width/2, seeded.Across, seeded.Across+seeded.Width),
	))
}

// sharedPixels is how much two cameras of a side see both, 50 mm.
const sharedPixels = 100

// columnsOf shares the columns of a frame out to cameras.
func columnsOf(cameras int) [][2]int {
	if cameras == 1 {
		return [][2]int{{0, truthPixels}}
	}
	return [][2]int{{0, truthPixels/2 + sharedPixels/2}, {truthPixels/2 - sharedPixels/2, truthPixels}}
}

// rollCoil rolls one coil of a mill that waits for the line past one or two cameras a side, and shows what was recorded of it.
func rollCoil(ctx context.Context, o Options, mo mill.Options, metres float64, cameras int, show func(*mill.Mill, inspection.Coil, inspection.DefectMap, []line.CameraStatus)) (err error) {
	closing := func(what func() error) { err = errors.Join(err, what()) }
	dir := filepath.Join(o.Work, fmt.Sprintf("truth-%d", mo.Seed))
	defer closing(func() error { return os.RemoveAll(dir) })
	st, err := store.Open(ctx, dir, store.Options{})
	if err != nil {
		return err
	}
	defer closing(st.Close)
	e, err := appliance.OpenEngine(o.Config)
	if err != nil {
		return err
	}
	defer closing(e.Close)
	classify, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Go(func() { _ = e.Run(classify) }) // returns nil by its contract
	defer working.Wait()
	defer stop()

	var l *line.Line
	var coil inspection.CoilID
	recipe := inspection.Recipe{
		Name: "truth", Version: 1, GapGrade: inspection.Hold,
		Rules: []inspection.GradingRule{{ID: "any", Count: 1, Grade: inspection.Second}},
	}
	mo.PixelsAcross, mo.MMPerPixel, mo.MMPerCount, mo.Coils = truthPixels, lineMM, lineMM, 1
	mo.CoilLengthMin = inspection.MM(metres * 1000)
	mo.Tracking = func(ctx context.Context, s camera.Signal) error {
		if s.Kind == camera.TailEnd {
			return l.Finish(s.Coil, s.At)
		}
		coil = s.Coil
		_, err := l.Start(ctx, s.Coil, s.Order, recipe, s.At)
		return err
	}
	m, err := mill.New(mo)
	if err != nil {
		return err
	}
	defer closing(m.Close)
	opts := line.Options{
		Classifier: e, Log: st, Observer: &latencies{}, Setup: func() inspection.Setup { return inspection.Setup{Model: e.Bundle.ID()} }, Cut: inference.CutCrop, Tighten: inference.Tighten,
		CropSize: inference.CropSize, RegionCap: o.Config.Line.RegionCap, Lossless: true, Logger: slog.New(slog.DiscardHandler), Rolls: o.Config.RollWatch,
	}
	var splits []*views
	for _, side := range inspection.Sides() {
		c := m.Camera(side)
		gain, err := calibration.FitFlatField(c.WhiteReference())
		if err != nil {
			return err
		}
		split, err := splitViews(c.ID, c, m.Options().FrameLines, columnsOf(cameras)...)
		if err != nil {
			return err
		}
		defer closing(split.Close)
		splits = append(splits, split)
		for i, v := range split.of {
			d, err := inference.NewDetector(v.to-v.from, inference.DetectorOptions{Threshold: o.Config.Detector.Threshold})
			if err != nil {
				return err
			}
			defer d.Close()
			g := calibration.Geometry{MMPerPixel: lineMM, MMPerCount: lineMM, OperatorSideRight: !c.OperatorSideLeft}
			g.Position = g.Across(float64(v.from))
			opts.Cameras = append(opts.Cameras, line.Camera{
				ID: inspection.CameraID(fmt.Sprintf("%s-%d", c.ID, i+1)), Side: side, Width: v.to - v.from, Source: v, Detector: d,
				FlatField: func() inspection.FlatField { return inspection.FlatField{Gain: gain[v.from:v.to]} }, Locator: g,
			})
		}
	}
	if l, err = line.New(opts); err != nil {
		return err
	}
	var rolling sync.WaitGroup
	var rolled error
	rolling.Go(func() { rolled = m.Run(ctx) })
	shared := make([]error, len(splits))
	for i, s := range splits {
		rolling.Go(func() { shared[i] = s.Run(ctx) })
	}
	ran := l.Run(ctx)
	rolling.Wait()
	if err := errors.Join(append(shared, ran, rolled)...); err != nil {
		return err
	}
	got, err := st.Map(ctx, coil)
	if err != nil {
		return err
	}
	c, err := st.Coil(ctx, coil)
	if err != nil {
		return err
	}
	show(m, c, got, l.Status())
	return nil
}
