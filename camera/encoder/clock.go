package encoder

import (
	"time"

	"github.com/coilsight/coilsight/camera"
)

const (
	// slew is how fast moments are drawn to the host's clock: a part in a thousand, many times what two quartzes differ.
	slew = 1000
	// lostClock is how far apart the two may be before the camera's counts as set anew. Frames that waited lie less behind.
	lostClock = time.Second
)

// clock puts the frames of a camera on the host's time by the camera's own clock, which knows nothing of how long they were under
// way: frames that come in a burst keep their distances. The moments are late by the quickest way, and rise from frame to frame.
type clock struct {
	id     uint64
	device time.Duration
	at     time.Time
	period time.Duration // of the newest two frames that told their time
}

// moment is when a frame would have come had it taken no longer than others. Without the camera's time it is a period behind the frame
// before, and where no frame has told one, that of its arrival. anew tells that the camera's clock does not go on from the frame before.
func (c *clock) moment(f *camera.Frame) (at time.Time, anew bool) {
	if f.Device == 0 && c.device != 0 && c.period > 0 && f.ID > c.id {
		return c.at.Add(c.period * time.Duration(f.ID-c.id)), false
	}
	ran := f.Device - c.device
	at = c.at.Add(ran)
	off := f.Arrived.Sub(at)
	switch {
	case f.Device == 0 || c.device == 0:
		at = f.Arrived
	case ran <= 0 || off.Abs() > lostClock:
		at, anew = f.Arrived, true
	default:
		at = at.Add(max(-ran/slew, min(off, ran/slew)))
		if f.ID > c.id {
			c.period = ran / time.Duration(f.ID-c.id)
		}
	}
	if !at.After(c.at) {
		at = c.at.Add(1)
	}
	c.id, c.device, c.at = f.ID, f.Device, at
	return at, anew
}
