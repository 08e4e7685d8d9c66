package calibration

import "github.com/coilsight/coilsight/inspection"

// Focus is how fine a picture is: the mean difference of neighbouring pixels over that of pixels focusReach apart. It does not
// depend on brightness or contrast, but on what is looked at; so it is told for one kind of strip, over time. A lens out of focus lowers
// both; a strip that moves during the exposure lowers Along alone.
type Focus struct {
	Across float64 `json:"across"`
	Along  float64 `json:"along"`
}

const (
	focusReach = 4
	// focusDark pixels show no strip.
	focusDark = 20
)

// MeasureFocus looks at a picture of strip or target; it is zero where that is too small or dark.
func MeasureFocus(m inspection.LineImage) (f Focus) {
	var near, far [2]float64 // across, along
	for y := 0; y+focusReach < m.Height; y++ {
		row, next, below := m.Row(y), m.Row(y+1), m.Row(y+focusReach)
		for x := 0; x+focusReach < m.Width; x++ {
			p := row[x]
			if p < focusDark || row[x+focusReach] < focusDark || below[x] < focusDark {
				continue
			}
			near[0] += difference(p, row[x+1])
			far[0] += difference(p, row[x+focusReach])
			near[1] += difference(p, next[x])
			far[1] += difference(p, below[x])
		}
	}
	if far[0] > 0 {
		f.Across = near[0] / far[0]
	}
	if far[1] > 0 {
		f.Along = near[1] / far[1]
	}
	return f
}

func difference(a, b byte) float64 {
	if a > b {
		return float64(a - b)
	}
	return float64(b - a)
}
