/* made_checkpoint.c - writes a CLRNet-ResNet18 checkpoint with made weights, in the reference's own form, for tests.
 *
 * Nothing was trained. The backbone is random; the head is arranged so that four priors, which lie where
 * the drawn road of seed 1 has its lines while it is straight, always score highest, and move a little with what the
 * picture holds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/checkpoint_writer.h"

#define PRIORS 192
#define SAMPLES 36
#define ROWS 72
#define COLUMNS (6 + ROWS)
#define STRIPS (ROWS - 1)
#define MAX_VALUES ((size_t)16 << 20)

typedef struct maker {
    checkpoint_writer writer;
    uint64_t random; /* state of splitmix64 */
    int width;       /* of the stem and the first stage; the others have 2, 4 and 8 times as many; of the head */
    int mid;         /* of what the head makes of each sample */
    int move;        /* times as far as else the lanes move with what the picture holds */
    float *values;   /* of the tensor being made */
    int rc;          /* the first failure; nothing more is added after it */
    lanert_error err;
} maker;

/* ---- numbers ---- */

/* Sebastiano Vigna's splitmix64, as a number from -1 to 1. */
static float next_random(maker *m)
{
    uint64_t z = m->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (float)(z >> 40) / (float)(1 << 23) - 1;
}

static size_t count_of(int rank, const int64_t *dims)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= (size_t)dims[i];
    return n;
}

static void add(maker *m, const char *name, checkpoint_type type, int rank, const int64_t *dims, const void *data)
{
    if (!m->rc)
        m->rc = checkpoint_writer_add(&m->writer, name, type, rank, dims, data, &m->err);
}

static void add_floats(maker *m, const char *name, int rank, const int64_t *dims)
{
    add(m, name, CHECKPOINT_F32, rank, dims, m->values);
}

/* Uniform in center ± spread. */
static void add_random(maker *m, const char *name, int rank, const int64_t *dims, float center, float spread)
{
    size_t n = count_of(rank, dims);
    for (size_t i = 0; i < n; i++)
        m->values[i] = center + spread * next_random(m);
    add_floats(m, name, rank, dims);
}

/* ---- layers ---- */

static const char *join(const char *prefix, const char *name)
{
    static char text[8][128];
    static int turn;
    char *out = text[turn = (turn + 1) % 8];
    snprintf(out, sizeof text[0], "%s%s", prefix, name);
    return out;
}

/* He's initialisation, uniform: sqrt(6 / fan_in). */
static void add_conv(maker *m, const char *name, int out, int in, int high, int wide)
{
    float spread = sqrtf(6.0f / (float)(in * high * wide));
    add_random(m, join(name, ".weight"), 4, (int64_t[]){out, in, high, wide}, 0, spread);
}

static void add_bias(maker *m, const char *name, int out)
{
    add_random(m, join(name, ".bias"), 1, (int64_t[]){out}, 0, 0.05f);
}

static void add_norm(maker *m, const char *name, int channels, float scale)
{
    int64_t dims[] = {channels}, batches = 1000;
    add_random(m, join(name, ".weight"), 1, dims, scale, 0.1f * scale);
    add_random(m, join(name, ".bias"), 1, dims, 0, 0.05f);
    add_random(m, join(name, ".running_mean"), 1, dims, 0, 0.05f);
    add_random(m, join(name, ".running_var"), 1, dims, 1, 0.2f);
    add(m, join(name, ".num_batches_tracked"), CHECKPOINT_I64, 0, NULL, &batches);
}

static void add_block(maker *m, const char *name, int in, int out)
{
    add_conv(m, join(name, ".conv1"), out, in, 3, 3);
    add_norm(m, join(name, ".bn1"), out, 0.8f);
    add_conv(m, join(name, ".conv2"), out, out, 3, 3);
    add_norm(m, join(name, ".bn2"), out, 0.2f);
    if (in != out) {
        add_conv(m, join(name, ".downsample.0"), out, in, 1, 1);
        add_norm(m, join(name, ".downsample.1"), out, 0.8f);
    }
}

static void add_backbone(maker *m)
{
    int in = m->width;
    char name[64];
    add_conv(m, "backbone.model.conv1", m->width, 3, 7, 7);
    add_norm(m, "backbone.model.bn1", m->width, 0.8f);
    for (int stage = 1; stage <= 4; stage++)
        for (int block = 0; block < 2; block++) {
            int out = m->width << (stage - 1);
            snprintf(name, sizeof name, "backbone.model.layer%d.%d", stage, block);
            add_block(m, name, in, out);
            in = out;
        }
}

static void add_neck(maker *m)
{
    char name[64];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "neck.lateral_convs.%d.conv", i);
        add_conv(m, name, m->width, m->width << (i + 1), 1, 1);
        add_bias(m, name, m->width);
    }
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "neck.fpn_convs.%d.conv", i);
        add_conv(m, name, m->width, m->width, 3, 3);
        add_bias(m, name, m->width);
    }
}

static void add_roi_gather(maker *m)
{
    char name[64];
    add_conv(m, "heads.roi_gather.f_key.conv", m->width, m->width, 1, 1);
    add_norm(m, "heads.roi_gather.f_key.bn", m->width, 0.8f);
    add_random(m, "heads.roi_gather.f_query.0.weight", 3, (int64_t[]){PRIORS, 1, 1}, 0, 0.3f);
    add_random(m, "heads.roi_gather.f_query.0.bias", 1, (int64_t[]){PRIORS}, 0, 0.3f);
    add_conv(m, "heads.roi_gather.f_value", m->width, m->width, 1, 1);
    add_bias(m, "heads.roi_gather.f_value", m->width);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "heads.roi_gather.convs.%d", i);
        add_conv(m, join(name, ".conv"), m->mid, m->width, 9, 1);
        add_norm(m, join(name, ".bn"), m->mid, 0.8f);
        snprintf(name, sizeof name, "heads.roi_gather.catconv.%d", i);
        add_conv(m, join(name, ".conv"), m->width, m->mid * (i + 1), 9, 1);
        add_norm(m, join(name, ".bn"), m->width, 0.8f);
    }
    add_random(m, "heads.roi_gather.fc.weight", 2, (int64_t[]){m->width, SAMPLES * m->width}, 0, 0.03f);
    add_bias(m, "heads.roi_gather.fc", m->width);
    add_random(m, "heads.roi_gather.fc_norm.weight", 1, (int64_t[]){m->width}, 1, 0);
    add_random(m, "heads.roi_gather.fc_norm.bias", 1, (int64_t[]){m->width}, 0, 0);
}

/* ---- the head ---- */

/* Where lines lie on the drawn road of seed 1 while it is straight: start_x over the width, theta in units of pi. The
 * priors of these numbers are lanes. */
static const struct {
    int prior;
    float start_x, theta;
} made_lanes[] = {{40, 0.161f, 0.2804f}, {90, 0.931f, 0.7563f}, {120, 1.705f, 0.8947f}, {150, 2.479f, 0.9344f}};
#define MADE_LANES ((int)(sizeof made_lanes / sizeof *made_lanes))

static int made_lane(int prior)
{
    for (int i = 0; i < MADE_LANES; i++)
        if (made_lanes[i].prior == prior)
            return i;
    return -1;
}

/* [192][78]: a line's x at each row, as generate_priors_from_embeddings of the reference's head computes it. */
static void make_priors(float *priors)
{
    memset(priors, 0, sizeof(float) * PRIORS * COLUMNS);
    for (int p = 0; p < PRIORS; p++) {
        float *row = priors + p * COLUMNS;
        int lane = made_lane(p);
        row[3] = lane >= 0 ? made_lanes[lane].start_x : (float)p / PRIORS;
        row[4] = lane >= 0 ? made_lanes[lane].theta : 0.2f + 0.6f * (float)(p * 37 % PRIORS) / PRIORS;
        for (int i = 0; i < ROWS; i++)
            row[6 + i] = row[3] + (float)i / STRIPS * 320 / tanf(row[4] * (float)M_PI + 1e-5f) / 799;
    }
}

static void add_priors(maker *m)
{
    static float priors[PRIORS * COLUMNS];
    static const int strips = STRIPS;
    int64_t sample[SAMPLES];
    make_priors(priors);
    for (int i = 0; i < SAMPLES; i++)
        sample[i] = (int64_t)((float)i / (SAMPLES - 1) * (float)strips);
    add(m, "heads.sample_x_indexs", CHECKPOINT_I64, 1, (int64_t[]){SAMPLES}, sample);
    for (int i = 0; i < SAMPLES; i++)
        m->values[i] = 1 - (float)sample[SAMPLES - 1 - i] / STRIPS;
    add_floats(m, "heads.prior_feat_ys", 1, (int64_t[]){SAMPLES});
    for (int i = 0; i < ROWS; i++)
        m->values[i] = 1 - (float)i / STRIPS;
    add_floats(m, "heads.prior_ys", 1, (int64_t[]){ROWS});
    add(m, "heads.priors", CHECKPOINT_F32, 2, (int64_t[]){PRIORS, COLUMNS}, priors);
    for (int p = 0; p < PRIORS; p++)
        for (int i = 0; i < SAMPLES; i++)
            m->values[p * SAMPLES + i] = priors[p * COLUMNS + 6 + sample[i]];
    add_floats(m, "heads.priors_on_featmap", 2, (int64_t[]){PRIORS, SAMPLES});
    for (int p = 0; p < PRIORS; p++)
        memcpy(m->values + p * 3, priors + p * COLUMNS + 2, 3 * sizeof(float));
    add_floats(m, "heads.prior_embeddings.weight", 2, (int64_t[]){PRIORS, 3});
}

/* W adds a number of its own to all features of each prior: here is what sets the made lanes apart. */
static void add_bias_of_lanes(maker *m)
{
    add_random(m, "heads.roi_gather.W.weight", 3, (int64_t[]){PRIORS, 1, 1}, 0, 0.05f);
    for (int p = 0; p < PRIORS; p++)
        m->values[p] = made_lane(p) >= 0 ? 3.0f - 0.05f * (float)made_lane(p) : 0;
    add_floats(m, "heads.roi_gather.W.bias", 1, (int64_t[]){PRIORS});
}

static void add_modules(maker *m, const char *name, float center, float spread)
{
    for (int i = 0; i < 3; i += 2) {
        char layer[64];
        snprintf(layer, sizeof layer, "%s.%d", name, i);
        add_random(m, join(layer, ".weight"), 2, (int64_t[]){m->width, m->width}, center, spread);
        add_random(m, join(layer, ".bias"), 1, (int64_t[]){m->width}, 0, 0);
    }
}

static void add_head(maker *m)
{
    add_priors(m);
    add_modules(m, "heads.reg_modules", 0, 0.2f);
    add_modules(m, "heads.cls_modules", 1.0f / (float)m->width, 0); /* the features' mean, handed on */
    add_roi_gather(m);
    add_bias_of_lanes(m);
    /* start_y, start_x and theta move a little; the rows' own offsets do not. */
    for (int i = 0; i < (ROWS + 4) * m->width; i++)
        m->values[i] = i < 3 * m->width ? 0.0004f * (float)m->move * next_random(m) : 0;
    add_floats(m, "heads.reg_layers.weight", 2, (int64_t[]){ROWS + 4, m->width});
    memset(m->values, 0, (ROWS + 4) * sizeof(float));
    m->values[3] = 0.95f; /* the length */
    add_floats(m, "heads.reg_layers.bias", 1, (int64_t[]){ROWS + 4});
    /* Logits 0 and 2·(mean − 2): features without a prior's own number average well under 1. */
    for (int i = 0; i < 2 * m->width; i++)
        m->values[i] = i < m->width ? 0 : 2.0f / (float)m->width;
    add_floats(m, "heads.cls_layers.weight", 2, (int64_t[]){2, m->width});
    m->values[0] = 0;
    m->values[1] = -4;
    add_floats(m, "heads.cls_layers.bias", 1, (int64_t[]){2});
}

/* ---- the program ---- */

static int make(const char *path, int width, int move, uint64_t seed, lanert_error *err)
{
    maker m = {.random = seed, .width = width, .mid = width * 3 / 4, .move = move};
    m.rc = checkpoint_writer_open(path, CHECKPOINT_WRITER_ZIP, &m.writer, &m.err);
    if (!m.rc)
        m.rc = memory_new(&m.values, MAX_VALUES, sizeof *m.values, &m.err);
    if (!m.rc) {
        add_backbone(&m);
        add_neck(&m);
        add_head(&m);
    }
    if (!m.rc)
        m.rc = checkpoint_writer_finish(&m.writer, true, &m.err);
    checkpoint_writer_close(&m.writer);
    FREE(m.values);
    *err = m.err;
    return m.rc;
}

int main(int argc, char **argv)
{
    int width = 64, move = 1;
    unsigned long long seed = 1;
    lanert_error err;
    for (int i = 2; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--width"))
            width = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--move"))
            move = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--seed"))
            seed = strtoull(argv[i + 1], NULL, 10);
        else
            width = 0;
    }
    if (argc < 2 || argc % 2 || width < 8 || width > 128) {
        fprintf(stderr, "usage: made_checkpoint OUT.pth [--width 8…128] [--move TIMES] [--seed N]\n");
        return 2;
    }
    if (make(argv[1], width, move, seed, &err)) {
        fprintf(stderr, "made_checkpoint: %s\n", err.text);
        return 1;
    }
    return 0;
}
