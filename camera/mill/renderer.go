package mill

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// margin is how many pixels rows of levels reach out over the nominal strip on either side; the
// edges breathe and are rough.
const margin = 24

const noiseTable = 1 << 18

// renderer paints what one camera sees. Frames are asked for in order, but may be left out.
type renderer struct {
	o        Options
	side     inspection.Side
	seed     uint64
	textures []*texture // shared with the other camera, never written
	lamp     []uint16
	noise    []int8
	noiseAmp float64
	table    []int16 // roller table, 1/64 grey

	line     *timeline
	cur      *coil // the one last begun; nil before the first
	upcoming *coil // the one after it; nil after the last
	look     surface
	stamps   []pressed
	width    float64 // nominal, pixels

	knots [2]knot
	acc   []float32
	spots []spot // where the strip lies in each line of the frame at hand
}

// pressed is a stamp at its place: pixels from the strip's nominal left edge in this camera's picture.
type pressed struct {
	line int64
	x    int
	*stamp
}

// knot is a row of levels.
type knot struct {
	coil int
	k    int64
	row  []int16
}

// spot is where the strip lies in one scan line: its outline, and the pixel on which all that it
// carries hangs. No strip has left >= right.
type spot struct {
	left, right float64
	anchor      int
}

func newTextures(seed uint64, pixels int) []*texture {
	var out []*texture
	for i, d := range [][2]float64{{70, 0.8}, {180, 1.6}, {30, 3.2}} {
		out = append(out, newTexture(mixSeed(seed, forTexture, uint64(i)), pixels, d[0], d[1]))
	}
	return out
}

func newRenderer(o Options, side inspection.Side, textures []*texture) *renderer {
	which := uint64(slices.Index(inspection.Sides(), side))
	r := &renderer{
		o: o, side: side, seed: mixSeed(o.Seed, forSurface, which), textures: textures,
		line: newTimeline(o), width: o.pixels(o.StripWidth), spots: make([]spot, o.FrameLines),
	}
	lamps := source(o.Seed, forLamp, which)
	r.lamp = newLamp(lamps, o.PixelsAcross)
	r.noiseAmp = between(lamps, 1.4, 2.4)
	r.noise = make([]int8, noiseTable+o.PixelsAcross)
	for i := range r.noise {
		h := mixSeed(r.seed, forNoise, uint64(i))
		s := int(h&0xffff) + int(h>>16&0xffff) + int(h>>32&0xffff) + int(h>>48) - 131070
		r.noise[i] = int8(max(-127, min(127, math.Round(float64(s)*unit/37837))))
	}
	r.table = newTable(mixSeed(o.Seed, forTable, which), o.PixelsAcross)
	n := int(math.Ceil(r.width)) + 2*margin
	r.acc = make([]float32, n)
	for i := range r.knots {
		r.knots[i] = knot{coil: -1, row: make([]int16, n)}
	}
	r.upcoming = r.line.next()
	return r
}

// newLamp is the lamp and lens over the columns: a row of light sources that differ, dimmer towards
// the ends, and pixels that differ by half a per cent. It never changes, so a flat field takes it out.
func newLamp(r *rand.Rand, pixels int) []uint16 {
	acc := make([]float32, pixels)
	seed := r.Uint64()
	addNoiseRow(acc, seed, float64(pixels)/5, 0, 0.06)
	addNoiseRow(acc, seed+1, float64(pixels)/40, 0, 0.025)
	tilt, fall := between(r, -0.05, 0.05), between(r, 0.08, 0.2)
	out := make([]uint16, pixels)
	for x := range out {
		d := 2*(float64(x)+0.5)/float64(pixels) - 1
		f := 0.98 - fall*d*d + tilt*d + float64(acc[x]) + 0.005*r.NormFloat64()
		out[x] = uint16(math.Round(16384 * min(1.2, max(0.3, f))))
	}
	return out
}

// newTable is the roller table beside and between the strips: dark, with faint lengthwise wear.
func newTable(seed uint64, pixels int) []int16 {
	acc := make([]float32, pixels)
	addNoiseRow(acc, seed, 300, 0, 2)
	addNoiseRow(acc, seed+1, 23, 0, 1.2)
	out := make([]int16, pixels)
	for x := range out {
		out[x] = int16(64 * (9 + acc[x]))
	}
	return out
}

// begin makes c the coil at hand.
func (r *renderer) begin(c *coil) {
	r.cur, r.upcoming = c, r.line.next()
	which := uint64(slices.Index(inspection.Sides(), r.side))
	r.look = newSurface(source(c.seed, forSurface, which), len(r.textures))
	r.stamps = r.stamps[:0]
	made := map[uint64]*stamp{} // the marks of one roll are one stamp
	for _, d := range c.defects {
		if d.side != r.side {
			continue
		}
		bottom := r.side == inspection.Bottom
		s := made[d.seed]
		if s == nil {
			s = newShape(d.class, d.seed).stamp(r.o, d.contrast, d.drive != bottom)
			made[d.seed] = s
		}
		x := d.u
		if bottom { // the operator side is at the right of its picture
			x = r.nominal() - d.u - d.w
		}
		r.stamps = append(r.stamps, pressed{line: d.line, x: x, stamp: s})
	}
}

func (r *renderer) nominal() int { return int(math.Round(r.width)) }

// locate says where the strip lies at a line of the coil at hand.
func (r *renderer) locate(line int64) spot {
	if line < 0 || line >= r.cur.lines {
		return spot{}
	}
	op, drive := r.cur.path.edges(line)
	hang := r.cur.path.operator(line)
	if r.side == inspection.Top {
		return spot{left: op, right: drive, anchor: int(math.Round(hang))}
	}
	// The camera below sees the strip mirrored.
	w := float64(r.o.PixelsAcross)
	return spot{left: w - drive, right: w - op, anchor: int(math.Round(w-hang)) - r.nominal()}
}

// frame paints the lines from a count on.
func (r *renderer) frame(pix []byte, from inspection.EncoderCount) {
	for y := 0; y < r.o.FrameLines; {
		at := from + inspection.EncoderCount(y)
		for r.upcoming != nil && at >= r.upcoming.start {
			r.begin(r.upcoming)
		}
		// Lines up to the next head end belong to the coil at hand or to the gap behind it.
		n := r.o.FrameLines - y
		if r.upcoming != nil {
			n = int(min(int64(n), int64(r.upcoming.start-at)))
		}
		r.stretch(pix[y*r.o.PixelsAcross:(y+n)*r.o.PixelsAcross], at, r.spots[y:y+n])
		y += n
	}
}

// stretch paints lines that hold one coil at most.
func (r *renderer) stretch(pix []byte, at inspection.EncoderCount, spots []spot) {
	w := r.o.PixelsAcross
	for y := range spots {
		row := pix[y*w : (y+1)*w]
		spots[y] = spot{}
		if r.cur != nil {
			spots[y] = r.locate(int64(at-r.cur.start) + int64(y))
		}
		r.paintLine(row, int64(at)+int64(y), spots[y])
	}
	if r.cur == nil {
		return
	}
	first := int64(at - r.cur.start)
	for _, s := range r.stamps {
		for line := max(first, s.line); line < min(first+int64(len(spots)), s.line+int64(s.h)); line++ {
			y := int(line - first)
			left, right := int(math.Ceil(spots[y].left)), int(math.Floor(spots[y].right))
			s.press(pix[y*w:(y+1)*w], spots[y].anchor+s.x, int(line-s.line), max(0, left), min(w, right))
		}
	}
}

func (r *renderer) paintLine(row []byte, count int64, s spot) {
	left, right := max(0, int(math.Floor(s.left))), min(len(row), int(math.Ceil(s.right)))
	if left >= right {
		r.paintTable(row, count, 0, len(row))
		return
	}
	// The table first, over the edge pixels too: what shows of it there is mixed in below.
	r.paintTable(row, count, 0, left+1)
	r.paintTable(row, count, right-1, len(row))
	tableLeft, tableRight := row[left], row[right-1]
	r.paintStrip(row, count, s, left, right)
	row[left] = blend(tableLeft, row[left], float64(left+1)-s.left)
	row[right-1] = blend(tableRight, row[right-1], s.right-float64(right-1))
	for i, f := range edgeProfile() {
		if x := left + i; x < right {
			row[x] = scale(row[x], f)
		}
		if x := right - 1 - i; x >= left {
			row[x] = scale(row[x], f)
		}
	}
}

// edgeProfile is how the rounded edge of the strip returns light, from the edge inward, in 1/256.
func edgeProfile() [8]uint32 { return [8]uint32{150, 196, 238, 268, 280, 276, 268, 261} }

func scale(p byte, f uint32) byte { return byte(min(255, (uint32(p)*f+128)>>8)) }

func blend(a, b byte, share float64) byte {
	f := int(256 * min(1, max(0, share)))
	return byte((int(a)*(256-f) + int(b)*f + 128) >> 8)
}

// tiles says where in a texture the lines of one stretch of tileLines are taken.
func (r *renderer) tiles(stretch int64) (across int, along int64) {
	h := mixSeed(r.seed, uint64(stretch))
	return int(h % tileSpread), int64(h >> 32 % tileLines)
}

func (r *renderer) noiseRow(count int64) []int8 {
	return r.noise[mixSeed(r.seed, forNoise, uint64(count))%noiseTable:]
}

// paintStrip paints the pixels [left, right) of a scan line that lie on the strip.
func (r *renderer) paintStrip(row []byte, count int64, s spot, left, right int) {
	line := count - int64(r.cur.start)
	k := line / levelStep
	a, b := r.levels(k), r.levels(k+1)
	t := r.textures[r.look.texture]

	// The grain fades from one place of the tile to the next, at constant power, so that it never
	// repeats; the roughness is too short for its jump to show.
	stretch, phase := count/tileLines, float64(count%tileLines)/tileLines
	x1, y1 := r.tiles(stretch)
	x2, y2 := r.tiles(stretch + 1)
	sin, cos := math.Sincos(phase * math.Pi / 2)

	// Texture and levels hang on the strip, lamp and noise on the camera.
	on := max(0, min(len(a)-(right-left), left-s.anchor+margin))
	flicker := 0.008*value(r.seed, float64(count)/60, 0.5) + 0.004*node(r.seed, int(count), 1)
	paint(row[left:right], ingredients{
		a: a[on:], b: b[on:],
		grain1: t.row(t.grain, count+y1, x1)[on:], grain2: t.row(t.grain, count+y2, x2)[on:],
		rough: t.row(t.rough, count+y1, x1)[on:], noise: r.noiseRow(count), gain: r.lamp[left:],
	}, mix{
		step:   int(line % levelStep),
		grain1: amplitude(r.look.grain * cos), grain2: amplitude(r.look.grain * sin),
		rough: amplitude(r.look.rough), noise: amplitude(r.noiseAmp), flicker: flicker,
	})
}

func (r *renderer) paintTable(row []byte, count int64, left, right int) {
	if left >= right {
		return
	}
	t := r.textures[0]
	x, y := r.tiles(count / tileLines)
	rough := t.row(t.rough, count+y, x)
	grain := t.row(t.grain, count+y, x)
	paint(row[left:right], ingredients{
		a: r.table[left:], b: r.table[left:], grain1: grain[left:], grain2: grain[left:], rough: rough[left:],
		noise: r.noiseRow(count)[left:], gain: r.lamp[left:],
	}, mix{
		grain1: amplitude(0.5), rough: amplitude(0.8), noise: amplitude(min(1.2, r.noiseAmp/2)),
		flicker: 0.35 * value(r.seed+1, float64(count)/420, 0.5),
	})
}

// levels is the row of levels at knot k of the coil at hand.
func (r *renderer) levels(k int64) []int16 {
	n := &r.knots[k%2]
	if n.coil != r.cur.number || n.k != k {
		n.coil, n.k = r.cur.number, k
		r.look.levels(n.row, r.acc, k, r.width, margin)
	}
	return n.row
}
