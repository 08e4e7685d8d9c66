#include "kernel.h"

/* One clone for each instruction set, chosen at load: the package builds without -march=native. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

CLONES
void mill_line(uint8_t *restrict out, const int16_t *restrict a, const int16_t *restrict b,
               const int8_t *restrict g1, const int8_t *restrict g2, const int8_t *restrict r,
               const int8_t *restrict noise, const uint16_t *restrict gain, int32_t t, int32_t w1,
               int32_t w2, int32_t wr, int32_t wn, int32_t flicker, int32_t n)
{
	for (int32_t i = 0; i < n; i++) {
		/* The product of level, flicker and gain must fit 32 bits: 255 grey are 2^14, times 2^14
		   for a factor of one leaves room for factors below 8. */
		int32_t v = a[i] + (((b[i] - a[i]) * t) >> 7);
		v += (g1[i] * w1 + g2[i] * w2 + r[i] * wr) >> 6;
		v = (v * flicker) >> 14;
		v = (v * gain[i]) >> 14;
		v += (noise[i] * wn) >> 6;
		v = (v + 32) >> 6;
		v = v < 0 ? 0 : v;
		out[i] = v > 255 ? 255 : v;
	}
}
