/* clrnet/models/necks/fpn.py: no norm, no activation, nearest up-sampling. */
#include "model/fpn.h"

#define FINEST_STRIDE 8

void fpn_build(net *n, feature levels[BACKBONE_LEVELS])
{
    int64_t width = weights_dim(n->w, "neck.lateral_convs.0.conv.weight", 0);
    graph_scope(n->g, "neck");
    for (int i = 0; i < BACKBONE_LEVELS; i++)
        levels[i] =
            convolve(n, levels[i], module_of("neck.lateral_convs.%d.conv", i).name, NULL, (conv_spec){.out = width});
    for (int i = BACKBONE_LEVELS - 1; i > 0; i--)
        levels[i - 1].v = graph_binary(n->g, "Add", levels[i - 1].v,
                                       up_sample(n, levels[i].v, map_extent(n, FINEST_STRIDE << (i - 1))));
    for (int i = 0; i < BACKBONE_LEVELS; i++)
        levels[i] = convolve(n, levels[i], module_of("neck.fpn_convs.%d.conv", i).name, NULL,
                             (conv_spec){.out = width, .kernel = {3, 3}, .pad = {1, 1}});
}
