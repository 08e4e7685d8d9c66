package calibration

import (
	"errors"
	"fmt"
	"math"

	"github.com/coilsight/coilsight/inspection"
)

// Area is an area camera over the strip: its lens, the plane that the strip runs in, and the part of the plane that its rectified
// pictures show. Places on the plane are in mm from the board's first corner: across grows with the picture's columns, along with
// its lines. Pixels of the camera's own pictures are counted as OpenCV does, whole numbers for their middles.
type Area struct {
	Width  int `json:"width"` // of the camera's own pictures, pixels
	Height int `json:"height"`
	// Matrix holds fx, fy, cx and cy in pixels; Distortion k1, k2, p1, p2 and k3, as OpenCV defines them.
	Matrix     [4]float64 `json:"matrix"`
	Distortion [5]float64 `json:"distortion"`
	// Homography takes a place in mm to a pixel as it were without distortion: three rows of a homogeneous matrix.
	Homography [9]float64 `json:"homography"`

	MMPerPixel inspection.MM `json:"mm_per_pixel"` // of the rectified picture, both ways
	Columns    int           `json:"columns"`      // of the rectified picture
	Rows       int           `json:"rows"`
	First      inspection.MM `json:"first_mm"` // left border of its first column on the plane
	Top        inspection.MM `json:"top_mm"`   // upper border of its first line
	// BoardAt is where the board's first corner lies across the line.
	BoardAt inspection.MM `json:"board_at_mm"`

	Pictures int     `json:"pictures"` // that the fit rests on; of one, the lens is told as far as that one shows it
	Turn     float64 `json:"turn_degrees"`
	// Coverage is the share of the picture's area where some picture had the board.
	Coverage  float64 `json:"coverage"`
	RMS       float64 `json:"rms_mm"` // of the board's corners on the plane
	Most      float64 `json:"most_mm"`
	RMSPixels float64 `json:"rms_pixels"` // of all pictures' corners
}

const (
	leastColumns, leastRows = 64, 16
	mostColumns             = 1 << 16
	// mostPixels bounds a rectified picture, and the search for it.
	mostPixels = 1 << 26
	// leastStep and mostStep are how far apart in the camera's picture two neighbours of the rectified one may lie, in pixels. Farther
	// apart, a pixel of the camera would count for nothing; nearer, the strip is seen so flat that nothing fine is left.
	leastStep, mostStep = 0.25, 1.5
)

// Check reports what is not possible of an area that was read.
func (a Area) Check() error {
	for _, v := range [][]float64{a.Matrix[:], a.Distortion[:], a.Homography[:], {float64(a.MMPerPixel), float64(a.First), float64(a.Top), float64(a.BoardAt)}} {
		for _, x := range v {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return errors.New("the area camera's fit holds something that is no number")
			}
		}
	}
	switch {
	case a.Width < 2 || a.Height < 2 || a.Width > mostColumns || a.Height > mostColumns:
		return fmt.Errorf("pictures of %d x %d pixels are not possible; allowed are 2 x 2 to %d x %d", a.Width, a.Height, mostColumns, mostColumns)
	case a.Matrix[0] <= 0 || a.Matrix[1] <= 0:
		return fmt.Errorf("a focal length of %g x %g pixels is not possible; it must be more than 0", a.Matrix[0], a.Matrix[1])
	case a.MMPerPixel != 0 && !(a.MMPerPixel >= 0.01 && a.MMPerPixel <= 10):
		return fmt.Errorf("%g mm a pixel are not possible; allowed are 0.01 to 10", float64(a.MMPerPixel))
	case a.Columns < 0 || a.Rows < 0 || a.Columns > mostColumns || a.Rows > mostPixels || a.Columns*a.Rows > mostPixels:
		return fmt.Errorf("a rectified picture of %d x %d pixels is not possible; allowed are %d columns and %d pixels", a.Columns, a.Rows, mostColumns, mostPixels)
	}
	return nil
}

// Position is where the rectified picture's first column lies across the line, mm. right tells that the operator side is at the
// right of the picture.
func (a Area) Position(right bool) inspection.MM {
	if right {
		return a.BoardAt - a.First
	}
	return a.BoardAt + a.First
}

// AreaView takes places to pixels and back. It is read by any number of goroutines.
type AreaView struct {
	Area
	back  [9]float64 // of the homography
	side  float64    // sign of the homogeneous part in front of the camera
	reach float64    // square of the distance from the axis up to which the lens is one to one
}

// View makes the area's transformation ready. Its error says what is not possible.
func (a Area) View() (*AreaView, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	v := &AreaView{Area: a, reach: monotonicReach(a.Distortion)}
	var ok bool
	if v.back, ok = inverse(a.Homography); !ok {
		return nil, errors.New("the plane is seen edge on: its homography has no inverse")
	}
	// The homogeneous part is the depth, times some factor: the middle of the picture is in front.
	x, y, w := apply(v.back, a.Matrix[2], a.Matrix[3])
	if _, _, v.side = apply(a.Homography, x/w, y/w); v.side == 0 || math.IsNaN(v.side) || math.IsInf(v.side, 0) {
		return nil, errors.New("the middle of the picture shows nothing of the plane")
	}
	return v, nil
}

// monotonicReach is the square of the radius up to which a point farther from the axis is seen farther from it; beyond, the
// polynomial turns back and says nothing.
func monotonicReach(d [5]float64) float64 {
	const most = 16.0 // four focal lengths, 76 degrees
	for s := 0.0; s < most; s += 1e-3 {
		if 1+s*(3*d[0]+s*(5*d[1]+s*7*d[4])) <= 0 {
			return s
		}
	}
	return most
}

// apply is a homography's product, homogeneous.
func apply(h [9]float64, x, y float64) (a, b, w float64) {
	return h[0]*x + h[1]*y + h[2], h[3]*x + h[4]*y + h[5], h[6]*x + h[7]*y + h[8]
}

func inverse(m [9]float64) (out [9]float64, ok bool) {
	out = [9]float64{
		m[4]*m[8] - m[5]*m[7], m[2]*m[7] - m[1]*m[8], m[1]*m[5] - m[2]*m[4],
		m[5]*m[6] - m[3]*m[8], m[0]*m[8] - m[2]*m[6], m[2]*m[3] - m[0]*m[5],
		m[3]*m[7] - m[4]*m[6], m[1]*m[6] - m[0]*m[7], m[0]*m[4] - m[1]*m[3],
	}
	det := m[0]*out[0] + m[1]*out[3] + m[2]*out[6]
	if det == 0 || math.IsNaN(det) || math.IsInf(det, 0) {
		return out, false
	}
	for i := range out {
		out[i] /= det
	}
	return out, true
}

// Pixel is where a place on the plane is in the camera's own picture, which may lie outside of it. It is false where the lens's
// polynomial says nothing, and behind the camera.
func (v *AreaView) Pixel(across, along float64) (x, y float64, ok bool) {
	a, b, w := apply(v.Homography, across, along)
	if w*v.side <= 0 {
		return 0, 0, false
	}
	m := &v.Matrix
	nx, ny := (a/w-m[2])/m[0], (b/w-m[3])/m[1]
	if nx*nx+ny*ny > v.reach {
		return 0, 0, false
	}
	dx, dy := distort(&v.Distortion, nx, ny)
	return dx*m[0] + m[2], dy*m[1] + m[3], true
}

// Place is where a pixel of the camera's own picture lies on the plane, mm. It is false where the pixel shows none of it.
func (v *AreaView) Place(x, y float64) (across, along float64, ok bool) {
	m := &v.Matrix
	nx, ny, ok := undistort(&v.Distortion, (x-m[2])/m[0], (y-m[3])/m[1])
	if !ok || nx*nx+ny*ny > v.reach {
		return 0, 0, false
	}
	a, b, w := apply(v.back, nx*m[0]+m[2], ny*m[1]+m[3])
	if w == 0 {
		return 0, 0, false
	}
	across, along = a/w, b/w
	_, _, depth := apply(v.Homography, across, along)
	return across, along, depth*v.side > 0
}

// distort is OpenCV's model of a lens: D. C. Brown, Decentering distortion of lenses, 1966.
func distort(d *[5]float64, x, y float64) (dx, dy float64) {
	s := x*x + y*y
	radial := 1 + s*(d[0]+s*(d[1]+s*d[4]))
	return x*radial + 2*d[2]*x*y + d[3]*(s+2*x*x), y*radial + d[2]*(s+2*y*y) + 2*d[3]*x*y
}

// undistort goes back by Newton's method.
func undistort(d *[5]float64, dx, dy float64) (x, y float64, ok bool) {
	x, y = dx, dy
	for range 40 {
		px, py := distort(d, x, y)
		ex, ey := px-dx, py-dy
		if math.Abs(ex)+math.Abs(ey) < 1e-12 {
			return x, y, true
		}
		s := x*x + y*y
		radial, slope := 1+s*(d[0]+s*(d[1]+s*d[4])), d[0]+s*(2*d[1]+s*3*d[4]) // by s
		xx := radial + 2*x*x*slope + 2*d[2]*y + 6*d[3]*x
		xy := 2*x*y*slope + 2*d[2]*x + 2*d[3]*y
		yy := radial + 2*y*y*slope + 6*d[2]*y + 2*d[3]*x
		det := xx*yy - xy*xy
		if det == 0 {
			return 0, 0, false
		}
		x -= (ex*yy - ey*xy) / det
		y -= (ey*xx - ex*xy) / det
	}
	px, py := distort(d, x, y)
	return x, y, math.Abs(px-dx)+math.Abs(py-dy) < 1e-9
}
