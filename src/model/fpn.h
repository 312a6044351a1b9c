/* fpn.h - CLRNet's neck: the backbone's maps brought to one width, the coarse ones added to the fine. */
#ifndef MODEL_FPN_H
#define MODEL_FPN_H

#include "model/backbone.h"

/* Replaces the backbone's maps with the neck's, of the same sizes. */
void fpn_build(net *n, feature levels[BACKBONE_LEVELS]);

#endif
