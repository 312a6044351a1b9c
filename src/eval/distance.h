/* distance.h - how far two sets of lanes of one picture lie apart, in pixels. */
#ifndef EVAL_DISTANCE_H
#define EVAL_DISTANCE_H

#include "eval/assignment.h"
#include "eval/lane_set.h"

/* The scratch. Zero-initialise; reused without allocating once large enough. */
typedef struct distance {
    assignment assignment;
    double *mean, *largest; /* [lanes of a][lanes of b] */
    size_t mean_capacity, largest_capacity;
} distance;

void distance_free(distance *d);

/* Makes the points of each lane rise in y; of points on the same row the first stays. Lanes of one point and none
 * stay as they are. */
void distance_prepare(lane_set *set);

/* Of prepared lanes: pairs a's lanes with b's, one with one at most, for the least sum of mean distances; lanes more
 * than limit_px apart on average, or without a row in common, are no pair. Fills matched, lost, gained, mean_px and
 * largest_px of *frame. The distance is the columns between the lanes, drawn straight from point to point, in every
 * row of either's points that both reach. */
int distance_between(distance *d, const lane_set *a, const lane_set *b, double limit_px, lanert_compare_frame *frame,
                     lanert_error *err);

#endif
