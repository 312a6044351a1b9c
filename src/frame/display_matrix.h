/* display_matrix.h - how a video's frames are turned and mirrored for display, as containers state it. */
#ifndef FRAME_DISPLAY_MATRIX_H
#define FRAME_DISPLAY_MATRIX_H

#include <stdint.h>

/* EXIF's orientation, 1 to 8, of a matrix as ISO/IEC 14496-12 has it ({a, b, u, c, d, v, x, y, w}: a point (p, q) goes
 * to (a p + c q + x, b p + d q + y)). 1 where it is no quarter turn, to a degree, and no mirroring. */
int display_matrix_orientation(const int32_t matrix[9]);

#endif
