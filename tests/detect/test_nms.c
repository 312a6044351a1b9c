/* The NMS that a model has inside against the one in C, on every engine that is there: the same lanes, to the last
 * bit, of predictions made to differ. */
#include <float.h>
#include <math.h>

#include "detect/engines.h"
#include "engine/engine.h"
#include "lane/decode.h"
#include "model/model.h"
#include "model/nms.h"
#include "support/testing.h"

enum { BATCH = 3, PRIORS = 96, ROUNDS = 12 };

static lanert_error err;

/* ---- predictions --------------------------------------------------------------------------------- */

static uint32_t seed;

static uint32_t next_below(uint32_t bound)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % bound;
}

/* low to high */
static float between(double low, double high)
{
    return (float)(low + (high - low) * next_below(1 << 20) / (1 << 20));
}

static float one_of(const float *numbers, size_t count)
{
    return numbers[next_below((uint32_t)count)];
}

typedef void fill(float *row);

static void fill_plain(float *row)
{
    float x = between(0, 1), lean = between(-0.4, 0.4);
    row[0] = between(-3, 3);
    row[1] = between(-3, 3);
    row[2] = between(-0.1, 1.1);
    row[3] = row[4] = 0.5f;
    row[5] = between(-0.1, 1.2);
    for (int i = 0; i < LANERT_LANE_POINTS; i++)
        row[6 + i] = x + lean * (float)i / NET_STRIPS;
}

/* Scores that are the same, of lanes that lie on few places. */
static void fill_ties(float *row)
{
    float x = (float)next_below(12) / 12;
    fill_plain(row);
    row[0] = (float)next_below(3) - 1;
    row[1] = (float)next_below(3) - 1;
    for (int i = 0; i < LANERT_LANE_POINTS; i++)
        row[6 + i] = x;
}

/* Starts and lengths where their rounding turns. */
static void fill_edges(float *row)
{
    static const float parts[] = {0, 0.3f, 0.4999999f, 0.5f, 0.5000001f, 0.9999999f};
    fill_ties(row);
    row[0] = between(-2, 2);
    row[2] = ((float)next_below(76) - 2 + one_of(parts, ARRAY_LEN(parts))) / NET_STRIPS;
    row[5] = ((float)next_below(76) - 2 + one_of(parts, ARRAY_LEN(parts))) / NET_STRIPS;
}

/* Lanes of about one row, where the kernel's truncation tells. */
static void fill_short(float *row)
{
    static const float lengths[] = {0, 0.1f, 0.4f, 0.5f, 0.50001f, 0.6f, 0.9f, 0.99f, 1, 1.2f, 1.5f, 1.9f, 2, 2.5f};
    fill_ties(row);
    row[0] = between(-2, 2);
    row[2] = (float)next_below(3) / NET_STRIPS;
    row[5] = one_of(lengths, ARRAY_LEN(lengths)) / NET_STRIPS;
}

static const float not_finite[] = {NAN, INFINITY, -INFINITY};

/* Numbers that leave float32's range on the way; and of priors that are no lanes, numbers that have left it. */
static void fill_wild(float *row)
{
    static const float numbers[] = {1e30f, -1e30f, 3e38f, -3e38f, 1e9f, FLT_MAX, -FLT_MAX, 0};
    fill_plain(row);
    if (next_below(3))
        return;
    row[2 + next_below(NET_COLUMNS - 2)] = one_of(numbers, ARRAY_LEN(numbers));
    row[next_below(2)] = next_below(4) ? row[0] : one_of(numbers, 4);
    if (row[1] < row[0] - 4)
        row[2 + next_below(NET_COLUMNS - 2)] = one_of(not_finite, ARRAY_LEN(not_finite));
}

/* One number in some hundred priors is none, be it read or not. */
static void fill_broken(float *row)
{
    fill_plain(row);
    if (!next_below(100))
        row[next_below(NET_COLUMNS)] = one_of(not_finite, ARRAY_LEN(not_finite));
}

static void fill_none(float *row)
{
    fill_plain(row);
    row[0] = row[1] + 5;
}

/* ---- the graph ----------------------------------------------------------------------------------- */

typedef struct bench {
    engine *engine;
    const lanert_preset *preset;
    float heights[HEIGHTS_COUNT];
    float raw[BATCH][PRIORS][NET_COLUMNS];
    float kept[BATCH][LANERT_MAX_LANES][NET_COLUMNS];
    int32_t counts[BATCH];
    decode_scratch scratch;
} bench;

static void write_nms(const char *path, const lanert_preset *preset)
{
    graph *g;
    value lanes, count;
    assert_ok(graph_open(&g, &err));
    value raw = graph_input(g, "raw", ONNX_F32, 3, DIMS(-1, PRIORS, NET_COLUMNS));
    nms_build(g, raw, PRIORS, preset, &lanes, &count);
    graph_output(g, lanes, "lanes", ONNX_F32, 3, DIMS(-1, preset->max_lanes, NET_COLUMNS));
    graph_output(g, count, "count", ONNX_I32, 1, DIMS(-1));
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_ok(graph_write(g, f, path, &err));
    fclose(f);
    graph_close(&g);
}

static void bind_nms(bench *b)
{
    tensor input = {.name = "raw", .type = TENSOR_F32, .rank = 3, .dims = {BATCH, PRIORS, NET_COLUMNS}, .data = b->raw};
    tensor outputs[2] = {
        {.name = "lanes", .type = TENSOR_F32, .rank = 3, .dims = {BATCH, b->preset->max_lanes, NET_COLUMNS}},
        {.name = "count", .type = TENSOR_I32, .rank = 1, .dims = {BATCH}},
    };
    outputs[0].data = b->kept;
    outputs[1].data = b->counts;
    assert_ok(engine_bind(b->engine, &input, 1, outputs, 2, &err));
}

/* Rows behind those in use are zeros. True where the predictions are broken. */
static bool check_picture(bench *b, int picture, const char *what)
{
    const decode_options options = {b->preset->conf, b->preset->nms_thres, b->preset->max_lanes, 1, 2, b->heights};
    lane_curve expected[LANERT_MAX_LANES], got[LANERT_MAX_LANES];
    memset(expected, 0, sizeof expected);
    memset(got, 0, sizeof got);
    /* As bound: [BATCH][max_lanes][78], one after the other. */
    const float *rows = &b->kept[0][0][0] + (size_t)(picture * b->preset->max_lanes) * NET_COLUMNS;
    int count = b->counts[picture];
    if (decode_find_bad(b->raw[picture][0], PRIORS, &options)) {
        assert_int_equal(count, MODEL_COUNT_BROKEN);
        for (int i = 0; i < b->preset->max_lanes * NET_COLUMNS; i++)
            assert_true(rows[i] == 0);
        return true;
    }
    int wanted = decode_raw(b->raw[picture][0], PRIORS, &options, &b->scratch, expected);
    assert_in_range(count, 0, b->preset->max_lanes);
    if (decode_kept(rows, count, &options, got) != wanted)
        fail_msg("%s: %d rows kept, of %d lanes in C", what, count, wanted);
    for (int i = 0; i < wanted; i++) {
        assert_int_equal(got[i].count, expected[i].count);
        assert_memory_equal(got[i].x, expected[i].x, (size_t)got[i].count * sizeof *got[i].x);
        assert_true(got[i].score == expected[i].score);
    }
    for (int i = count * NET_COLUMNS; i < b->preset->max_lanes * NET_COLUMNS; i++)
        assert_true(rows[i] == 0);
    return false;
}

static void run_engine(const char *name, const lanert_preset *preset)
{
    static const struct {
        const char *name;
        fill *fill;
    } kinds[] = {{"plain", fill_plain}, {"ties", fill_ties}, {"edges", fill_edges},  {"short", fill_short},
                 {"wild", fill_wild},   {"none", fill_none}, {"broken", fill_broken}};
    static bench b;
    int broken[ARRAY_LEN(kinds)] = {0};
    const char *path = temp_path(folder, "nms.onnx");
    b.preset = preset;
    heights_even(b.heights);
    write_nms(path, preset);
    assert_ok(engine_open(name, path, NULL, &b.engine, &err));
    bind_nms(&b);
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++)
        for (int round = 0; round < ROUNDS; round++) {
            seed = (uint32_t)(kind * ROUNDS + (size_t)round);
            for (int i = 0; i < BATCH * PRIORS; i++)
                kinds[kind].fill(b.raw[i / PRIORS][i % PRIORS]);
            assert_ok(engine_run(b.engine, &err));
            for (int i = 0; i < BATCH; i++)
                broken[kind] += check_picture(&b, i, kinds[kind].name);
        }
    /* Of the broken kind there are both, often side by side in a batch; of the others none. */
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++)
        if (kinds[kind].fill == fill_broken)
            assert_in_range(broken[kind], ROUNDS / 2, (ROUNDS - 2) * BATCH);
        else
            assert_int_equal(broken[kind], 0);
    engine_close(&b.engine);
}

static void keeps_what_c_keeps(void **state)
{
    (void)state;
    bool any = false;
    lanert_preset most = *lanert_preset_find("culane");
    most.max_lanes = LANERT_MAX_LANES;
    most.nms_thres = 20;
    most.conf = 0.05f;
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        if (!engine_is_there(engines[i]))
            continue;
        any = true;
        run_engine(engines[i], lanert_preset_find("tusimple"));
        run_engine(engines[i], &most);
    }
    if (!any) {
        fprintf(stderr, "skipped: neither ONNX Runtime nor OpenVINO is here\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_what_c_keeps)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
