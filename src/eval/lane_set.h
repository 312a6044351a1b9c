/* lane_set.h - the lanes of one picture, as a file of predictions or annotations holds them. */
#ifndef EVAL_LANE_SET_H
#define EVAL_LANE_SET_H

#include "base/memory.h"

/* Far above what any data set has; what lies above is refused (LANERT_ELIMIT). */
#define LANE_SET_MAX_LANES 256
#define LANE_SET_MAX_POINTS 100000 /* of one lane */
/* Coordinates beyond ±this are refused: whole numbers of pixels are 32 bits wide in the reference. */
#define LANE_SET_MAX_COORDINATE 1e9

typedef struct lane_ref {
    size_t first, count; /* points[first …] */
    int line;            /* of the file, counted from 1 */
} lane_ref;

/* Zero-initialise; reused without allocating once large enough. */
typedef struct lane_set {
    const char *name; /* the file, for messages; borrowed */
    lanert_point *points;
    size_t point_count, point_capacity;
    lane_ref *lanes;
    size_t lane_count, lane_capacity;
} lane_set;

void lane_set_free(lane_set *set);
void lane_set_clear(lane_set *set, const char *name);
/* Starts a lane that the file holds on that line. */
int lane_set_begin(lane_set *set, int line, lanert_error *err);
/* Adds a point to the lane started last; LANERT_EFORMAT for a coordinate that is not finite or out of range. */
int lane_set_add(lane_set *set, double x, double y, lanert_error *err);
/* Takes the lane started last away again. */
void lane_set_drop(lane_set *set);

#endif
