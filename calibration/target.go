package calibration

import "math/bits"

// Target is what a camera's geometry is fitted to: black bars on white, as long as each other, their left edges TargetPitch apart.
// A bar is narrow or wide, and any eight bars that follow one another stand for their place, so that a part of the target says
// where across the line it is.
type Target struct {
	Bars int
}

// Measures of a target in mm.
const (
	TargetPitch  = 10.0
	TargetNarrow = 3.0
	TargetWide   = 6.0
	TargetLength = 100.0 // of a bar, along the strip
)

const (
	// codeBits is how many bars stand for a place.
	codeBits = 8
	// MostBars is the number of bars up to which no place stands for two, 2.6 m.
	MostBars = 1<<codeBits - 1 + codeBits - 1
)

// TargetFor is a target that covers a width in mm, or the widest there is.
func TargetFor(width float64) Target {
	return Target{Bars: min(MostBars, max(codeBits, int(width/TargetPitch)))}
}

// Wide tells which bars are wide: the output of a shift register of eight bits that goes through all its states but 0.
func (t Target) Wide() []bool {
	const taps = 0b11101
	out := make([]bool, t.Bars)
	state := uint8(1)
	for i := range out {
		out[i] = state&1 == 1
		state = state>>1 | uint8(bits.OnesCount8(state&taps)&1)<<7
	}
	return out
}

// barWidth in mm.
func barWidth(wide bool) float64 {
	if wide {
		return TargetWide
	}
	return TargetNarrow
}
