// Package stability answers, without anybody judging a picture, whether the appliance sees today what it saw
// when it was accepted: a reference coil goes through the detector and the classifier again, and what comes out
// is compared with what came out then.
package stability

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/inspection"
)

// Event is a defect found in a picture of the reference.
type Event struct {
	Picture int `json:"picture"` // from 0, in the order of the pictures
	appliance.Event
	Score float32 `json:"score"` // of the detector: response over its threshold
}

// Run is what one pass of a reference gave.
type Run struct {
	At         time.Time                      `json:"at"`
	Reference  string                         `json:"reference"`
	Conditions inspection.StabilityConditions `json:"conditions"`
	Pictures   []Picture                      `json:"pictures"`
	Events     []Event                        `json:"events"`
	// Rejected regions are those the model took for ordinary strip.
	Rejected int `json:"rejected"`
}

// Options say what to run. All but Progress are required.
type Options struct {
	Config    appliance.Config
	Reference Reference
	Program   string // version of this program
	At        time.Time
	Progress  func(done, total int) // nil: nobody is told; a total of 0 is not known
}

// Look passes the reference through the detector and the classifier. A picture that cannot be read is an error:
// a reference with a hole in it says nothing.
func Look(ctx context.Context, o Options) (_ Run, err error) {
	e, err := appliance.OpenEngine(o.Config)
	if err != nil {
		return Run{}, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	p := appliance.NewPictureInspector(e, o.Config.Detector.Threshold)
	defer p.Close()
	run := Run{
		At: o.At.UTC().Truncate(time.Second), Reference: o.Reference.String(),
		Conditions: inspection.StabilityConditions{
			Model: e.Bundle.ID(), Program: o.Program, Threshold: o.Config.Detector.Threshold, Provider: e.Classifier.Provider().Name,
		},
		Events: []Event{},
	}
	err = o.Reference.each(ctx, func(pic Picture, img inspection.LineImage, total int) error {
		regions, verdicts, err := p.Look(img)
		if err != nil {
			return fmt.Errorf("picture %s: %w", pic.Name, err)
		}
		for i, r := range regions {
			v := verdicts[i]
			if v.Class == inspection.NoDefect {
				run.Rejected++
				continue
			}
			run.Events = append(run.Events, Event{
				Picture: len(run.Pictures), Score: r.Score,
				Event: appliance.Event{X: r.X, Y: r.Y, Width: r.Width, Height: r.Height, Class: v.Class, Confidence: v.Confidence},
			})
		}
		run.Pictures = append(run.Pictures, pic)
		if o.Progress != nil {
			o.Progress(len(run.Pictures), total)
		}
		return nil
	})
	return run, err
}
