/* head.h - CLRHead: priors refined over the neck's maps, coarsest first. */
#ifndef MODEL_HEAD_H
#define MODEL_HEAD_H

#include "model/backbone.h"

/* Builds it. Only the `keep` priors that score best in the first stage go on to the others; where there are no more,
 * all. Returns the predictions [N,count,78], float32, and their count (0 where the checkpoint has no priors: noted). */
value head_build(net *n, const feature levels[BACKBONE_LEVELS], int64_t keep, int64_t *count);

#endif
