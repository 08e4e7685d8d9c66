// Package mill is a rolling mill in software: two cameras over one encoder see coil after coil of
// rendered strip with seeded defects. It runs the whole appliance where no mill is, and its truth,
// which the pipeline has no way to, tells tests what should have been found.
//
// A seed decides every pixel. Whether frames are paced, lost or waited for changes nothing in them.
package mill

import (
	"context"
	"fmt"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// Options of a mill. A zero field takes the default named beside it.
type Options struct {
	Seed uint64

	PixelsAcross int           // 2,560
	FrameLines   int           // 256 scan lines a frame
	MMPerPixel   inspection.MM // 0.5, across
	MMPerCount   inspection.MM // 0.5, along: one encoder count is one scan line

	StripWidth    inspection.MM // 94 % of the width the cameras see; its edges wander by some mm
	CoilLengthMin inspection.MM // 120 m
	CoilLengthMax inspection.MM // 300 m, or CoilLengthMin where only that is set
	ThreadingGap  inspection.MM // 4 m of roller table between two coils

	Speed          float64 // 6 m/s between the ramps
	ThreadingSpeed float64 // 1 m/s at head and tail, at most Speed

	// DefectsPer100m is the mean density on each side; 10. A run of roll marks counts as one.
	DefectsPer100m float64
	Good           bool // no seeded defects; every other pixel stays as it is
	// Everyday makes coils as a mill has them rather than as a measurement wants them: most are good, a few are bad, and what is
	// grave is rare. Without it every coil has all classes alike.
	Everyday bool

	Coils     int    // 0: one after another without end
	FirstCoil int    // 1: number of the first coil, for a mill that goes on where another ended
	Prefix    string // "SIM": coil n is called SIM-00001

	// Realtime paces the frames by the line speed: a frame for which no buffer is free is lost, as
	// with a camera. Without it the mill waits for buffers and runs as fast as it is consumed.
	Realtime bool
	// Tracking is told of each head and tail end before the first frame that it concerns; frames wait for
	// it, and its error ends the mill. Nil: nobody is told.
	Tracking func(context.Context, camera.Signal) error
	// Buffers is the number of frames each camera owns; 16, 0.34 s of the default line.
	Buffers int
}

func (o Options) withDefaults() Options {
	setInt := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	setMM := func(p *inspection.MM, v inspection.MM) {
		if *p == 0 {
			*p = v
		}
	}
	setInt(&o.PixelsAcross, 2560)
	setInt(&o.FrameLines, 256)
	setInt(&o.Buffers, 16)
	setInt(&o.FirstCoil, 1)
	setMM(&o.MMPerPixel, 0.5)
	setMM(&o.MMPerCount, 0.5)
	setMM(&o.StripWidth, 0.94*o.view())
	if o.CoilLengthMin == 0 && o.CoilLengthMax == 0 {
		o.CoilLengthMin, o.CoilLengthMax = 120_000, 300_000
	}
	setMM(&o.CoilLengthMax, o.CoilLengthMin)
	setMM(&o.CoilLengthMin, o.CoilLengthMax)
	setMM(&o.ThreadingGap, 4000)
	if o.Speed == 0 {
		o.Speed = 6
	}
	if o.ThreadingSpeed == 0 {
		o.ThreadingSpeed = min(1, o.Speed)
	}
	if o.DefectsPer100m == 0 {
		o.DefectsPer100m = 10
	}
	if o.Prefix == "" {
		o.Prefix = "SIM"
	}
	return o
}

// view is the width the cameras see.
func (o Options) view() inspection.MM { return inspection.MM(o.PixelsAcross) * o.MMPerPixel }

// leastCoil is what head, tail and the ramps need.
const leastCoil inspection.MM = 3000

// check reports the first option, defaults filled in, that no mill can run with.
func (o Options) check() error {
	view := o.view()
	switch {
	case o.PixelsAcross < 128 || o.PixelsAcross > 16384:
		return fmt.Errorf("mill: %d pixels across are not possible; allowed are 128 to 16384", o.PixelsAcross)
	case o.FrameLines < 1 || o.FrameLines > 8192:
		return fmt.Errorf("mill: %d lines a frame are not possible; allowed are 1 to 8192", o.FrameLines)
	case !(o.MMPerPixel >= 0.05 && o.MMPerPixel <= 5):
		return fmt.Errorf("mill: %g mm a pixel are not possible; allowed are 0.05 to 5", o.MMPerPixel)
	case !(o.MMPerCount >= 0.05 && o.MMPerCount <= 5):
		return fmt.Errorf("mill: %g mm a count are not possible; allowed are 0.05 to 5", o.MMPerCount)
	case !(o.StripWidth >= 0.3*view && o.StripWidth <= 0.96*view):
		return fmt.Errorf("mill: a strip of %g mm does not suit cameras that see %g mm; allowed are %g to %g mm",
			o.StripWidth, view, 0.3*view, 0.96*view)
	case !(o.CoilLengthMin >= leastCoil && o.CoilLengthMax <= 20_000_000 && o.CoilLengthMin <= o.CoilLengthMax):
		return fmt.Errorf("mill: coils of %g to %g mm are not possible; allowed are %g to 20000000 mm, the lesser first",
			o.CoilLengthMin, o.CoilLengthMax, leastCoil)
	case !(o.ThreadingGap >= 100 && o.ThreadingGap <= 1_000_000):
		return fmt.Errorf("mill: a threading gap of %g mm is not possible; allowed are 100 to 1000000", o.ThreadingGap)
	case !(o.Speed > 0 && o.Speed <= 50):
		return fmt.Errorf("mill: a speed of %g m/s is not possible; allowed are above 0 to 50", o.Speed)
	case !(o.ThreadingSpeed > 0 && o.ThreadingSpeed <= o.Speed):
		return fmt.Errorf("mill: a threading speed of %g m/s is not possible; allowed are above 0 to the speed, %g", o.ThreadingSpeed, o.Speed)
	case !(o.DefectsPer100m >= 0 && o.DefectsPer100m <= 2000):
		return fmt.Errorf("mill: %g defects in 100 m are not possible; allowed are 0 to 2000", o.DefectsPer100m)
	case o.Coils < 0:
		return fmt.Errorf("mill: %d coils are not possible; allowed are 0, for no end, and more", o.Coils)
	case o.FirstCoil < 1:
		return fmt.Errorf("mill: the first coil cannot be number %d; the least is 1", o.FirstCoil)
	case o.Buffers < 1 || o.Buffers > 4096:
		return fmt.Errorf("mill: %d buffers a camera are not possible; allowed are 1 to 4096", o.Buffers)
	}
	return nil
}
