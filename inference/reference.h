// The plain chain of OpenCV calls that the detector is compared with.
#ifndef COILSIGHT_REFERENCE_H
#define COILSIGHT_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cs_reference cs_reference;

// cs_reference_new gives a chain, whose buffers are reused from image to image, or NULL.
cs_reference *cs_reference_new(void);
void cs_reference_free(cs_reference *r);

// cs_reference_run gives the number of regions, or -1 where OpenCV reports an error.
int cs_reference_run(cs_reference *r, const uint8_t *pix, ptrdiff_t stride, int width, int height);

#ifdef __cplusplus
}
#endif
#endif
