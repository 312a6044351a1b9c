/* priors.h - the lines that the head starts from, their geometry, and where they are sampled. */
#ifndef MODEL_PRIORS_H
#define MODEL_PRIORS_H

#include "model/layers.h"
#include "model/preset.h"

/* The checkpoint's buffers. Rows of samples go from the top of the map down. */
typedef struct priors {
    int64_t count, points;
    float *table;    /* [count][78] the stored priors */
    float *on_map;   /* [count][points] their x where they are sampled first */
    float *rows;     /* [points] the lane row (0: the lowest) of each sample */
    float *feat_ys;  /* [points] its place on the map, 0 (top) to 1 */
    float *prior_ys; /* [72] the height of each lane row, 1 (bottom) to 0 */
} priors;

/* Takes them from the checkpoint. What is amiss is noted; then no values are made of it: "". */
void priors_take(net *n, priors *p);
void priors_free(priors *p);

/* The stored lines, once only: start_y, start_x and theta [1,count,3], and x at the samples [1,count,points]. */
value priors_parameters(net *n, priors *p);
value priors_samples(net *n, priors *p);

/* x of lines [N,k,3] at the samples [N,k,points], or at all rows [N,k,72]. */
value lines_at_samples(net *n, const priors *p, value parameters);
value lines_at_rows(net *n, const priors *p, value parameters);

/* A float32 map of that stride at the samples' x [N,k,points]: [N,channels,points,k]. `part` becomes what lines_hold
 * takes. */
value lines_features(net *n, const priors *p, feature map, int64_t stride, value xs, value *part);
/* 0 [N,1,1], to be added to an output: it holds the lines' arithmetic in float32, where an engine may choose. */
value lines_hold(net *n, value part);

#endif
