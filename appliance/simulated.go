package appliance

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// millBuffers is what each simulated camera owns: the grab queue, and those that are written and screened.
const millBuffers = 32

// coilPrefix begins the names of the simulated mill's coils.
const coilPrefix = "SIM"

func (a *Appliance) openMill(ctx context.Context) error {
	first, err := a.nextSimulated(ctx)
	if err != nil {
		return err
	}
	m := a.o.Config.Mill
	if a.mill, err = mill.New(mill.Options{
		Seed: m.Seed, PixelsAcross: m.PixelsAcross, MMPerPixel: m.MMPerPixel, MMPerCount: m.MMPerPixel,
		CoilLengthMin: inspection.MM(m.CoilLengthM[0] * 1000), CoilLengthMax: inspection.MM(m.CoilLengthM[1] * 1000),
		Speed: m.SpeedMPS, DefectsPer100m: m.DefectsPer100M, Good: m.DefectsPer100M == 0, Everyday: m.DefectMix == everydayMix,
		Coils: m.Coils, FirstCoil: first, Prefix: coilPrefix, Realtime: true, Tracking: a.track, Buffers: millBuffers,
	}); err != nil {
		return err
	}
	for _, side := range inspection.Sides() {
		c := a.mill.Camera(side)
		d, err := inference.NewDetector(m.PixelsAcross, inference.DetectorOptions{
			Threshold: a.o.Config.Detector.Threshold, Bands: a.o.Config.Detector.Bands, Scales: a.desk.engine().Scales(),
		})
		if err != nil {
			return err
		}
		e := &eye{
			id: c.ID, side: side, width: m.PixelsAcross, tap: &tap{FrameSource: c}, detector: d,
			geometry: calibration.Geometry{MMPerPixel: m.MMPerPixel, MMPerCount: m.MMPerPixel, OperatorSideRight: !c.OperatorSideLeft},
		}
		if e.geometry.OperatorSideRight { // its picture ends where the other side's begins
			e.geometry.Position = inspection.MM(m.PixelsAcross) * m.MMPerPixel
		}
		// A mill that was never calibrated begins with its target under the cameras.
		f, err := calibration.MeasureFlatField(c.WhiteReference(), inspection.LineImage{})
		if err != nil {
			return fmt.Errorf("camera %s: %w", c.ID, err)
		}
		e.next.Store(newFlatField(f, calibration.Version{}))
		e.flat.Store(e.next.Load())
		a.addCamera(e)
	}
	return nil
}

// nextSimulated is the number of the first coil the mill rolls: it goes on where the record ends.
func (a *Appliance) nextSimulated(ctx context.Context) (int, error) {
	last := 0
	q := inspection.CoilQuery{Text: coilPrefix + "-", Limit: 200}
	for {
		page, err := a.store.Coils(ctx, q)
		if err != nil {
			return 0, err
		}
		for _, c := range page.Coils {
			if n, err := strconv.Atoi(strings.TrimPrefix(string(c.ID), coilPrefix+"-")); err == nil {
				last = max(last, n)
			}
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			return last + 1, nil
		}
	}
}
