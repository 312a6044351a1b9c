/* roi_gather.h - what a prior knows of a stage: its samples, and the whole map as it attends to it. */
#ifndef MODEL_ROI_GATHER_H
#define MODEL_ROI_GATHER_H

#include "model/layers.h"
#include "model/selection.h"

#define ROI_STAGES 3

/* Its weights, which all stages share but for their own convolutions, and what earlier stages left. */
typedef struct roi {
    int64_t channels;
    conv first[ROI_STAGES], second[ROI_STAGES], narrow;
    value norm_scale, norm_shift;
    conv key, content;
    value query[2], out[2]; /* factor and summand of each prior: [priors,1]; [N,keep,1] of a selection */
    feature kept[ROI_STAGES];
} roi;

void roi_take(net *n, roi *r, int64_t channels, int64_t priors, int64_t points);

/* Features [N,priors,channels] of stages 0, 1, 2 in turn, all float32: from samples [N,channels,points,priors] of this
 * stage, what the stages before kept of theirs, and this stage's map, whose sides are 2^stage times 10×25. */
value roi_gather(net *n, roi *r, int stage, value samples, value map);

/* After the first stage: the following ones are of these priors alone. */
void roi_select(graph *g, roi *r, selection s);

#endif
