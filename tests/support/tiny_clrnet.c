#include "support/tiny_clrnet.h"

#include <stdarg.h>

#include "support/checkpoint_writer.h"

/* ---- tensors ------------------------------------------------------------------------------------- */

/* Numbers of −1 to 1, always the same. */
static float next_number(tiny_clrnet *t)
{
    t->state = t->state * 1664525u + 1013904223u;
    return (float)(t->state >> 8) / (float)(1 << 23) - 1;
}

static int64_t count_of(const tiny_tensor *tensor)
{
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->dims[i];
    return count;
}

int tiny_clrnet_add(tiny_clrnet *t, const char *name, int rank, const int64_t *dims, lanert_error *err)
{
    int rc = memory_grow(&t->tensors, &t->capacity, t->count + 1, sizeof *t->tensors, err);
    if (rc)
        return rc;
    tiny_tensor *tensor = &t->tensors[t->count];
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    tensor->rank = rank;
    memcpy(tensor->dims, dims, (size_t)rank * sizeof *dims);
    if ((rc = memory_new(&tensor->data, (size_t)count_of(tensor), sizeof *tensor->data, err)))
        return rc;
    for (int64_t i = 0; i < count_of(tensor); i++)
        tensor->data[i] = next_number(t) * 0.5f;
    t->count++;
    return 0;
}

tiny_tensor *tiny_clrnet_find(const tiny_clrnet *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (!strcmp(t->tensors[i].name, name))
            return &t->tensors[i];
    fprintf(stderr, "tiny_clrnet has no %s\n", name);
    abort();
}

void tiny_clrnet_remove(tiny_clrnet *t, const char *name)
{
    tiny_tensor *tensor = tiny_clrnet_find(t, name);
    free(tensor->data);
    *tensor = t->tensors[--t->count];
}

void tiny_clrnet_close(tiny_clrnet *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->tensors[i].data);
    free(t->tensors);
    *t = (tiny_clrnet){0};
}

/* ---- layers -------------------------------------------------------------------------------------- */

/* What the layers are added with: the first error sticks. */
typedef struct maker {
    tiny_clrnet *t;
    lanert_error *err;
    int rc;
} maker;

static void __attribute__((format(printf, 4, 5))) add(maker *m, int rank, const int64_t *dims, const char *format, ...)
{
    char name[128];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    if (!m->rc)
        m->rc = tiny_clrnet_add(m->t, name, rank, dims, m->err);
}

static void add_norm(maker *m, const char *name, int64_t channels)
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        add(m, 1, &channels, "%s.%s", name, parts[i]);
    for (int64_t i = 0; !m->rc && i < channels; i++)
        m->t->tensors[m->t->count - 1].data[i] = 1 + (float)i / 8;
    add(m, 1, (int64_t[]){1}, "%s.num_batches_tracked", name);
}

static void add_conv(maker *m, const char *name, int64_t out, int64_t in, int64_t height, int64_t width)
{
    add(m, 4, (int64_t[]){out, in, height, width}, "%s.weight", name);
}

static void add_layer(maker *m, const char *owner, const char *conv, const char *norm, int64_t out, int64_t in,
                      int64_t side)
{
    char name[112];
    snprintf(name, sizeof name, "%s.%s", owner, conv);
    add_conv(m, name, out, in, side, side);
    snprintf(name, sizeof name, "%s.%s", owner, norm);
    add_norm(m, name, out);
}

static void add_dense(maker *m, const char *name, int64_t out, int64_t in)
{
    add(m, 2, (int64_t[]){out, in}, "%s.weight", name);
    add(m, 1, &out, "%s.bias", name);
}

/* ---- backbones ----------------------------------------------------------------------------------- */

static void add_resnet(maker *m, const int blocks[4], bool bottleneck, int64_t widths[3])
{
    static const int64_t planes[] = {4, 6, 8, 10};
    int64_t in = 5;
    add_layer(m, "backbone.model", "conv1", "bn1", in, 3, 7);
    for (int stage = 0; stage < 4; stage++) {
        int64_t mid = planes[stage], out = bottleneck ? mid * 4 : mid;
        for (int i = 0; i < blocks[stage]; i++, in = out) {
            char block[64];
            snprintf(block, sizeof block, "backbone.model.layer%d.%d", stage + 1, i);
            add_layer(m, block, "conv1", "bn1", mid, in, bottleneck ? 1 : 3);
            add_layer(m, block, "conv2", "bn2", mid, mid, 3);
            if (bottleneck)
                add_layer(m, block, "conv3", "bn3", out, mid, 1);
            if (i == 0)
                add_layer(m, block, "downsample.0", "downsample.1", out, in, 1);
        }
        if (stage > 0)
            widths[stage - 1] = out;
    }
}

static void add_tree(maker *m, const char *tree, int64_t out, int64_t in, int64_t root)
{
    char name[96];
    for (int i = 1; i <= 2; i++) {
        snprintf(name, sizeof name, "%s.tree%d", tree, i);
        add_layer(m, name, "conv1", "bn1", out, i == 1 ? in : out, 3);
        add_layer(m, name, "conv2", "bn2", out, out, 3);
    }
    add_layer(m, tree, "root.conv", "root.bn", out, root, 1);
    if (in != out)
        add_layer(m, tree, "project.0", "project.1", out, in, 1);
}

static void add_dla(maker *m, int64_t widths[3])
{
    static const int64_t channels[] = {2, 3, 4, 5, 6, 7};
    add_layer(m, "backbone.model.base_layer", "0", "1", channels[0], 3, 7);
    add_layer(m, "backbone.model.level0", "0", "1", channels[0], channels[0], 3);
    add_layer(m, "backbone.model.level1", "0", "1", channels[1], channels[0], 3);
    add_tree(m, "backbone.model.level2", channels[2], channels[1], 2 * channels[2]);
    for (int level = 3; level <= 4; level++) {
        char tree[64];
        int64_t out = channels[level], in = channels[level - 1];
        snprintf(tree, sizeof tree, "backbone.model.level%d.tree1", level);
        add_tree(m, tree, out, in, 2 * out);
        snprintf(tree, sizeof tree, "backbone.model.level%d.tree2", level);
        add_tree(m, tree, out, out, 3 * out + in);
        snprintf(tree, sizeof tree, "backbone.model.level%d", level);
        add_layer(m, tree, "project.0", "project.1", out, in, 1);
    }
    add_tree(m, "backbone.model.level5", channels[5], channels[4], 2 * channels[5] + channels[4]);
    memcpy(widths, channels + 3, 3 * sizeof *widths);
}

/* ---- neck and head ------------------------------------------------------------------------------- */

static void add_neck(maker *m, const int64_t widths[3])
{
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "neck.lateral_convs.%d.conv", i);
        add_conv(m, name, TINY_CHANNELS, widths[i], 1, 1);
        add(m, 1, (int64_t[]){TINY_CHANNELS}, "%s.bias", name);
        snprintf(name, sizeof name, "neck.fpn_convs.%d.conv", i);
        add_conv(m, name, TINY_CHANNELS, TINY_CHANNELS, 3, 3);
        add(m, 1, (int64_t[]){TINY_CHANNELS}, "%s.bias", name);
    }
}

static void set(maker *m, const char *name, float (*value)(int64_t))
{
    if (m->rc)
        return;
    tiny_tensor *tensor = tiny_clrnet_find(m->t, name);
    for (int64_t i = 0; i < count_of(tensor); i++)
        tensor->data[i] = value(i);
}

static float row_height(int64_t i)
{
    return (float)(1 - (double)i / 71);
}

static float sample_row(int64_t i)
{
    return (float)(i * 71 / (TINY_POINTS - 1));
}

static float sample_height(int64_t i)
{
    return 1 - sample_row(TINY_POINTS - 1 - i) / 71;
}

static void add_buffers(maker *m)
{
    add(m, 1, (int64_t[]){TINY_POINTS}, "heads.sample_x_indexs");
    add(m, 1, (int64_t[]){TINY_POINTS}, "heads.prior_feat_ys");
    add(m, 1, (int64_t[]){72}, "heads.prior_ys");
    add(m, 2, (int64_t[]){TINY_PRIORS, 78}, "heads.priors");
    add(m, 2, (int64_t[]){TINY_PRIORS, TINY_POINTS}, "heads.priors_on_featmap");
    add(m, 2, (int64_t[]){TINY_PRIORS, 3}, "heads.prior_embeddings.weight");
    add(m, 4, (int64_t[]){5, 3 * TINY_CHANNELS, 1, 1}, "heads.seg_decoder.conv.weight");
    add(m, 1, (int64_t[]){5}, "heads.criterion.weight");
    set(m, "heads.sample_x_indexs", sample_row);
    set(m, "heads.prior_feat_ys", sample_height);
    set(m, "heads.prior_ys", row_height);
}

static void add_gather(maker *m)
{
    const int64_t c = TINY_CHANNELS;
    char name[64];
    add_layer(m, "heads.roi_gather.f_key", "conv", "bn", c, c, 1);
    add(m, 3, (int64_t[]){TINY_PRIORS, 1, 1}, "heads.roi_gather.f_query.0.weight");
    add(m, 1, (int64_t[]){TINY_PRIORS}, "heads.roi_gather.f_query.0.bias");
    add_conv(m, "heads.roi_gather.f_value", c, c, 1, 1);
    add(m, 1, &c, "heads.roi_gather.f_value.bias");
    add(m, 3, (int64_t[]){TINY_PRIORS, 1, 1}, "heads.roi_gather.W.weight");
    add(m, 1, (int64_t[]){TINY_PRIORS}, "heads.roi_gather.W.bias");
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "heads.roi_gather.convs.%d.conv", i);
        add_conv(m, name, TINY_MIDDLE, c, 9, 1);
        snprintf(name, sizeof name, "heads.roi_gather.convs.%d.bn", i);
        add_norm(m, name, TINY_MIDDLE);
        snprintf(name, sizeof name, "heads.roi_gather.catconv.%d.conv", i);
        add_conv(m, name, c, TINY_MIDDLE * (i + 1), 9, 1);
        snprintf(name, sizeof name, "heads.roi_gather.catconv.%d.bn", i);
        add_norm(m, name, c);
    }
    add_dense(m, "heads.roi_gather.fc", c, c * TINY_POINTS);
    add(m, 1, &c, "heads.roi_gather.fc_norm.weight");
    add(m, 1, &c, "heads.roi_gather.fc_norm.bias");
}

static void add_head(maker *m)
{
    const int64_t c = TINY_CHANNELS;
    add_buffers(m);
    add_gather(m);
    for (int i = 0; i < 4; i += 2) {
        char name[64];
        snprintf(name, sizeof name, "heads.reg_modules.%d", i);
        add_dense(m, name, c, c);
        snprintf(name, sizeof name, "heads.cls_modules.%d", i);
        add_dense(m, name, c, c);
    }
    add_dense(m, "heads.reg_layers", 76, c);
    add_dense(m, "heads.cls_layers", 2, c);
}

int tiny_clrnet_open(const char *arch, tiny_clrnet *t, lanert_error *err)
{
    static const struct {
        const char *name;
        int blocks[4];
        bool bottleneck;
    } resnets[] = {
        {"resnet18", {2, 2, 2, 2}, false},
        {"resnet34", {3, 4, 6, 3}, false},
        {"resnet50", {3, 4, 6, 3}, true},
        {"resnet101", {3, 4, 23, 3}, true},
    };
    maker m = {t, err, 0};
    int64_t widths[3] = {0};
    *t = (tiny_clrnet){.state = 1};
    for (size_t i = 0; i < ARRAY_LEN(resnets); i++)
        if (!strcmp(arch, resnets[i].name))
            add_resnet(&m, resnets[i].blocks, resnets[i].bottleneck, widths);
    if (!strcmp(arch, "dla34"))
        add_dla(&m, widths);
    add_neck(&m, widths);
    add_head(&m);
    return m.rc;
}

int tiny_clrnet_write(const tiny_clrnet *t, const char *path, lanert_error *err)
{
    checkpoint_writer w;
    int rc = checkpoint_writer_open(path, CHECKPOINT_WRITER_ZIP, &w, err);
    for (size_t i = 0; !rc && i < t->count; i++)
        rc = checkpoint_writer_add(&w, t->tensors[i].name, CHECKPOINT_F32, t->tensors[i].rank, t->tensors[i].dims,
                                   t->tensors[i].data, err);
    if (!rc)
        rc = checkpoint_writer_finish(&w, true, err);
    checkpoint_writer_close(&w);
    return rc;
}
