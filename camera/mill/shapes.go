package mill

import (
	"math"
	"math/rand/v2"

	"github.com/coilsight/coilsight/inspection"
)

const rollMark inspection.DefectClass = "finishing_roll_printing"

// newShape draws one specimen of a class; seed decides its size and form. An unknown class has an
// empty shape.
func newShape(class inspection.DefectClass, seed uint64) shape {
	r := source(seed, forDefect)
	n := r.Uint64()
	switch class {
	case rollMark:
		return rollPrint(r, n)
	case "iron_sheet_ash":
		return sheetAsh(r, n)
	case "oxide_scale_of_plate_system":
		return plateScale(r, n)
	case "oxide_scale_of_temperature_system":
		return temperatureScale(r)
	case "red_iron":
		return redIron(r, n)
	case "slag_inclusion":
		return slag(r, n)
	case "surface_scratch":
		return scratch(r, n)
	case "hole":
		return hole(r, n)
	case "edge_crack":
		return edgeCrack(r, n)
	}
	return shape{w: 1, h: 1, at: func(_, _ float64) float64 { return 1 }}
}

func bell(d float64) float64 { return math.Exp(-d * d) }

// rollPrint: a mark of the finishing roll, oblique, tapered: either flat and thin with a glint beside
// a dark flank, or steep, a dark spindle in a brighter halo.
func rollPrint(r *rand.Rand, n uint64) shape {
	length := between(r, 60, 150)
	steep := r.IntN(5) < 2
	angle := between(r, 4, 18) * math.Pi / 180
	thick := between(r, 1.1, 2)
	if steep {
		angle = between(r, 65, 80) * math.Pi / 180
		thick = between(r, 2.6, 4.5)
		length *= 0.9
	}
	if r.IntN(2) == 0 {
		angle = -angle
	}
	bend := between(r, -4, 4)
	depth := between(r, 0.75, 1.1)
	sin, cos := math.Sincos(angle)
	w, h := math.Abs(length*cos)+8*thick+10, math.Abs(length*sin)+8*thick+10
	return shape{w: w, h: h, at: func(x, y float64) float64 {
		dx, dy := x-w/2, y-h/2
		s := (dx*cos+dy*sin)/length + 0.5 // 0 to 1 along the mark
		if s <= 0 || s >= 1 {
			return 1
		}
		d := -dx*sin + dy*cos + bend*(s-0.5)*(s-0.5)*4 - bend/2
		body := math.Pow(math.Sin(math.Pi*math.Pow(s, 0.7)), 0.8)
		t := thick * (0.5 + 0.5*body)
		broken := 0.75 + 0.5*value(n, s*length/5, 0)
		if steep {
			core := 1 - ramp(0.6*t, 1.3*t, math.Abs(d)+0.5*value(n, x/3, y/3))
			halo := bell((math.Abs(d) - 2.2*t) / (1.3 * t))
			grain := 0.08 * value(n+1, x/2, y/2) * core
			return 1 + depth*body*(0.16*halo-0.3*core*broken) + grain
		}
		flank := bell((d - 1.3*t) / (1.5 * t))
		glint := bell(d/(0.55*t)) * broken * math.Max(0, 0.5+0.8*value(n+2, s*length/4, 1))
		return 1 + depth*body*(0.42*glint-0.24*flank)
	}}
}

// sheetAsh: ash pressed in: a dark irregular spot, often with glints at its rim, and specks drawn out
// behind it.
func sheetAsh(r *rand.Rand, n uint64) shape {
	rx := between(r, 5, 15)
	ry := rx * between(r, 0.55, 0.95)
	tail := between(r, 1, 4.5) * rx
	w, h := 3.4*rx+14, 2.6*ry+tail+10
	cx, cy := w/2, 1.3*ry+5
	core := between(r, 0.45, 0.66)
	porous := between(r, 0.1, 0.5)
	shine := between(r, 0, 0.9)
	var specks []blob
	for range 4 + r.IntN(18) {
		t := math.Sqrt(r.Float64())
		specks = append(specks, blob{
			x: cx + r.NormFloat64()*rx*0.55, y: cy + t*(tail+ry*0.6) - ry*0.3,
			a: between(r, 0.8, 2.3), b: between(r, 0.8, 2.6), depth: between(r, 0.15, 0.5),
		})
	}
	return shape{w: w, h: h, at: func(x, y float64) float64 {
		dx, dy := (x-cx)/rx, (y-cy)/ry
		q := math.Sqrt(dx*dx+dy*dy) + 0.38*fractal(n, x/6, y/6)
		inside := 1 - ramp(0.72, 1.02, q)
		holes := 1 - porous*ramp(-0.1, 0.6, fractal(n+7, x/3.2, y/3.2))
		rim := bell((q - 0.95) / 0.22)
		f := 1 - core*inside*holes
		f += shine * rim * math.Max(0, value(n+9, x/1.8, y/1.8)-0.15)
		if below := (y - cy) / (tail + ry); below > 0 && below < 1 {
			f += 0.05 * bell(dx/1.3) * (1 - below)
		}
		return f * blobs(specks, x, y)
	}}
}

// plateScale: scale of the plate system: a spindle along the strip, filled with dark and bright rungs.
func plateScale(r *rand.Rand, n uint64) shape {
	length, width := between(r, 55, 125), between(r, 9, 26)
	w, h := width+10, length+8
	lean := between(r, -0.06, 0.06)
	top := between(r, 0.6, 1.6) // where it is widest
	rung := between(r, 2.2, 4)
	dark := between(r, 0.26, 0.4)
	hollow := between(r, -0.3, 0.35)
	return shape{w: w, h: h, at: func(x, y float64) float64 {
		t := (y - 4) / length
		if t <= 0 || t >= 1 {
			return 1
		}
		d := math.Abs(x-w/2-lean*(y-h/2)) + 1.6*value(n, x/4, y/5)
		half := width / 2 * math.Pow(math.Sin(math.Pi*math.Pow(t, top)), 0.75)
		in := 1 - ramp(half-1.6, half+0.6, d)
		if in == 0 {
			return 1
		}
		ladder := value(n+1, x/rung/1.3, y/rung)
		rough := fractal(n+2, x/3, y/4)
		open := ramp(0.05, 0.5, rough+hollow+0.25*(1-d/max(1, half))) // bare steel in the middle
		f := -dark + 0.24*ladder + 0.12*rough + open*(dark+0.1)
		return 1 + in*f
	}}
}

// temperatureScale: scale of the temperature system: many small dark pits with a bright shoulder,
// loosely in columns.
func temperatureScale(r *rand.Rand) shape {
	w, h := between(r, 70, 170), between(r, 80, 220)
	columns := make([]float64, 2+r.IntN(4))
	for i := range columns {
		columns[i] = between(r, 0.15, 0.85) * w
	}
	depth := between(r, 0.24, 0.42)
	size := between(r, 0.8, 1.35)
	var pits []blob
	for range int(w * h / between(r, 220, 420)) {
		x := between(r, 6, w-6)
		if r.IntN(3) > 0 {
			x = min(w-6, max(6, columns[r.IntN(len(columns))]+r.NormFloat64()*w*0.06))
		}
		pits = append(pits, blob{
			x: x, y: between(r, 6, h-6), a: size * between(r, 0.9, 2.2), b: size * between(r, 0.9, 2.6),
			depth: depth * between(r, 0.5, 1.2), lean: between(r, -0.6, 0.6), shoulder: between(r, 0.1, 0.45),
		})
	}
	return shape{w: w, h: h, at: func(x, y float64) float64 { return blobs(pits, x, y) }}
}

// redIron: red scale: flat dark islands with crisp borders, drawn out along the strip, densest along
// one or two bands.
func redIron(r *rand.Rand, n uint64) shape {
	w, h := between(r, 40, 150), between(r, 110, 360)
	narrow := r.IntN(4) == 0
	if narrow {
		w = between(r, 16, 34)
	}
	centre := between(r, 0.4, 0.6) * w
	dark := between(r, 0.27, 0.42)
	cover := between(r, 0.12, 0.42)
	stretch := between(r, 2.4, 4.5)
	cell := between(r, 6, 11)
	if narrow {
		cell = 5
		cover += 0.2
	}
	return shape{w: w, h: h, at: func(x, y float64) float64 {
		band := (x - centre) / (w * 0.5)
		f := 0.9*fractal(n, x/cell, y/cell/stretch) + 0.5*cover - 0.75*band*band + 0.25
		// Towards the box's borders ever fewer islands are left, and none is cut off by it.
		f -= 1.3*ramp(0.45, 1, math.Abs(2*y/h-1)) + 1.3*ramp(0.7, 1, math.Abs(2*x/w-1))
		return 1 - dark*ramp(0.18, 0.27, f)*(1+0.1*value(n+5, x/2, y/2))
	}}
}

// slag: an inclusion rolled out: a ragged strip along the rolling direction, dark and glaring at once,
// with torn borders.
func slag(r *rand.Rand, n uint64) shape {
	width, length := between(r, 4, 30), between(r, 70, 260)
	if r.IntN(3) == 0 {
		width = between(r, 3, 6)
	}
	w, h := width*1.5+10, length+6
	folds := between(r, 3, 9) // of the torn metal, along
	glare := between(r, 0.5, 1.3)
	dark := between(r, 0.3, 0.5)
	return shape{w: w, h: h, at: func(x, y float64) float64 {
		t := (y - 3) / length
		if t <= 0 || t >= 1 {
			return 1
		}
		ends := min(ramp(0, 0.12, t), ramp(1, 0.9, t))
		half := width / 2 * (0.75 + 0.35*value(n, y/22, 0) + 0.2*value(n+6, y/5, 0)) * (0.35 + 0.65*ends)
		d := math.Abs(x - w/2 - 0.2*width*value(n+1, y/45, 3))
		in := 1 - ramp(half-0.8, half+0.8, d+1.2*value(n+2, x/2, y/4))
		if in <= 0 {
			return 1 - 0.1*bell((d-half)/2)*ends
		}
		fold := value(n+3, x/max(3, width/2), y/folds)
		torn := fractal(n+4, x/1.9, y/4.5)
		bright := glare * ramp(0.15, 0.8, fold+0.7*torn)
		rim := 0.25 * bell((d-half)/1.2)
		return 1 + in*(bright-dark*(1+0.6*torn)*ramp(0.5, -0.3, fold)-rim-0.08)
	}}
}

// scratch: a thin dark line along the rolling direction, at times doubled, fading at its ends.
func scratch(r *rand.Rand, n uint64) shape {
	length := 160 * math.Exp(between(r, 0, math.Log(14)))
	slope := between(r, -0.012, 0.012)
	sigma := between(r, 0.75, 1.5)
	depth := between(r, 0.2, 0.38)
	second := 0.0
	if r.IntN(3) == 0 {
		second = between(r, 4, 9)
	}
	w, h := math.Abs(slope)*length+second+10, length
	return shape{w: w, h: h, at: func(x, y float64) float64 {
		t := y / h
		ends := min(ramp(0, 0.06, t), ramp(1, 0.94, t))
		d := x - (w-second)/2 - slope*(y-h/2) - 0.5*value(n, y/60, 0)
		strength := ends * (0.85 + 0.25*value(n+1, y/25, 0))
		f := bell(d / sigma)
		if second > 0 {
			f += 0.7 * bell((d-second)/(0.8*sigma)) * ramp(-0.3, 0.2, value(n+2, y/90, 0))
		}
		return 1 - depth*strength*min(1.2, f)
	}}
}

// hole: the strip is missing: the roller table shows, and the torn rim shines on one side.
func hole(r *rand.Rand, n uint64) shape {
	rx := between(r, 4, 20)
	ry := rx * between(r, 0.8, 1.8)
	w, h := 2.6*rx+8, 2.6*ry+8
	light := between(r, 0, 2*math.Pi)
	return shape{w: w, h: h, at: func(x, y float64) float64 {
		dx, dy := (x-w/2)/rx, (y-h/2)/ry
		a := math.Atan2(dy, dx)
		q := math.Hypot(dx, dy) + 0.18*value(n, 3*math.Cos(a), 3*math.Sin(a)) + 0.05*value(n+1, x/2, y/2)
		soft := 0.7 / rx
		gone := 1 - ramp(1-soft, 1+soft, q)
		rim := bell((q-1-2*soft)/(2.2*soft)) * math.Cos(a-light)
		floor := 0.06 + 0.02*value(n+2, x/9, y/9)
		return gone*floor + (1-gone)*(1+0.3*rim)
	}}
}

// edgeCrack: a crack from the strip edge inward, widest at the edge.
func edgeCrack(r *rand.Rand, n uint64) shape {
	depth := between(r, 18, 70)
	mouth := between(r, 2, 7)
	w, h := depth+edgeOverlap+4, 2*mouth+26
	drop := between(r, -0.25, 0.25)
	return shape{w: w, h: h, edge: true, at: func(x, y float64) float64 {
		x -= edgeOverlap
		s := max(0, x) / depth
		if s >= 1 {
			return 1
		}
		middle := h/2 + 5*value(n, x/9, 0)*ramp(0, 0.2, s) + 1.5*value(n+1, x/3, 0) + max(-9, min(9, drop*x))
		d := math.Abs(y - middle)
		half := 0.7 + mouth*math.Pow(1-s, 1.4)*(0.85+0.3*value(n+2, x/4, 2))
		open := 1 - ramp(half-0.7, half+0.7, d)
		rim := bell((d-half-1.2)/1.6) * (1 - s)
		floor := 0.07 + 0.35*ramp(0.55, 1, s)
		return open*floor + (1-open)*(1-0.12*rim)
	}}
}
