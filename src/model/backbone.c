#include "model/backbone.h"

#define PREFIX "backbone.model."

/* clrnet/models/backbones/resnet.py, resnet18 … resnet152, and dla34.py. */
static const backbone backbones[] = {
    {.name = "resnet18", .blocks = {2, 2, 2, 2}},
    {.name = "resnet34", .blocks = {3, 4, 6, 3}},
    {.name = "resnet50", .blocks = {3, 4, 6, 3}, .bottleneck = true},
    {.name = "resnet101", .blocks = {3, 4, 23, 3}, .bottleneck = true},
    {.name = "resnet152", .blocks = {3, 8, 36, 3}, .bottleneck = true},
    {.name = "dla34", .dla = true},
};

/* "layer3.17.…" has blocks[2] at least 18. */
static void count_block(const char *name, int blocks[4])
{
    int layer = 0, block = 0;
    if (sscanf(name, "layer%1d.%3d.", &layer, &block) == 2 && layer >= 1 && layer <= 4 && block >= blocks[layer - 1])
        blocks[layer - 1] = block + 1;
}

static bool starts_with(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

static int distance(const int a[4], const int b[4])
{
    int sum = 0;
    for (int i = 0; i < 4; i++)
        sum += abs(a[i] - b[i]);
    return sum;
}

/* The nearest of its kind: where blocks are missing or too many, weights_check will name them. */
static const backbone *nearest_resnet(const int blocks[4], bool bottleneck)
{
    const backbone *best = NULL;
    for (size_t i = 0; i < ARRAY_LEN(backbones); i++) {
        const backbone *b = &backbones[i];
        if (!b->dla && b->bottleneck == bottleneck &&
            (!best || distance(b->blocks, blocks) < distance(best->blocks, blocks)))
            best = b;
    }
    return best;
}

int backbone_tell(const checkpoint *ck, const char *path, const backbone **b, lanert_error *err)
{
    int blocks[4] = {0};
    bool resnet = false, bottleneck = false, head = false;
    *b = NULL;
    for (int i = 0; i < checkpoint_count(ck); i++) {
        const char *name = checkpoint_at(ck, i)->name;
        head |= starts_with(name, "heads.");
        if (!starts_with(name, PREFIX))
            continue;
        name += strlen(PREFIX);
        if (starts_with(name, "base_layer."))
            *b = &backbones[ARRAY_LEN(backbones) - 1];
        resnet |= starts_with(name, "layer");
        bottleneck |= starts_with(name, "layer") && strstr(name, ".conv3.");
        count_block(name, blocks);
    }
    if (*b && head)
        return 0;
    if (resnet && head) {
        *b = nearest_resnet(blocks, bottleneck);
        return 0;
    }
    return error_set(err, LANERT_EUNSUPPORTED,
                     "%s: no CLRNet checkpoint: of its %d tensors none is named %s; expected names such as "
                     "backbone.model.layer1.0.conv1.weight (ResNet) or backbone.model.base_layer.0.weight (DLA34), and "
                     "heads.priors",
                     path, checkpoint_count(ck), head ? PREFIX "layer… or " PREFIX "base_layer…" : "heads.…");
}

void backbone_build(net *n, const backbone *b, feature x, double scale, feature levels[BACKBONE_LEVELS])
{
    if (b->dla)
        dla_build(n, x, scale, levels);
    else
        resnet_build(n, b, x, scale, levels);
}
