#include "second.h"

#include <math.h>
#include <string.h>

#include "kernel.h"

// The loops below are plain C that the compiler turns into vectors; on amd64 it does so three times and
// the loader picks by processor.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(COILSIGHT_PLAIN)
#define VECTORED __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define VECTORED
#endif

// WHOLE tells the compiler that whole vectors fit: it then makes no loop for what is left over.
#define WHOLE(n)                     \
    do {                             \
        if ((n) < CS_WHOLE || (n) % CS_WHOLE) \
            __builtin_unreachable(); \
    } while (0)

static inline float fmin2(float a, float b) { return a < b ? a : b; }
static inline float fmax2(float a, float b) { return a > b ? a : b; }

// LINE_TILE columns at a time keep what a window needs in the first-level cache.
#define LINE_TILE 2048

// fraction is a * by / 32768, rounded.
static inline int16_t fraction(int16_t a, int16_t by) { return (int16_t)(((((int32_t)a * by) >> 14) + 1) >> 1); }

static inline int16_t min16(int16_t a, int16_t b) { return a < b ? a : b; }
static inline int16_t max16(int16_t a, int16_t b) { return a > b ? a : b; }

// line_window answers for one window of rows: c holds the column means in eighths of a grey level, with 16 columns of
// margin on either side. A block's best is how far its columns lie beyond both their flanks, in percent.
VECTORED static void line_window(const int16_t *restrict c, int16_t *restrict two, int16_t *restrict eight, int16_t *restrict dark,
                                 int16_t *restrict light, int n) {
    WHOLE(n);
    // eight[i] is the sum of c[i..i+8), and so are the centres' means times 64. Up to n+24 they are asked for.
    for (int i = 0; i < n + 48; i++)
        two[i] = (int16_t)(c[i] + c[i + 1]);
    for (int i = 0; i < n + 32; i++)
        eight[i] = (int16_t)(two[i] + two[i + 2] + two[i + 4] + two[i + 6]);
    for (int i = 0; i < n; i++) {
        const int x = i + 16;
        const int16_t three = fraction((int16_t)(4 * (c[x - 1] + c[x] + c[x + 1])), 21845);
        const int16_t five = fraction((int16_t)(2 * (two[x - 2] + two[x] + c[x + 2])), 26214);
        // The flanks are 8 columns wide and begin 2 columns beyond the centre's own.
        const int16_t l3 = eight[x - 11], r3 = eight[x + 4], l5 = eight[x - 12], r5 = eight[x + 5];
        dark[i] = max16((int16_t)(min16(l3, r3) - three), (int16_t)(min16(l5, r5) - five));
        light[i] = max16((int16_t)(three - max16(l3, r3)), (int16_t)(five - max16(l5, r5)));
    }
}

// most gives the greatest number of each block of 8.
VECTORED static void most(const int16_t *restrict v, int16_t *restrict two, int16_t *restrict four, int16_t *restrict to, int blocks) {
    WHOLE(blocks);
    for (int i = 0; i < 4 * blocks; i++)
        two[i] = max16(v[2 * i], v[2 * i + 1]);
    for (int i = 0; i < 2 * blocks; i++)
        four[i] = max16(two[2 * i], two[2 * i + 1]);
    for (int i = 0; i < blocks; i++)
        to[i] = max16(four[2 * i], four[2 * i + 1]);
}

// DIM is the sum of a block of columns at a grey level of 8: what is darker counts as that.
#define DIM (8 * 64)

// line_blocks turns the blocks' greatest differences into responses. level[b] is the sum of the block before b: the
// brightness is that of the blocks on either side. dark and light are worked in. (Whole numbers first and fractions in a
// loop of their own: together the compiler makes branches and no vectors.)
VECTORED static void line_blocks(int16_t *restrict dark, int16_t *restrict light, const int16_t *restrict level, int blocks,
                                 float *restrict best) {
    WHOLE(blocks);
    for (int b = 0; b < blocks; b++) {
        const int16_t d = max16(dark[b], 0), l = max16(light[b], 0);
        light[b] = l > d ? l : (int16_t)-d;
        dark[b] = max16((int16_t)(level[b] + level[b + 2]), 2 * DIM);
    }
    for (int b = 0; b < blocks; b++)
        best[b] = (float)light[b] * 200 / (float)dark[b];
}

// sum_rows adds up the column sums of a few rows: 16 at most, since 16 * 8 * 255 fits.
VECTORED static void sum_rows(const uint16_t *restrict cols, int n, int rows, uint16_t *restrict sum) {
    WHOLE(n);
    memset(sum, 0, sizeof *sum * (size_t)n);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < n; i++)
            sum[i] = (uint16_t)(sum[i] + cols[(ptrdiff_t)r * n + i]);
}

VECTORED static void add_sums(const uint16_t *restrict a, const uint16_t *restrict b, int n, uint16_t *restrict both) {
    WHOLE(n);
    for (int i = 0; i < n; i++)
        both[i] = (uint16_t)(a[i] + b[i]);
}

// to_means gives the means of so many rows of column sums, in eighths of a grey level.
VECTORED static void to_means(const uint16_t *restrict sum, int n, int rows, int16_t *restrict c) {
    WHOLE(n);
    const uint16_t share = (uint16_t)(65536 / rows);
    for (int i = 0; i < n; i++)
        c[i] = (int16_t)(((uint32_t)sum[i] * share) >> 16);
}

// extend gives the columns outside [l, r) the mean of the eight next to them inside: what is not strip
// looks like its edge and so does not respond.
static void extend(int16_t *c, int n, int l, int r) {
    int a = 0, b = 0;
    if (r - l < 8)
        l = 0, r = n;
    for (int i = 0; i < 8; i++) {
        a += c[l + i];
        b += c[r - 1 - i];
    }
    for (int i = -16; i < l; i++)
        c[i] = (int16_t)(a / 8);
    for (int i = r; i < n + 17; i++)
        c[i] = (int16_t)(b / 8);
}

// stronger keeps in to whichever lies farther from zero.
VECTORED static void stronger(float *restrict to, const float *restrict v, int n) {
    WHOLE(n);
    for (int i = 0; i < n; i++)
        to[i] = fabsf(v[i]) > fabsf(to[i]) ? v[i] : to[i];
}

// Windows of one length move on by half of it. The two halves are those of the windows half as long, so that a row is
// added up once.
typedef struct {
    uint16_t *before; // sum of the half that a window has in common with the one before
    uint16_t *both;   // sum of the window
} halves;

// window_lines looks for lines in one window, whose columns' means stand in c, inside the columns [l, r).
static void window_lines(int16_t *c, int n, int l, int r, float *best) {
    int16_t two[LINE_TILE + 64], eight[LINE_TILE + 64], dark[LINE_TILE], light[LINE_TILE];
    int16_t darkest[LINE_TILE / 8], lightest[LINE_TILE / 8], level[LINE_TILE / 8 + 2];
    extend(c + 16, n, l, r);
    for (int x0 = 0; x0 < n; x0 += LINE_TILE) {
        const int m = n - x0 < LINE_TILE ? n - x0 : LINE_TILE;
        line_window(c + x0, two, eight, dark, light, m);
        for (int b = 0; b < m / 8 + 2; b++)
            level[b] = eight[8 * b + 8];
        most(dark, two, eight, darkest, m / 8);
        most(light, two, eight, lightest, m / 8);
        line_blocks(darkest, lightest, level, m / 8, best + x0 / 8);
    }
}

void cs_lines(const uint16_t *cols, int nb, int start, int first, int end, const int32_t *left, const int32_t *right,
              float *scratch, float *feat, ptrdiff_t plane) {
    const int n = nb * 8;
    float *best = scratch;
    int16_t *c = (int16_t *)(scratch + nb);
    uint16_t *sums = (uint16_t *)(c + n + 64), *pair = sums;
    halves lengths[3];
    for (int f = 0; f < 3; f++) {
        lengths[f] = (halves){sums + (2 * f + 1) * n, sums + (2 * f + 2) * n};
        const int step = 2 << f, from = first - step > start ? first - step : start;
        sum_rows(cols + (ptrdiff_t)from * n, n, first - from, lengths[f].before);
        memset(feat + (CS_LINE_32 + f) * plane, 0, sizeof(float) * (size_t)nb * (size_t)(end - first));
    }
    for (int at = first; at < end; at += 2) {
        const int stop = at + 2 < end ? at + 2 : end;
        sum_rows(cols + (ptrdiff_t)at * n, n, stop - at, pair);
        uint16_t **half = &pair;
        for (int f = 0; f < 3; f++) {
            halves *h = &lengths[f];
            const int rows = 4 << f, step = rows / 2, from = stop - rows > start ? stop - rows : start;
            if ((stop - first) % step == 0) {
                uint16_t *now = *half;
                add_sums(h->before, now, n, h->both);
                *half = h->before;
                h->before = now;
            } else if (stop < end || stop - from < step) { // too few rows would leave more noise than the limits allow for
                break;
            } else {
                sum_rows(cols + (ptrdiff_t)from * n, n, stop - from, h->both);
            }
            half = &h->both;
            int l = 0, r = n;
            for (int i = from; i < stop; i++) {
                l = left[i] > l ? left[i] : l;
                r = right[i] < r ? right[i] : r;
            }
            if (r - l < 32)
                continue;
            to_means(h->both, n, stop - from, c + 16);
            window_lines(c, n, l, r, best);
            float *out = feat + (CS_LINE_32 + f) * plane;
            const int b0 = (l + 7) / 8, b1 = r / 8;
            memset(best, 0, sizeof *best * (size_t)b0);
            memset(best + b1, 0, sizeof *best * (size_t)(nb - b1));
            for (int i = from > first ? from : first; i < stop; i++)
                stronger(out + (ptrdiff_t)(i - first) * nb, best, nb);
        }
    }
}

static void pad_row(const uint16_t *src, int nb, int l, int r, uint16_t *dst) {
    if (r <= l)
        l = 0, r = nb;
    for (int i = 0; i < l + CS_MARGIN; i++)
        dst[i] = src[l];
    memcpy(dst + CS_MARGIN + l, src + l, sizeof(uint16_t) * (size_t)(r - l));
    for (int i = r + CS_MARGIN; i < nb + 2 * CS_MARGIN; i++)
        dst[i] = src[r - 1];
}

// A window's rows are summed up as it moves along: what enters is added, what it leaves taken off.
typedef struct {
    int half, from, to; // the window reaches half blocks to every side; the rows summed up, to exclusive
    uint32_t *sum;
} window;

VECTORED static void add(uint32_t *restrict sum, const uint16_t *restrict row, int n) {
    WHOLE(n);
    for (int i = 0; i < n; i++)
        sum[i] += row[i];
}

VECTORED static void take(uint32_t *restrict sum, const uint16_t *restrict row, int n) {
    WHOLE(n);
    for (int i = 0; i < n; i++)
        sum[i] -= row[i];
}

VECTORED static void add_across(const uint32_t *restrict v, int half, float scale, uint32_t *restrict two, uint32_t *restrict four,
                                float *restrict out, int n) {
    WHOLE(n);
    // two[i] and four[i] are the sums of the numbers from v[i] on. Up to n + 2*half they are asked for.
    if (half > 1)
        for (int i = 0; i < n + CS_MARGIN; i++)
            two[i] = v[i] + v[i + 1];
    if (half > 2)
        for (int i = 0; i < n + CS_MARGIN; i++)
            four[i] = two[i] + two[i + 2];
    switch (half) {
    case 1:
        for (int i = 0; i < n; i++)
            out[i] = (float)(int32_t)(v[i] + v[i + 1] + v[i + 2]) * scale;
        break;
    case 2:
        for (int i = 0; i < n; i++)
            out[i] = (float)(int32_t)(two[i] + two[i + 2] + v[i + 4]) * scale;
        break;
    case 4:
        for (int i = 0; i < n; i++)
            out[i] = (float)(int32_t)(four[i] + four[i + 4] + v[i + 8]) * scale;
        break;
    case 7:
        for (int i = 0; i < n; i++)
            out[i] = (float)(int32_t)(four[i] + four[i + 4] + four[i + 8] + two[i + 12] + v[i + 14]) * scale;
        break;
    }
}

// box is the mean over the 2*half+1 blocks across and the rows around r, as many above as below, so that a gradient
// along the strip does not look like a difference where the frame ends. It is asked for one row after the other.
static void box(window *w, const uint16_t *rows, int width, int start, int end, int r, uint32_t *two, uint32_t *four, float *out, int n) {
    int h = w->half;
    if (h > r - start)
        h = r - start;
    if (h > end - 1 - r)
        h = end - 1 - r;
    if (w->to == 0) {
        memset(w->sum, 0, sizeof *w->sum * (size_t)width);
        w->from = w->to = r - h;
    }
    for (; w->to < r + h + 1; w->to++)
        add(w->sum, rows + (ptrdiff_t)(w->to - start) * width, width);
    for (; w->from < r - h; w->from++)
        take(w->sum, rows + (ptrdiff_t)(w->from - start) * width, width);
    const float scale = 1.0f / (float)((2 * h + 1) * (2 * w->half + 1));
    add_across(w->sum + CS_MARGIN - w->half, w->half, scale, two, four, out, n);
}

VECTORED static void to_unit(float *restrict level, int n) {
    WHOLE(n);
    for (int i = 0; i < n; i++)
        level[i] = level[i] > 8 * 64 ? level[i] : 8 * 64;
    for (int i = 0; i < n; i++)
        level[i] = 100 / level[i];
}

VECTORED static void scaled(float *restrict f, const float *restrict unit, float by, int n) {
    WHOLE(n);
    for (int i = 0; i < n; i++)
        f[i] *= unit[i] * by;
}

VECTORED static void differ(float *restrict f, const float *restrict a, const float *restrict b, const float *restrict unit, int n) {
    WHOLE(n);
    for (int i = 0; i < n; i++)
        f[i] = (a[i] - b[i]) * unit[i];
}

VECTORED static void extremes(float *restrict dark, float *restrict light, const float *restrict near, const uint16_t *restrict lo,
                              const uint16_t *restrict hi, const float *restrict unit, int n) {
    WHOLE(n);
    for (int i = 0; i < n; i++) {
        dark[i] = (near[i] - (float)(64 * lo[i])) * unit[i];
        light[i] = ((float)(64 * hi[i]) - near[i]) * unit[i];
    }
}

VECTORED static void runs(float *restrict f, const uint16_t *restrict sum, const uint16_t *restrict lo, const uint16_t *restrict hi,
                          const float *restrict unit, int n) {
    WHOLE(n);
    for (int i = 0; i < n; i++) {
        const float dark = (float)(8 * lo[i] - sum[i]), light = (float)(8 * hi[i] - sum[i]);
        const float most = light > -dark ? light : dark;
        f[i] = most * unit[i];
    }
}

// log_texture is 100 times the mean logarithm of three measures of texture, each in half percents of the
// brightness and least, which is 1, at least. The logarithm's mantissa is a parabola: off by 0.3 at most. (With the 1
// written out the compiler makes branches and no vectors.)
VECTORED static void log_texture(float *restrict out, const float *restrict gx, const float *restrict gy, const float *restrict range,
                                 const float *restrict unit, float least, int n) {
    WHOLE(n);
    for (int i = 0; i < n; i++) {
        const float p = fmax2(2 * gx[i] * unit[i], least) * fmax2(2 * (64.0f / 56) * gy[i] * unit[i], least) * fmax2(2 * range[i], least);
        int32_t bits;
        memcpy(&bits, &p, sizeof bits);
        const float exponent = (float)((bits >> 23) - 127);
        bits = (bits & 0x7fffff) | 0x3f800000;
        float m;
        memcpy(&m, &bits, sizeof m);
        out[i] = (exponent + (2 - m * (1.0f / 3)) * m - 5.0f / 3) * (100 * 0.69314718f / 3);
    }
}

VECTORED static void ranges_of(const uint16_t *restrict lo, const uint16_t *restrict hi, int n, uint16_t *restrict range) {
    WHOLE(n);
    for (int i = 0; i < n; i++)
        range[i] = (uint16_t)(hi[i] - lo[i]);
}

void cs_features(const uint16_t *blocks, ptrdiff_t blocks_plane, int nb, int start, int first, int end, const int32_t *left,
                 const int32_t *right, const int32_t *steel, uint16_t *padded, float *feat, ptrdiff_t plane) {
    const int width = nb + 2 * CS_MARGIN;
    const ptrdiff_t table = (ptrdiff_t)(end - start) * width;
    const uint16_t *sums = padded, *gx = padded + table, *gy = padded + 2 * table, *ranges = padded + 3 * table;
    uint16_t range[nb];
    for (int r = start; r < end; r++) {
        const int like = steel[r], l = (left[like] + 7) / 8, to = right[like] / 8;
        const uint16_t *row = blocks + (ptrdiff_t)like * nb;
        uint16_t *out = padded + (ptrdiff_t)(r - start) * width;
        pad_row(row + CS_SUM * blocks_plane, nb, l, to, out);
        pad_row(row + CS_GX * blocks_plane, nb, l, to, out + table);
        pad_row(row + CS_GY * blocks_plane, nb, l, to, out + 2 * table);
        ranges_of(row + CS_PAIR_LO * blocks_plane, row + CS_PAIR_HI * blocks_plane, nb, range);
        pad_row(range, nb, l, to, out + 3 * table);
    }
    uint32_t memory[8][width], two[width], four[width];
    memset(two, 0, sizeof two);
    window unit_w = {.half = 7, .sum = memory[0]}, near_w = {.half = 1, .sum = memory[1]}, far_w = {.half = 4, .sum = memory[2]},
           gx3 = {.half = 1, .sum = memory[3]}, gy3 = {.half = 1, .sum = memory[4]}, texture = {.half = 2, .sum = memory[5]},
           gx5_w = {.half = 2, .sum = memory[6]}, gy5_w = {.half = 2, .sum = memory[7]};
    float unit[nb], near[nb], far[nb], gx5[nb], gy5[nb];
    for (int r = first; r < end; r++) {
        const uint16_t *m = blocks + (ptrdiff_t)r * nb;
        float *f = feat + (ptrdiff_t)(r - first) * nb;
        box(&unit_w, sums, width, start, end, r, two, four, unit, nb);
        to_unit(unit, nb);
        box(&near_w, sums, width, start, end, r, two, four, near, nb);
        box(&far_w, sums, width, start, end, r, two, four, far, nb);
        differ(f + CS_PATCH * plane, near, far, unit, nb);
        box(&gx3, gx, width, start, end, r, two, four, f + CS_GRAD_X * plane, nb);
        scaled(f + CS_GRAD_X * plane, unit, 1, nb);
        box(&gy3, gy, width, start, end, r, two, four, f + CS_GRAD_Y * plane, nb);
        scaled(f + CS_GRAD_Y * plane, unit, 64.0f / 56, nb); // 56 differences a block, not 64
        box(&texture, ranges, width, start, end, r, two, four, f + CS_TEXTURE * plane, nb);
        scaled(f + CS_TEXTURE * plane, unit, 64, nb);
        box(&gx5_w, gx, width, start, end, r, two, four, gx5, nb);
        box(&gy5_w, gy, width, start, end, r, two, four, gy5, nb);
        log_texture(f + CS_SMOOTH * plane, gx5, gy5, f + CS_TEXTURE * plane, unit, 1, nb);
        extremes(f + CS_DARK * plane, f + CS_LIGHT * plane, near, m + CS_PAIR_LO * blocks_plane, m + CS_PAIR_HI * blocks_plane, unit, nb);
        runs(f + CS_ROW * plane, m + CS_SUM * blocks_plane, m + CS_ROW_LO * blocks_plane, m + CS_ROW_HI * blocks_plane, unit, nb);
        runs(f + CS_COL * plane, m + CS_SUM * blocks_plane, m + CS_COL_LO * blocks_plane, m + CS_COL_HI * blocks_plane, unit, nb);
    }
}

VECTORED void cs_smoother(float *texture, int n, float calm, float least) {
    WHOLE(n);
    for (int i = 0; i < n; i++)
        texture[i] = fmax2(calm - fmax2(texture[i], least), 0);
}

VECTORED static void score_measure(const float *restrict f, float weight, int32_t measure, int n, float *restrict score, int32_t *restrict number) {
    WHOLE(n);
    for (int i = 0; i < n; i++) {
        const float s = fabsf(f[i]) * weight;
        number[i] = s > score[i] ? measure : number[i];
        score[i] = fmax2(score[i], s);
    }
}

VECTORED static void to_bytes(const int32_t *restrict number, int n, uint8_t *restrict out) {
    WHOLE(n);
    for (int i = 0; i < n; i++)
        out[i] = (uint8_t)number[i];
}

VECTORED static void kinds(const float *restrict score, int32_t *restrict number, float least, int n) {
    WHOLE(n);
    for (int i = 0; i < n; i++)
        number[i] = score[i] < least ? 0 : number[i] == CS_SMOOTH ? 2 : 1;
}

void cs_score(const float *feat, ptrdiff_t plane, int nb, int rows, const int32_t *left, const int32_t *right, const float *weight,
              float least, float *score, uint8_t *which, uint8_t *kind) {
    int32_t number[nb];
    memset(kind + (ptrdiff_t)rows * nb, 0, 8);
    for (int r = 0; r < rows; r++) {
        const ptrdiff_t at = (ptrdiff_t)r * nb;
        int from = (left[r] + 7) / 8, to = right[r] / 8 < nb ? right[r] / 8 : nb;
        if (from >= to)
            from = to = nb;
        memset(number, 0, sizeof number);
        memset(score + at, 0, sizeof *score * (size_t)nb);
        if (from < to)
            for (int k = 0; k < CS_FEATURES; k++)
                score_measure(feat + k * plane + at, weight[k], k, nb, score + at, number);
        // Blocks that do not lie on the strip were measured as well.
        memset(score + at, 0, sizeof *score * (size_t)from);
        memset(score + at + to, 0, sizeof *score * (size_t)(nb - to));
        memset(number, 0, sizeof *number * (size_t)from);
        memset(number + to, 0, sizeof *number * (size_t)(nb - to));
        to_bytes(number, nb, which + at);
        kinds(score + at, number, least, nb);
        to_bytes(number, nb, kind + at);
    }
}

// SAMPLES at a time are counted in numbers of 8 bits.
#define SAMPLES 128

// no_larger counts the numbers that are limit or less; n is a multiple of SAMPLES.
VECTORED static int no_larger(const uint8_t *restrict v, int n, uint8_t limit) {
    int count = 0;
    for (; n > 0; n -= SAMPLES, v += SAMPLES) {
        uint8_t some = 0;
        for (int i = 0; i < SAMPLES; i++)
            some = (uint8_t)(some + (v[i] <= limit));
        count += some;
    }
    return count;
}

// to_steps turns samples into steps and counts those that are not 0. What is 0 becomes the last step.
VECTORED static int to_steps(const float *restrict v, int n, float scale, uint8_t *restrict steps) {
    WHOLE(n);
    int taken = 0;
    for (int i = 0; i < n; i++) {
        const float at = fmin2(fabsf(v[i]) * scale, CS_STEPS - 1);
        const int none = -(at == 0); // all bits set
        taken += none;
        steps[i] = (uint8_t)((int)at | none);
    }
    return n + taken;
}

cs_share cs_quantile(const float *feat, int nb, int rows, const int32_t *left, const int32_t *right, int each, float step,
                     float share, float *samples) {
    int n = 0;
    for (int r = 0; r < rows; r++) {
        const float *row = feat + (ptrdiff_t)r * nb;
        const int to = right[r] / 8 < nb ? right[r] / 8 : nb;
        for (int i = (left[r] + 7) / 8 + r % each; i < to; i += each)
            samples[n++] = row[i];
    }
    // The last part is filled up with what is not taken. The steps stand behind the samples: those of what was not taken
    // are larger than all, and count only where the answer is the last step anyway.
    const int full = (n + SAMPLES - 1) / SAMPLES * SAMPLES;
    memset(samples + n, 0, sizeof *samples * (size_t)(full - n));
    uint8_t *steps = (uint8_t *)(samples + full);
    const int taken = n ? to_steps(samples, full, 1 / step, steps) : 0;
    int least = 0;
    for (int half = CS_STEPS / 2; half > 0; half /= 2)
        if (!((float)no_larger(steps, full, (uint8_t)(least + half - 1)) > share * (float)taken))
            least += half;
    return (cs_share){least, taken};
}

VECTORED static void means(const uint16_t *restrict sums, int n, uint8_t *restrict to) {
    for (int i = 0; i < n; i++)
        to[i] = (uint8_t)((sums[i] + 32) >> 6);
}

void cs_means(const uint16_t *sums, int nb, int rows, int n, uint8_t *to) {
    for (int r = 0; r < rows; r++)
        means(sums + (ptrdiff_t)r * nb, n, to + (ptrdiff_t)r * n);
}

VECTORED static int at_least(const uint16_t *sums, int n, int least) {
    int count = 0;
    for (int i = 0; i < n; i++)
        count += sums[i] >= least;
    return count;
}

int cs_at_least(const uint16_t *sums, int nb, int rows, int n, int least) {
    int count = 0;
    for (int r = 0; r < rows; r++)
        count += at_least(sums + (ptrdiff_t)r * nb, n, least);
    return count;
}

void cs_grey_levels(const uint16_t *sums, int nb, int rows, int n, int32_t *count) {
    // Neighbours are of like brightness: a counter a turn, so that no addition waits for the one before.
    int32_t turn[4][256];
    memset(turn, 0, sizeof turn);
    for (int r = 0; r < rows; r++, sums += nb) {
        int i = 0;
        for (; i + 4 <= n; i += 4)
            for (int k = 0; k < 4; k++)
                turn[k][sums[i + k] >> 6]++;
        for (; i < n; i++)
            turn[0][sums[i] >> 6]++;
    }
    for (int v = 0; v < 256; v++)
        count[v] = turn[0][v] + turn[1][v] + turn[2][v] + turn[3][v];
}
