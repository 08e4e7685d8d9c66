// Package scene renders what an area camera sees of a plane: the peer that its calibration is tried against, with everything known.
// It shares no code with the calibration.
package scene

import (
	"math"
	"math/rand/v2"

	"github.com/coilsight/coilsight/inspection"
)

// Camera is an area camera over a plane. Whole numbers are the middles of pixels.
type Camera struct {
	Width, Height  int
	FX, FY, CX, CY float64    // pixels
	Distortion     [5]float64 // k1, k2, p1, p2, k3
	// Tilt, Pan and Turn are the plane's angles about the camera's x, y and z in degrees, in this order; it then lies so that
	// its origin is at X, Y, Z in mm before the camera.
	Tilt, Pan, Turn float64
	X, Y, Z         float64
	Blur            float64 // standard deviation in pixels
	Noise           float64 // the same in grey levels
}

// Axes are the plane's two axes and its origin as the camera sees them.
func (c Camera) Axes() (a, b, o [3]float64) {
	sx, cx := math.Sincos(c.Tilt * math.Pi / 180)
	sy, cy := math.Sincos(c.Pan * math.Pi / 180)
	sz, cz := math.Sincos(c.Turn * math.Pi / 180)
	turn := func(x, y, z float64) [3]float64 {
		y, z = y*cx-z*sx, y*sx+z*cx
		x, z = x*cy+z*sy, -x*sy+z*cy
		x, y = x*cz-y*sz, x*sz+y*cz
		return [3]float64{x, y, z}
	}
	return turn(1, 0, 0), turn(0, 1, 0), [3]float64{c.X, c.Y, c.Z}
}

// Normal points away from the camera.
func (c Camera) Normal() [3]float64 {
	a, b, _ := c.Axes()
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

func (c Camera) bend(x, y float64) (float64, float64) {
	k := c.Distortion
	r2 := x*x + y*y
	f := 1 + k[0]*r2 + k[1]*r2*r2 + k[4]*r2*r2*r2
	return x*f + 2*k[2]*x*y + k[3]*(r2+2*x*x), y*f + k[2]*(r2+2*y*y) + 2*k[3]*x*y
}

// Pixel is where a place on the plane, mm, is seen.
func (c Camera) Pixel(x, y float64) (u, v float64) {
	a, b, o := c.Axes()
	var p [3]float64
	for i := range p {
		p[i] = a[i]*x + b[i]*y + o[i]
	}
	u, v = c.bend(p[0]/p[2], p[1]/p[2])
	return u*c.FX + c.CX, v*c.FY + c.CY
}

// Place is what a pixel sees of the plane, mm: the ray is found by going back and forth until it is seen there.
func (c Camera) Place(u, v float64) (x, y float64) {
	return c.placer()(u, v)
}

// placer is Place with what all pixels have in common done once.
func (c Camera) placer() func(u, v float64) (x, y float64) {
	a, b, o := c.Axes()
	n := c.Normal()
	front := n[0]*o[0] + n[1]*o[1] + n[2]*o[2]
	return func(u, v float64) (x, y float64) {
		nu, nv := c.ray(u, v)
		far := front / (n[0]*nu + n[1]*nv + n[2])
		p := [3]float64{nu*far - o[0], nv*far - o[1], far - o[2]}
		return p[0]*a[0] + p[1]*a[1] + p[2]*a[2], p[0]*b[0] + p[1]*b[1] + p[2]*b[2]
	}
}

// ray is where a pixel looks, at distance 1.
func (c Camera) ray(u, v float64) (float64, float64) {
	du, dv := (u-c.CX)/c.FX, (v-c.CY)/c.FY
	nu, nv := du, dv
	for range 60 {
		bu, bv := c.bend(nu, nv)
		nu, nv = nu+du-bu, nv+dv-bv
		if math.Abs(du-bu)+math.Abs(dv-bv) < 1e-11 {
			break
		}
	}
	return nu, nv
}

// Render is the camera's picture of a plane whose grey values are known by mm.
func (c Camera) Render(r *rand.Rand, grey func(x, y float64) float64) inspection.LineImage {
	const over = 4
	w, h := c.Width, c.Height
	// The corners of pixels; within one, the plane is a parallelogram.
	place := c.placer()
	xs, ys := make([]float64, (w+1)*(h+1)), make([]float64, (w+1)*(h+1))
	for v := range h + 1 {
		for u := range w + 1 {
			xs[v*(w+1)+u], ys[v*(w+1)+u] = place(float64(u)-0.5, float64(v)-0.5)
		}
	}
	light := make([]float64, w*h)
	for v := range h {
		for u := range w {
			i, k := v*(w+1)+u, (v+1)*(w+1)+u
			sum := 0.0
			for n := range over * over {
				s, t := (float64(n%over)+0.5)/over, (float64(n/over)+0.5)/over
				sum += grey(xs[i]+s*(xs[i+1]-xs[i])+t*(xs[k]-xs[i]), ys[i]+s*(ys[i+1]-ys[i])+t*(ys[k]-ys[i]))
			}
			light[v*w+u] = sum / (over * over)
		}
	}
	light = blurred(blurred(light, w, h, 1, w, c.Blur), h, w, w, 1, c.Blur)
	m := inspection.LineImage{Pix: make([]byte, w*h), Width: w, Height: h, Stride: w}
	for i, g := range light {
		m.Pix[i] = byte(min(255, max(0, math.Round(g+c.Noise*r.NormFloat64()))))
	}
	return m
}

// blurred folds lines of n pixels, step apart, with a bell; lines lie next apart.
func blurred(light []float64, n, lines, step, next int, sigma float64) []float64 {
	if sigma <= 0 {
		return light
	}
	reach := int(math.Ceil(3 * sigma))
	bell, all := make([]float64, 2*reach+1), 0.0
	for i := range bell {
		d := float64(i-reach) / sigma
		bell[i] = math.Exp(-d * d / 2)
		all += bell[i]
	}
	out := make([]float64, len(light))
	for l := range lines {
		for i := range n {
			sum := 0.0
			for k, b := range bell {
				sum += b * light[l*next+min(n-1, max(0, i+k-reach))*step]
			}
			out[l*next+i*step] = sum / all
		}
	}
	return out
}

// Board is a checkerboard of so many inner corners with a white border of a square on grey strip; its first inner corner is at 0, 0.
func Board(columns, rows int, square float64) func(x, y float64) float64 {
	return func(x, y float64) float64 {
		i, j := int(math.Floor(x/square)), int(math.Floor(y/square))
		switch {
		case i < -2 || j < -2 || i > columns || j > rows:
			return 120
		case i < -1 || j < -1 || i > columns-1 || j > rows-1 || (i+j)&1 != 0:
			return 215
		}
		return 35
	}
}
