/* resize.h - resampling 8-bit three-channel rows, first across, then down, as OpenCV does.
 *
 * A row of the picture is resampled across into a line (numbers not yet rounded to 8 bits); an output row
 * is the weighted sum of `taps` lines. Both steps exist in plain C and in vector code which gives the
 * same bytes. */
#ifndef FRAME_RESIZE_H
#define FRAME_RESIZE_H

#include "base/memory.h"

#define RESIZE_MAX_TAPS 4

/* Vector code writes up to this many bytes past the end of a line. */
#define RESIZE_LINE_PADDING 64

typedef struct resize_filter resize_filter;

/* Which inputs make each output along one side, and how much of each. */
typedef struct resize_axis {
    int in, out;     /* 0 before the first resize_axis_set */
    int inner;       /* the outputs before it have taps left of the input */
    int32_t *taps;   /* [out][taps] inputs, edges repeated; rising along an output and from one to the next */
    void *weights;   /* [out][taps] of the filter's own type */
    size_t capacity; /* outputs there is memory for */
} resize_axis;

/* The filter's table for `in` inputs and `out` outputs, each over 0. Allocates where `out` is more than any
 * before it. An axis belongs to one filter; zero-initialise it. */
int resize_axis_set(resize_axis *axis, const resize_filter *filter, int in, int out, lanert_error *err);
void resize_axis_free(resize_axis *axis);

struct resize_filter {
    int taps;           /* up to RESIZE_MAX_TAPS */
    size_t weight_size; /* bytes of one weight */
    size_t sample_size; /* bytes of one number of a line */
    /* The weights at a position between inputs (input i lies at i); returns the first tap, which may lie
     * outside the picture. */
    int (*weigh)(double position, void *weights);
    /* axis->in pixels of `row` to axis->out × 3 numbers of `line`; `swap` exchanges red and blue. */
    void (*across)(const uint8_t *row, const resize_axis *axis, bool swap, void *line);
    /* `taps` lines to `count` bytes. */
    void (*down)(const void *const *lines, const void *weights, int count, uint8_t *out);
};

/* In plain C; never NULL. */
const resize_filter *resize_plain(lanert_resize resize);
/* In AVX2; NULL where the build or the processor has none. */
const resize_filter *resize_avx2(lanert_resize resize);
/* The fastest there is. */
const resize_filter *resize_best(lanert_resize resize);

/* The plain filters' steps, on outputs `from` to `to` − 1 only: the edges of the vector code. */
int resize_linear_weigh(double position, void *weights);
int resize_cubic_weigh(double position, void *weights);
void resize_linear_across(const uint8_t *row, const resize_axis *axis, bool swap, int from, int to, int16_t *line);
void resize_cubic_across(const uint8_t *row, const resize_axis *axis, bool swap, int from, int to, float *line);
void resize_linear_down(const int16_t *const *lines, const int16_t *weights, int from, int to, uint8_t *out);
void resize_cubic_down(const float *const *lines, const float *weights, int from, int to, uint8_t *out);

#endif
