package appliance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// ReplayOptions say which pictures to inspect as which coil.
type ReplayOptions struct {
	Config     Config
	Coil       inspection.CoilID
	Dir        string
	Side       inspection.Side // empty: top
	Width      inspection.MM   // of the strip as ordered; 0: not known
	MMPerPixel inspection.MM   // 0: 0.5
	Progress   func(done, total int)
	Log        *slog.Logger
}

// ReplayResult is a replayed coil as it stands in the record.
type ReplayResult struct {
	Coil          inspection.Coil             `json:"coil"`
	Result        inspection.InspectionResult `json:"result"`
	Gaps          []inspection.Gap            `json:"gaps"`
	Pictures      int                         `json:"pictures"`
	MBPerSecond   float64                     `json:"mb_per_second"`
	Milliseconds  float64                     `json:"milliseconds"`
	Ledger        line.Ledger                 `json:"ledger"`
	RejectedCrops uint64                      `json:"regions_rejected"` // taken for ordinary strip
}

const (
	replayBuffers    = 6   // frames: one being read, a few in the line, one being settled
	replayRegionCap  = 256 // of a frame: a recording waits for the model, so only absurd frames are cut
	replayMMPerPixel = 0.5 // the commonest resolution of a hot strip line
)

// Replay inspects a folder of pictures as one coil, through the whole line and into the record.
func Replay(ctx context.Context, o ReplayOptions) (_ ReplayResult, err error) {
	if o.Side == "" {
		o.Side = inspection.Top
	}
	if o.MMPerPixel == 0 {
		o.MMPerPixel = replayMMPerPixel
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	geometry := calibration.Geometry{MMPerPixel: o.MMPerPixel, MMPerCount: o.MMPerPixel}
	if err := geometry.Check(); err != nil {
		return ReplayResult{}, err
	}
	closing := func(what func() error) { err = errors.Join(err, what()) }

	source, err := replay.Open(o.Dir, replay.Options{Camera: "replay", Buffers: replayBuffers})
	if err != nil {
		return ReplayResult{}, err
	}
	defer closing(source.Close)
	engine, err := OpenTaughtEngine(o.Config)
	if err != nil {
		return ReplayResult{}, err
	}
	defer closing(engine.Close)
	st, err := store.Open(ctx, o.Config.Data, store.Options{})
	if err != nil {
		return ReplayResult{}, err
	}
	defer closing(st.Close)
	recipes, err := readRecipes(o.Config.Recipes, engine.Classifier.Classes())
	if err != nil {
		return ReplayResult{}, err
	}
	for _, r := range recipes {
		if err := st.SaveRecipe(ctx, r); err != nil {
			return ReplayResult{}, err
		}
	}
	if _, err := st.RecoverInterrupted(ctx, inspection.GradeMap); err != nil {
		return ReplayResult{}, err
	}
	recipe, err := st.Recipe(ctx, o.Config.Recipe, 0)
	if err != nil {
		return ReplayResult{}, err
	}
	detector, err := inference.NewDetector(source.Width(), inference.DetectorOptions{
		Threshold: o.Config.Detector.Threshold, Bands: o.Config.Detector.Bands, Scales: engine.Scales(),
	})
	if err != nil {
		return ReplayResult{}, err
	}
	defer detector.Close()
	l, err := line.New(line.Options{
		Cameras: []line.Camera{{
			ID: "replay", Side: o.Side, Source: progressSource{source, o.Progress}, Detector: detector, Locator: geometry,
		}},
		Classifier: engine, Log: st, Observer: silent{}, Setup: func() inspection.Setup { return inspection.Setup{Model: engine.ID()} },
		Cut: inference.CutCrop, Tighten: inference.Tighten, CropSize: inference.CropSize, RegionCap: max(o.Config.Line.RegionCap, replayRegionCap),
		Lossless: true, Logger: o.Log, Rolls: o.Config.RollWatch,
	})
	if err != nil {
		return ReplayResult{}, err
	}
	classify, endClassify := context.WithCancel(context.WithoutCancel(ctx))
	var classifier sync.WaitGroup
	classifier.Go(func() { _ = engine.Run(classify) }) // returns nil by its contract
	defer classifier.Wait()
	defer endClassify()

	order := inspection.CoilOrder{Width: o.Width, Recipe: recipe.Name}
	if _, err := l.Start(ctx, o.Coil, order, recipe, source.First()); err != nil {
		return ReplayResult{}, err
	}
	began := time.Now()
	if err := l.Run(ctx); err != nil {
		return ReplayResult{}, fmt.Errorf("coil %s: %w", o.Coil, err)
	}
	took := time.Since(began)
	if err := ctx.Err(); err != nil {
		if _, rerr := st.RecoverInterrupted(context.WithoutCancel(ctx), inspection.GradeMap); rerr != nil {
			return ReplayResult{}, rerr
		}
		return ReplayResult{}, fmt.Errorf("coil %s was interrupted; what had been inspected is recorded", o.Coil)
	}
	s := l.Status()[0]
	_, total := source.Progress()
	res := ReplayResult{
		Pictures: total, Milliseconds: float64(took.Microseconds()) / 1000,
		MBPerSecond: float64(s.Bytes) / 1e6 / took.Seconds(), Ledger: s.Ledger, RejectedCrops: s.Rejected,
	}
	if res.Coil, err = st.Coil(ctx, o.Coil); err != nil {
		return ReplayResult{}, err
	}
	if res.Result, err = st.Result(ctx, o.Coil); err != nil {
		return ReplayResult{}, err
	}
	res.Gaps, err = st.Gaps(ctx, o.Coil)
	return res, err
}

// progressSource tells how many pictures are through.
type progressSource struct {
	*replay.Source
	tell func(done, total int)
}

func (p progressSource) Next(ctx context.Context) (*camera.Frame, error) {
	f, err := p.Source.Next(ctx)
	if p.tell != nil {
		p.tell(p.Progress())
	}
	return f, err
}

// silent is the observer of a line that nobody watches; a record that fails ends the replay with its
// error.
type silent struct{}

func (silent) Recorded(*inspection.Batch)                                                  {}
func (silent) CoilChanged(inspection.Coil)                                                 {}
func (silent) RecordFailing(error)                                                         {}
func (silent) Screened(inspection.CameraID, inspection.EncoderSpan, *inspection.Screening) {}
