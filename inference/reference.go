package inference

/*
#cgo CXXFLAGS: -O2 -I/usr/include/opencv4
#cgo LDFLAGS: -lopencv_imgproc -lopencv_core
#include "reference.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/coilsight/coilsight/inspection"
)

// ReferenceChain is the plain way to find regions with OpenCV on one thread: blur 15 x 15, absolute
// difference, threshold 25, connected components. It is the yardstick of the benchmark and finds
// nothing for the line.
type ReferenceChain struct{ chain *C.cs_reference }

// NewReferenceChain makes a chain. The caller must Close it.
func NewReferenceChain() (*ReferenceChain, error) {
	c := C.cs_reference_new()
	if c == nil {
		return nil, errors.New("reference chain: no memory")
	}
	return &ReferenceChain{c}, nil
}

// Run gives the number of regions in img, which is only read.
func (r *ReferenceChain) Run(img inspection.LineImage) (regions int, err error) {
	if img.Width < 1 || img.Height < 1 || img.Stride < img.Width || len(img.Pix) < (img.Height-1)*img.Stride+img.Width {
		return 0, fmt.Errorf("reference chain: an image of %d x %d pixels with stride %d does not fit its %d bytes", img.Width, img.Height, img.Stride, len(img.Pix))
	}
	n := C.cs_reference_run(r.chain, (*C.uint8_t)(unsafe.Pointer(&img.Pix[0])), C.ptrdiff_t(img.Stride), C.int(img.Width), C.int(img.Height))
	if n < 0 {
		return 0, fmt.Errorf("reference chain: OpenCV failed on an image of %d x %d pixels", img.Width, img.Height)
	}
	return int(n), nil
}

// Close frees the chain's buffers.
func (r *ReferenceChain) Close() {
	C.cs_reference_free(r.chain)
	r.chain = nil
}
