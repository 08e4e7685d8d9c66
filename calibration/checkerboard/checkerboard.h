// OpenCV's checkerboard corners and lens calibration, for checkerboard.go alone.
#ifndef COILSIGHT_CHECKERBOARD_H
#define COILSIGHT_CHECKERBOARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// cs_checkerboard_find writes the columns x rows inner corners, row after row, x before y, into xy. It gives 1, 0 where there is no
// board, or -1 where OpenCV reports an error.
int cs_checkerboard_find(const uint8_t *pix, ptrdiff_t stride, int width, int height, int columns, int rows, float *xy);

// What a camera is, as cs_checkerboard_calibrate finds it.
typedef struct {
    double matrix[4];      // fx, fy, cx, cy in pixels
    double distortion[5];  // k1, k2, p1, p2, k3
    double rotation[9];    // of the last picture's board, rows of the matrix from board to camera
    double translation[3]; // the same, in the board's unit
    double tilt; // between the two boards that are tilted most against each other, degrees
    double rms;  // of all corners in pixels
} cs_lens;

// cs_checkerboard_calibrate fits a lens to the corners of so many pictures (xy, picture after picture) of a board whose corners lie at
// board (x before y). It gives 0, or -1 where OpenCV reports an error.
int cs_checkerboard_calibrate(int pictures, int corners, const float *xy, const float *board, int width, int height, cs_lens *out);

// cs_checkerboard_plane fits a homography (rows, from the board to pixels without distortion) and k1 to one picture's corners, for a
// focal length of the picture's width and an axis through its middle: one picture tells no more of a lens. rms is in pixels.
// It gives 0, or -1 where OpenCV reports an error.
int cs_checkerboard_plane(int corners, const float *xy, const float *board, int width, int height, double *k1, double *homography, double *rms);

#ifdef __cplusplus
}
#endif
#endif
