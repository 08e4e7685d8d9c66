// The detector's second pass: how much each block stands out from the strip around it. It works on
// what the first pass left, 1/64 of the pixels and 1/8 of their columns.
#ifndef COILSIGHT_SECOND_H
#define COILSIGHT_SECOND_H

#include <stddef.h>
#include <stdint.h>

// Measures of how a block differs, in percent of the brightness around it. Signed ones are positive
// where the block is brighter.
enum {
    CS_PATCH,   // mean of 3 x 3 blocks less that of 9 x 9, signed
    CS_GRAD_X,  // gradient across, over 3 x 3 blocks
    CS_GRAD_Y,  // gradient along, over 3 x 3 blocks
    CS_TEXTURE, // brightest less darkest pair of a block, over 5 x 5 blocks
    CS_DARK,    // the block's darkest pair against the mean of 3 x 3 blocks
    CS_LIGHT,   // its brightest pair
    CS_ROW,     // the run along a row that differs most from the block's mean, signed
    CS_COL,     // the run along a column that differs most, signed
    CS_LINE_32, // line along the strip over 32, 64 and 128 scan lines, signed
    CS_LINE_64,
    CS_LINE_128,
    CS_SMOOTH,  // texture over 5 x 5 blocks: 100 times the mean logarithm of both gradients and the range, each in half percents; after cs_smoother how far that is below the strip's calmest parts
    CS_FEATURES
};

// All that is laid out in rows of nb blocks has rows as long as kernel.h says.

// CS_STEPS is how many steps of a measure are told apart.
#define CS_STEPS 256

#define CS_ROOM 256

// CS_MARGIN blocks of the strip's edge value stand on either side of a padded row.
#define CS_MARGIN 16

// cs_lines fills the planes of lines for the block rows [first, end). cols holds the column sums from
// row start on (row r at cols[r*nb*8]), inside the columns of strip [left[r], right[r]), edge exclusive
// of whatever is not steel. feat is laid out as feat[f*plane + (r-first)*nb + b].
void cs_lines(const uint16_t *cols, int nb, int start, int first, int end, const int32_t *left, const int32_t *right,
              float *scratch, float *feat, ptrdiff_t plane);

// cs_features fills the other planes. steel names for each row the nearest that shows strip: itself, or
// the one that stands in for it beyond the head or tail end. padded has room for 4 * (end-start) * (nb+2*CS_MARGIN) numbers.
void cs_features(const uint16_t *blocks, ptrdiff_t blocks_plane, int nb, int start, int first, int end, const int32_t *left,
                 const int32_t *right, const int32_t *steel, uint16_t *padded, float *feat, ptrdiff_t plane);

// cs_smoother turns n textures, as cs_features leaves them in CS_SMOOTH, into how far they lie below calm, and 0 above.
// A texture below least counts as least.
void cs_smoother(float *texture, int n, float calm, float least);

// cs_means gives the mean of each of the first n blocks of the rows, of its sum, in whole grey levels; those of a row
// follow those of the one before.
void cs_means(const uint16_t *sums, int nb, int rows, int n, uint8_t *means);

// cs_at_least tells how many of the first n sums of the rows are least or more.
int cs_at_least(const uint16_t *sums, int nb, int rows, int n, int least);

// cs_grey_levels counts the first n blocks of the rows by grey level, rounded down: count holds 256 numbers.
void cs_grey_levels(const uint16_t *sums, int nb, int rows, int n, int32_t *count);

// cs_share is a step, and the number of samples that say so.
typedef struct {
    int at, samples;
} cs_share;

// cs_quantile tells which step the given share of a measure's sizes stays below, of those on every each-th block between
// left and right of the rows. A 0 is not taken, the last of the CS_STEPS steps holds all that is larger. samples has room for
// twice as many numbers as there are such blocks, and CS_ROOM more.
cs_share cs_quantile(const float *feat, int nb, int rows, const int32_t *left, const int32_t *right, int each, float step,
                     float share, float *samples);

// cs_score combines the blocks' measures: score is the greatest of |f| * weight[f], which the measure of that number gave,
// both 0 for blocks that do not lie wholly between left and right of their row. kind says whether a region may hold the
// block: 0 where its score is below least, 2 where its smoothness is what scored, 1 where anything else is. Behind
// the last, 8 numbers of kind are 0.
void cs_score(const float *feat, ptrdiff_t plane, int nb, int rows, const int32_t *left, const int32_t *right, const float *weight,
              float least, float *score, uint8_t *which, uint8_t *kind);

#endif
