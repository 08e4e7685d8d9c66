package appliance

import (
	"context"
	"errors"
	"fmt"

	"github.com/coilsight/coilsight/appliance/teach"
	"github.com/coilsight/coilsight/inspection"
)

// ActivateTaught takes a version into use, once it is seen to fit the model. A running appliance does so at the next
// coil. A version that must not be used is a *teach.RefusedError.
func ActivateTaught(c Config, id string, by teach.Change) error {
	t, sum, err := c.Teachings().Open(id)
	if err != nil {
		return err
	}
	if err := ProveTaught(c, t); err != nil {
		return err
	}
	return c.Teachings().Activate(t.ID(), sum, by)
}

// RollBackTaught takes into use what was so before the active version, and names it; empty where that was none. It is
// an *inspection.ConflictError where nothing was, and where that must not be used any more.
func RollBackTaught(c Config, by teach.Change) (id string, err error) {
	a, err := c.Teachings().Active()
	if err != nil {
		return "", err
	}
	if by.Revision == 0 {
		by.Revision = a.Revision // what is proved here is what must still stand
	}
	if p, ok := a.Previous(); ok && p.ID != "" && by.Revision == a.Revision {
		t, err := c.Teachings().OpenAs(p.ID, p.SHA256)
		if err == nil {
			err = ProveTaught(c, t)
		}
		if isMistake(err) {
			return "", &inspection.ConflictError{Noun: "teaching", ID: p.ID, Reason: fmt.Sprintf("cannot be gone back to: %v", err)}
		}
		if err != nil {
			return "", err
		}
		id = p.ID
	}
	return id, c.Teachings().Rollback(by)
}

// isMistake tells an error of what was asked for from a failure.
func isMistake(err error) bool {
	var refused *teach.RefusedError
	var notThere *teach.NotThereError
	return errors.As(err, &refused) || errors.As(err, &notThere)
}

// AnswerTaught makes the next version out of one and a person's answers, with a model of its own beside the one at
// work. It takes seconds of one thread.
func AnswerTaught(ctx context.Context, c Config, o teach.AnswerOptions) (t *teach.Taught, err error) {
	e, err := OpenEngine(c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	o.Classifier, o.Bundle, o.Shelf = e.Classifier, e.Bundle, c.Teachings()
	return teach.Apply(ctx, o)
}
