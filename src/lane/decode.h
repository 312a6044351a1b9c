/* decode.h - from raw predictions to lanes: softmax, threshold, greedy NMS, rows.
 *
 * Exactly what CLRHead.get_lanes and predictions_to_pred compute (clrnet/models/heads/clr_head.py and
 * clrnet/ops/csrc/nms_kernel.cu of the reference), with ties settled (score descending, then prior index
 * ascending) and NaN, ±Inf and absurd values made harmless. Pure arithmetic; allocates nothing. */
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
    int max_lanes; /* 1 to LANERT_MAX_LANES */
    double cut;    /* part of the picture's height cut away at the top: cut_height / ori_height */
} decode_options;

/* Scratch for one decode, so that nothing is allocated: about 40 KB, owned by the detector. */
typedef struct decode_scratch {
    float score[NET_MAX_PRIORS];
    uint16_t order[NET_MAX_PRIORS];
    uint8_t dead[NET_MAX_PRIORS];
} decode_scratch;

/* raw: [priors][78] float32, priors at most NET_MAX_PRIORS. Returns how many lanes were written to
 * lanes[LANERT_MAX_LANES], best score first. Lanes of fewer than 2 points are dropped (after NMS). */
int decode_raw(const float *raw, int priors, const decode_options *options, decode_scratch *scratch, lane_curve *lanes);

/* The same of rows that the graph's own NMS kept: [count][78], in order. Thresholds are applied again
 * only where stricter ones than the graph's leave a prefix: conf and max_lanes. */
int decode_kept(const float *rows, int count, const decode_options *options, lane_curve *lanes);

/* In pixels of a width × height picture. */
void lane_to_pixels(const lane_curve *curve, int width, int height, lanert_lane *lane);
/* And back. */
void lane_from_pixels(const lanert_lane *lane, int width, int height, lane_curve *curve);

#endif
