package appliance

import (
	"context"
	"errors"
	"time"

	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// control is how people, Level 2 and the MES command coils. The mill's own tracking takes the same way.
type control struct{ a *Appliance }

// Announce records order data for a coil that has not run.
func (c *control) Announce(ctx context.Context, id inspection.CoilID, o inspection.CoilOrder) (inspection.Coil, bool, error) {
	if o.Recipe != "" {
		if _, err := c.a.store.Recipe(ctx, o.Recipe, 0); err != nil {
			var unknown *inspection.NotFoundError
			if errors.As(err, &unknown) {
				return inspection.Coil{}, false, &inspection.FieldError{Field: "recipe", Reason: "recipe \"" + o.Recipe + "\" is not known; GET /api/v1/recipes lists those that are"}
			}
			return inspection.Coil{}, false, err
		}
	}
	coil, created, err := c.a.store.Announce(ctx, id, o)
	if err == nil {
		c.a.live.publish("coil", coil)
	}
	return coil, created, err
}

// Start begins an announced coil at the strip that is under the cameras now.
func (c *control) Start(ctx context.Context, id inspection.CoilID) (inspection.Coil, error) {
	coil, err := c.a.store.Coil(ctx, id)
	if err != nil {
		return inspection.Coil{}, err
	}
	return c.startAt(ctx, id, coil.Order, line.Here)
}

func (c *control) startAt(ctx context.Context, id inspection.CoilID, o inspection.CoilOrder, at inspection.EncoderCount) (inspection.Coil, error) {
	r, err := c.a.recipeFor(ctx, o)
	if err != nil {
		return inspection.Coil{}, err
	}
	return c.a.line.Start(ctx, id, o, r, at)
}

// Finish ends the running coil at the strip that is under the cameras now. The answer still shows it
// running: it is graded once everything up to its tail end is recorded.
func (c *control) Finish(ctx context.Context, id inspection.CoilID) (inspection.Coil, error) {
	coil, err := c.a.store.Coil(ctx, id)
	if err != nil {
		return inspection.Coil{}, err
	}
	return coil, c.a.line.Finish(id, line.Here)
}

// track takes the mill's signals. One that does not fit, because a person has started or finished a coil
// by hand, is logged and left: the person's word stands.
func (a *Appliance) track(ctx context.Context, s camera.Signal) error {
	for {
		err := a.trackOnce(ctx, s)
		var conflict *inspection.ConflictError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &conflict):
			a.o.Log.Warn("tracking signal left aside", "coil", s.Coil, "reason", err)
			return nil
		}
		// A disk that is full at a head end must not stop the line for good.
		a.live.RecordFailing(err)
		select {
		case <-time.After(trackAgain):
		case <-ctx.Done():
			return ctx.Err()
		}
		a.live.RecordFailing(nil)
	}
}

// trackAgain is how long a signal that could not be recorded waits before it is tried again.
const trackAgain = time.Second

func (a *Appliance) trackOnce(ctx context.Context, s camera.Signal) error {
	c := &control{a}
	var err error
	switch s.Kind {
	case camera.HeadEnd:
		if _, _, err = a.store.Announce(ctx, s.Coil, s.Order); err == nil {
			_, err = c.startAt(ctx, s.Coil, s.Order, s.At)
		}
	case camera.TailEnd:
		err = a.line.Finish(s.Coil, s.At)
	}
	return err
}
