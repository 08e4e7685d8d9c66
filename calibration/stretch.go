package calibration

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Stretch is what a camera saw of some strip, line after line.
type Stretch struct {
	Image inspection.LineImage
	At    []float64 // encoder count of each line's middle, not falling
}

// Section is a rectangle of the line.
type Section struct {
	Span     inspection.EncoderSpan
	From, To inspection.MM // across, as Geometry counts
	Step     inspection.MM // side of a pixel
}

// mostMissing is the share of a section's lines that may be missing.
const mostMissing = 0.05

// Show gives a section of a stretch in square pixels, the operator side at the left, whichever way the camera looks. What stays along a
// column is taken off: it is the camera's and not the strip's. A stretch with holes in it is an error.
func (g Geometry) Show(s Stretch, flat inspection.FlatField, c Section) (inspection.LineImage, error) {
	perStep := float64(c.Step / g.MMPerCount)
	w, h := int((c.To-c.From)/c.Step), int(float64(c.Span.Len())/perStep)
	out := inspection.LineImage{Pix: make([]byte, w*h), Width: w, Height: h, Stride: w}
	columns := make([]float64, w)
	for x := range columns {
		columns[x] = g.column(c.From + (inspection.MM(x)+0.5)*c.Step)
	}
	greys, sums := make([]float64, w*h), make([]float64, w)
	line, missing := 0, 0
	for y := range h {
		at := float64(c.Span.From) + (float64(y)+0.5)*perStep
		for line+1 < len(s.At) && math.Abs(s.At[line+1]-at) <= math.Abs(s.At[line]-at) {
			line++
		}
		if len(s.At) == 0 || math.Abs(s.At[line]-at) > 2*perStep {
			missing++
		}
		if len(s.At) == 0 {
			continue
		}
		row := s.Image.Row(line)
		for x, at := range columns {
			v := greyAt(row, flat, at)
			greys[y*w+x] = v
			sums[x] += v
		}
	}
	if float64(missing) > mostMissing*float64(h) {
		return out, fmt.Errorf("%d of %d lines are missing", missing, h)
	}
	for i, v := range greys {
		out.Pix[i] = byte(min(255, max(0, math.Round(v-sums[i%w]/float64(h)+128))))
	}
	return out, nil
}

// greyAt is the corrected grey value between two pixels' middles.
func greyAt(row []byte, flat inspection.FlatField, at float64) float64 {
	at = min(float64(len(row)-1), max(0, at-0.5))
	x := min(int(at), len(row)-2)
	a, b := float64(flat.Correct(row[x], x)), float64(flat.Correct(row[x+1], x+1))
	return a + (b-a)*(at-float64(x))
}

// column is the place in the picture, in pixels from its left border, that looks at a place across; Across turned round. The view
// must be Width pixels wide, or without a curve.
func (g Geometry) column(mm inspection.MM) float64 {
	if len(g.Curve) == 0 {
		x := float64((mm - g.Position) / g.MMPerPixel)
		if g.OperatorSideRight {
			return -x
		}
		return x
	}
	rising := g.Across(float64(g.Width)) > g.Across(0)
	x := sort.Search(g.Width, func(x int) bool { return (g.Across(float64(x)) > mm) == rising })
	a, b := g.Across(float64(x-1)), g.Across(float64(x))
	return float64(x-1) + float64((mm-a)/(b-a))
}

// CameraAlignment places a camera against another one that sees the same strip.
type CameraAlignment struct {
	With  inspection.CameraID `json:"with"`
	Found Alignment           `json:"found"` // with the other's picture as a, by the places in force then
	Step  inspection.MM       `json:"step_mm"`
	// Along is how much later the camera sees a place than the first camera of the line does.
	Along inspection.MM `json:"along_mm"`
	// Position is where its first column lies across; absent where a geometry by the target tells.
	Position *inspection.MM `json:"position_mm,omitempty"`
}

// KeepAlignment keeps where a camera lies against another.
func (s Shelf) KeepAlignment(camera inspection.CameraID, by string, at time.Time, f CameraAlignment, pictures ...inspection.LineImage) (Version, error) {
	return s.Keep(AlignmentKind, camera, by, at, f, map[string]float64{
		"along_off_mm": -f.Found.Lines * float64(f.Step), "across_off_mm": f.Found.Pixels * float64(f.Step), "agreement": f.Found.Peak,
	}, pictures...)
}
