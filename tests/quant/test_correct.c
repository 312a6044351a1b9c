/* Biases that take back what eight bits add; where no engine is here there is nothing to correct with. */
#include "quant/correct.h"

#include <math.h>

#include "support/testing.h"
#include "support/tiny_clrnet.h"

static lanert_error err;

/* The first usable engine, or skips. */
static const char *need_engine(const char *model)
{
    static const char *const names[] = {"onnxruntime", "openvino"};
    const engine_options options = {.threads = 1};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        engine *e = NULL;
        int rc = engine_open(names[i], model, &options, &e, &err);
        engine_close(&e);
        if (!rc)
            return names[i];
    }
    print_message("no inference engine is here\n");
    skip();
    return NULL;
}

/* A stem whose input ends at a quarter of white gives too little for a picture that is white: the shift takes that
 * back, and a layer that is not in eight bits has none. */
static void finds_what_is_lacking(void **state)
{
    (void)state;
    enum { MOST = 512 };
    static bool layers[MOST];
    static qdq_range ranges[MOST];
    tiny_clrnet t;
    lanert_convert_options o;
    lanert_convert_defaults(&o);
    o.preset = "culane";
    o.force = true;
    const char *model = temp_path(folder, "net.onnx");
    assert_ok(tiny_clrnet_open("resnet18", &t, &err));
    assert_ok(tiny_clrnet_write(&t, temp_path(folder, "net.pth"), &err));
    tiny_clrnet_close(&t);
    assert_ok(lanert_convert(temp_path(folder, "net.pth"), model, &o, &err));
    const trial_setup setup = {.beside = model, .engine = need_engine(model), .threads = 1};

    samples s = {.pixels = malloc(SAMPLE_BYTES), .count = 1};
    qdq *q;
    float **shifts;
    int count;
    assert_non_null(s.pixels);
    memset(s.pixels, 255, SAMPLE_BYTES);
    assert_ok(qdq_open(model, &q, &err));
    const qdq_layer *l = qdq_layers(q, &count);
    const qdq_value *v = qdq_values(q, &count);
    for (int i = 0; i < MOST; i++)
        ranges[i] = (qdq_range){0, 255};
    qdq_range picture;
    layers[0] = true;
    assert_true(qdq_known(q, v[l[0].input].scale, &picture));
    const qdq_plan plan = {.layers = layers, .ranges = ranges, .per_channel = true, .unsigned_values = true};
    float lacking[2] = {0};
    for (int turn = 0; turn < 2; turn++) {
        ranges[v[l[0].input].scale].high = turn ? picture.high / 4 : picture.high;
        assert_ok(correct(q, &plan, &s, &setup, NULL, NULL, &shifts, &err));
        assert_null(shifts[1]);
        for (int c = 0; c < l[0].channels; c++)
            lacking[turn] += fabsf(shifts[0][c]);
        correct_free(q, &shifts);
        assert_null(shifts);
    }
    assert_true(lacking[1] > 20 * lacking[0]);
    qdq_close(&q);
    samples_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_is_lacking)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
