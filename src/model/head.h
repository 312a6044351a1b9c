/* head.h - CLRHead: priors refined over the neck's maps, coarsest first. */
#ifndef MODEL_HEAD_H
#define MODEL_HEAD_H

#include "model/backbone.h"

/* Builds it. Returns the predictions [N,priors,78], float32, and how many priors there are (0 where the checkpoint has
 * none: noted). */
value head_build(net *n, const feature levels[BACKBONE_LEVELS], int64_t *priors);

#endif
