package appliance

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/coilsight/coilsight/appliance/teach"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

// Engine is a model at work: the bundle, its classifier, and the batcher in front of it.
type Engine struct {
	Bundle     *models.Bundle
	Classifier *inference.Classifier
	// Taught is what the plant's own strip taught; nil where nothing is active.
	Taught *teach.Taught
	// Refused says why the configured provider is not the one in use; empty where it is.
	Refused string

	batcher  *inference.Batcher
	requests sync.Pool
	inFlight sync.WaitGroup // crops handed in and not answered
}

// NewEngine proves a bundle on its golden crops and makes it ready to work. A configured provider that does not
// come up is replaced by the next, and Refused says so: an alarm, not a silence. The caller must Close the engine.
func NewEngine(b *models.Bundle, c ClassifierConfig) (*Engine, error) {
	return NewTaughtEngine(b, c, nil)
}

// NewTaughtEngine does so with what the plant's strip taught, nil for nothing; a teaching that was learned with
// another model is an error.
func NewTaughtEngine(b *models.Bundle, c ClassifierConfig, t *teach.Taught) (*Engine, error) {
	var normal inference.Normal
	if t != nil {
		if err := t.Fits(b); err != nil {
			return nil, err
		}
		normal = t.Normal()
	}
	cl, err := newClassifier(b, c, normal)
	if err != nil {
		return nil, err
	}
	refused := ""
	if p := cl.Provider(); !p.AsConfigured() {
		refused = strings.Join(p.Refused, "; ")
	}
	batcher, err := inference.NewBatcher(cl, inference.BatchOptions{Failed: func(err error) {
		slog.Error("classification failed", "error", err)
	}})
	if err != nil {
		return nil, errors.Join(err, cl.Close())
	}
	e := &Engine{Bundle: b, Classifier: cl, Taught: t, Refused: refused, batcher: batcher}
	e.requests.New = func() any {
		p := &pooledRequest{engine: e}
		p.Done = p.done
		return p
	}
	return e, nil
}

// ID names the model as a coil's record does: that of the bundle, and +NAME-vN where a teaching is active.
func (e *Engine) ID() string {
	if e.Taught == nil {
		return e.Bundle.ID()
	}
	return e.Bundle.ID() + "+" + e.Taught.ID()
}

// Scales are what the plant's strip taught the detectors; nil where nothing is active.
func (e *Engine) Scales() inference.Scales {
	if e.Taught == nil {
		return nil
	}
	return e.Taught.DetectorScales()
}

// Run classifies until ctx ends; crops that still wait are then answered without a verdict.
func (e *Engine) Run(ctx context.Context) error { return e.batcher.Run(ctx) }

// Stats counts the crops so far.
func (e *Engine) Stats() inference.BatchStats { return e.batcher.Stats() }

// Close ends the sessions. Run must have returned.
func (e *Engine) Close() error { return e.Classifier.Close() }

// pooledRequest carries a crop of the line to the batcher without an allocation.
type pooledRequest struct {
	inference.Request
	engine *Engine
	answer func(inspection.Classification, bool)
}

func (p *pooledRequest) done(c inspection.Classification, ok bool) {
	answer := p.answer
	p.answer, p.Crop = nil, nil
	e := p.engine
	e.requests.Put(p)
	answer(c, ok)
	e.inFlight.Done()
}

// Submit hands a crop to the batcher, as line.Classifier says.
func (e *Engine) Submit(crop []byte, deadline time.Time, answer func(inspection.Classification, bool)) bool {
	p := e.requests.Get().(*pooledRequest)
	p.Crop, p.Deadline, p.answer = crop, deadline, answer
	e.inFlight.Add(1)
	if !e.batcher.Submit(&p.Request) {
		e.inFlight.Done()
		p.answer, p.Crop = nil, nil
		e.requests.Put(p)
		return false
	}
	return true
}
