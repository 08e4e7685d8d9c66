package mill

/*
#cgo CFLAGS: -O3
#cgo noescape mill_line
#cgo nocallback mill_line
#include "kernel.h"
*/
import "C"

import (
	"math"
	"unsafe"
)

// mix says how strongly each ingredient of a scan line counts.
type mix struct {
	step                  int // 0 to levelStep: where the line lies between two rows of levels
	grain1, grain2, rough int // weights as amplitude gives them
	noise                 int
	flicker               float64 // of the lamp: what it has more than one
}

// ingredients are the borrowed rows of a scan line, all at least as long as its pixels.
type ingredients struct {
	a, b                  []int16 // levels, 1/64 grey
	grain1, grain2, rough []int8
	noise                 []int8
	gain                  []uint16 // 16384 is one
}

// amplitude is the weight that gives a texture or the noise a standard deviation of grey; the greatest
// is 255, eight grey.
func amplitude(grey float64) int { return max(0, min(255, int(math.Round(32*grey)))) }

// paint writes a scan line. It is C because Go's scalar code makes a third of a gigabyte a second
// where the vector units make several times that, and the simulator shares its cores with the line
// it feeds.
func paint(out []byte, in ingredients, m mix) {
	n := len(out)
	if n == 0 {
		return
	}
	_, _, _, _, _, _, _ = in.a[n-1], in.b[n-1], in.grain1[n-1], in.grain2[n-1], in.rough[n-1], in.noise[n-1], in.gain[n-1]
	C.mill_line(
		(*C.uint8_t)(unsafe.Pointer(&out[0])),
		(*C.int16_t)(unsafe.Pointer(&in.a[0])), (*C.int16_t)(unsafe.Pointer(&in.b[0])),
		(*C.int8_t)(unsafe.Pointer(&in.grain1[0])), (*C.int8_t)(unsafe.Pointer(&in.grain2[0])),
		(*C.int8_t)(unsafe.Pointer(&in.rough[0])), (*C.int8_t)(unsafe.Pointer(&in.noise[0])),
		(*C.uint16_t)(unsafe.Pointer(&in.gain[0])),
		C.int16_t(m.step), C.int16_t(m.grain1), C.int16_t(m.grain2), C.int16_t(m.rough),
		C.int16_t(m.noise), C.int16_t(math.Round(65536*m.flicker)), C.int32_t(n))
}
