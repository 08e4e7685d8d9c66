#include "kernel.h"

/* One clone for each instruction set, chosen at load: the package builds without -march=native. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

/* Every step fits 16 bits, which doubles the lanes of 32-bit arithmetic: products of an int8 and a
   weight up to 255 stay below 2^15, and the others keep their upper half only. */
CLONES
void mill_line(uint8_t *restrict out, const int16_t *restrict a, const int16_t *restrict b,
               const int8_t *restrict g1, const int8_t *restrict g2, const int8_t *restrict r,
               const int8_t *restrict noise, const uint16_t *restrict gain, int16_t t, int16_t w1,
               int16_t w2, int16_t wr, int16_t wn, int16_t flicker, int32_t n)
{
	const int16_t step = t * 256;
	for (int32_t i = 0; i < n; i++) {
		int16_t d = 2 * (b[i] - a[i]);
		int16_t v = a[i] + (int16_t)(((int32_t)d * step) >> 16);
		v += (int16_t)((int16_t)(g1[i] * w1) >> 4);
		v += (int16_t)((int16_t)(g2[i] * w2) >> 4);
		v += (int16_t)((int16_t)(r[i] * wr) >> 4);
		v += (int16_t)(((int32_t)v * flicker) >> 16);
		v = v < 0 ? 0 : v;
		/* 1/64 grey, doubled, times gain / 2^16: 1/32 grey. */
		v = (int16_t)(((uint32_t)(uint16_t)(2 * v) * gain[i]) >> 16);
		v += (int16_t)((int16_t)(noise[i] * wn) >> 5);
		v = (int16_t)(v + 16) >> 5;
		v = v < 0 ? 0 : v;
		out[i] = v > 255 ? 255 : v;
	}
}
