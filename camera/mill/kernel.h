#ifndef COILSIGHT_MILL_KERNEL_H
#define COILSIGHT_MILL_KERNEL_H

#include <stdint.h>

/* mill_line writes n pixels of one scan line: surface times lamp, plus noise.

   a, b     surface levels in 1/64 grey, 0 to 16000; the line lies t/128 of the way from a to b
   g1 g2 r  textures, 32 being one standard deviation; weights w1, w2, wr in 1/32 grey a deviation,
            0 to 255
   flicker  the lamp's deviation from one for this line, in 1/65536
   gain     the lamp's factor a column, 16384 being one, up to 19660 (1.2)
   noise    sensor noise, as the textures, with weight wn; no lamp dims it */
void mill_line(uint8_t *out, const int16_t *a, const int16_t *b, const int8_t *g1, const int8_t *g2,
               const int8_t *r, const int8_t *noise, const uint16_t *gain, int16_t t, int16_t w1,
               int16_t w2, int16_t wr, int16_t wn, int16_t flicker, int32_t n);

#endif
