package inference

/*
#cgo CFLAGS: -O3 -std=c11
#include "kernel.h"
#include "second.h"
*/
import "C"

import (
	"unsafe"

	"github.com/coilsight/coilsight/inspection"
)

// blockSize is the side of a block in pixels; the kernel is written for it.
const blockSize = 8

// Planes of what the first pass measures of each block, as kernel.h defines them.
const (
	planeSum    = C.CS_SUM
	planeGX     = C.CS_GX
	planeGY     = C.CS_GY
	planePairLo = C.CS_PAIR_LO
	planePairHi = C.CS_PAIR_HI
	planeRowLo  = C.CS_ROW_LO
	planeRowHi  = C.CS_ROW_HI
	planeColLo  = C.CS_COL_LO
	planeColHi  = C.CS_COL_HI
	planes      = C.CS_PLANES
)

// rowBlocks is how many blocks a row of an image has: those that cover its width, and what fills up whole vectors.
func rowBlocks(width int) int { return int(C.cs_row_blocks(C.int(width))) }

// kernelPaths is the number of the kernel's paths on this processor. They give the same; the last is the fastest.
func kernelPaths() int { return int(C.cs_paths()) }

// firstPass measures the block rows [row0, row1) of img. Row r of plane m goes to
// blocks[m*plane + r*nb:], its column sums to cols[r*nb*8:], with the rowBlocks nb.
func firstPass(img inspection.LineImage, flat inspection.FlatField, row0, row1 int, blocks []uint16, plane int, cols []uint16, path int) {
	var g *C.uint16_t
	var o *C.uint8_t
	if flat.Gain != nil {
		g = (*C.uint16_t)(unsafe.Pointer(&flat.Gain[0]))
		if flat.Offset != nil {
			o = (*C.uint8_t)(unsafe.Pointer(&flat.Offset[0]))
		}
	}
	C.cs_first_pass((*C.uint8_t)(unsafe.Pointer(&img.Pix[0])), C.ptrdiff_t(img.Stride), C.int(img.Width), C.int(img.Height), g, o,
		C.int(row0), C.int(row1), (*C.uint16_t)(unsafe.Pointer(&blocks[0])), C.ptrdiff_t(plane), (*C.uint16_t)(unsafe.Pointer(&cols[0])), C.int(path))
}

// Measures of how a block stands out, as second.h defines them.
const (
	featurePatch   = C.CS_PATCH
	featureGradX   = C.CS_GRAD_X
	featureGradY   = C.CS_GRAD_Y
	featureTexture = C.CS_TEXTURE
	featureDark    = C.CS_DARK
	featureLight   = C.CS_LIGHT
	featureRow     = C.CS_ROW
	featureCol     = C.CS_COL
	featureLine32  = C.CS_LINE_32
	featureLine64  = C.CS_LINE_64
	featureLine128 = C.CS_LINE_128
	featureSmooth  = C.CS_SMOOTH
	features       = C.CS_FEATURES
	featureMargin  = C.CS_MARGIN
)

// rowSpan names block rows of a frame that stand behind rows of context: rows [start, first) are
// context, [first, end) the frame's.
type rowSpan struct{ start, first, end int }

// measureLines fills the planes of lines; scratch holds lineScratch(nb) numbers.
func measureLines(cols []uint16, nb int, s rowSpan, left, right []int32, scratch, feat []float32, plane int) {
	C.cs_lines((*C.uint16_t)(unsafe.Pointer(&cols[0])), C.int(nb), C.int(s.start), C.int(s.first), C.int(s.end),
		(*C.int32_t)(unsafe.Pointer(&left[0])), (*C.int32_t)(unsafe.Pointer(&right[0])),
		(*C.float)(unsafe.Pointer(&scratch[0])), (*C.float)(unsafe.Pointer(&feat[0])), C.ptrdiff_t(plane))
}

func lineScratch(nb int) int { return nb + (nb*8+64)/2 + 7*nb*8/2 }

// measureBlocks fills the planes that measureLines leaves; padded holds blockScratch(nb, rows) numbers.
func measureBlocks(blocks []uint16, blocksPlane, nb int, s rowSpan, left, right, steel []int32, padded []uint16, feat []float32, plane int) {
	C.cs_features((*C.uint16_t)(unsafe.Pointer(&blocks[0])), C.ptrdiff_t(blocksPlane), C.int(nb), C.int(s.start), C.int(s.first), C.int(s.end),
		(*C.int32_t)(unsafe.Pointer(&left[0])), (*C.int32_t)(unsafe.Pointer(&right[0])), (*C.int32_t)(unsafe.Pointer(&steel[0])),
		(*C.uint16_t)(unsafe.Pointer(&padded[0])), (*C.float)(unsafe.Pointer(&feat[0])), C.ptrdiff_t(plane))
}

func blockScratch(nb, rows int) int { return 4 * rows * (nb + 2*featureMargin) }

// smoother turns the textures that measureBlocks left into how far they lie below calm, those below least
// counting as least.
func smoother(texture []float32, calm, least float32) {
	C.cs_smoother((*C.float)(unsafe.Pointer(&texture[0])), C.int(len(texture)), C.float(calm), C.float(least))
}

// blockMeans gives the mean grey level of each of the first columns blocks of the rows of nb sums.
func blockMeans(sums []uint16, nb, columns int, means []byte) {
	C.cs_means((*C.uint16_t)(unsafe.Pointer(&sums[0])), C.int(nb), C.int(len(sums)/nb), C.int(columns), (*C.uint8_t)(unsafe.Pointer(&means[0])))
}

// blocksAtLeast tells how many of the first columns sums of the rows are least or more.
func blocksAtLeast(sums []uint16, nb, columns, least int) int {
	return int(C.cs_at_least((*C.uint16_t)(unsafe.Pointer(&sums[0])), C.int(nb), C.int(len(sums)/nb), C.int(columns), C.int(least)))
}

// greyLevels counts the first columns blocks of the rows by their grey level, rounded down, by their sums.
func greyLevels(sums []uint16, nb, columns int, count *[256]int32) {
	C.cs_grey_levels((*C.uint16_t)(unsafe.Pointer(&sums[0])), C.int(nb), C.int(len(sums)/nb), C.int(columns), (*C.int32_t)(unsafe.Pointer(&count[0])))
}

// quantileRoom is how much longer than twice the samples the room for them must be.
const quantileRoom = C.CS_ROOM

// quantile tells which step the given share of a measure's sizes stays below, on every each-th block of the mask,
// and of how many. A 0 is not taken; steps beyond the 256th count as it. room holds twice as many numbers and quantileRoom.
func quantile(feat []float32, m blockMask, each int, step, share float32, room []float32) (at, samples int) {
	q := C.cs_quantile((*C.float)(unsafe.Pointer(&feat[0])), C.int(m.nb), C.int(len(m.left)), (*C.int32_t)(unsafe.Pointer(&m.left[0])),
		(*C.int32_t)(unsafe.Pointer(&m.right[0])), C.int(each), C.float(step), C.float(share), (*C.float)(unsafe.Pointer(&room[0])))
	return int(q.at), int(q.samples)
}

// Kinds of blocks that a region may hold.
const (
	noBlock byte = iota
	strikingBlock
	smoothBlock
)

// scoreBlocks combines the blocks' measures, a row of nb each, inside the mask. kind, which has 8 numbers
// more, says what blocks that score least or more a region may hold.
func scoreBlocks(feat []float32, plane int, m blockMask, weight *[features]float32, least float32, score []float32, which []uint8, kind []byte) {
	C.cs_score((*C.float)(unsafe.Pointer(&feat[0])), C.ptrdiff_t(plane), C.int(m.nb), C.int(len(m.left)), (*C.int32_t)(unsafe.Pointer(&m.left[0])),
		(*C.int32_t)(unsafe.Pointer(&m.right[0])), (*C.float)(unsafe.Pointer(&weight[0])), C.float(least), (*C.float)(unsafe.Pointer(&score[0])),
		(*C.uint8_t)(unsafe.Pointer(&which[0])), (*C.uint8_t)(unsafe.Pointer(&kind[0])))
}
