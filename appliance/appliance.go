// Package appliance puts the parts together: it reads the configuration, opens what is needed, runs the
// line and the web server, and stops them in order.
package appliance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera/encoder"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

const (
	eventRing      = 1024 // events a client that comes back can catch up with: minutes of a bad coil
	eventBacklog   = 256  // events a client may lag behind: two bursts of a region storm
	shutdownWithin = 3 * time.Second
)

// Options are what an appliance is not told by its configuration.
type Options struct {
	Config  Config
	UI      fs.FS // the built interface
	Version string
	Log     *slog.Logger
}

// Appliance is one running Coilsight. New opens everything, Run runs it, and whoever called New must
// Close it after Run.
type Appliance struct {
	o        Options
	listener net.Listener
	store    *store.Store
	desk     *modelDesk
	mill     *mill.Mill
	cameras  []*eye
	encoder  *encoder.Track  // nil: the cameras' own lines count the strip
	poller   *encoder.Modbus // reads it, where it is read
	// scaleVersion is what the strip length of a count comes from; Number 0: a simulated mill.
	scaleVersion calibration.Version
	line         *line.Line
	hub          *web.Hub
	live         *live
	alarms       *alarmDesk
	server       *http.Server
	// background outlives requests and the line: the record is written under it.
	background  context.Context
	interrupted []inspection.CoilID
}

// New opens the record, proves the model, and builds the line; nothing runs yet. Its error is one
// sentence that says what is in the way.
func New(ctx context.Context, o Options) (_ *Appliance, err error) {
	if err := o.Config.Check(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	a := &Appliance{o: o, background: context.WithoutCancel(ctx), hub: web.NewHub(eventRing, eventBacklog)}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", o.Config.Listen); err != nil {
		return nil, fmt.Errorf("address %s cannot be listened on: %w; choose another with --listen", o.Config.Listen, err)
	}
	if a.desk, err = openDesk(o.Config, o.Log); err != nil {
		return nil, err
	}
	if a.store, err = store.Open(ctx, o.Config.Data, store.Options{ReviewBelow: o.Config.ReviewBelow}); err != nil {
		return nil, err
	}
	if err = a.saveRecipes(ctx); err != nil {
		return nil, err
	}
	if a.interrupted, err = a.store.RecoverInterrupted(ctx, inspection.GradeMap); err != nil {
		return nil, err
	}
	if o.Config.Source == "mill" {
		err = a.openMill(ctx)
	} else {
		err = a.openCameras(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err = a.openLine(ctx); err != nil {
		return nil, err
	}
	if err = a.openServer(); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Appliance) saveRecipes(ctx context.Context) error {
	recipes, err := readRecipes(a.o.Config.Recipes, a.desk.engine().Classifier.Classes())
	if err != nil {
		return err
	}
	for _, r := range recipes {
		if err := a.store.SaveRecipe(ctx, r); err != nil {
			return fmt.Errorf("recipe %s version %d: %w", r.Name, r.Version, err)
		}
	}
	if _, err := a.store.Recipe(ctx, a.o.Config.Recipe, 0); err != nil {
		return fmt.Errorf("configuration: recipe: %w", err)
	}
	return nil
}

func (a *Appliance) openLine(ctx context.Context) (err error) {
	a.live = newLive(a)
	if a.alarms, err = a.openAlarms(ctx); err != nil {
		return err
	}
	c := a.o.Config
	o := line.Options{
		Classifier: a.desk, Log: a.store, Observer: a.live, Setup: a.setUp,
		Cut: inference.CutCrop, Tighten: inference.Tighten, CropSize: inference.CropSize, RegionCap: c.Line.RegionCap, Rolls: c.RollWatch,
		ClassifyWithin: time.Duration(c.Classifier.WithinMS) * time.Millisecond,
		FlushEvery:     time.Duration(c.Line.FlushMS) * time.Millisecond, Logger: a.o.Log,
	}
	for _, e := range a.cameras {
		o.Cameras = append(o.Cameras, line.Camera{
			ID: e.id, Side: e.side, Width: e.width, Source: e.tap, Detector: e.detector, FlatField: e.flatField, Locator: e.geometry,
		})
	}
	a.line, err = line.New(o)
	return err
}

func (a *Appliance) openServer() error {
	handler, err := web.New(web.Options{
		Reader: a.store, Changes: a.store, Control: &control{a}, Reviewer: a.store, Samples: a.store, Stability: a.o.Config, Recipes: a.store, Live: a.live, Hub: a.hub,
		Models: a.desk, Teachings: &teachDesk{config: a.o.Config, desk: a.desk}, Cameras: &cameraDesk{a}, Encoder: &encoderDesk{a}, Alarms: a.alarms, Grading: &gradingDesk{a}, Trends: a.store, Calendar: inspection.Calendar{Zone: a.o.Config.zone(), Shifts: a.o.Config.Shifts}, Ready: a.readiness, Metrics: a.metrics(), UI: a.o.UI, Version: a.o.Version, Zone: a.o.Config.zone(), Log: a.o.Log,
	})
	if err != nil {
		return err
	}
	a.server = web.NewServer(handler, a.hub)
	return nil
}

// setUp is called where a coil begins, once it is sure that it may: the model that waits takes over, with what
// the plant taught. It names what is to judge the coil. Frames before the head end that still wait to be
// screened may be judged by it too.
func (a *Appliance) setUp() inspection.Setup {
	a.desk.boundary()
	e := a.desk.engine()
	for _, c := range a.cameras {
		if f := c.next.Load(); f != c.flat.Swap(f) {
			c.window.reset()
		} else if err := c.window.coilEnd(); err != nil {
			a.o.Log.Error("what is known of the window cannot be kept", "camera", c.id, "error", err)
		}
		if err := c.detector.Teach(e.Scales()); err != nil {
			a.o.Log.Error("what was taught does not fit the detector", "camera", c.id, "error", err)
		}
	}
	return inspection.Setup{Model: a.desk.model(), Calibrations: a.calibrations()}
}

// calibrations are those in force.
func (a *Appliance) calibrations() (in []inspection.CalibrationRef) {
	for _, c := range a.cameras {
		in = append(in, c.inForce()...)
	}
	if a.scaleVersion.Number > 0 {
		in = append(in, a.scaleVersion.Ref())
	}
	return in
}

// URL is where the pages are served.
func (a *Appliance) URL() string { return "http://" + a.listener.Addr().String() + "/" }

// Interrupted lists the coils that the last run left open; New closed them.
func (a *Appliance) Interrupted() []inspection.CoilID { return a.interrupted }

// Engine is the model at work.
func (a *Appliance) Engine() *Engine { return a.desk.engine() }

// Run inspects and serves until ctx ends, then records what had arrived, closes the coil that still runs
// as interrupted, and returns.
func (a *Appliance) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	fail := func(what string, err error) {
		if err != nil && !errors.Is(err, context.Canceled) {
			stop(fmt.Errorf("%s: %w", what, err))
		}
	}
	// The models answer until Close, since the line waits for them; the server outlives the line.
	var watch, serve sync.WaitGroup
	watch.Go(func() { a.desk.Run(ctx) })
	serve.Go(func() {
		if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			fail("web server", err)
		}
	})
	watch.Go(func() { a.watch(ctx) })
	watch.Go(func() { a.watchFocus(ctx) })
	watch.Go(func() { a.alarms.run(ctx) })
	watch.Go(func() { a.orderQueue(ctx) })

	var sources sync.WaitGroup
	if a.mill != nil {
		sources.Go(func() { fail("mill", a.mill.Run(ctx)) })
	}
	if a.poller != nil {
		sources.Go(func() { a.poller.Run(ctx) })
	}
	for _, e := range a.cameras {
		if e.device != nil {
			sources.Go(func() { e.device.Run(ctx) })
		}
	}
	err := a.line.Run(ctx)
	fail("line", err)
	if err == nil && ctx.Err() == nil { // the mill has rolled its last coil; the pages stay
		<-ctx.Done()
	}
	stop(nil)
	sources.Wait()
	watch.Wait()

	if _, rerr := a.store.RecoverInterrupted(a.background, inspection.GradeMap); rerr != nil {
		err = errors.Join(err, rerr)
	}
	quiet, cancel := context.WithTimeout(a.background, shutdownWithin)
	defer cancel()
	if serr := a.server.Shutdown(quiet); serr != nil {
		a.o.Log.Warn("web clients were cut off", "error", serr)
		_ = a.server.Close() // they had their time
	}
	serve.Wait()
	if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

// watch measures the line at each tick until ctx ends.
func (a *Appliance) watch(ctx context.Context) {
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			a.live.look(now)
		case <-ctx.Done():
			return
		}
	}
}

// Close lets go of everything New opened. It may be called once, after Run.
func (a *Appliance) Close() error {
	var errs []error
	if a.listener != nil {
		if err := a.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	a.hub.Close()
	// A camera that was lost takes seconds to be let go.
	letGo := make([]error, len(a.cameras))
	var leaving sync.WaitGroup
	for i, e := range a.cameras {
		e.detector.Close()
		if e.counted != nil {
			e.counted.Close()
		}
		if e.device != nil {
			leaving.Go(func() { letGo[i] = e.device.Close() })
		}
	}
	leaving.Wait()
	errs = append(errs, letGo...)
	if a.mill != nil {
		errs = append(errs, a.mill.Close())
	}
	if a.desk != nil {
		errs = append(errs, a.desk.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	return errors.Join(errs...)
}

// speed of the strip in m/s from encoder counts over a time.
func (a *Appliance) speed(counts inspection.EncoderCount, over time.Duration) float64 {
	if over <= 0 {
		return 0
	}
	return float64(a.cameras[0].geometry.Length(counts)) / 1000 / over.Seconds()
}

func (a *Appliance) provider() web.ProviderState {
	r := a.desk.engine().Classifier.Provider()
	return web.ProviderState{
		Configured: r.Configured, Measured: r.Name, CropsPerSecond: r.CropsPerSecond, Healthy: r.AsConfigured(),
	}
}

// readiness says whether steel that runs now is inspected.
func (a *Appliance) readiness() web.Readiness {
	st := a.live.Live()
	r := web.Readiness{
		Version: a.o.Version, Model: st.Model, Provider: st.Provider, Cameras: st.Cameras, InspectedMetres: st.InspectedMetres,
	}
	if st.Time.IsZero() {
		r.Reasons = append(r.Reasons, "the line has not been looked at yet")
	}
	for _, c := range st.Cameras {
		if c.State == "lost" {
			r.Reasons = append(r.Reasons, fmt.Sprintf("camera %s is lost", c.Camera))
		}
	}
	for _, k := range st.Alarms {
		if k.Code == "record_failing" {
			r.Reasons = append(r.Reasons, "the record cannot be written: "+k.Values["reason"])
		}
	}
	r.Ready = len(r.Reasons) == 0
	return r
}
