#include "kernel.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// A tile is 8 rows of corrected pixels: with TILE columns it is 8 KiB and stays in the first-level
// cache between the correction and the measuring. PAD leaves room for the pixel to the right of the
// last one and for whole vectors.
#define TILE 1024
#define PAD 64

typedef struct {
    uint8_t p[8][TILE + PAD];
} tile;

// A path is a way to do the same with other instructions: fill corrects a row of pixels into a tile, measure takes a
// tile's blocks.
typedef struct {
    void (*fill)(uint8_t *dst, const uint8_t *src, const uint16_t *gain, const uint8_t *offset, int n);
    void (*measure)(const tile *t, int blocks, uint16_t *out, ptrdiff_t plane, uint16_t *cols);
} path;

// correct is min(255, (max(0, p-offset)*gain + 8192) >> 14): the product's upper half fits 16 bits, and dropping its
// lower 8 bits before the rounding changes nothing, since 8192 has none of them.
static inline uint8_t correct(uint8_t p, uint16_t gain, uint8_t offset) {
    p = p > offset ? (uint8_t)(p - offset) : 0;
    uint16_t v = (uint16_t)(((uint32_t)(uint16_t)(p << 8) * gain) >> 16);
    v = (uint16_t)(v + 32) >> 6;
    return v > 255 ? 255 : (uint8_t)v;
}

static void fill_plain(uint8_t *dst, const uint8_t *src, const uint16_t *gain, const uint8_t *offset, int n) {
    if (!gain) {
        memcpy(dst, src, (size_t)n);
        return;
    }
    for (int i = 0; i < n; i++)
        dst[i] = correct(src[i], gain[i], offset ? offset[i] : 0);
}

// measure_plain takes the blocks of a tile one after another.
static void measure_plain(const tile *t, int blocks, uint16_t *out, ptrdiff_t plane, uint16_t *cols) {
    for (int b = 0; b < blocks; b++) {
        const int x0 = b * 8;
        uint16_t col[8] = {0}, sum = 0, gx = 0, gy = 0, row_lo = UINT16_MAX, row_hi = 0;
        uint8_t lo = UINT8_MAX, hi = 0;
        for (int y = 0; y < 8; y++) {
            const uint8_t *q = t->p[y] + x0;
            uint16_t run = 0;
            for (int i = 0; i < 8; i++) {
                run += q[i];
                col[i] += q[i];
                gx += (uint16_t)(q[i + 1] > q[i] ? q[i + 1] - q[i] : q[i] - q[i + 1]);
            }
            sum += run;
            row_lo = run < row_lo ? run : row_lo;
            row_hi = run > row_hi ? run : row_hi;
            if (y == 0)
                continue;
            const uint8_t *o = t->p[y - 1] + x0;
            for (int i = 0; i < 8; i++) {
                gy += (uint16_t)(q[i] > o[i] ? q[i] - o[i] : o[i] - q[i]);
                const int here = (q[i] + o[i] + 1) >> 1, right = (q[i + 1] + o[i + 1] + 1) >> 1;
                const uint8_t pair = (uint8_t)((here + right + 1) >> 1);
                lo = pair < lo ? pair : lo;
                hi = pair > hi ? pair : hi;
            }
        }
        uint16_t col_lo = UINT16_MAX, col_hi = 0;
        for (int i = 0; i < 8; i++) {
            cols[x0 + i] = col[i];
            col_lo = col[i] < col_lo ? col[i] : col_lo;
            col_hi = col[i] > col_hi ? col[i] : col_hi;
        }
        const uint16_t m[CS_PLANES] = {sum, gx, gy, lo, hi, row_lo, row_hi, col_lo, col_hi};
        for (int i = 0; i < CS_PLANES; i++)
            out[i * plane + b] = m[i];
    }
}

// measure_rest takes the last blocks of a tile, from b on, where they do not fill a vector.
static void measure_rest(const tile *t, int b, int blocks, uint16_t *out, ptrdiff_t plane, uint16_t *cols) {
    if (b == blocks)
        return;
    tile rest;
    for (int y = 0; y < 8; y++)
        memcpy(rest.p[y], t->p[y] + b * 8, (size_t)((blocks - b) * 8 + 1));
    measure_plain(&rest, blocks - b, out + b, plane, cols + b * 8);
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) static void fill_avx2(uint8_t *dst, const uint8_t *src, const uint16_t *gain, const uint8_t *offset, int n) {
    int i = 0;
    if (gain) {
        const __m256i zero = _mm256_setzero_si256(), half = _mm256_set1_epi16(32), top = _mm256_set1_epi16(255);
        for (; i + 32 <= n; i += 32) {
            __m256i p = _mm256_loadu_si256((const __m256i *)(src + i));
            if (offset)
                p = _mm256_subs_epu8(p, _mm256_loadu_si256((const __m256i *)(offset + i)));
            const __m256i g0 = _mm256_loadu_si256((const __m256i *)(gain + i));
            const __m256i g1 = _mm256_loadu_si256((const __m256i *)(gain + i + 16));
            // The unpacking works within halves of 128 bits; the gains are put into the same order.
            __m256i a = _mm256_unpacklo_epi8(zero, p), b = _mm256_unpackhi_epi8(zero, p);
            a = _mm256_mulhi_epu16(a, _mm256_permute2x128_si256(g0, g1, 0x20));
            b = _mm256_mulhi_epu16(b, _mm256_permute2x128_si256(g0, g1, 0x31));
            a = _mm256_srli_epi16(_mm256_add_epi16(a, half), 6);
            b = _mm256_srli_epi16(_mm256_add_epi16(b, half), 6);
            a = _mm256_min_epi16(a, top);
            b = _mm256_min_epi16(b, top);
            _mm256_storeu_si256((__m256i *)(dst + i), _mm256_packus_epi16(a, b));
        }
        fill_plain(dst + i, src + i, gain + i, offset ? offset + i : NULL, n - i);
        return;
    }
    memcpy(dst, src, (size_t)n);
}

// lowest of the 8 bytes of each 64-bit lane, in its lowest byte.
__attribute__((target("avx2"))) static inline __m256i lowest8(__m256i v) {
    v = _mm256_min_epu8(v, _mm256_srli_epi64(v, 32));
    v = _mm256_min_epu8(v, _mm256_srli_epi64(v, 16));
    v = _mm256_min_epu8(v, _mm256_srli_epi64(v, 8));
    return _mm256_and_si256(v, _mm256_set1_epi64x(255));
}

// lowest4 and highest4 are the lowest and the highest of the 4 numbers of each 64-bit lane, in its low 16 bits.
__attribute__((target("avx2"))) static inline __m256i lowest4(__m256i v) {
    v = _mm256_min_epu16(v, _mm256_srli_epi64(v, 32));
    return _mm256_min_epu16(v, _mm256_srli_epi64(v, 16));
}

__attribute__((target("avx2"))) static inline __m256i highest4(__m256i v) {
    v = _mm256_max_epu16(v, _mm256_srli_epi64(v, 32));
    return _mm256_max_epu16(v, _mm256_srli_epi64(v, 16));
}

// put4 stores the low 16 bits of each 64-bit lane.
__attribute__((target("avx2"))) static inline void put4(uint16_t *dst, __m256i v) {
    const __m256i pick = _mm256_setr_epi8(0, 1, 8, 9, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                          0, 1, 8, 9, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    v = _mm256_shuffle_epi8(v, pick);
    const __m128i r = _mm_unpacklo_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64((__m128i *)dst, r);
}

// measure_avx2 takes four blocks at a time. PSADBW adds eight absolute differences of bytes in one
// instruction, which is exactly a run (against zero) or its gradient (against its neighbour).
__attribute__((target("avx2"))) static void measure_avx2(const tile *t, int blocks, uint16_t *out, ptrdiff_t plane, uint16_t *cols) {
    const __m256i zero = _mm256_setzero_si256(), ones = _mm256_set1_epi8(-1);
    int b = 0;
    for (; b + 4 <= blocks; b += 4) {
        const int x0 = b * 8;
        __m256i cur = _mm256_loadu_si256((const __m256i *)(t->p[0] + x0));
        __m256i next = _mm256_loadu_si256((const __m256i *)(t->p[0] + x0 + 1));
        __m256i run = _mm256_sad_epu8(cur, zero);
        __m256i sum = run, row_lo = run, row_hi = run, gx = _mm256_sad_epu8(cur, next), gy = zero;
        __m256i lo = ones, hi = zero;
        __m256i c0 = _mm256_unpacklo_epi8(cur, zero), c1 = _mm256_unpackhi_epi8(cur, zero);
        for (int y = 1; y < 8; y++) {
            const __m256i above = cur, above_next = next;
            cur = _mm256_loadu_si256((const __m256i *)(t->p[y] + x0));
            next = _mm256_loadu_si256((const __m256i *)(t->p[y] + x0 + 1));
            run = _mm256_sad_epu8(cur, zero);
            sum = _mm256_add_epi64(sum, run);
            row_lo = _mm256_min_epi16(row_lo, run);
            row_hi = _mm256_max_epi16(row_hi, run);
            gx = _mm256_add_epi64(gx, _mm256_sad_epu8(cur, next));
            gy = _mm256_add_epi64(gy, _mm256_sad_epu8(cur, above));
            const __m256i pair = _mm256_avg_epu8(_mm256_avg_epu8(cur, above), _mm256_avg_epu8(next, above_next));
            lo = _mm256_min_epu8(lo, pair);
            hi = _mm256_max_epu8(hi, pair);
            c0 = _mm256_add_epi16(c0, _mm256_unpacklo_epi8(cur, zero));
            c1 = _mm256_add_epi16(c1, _mm256_unpackhi_epi8(cur, zero));
        }
        _mm256_storeu_si256((__m256i *)(cols + x0), _mm256_permute2x128_si256(c0, c1, 0x20));
        _mm256_storeu_si256((__m256i *)(cols + x0 + 16), _mm256_permute2x128_si256(c0, c1, 0x31));
        put4(out + CS_SUM * plane + b, sum);
        put4(out + CS_GX * plane + b, gx);
        put4(out + CS_GY * plane + b, gy);
        put4(out + CS_PAIR_LO * plane + b, lowest8(lo));
        put4(out + CS_PAIR_HI * plane + b, _mm256_andnot_si256(lowest8(_mm256_xor_si256(hi, ones)), _mm256_set1_epi64x(255)));
        put4(out + CS_ROW_LO * plane + b, row_lo);
        put4(out + CS_ROW_HI * plane + b, row_hi);
        // c0 holds blocks 0 and 2, c1 blocks 1 and 3: halves of the blocks' columns, in the order of the blocks.
        const __m256i left = _mm256_unpacklo_epi64(c0, c1), right = _mm256_unpackhi_epi64(c0, c1);
        put4(out + CS_COL_LO * plane + b, lowest4(_mm256_min_epu16(left, right)));
        put4(out + CS_COL_HI * plane + b, highest4(_mm256_max_epu16(left, right)));
    }
    measure_rest(t, b, blocks, out, plane, cols);
}

#define AVX512 __attribute__((target("avx512f,avx512bw")))

AVX512 static void fill_avx512(uint8_t *dst, const uint8_t *src, const uint16_t *gain, const uint8_t *offset, int n) {
    if (!gain) {
        memcpy(dst, src, (size_t)n);
        return;
    }
    const __m512i half = _mm512_set1_epi16(32);
    int i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i p = _mm256_loadu_si256((const __m256i *)(src + i));
        if (offset)
            p = _mm256_subs_epu8(p, _mm256_loadu_si256((const __m256i *)(offset + i)));
        __m512i v = _mm512_slli_epi16(_mm512_cvtepu8_epi16(p), 8);
        v = _mm512_mulhi_epu16(v, _mm512_loadu_si512(gain + i));
        v = _mm512_srli_epi16(_mm512_add_epi16(v, half), 6);
        _mm256_storeu_si256((__m256i *)(dst + i), _mm512_cvtusepi16_epi8(v)); // no more than 255
    }
    fill_plain(dst + i, src + i, gain + i, offset ? offset + i : NULL, n - i);
}

// put8 stores the low 16 bits of each 64-bit lane.
AVX512 static inline void put8(uint16_t *dst, __m512i v) { _mm_storeu_si128((__m128i *)dst, _mm512_cvtepi64_epi16(v)); }

// measure_avx512 is measure_avx2 with eight blocks at a time.
AVX512 static void measure_avx512(const tile *t, int blocks, uint16_t *out, ptrdiff_t plane, uint16_t *cols) {
    const __m512i zero = _mm512_setzero_si512(), byte = _mm512_set1_epi64(255);
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    int b = 0;
    for (; b + 8 <= blocks; b += 8) {
        const int x0 = b * 8;
        __m512i cur = _mm512_loadu_si512(t->p[0] + x0), next = _mm512_loadu_si512(t->p[0] + x0 + 1);
        __m512i run = _mm512_sad_epu8(cur, zero);
        __m512i sum = run, row_lo = run, row_hi = run, gx = _mm512_sad_epu8(cur, next), gy = zero;
        __m512i lo = _mm512_set1_epi8(-1), hi = zero;
        __m512i c0 = _mm512_unpacklo_epi8(cur, zero), c1 = _mm512_unpackhi_epi8(cur, zero);
        for (int y = 1; y < 8; y++) {
            const __m512i above = cur, above_next = next;
            cur = _mm512_loadu_si512(t->p[y] + x0);
            next = _mm512_loadu_si512(t->p[y] + x0 + 1);
            run = _mm512_sad_epu8(cur, zero);
            sum = _mm512_add_epi64(sum, run);
            row_lo = _mm512_min_epu16(row_lo, run);
            row_hi = _mm512_max_epu16(row_hi, run);
            gx = _mm512_add_epi64(gx, _mm512_sad_epu8(cur, next));
            gy = _mm512_add_epi64(gy, _mm512_sad_epu8(cur, above));
            const __m512i pair = _mm512_avg_epu8(_mm512_avg_epu8(cur, above), _mm512_avg_epu8(next, above_next));
            lo = _mm512_min_epu8(lo, pair);
            hi = _mm512_max_epu8(hi, pair);
            c0 = _mm512_add_epi16(c0, _mm512_unpacklo_epi8(cur, zero));
            c1 = _mm512_add_epi16(c1, _mm512_unpackhi_epi8(cur, zero));
        }
        // Of each pair of blocks c0 holds the first, c1 the second.
        _mm512_storeu_si512(cols + x0, _mm512_permutex2var_epi64(c0, first, c1));
        _mm512_storeu_si512(cols + x0 + 32, _mm512_permutex2var_epi64(c0, second, c1));
        put8(out + CS_SUM * plane + b, sum);
        put8(out + CS_GX * plane + b, gx);
        put8(out + CS_GY * plane + b, gy);
        put8(out + CS_ROW_LO * plane + b, row_lo);
        put8(out + CS_ROW_HI * plane + b, row_hi);
        // The least and the greatest of a lane's eight bytes and of its block's two halves of columns, by halves.
        lo = _mm512_min_epu8(lo, _mm512_srli_epi64(lo, 32));
        hi = _mm512_max_epu8(hi, _mm512_srli_epi64(hi, 32));
        lo = _mm512_min_epu8(lo, _mm512_srli_epi64(lo, 16));
        hi = _mm512_max_epu8(hi, _mm512_srli_epi64(hi, 16));
        lo = _mm512_min_epu8(lo, _mm512_srli_epi64(lo, 8));
        hi = _mm512_max_epu8(hi, _mm512_srli_epi64(hi, 8));
        put8(out + CS_PAIR_LO * plane + b, _mm512_and_si512(lo, byte));
        put8(out + CS_PAIR_HI * plane + b, _mm512_and_si512(hi, byte));
        const __m512i left = _mm512_unpacklo_epi64(c0, c1), right = _mm512_unpackhi_epi64(c0, c1);
        lo = _mm512_min_epu16(left, right);
        hi = _mm512_max_epu16(left, right);
        lo = _mm512_min_epu16(lo, _mm512_srli_epi64(lo, 32));
        hi = _mm512_max_epu16(hi, _mm512_srli_epi64(hi, 32));
        put8(out + CS_COL_LO * plane + b, _mm512_min_epu16(lo, _mm512_srli_epi64(lo, 16)));
        put8(out + CS_COL_HI * plane + b, _mm512_max_epu16(hi, _mm512_srli_epi64(hi, 16)));
    }
    measure_rest(t, b, blocks, out, plane, cols);
}

static const path paths[] = {{fill_plain, measure_plain}, {fill_avx2, measure_avx2}, {fill_avx512, measure_avx512}};

int cs_paths(void) {
    if (!__builtin_cpu_supports("avx2"))
        return 1;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") ? 3 : 2;
}

#elif defined(__aarch64__)

static void fill_neon(uint8_t *dst, const uint8_t *src, const uint16_t *gain, const uint8_t *offset, int n) {
    int i = 0;
    if (gain) {
        for (; i + 8 <= n; i += 8) {
            uint8x8_t q = vld1_u8(src + i);
            if (offset)
                q = vqsub_u8(q, vld1_u8(offset + i));
            const uint16x8_t p = vshll_n_u8(q, 8), g = vld1q_u16(gain + i);
            const uint32x4_t lo = vmull_u16(vget_low_u16(p), vget_low_u16(g)), hi = vmull_high_u16(p, g);
            const uint16x8_t v = vshrn_high_n_u32(vshrn_n_u32(lo, 16), hi, 16);
            vst1_u8(dst + i, vqmovn_u16(vrshrq_n_u16(v, 6)));
        }
        fill_plain(dst + i, src + i, gain + i, offset ? offset + i : NULL, n - i);
        return;
    }
    memcpy(dst, src, (size_t)n);
}

// by_block adds up the lanes of four blocks, four lanes each.
static inline uint16x4_t by_block(uint16x8_t a, uint16x8_t b) {
    const uint16x8_t half = vpaddq_u16(a, b);
    return vget_low_u16(vpaddq_u16(half, half));
}

// The least and the greatest of the 8 bytes of four blocks.
static inline uint16x4_t least_of(uint8x16_t a, uint8x16_t b) {
    uint8x16_t v = vpminq_u8(a, b);
    v = vpminq_u8(v, v);
    v = vpminq_u8(v, v);
    return vget_low_u16(vmovl_u8(vget_low_u8(v)));
}

static inline uint16x4_t greatest_of(uint8x16_t a, uint8x16_t b) {
    uint8x16_t v = vpmaxq_u8(a, b);
    v = vpmaxq_u8(v, v);
    v = vpmaxq_u8(v, v);
    return vget_low_u16(vmovl_u8(vget_low_u8(v)));
}

// measure_neon takes four blocks at a time, two to a vector.
static void measure_neon(const tile *t, int blocks, uint16_t *out, ptrdiff_t plane, uint16_t *cols) {
    int b = 0;
    for (; b + 4 <= blocks; b += 4) {
        const int x0 = b * 8;
        uint8x16_t cur[2], next[2], lo[2], hi[2];
        uint16x8_t gx[2], gy[2], col[4];
        for (int k = 0; k < 2; k++) {
            cur[k] = vld1q_u8(t->p[0] + x0 + 16 * k);
            next[k] = vld1q_u8(t->p[0] + x0 + 16 * k + 1);
            lo[k] = vdupq_n_u8(UINT8_MAX);
            hi[k] = vdupq_n_u8(0);
            gx[k] = vpaddlq_u8(vabdq_u8(cur[k], next[k]));
            gy[k] = vdupq_n_u16(0);
            col[2 * k] = vmovl_u8(vget_low_u8(cur[k]));
            col[2 * k + 1] = vmovl_high_u8(cur[k]);
        }
        uint16x4_t run = by_block(vpaddlq_u8(cur[0]), vpaddlq_u8(cur[1]));
        uint16x4_t sum = run, row_lo = run, row_hi = run;
        for (int y = 1; y < 8; y++) {
            for (int k = 0; k < 2; k++) {
                const uint8x16_t above = cur[k], above_next = next[k];
                cur[k] = vld1q_u8(t->p[y] + x0 + 16 * k);
                next[k] = vld1q_u8(t->p[y] + x0 + 16 * k + 1);
                gx[k] = vpadalq_u8(gx[k], vabdq_u8(cur[k], next[k]));
                gy[k] = vpadalq_u8(gy[k], vabdq_u8(cur[k], above));
                const uint8x16_t pair = vrhaddq_u8(vrhaddq_u8(cur[k], above), vrhaddq_u8(next[k], above_next));
                lo[k] = vminq_u8(lo[k], pair);
                hi[k] = vmaxq_u8(hi[k], pair);
                col[2 * k] = vaddw_u8(col[2 * k], vget_low_u8(cur[k]));
                col[2 * k + 1] = vaddw_high_u8(col[2 * k + 1], cur[k]);
            }
            run = by_block(vpaddlq_u8(cur[0]), vpaddlq_u8(cur[1]));
            sum = vadd_u16(sum, run);
            row_lo = vmin_u16(row_lo, run);
            row_hi = vmax_u16(row_hi, run);
        }
        vst1_u16(out + CS_SUM * plane + b, sum);
        vst1_u16(out + CS_GX * plane + b, by_block(gx[0], gx[1]));
        vst1_u16(out + CS_GY * plane + b, by_block(gy[0], gy[1]));
        vst1_u16(out + CS_PAIR_LO * plane + b, least_of(lo[0], lo[1]));
        vst1_u16(out + CS_PAIR_HI * plane + b, greatest_of(hi[0], hi[1]));
        vst1_u16(out + CS_ROW_LO * plane + b, row_lo);
        vst1_u16(out + CS_ROW_HI * plane + b, row_hi);
        for (int k = 0; k < 4; k++) {
            vst1q_u16(cols + x0 + 8 * k, col[k]);
            out[CS_COL_LO * plane + b + k] = vminvq_u16(col[k]);
            out[CS_COL_HI * plane + b + k] = vmaxvq_u16(col[k]);
        }
    }
    measure_rest(t, b, blocks, out, plane, cols);
}

static const path paths[] = {{fill_plain, measure_plain}, {fill_neon, measure_neon}};

int cs_paths(void) { return 2; }

#else

static const path paths[] = {{fill_plain, measure_plain}};

int cs_paths(void) { return 1; }

#endif

// fetch asks for pixels that are wanted a row of blocks later: a tile's rows are too short for the processor to see what
// comes next.
static inline void fetch(const uint8_t *src, int n) {
    for (int i = 0; i < n; i += 64)
        __builtin_prefetch(src + i, 0, 2);
}

void cs_first_pass(const uint8_t *pix, ptrdiff_t stride, int width, int height, const uint16_t *gain, const uint8_t *offset,
                   int row0, int row1, uint16_t *blocks, ptrdiff_t plane, uint16_t *cols, int number) {
    const path with = paths[number];
    const int nb = cs_row_blocks(width);
    tile t;
    memset(&t, 0, sizeof t);
    for (int r = row0; r < row1; r++) {
        for (int x0 = 0; x0 < nb * 8; x0 += TILE) {
            const int covered = nb * 8 - x0 < TILE ? nb * 8 - x0 : TILE;
            // One column more than the tile for the gradient into the next.
            const int have = width - x0 < covered + 1 ? width - x0 : covered + 1;
            for (int y = 0; y < 8; y++) {
                const int line = r * 8 + y < height ? r * 8 + y : height - 1;
                const uint8_t *src = pix + line * stride + x0;
                const uint16_t *g = gain ? gain + x0 : NULL;
                const uint8_t *o = offset ? offset + x0 : NULL;
                if (line + 8 < height)
                    fetch(src + 8 * stride, have);
                with.fill(t.p[y], src, g, o, have);
                memset(t.p[y] + have, t.p[y][have - 1], (size_t)(covered + 1 - have));
            }
            with.measure(&t, covered / 8, blocks + (ptrdiff_t)r * nb + x0 / 8, plane, cols + (ptrdiff_t)r * nb * 8 + x0);
        }
    }
}
