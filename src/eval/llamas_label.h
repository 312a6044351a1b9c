/* llamas_label.h - LLAMAS marks the painted dashes of each lane; here they become a line through all rows.
 *
 * What clrnet/utils/llamas_utils.py computes (SplineCreator, after karstenBehrendt/unsupervised_llamas). */
#ifndef EVAL_LLAMAS_LABEL_H
#define EVAL_LLAMAS_LABEL_H

#include "eval/lane_set.h"

#define LLAMAS_WIDTH 1276
#define LLAMAS_HEIGHT 717
#define LLAMAS_FIRST_ROW 300 /* llamas_metric.py, add_ys: the rows above are not scored */

/* A dash, from its near end to its far one. */
typedef struct llamas_marker {
    double start_x, start_y, end_x, end_y; /* whole pixels */
    double start_z, end_z;                 /* distance from the car */
} llamas_marker;

typedef struct llamas_lane {
    char id[16]; /* l0, l1, … to the left of the car, r0, r1, … to its right */
    size_t first, count;
} llamas_lane;

/* Zero-initialise. */
typedef struct llamas_label {
    llamas_lane *lanes;
    size_t lane_count, lane_capacity;
    llamas_marker *markers;
    size_t marker_count, marker_capacity;
} llamas_label;

void llamas_label_free(llamas_label *label);
int llamas_label_lane(llamas_label *label, const char *id, lanert_error *err);
int llamas_label_marker(llamas_label *label, const llamas_marker *marker, lanert_error *err);
/* Adds the lanes l1, l0, r0, r1, those that have 2 points or more, to set. Errors name set->name. */
int llamas_label_trace(llamas_label *label, lane_set *set, lanert_error *err);

#endif
