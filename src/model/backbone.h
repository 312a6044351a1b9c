/* backbone.h - the networks that CLRNet's maps come from. */
#ifndef MODEL_BACKBONE_H
#define MODEL_BACKBONE_H

#include "model/layers.h"

/* Maps that the neck takes: of strides 8, 16 and 32. */
#define BACKBONE_LEVELS 3

typedef struct backbone {
    const char *name; /* "resnet18" … */
    bool dla;
    bool bottleneck; /* ResNet: blocks of three convolutions rather than two */
    int blocks[4];   /* ResNet: in layer1 … layer4 */
} backbone;

/* Which one the names of the checkpoint tell; LANERT_EUNSUPPORTED, with what was found, where it is none known. */
int backbone_tell(const checkpoint *ck, const char *path, const backbone **b, lanert_error *err);

/* Builds it on x [N,3,320,800], or what n->shrink leaves of that. The network wants the picture's bytes over 255;
 * `scale` makes x that, and is folded into the first convolution. */
void backbone_build(net *n, const backbone *b, feature x, double scale, feature levels[BACKBONE_LEVELS]);

/* Its two kinds. */
void resnet_build(net *n, const backbone *b, feature x, double scale, feature levels[BACKBONE_LEVELS]);
void dla_build(net *n, feature x, double scale, feature levels[BACKBONE_LEVELS]);

#endif
