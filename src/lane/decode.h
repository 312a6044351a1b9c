/* decode.h - from raw predictions to lanes: softmax, threshold, greedy NMS, rows.
 *
 * What CLRHead.get_lanes and predictions_to_pred compute (clrnet/models/heads/clr_head.py and
 * clrnet/ops/csrc/nms_kernel.cu of the reference), rounding for rounding, with what those leave open settled:
 *   - equal scores: the prior of the lower index first;
 *   - the start row is clamped to 0..71 in NMS too (the kernel reads other fields below 0);
 *   - a lane whose score, start or length is NaN is no lane; a point whose x is NaN or infinite is no point;
 *   - lanes whose distance is NaN do not suppress each other.
 * Predictions that decode_find_bad finds nothing in have no NaN that matters: it is for decode's own safety.
 * Pure arithmetic; allocates nothing. */
#ifndef LANE_DECODE_H
#define LANE_DECODE_H

#include "model/preset.h"

/* A lane in the reference's own coordinates. */
typedef struct lane_curve {
    float score;
    int count;                    /* 2 to 72 */
    double x[LANERT_LANE_POINTS]; /* over the picture's width */
    double y[LANERT_LANE_POINTS]; /* over the whole picture's height (as cut at cut_height of ori_height), rising */
} lane_curve;

typedef struct decode_options {
    float conf, nms_thres;
    int max_lanes;         /* 1 to LANERT_MAX_LANES */
    double cut, height;    /* of so many rows of a picture as high as this, `cut` are cut away at the top */
    const float *prior_ys; /* [72] of each row, 1 (bottom) to 0, falling: model_info's */
} decode_options;

/* Scratch for one decode, so that nothing is allocated: 24 KiB, owned by the detector. */
typedef struct decode_scratch {
    float score[NET_MAX_PRIORS];    /* of each candidate */
    uint16_t prior[NET_MAX_PRIORS]; /* which prior it is; rising */
} decode_scratch;

/* The first of rows' [count][78] numbers that is NaN or infinite and would be read: a logit, or anything of a prior
 * whose score suffices; NULL where there is none. Of the other priors, a line all but parallel to the rows may leave
 * float32's range, and does no harm. */
const float *decode_find_bad(const float *rows, int count, const decode_options *options);

/* raw: [priors][78] float32, priors at most NET_MAX_PRIORS. Returns how many lanes were written to
 * lanes[LANERT_MAX_LANES], best score first. Lanes of fewer than 2 points are dropped (after NMS). */
int decode_raw(const float *raw, int priors, const decode_options *options, decode_scratch *scratch, lane_curve *lanes);

/* The same of rows that the graph's own NMS kept: [count][78], best score first. Thresholds are applied again
 * only where stricter ones than the graph's leave a prefix: conf and max_lanes. */
int decode_kept(const float *rows, int count, const decode_options *options, lane_curve *lanes);

/* In pixels of a width × height picture. */
void lane_to_pixels(const lane_curve *curve, int width, int height, lanert_lane *lane);
/* And back: x to the last bit, where it was a network's float32 and width is at most 16384 (24 + 14 bits of
 * product are exact in a double, so the quotient is too); y to one unit in the last place. */
void lane_from_pixels(const lanert_lane *lane, int width, int height, lane_curve *curve);

#endif
