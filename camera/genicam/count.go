package genicam

import (
	"math"
	"slices"
	"time"
)

// counter turns the frame ids of a camera, which wrap and begin anew with each connection, into one
// count of the frames it produced, lost ones included.
type counter struct {
	next   uint64 // the count of the next frame
	known  bool   // device and at belong to this connection
	device uint64 // the last id told
	at     uint64 // its count

	// For the rate at which frames come: the last window, oldest first.
	window [32]tick
	ticks  int
	last   time.Time // when the last frame came, of any connection
	away   bool      // a connection was lost since
}

type tick struct {
	count  uint64
	device time.Duration // the camera's clock
	host   time.Time
}

// behind is how many frames after another an id is. GigE Vision's 16-bit ids run from 1 to 65535 and
// around, without 0; its 64-bit ids and USB3 Vision's just run.
func behind(id, earlier uint64) uint64 {
	if id > earlier {
		return id - earlier
	}
	if earlier <= math.MaxUint16 {
		return id + math.MaxUint16 - earlier
	}
	return 0
}

// number gives the count of the next frame that arrived, at now on the host's clock. A frame whose id
// was lost is taken for the one after the last; the next told id puts the count right.
func (c *counter) number(id uint64, device time.Duration, now time.Time) uint64 {
	n := c.next
	switch {
	case c.away:
		// How many frames the camera made meanwhile nobody knows: as many as the time held at the
		// rate of before, and one at least.
		lost := math.Round(now.Sub(c.last).Seconds()*c.rate()) - 1
		n += uint64(max(1, lost))
		c.away, c.known, c.ticks = false, false, 0
	case id != noFrameID && c.known:
		if m := c.at + behind(id, c.device); m > n {
			n = m
		}
	}
	if id != noFrameID {
		c.known, c.device, c.at = true, id, n
		if c.ticks == len(c.window) {
			copy(c.window[:], c.window[1:])
			c.ticks--
		}
		c.window[c.ticks] = tick{n, device, now}
		c.ticks++
	}
	c.next, c.last = n+1, now
	return n
}

// rate is the frames a second of the last window, by the camera's clock or, where that stands, by the
// host's; 0: not known.
func (c *counter) rate() float64 {
	// The median of what single frames took: a pause in the window does not count.
	var took []float64
	for i := 1; i < c.ticks; i++ {
		a, b := c.window[i-1], c.window[i]
		d := b.device - a.device
		if d <= 0 {
			d = b.host.Sub(a.host)
		}
		took = append(took, d.Seconds()/float64(b.count-a.count))
	}
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	if m := took[len(took)/2]; m > 0 {
		return 1 / m
	}
	return 0
}

// lose notes that the connection ended. Before the first frame there is nothing to miss.
func (c *counter) lose() { c.away = c.next > 0 }
