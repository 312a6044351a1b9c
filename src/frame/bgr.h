/* bgr.h - what a decoder gives, whatever its pixel format, as upright BGR pictures. */
#ifndef FRAME_BGR_H
#define FRAME_BGR_H

#include <libavutil/frame.h>

#include "frame/picture.h"

/* Of a frame: what its conversion goes by. */
typedef struct bgr_layout {
    int width, height, format, matrix, full_range;
} bgr_layout;

typedef struct bgr {
    struct SwsContext *sws;
    bgr_layout layout; /* of the frames that sws converts */
    picture unturned;  /* where a frame is not upright */
} bgr;

/* Makes `p` of a frame, turned by `orientation` (as EXIF's, 1 to 8). LANERT_EFORMAT or LANERT_EUNSUPPORTED where that
 * cannot be, LANERT_ELIMIT of too many pixels, LANERT_ENOMEM. */
int bgr_convert(bgr *b, const AVFrame *f, int orientation, picture *p, lanert_error *err);
void bgr_free(bgr *b);

#endif
