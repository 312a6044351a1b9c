/* deviation.h - how far a model's predictions lie from those of the model that it was made of. */
#ifndef LANE_DEVIATION_H
#define LANE_DEVIATION_H

#include "lane/decode.h"
#include "model/model.h"

/* Lanes whose points lie further apart than this in the mean, at width 800, are not the same lane: CULane's metric,
 * which draws lanes 30 of 1640 pixels wide, would not take them for it either. */
#define DEVIATION_SAME_PX 15

typedef struct deviation_sum {
    decode_options options;
    int priors;
    bool selects; /* see model_info */
    double logits[2][NET_MAX_PRIORS];
    decode_scratch scratch;
    double signal, noise; /* sums of squares */
    double moved;         /* pixels, of all matched lanes */
    int lanes, lost, gained;
} deviation_sum;

void deviation_start(const model_info *model, deviation_sum *d);
/* Adds a frame's predictions [priors][78], as they were and as they are. */
void deviation_add(deviation_sum *d, const float *was, const float *is);
/* Adds a frame's lanes alone, best first. */
void deviation_add_lanes(deviation_sum *d, const lane_curve *was, int was_count, const lane_curve *is, int is_count);
lanert_deviation deviation_result(const deviation_sum *d);

#endif
