#ifndef COILSIGHT_MILL_KERNEL_H
#define COILSIGHT_MILL_KERNEL_H

#include <stdint.h>

/* mill_line writes n pixels of one scan line: surface times lamp, plus noise.

   a, b     surface levels in 1/64 grey; the line lies t/128 of the way from a to b
   g1 g2 r  textures, 32 being one standard deviation; weights w1, w2, wr in 1/128 grey a deviation
   gain     the lamp's factor a column, 16384 being one
   flicker  the lamp's factor for this line, 16384 being one
   noise    sensor noise, as the textures, with weight wn; no lamp dims it */
void mill_line(uint8_t *out, const int16_t *a, const int16_t *b, const int8_t *g1, const int8_t *g2,
               const int8_t *r, const int8_t *noise, const uint16_t *gain, int32_t t, int32_t w1,
               int32_t w2, int32_t wr, int32_t wn, int32_t flicker, int32_t n);

#endif
