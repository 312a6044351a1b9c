/* mask.h - the pixels that a lane covers, as the reference's metric draws it.
 *
 * A lane is a polyline of whole pixels, drawn 30 pixels wide with round ends: OpenCV's cv::line, thickness 30,
 * LINE_8, shift 0, of which every pixel is reproduced (modules/imgproc/src/drawing.cpp, OpenCV 4 and 5). */
#ifndef EVAL_MASK_H
#define EVAL_MASK_H

#include "base/memory.h"

typedef struct pixel {
    int32_t x, y;
} pixel;

/* A run of covered pixels of row y: columns first to last, both covered. */
typedef struct mask_span {
    uint16_t y, first, last;
} mask_span;

/* A lane's pixels, by row, then column. Zero-initialise; reused without allocating once it is large enough. */
typedef struct mask {
    mask_span *spans;
    size_t count, capacity;
    int64_t area;
} mask;

void mask_free(mask *m);
/* Pixels that both cover. */
int64_t mask_common(const mask *a, const mask *b);
/* Intersection over union; 0 where both are empty (the reference divides 0 by 0 there, and fails). */
double mask_iou(const mask *a, const mask *b);

/* One picture, a bit a pixel, on which one lane at a time is drawn. */
typedef struct canvas {
    int width, height, stride; /* stride: 64-bit words a row */
    int top, bottom;           /* rows drawn on; none while top > bottom */
    uint64_t *bits;
} canvas;

/* width and height 1 to 65535. */
int canvas_open(canvas *c, int width, int height, lanert_error *err);
void canvas_close(canvas *c);
/* Draws the lines between `count` pixels, 2 or more: nothing for fewer. Any coordinates are allowed. */
void canvas_polyline(canvas *c, const pixel *points, size_t count);
/* Moves what was drawn into m, and clears the canvas. */
int canvas_take(canvas *c, mask *m, lanert_error *err);

#endif
