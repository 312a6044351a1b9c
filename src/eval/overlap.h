/* overlap.h - CULane's measure: lanes drawn 30 pixels wide, matched by how much of them is common.
 *
 * clrnet/utils/culane_metric.py (culane_metric) and clrnet/utils/llamas_metric.py (culane_metric), the discrete way. */
#ifndef EVAL_OVERLAP_H
#define EVAL_OVERLAP_H

#include "eval/assignment.h"
#include "eval/curve.h"
#include "eval/lane_set.h"

typedef struct overlap_rules {
    int width, height; /* pixels of the picture drawn on */
    int samples;       /* points on each predicted lane's curve; 0: five for each pair of neighbours, and one */
    bool curved_truth; /* annotations are resampled as predictions are; else drawn through their own points */
} overlap_rules;

extern const overlap_rules overlap_culane, overlap_llamas;

/* The scratch of one thread. Zero-initialise, open; reused without allocating once large enough. */
typedef struct overlap {
    const overlap_rules *rules;
    canvas canvas;
    curve curve;
    assignment assignment;
    pixel *pixels;
    size_t pixel_capacity;
    mask *predicted, *truth;
    size_t predicted_capacity, truth_capacity;
} overlap;

int overlap_open(overlap *o, const overlap_rules *rules, lanert_error *err);
void overlap_close(overlap *o);

/* Matches the lanes and counts, for each of the LANERT_VAL_THRESHOLDS, the pairs with an IoU above it. FP are the
 * predictions less those, FN the annotations less those. Errors name the file and line of the lane. */
int overlap_score(overlap *o, const lane_set *predicted, const lane_set *truth, uint16_t *hits, lanert_error *err);

#endif
