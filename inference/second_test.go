package inference

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// measured is what the first pass left of a frame and of the rows before it, and where the strip lies in it.
type measured struct {
	nb                 int
	rows               rowSpan
	blocks             [planes][]uint16
	cols               []uint16
	left, right, steel []int32
}

func (m *measured) plane() int { return m.rows.end * m.nb }

// slow says in the plainest way what the second pass must compute: the planes of measures, a row of nb blocks each.
// Fractions are rounded after each step as the kernel's are.
func (m *measured) slow() (feat [features][]float32) {
	for f := range feat {
		feat[f] = make([]float32, (m.rows.end-m.rows.first)*m.nb)
	}
	third := float32(1) / 3
	for r := m.rows.first; r < m.rows.end; r++ {
		for b := range m.nb {
			i := (r-m.rows.first)*m.nb + b
			at := func(plane int) float32 { return float32(m.blocks[plane][r*m.nb+b]) }
			gx, gy, sums := m.of(planeGX), m.of(planeGY), m.of(planeSum)
			ranges := func(r, b int) int { return m.of(planePairHi)(r, b) - m.of(planePairLo)(r, b) }
			unit := 100 / max(m.box(sums, 7, r, b), 8*64)
			near := m.box(sums, 1, r, b)
			feat[featurePatch][i] = float32(near-m.box(sums, 4, r, b)) * unit
			feat[featureGradX][i] = m.box(gx, 1, r, b) * unit
			feat[featureGradY][i] = m.box(gy, 1, r, b) * float32(unit*(float32(64)/56))
			texture := m.box(ranges, 2, r, b) * float32(unit*64)
			feat[featureTexture][i] = texture
			feat[featureDark][i] = float32(near-64*at(planePairLo)) * unit
			feat[featureLight][i] = float32(64*at(planePairHi)-near) * unit
			feat[featureRow][i] = farther(8*at(planeRowLo)-at(planeSum), 8*at(planeRowHi)-at(planeSum)) * unit
			feat[featureCol][i] = farther(8*at(planeColLo)-at(planeSum), 8*at(planeColHi)-at(planeSum)) * unit

			x := max(float32(2*m.box(gx, 2, r, b))*unit, 1)
			y := max(float32(float32(2*float32(float32(64)/56))*m.box(gy, 2, r, b))*unit, 1)
			p := math.Float32bits(float32(x*y) * max(2*texture, 1))
			mantissa := math.Float32frombits(p&0x7fffff | 0x3f800000)
			parabola := float32(float32(2-float32(mantissa*third)) * mantissa)
			feat[featureSmooth][i] = float32(float32(float32(int(p>>23)-127)+parabola)-float32(5)/3) * float32(float32(100*float32(0.69314718))/3)
		}
	}
	for f, rows := range map[int]int{featureLine32: 4, featureLine64: 8, featureLine128: 16} {
		m.slowLines(rows, feat[f])
	}
	return feat
}

// farther is whichever of the two runs differs most, the bright one where it lies farther off than the dark one.
func farther(dark, light float32) float32 {
	if light > -dark {
		return light
	}
	return dark
}

// of reads a plane as the windows see it: rows that show no strip are like the nearest that does, and beyond the strip's
// edges stands the edge's block.
func (m *measured) of(plane int) func(r, b int) int {
	return func(r, b int) int {
		like := int(m.steel[r])
		l, to := int(m.left[like]+7)/8, int(m.right[like])/8
		if to <= l {
			l, to = 0, m.nb
		}
		return int(m.blocks[plane][like*m.nb+min(max(b, l), to-1)])
	}
}

// box is a mean over blocks: as many rows above as below, which the frame's border may make fewer.
func (m *measured) box(v func(r, b int) int, half, r, b int) float32 {
	h := min(half, r-m.rows.start, m.rows.end-1-r)
	sum := 0
	for y := r - h; y <= r+h; y++ {
		for x := b - half; x <= b+half; x++ {
			sum += v(y, x)
		}
	}
	return float32(sum) * (1 / float32((2*h+1)*(2*half+1)))
}

func (m *measured) slowLines(rows int, out []float32) {
	n, step := m.nb*8, rows/2
	for stop := m.rows.first; stop < m.rows.end; {
		stop = min(stop+step, m.rows.end)
		from := max(stop-rows, m.rows.start)
		l, r := int(slices.Max(m.left[from:stop])), min(n, int(slices.Min(m.right[from:stop])))
		if stop-from < step || r-l < 32 {
			continue
		}
		means := make([]int, n)
		for x := range means {
			for y := from; y < stop; y++ {
				means[x] += int(m.cols[y*n+x])
			}
			means[x] = means[x] * (65536 / (stop - from)) >> 16
		}
		// mean of the columns [x, to), in eighths of a grey level times 64; beyond the strip stands the mean of its last eight.
		sum := func(x, to int) (v int) {
			for ; x < to; x++ {
				switch {
				case x < l:
					v += total(means[l:l+8]) / 8
				case x >= r:
					v += total(means[r-8:r]) / 8
				default:
					v += means[x]
				}
			}
			return v
		}
		third := func(v, by int) int { return (v*by>>14 + 1) >> 1 }
		for b := (l + 7) / 8; b < r/8; b++ {
			dark, light := 0, 0
			for x := b * 8; x < b*8+8; x++ {
				three, five := third(4*sum(x-1, x+2), 21845), third(2*sum(x-2, x+3), 26214)
				dark = max(dark, min(sum(x-11, x-3), sum(x+4, x+12))-three, min(sum(x-12, x-4), sum(x+5, x+13))-five)
				light = max(light, three-max(sum(x-11, x-3), sum(x+4, x+12)), five-max(sum(x-12, x-4), sum(x+5, x+13)))
			}
			most := -dark
			if light > dark {
				most = light
			}
			best := float32(most) * 200 / float32(max(sum(8*b-8, 8*b)+sum(8*b+8, 8*b+16), 2*8*64))
			for y := max(from, m.rows.first); y < stop; y++ {
				if i := (y-m.rows.first)*m.nb + b; max(best, -best) > max(out[i], -out[i]) {
					out[i] = best
				}
			}
		}
	}
}

func total(v []int) (sum int) {
	for _, x := range v {
		sum += x
	}
	return sum
}

// randomMeasured makes strip with lines and spots, and an outline that tapers, breaks off and starts anew.
func randomMeasured(r *rand.Rand, nb, held, rows int) *measured {
	m := &measured{nb: nb, rows: rowSpan{contextRows - held, contextRows, contextRows + rows}}
	img := drawStrip(r, nb*8-r.IntN(120), m.rows.end*8, 10+r.Float64()*180)
	for range r.IntN(12) {
		x, y := r.IntN(img.Width), r.IntN(img.Height)
		add(img, x, y, min(1+r.IntN(40), img.Width-x), min(1+r.IntN(200), img.Height-y), r.Float64()*160-80)
	}
	blocks := make([]uint16, planes*m.plane())
	m.cols = make([]uint16, m.plane()*8)
	firstPass(img, inspection.FlatField{}, 0, m.rows.end, blocks, m.plane(), m.cols, 0)
	for f := range m.blocks {
		m.blocks[f] = blocks[f*m.plane() : (f+1)*m.plane()]
	}
	m.left, m.right, m.steel = make([]int32, m.rows.end), make([]int32, m.rows.end), make([]int32, m.rows.end)
	l, w := r.IntN(nb*4), nb*2+r.IntN(nb*4)
	for y := range m.rows.end {
		if r.IntN(12) == 0 {
			l, w = r.IntN(nb*4), r.IntN(nb*8)
		}
		m.left[y], m.right[y] = int32(min(l, img.Width)), int32(min(l+w, img.Width))
	}
	steel := int32(m.rows.start + r.IntN(m.rows.end-m.rows.start))
	for y := range m.steel {
		if r.IntN(8) > 0 && y >= m.rows.start {
			steel = int32(y)
		}
		m.steel[y] = steel
	}
	return m
}

func checkSecondPass(t *testing.T, m *measured) {
	t.Helper()
	n := (m.rows.end - m.rows.first) * m.nb
	feat := make([]float32, features*n)
	blocks := slices.Concat(m.blocks[:]...)
	measureBlocks(blocks, m.plane(), m.nb, m.rows, m.left, m.right, m.steel, make([]uint16, blockScratch(m.nb, m.rows.end)), feat, n)
	measureLines(m.cols, m.nb, m.rows, m.left, m.right, make([]float32, lineScratch(m.nb)), feat, n)
	for f, want := range m.slow() {
		for i, w := range want {
			if g := feat[f*n+i]; math.Float32bits(g) != math.Float32bits(w) && g != w {
				t.Fatalf("%d blocks a row, rows %+v: measure %d of block (%d,%d) is %g, want %g", m.nb, m.rows, f, i%m.nb, i/m.nb, g, w)
			}
		}
	}
	checkScores(t, m, feat, n)
	checkQuantiles(t, m, feat, n)
}

// checkQuantiles holds the quantiles of each measure against those of its sorted sizes.
func checkQuantiles(t *testing.T, m *measured, feat []float32, n int) {
	t.Helper()
	inside := blockMask{left: m.left[m.rows.first:], right: m.right[m.rows.first:], nb: m.nb}
	for f := range features {
		var steps []int
		for r := range inside.left {
			from, to := inside.row(r)
			for b := from + r%inside.each(); b < min(to, m.nb); b += inside.each() {
				if v := feat[f*n+r*m.nb+b]; v != 0 {
					steps = append(steps, min(255, int(max(v, -v)*(1/float32(levelStep)))))
				}
			}
		}
		slices.Sort(steps)
		for _, share := range []float32{0.1, 0.5} {
			want := float32(0)
			for i, s := range steps {
				if float32(i+1) > share*float32(len(steps)) {
					want = (float32(s) + 0.5) * levelStep
					break
				}
			}
			got, samples := inside.quantile(feat[f*n:(f+1)*n], share, levelStep, make([]float32, 2*inside.sampled()+quantileRoom))
			if got != want || samples != len(steps) {
				t.Fatalf("%g of measure %d lie below %g, of %d samples; want %g, %d", share, f, got, samples, want, len(steps))
			}
		}
	}
}

// checkScores holds scores, measures and kinds of blocks against the plainest way to get them.
func checkScores(t *testing.T, m *measured, feat []float32, n int) {
	t.Helper()
	rows := m.rows.end - m.rows.first
	inside := blockMask{left: m.left[m.rows.first:], right: m.right[m.rows.first:], nb: m.nb}
	var weight [features]float32
	for f := range weight {
		weight[f] = 1 / float32(10+f)
	}
	score, which, kind := make([]float32, n), make([]uint8, n), make([]byte, n+8)
	scoreBlocks(feat, n, inside, &weight, growAt, score, which, kind)
	for r := range rows {
		from, to := inside.row(r)
		for b := range m.nb {
			i := r*m.nb + b
			best, number, of := float32(0), 0, noBlock
			if b >= from && b < to {
				for f := range features {
					if s := float32(max(feat[f*n+i], -feat[f*n+i]) * weight[f]); s > best {
						best, number = s, f
					}
				}
				switch {
				case best < growAt:
				case number == featureSmooth:
					of = smoothBlock
				default:
					of = strikingBlock
				}
			}
			if k := kind[i]; score[i] != best || int(which[i]) != number || k != of {
				t.Fatalf("block (%d,%d) scores %g by measure %d as kind %d, want %g, %d, %d", b, r, score[i], which[i], k, best, number, of)
			}
		}
	}
}

func TestSecondPassEqualsReference(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, nb := range []int{16, 32, 64, 304} { // the last is longer than a tile of lines
		for _, held := range []int{0, 1, 3, 8, 16} {
			for _, rows := range []int{1, 2, 5, 16, 33} {
				checkSecondPass(t, randomMeasured(r, nb, held, rows))
			}
		}
	}
}

func FuzzSecondPassEqualsReference(f *testing.F) {
	f.Add(uint64(1), uint16(40), uint8(16), uint8(32))
	f.Add(uint64(2), uint16(8), uint8(0), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, nb uint16, held, rows uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		checkSecondPass(t, randomMeasured(r, 16+16*(int(nb)%32), int(held)%(contextRows+1), 1+int(rows)%48))
	})
}
