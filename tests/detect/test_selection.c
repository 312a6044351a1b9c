/* The choice of the priors that go on, on every engine that is there, against the same in C. */
#include <math.h>

#include "detect/engines.h"
#include "engine/engine.h"
#include "model/selection.h"
#include "support/testing.h"

enum { BATCH = 3, PRIORS = 60, KEEP = 17, CHANNELS = 2, POINTS = 3, ROUNDS = 20 };
/* Of the table that goes in: logits, parameters, and a map's values. */
enum { LOGITS = 2, PARAMETERS = 3, VALUES = CHANNELS * POINTS, COLUMNS = LOGITS + PARAMETERS + VALUES };

static lanert_error err;

typedef struct bench {
    engine *engine;
    float table[BATCH][PRIORS][COLUMNS];
    float rows[BATCH][KEEP][PARAMETERS], columns[BATCH][CHANNELS][POINTS][KEEP], shared[BATCH][KEEP][1];
} bench;

/* ---- the graph ----------------------------------------------------------------------------------- */

static value count_up(graph *g)
{
    float *data = graph_new_floats(g, PRIORS);
    assert_non_null(data);
    for (int i = 0; i < PRIORS; i++)
        data[i] = (float)i;
    return graph_weights(g, NULL, ONNX_F32, 2, DIMS(PRIORS, 1), data);
}

static void write_selection(const char *path)
{
    graph *g;
    value part[3];
    assert_ok(graph_open(&g, &err));
    value table = graph_input(g, "table", ONNX_F32, 3, DIMS(-1, PRIORS, COLUMNS));
    graph_split(g, table, 2, 3, DIMS(LOGITS, PARAMETERS, VALUES), part);
    value map = graph_binary(g, "Reshape", part[2], graph_indices(g, 4, DIMS(0, PRIORS, CHANNELS, POINTS)));
    map = graph_node(g, "Transpose", INPUTS(map), ATTRIBUTES(ATTR_INTS("perm", 0, 2, 3, 1)));
    selection s = selection_make(g, KEEP, part[0], part[1]);
    graph_output(g, selection_rows(g, s, part[1]), "rows", ONNX_F32, 3, DIMS(-1, KEEP, PARAMETERS));
    graph_output(g, selection_columns(g, s, map), "columns", ONNX_F32, 4, DIMS(-1, CHANNELS, POINTS, KEEP));
    graph_output(g, selection_shared(g, s, count_up(g)), "shared", ONNX_F32, 3, DIMS(-1, KEEP, 1));
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_ok(graph_write(g, f, path, &err));
    fclose(f);
    graph_close(&g);
}

static void open_bench(bench *b, const char *engine_name_, const char *path)
{
    tensor input = {.name = "table", .type = TENSOR_F32, .rank = 3, .dims = {BATCH, PRIORS, COLUMNS}, .data = b->table};
    tensor outputs[] = {
        {.name = "rows", .type = TENSOR_F32, .rank = 3, .dims = {BATCH, KEEP, PARAMETERS}, .data = b->rows},
        {.name = "columns", .type = TENSOR_F32, .rank = 4, .dims = {BATCH, CHANNELS, POINTS, KEEP}, .data = b->columns},
        {.name = "shared", .type = TENSOR_F32, .rank = 3, .dims = {BATCH, KEEP, 1}, .data = b->shared},
    };
    assert_ok(engine_open(engine_name_, path, NULL, &b->engine, &err));
    assert_ok(engine_bind(b->engine, &input, 1, outputs, (int)ARRAY_LEN(outputs), &err));
}

/* ---- priors -------------------------------------------------------------------------------------- */

static uint32_t seed;

static uint32_t next_below(uint32_t bound)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % bound;
}

/* No two scores are equal; every value tells where it is from. In odd rounds two priors are broken. */
static void fill(bench *b, int round)
{
    static const float not_finite[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < BATCH; i++) {
        int order[PRIORS];
        for (int p = 0; p < PRIORS; p++) {
            int other = (int)next_below((uint32_t)p + 1);
            order[p] = order[other];
            order[other] = p;
        }
        for (int p = 0; p < PRIORS; p++) {
            b->table[i][p][0] = (float)next_below(1000);
            b->table[i][p][1] = b->table[i][p][0] + (float)order[p] - PRIORS / 2;
            for (int c = LOGITS; c < COLUMNS; c++)
                b->table[i][p][c] = (float)((i * PRIORS + p) * COLUMNS + c);
        }
        for (int k = 0; round % 2 && k < 2; k++)
            b->table[i][next_below(PRIORS)][next_below(LOGITS + PARAMETERS)] = not_finite[next_below(3)];
    }
}

static float score(const float *row)
{
    float sum = row[1] - row[0];
    for (int c = LOGITS; c < LOGITS + PARAMETERS; c++)
        sum += 0 * row[c];
    return isfinite(sum) ? row[1] - row[0] : INFINITY;
}

static bool goes_on(const bench *b, int picture, int prior)
{
    int better = 0;
    for (int p = 0; p < PRIORS; p++)
        better += score(b->table[picture][p]) > score(b->table[picture][prior]);
    return better < KEEP;
}

/* NaN is itself here. */
static void assert_same(float got, float expected)
{
    if (memcmp(&got, &expected, sizeof got) && !(isnan(got) && isnan(expected)))
        fail_msg("got %g, expected %g", (double)got, (double)expected);
}

static void check(const bench *b, int picture)
{
    int k = 0;
    for (int p = 0; p < PRIORS; p++) {
        const float *row = b->table[picture][p];
        if (!goes_on(b, picture, p))
            continue;
        assert_true(k < KEEP);
        assert_same(b->shared[picture][k][0], (float)p);
        for (int c = 0; c < PARAMETERS; c++)
            assert_same(b->rows[picture][k][c], row[LOGITS + c]);
        for (int v = 0; v < VALUES; v++)
            assert_same(b->columns[picture][v / POINTS][v % POINTS][k], row[LOGITS + PARAMETERS + v]);
        k++;
    }
    assert_int_equal(k, KEEP);
}

static void the_best_go_on_in_their_order(void **state)
{
    (void)state;
    static bench b;
    bool any = false;
    const char *path = temp_path(folder, "selection.onnx");
    write_selection(path);
    for (size_t e = 0; e < ARRAY_LEN(engines); e++) {
        if (!engine_is_there(engines[e]))
            continue;
        any = true;
        open_bench(&b, engines[e], path);
        for (int round = 0; round < ROUNDS; round++) {
            seed = (uint32_t)round;
            fill(&b, round);
            assert_ok(engine_run(b.engine, &err));
            for (int i = 0; i < BATCH; i++)
                check(&b, i);
        }
        engine_close(&b.engine);
    }
    if (!any) {
        fprintf(stderr, "skipped: neither ONNX Runtime nor OpenVINO is here\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_best_go_on_in_their_order)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
