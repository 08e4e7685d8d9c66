package mill

import "math"

// A texture's rows repeat after this many lines; what is laid over them does not, so no pattern of
// this length comes back.
const (
	tileLines  = 512
	tileSpread = 512 // offsets across at which a row may be taken
	unit       = 32  // one standard deviation in a tile
)

// texture is the fine structure of a strip surface, ready to be mixed.
type texture struct {
	width        int
	grain, rough []int8 // tileLines rows of width
}

// newTexture makes rows for strips of at most the given pixels across. along is the length over which the
// grain holds, in lines; cell the size of the rough structure, in pixels.
func newTexture(seed uint64, pixels int, along, cell float64) *texture {
	t := &texture{width: pixels + 2*margin + tileSpread}
	n := t.width * tileLines
	buf := make([]float32, n)

	// Grain: noise smoothed far along and hardly across, at two lengths.
	fill(buf, mixSeed(seed, 1))
	smoothAlong(buf, t.width, along)
	short := make([]float32, n)
	fill(short, mixSeed(seed, 2))
	smoothAlong(short, t.width, along/6)
	for i := range buf {
		buf[i] += 0.8 * short[i]
	}
	smoothAcross(buf, t.width, 0.35)
	t.grain = quantise(buf)

	// Roughness: as much along as across, from pits of a pixel to cells; dark pits outweigh bright ones.
	fill(buf, mixSeed(seed, 3))
	smoothAlong(buf, t.width, cell)
	smoothAcross(buf, t.width, math.Exp(-1/cell))
	fill(short, mixSeed(seed, 4))
	smoothAlong(short, t.width, 1)
	smoothAcross(short, t.width, 0.3)
	normalise(buf)
	normalise(short)
	for i := range buf {
		v := buf[i] + 0.7*short[i]
		buf[i] = v - 0.12*v*v
	}
	t.rough = quantise(buf)
	return t
}

// fill puts white noise of deviation 1 into buf: a sum of four uniform parts of one hash.
func fill(buf []float32, seed uint64) {
	state := seed
	for i := range buf {
		state += 0x9e3779b97f4a7c15
		h := (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9
		h = (h ^ (h >> 27)) * 0x94d049bb133111eb
		h ^= h >> 31
		s := int(h&0xffff) + int(h>>16&0xffff) + int(h>>32&0xffff) + int(h>>48)
		buf[i] = float32(s-131070) * (1 / 37837.0)
	}
}

// smoothAlong applies a recursive low pass down the columns, both ways and around the end, so that
// the last row continues into the first; the deviation is 1 again afterwards.
func smoothAlong(buf []float32, width int, lines float64) {
	k := float32(math.Exp(-1 / lines))
	rows := len(buf) / width
	state := make([]float32, width)
	pass := func(y int, write bool) {
		row := buf[y*width : (y+1)*width]
		for x, v := range row {
			state[x] = v + k*(state[x]-v)
		}
		if write {
			copy(row, state)
		}
	}
	// Rows that are only read first fill the state, so that what is written goes on from the far end;
	// six lengths away nothing is left to go on from.
	warm := min(rows, int(6*lines)+1)
	for y := -warm; y < rows; y++ {
		pass((y+rows)%rows, y >= 0)
	}
	clear(state)
	for y := rows + warm - 1; y >= 0; y-- {
		pass(y%rows, y < rows)
	}
	normalise(buf)
}

// smoothAcross is the same along the rows, without going around; the deviation shrinks.
func smoothAcross(buf []float32, width int, k float64) {
	f := float32(k)
	for o := 0; o < len(buf); o += width {
		row := buf[o : o+width]
		for x := 1; x < len(row); x++ {
			row[x] = (1-f)*row[x] + f*row[x-1]
		}
		for x := len(row) - 2; x >= 0; x-- {
			row[x] = (1-f)*row[x] + f*row[x+1]
		}
	}
}

func normalise(buf []float32) {
	var sum, square float64
	for _, v := range buf {
		sum += float64(v)
		square += float64(v) * float64(v)
	}
	n := float64(len(buf))
	mean := sum / n
	scale := float32(1 / math.Sqrt(max(1e-12, square/n-mean*mean)))
	for i := range buf {
		buf[i] = (buf[i] - float32(mean)) * scale
	}
}

func quantise(buf []float32) []int8 {
	normalise(buf)
	out := make([]int8, len(buf))
	for i, v := range buf {
		out[i] = int8(max(-127, min(127, math.Round(float64(v)*unit))))
	}
	return out
}

func (t *texture) row(tile []int8, line int64, offset int) []int8 {
	y := int(((line % tileLines) + tileLines) % tileLines)
	return tile[y*t.width+offset : (y+1)*t.width]
}
