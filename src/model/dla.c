/* clrnet/models/backbones/dla34.py: DLA34, levels of 1, 1, 1, 2, 2 and 1; aggregation without residual roots. */
#include "model/backbone.h"

/* What a tree's root takes in beside its own two blocks. */
typedef struct children {
    feature at[FEATURE_MAX_PARTS];
    int count;
} children;

static feature conv_at(net *n, feature x, const char *owner, const char *name, const char *norm, conv_spec spec)
{
    return convolve(n, x, module_of("%s.%s", owner, name).name, module_of("%s.%s", owner, norm).name, spec);
}

static feature basic_block(net *n, feature x, feature side, const char *block, int stride)
{
    feature y = conv_at(n, x, block, "conv1", "bn1",
                        (conv_spec){.kernel = {3, 3}, .pad = {1, 1}, .stride = stride, .relu = true});
    y = conv_at(n, y, block, "conv2", "bn2", (conv_spec){.out = side.channels, .kernel = {3, 3}, .pad = {1, 1}});
    return feature_join(n, y, side);
}

/* The way round a tree's first block: x, made smaller and as wide as the tree. */
static feature project(net *n, feature bottom, const char *tree)
{
    if (weights_dim(n->w, module_of("%s.tree1.conv2.weight", tree).name, 0) == bottom.channels)
        return bottom;
    return conv_at(n, bottom, tree, "project.0", "project.1", (conv_spec){0});
}

/* A tree of one level: two blocks and the root that joins them with the children. */
static feature small_tree(net *n, feature x, const char *tree, int stride, const children *more)
{
    feature bottom = stride > 1 ? feature_max_pool(n, x, stride, stride, 0) : x;
    feature first = basic_block(n, x, project(n, bottom, tree), module_of("%s.tree1", tree).name, stride);
    feature second = basic_block(n, first, first, module_of("%s.tree2", tree).name, 1);
    feature parts[FEATURE_MAX_PARTS] = {second, first};
    for (int i = 0; i < more->count; i++)
        parts[2 + i] = more->at[i];
    return conv_at(n, feature_concat(n, parts, 2 + more->count), tree, "root.conv", "root.bn",
                   (conv_spec){.out = second.channels, .relu = true});
}

/* A level of the backbone: a tree, or two trees of which the second's root takes in the first, and what came in. The
 * outer tree of two has a projection of its own, of which the reference makes no use. */
static feature level(net *n, feature x, int number, bool two, bool keep_bottom)
{
    module tree = module_of("backbone.model.level%d", number);
    children more = {0};
    graph_scope(n->g, "level%d", number);
    if (keep_bottom)
        more.at[more.count++] = feature_max_pool(n, x, 2, 2, 0);
    if (!two)
        return small_tree(n, x, tree.name, 2, &more);
    weights_skip(n->w, module_of("%s.project.", tree.name).name);
    feature first = small_tree(n, x, module_of("%s.tree1", tree.name).name, 2, &(children){0});
    more.at[more.count++] = first;
    return small_tree(n, first, module_of("%s.tree2", tree.name).name, 1, &more);
}

void dla_build(net *n, feature x, double scale, feature levels[BACKBONE_LEVELS])
{
    const conv_spec same = {.kernel = {3, 3}, .pad = {1, 1}, .relu = true};
    const conv_spec half = {.kernel = {3, 3}, .pad = {1, 1}, .stride = 2, .relu = true};
    graph_scope(n->g, "stem");
    x = conv_at(n, x, "backbone.model.base_layer", "0", "1",
                (conv_spec){.kernel = {7, 7}, .pad = {3, 3}, .scale = scale, .relu = true});
    x = conv_at(n, x, "backbone.model.level0", "0", "1", same);
    x = conv_at(n, x, "backbone.model.level1", "0", "1", half);
    x = level(n, x, 2, false, false);
    x = levels[0] = level(n, x, 3, true, true);
    x = levels[1] = level(n, x, 4, true, true);
    levels[2] = level(n, x, 5, false, true);
}
