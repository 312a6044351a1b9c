/* clrnet/models/backbones/resnet.py: ResNetWrapper, with every stage but the first halving the map. */
#include "model/backbone.h"

#define STAGES 4

/* What is added to a block's own result: x, or x through a 1×1 convolution where size or width change, which they
 * can only in the first block of a stage. `last` is the block's last convolution. */
static feature shortcut(net *n, feature x, const char *block, const char *last, int stride, bool first)
{
    int64_t width = weights_dim(n->w, module_of("%s.%s.weight", block, last).name, 0);
    if (!first || (stride == 1 && width == x.channels))
        return x;
    return convolve(n, x, module_of("%s.downsample.0", block).name, module_of("%s.downsample.1", block).name,
                    (conv_spec){.stride = stride});
}

static feature block_conv(net *n, feature x, const char *block, int i, conv_spec spec)
{
    return convolve(n, x, module_of("%s.conv%d", block, i).name, module_of("%s.bn%d", block, i).name, spec);
}

static feature basic_block(net *n, feature x, const char *block, int stride, bool first)
{
    feature side = shortcut(n, x, block, "conv2", stride, first);
    feature y =
        block_conv(n, x, block, 1, (conv_spec){.kernel = {3, 3}, .pad = {1, 1}, .stride = stride, .relu = true});
    y = block_conv(n, y, block, 2, (conv_spec){.out = side.channels, .kernel = {3, 3}, .pad = {1, 1}});
    return feature_join(n, y, side);
}

/* The stride is the second convolution's, as in torchvision. */
static feature bottleneck_block(net *n, feature x, const char *block, int stride, bool first)
{
    feature side = shortcut(n, x, block, "conv3", stride, first);
    feature y = block_conv(n, x, block, 1, (conv_spec){.relu = true});
    y = block_conv(n, y, block, 2, (conv_spec){.kernel = {3, 3}, .pad = {1, 1}, .stride = stride, .relu = true});
    y = block_conv(n, y, block, 3, (conv_spec){.out = side.channels});
    return feature_join(n, y, side);
}

void resnet_build(net *n, const backbone *b, feature x, double scale, feature levels[BACKBONE_LEVELS])
{
    graph_scope(n->g, "stem");
    x = convolve(n, x, "backbone.model.conv1", "backbone.model.bn1",
                 (conv_spec){.kernel = {7, 7}, .pad = {3, 3}, .stride = 2, .scale = scale, .relu = true});
    x = feature_max_pool(n, x, 3, 2, 1);
    for (int stage = 0; stage < STAGES; stage++) {
        for (int i = 0; i < b->blocks[stage]; i++) {
            module block = module_of("backbone.model.layer%d.%d", stage + 1, i);
            int stride = stage > 0 && i == 0 ? 2 : 1;
            graph_scope(n->g, "layer%d.%d", stage + 1, i);
            x = (b->bottleneck ? bottleneck_block : basic_block)(n, x, block.name, stride, i == 0);
        }
        if (stage >= STAGES - BACKBONE_LEVELS)
            levels[stage - (STAGES - BACKBONE_LEVELS)] = x;
    }
}
