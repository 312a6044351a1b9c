/* clrnet/models/necks/fpn.py: no norm, no activation, nearest up-sampling. */
#include "model/fpn.h"

static value up_sample(net *n, value v)
{
    value scales = graph_floats(n->g, 1, DIMS(4), (const float[]){1, 1, 2, 2});
    return graph_node(n->g, "Resize", INPUTS(v, "", scales),
                      ATTRIBUTES(ATTR_TEXT("mode", "nearest"),
                                 ATTR_TEXT("coordinate_transformation_mode", "asymmetric"),
                                 ATTR_TEXT("nearest_mode", "floor")));
}

void fpn_build(net *n, feature levels[BACKBONE_LEVELS])
{
    int64_t width = weights_dim(n->w, "neck.lateral_convs.0.conv.weight", 0);
    graph_scope(n->g, "neck");
    for (int i = 0; i < BACKBONE_LEVELS; i++)
        levels[i] =
            convolve(n, levels[i], module_of("neck.lateral_convs.%d.conv", i).name, NULL, (conv_spec){.out = width});
    for (int i = BACKBONE_LEVELS - 1; i > 0; i--)
        levels[i - 1].v = graph_binary(n->g, "Add", levels[i - 1].v, up_sample(n, levels[i].v));
    for (int i = 0; i < BACKBONE_LEVELS; i++)
        levels[i] = convolve(n, levels[i], module_of("neck.fpn_convs.%d.conv", i).name, NULL,
                             (conv_spec){.out = width, .kernel = {3, 3}, .pad = {1, 1}});
}
