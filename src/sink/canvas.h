/* canvas.h - a picture as BGRA, to be drawn on: Cairo's native pixels on a little-endian machine. */
#ifndef SINK_CANVAS_H
#define SINK_CANVAS_H

#include "base/memory.h"

struct SwsContext;

/* Zero-initialise, free with canvas_free. */
typedef struct canvas {
    int width, height, stride; /* pixels, pixels, bytes from one row to the next */
    uint8_t *bgra;             /* aligned to 64, alpha 255; has room for a further column and row */
    size_t capacity;           /* bytes */
    struct SwsContext *sws;    /* converts the format of the last frame */
} canvas;

/* Copies the picture of a sound frame, of any format. The memory grows only where it is too small. LANERT_ENOMEM. */
int canvas_load(canvas *c, const lanert_frame *frame, lanert_error *err);

/* Makes both sides even, repeating the last column and row. */
void canvas_pad_even(canvas *c);

void canvas_free(canvas *c);

#endif
