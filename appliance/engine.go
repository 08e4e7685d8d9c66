package appliance

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

// Engine is a model at work: the bundle, its classifier, and the batcher in front of it.
type Engine struct {
	Bundle     *models.Bundle
	Classifier *inference.Classifier
	// Refused says why the configured provider is not the one in use; empty where it is.
	Refused string

	batcher  *inference.Batcher
	requests sync.Pool
	inFlight sync.WaitGroup // crops handed in and not answered
}

// NewEngine proves a bundle on its golden crops and makes it ready to work. A configured provider that does not
// come up is replaced by the next, and Refused says so: an alarm, not a silence. The caller must Close the engine.
func NewEngine(b *models.Bundle, c ClassifierConfig) (*Engine, error) {
	cl, err := newClassifier(b, c)
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
	e := &Engine{Bundle: b, Classifier: cl, Refused: refused, batcher: batcher}
	e.requests.New = func() any {
		p := &pooledRequest{engine: e}
		p.Done = p.done
		return p
	}
	return e, nil
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
