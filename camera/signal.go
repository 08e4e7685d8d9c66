package camera

import "github.com/coilsight/coilsight/inspection"

// SignalKind is what the line's tracking reports.
type SignalKind uint8

// Signals of the line's tracking.
const (
	HeadEnd SignalKind = iota // the head end of a coil is at the cameras
	TailEnd                   // the tail end has left them
)

// Signal is what a mill's tracking (Level 2, a PLC, or the simulator in their place) says of a coil,
// tied to the encoder and not to a clock.
type Signal struct {
	Kind  SignalKind
	Coil  inspection.CoilID
	Order inspection.CoilOrder // with HeadEnd
	At    inspection.EncoderCount
}
