/* picture.h - one BGR picture in memory of its own, reused from frame to frame. */
#ifndef FRAME_PICTURE_H
#define FRAME_PICTURE_H

#include "base/memory.h"

/* Sides over this, or more pixels than this, are refused (LANERT_ELIMIT). */
#define PICTURE_MAX_SIDE 16384
#define PICTURE_MAX_PIXELS ((int64_t)100 * 1000 * 1000)

typedef struct picture {
    int width, height, stride; /* stride in bytes, width × 3 rounded up to 64 */
    uint8_t *bgr;              /* aligned to 64 */
    size_t capacity; /* bytes; at least 64 more than height × stride, for vector code that reads past a row */
    int64_t index;
    double time_s;
    bool damaged;       /* see lanert_frame */
    char path[4096];    /* of its file, as Linux has them; empty where it has none of its own */
    char name[1024];    /* relative name, cut where longer */
    lanert_lane *truth; /* known lanes of a drawn frame: NULL, or LANERT_MAX_LANES of them */
    int truth_count;
} picture;

/* LANERT_EFORMAT for a side under 1, LANERT_ELIMIT over the limits above. */
int picture_check_size(int width, int height, lanert_error *err);
/* Sets the size, growing the memory only where it is too small; the pixels are then undefined.
 * Fails as picture_check_size does. */
int picture_resize(picture *p, int width, int height, lanert_error *err);
/* Turns or mirrors the pixels of `from` into `to` (resized; the other fields are left alone) as EXIF's
 * orientation, 1 to 8, asks for: 1 as it is, 3 half a turn, 6 a quarter clockwise, 8 a quarter back. */
int picture_orient(const picture *from, int orientation, picture *to, lanert_error *err);
void picture_free(picture *p);
/* The view of it that the public interface hands out. */
lanert_frame picture_frame(const picture *p);

#endif
