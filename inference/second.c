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

// line_window answers for one window of rows: c holds the column means with 16 columns of margin on
// either side, resp the response of each column.
VECTORED static void line_window(const float *restrict c, float *restrict two, float *restrict eight, float *restrict resp, int n) {
    // eight[i] is the mean of c[i..i+8).
    for (int i = 0; i < n + 31; i++)
        two[i] = c[i] + c[i + 1];
    for (int i = 0; i < n + 28; i++)
        eight[i] = two[i] + two[i + 2];
    for (int i = 0; i < n + 24; i++)
        eight[i] = (eight[i] + eight[i + 4]) * 0.125f;
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

void cs_lines(const uint16_t *cols, int nb, int start, int first, int end, const int32_t *left, const int32_t *right,
              float *scratch, float *feat, ptrdiff_t plane) {
    const int n = nb * 8, span = n + 64;
    float *c = scratch, *two = scratch + span, *eight = scratch + 2 * span, *resp = scratch + 3 * span;
    for (int f = 0; f < 3; f++) {
        const int rows = 4 << f, step = rows / 2;
        float *out = feat + (CS_LINE_32 + f) * plane;
        memset(out, 0, sizeof(float) * (size_t)nb * (size_t)(end - first));
        for (int stop = first; stop < end;) {
            stop = stop + step < end ? stop + step : end;
            int from = stop - rows > start ? stop - rows : start;
            if (stop - from < 2)
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
            line_window(c, two, eight, resp, n);
            for (int b = (l + 7) / 8; b < r / 8; b++) {
                float lo = 0, hi = 0;
                for (int i = 0; i < 8; i++) {
                    lo = fmin2(lo, resp[b * 8 + i]);
                    hi = fmax2(hi, resp[b * 8 + i]);
                }
                const float v = hi > -lo ? hi : lo;
                for (int i = from > first ? from : first; i < stop; i++) {
                    float *p = out + (ptrdiff_t)(i - first) * nb + b;
                    if (fabsf(v) > fabsf(*p))
                        *p = v;
                }
            }
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

// area is the sum over the blocks [b-h, b+h] of the rows between the table's rows top and bottom.
static inline uint32_t area(const uint32_t *top, const uint32_t *bottom, int b, int h) {
    const int l = b + CS_MARGIN - h, r = b + CS_MARGIN + h + 1;
    return bottom[r] - bottom[l] - top[r] + top[l];
}

typedef struct {
    const uint32_t *top, *bottom;
    float scale;
} window;

static window rows_around(const uint32_t *sat, int width, int start, int end, int r, int h) {
    const int a = r - h > start ? r - h : start, z = r + h + 1 < end ? r + h + 1 : end;
    return (window){sat + (ptrdiff_t)(a - start) * width, sat + (ptrdiff_t)(z - start) * width, 1.0f / (float)((z - a) * (2 * h + 1))};
}

VECTORED static void feature_row(const uint16_t *restrict m, ptrdiff_t mp, int nb, window s3, window s5, window s9, window s15, window s21, window x3,
                        window y3, float *restrict f, ptrdiff_t fp) {
    for (int b = 0; b < nb; b++) {
        const float level = fmax2(8 * 64, (float)area(s15.top, s15.bottom, b, 7) * s15.scale);
        const float unit = 100 / level;
        const float near = (float)area(s3.top, s3.bottom, b, 1) * s3.scale;
        f[CS_PATCH * fp + b] = (near - (float)area(s9.top, s9.bottom, b, 4) * s9.scale) * unit;
        f[CS_WIDE * fp + b] =
            ((float)area(s5.top, s5.bottom, b, 2) * s5.scale - (float)area(s21.top, s21.bottom, b, 10) * s21.scale) * unit;
        f[CS_GRAD_X * fp + b] = (float)area(x3.top, x3.bottom, b, 1) * x3.scale * unit;
        f[CS_GRAD_Y * fp + b] = (float)area(y3.top, y3.bottom, b, 1) * y3.scale * (64.0f / 56) * unit;
        f[CS_DARK * fp + b] = (near - (float)m[CS_PAIR_LO * mp + b] * 64) * unit;
        f[CS_LIGHT * fp + b] = ((float)m[CS_PAIR_HI * mp + b] * 64 - near) * unit;
        const float mean = m[CS_SUM * mp + b];
        const float rl = mean - (float)m[CS_ROW_LO * mp + b] * 8, rh = (float)m[CS_ROW_HI * mp + b] * 8 - mean;
        f[CS_ROW * fp + b] = (rh > rl ? rh : -rl) * unit;
        const float cl = mean - (float)m[CS_COL_LO * mp + b] * 8, ch = (float)m[CS_COL_HI * mp + b] * 8 - mean;
        f[CS_COL * fp + b] = (ch > cl ? ch : -cl) * unit;
    }
}

void cs_features(const uint16_t *blocks, ptrdiff_t blocks_plane, int nb, int start, int first, int end, const int32_t *left,
                 const int32_t *right, uint32_t *sat, float *feat, ptrdiff_t plane) {
    const int width = nb + 2 * CS_MARGIN + 1, rows = end - start;
    const ptrdiff_t table = (ptrdiff_t)(rows + 1) * width;
    static const int measure[3] = {CS_SUM, CS_GX, CS_GY};
    uint16_t padded[width];
    for (int k = 0; k < 3; k++) {
        uint32_t *t = sat + k * table;
        memset(t, 0, sizeof *t * (size_t)width);
        for (int r = start; r < end; r++) {
            const uint32_t *above = t + (ptrdiff_t)(r - start) * width;
            uint32_t *here = t + (ptrdiff_t)(r - start + 1) * width, sum = 0;
            pad_row(blocks + measure[k] * blocks_plane + (ptrdiff_t)r * nb, nb, (left[r] + 7) / 8, right[r] / 8, padded);
            here[0] = 0;
            for (int i = 0; i + 1 < width; i++) {
                sum += padded[i];
                here[i + 1] = above[i + 1] + sum;
            }
        }
    }
    for (int r = first; r < end; r++) {
        const uint32_t *m = sat, *x = sat + table, *y = sat + 2 * table;
        feature_row(blocks + (ptrdiff_t)r * nb, blocks_plane, nb, rows_around(m, width, start, end, r, 1),
                    rows_around(m, width, start, end, r, 2), rows_around(m, width, start, end, r, 4),
                    rows_around(m, width, start, end, r, 7), rows_around(m, width, start, end, r, 10),
                    rows_around(x, width, start, end, r, 1), rows_around(y, width, start, end, r, 1),
                    feat + (ptrdiff_t)(r - first) * nb, plane);
    }
}

VECTORED void cs_score(const float *feat, ptrdiff_t plane, int n, const float *floor, const float *weight, float *score, uint8_t *which) {
    memset(score, 0, sizeof *score * (size_t)n);
    memset(which, 0, (size_t)n);
    for (int k = 0; k < CS_FEATURES; k++) {
        const float *f = feat + k * plane, z = floor[k], w = weight[k];
        for (int i = 0; i < n; i++) {
            const float s = (fabsf(f[i]) - z) * w;
            which[i] = s > score[i] ? (uint8_t)k : which[i];
            score[i] = fmax2(score[i], s);
        }
    }
}
