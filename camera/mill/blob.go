package mill

import "math"

// blob is a small dark spot with soft borders, at times with a bright shoulder to its lower right.
type blob struct {
	x, y, a, b      float64 // centre and half axes
	depth, shoulder float64
	lean            float64 // shift across for each pixel along
}

// blobs is the factor all of them leave at a point.
func blobs(list []blob, x, y float64) float64 {
	f := 1.0
	for i := range list {
		b := &list[i]
		dy := y - b.y
		reach := 2*b.b + 3
		if dy > reach || dy < -reach {
			continue
		}
		dx := x - b.x - b.lean*dy
		if reach = 2*b.a + 4; dx > reach || dx < -reach {
			continue
		}
		q := math.Sqrt(dx*dx/(b.a*b.a) + dy*dy/(b.b*b.b))
		f *= 1 - b.depth*(1-ramp(0.75, 1.4, q))
		if b.shoulder > 0 {
			sx, sy := dx-b.a, dy-b.b
			f *= 1 + b.shoulder*bell(math.Sqrt(sx*sx+sy*sy)/1.3)*ramp(0.8, 1.4, q)
		}
	}
	return f
}
