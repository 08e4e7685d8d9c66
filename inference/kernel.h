// The detector's work on pixels: what is measured of each block of 8 x 8 pixels in one pass.
#ifndef COILSIGHT_KERNEL_H
#define COILSIGHT_KERNEL_H

#include <stddef.h>
#include <stdint.h>

// Measures of a block, one plane of uint16 each. A run is 8 pixels of one row or one column of the
// block; a pair is the rounded mean of 2 x 2 neighbours, which halves the noise of a single pixel.
enum {
    CS_SUM,     // sum of the 64 pixels
    CS_GX,      // sum of |p(x+1) - p(x)|: 64 differences, the last reaching into the block to the right
    CS_GY,      // sum of |p(y+1) - p(y)| inside the block: 56 differences
    CS_PAIR_LO, // darkest and brightest pair
    CS_PAIR_HI,
    CS_ROW_LO, // darkest and brightest run along a row, as the sum of 8 pixels
    CS_ROW_HI,
    CS_COL_LO, // the same along a column
    CS_COL_HI,
    CS_PLANES
};

// Rows of blocks are as long as a multiple of CS_WHOLE, so that whole vectors fit: what stands beyond the image repeats
// its last column.
#define CS_WHOLE 16

// cs_row_blocks is how many blocks a row of an image has.
static inline int cs_row_blocks(int width) { return (width + 8 * CS_WHOLE - 1) / (8 * CS_WHOLE) * CS_WHOLE; }

// cs_paths is the number of paths that this processor has the instructions for, each faster than the one before and bit
// for bit the same: 0 plain C; on amd64 1 AVX2 and 2 AVX-512, on arm64 1 NEON.
int cs_paths(void);

// cs_first_pass measures the block rows [row0, row1) of an image. Pixels pass through the flat field
// (gain: Q14, one factor a column; NULL: one; offset: what is taken off a column before, NULL: nothing; it needs a gain) and are never written. Where height is not a
// multiple of 8, the last row is repeated, and where width is none of 8*CS_WHOLE, the last column. Measure m of block (r, b)
// goes to blocks[m*plane + r*nb + b] with nb = cs_row_blocks(width), the sum of column x over the 8 rows to
// cols[r*nb*8 + x]. number is the path's, below cs_paths().
void cs_first_pass(const uint8_t *pix, ptrdiff_t stride, int width, int height, const uint16_t *gain, const uint8_t *offset,
                   int row0, int row1, uint16_t *blocks, ptrdiff_t plane, uint16_t *cols, int number);

#endif
