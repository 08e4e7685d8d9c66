#include "second.h"

#include <math.h>
#include <string.h>

#include "kernel.h"

// The loops below are plain C that the compiler turns into vectors; on amd64 it does so twice and the
// loader picks by processor.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define VECTORED __attribute__((target_clones("avx2", "default")))
#else
#define VECTORED
#endif

static inline float fmin2(float a, float b) { return a < b ? a : b; }
static inline float fmax2(float a, float b) { return a > b ? a : b; }

// LINE_TILE columns at a time keep what a window needs in the first-level cache.
#define LINE_TILE 1024

// line_window answers for one window of rows: c holds the column means with 16 columns of margin on
// either side, resp the response of each column.
VECTORED static void line_window(const float *restrict c, float *restrict two, float *restrict eight, float *restrict resp, int n) {
    // eight[i] is the mean of c[i..i+8).
    for (int i = 0; i < n + 31; i++)
        two[i] = c[i] + c[i + 1];
    for (int i = 0; i < n + 24; i++)
        eight[i] = (two[i] + two[i + 2] + two[i + 4] + two[i + 6]) * 0.125f;
    for (int i = 0; i < n; i++) {
        const int x = i + 16;
        const float three = (c[x - 1] + c[x] + c[x + 1]) * (1.0f / 3), five = (two[x - 2] + two[x] + c[x + 2]) * 0.2f;
        // The flanks are 8 columns wide and begin 2 columns beyond the centre's own.
        const float l3 = eight[x - 11], r3 = eight[x + 4], l5 = eight[x - 12], r5 = eight[x + 5];
        const float dark = fmax2(fmin2(l3, r3) - three, fmin2(l5, r5) - five);
        const float light = fmax2(three - fmax2(l3, r3), five - fmax2(l5, r5));
        const float level = fmax2(8, 0.5f * (l5 + r5));
        resp[i] = (light > dark ? fmax2(light, 0) : -fmax2(dark, 0)) / level * 100;
    }
}

// widest gives the least and the greatest of v[i..i+8) in lo[i] and hi[i]. The arrays have 8 more
// numbers than n; what stands there reaches only the last seven results, where no block begins.
VECTORED static void widest(const float *restrict v, float *restrict lo, float *restrict hi, int n) {
    for (int i = 0; i < n; i++) {
        lo[i] = fmin2(v[i], v[i + 1]);
        hi[i] = fmax2(v[i], v[i + 1]);
    }
    for (int k = 2; k < 8; k *= 2) {
        for (int i = 0; i < n; i++) {
            lo[i] = fmin2(lo[i], lo[i + k]);
            hi[i] = fmax2(hi[i], hi[i + k]);
        }
    }
}

VECTORED static void add_rows(const uint16_t *restrict cols, int n, int rows, float *restrict c) {
    const float scale = 1.0f / (float)(8 * rows);
    uint16_t sum[1024]; // 16 rows of column sums at most: 16 * 8 * 255 fits
    for (int x0 = 0; x0 < n; x0 += 1024) {
        const int m = n - x0 < 1024 ? n - x0 : 1024;
        memcpy(sum, cols + x0, (size_t)m * 2);
        for (int r = 1; r < rows; r++) {
            const uint16_t *src = cols + (ptrdiff_t)r * n + x0;
            for (int i = 0; i < m; i++)
                sum[i] = (uint16_t)(sum[i] + src[i]);
        }
        for (int i = 0; i < m; i++)
            c[x0 + i] = (float)sum[i] * scale;
    }
}

// extend gives the columns outside [l, r) the mean of the eight next to them inside: what is not strip
// looks like its edge and so does not respond.
static void extend(float *c, int n, int l, int r) {
    float a = 0, b = 0;
    if (r - l < 8)
        l = 0, r = n;
    for (int i = 0; i < 8; i++) {
        a += c[l + i];
        b += c[r - 1 - i];
    }
    for (int i = -16; i < l; i++)
        c[i] = a / 8;
    for (int i = r; i < n + 17; i++)
        c[i] = b / 8;
}

// stronger keeps in to whichever lies farther from zero.
VECTORED static void stronger(float *restrict to, const float *restrict v, int n) {
    for (int i = 0; i < n; i++)
        to[i] = fabsf(v[i]) > fabsf(to[i]) ? v[i] : to[i];
}

void cs_lines(const uint16_t *cols, int nb, int start, int first, int end, const int32_t *left, const int32_t *right,
              float *scratch, float *feat, ptrdiff_t plane) {
    const int n = nb * 8, span = n + 64;
    float *c = scratch, *best = scratch + span;
    float two[LINE_TILE + 64], eight[LINE_TILE + 64], resp[LINE_TILE + 64];
    for (int f = 0; f < 3; f++) {
        const int rows = 4 << f, step = rows / 2;
        float *out = feat + (CS_LINE_32 + f) * plane;
        memset(out, 0, sizeof(float) * (size_t)nb * (size_t)(end - first));
        for (int stop = first; stop < end;) {
            stop = stop + step < end ? stop + step : end;
            int from = stop - rows > start ? stop - rows : start;
            if (stop - from < step) // too few rows would leave more noise than the limits allow for
                continue;
            int l = 0, r = n;
            for (int i = from; i < stop; i++) {
                l = left[i] > l ? left[i] : l;
                r = right[i] < r ? right[i] : r;
            }
            if (r - l < 32)
                continue;
            add_rows(cols + (ptrdiff_t)from * n, n, stop - from, c + 16);
            extend(c + 16, n, l, r);
            for (int x0 = 0; x0 < n; x0 += LINE_TILE) {
                const int m = n - x0 < LINE_TILE ? n - x0 : LINE_TILE;
                line_window(c + x0, two, eight, resp, m);
                widest(resp, two, eight, m);
                for (int i = 0; i < m; i += 8)
                    best[(x0 + i) / 8] = eight[i] > -two[i] ? eight[i] : two[i];
            }
            const int b0 = (l + 7) / 8, b1 = r / 8;
            for (int i = from > first ? from : first; i < stop; i++)
                stronger(out + (ptrdiff_t)(i - first) * nb + b0, best + b0, b1 - b0);
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

// box is the mean over the 2h+1 blocks across and the rows around r, as many above as below, so that a
// gradient along the strip does not look like a difference where the frame ends. sat is a summed area
// table whose differences are exact although its sums may wrap.
VECTORED static void box(const uint32_t *sat, int width, int start, int end, int r, int across, int n, float *restrict out) {
    int h = across;
    if (h > r - start)
        h = r - start;
    if (h > end - 1 - r)
        h = end - 1 - r;
    const uint32_t *top = sat + (ptrdiff_t)(r - h - start) * width + CS_MARGIN - across;
    const uint32_t *bottom = sat + (ptrdiff_t)(r + h + 1 - start) * width + CS_MARGIN - across;
    const int w = 2 * across + 1;
    const float scale = 1.0f / (float)((2 * h + 1) * w);
    for (int i = 0; i < n; i++)
        out[i] = (float)(int32_t)(bottom[i + w] - bottom[i] - top[i + w] + top[i]) * scale;
}

VECTORED static void to_unit(float *restrict level, int n) {
    for (int i = 0; i < n; i++)
        level[i] = level[i] > 8 * 64 ? level[i] : 8 * 64;
    for (int i = 0; i < n; i++)
        level[i] = 100 / level[i];
}

VECTORED static void scaled(float *restrict f, const float *restrict unit, float by, int n) {
    for (int i = 0; i < n; i++)
        f[i] *= unit[i] * by;
}

VECTORED static void differ(float *restrict f, const float *restrict a, const float *restrict b, const float *restrict unit, int n) {
    for (int i = 0; i < n; i++)
        f[i] = (a[i] - b[i]) * unit[i];
}

VECTORED static void extremes(float *restrict dark, float *restrict light, const float *restrict near, const uint16_t *restrict lo,
                              const uint16_t *restrict hi, const float *restrict unit, int n) {
    for (int i = 0; i < n; i++) {
        dark[i] = (near[i] - (float)(64 * lo[i])) * unit[i];
        light[i] = ((float)(64 * hi[i]) - near[i]) * unit[i];
    }
}

VECTORED static void runs(float *restrict f, const uint16_t *restrict sum, const uint16_t *restrict lo, const uint16_t *restrict hi,
                          const float *restrict unit, int n) {
    for (int i = 0; i < n; i++) {
        const float dark = (float)(8 * lo[i] - sum[i]), light = (float)(8 * hi[i] - sum[i]);
        const float most = light > -dark ? light : dark;
        f[i] = most * unit[i];
    }
}

// log_texture is 100 times the mean logarithm of three measures of texture, each in half percents of the
// brightness and 1 at least. The logarithm's mantissa is a parabola: off by 0.3 at most.
VECTORED static void log_texture(float *restrict out, const float *restrict gx, const float *restrict gy, const float *restrict range,
                                 const float *restrict unit, int n) {
    for (int i = 0; i < n; i++) {
        const float p = fmax2(2 * gx[i] * unit[i], 1) * fmax2(2 * (64.0f / 56) * gy[i] * unit[i], 1) * fmax2(2 * range[i], 1);
        union {
            float f;
            uint32_t bits;
        } u = {p};
        const float exponent = (float)((int32_t)(u.bits >> 23) - 127);
        u.bits = (u.bits & 0x7fffff) | 0x3f800000;
        const float m = u.f;
        out[i] = (exponent + (2 - m * (1.0f / 3)) * m - 5.0f / 3) * (100 * 0.69314718f / 3);
    }
}

void cs_features(const uint16_t *blocks, ptrdiff_t blocks_plane, int nb, int start, int first, int end, const int32_t *left,
                 const int32_t *right, const int32_t *steel, uint32_t *sat, float *feat, ptrdiff_t plane) {
    const int width = nb + 2 * CS_MARGIN + 1, rows = end - start;
    const ptrdiff_t table = (ptrdiff_t)(rows + 1) * width;
        uint16_t padded[width], range[nb];
    for (int k = 0; k < 4; k++) {
        uint32_t *t = sat + k * table;
        memset(t, 0, sizeof *t * (size_t)width);
        for (int r = start; r < end; r++) {
            const uint32_t *above = t + (ptrdiff_t)(r - start) * width;
            uint32_t *here = t + (ptrdiff_t)(r - start + 1) * width, sum = 0;
            const int like = steel[r];
            const uint16_t *row = blocks + (ptrdiff_t)like * nb;
            if (k == 3) {
                for (int i = 0; i < nb; i++)
                    range[i] = (uint16_t)(row[CS_PAIR_HI * blocks_plane + i] - row[CS_PAIR_LO * blocks_plane + i]);
                row = range;
            } else {
                row += (k == 0 ? CS_SUM : k == 1 ? CS_GX : CS_GY) * blocks_plane;
            }
            pad_row(row, nb, (left[like] + 7) / 8, right[like] / 8, padded);
            here[0] = 0;
            for (int i = 0; i + 1 < width; i++) {
                sum += padded[i];
                here[i + 1] = above[i + 1] + sum;
            }
        }
    }
    const uint32_t *sums = sat, *gx = sat + table, *gy = sat + 2 * table, *ranges = sat + 3 * table;
    float unit[nb], near[nb], far[nb], gx5[nb], gy5[nb];
    for (int r = first; r < end; r++) {
        const uint16_t *m = blocks + (ptrdiff_t)r * nb;
        float *f = feat + (ptrdiff_t)(r - first) * nb;
        box(sums, width, start, end, r, 7, nb, unit);
        to_unit(unit, nb);
        box(sums, width, start, end, r, 1, nb, near);
        box(sums, width, start, end, r, 4, nb, far);
        differ(f + CS_PATCH * plane, near, far, unit, nb);
        box(gx, width, start, end, r, 1, nb, f + CS_GRAD_X * plane);
        scaled(f + CS_GRAD_X * plane, unit, 1, nb);
        box(gy, width, start, end, r, 1, nb, f + CS_GRAD_Y * plane);
        scaled(f + CS_GRAD_Y * plane, unit, 64.0f / 56, nb); // 56 differences a block, not 64
        box(ranges, width, start, end, r, 2, nb, f + CS_TEXTURE * plane);
        scaled(f + CS_TEXTURE * plane, unit, 64, nb);
        box(gx, width, start, end, r, 2, nb, gx5);
        box(gy, width, start, end, r, 2, nb, gy5);
        log_texture(f + CS_SMOOTH * plane, gx5, gy5, f + CS_TEXTURE * plane, unit, nb);
        extremes(f + CS_DARK * plane, f + CS_LIGHT * plane, near, m + CS_PAIR_LO * blocks_plane, m + CS_PAIR_HI * blocks_plane, unit, nb);
        runs(f + CS_ROW * plane, m + CS_SUM * blocks_plane, m + CS_ROW_LO * blocks_plane, m + CS_ROW_HI * blocks_plane, unit, nb);
        runs(f + CS_COL * plane, m + CS_SUM * blocks_plane, m + CS_COL_LO * blocks_plane, m + CS_COL_HI * blocks_plane, unit, nb);
    }
}

VECTORED static void score_measure(const float *restrict f, float weight, uint8_t number, int n, float *restrict score, uint8_t *restrict which) {
    for (int i = 0; i < n; i++) {
        const float s = fabsf(f[i]) * weight;
        const uint8_t old = which[i];
        which[i] = s > score[i] ? number : old;
        score[i] = fmax2(score[i], s);
    }
}

VECTORED void cs_smoother(float *texture, int n, float calm, float least) {
    for (int i = 0; i < n; i++)
        texture[i] = fmax2(calm - fmax2(texture[i], least), 0);
}

void cs_score(const float *feat, ptrdiff_t plane, int n, const float *weight, float *score, uint8_t *which) {
    memset(score, 0, sizeof *score * (size_t)n);
    memset(which, 0, (size_t)n);
    for (int k = 0; k < CS_FEATURES; k++)
        score_measure(feat + k * plane, weight[k], (uint8_t)k, n, score, which);
}
