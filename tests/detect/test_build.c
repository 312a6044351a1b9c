/* test_build.c - engine files compute what detectors read, and no more; TensorRT and the GPU are played. */
#include <dlfcn.h>

#include "detect/detector.h"
#include "engine/fake_tensorrt.h"
#include "support/testing.h"
#include "support/tiny_clrnet.h"

static fake_tensorrt *trt;
static lanert_error err;

static void *state_of(const char *library, const char *name)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    return handle ? dlsym(handle, name) : NULL;
}

static void convert(int outputs, const char *model)
{
    lanert_convert_options o;
    tiny_clrnet t;
    lanert_convert_defaults(&o);
    o.preset = "culane";
    o.outputs = outputs;
    assert_ok(tiny_clrnet_open("resnet18", &t, &err));
    assert_ok(tiny_clrnet_write(&t, temp_path(folder, "net.pth"), &err));
    tiny_clrnet_close(&t);
    assert_ok(lanert_convert(temp_path(folder, "net.pth"), model, &o, &err));
}

/* Opens the file, and finds whatever is there in a grey picture. */
static int detect_with(const char *path, lanert_result *result)
{
    static uint8_t pixels[320 * 240 * 3];
    lanert_frame frame = {.data = {pixels}, .stride = {3 * 320}, .width = 320, .height = 240};
    lanert_model *model = NULL;
    lanert_detector *det = NULL;
    memset(pixels, 128, sizeof pixels);
    int rc = lanert_model_open(path, NULL, &model, &err);
    if (!rc && !(rc = lanert_detector_open(model, NULL, &det, &err))) {
        assert_string_equal(lanert_detector_engine(det), "tensorrt");
        rc = lanert_detect(det, &frame, 1, result, &err);
    }
    lanert_detector_close(&det);
    lanert_model_close(&model);
    return rc;
}

static void what_no_detector_reads_is_left_out(void **state)
{
    static const struct {
        int outputs;
        const char *kept;
    } cases[] = {{LANERT_OUTPUT_RAW, "raw "}, {LANERT_OUTPUT_LANES, "lanes count "}, {LANERT_OUTPUT_BOTH, "raw "}};
    char model[4200], built[4200];
    lanert_result result;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        snprintf(model, sizeof model, "%s/net%zu.onnx", folder, i);
        snprintf(built, sizeof built, "%s/net%zu.engine", folder, i);
        convert(cases[i].outputs, model);
        assert_ok(lanert_build(model, built, NULL, &err));
        assert_string_equal(trt->outputs, cases[i].kept);
        assert_ok(detect_with(built, &result));
    }
    assert_int_equal(trt->builds, ARRAY_LEN(cases));
}

static void what_is_no_model_is_the_builders_to_refuse(void **state)
{
    (void)state;
    put_text("text.onnx", "\xff not a model");
    assert_fails(lanert_build(temp_path(folder, "text.onnx"), temp_path(folder, "text.engine"), NULL, &err),
                 LANERT_EFORMAT, "no whole ONNX model");
    assert_fails(lanert_build(NULL, temp_path(folder, "text.engine"), NULL, &err), LANERT_EINVAL, "(none)");
    assert_int_equal(trt->builds, 0);
}

static int set_up(void **state)
{
    *trt = (fake_tensorrt){0};
    return make_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_no_detector_reads_is_left_out, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_no_model_is_the_builders_to_refuse, set_up, remove_folder),
    };
    trt = state_of(PLAYED_DIR "/tensorrt/liblanert_tensorrt.so.11", "fake_tensorrt_state");
    if (!trt) {
        fprintf(stderr, "skipped: ONNX Runtime is not there: scripts/deps.sh fetches it\n");
        return 77;
    }
    setenv("LANERT_ENGINES", PLAYED_DIR, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
