/* test_fallback.c - a detector on a GPU that nobody named: whatever fails before the first frame has the processor
 * compute, which is told; whatever fails later is an error. The GPU and ONNX Runtime's providers are played. */
#include <dlfcn.h>

#include "detect/null_model.h"
#include "engine/fake_cuda.h"
#include "engine/fake_onnxruntime.h"
#include "model/onnx_graph.h"
#include "support/testing.h"

#define LAUNCH_FAILED 719
#define WIDTH 320
#define HEIGHT 240

static fake_cuda *driver;
static fake_onnxruntime *ort;
static lanert_error err;
static null_model model; /* for its info: another engine computes */
static char note[2048];
static int notes;

static void *state_of(const char *library, const char *name)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    return handle ? dlsym(handle, name) : NULL;
}

/* A network that finds one lane in whatever it is shown. */
static void write_network(const char *path)
{
    const int64_t all[] = {NULL_PRIORS, NET_COLUMNS}, none[] = {1, 1, 1, 1};
    graph *g;
    null_model_lane(model.raw, 0.5f, 0.9f);
    assert_ok(graph_open(&g, &err));
    value image = graph_input(g, "image", ONNX_U8, 4, DIMS(-1, NET_HEIGHT, NET_WIDTH, 3));
    float *rows = graph_new_floats(g, NULL_PRIORS * NET_COLUMNS), *zero = graph_new_floats(g, 1);
    memcpy(rows, model.raw, sizeof model.raw);
    value v = graph_node(g, "ReduceMax", INPUTS(graph_cast(g, image, ONNX_U8, ONNX_F32)),
                         ATTRIBUTES(ATTR_INTS("axes", 1, 2, 3), ATTR_INT("keepdims", 1)));
    v = graph_binary(g, "Squeeze", graph_binary(g, "Mul", v, graph_weights(g, NULL, ONNX_F32, 4, none, zero)),
                     graph_indices(g, 1, DIMS(3)));
    v = graph_binary(g, "Add", v, graph_weights(g, NULL, ONNX_F32, 2, all, rows));
    graph_output(g, v, "raw", ONNX_F32, 3, DIMS(-1, NULL_PRIORS, NET_COLUMNS));
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_ok(graph_write(g, f, path, &err));
    fclose(f);
    graph_close(&g);
}

static int set_up(void **state)
{
    (void)state;
    *driver = (fake_cuda){.gpus = 1};
    *ort = (fake_onnxruntime){0};
    *note = '\0';
    notes = 0;
    return 0;
}

static void keep_note(void *context, const char *text)
{
    (void)context;
    notes++;
    snprintf(note, sizeof note, "%s", text);
}

static int open_on(const char *name, const char *device, lanert_detector **det)
{
    lanert_detector_options o;
    lanert_detector_defaults(&o);
    o.engine = name;
    o.device = device;
    o.threads = 1;
    o.on_note = keep_note;
    return detector_open(&model.info, &o, det, &err);
}

static int find(lanert_detector *det)
{
    static const uint8_t pixels[WIDTH * HEIGHT * 3];
    lanert_frame frame = {.data = {pixels}, .stride = {3 * WIDTH}, .width = WIDTH, .height = HEIGHT};
    lanert_result result;
    int rc = lanert_detect(det, &frame, 1, &result, &err);
    if (!rc)
        assert_int_equal(result.count, 1);
    return rc;
}

static void assert_all_given_back(void)
{
    assert_int_equal(driver->live, 0);
    assert_int_equal(driver->current, 0);
    assert_int_equal(driver->waiting, 0);
    assert_int_equal(ort->live, 0);
}

/* Opens on whatever does it, which finds the lane. True: on the processor, for the reason that is told. */
static bool fell_back(const char *reason)
{
    lanert_detector *det;
    assert_ok(open_on("onnxruntime", "auto", &det));
    bool cpu = !strcmp(lanert_detector_device(det), "cpu");
    assert_true(cpu || !strcmp(lanert_detector_device(det), "cuda:0"));
    assert_int_equal(notes, cpu);
    if (cpu) {
        assert_non_null(strstr(note, reason));
        assert_non_null(strstr(note, "; the processor computes instead"));
        assert_ok(find(det));
    }
    lanert_detector_close(&det);
    assert_all_given_back();
    return cpu;
}

static void a_gpu_that_works_is_used(void **state)
{
    lanert_detector *det;
    (void)state;
    assert_ok(open_on("onnxruntime", "auto", &det));
    assert_string_equal(lanert_detector_device(det), "cuda:0");
    assert_ok(find(det));
    lanert_detector_close(&det);
    assert_false(fell_back(""));
}

/* Calls of the driver until a detector is open. */
static int count_driver_calls(void)
{
    lanert_detector *det;
    assert_ok(open_on("onnxruntime", "auto", &det));
    int calls = driver->calls;
    lanert_detector_close(&det);
    return calls;
}

static void fail_each_driver_call(int with, bool lost, const char *reason)
{
    int calls = count_driver_calls(), fallen = 0;
    for (int at = 1; at <= calls; at++) {
        set_up(NULL);
        *driver = (fake_cuda){.gpus = 1, .fail_at = at, .fail_with = with, .lost = lost};
        bool fell = fell_back(reason);
        assert_true(fell || !lost);
        fallen += fell;
    }
    assert_in_range(fallen, calls / 2, calls);
}

static void a_driver_that_fails_is_told(void **state)
{
    (void)state;
    fail_each_driver_call(LAUNCH_FAILED, false, "CUDA_ERROR_LAUNCH_FAILED");
}

static void a_full_gpu_is_told(void **state)
{
    (void)state;
    fail_each_driver_call(CUDA_ERROR_OUT_OF_MEMORY, false, "CUDA_ERROR_OUT_OF_MEMORY");
}

static void a_lost_gpu_is_told(void **state)
{
    (void)state;
    fail_each_driver_call(LAUNCH_FAILED, true, "CUDA_ERROR_LAUNCH_FAILED");
}

/* Once, another way on the GPU may be found, without a graph. */
static void a_provider_that_fails_is_told(void **state)
{
    (void)state;
    fell_back("");
    int calls = ort->calls, fallen = 0;
    for (int at = 1; at <= calls; at++)
        for (int for_good = 0; for_good < 2; for_good++) {
            set_up(NULL);
            *ort = (fake_onnxruntime){.fail_at = at, .fail_for_good = for_good};
            bool fell = fell_back("as told");
            assert_true(fell || !for_good);
            fallen += fell;
        }
    assert_in_range(calls, 10, 100);
    assert_in_range(fallen, calls + 1, 2 * calls);
}

static void a_device_that_is_named_is_that_or_an_error(void **state)
{
    lanert_detector *det;
    (void)state;
    *ort = (fake_onnxruntime){.fail_at = 1, .fail_for_good = true};
    assert_fails(open_on("onnxruntime", "cuda", &det), LANERT_EENGINE, "as told");
    assert_null(det);
    driver->gpus = 0;
    assert_fails(open_on("tensorrt", "auto", &det), LANERT_ENOTFOUND, "");
    assert_int_equal(notes, 0);
    assert_all_given_back();
}

static void what_fails_on_both_is_the_processors_error(void **state)
{
    lanert_detector *det;
    (void)state;
    char *name = model.info.raw_name;
    *name = 'R';
    assert_fails(open_on("onnxruntime", "auto", &det), LANERT_EFORMAT, "no output \"Raw\"");
    *name = 'r';
    assert_null(det);
    assert_int_equal(notes, 0);
    assert_all_given_back();
}

static void a_run_that_fails_later_is_an_error(void **state)
{
    lanert_detector *det;
    (void)state;
    assert_ok(open_on("onnxruntime", "auto", &det));
    assert_ok(find(det));
    ort->fail_at = ort->calls + 1;
    assert_fails(find(det), LANERT_EENGINE, "as told");
    assert_string_equal(lanert_detector_device(det), "cuda:0");
    assert_ok(find(det));
    driver->fail_at = driver->calls + 1;
    driver->fail_with = LAUNCH_FAILED;
    driver->lost = true;
    for (int i = 0; i < 2; i++)
        assert_fails(find(det), LANERT_EENGINE, "CUDA_ERROR_LAUNCH_FAILED");
    assert_string_equal(lanert_detector_device(det), "cuda:0");
    assert_int_equal(notes, 0);
    lanert_detector_close(&det);
    assert_all_given_back();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_gpu_that_works_is_used, set_up),
        cmocka_unit_test_setup(a_driver_that_fails_is_told, set_up),
        cmocka_unit_test_setup(a_full_gpu_is_told, set_up),
        cmocka_unit_test_setup(a_lost_gpu_is_told, set_up),
        cmocka_unit_test_setup(a_provider_that_fails_is_told, set_up),
        cmocka_unit_test_setup(a_device_that_is_named_is_that_or_an_error, set_up),
        cmocka_unit_test_setup(what_fails_on_both_is_the_processors_error, set_up),
        cmocka_unit_test_setup(a_run_that_fails_later_is_an_error, set_up),
    };
    driver = state_of(PLAYED_DIR "/cuda/libcuda.so.1", "fake_cuda_state");
    ort = state_of(PLAYED_DIR "/onnxruntime/libonnxruntime.so.1", "fake_onnxruntime_state");
    if (!driver || !ort) {
        fprintf(stderr, "skipped: ONNX Runtime is not there: scripts/deps.sh fetches it\n");
        return 77;
    }
    setenv("LANERT_ENGINES", PLAYED_DIR, 1);
    make_folder(NULL);
    null_model_raw(&model);
    snprintf(model.info.path, sizeof model.info.path, "%s", temp_path(folder, "network.onnx"));
    write_network(model.info.path);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_folder(NULL);
    return failed;
}
