/* nv12.h - rows of NV12 (luma, and chroma at half size) to BGR. */
#ifndef FRAME_NV12_H
#define FRAME_NV12_H

#include "base/error.h"

/* The vector code writes up to this many bytes past the end of a row of BGR. */
#define NV12_ROW_PADDING 64

/* `width` pixels of luma and (width + 1) / 2 pairs of chroma to width × 3 bytes of BGR. Each pixel takes the
 * chroma sample that covers it, as OpenCV's COLOR_YUV2BGR_NV12 does. Within one level of exact arithmetic. */
typedef void nv12_row(const uint8_t *y, const uint8_t *uv, int width, lanert_colour colour, uint8_t *bgr);

/* In plain C; in AVX2, NULL where the build or the processor has none; the faster that there is. */
nv12_row *nv12_plain(void);
nv12_row *nv12_avx2(void);
nv12_row *nv12_best(void);

#endif
