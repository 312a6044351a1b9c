#include "detect/null_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static tensor describe(const char *name, tensor_type type, void *data, int rank, const int64_t *dims)
{
    tensor t = {.type = type, .rank = rank, .data = data};
    snprintf(t.name, sizeof t.name, "%s", name);
    memcpy(t.dims, dims, (size_t)rank * sizeof *dims);
    return t;
}

void null_model_lane(float *row, float x, float score)
{
    row[0] = 0;
    row[1] = logf(score / (1 - score));
    row[2] = 0;
    row[3] = x;
    row[4] = 0.5f;
    row[5] = (float)LANERT_LANE_POINTS / NET_STRIPS; /* all rows */
    for (int i = 0; i < LANERT_LANE_POINTS; i++)
        row[6 + i] = x;
}

static void start(null_model *m)
{
    memset(m, 0, sizeof *m);
    m->script.inputs[0] = describe("image", TENSOR_U8, NULL, 4, (int64_t[]){-1, NET_HEIGHT, NET_WIDTH, 3});
    m->script.input_count = 1;
    m->info.preset = *lanert_preset_find("culane");
    heights_even(m->info.prior_ys);
    snprintf(m->info.input_name, sizeof m->info.input_name, "image");
    m->info.priors = NULL_PRIORS;
    null_script_path(&m->script, m->info.path);
    for (int i = 0; i < NULL_PRIORS; i++)
        null_model_lane(m->raw + i * NET_COLUMNS, 0.5f, 0.001f);
}

void null_model_raw(null_model *m)
{
    start(m);
    m->script.outputs[0] = describe("raw", TENSOR_F32, m->raw, 3, (int64_t[]){-1, NULL_PRIORS, NET_COLUMNS});
    m->script.output_count = 1;
    snprintf(m->info.raw_name, sizeof m->info.raw_name, "raw");
}

void null_model_lanes(null_model *m)
{
    start(m);
    m->script.outputs[0] = describe("lanes", TENSOR_F32, m->kept, 3, (int64_t[]){-1, 4, NET_COLUMNS});
    m->script.outputs[1] = describe("count", TENSOR_I32, &m->count, 1, (int64_t[]){-1});
    m->script.output_count = 2;
    snprintf(m->info.lanes_name, sizeof m->info.lanes_name, "lanes");
    snprintf(m->info.count_name, sizeof m->info.count_name, "count");
}
