/* A network whose weights are finite and whose predictions are not: refused on every engine that is there, whatever
 * the outputs, the precision and the batch. */
#include "detect/engines.h"
#include "support/testing.h"
#include "support/tiny_clrnet.h"

static lanert_error err;

static void set_all(const tiny_clrnet *t, const char *name, float number)
{
    tiny_tensor *all = tiny_clrnet_find(t, name);
    int64_t count = 1;
    for (int i = 0; i < all->rank; i++)
        count *= all->dims[i];
    for (int64_t i = 0; i < count; i++)
        all->data[i] = number;
}

/* Every prior scores 1; what goes into the last layers is 100 everywhere. */
static tiny_clrnet make_network(void)
{
    tiny_clrnet t;
    assert_ok(tiny_clrnet_open("resnet18", &t, &err));
    set_all(&t, "heads.cls_modules.2.weight", 0);
    set_all(&t, "heads.cls_modules.2.bias", 100);
    set_all(&t, "heads.reg_modules.2.weight", 0);
    set_all(&t, "heads.reg_modules.2.bias", 100);
    set_all(&t, "heads.cls_layers.weight", 0);
    set_all(&t, "heads.cls_layers.bias", 0);
    tiny_clrnet_find(&t, "heads.cls_layers.bias")->data[1] = 20;
    set_all(&t, "heads.reg_layers.weight", 0);
    set_all(&t, "heads.reg_layers.bias", 0);
    return t;
}

static void sound(const tiny_clrnet *t)
{
    (void)t;
}

/* One row of 100 · 3e38, four times over. */
static void infinite_logit(const tiny_clrnet *t)
{
    for (int i = 0; i < TINY_CHANNELS; i++)
        tiny_clrnet_find(t, "heads.cls_layers.weight")->data[i] = -3e38f;
}

static void infinite_offset(const tiny_clrnet *t)
{
    for (int i = 0; i < TINY_CHANNELS; i++)
        tiny_clrnet_find(t, "heads.reg_layers.weight")->data[40 * TINY_CHANNELS + i] = 3e38f;
}

/* ∞ − ∞ */
static void no_length(const tiny_clrnet *t)
{
    for (int i = 0; i < TINY_CHANNELS; i++)
        tiny_clrnet_find(t, "heads.reg_layers.weight")->data[3 * TINY_CHANNELS + i] = i % 2 ? 3e38f : -3e38f;
}

/* The same of priors that are no lanes does no harm. */
static void infinite_elsewhere(const tiny_clrnet *t)
{
    infinite_offset(t);
    tiny_clrnet_find(t, "heads.cls_layers.bias")->data[1] = -20;
}

typedef struct kind {
    void (*change)(const tiny_clrnet *t);
    bool refused;
    lanert_precision precision;
    int outputs, batch, keep_priors;
} kind;

static const kind kinds[] = {
    {sound, false, LANERT_FP32, LANERT_OUTPUT_LANES, 1, 0},
    {infinite_logit, true, LANERT_FP32, LANERT_OUTPUT_LANES, 1, 0},
    {infinite_logit, true, LANERT_FP32, LANERT_OUTPUT_LANES, 1, 4},
    {no_length, true, LANERT_FP16, LANERT_OUTPUT_LANES, 8, 4},
    {sound, false, LANERT_FP16, LANERT_OUTPUT_LANES, 8, 4},
    {infinite_logit, true, LANERT_FP16, LANERT_OUTPUT_RAW, 8, 0},
    {infinite_offset, true, LANERT_FP16, LANERT_OUTPUT_LANES, 8, 0},
    {infinite_offset, true, LANERT_FP32, LANERT_OUTPUT_BOTH, 1, 0},
    {no_length, true, LANERT_FP32, LANERT_OUTPUT_LANES, 8, 0},
    {no_length, true, LANERT_FP32, LANERT_OUTPUT_RAW, 1, 0},
    {infinite_elsewhere, false, LANERT_FP32, LANERT_OUTPUT_LANES, 1, 0},
    {infinite_elsewhere, false, LANERT_FP16, LANERT_OUTPUT_RAW, 1, 0},
};

static const char *convert(const kind *k)
{
    const char *checkpoint = temp_path(folder, "net.pth"), *path = temp_path(folder, "net.onnx");
    lanert_convert_options o;
    lanert_convert_defaults(&o);
    o.preset = "culane";
    o.precision = k->precision;
    o.outputs = k->outputs;
    o.keep_priors = k->keep_priors;
    o.force = true;
    tiny_clrnet t = make_network();
    k->change(&t);
    assert_ok(tiny_clrnet_write(&t, checkpoint, &err));
    tiny_clrnet_close(&t);
    assert_ok(lanert_convert(checkpoint, path, &o, &err));
    return path;
}

static void detect(const char *engine_name_, const char *path, const kind *k)
{
    static uint8_t pixels[90 * 160 * 3];
    lanert_frame frames[8];
    lanert_result results[8];
    lanert_model *model;
    lanert_detector *det;
    lanert_detector_options o;
    lanert_detector_defaults(&o);
    o.engine = engine_name_;
    o.precision = LANERT_FP32;
    o.batch = k->batch;
    o.threads = 1;
    for (int i = 0; i < k->batch; i++)
        frames[i] = (lanert_frame){.width = 160, .height = 90, .data = {pixels}, .stride = {160 * 3}};
    assert_ok(lanert_model_open(path, NULL, &model, &err));
    assert_ok(lanert_detector_open(model, &o, &det, &err));
    lanert_model_close(&model);
    if (k->refused)
        assert_fails(lanert_detect(det, frames, k->batch, results, &err), LANERT_EENGINE, "the network's output holds");
    else
        assert_ok(lanert_detect(det, frames, k->batch, results, &err));
    lanert_detector_close(&det);
}

static void is_refused(void **state)
{
    (void)state;
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const char *path = convert(&kinds[i]);
        for (size_t e = 0; e < ARRAY_LEN(engines); e++)
            if (engine_is_there(engines[e])) {
                detect(engines[e], path, &kinds[i]);
                any = true;
            }
    }
    if (!any) {
        fprintf(stderr, "skipped: neither ONNX Runtime nor OpenVINO is here\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_refused)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
