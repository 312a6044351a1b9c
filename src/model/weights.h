/* weights.h - a checkpoint's tensors, taken one by one with the shape that the network needs.
 *
 * What is missing, of another shape, not a number or left over is noted on the way, and told all at once by
 * weights_check: so the code that builds a network is the one list of its names and shapes. */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include "model/checkpoint.h"

typedef struct weights weights;

int weights_open(const checkpoint *ck, weights **w, lanert_error *err);
void weights_close(weights **w);

/* A tensor's size along an axis, or 0 where there is no such tensor or axis: for widths. */
int64_t weights_dim(const weights *w, const char *name, int axis);

/* The values as float32, row-major, to be freed by the caller. `dims` comes in as what is expected (0: any
 * size from 1 on) and goes out as found. NULL where that failed: noted. */
float *weights_take(weights *w, const char *name, int rank, int64_t *dims);
/* Notes something wrong with a tensor that was taken. */
void weights_note(weights *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Names that start with `prefix` need not be there, and are not used. */
void weights_skip(weights *w, const char *prefix);

/* LANERT_EFORMAT where anything was noted, or is in the checkpoint but was neither taken nor skipped. */
int weights_check(weights *w, const char *path, const char *arch, lanert_error *err);

#endif
