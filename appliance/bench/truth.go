package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
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

	GoodReport
	ByClass map[inspection.DefectClass]*ClassTruth `json:"by_class"`
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
	r := TruthReport{ByClass: map[inspection.DefectClass]*ClassTruth{}}
	err := rollCoil(ctx, o, mill.Options{Seed: truthSeed, DefectsPer100m: 40}, metres, func(m *mill.Mill, id inspection.CoilID, got inspection.DefectMap, _ []line.CameraStatus) {
		seeded, _ := m.Truth(id)
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
	r.GoodReport, err = GoodStrip(ctx, o, metres)
	return r, err
}

// GoodStrip rolls a simulated coil of so many metres without seeded defects through the whole line, both
// sides, and counts what was recorded all the same.
func GoodStrip(ctx context.Context, o Options, metres float64) (GoodReport, error) {
	r := GoodReport{InspectedEveryMM: true}
	err := rollCoil(ctx, o, mill.Options{Seed: truthSeed + 1, Good: true}, metres, func(_ *mill.Mill, _ inspection.CoilID, got inspection.DefectMap, st []line.CameraStatus) {
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
	most := 0.0
	for i := range got {
		if d := &got[i]; d.Side == t.Side {
			if a := overlap(d.Rect, t.Rect); a > most {
				best, most = d, a
			}
		}
	}
	if best == nil {
		return
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

func overlap(a, b inspection.StripRect) float64 {
	l := min(a.Along+a.Length, b.Along+b.Length) - max(a.Along, b.Along)
	w := min(a.Across+a.Width, b.Across+b.Width) - max(a.Across, b.Across)
	if l <= 0 || w <= 0 {
		return 0
	}
	return float64(l) * float64(w)
}

// distance is how far the middle of event lies outside the seeded rectangle.
func distance(event, seeded inspection.StripRect) inspection.MM {
	outside := func(at, from, to inspection.MM) float64 { return float64(max(from-at, at-to, 0)) }
	return inspection.MM(math.Hypot(
		outside(event.Along+event.Length/2, seeded.Along, seeded.Along+seeded.Length),
		outside(event.Across+event.Width/2, seeded.Across, seeded.Across+seeded.Width),
	))
}

// rollCoil rolls one coil of a mill that waits for the line, and shows what was recorded of it.
func rollCoil(ctx context.Context, o Options, mo mill.Options, metres float64, show func(*mill.Mill, inspection.CoilID, inspection.DefectMap, []line.CameraStatus)) (err error) {
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
		Classifier: e, Log: st, Observer: &latencies{}, Model: e.Bundle.ID, Cut: inference.CutCrop,
		CropSize: inference.CropSize, RegionCap: o.Config.Line.RegionCap, Lossless: true, Logger: slog.New(slog.DiscardHandler),
	}
	for _, side := range inspection.Sides() {
		c := m.Camera(side)
		gain, err := calibration.FitFlatField(c.WhiteReference())
		if err != nil {
			return err
		}
		d, err := inference.NewDetector(truthPixels, inference.DetectorOptions{Threshold: o.Config.Detector.Threshold})
		if err != nil {
			return err
		}
		defer d.Close()
		opts.Cameras = append(opts.Cameras, line.Camera{
			ID: c.ID, Side: side, Source: c, Detector: d, Gain: gain,
			Locator: calibration.Geometry{MMPerPixel: lineMM, MMPerCount: lineMM, OperatorSideRight: !c.OperatorSideLeft},
		})
	}
	if l, err = line.New(opts); err != nil {
		return err
	}
	var rolling sync.WaitGroup
	var rolled error
	rolling.Go(func() { rolled = m.Run(ctx) })
	ran := l.Run(ctx)
	rolling.Wait()
	if err := errors.Join(ran, rolled); err != nil {
		return err
	}
	got, err := st.Map(ctx, coil)
	if err != nil {
		return err
	}
	show(m, coil, got, l.Status())
	return nil
}
