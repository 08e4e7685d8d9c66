package genicam

import (
	"math"
	"time"
)

// noFrameID is an id that no camera gives.
const noFrameID = math.MaxUint64

// arrival is what the transport says of a buffer.
type arrival struct {
	index         int
	id            uint64 // noFrameID: not told
	status        int
	packets       int64  // that arrived; -1: not told
	bytes         int    // that the frame had, where it is whole
	format        uint32 // PFNC
	width, height int
	image         bool          // the payload is an image
	device        time.Duration // the camera's clock; 0: not told
	counter       int64         // of the frame's chunk
	counted       bool          // there is one
}

// packetsOf is how many packets a frame of so many bytes takes, its leader and trailer included.
func (s *stream) packetsOf(bytes int) int64 {
	if s.room == 0 {
		return 0
	}
	return int64((bytes+s.room-1)/s.room + 2)
}

// expected is how many packets a frame should have had. One that is whole may lack a chunk and so be
// shorter than the camera told.
func (s *stream) expected(a arrival) int64 {
	if a.status == statusSuccess && a.bytes > 0 {
		return s.packetsOf(a.bytes)
	}
	return s.packets
}
