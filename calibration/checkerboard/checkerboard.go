// Package checkerboard calibrates area cameras by pictures of a checkerboard, with OpenCV's own functions.
package checkerboard

/*
#cgo CXXFLAGS: -O2 -I/usr/include/opencv4
#cgo LDFLAGS: -lopencv_calib3d -lopencv_imgproc -lopencv_core
#include "checkerboard.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
)

// point is a place in a picture in pixels, whole numbers for their middles.
type point struct{ x, y float64 }

// find gives the board's inner corners, row after row of the board, from some corner of it; none where the picture shows no whole
// board.
func find(m inspection.LineImage, b calibration.Checkerboard) ([]point, error) {
	if m.Width < 1 || m.Height < 1 || m.Stride < m.Width || len(m.Pix) < (m.Height-1)*m.Stride+m.Width {
		return nil, fmt.Errorf("%d x %d pixels with stride %d do not fit %d bytes", m.Width, m.Height, m.Stride, len(m.Pix))
	}
	xy := make([]C.float, 2*b.Columns*b.Rows)
	switch C.cs_checkerboard_find((*C.uint8_t)(unsafe.Pointer(&m.Pix[0])), C.ptrdiff_t(m.Stride), C.int(m.Width), C.int(m.Height), C.int(b.Columns), C.int(b.Rows), &xy[0]) {
	case 1:
	case 0:
		return nil, nil
	default:
		return nil, errors.New("OpenCV failed to look for a board")
	}
	out := make([]point, len(xy)/2)
	for i := range out {
		out[i] = point{float64(xy[2*i]), float64(xy[2*i+1])}
	}
	return out, nil
}

// lens is what a camera is, and how the strip's plane is seen by it.
type lens struct {
	matrix     [4]float64 // fx, fy, cx, cy in pixels
	distortion [5]float64 // k1, k2, p1, p2, k3
	// surface takes places on the last picture's board in mm to pixels without distortion; below does so for the plane on which
	// that board lies.
	surface, below [9]float64
	tilt           float64 // between the two boards that are tilted most against each other, degrees
	rms            float64 // of all corners, pixels
}

// flat lists corners, and where they lie on the board in mm, as OpenCV takes them.
func flat(pictures [][]point, b calibration.Checkerboard) (xy, board []C.float) {
	for _, corners := range pictures {
		for _, p := range corners {
			xy = append(xy, C.float(p.x), C.float(p.y))
		}
	}
	for j := range b.Rows {
		for i := range b.Columns {
			board = append(board, C.float(float64(i)*b.Square), C.float(float64(j)*b.Square))
		}
	}
	return xy, board
}

// fitLens fits one to the corners of pictures of a size in pixels, all in the board's order. The board is so thick, in mm.
func fitLens(pictures [][]point, b calibration.Checkerboard, width, height int, thickness float64) (lens, error) {
	xy, board := flat(pictures, b)
	var out C.cs_lens
	if C.cs_checkerboard_calibrate(C.int(len(pictures)), C.int(b.Columns*b.Rows), &xy[0], &board[0], C.int(width), C.int(height), &out) != 0 {
		return lens{}, errors.New("OpenCV finds no lens that fits the pictures")
	}
	l := lens{tilt: float64(out.tilt), rms: float64(out.rms)}
	for i := range l.matrix {
		l.matrix[i] = float64(out.matrix[i])
	}
	for i := range l.distortion {
		l.distortion[i] = float64(out.distortion[i])
	}
	var r [9]float64
	var t [3]float64
	for i := range r {
		r[i] = float64(out.rotation[i])
	}
	for i := range t {
		t[i] = float64(out.translation[i])
	}
	l.surface = projection(l.matrix, r, t)
	for i := range t { // the third axis points away from the camera, since the first two go right and down
		t[i] += thickness * r[3*i+2]
	}
	l.below = projection(l.matrix, r, t)
	return l, nil
}

// projection of the plane z = 0 of a body that is turned by r and moved by t.
func projection(matrix [4]float64, r [9]float64, t [3]float64) (h [9]float64) {
	rows := [3][3]float64{{r[0], r[1], t[0]}, {r[3], r[4], t[1]}, {r[6], r[7], t[2]}}
	for k := range 3 {
		h[k] = matrix[0]*rows[0][k] + matrix[2]*rows[2][k]
		h[3+k] = matrix[1]*rows[1][k] + matrix[3]*rows[2][k]
		h[6+k] = rows[2][k]
	}
	return h
}

// fitPlane fits the plane, and what one picture tells of the lens, to its corners.
func fitPlane(corners []point, b calibration.Checkerboard, width, height int) (lens, error) {
	xy, board := flat([][]point{corners}, b)
	var k1, rms C.double
	var h [9]C.double
	if C.cs_checkerboard_plane(C.int(len(corners)), &xy[0], &board[0], C.int(width), C.int(height), &k1, &h[0], &rms) != 0 {
		return lens{}, errors.New("OpenCV finds no plane that fits the picture")
	}
	w := float64(width)
	l := lens{matrix: [4]float64{w, w, (w - 1) / 2, float64(height-1) / 2}, distortion: [5]float64{float64(k1)}, rms: float64(rms)}
	for i := range h {
		l.surface[i] = float64(h[i])
	}
	l.below = l.surface
	return l, nil
}
