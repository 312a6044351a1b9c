/* null_model.h - a model on the null engine, whose raw predictions the test makes. */
#ifndef DETECT_NULL_MODEL_H
#define DETECT_NULL_MODEL_H

#include "detect/detector.h"
#include "engine/engine_null.h"

#define NULL_PRIORS 192

typedef struct null_model {
    null_script script;
    model_info info;
    float raw[NULL_PRIORS * NET_COLUMNS];
    float kept[4 * NET_COLUMNS];
    int32_t count;
} null_model;

/* A culane model with raw predictions (all far below the threshold), N dynamic. */
void null_model_raw(null_model *m);
/* The same with lanes and count instead of raw. */
void null_model_lanes(null_model *m);
/* Makes row i a straight lane at x (0 to 1) from bottom to top, of this score. */
void null_model_lane(float *row, float x, float score);

#endif
