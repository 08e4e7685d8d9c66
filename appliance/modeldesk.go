package appliance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
	"github.com/coilsight/coilsight/web"
)

// deskLooks is how often the registry is looked at: reading it costs one small file.
const deskLooks = time.Second

// modelSource is the plant's registry as the desk uses it.
type modelSource struct {
	wanted func() (active, shadow string, err error) // ids; shadow is empty where none is wanted
	open   func(id string) (*Engine, error)          // proves the bundle
}

// modelDesk is the classifier of a running line. It watches which bundle the plant made active, proves a new
// one beside the line, and hands over at a coil boundary, so that a coil is judged by one model. Beside it a
// second bundle may answer in the shadow.
type modelDesk struct {
	modelSource
	log *slog.Logger

	// mu is held shared while a crop is handed in, so that a model that was replaced gets no more of them.
	mu     sync.RWMutex
	work   *modelAtWork
	next   *modelAtWork // proven, waits for a coil boundary
	shadow *shadow
	// What did not open or prove, as the next model and as the shadow; it is not tried again until another
	// one is wanted.
	refusedNext, refusedShadow refusal
	unreadable                 string // why the registry cannot be read; empty where it can

	leaving sync.WaitGroup // models that still answer what they were handed
}

// refusal is a bundle that is wanted and not taken.
type refusal struct{ id, reason string }

// modelAtWork is an engine that runs.
type modelAtWork struct {
	*Engine
	id   string
	stop context.CancelFunc
	done chan struct{}
}

func runModel(id string, e *Engine) *modelAtWork {
	ctx, stop := context.WithCancel(context.Background())
	m := &modelAtWork{Engine: e, id: id, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(m.done)
		_ = e.Run(ctx) // returns nil by its contract
	}()
	return m
}

// retire waits until every crop handed in has its answer, and frees the model.
func (m *modelAtWork) retire() error {
	m.inFlight.Wait()
	m.stop()
	<-m.done
	return m.Close()
}

// openDesk opens and proves the bundle that the plant made active. The caller must Close the desk.
func openDesk(c Config, log *slog.Logger) (*modelDesk, error) {
	id, _, err := wantedEngine(c)
	if err != nil {
		return nil, err
	}
	e, err := OpenTaughtEngine(c)
	if err != nil {
		return nil, err
	}
	return newModelDesk(id, e, modelSource{
		wanted: func() (string, string, error) { return wantedEngine(c) },
		open:   func(id string) (*Engine, error) { return openFitting(c, id) },
	}, log), nil
}

// openFitting opens and proves a bundle that knows every class the recipes name, with the teaching wanted.
func openFitting(c Config, id string) (*Engine, error) {
	b, t, err := openWanted(c, id)
	if err != nil {
		return nil, err
	}
	if err := FitsConfig(c, b); err != nil {
		return nil, err
	}
	return NewTaughtEngine(b, c.Classifier, t)
}

// newModelDesk takes over an open engine, which runs from now on. The caller must close the desk.
func newModelDesk(id string, e *Engine, from modelSource, log *slog.Logger) *modelDesk {
	return &modelDesk{modelSource: from, log: log, work: runModel(id, e)}
}

// Run follows the registry until ctx ends.
func (d *modelDesk) Run(ctx context.Context) {
	tick := time.NewTicker(deskLooks)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.look()
		}
	}
}

// look brings in what the registry wants. A bundle that does not open or prove is refused, once, and the model
// at work stays.
func (d *modelDesk) look() {
	active, shadowed, err := d.wanted()
	d.mu.Lock()
	if err != nil {
		if d.unreadable == "" {
			d.log.Error("models cannot be read", "error", err)
		}
		d.unreadable = err.Error()
		d.mu.Unlock()
		return
	}
	d.unreadable = ""
	d.mu.Unlock()
	d.stage(active)
	d.cast(shadowed)
}

func (d *modelDesk) stage(id string) {
	d.mu.Lock()
	stale := d.next
	switch {
	case id == d.work.id:
		d.next, d.refusedNext = nil, refusal{}
	case stale != nil && stale.id == id, d.refusedNext.id == id:
		d.mu.Unlock()
		return
	default:
		d.next = nil
	}
	d.mu.Unlock()
	if stale != nil {
		d.gone(stale)
	}
	if id == d.work.id {
		return
	}
	e, err := d.open(id)
	if err == nil && !e.Classifier.Provider().AsConfigured() && d.engine().Classifier.Provider().AsConfigured() {
		// The line must not lose its device for a change that can wait.
		err = errors.Join(fmt.Errorf("model %s runs on %s only: %s", e.Bundle.ID(), e.Classifier.Provider().Name, e.Refused), e.Close())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.refusedNext = refusal{id, err.Error()}
		d.log.Error("model refused", "model", id, "error", err)
		return
	}
	d.next, d.refusedNext = runModel(id, e), refusal{}
	d.log.Info("model proven; it takes over at the next coil", "model", e.ID())
}

// boundary is called where a coil begins: the model that waits takes over.
func (d *modelDesk) boundary() {
	d.mu.Lock()
	old := d.work
	if d.next == nil {
		d.mu.Unlock()
		return
	}
	d.work, d.next = d.next, nil
	if d.shadow != nil {
		d.shadow.against(d.work.id)
	}
	d.mu.Unlock()
	d.log.Info("model took over", "model", d.model())
	d.leaving.Go(func() { d.gone(old) })
}

func (d *modelDesk) gone(m *modelAtWork) {
	if err := m.retire(); err != nil {
		d.log.Error("model could not be closed", "model", m.id, "error", err)
	}
}

// Submit hands a crop to the model at work, as line.Classifier says, and a copy to the shadow.
func (d *modelDesk) Submit(crop []byte, deadline time.Time, answer func(inspection.Classification, bool)) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	s := d.shadow
	if s == nil {
		return d.work.Submit(crop, deadline, answer)
	}
	held, by := s.hold(crop), d.work.id
	if d.work.Submit(crop, deadline, func(c inspection.Classification, ok bool) {
		answer(c, ok)
		s.compare(held, by, c, ok)
	}) {
		return true
	}
	s.drop(held)
	return false
}

// engine is the model at work. It stays open for as long as a coil uses it.
func (d *modelDesk) engine() *Engine {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.work.Engine
}

// model is the bundle that classifies now.
func (d *modelDesk) model() string { return d.engine().ID() }

// Models tells which bundles are at work.
func (d *modelDesk) Models() web.ModelState {
	d.mu.RLock()
	defer d.mu.RUnlock()
	st := web.ModelState{Active: d.work.Bundle.ID()}
	for _, r := range []refusal{d.refusedNext, d.refusedShadow} {
		if r.id != "" {
			st.Refused = append(st.Refused, r.reason)
		}
	}
	if d.unreadable != "" {
		st.Refused = append(st.Refused, d.unreadable)
	}
	if d.next != nil {
		st.Next = d.next.Bundle.ID()
	}
	if d.shadow != nil {
		a := d.shadow.agreement(st.Active)
		st.Shadow = &web.ShadowAgreement{
			Shadow: a.Shadow, Since: a.Since, Compared: a.Compared, Agreed: a.Agreed, Skipped: a.Skipped,
		}
		for _, p := range a.Answers {
			st.Shadow.Answers = append(st.Shadow.Answers, web.AnswerCount(p))
		}
	}
	return st
}

// Classes is the catalogue of the model at work, and the answers that stand for the lack of a class.
func (d *modelDesk) Classes() []web.ClassInfo {
	text := func(t models.Text) *web.Text { return &web.Text{Ko: t.Korean, En: t.English} }
	var out []web.ClassInfo
	for _, c := range d.engine().Bundle.Manifest.Classes {
		out = append(out, web.ClassInfo{
			ID: c.ID, Ko: c.Korean, En: c.English, Description: text(c.Description), Cause: text(c.Cause), Remedy: text(c.Remedy), HasPicture: true,
		})
	}
	return append(out,
		web.ClassInfo{ID: inspection.Unknown, Ko: "미상", En: "unknown"},
		web.ClassInfo{ID: inspection.Unclassified, Ko: "미분류", En: "unclassified"})
}

// ClassPicture is what a class looks like.
func (d *modelDesk) ClassPicture(class inspection.DefectClass) ([]byte, bool) {
	b := d.engine().Bundle
	for _, c := range b.Manifest.Classes {
		if c.ID == class {
			return b.File(c.Picture), true
		}
	}
	return nil, false
}

// cast puts another bundle into the shadow, or none.
func (d *modelDesk) cast(id string) {
	d.mu.Lock()
	old := d.shadow
	if (old == nil && id == "") || (old != nil && old.id == id) || (id != "" && d.refusedShadow.id == id) {
		d.mu.Unlock()
		return
	}
	d.shadow, d.refusedShadow = nil, refusal{}
	d.mu.Unlock()
	if old != nil {
		if err := old.close(); err != nil {
			d.log.Error("shadow model could not be closed", "model", old.id, "error", err)
		}
	}
	if id == "" {
		return
	}
	e, err := d.open(id)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.refusedShadow = refusal{id, err.Error()}
		d.log.Error("shadow model refused", "model", id, "error", err)
		return
	}
	d.shadow = newShadow(id, e, d.work.id)
	d.log.Info("model answers in the shadow", "model", e.ID())
}

// Close waits for the crops in flight and frees every model. Run must have returned.
func (d *modelDesk) Close() error {
	d.mu.Lock()
	work, next, s := d.work, d.next, d.shadow
	d.work, d.next, d.shadow = nil, nil, nil
	d.mu.Unlock()
	d.leaving.Wait()
	var errs []error
	if s != nil {
		errs = append(errs, s.close())
	}
	for _, m := range []*modelAtWork{next, work} {
		if m != nil {
			errs = append(errs, m.retire())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("models: %w", err)
	}
	return nil
}
