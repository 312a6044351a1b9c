/* Models in eight bits before a judge; where no engine is here there is nothing to make them with. */
#include <unistd.h>

#include "engine/engine.h"
#include "support/testing.h"
#include "support/tiny_clrnet.h"

static lanert_error err;

enum { MOST_ROUNDS = 16, MOST_LAYERS = 128 };

/* What the judge is to say, and what it and on_layer are told. */
typedef struct trial_case {
    int content_after; /* models in eight bits that are refused before one is good */
    int error;         /* what it returns in their place, unless 0; of the float32 model where content_after is -1 */
    int models, int8_layers[MOST_ROUNDS];
    int back;                /* layers that were sent back */
    double snr[MOST_LAYERS]; /* of these */
    const char *output;
} trial_case;

static int judge(void *context, const char *path, const lanert_quantize_report *report, lanert_error *why)
{
    trial_case *c = context;
    lanert_model *m;
    assert_ok(lanert_model_open(path, NULL, &m, &err));
    lanert_model_close(&m);
    assert_true(access(c->output, F_OK) != 0);
    assert_int_equal(report->int8_layers == 0, c->models == 0);
    assert_true(c->models < MOST_ROUNDS);
    c->int8_layers[c->models++] = report->int8_layers;
    if (c->error && c->models == c->content_after + 2) {
        *why = (lanert_error){.code = c->error, .text = "the judge says so"};
        return c->error;
    }
    return c->models > 1 && c->models < c->content_after + 2;
}

static void on_layer(void *context, const lanert_quantize_layer *layer)
{
    trial_case *c = context;
    if (layer->state != LANERT_LAYER_JUDGED)
        return;
    assert_true(layer->measured && c->back < MOST_LAYERS);
    c->snr[c->back++] = layer->alone.snr_db;
}

/* Returns the engine that opens it soonest; NULL: none is here. */
static const char *make_model(const char *model)
{
    const engine_options options = {.threads = 1};
    tiny_clrnet t;
    engine *e = NULL;
    lanert_convert_options o;
    lanert_convert_defaults(&o);
    o.preset = "culane";
    o.force = true;
    assert_ok(tiny_clrnet_open("resnet18", &t, &err));
    assert_ok(tiny_clrnet_write(&t, temp_path(folder, "net.pth"), &err));
    tiny_clrnet_close(&t);
    assert_ok(lanert_convert(temp_path(folder, "net.pth"), model, &o, &err));
    int rc = engine_open("onnxruntime", model, &options, &e, &err);
    engine_close(&e);
    if (!rc)
        return "onnxruntime";
    rc = engine_open("openvino", model, &options, &e, &err);
    engine_close(&e);
    return rc ? NULL : "openvino";
}

static int quantize(trial_case *c, lanert_quantize_report *report)
{
    static const char *const sources[] = {"synthetic:frames=1,size=160x90"};
    static const char *const kept[] = {"layer[34]*", "neck*", "head*"}; /* each layer costs a trial */
    char model[256];
    lanert_quantize_options o;
    snprintf(model, sizeof model, "%s", temp_path(folder, "net.onnx"));
    c->output = temp_path(folder, "int8.onnx");
    unlink(c->output);
    const char *name = make_model(model);
    if (!name) {
        print_message("no inference engine is here\n");
        skip();
    }
    lanert_quantize_defaults(&o);
    o.sources = sources;
    o.source_count = 1;
    o.engine = name;
    o.samples = 1;
    o.keep_float = kept;
    o.keep_float_count = ARRAY_LEN(kept);
    o.sensitivity = 1;
    o.threads = 1;
    o.judge = judge;
    o.on_layer = on_layer;
    o.context = c;
    return lanert_quantize(model, c->output, &o, report, &err);
}

static void assert_rising(const trial_case *c)
{
    for (int i = 1; i < c->back; i++)
        assert_true(c->snr[i - 1] <= c->snr[i]);
}

static void a_good_model_is_written_at_once(void **state)
{
    (void)state;
    trial_case c = {0};
    lanert_quantize_report report;
    assert_ok(quantize(&c, &report));
    assert_int_equal(c.models, 2);
    assert_int_equal(c.back, 0);
    assert_int_equal(report.int8_layers, c.int8_layers[1]);
    assert_true(access(c.output, R_OK) == 0);
}

/* The worst layer goes back, then the next two: what was accepted is what is written. */
static void the_worst_layers_go_back(void **state)
{
    (void)state;
    trial_case c = {.content_after = 2};
    lanert_quantize_report report;
    assert_ok(quantize(&c, &report));
    assert_int_equal(c.models, 4);
    assert_int_equal(c.back, 3);
    assert_rising(&c);
    assert_int_equal(c.int8_layers[2], c.int8_layers[1] - 1);
    assert_int_equal(c.int8_layers[3], c.int8_layers[1] - 3);
    assert_int_equal(report.int8_layers, c.int8_layers[3]);
    char *json, words[64];
    assert_ok(lanert_inspect(c.output, &json, &err));
    snprintf(words, sizeof words, "\"%d of %d\"", report.int8_layers, report.layers);
    assert_non_null(strstr(json, words));
    free(json);
}

static void half_of_the_layers_is_the_limit(void **state)
{
    (void)state;
    trial_case c = {.content_after = MOST_ROUNDS};
    assert_fails(quantize(&c, NULL), LANERT_ELIMIT, "the judge is not content with");
    assert_int_equal(c.back, c.int8_layers[1] / 2);
    assert_int_equal(c.int8_layers[c.models - 1], c.int8_layers[1] - c.back);
    assert_rising(&c);
    assert_true(access(c.output, F_OK) != 0);
}

static void an_error_of_the_judge_ends_it(void **state)
{
    (void)state;
    for (int after = -1; after < 2; after += 2) {
        trial_case c = {.content_after = after, .error = LANERT_END};
        assert_fails(quantize(&c, NULL), LANERT_END, "the judge says so");
        assert_int_equal(c.models, after + 2);
        assert_true(access(c.output, F_OK) != 0);
    }
}

static void a_judge_needs_the_sensitivity(void **state)
{
    (void)state;
    static const char *const sources[] = {"synthetic:frames=1"};
    lanert_quantize_options o;
    lanert_quantize_defaults(&o);
    o.sources = sources;
    o.source_count = 1;
    o.sensitivity = 0;
    o.judge = judge;
    assert_fails(lanert_quantize("a.onnx", "b.onnx", &o, NULL, &err), LANERT_EINVAL, "sensitivity is 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_model_is_written_at_once), cmocka_unit_test(the_worst_layers_go_back),
        cmocka_unit_test(half_of_the_layers_is_the_limit), cmocka_unit_test(an_error_of_the_judge_ends_it),
        cmocka_unit_test(a_judge_needs_the_sensitivity),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
