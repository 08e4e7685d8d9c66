package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// CurvePoint is what detection costs on one kind of strip, on one core.
type CurvePoint struct {
	Width      int     `json:"width"`     // pixels
	Defective  float64 `json:"defective"` // share of the strip's pixels that lie in a defect
	Regions    float64 `json:"regions_per_frame"`
	GBps       float64 `json:"gbps"`
	PSPerPixel float64 `json:"ps_per_pixel"`
	// OverFirst is the time per pixel over that of strip of 4,096 pixels without defects.
	OverFirst float64 `json:"over_first"`
}

// curveWidth is the width at which the defective area varies, in pixels.
const curveWidth = 4096

// Curve measures the detector by width, on strip without defects, and by defective area.
func Curve(ctx context.Context, o Options) ([]CurvePoint, error) {
	var rows []*curveRow
	defer func() {
		for _, r := range rows {
			r.detector.Close()
		}
	}()
	add := func(width int, share float64) error {
		o.Say("rendering strip %d pixels wide, %g %% defective", width, share*100)
		r, err := newCurveRow(ctx, o, width, share)
		if err == nil {
			rows = append(rows, r)
		}
		return err
	}
	if err := add(curveWidth, 0); err != nil {
		return nil, err
	}
	for _, share := range []float64{0.0025, 0.005, 0.01, 0.02, 0.05} {
		if err := add(curveWidth, share); err != nil {
			return nil, err
		}
	}
	for _, width := range []int{1024, 2048, 8192, 16384} {
		if err := add(width, 0); err != nil {
			return nil, err
		}
	}
	const turns = 7
	o.Say("measuring")
	for range turns {
		for _, r := range rows {
			if err := r.turn(150 * time.Millisecond); err != nil {
				return nil, err
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
	}
	var out []CurvePoint
	for _, r := range rows {
		r.GBps = median(r.rates)
		r.PSPerPixel = 1000 / r.GBps
		out = append(out, r.CurvePoint)
	}
	for i := range out {
		out[i].OverFirst = out[i].PSPerPixel / out[0].PSPerPixel
	}
	slices.SortStableFunc(out, func(a, b CurvePoint) int { return a.Width - b.Width })
	return out, nil
}

// curveRow is a point in the making.
type curveRow struct {
	CurvePoint
	strip    []inspection.LineImage
	gain     inspection.ColumnGain
	detector *inference.Detector
	seen     inspection.Screening
	rates    []float64 // GB/s of each turn
}

// curvePixels of strip are rendered for each row: more than any cache holds.
const curvePixels = 64 << 20

func newCurveRow(ctx context.Context, o Options, width int, share float64) (*curveRow, error) {
	n := curvePixels / (width * lineFrameLines)
	strip, err := renderFrames(ctx, inspection.Top, n, mill.Options{PixelsAcross: width, Good: true, Buffers: 4})
	if err != nil {
		return nil, err
	}
	r := &curveRow{CurvePoint: CurvePoint{Width: width}, strip: strip, gain: make(inspection.ColumnGain, width)}
	for x := range r.gain {
		r.gain[x] = inspection.UnityGain + uint16(x%64)
	}
	r.Defective = spoil(strip, share)
	if r.detector, err = inference.NewDetector(width, inference.DetectorOptions{Threshold: o.Config.Detector.Threshold}); err != nil {
		return nil, fmt.Errorf("strip %d pixels wide: %w", width, err)
	}
	return r, nil
}

// spoil darkens or lightens patches of strip by a fifth to a half until the given share of its pixels lies in one, and
// returns the share reached.
func spoil(strip []inspection.LineImage, share float64) float64 {
	rnd := rand.New(rand.NewPCG(5, 6))
	pixels, spoiled := 0, 0
	for _, m := range strip {
		pixels += m.Width * m.Height
		// Within the strip, whose sides lie a few percent inside the picture.
		left, width := m.Width/16, m.Width*7/8
		for want := int(share * float64(m.Width*m.Height)); want > 0; {
			w, h := 8+rnd.IntN(56), 8+rnd.IntN(120)
			x0, y0, by := left+rnd.IntN(width-w), rnd.IntN(m.Height-h), 0.2+0.3*rnd.Float64()
			if rnd.IntN(2) == 0 {
				by = -by
			}
			for y := y0; y < y0+h; y++ {
				row := m.Pix[y*m.Stride+x0:][:w]
				for i, v := range row {
					row[i] = uint8(min(255, float64(v)*(1+by)))
				}
			}
			want -= w * h
			spoiled += w * h
		}
	}
	return float64(spoiled) / float64(pixels)
}

// turn measures for about d.
func (r *curveRow) turn(d time.Duration) error {
	total := 0
	for _, m := range r.strip {
		total += m.Width * m.Height
	}
	v, err := rate(d, total, func() error {
		regions := 0
		for _, m := range r.strip {
			if err := r.detector.Screen(&r.seen, m, inspection.FlatField{Gain: r.gain}, false); err != nil {
				return err
			}
			regions += len(r.seen.Regions)
		}
		r.Regions = float64(regions) / float64(len(r.strip))
		return nil
	})
	r.rates = append(r.rates, v/1e9)
	return err
}
