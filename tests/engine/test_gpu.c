/* test_gpu.c - engines on a GPU that is played: what is asked of the driver and of ONNX Runtime, and what becomes of
 * every failure of either. */
#include <dlfcn.h>
#include <sys/stat.h>

#include "engine/cuda.h"
#include "engine/engine.h"
#include "engine/fake_cuda.h"
#include "engine/fake_onnxruntime.h"
#include "support/testing.h"
#include "support/tiny_onnx.h"

#define LAUNCH_FAILED 719

static fake_cuda *driver;
static fake_onnxruntime *ort;
static lanert_error err;

static void *state_of(const char *library, const char *name)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    return handle ? dlsym(handle, name) : NULL;
}

static int set_up(void **state)
{
    (void)state;
    *driver = (fake_cuda){.gpus = 1};
    *ort = (fake_onnxruntime){0};
    setenv("XDG_CACHE_HOME", folder, 1);
    return setenv("LANERT_ENGINES", PLAYED_DIR, 1);
}

static const char *model(void)
{
    return temp_path(folder, "tiny.onnx");
}

static int open_on(const char *device, engine **e)
{
    engine_options o = {0};
    assert_ok(device_parse(device, &o.device, &err));
    return engine_open("onnxruntime", model(), &o, e, &err);
}

/* ---- the whole way of a frame ------------------------------------------------------------------ */

typedef struct frame {
    uint8_t x[8];
    float y[8], z[8];
    tensor in, out[2];
} frame;

static void frame_init(frame *f)
{
    *f = (frame){.x = {0, 1, 2, 255, 7, 8, 9, 10}};
    f->in = (tensor){.name = "x", .type = TENSOR_U8, .rank = 2, .dims = {2, 4}, .data = f->x};
    f->out[0] = (tensor){.name = "y", .type = TENSOR_F32, .rank = 2, .dims = {2, 4}, .data = f->y};
    f->out[1] = (tensor){.name = "z", .type = TENSOR_F32, .rank = 3, .dims = {2, 2, 2}, .data = f->z};
}

static void assert_computed(const frame *f)
{
    for (int i = 0; i < 8; i++)
        assert_true(f->y[i] == 2.0f * f->x[i] + 1);
}

/* Open, bind and run: the result of the first that fails. */
static int go_all_the_way(const char *device)
{
    engine *e = NULL;
    frame f;
    frame_init(&f);
    int rc = open_on(device, &e);
    if (!rc)
        rc = engine_bind(e, &f.in, 1, f.out, 2, &err);
    if (!rc)
        rc = engine_run(e, &err);
    if (!rc)
        assert_computed(&f);
    engine_close(&e);
    return rc;
}

static void assert_all_given_back(void)
{
    assert_int_equal(driver->mode, CU_STREAM_CAPTURE_MODE_GLOBAL);
    assert_true(driver->lost || ort->outside == 0);
    assert_int_equal(driver->live, 0);
    assert_int_equal(driver->current, 0);
    assert_int_equal(ort->live, 0);
}

/* ---- names --------------------------------------------------------------------------------------- */

static void devices_have_names(void **state)
{
    static const char *const wrong[] = {"",        "gpu",   "cuda:",   "cuda:x",    "cuda:-1",  "cuda:1000",
                                        "cuda:1 ", "cpu:0", "auto:0",  "default",   "CUDA",     "cud",
                                        "cudaa",   ":1",    "cuda::1", "cuda:0001", "tensorrt:"};
    static const struct {
        const char *name;
        device_kind kind;
        int index;
        const char *formatted;
    } right[] = {{"auto", DEVICE_AUTO, 0, "auto"},
                 {"cpu", DEVICE_CPU, 0, "cpu"},
                 {"cuda", DEVICE_CUDA, 0, "cuda:0"},
                 {"cuda:999", DEVICE_CUDA, 999, "cuda:999"},
                 {"tensorrt:7", DEVICE_TENSORRT, 7, "tensorrt:7"}};
    char text[DEVICE_NAME];
    device_id d;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_fails(device_parse(wrong[i], &d, &err), LANERT_EINVAL, "expected auto, cpu, cuda or tensorrt");
    for (size_t i = 0; i < ARRAY_LEN(right); i++) {
        assert_ok(device_parse(right[i].name, &d, &err));
        assert_int_equal(d.kind, right[i].kind);
        assert_int_equal(d.index, right[i].index);
        assert_string_equal(device_format(d, text), right[i].formatted);
    }
    assert_ok(device_parse(NULL, &d, &err));
    assert_int_equal(d.kind, DEVICE_DEFAULT);
}

/* ---- what is there and what is not ----------------------------------------------------------------- */

static void gpus_are_told(void **state)
{
    lanert_device_info info;
    (void)state;
    driver->gpus = 2;
    for (int i = 0; i < 2; i++) {
        assert_ok(lanert_device_probe(i, &info, &err));
        assert_true(info.usable && !*info.note);
        assert_string_equal(info.name, i ? "cuda:1" : "cuda:0");
        assert_string_equal(info.model, i ? "Played GPU 1" : "Played GPU 0");
        assert_string_equal(info.capability, "8.9");
        assert_string_equal(info.driver, "13.2");
        assert_true(info.memory_gb == 8);
    }
    assert_fails(lanert_device_probe(2, &info, &err), LANERT_END, "2 GPUs");
    assert_fails(lanert_device_probe(-1, &info, &err), LANERT_EINVAL, "-1");
    assert_fails(lanert_device_probe(0, NULL, &err), LANERT_EINVAL, "NULL");
    assert_all_given_back();
}

static void assert_falls_back(const char *name, const char *part)
{
    engine_options o = {.device = {DEVICE_AUTO, 0}};
    engine *e = NULL;
    assert_int_not_equal(engine_open(name, model(), &o, &e, &err), 0);
    assert_non_null(strstr(err.text, part));
    assert_true(engine_falls_back(name, model(), &o));
    assert_ok(engine_open(name, model(), &o, &e, &err));
    assert_int_equal(engine_device(e).kind, DEVICE_CPU);
    engine_close(&e);
    assert_false(engine_falls_back(name, model(), &o));
}

/* Only "auto" falls back to the processor; what is named is that or an error. */
static void without(const char *part)
{
    lanert_device_info info;
    engine *e = NULL;
    assert_ok(lanert_device_probe(0, &info, &err));
    assert_false(info.usable);
    assert_non_null(strstr(info.note, part));
    assert_fails(lanert_device_probe(1, &info, &err), LANERT_END, "GPUs");
    assert_int_not_equal(open_on("cuda", &e), 0);
    assert_non_null(strstr(err.text, part));
    assert_null(e);
    engine_options o = {.device = {DEVICE_CUDA, 0}};
    assert_int_not_equal(engine_open("auto", model(), &o, &e, &err), 0);
    assert_non_null(strstr(err.text, part));
    assert_false(engine_falls_back("auto", model(), &o));
    assert_false(engine_falls_back("auto", model(), &(engine_options){0}));
    assert_false(engine_falls_back("none", model(), &(engine_options){.device = {DEVICE_AUTO, 0}}));
    assert_falls_back("onnxruntime", part);
    assert_falls_back("auto", part);
    assert_falls_back(NULL, part);
    assert_all_given_back();
}

static void no_gpu_is_told(void **state)
{
    (void)state;
    driver->gpus = 0;
    without("no GPU that it can use");
    driver->fail_init = 100;
    without("no GPU that it can use");
}

static void a_driver_that_does_not_start_is_told(void **state)
{
    (void)state;
    driver->fail_init = LAUNCH_FAILED;
    without("starting NVIDIA's driver: unspecified launch failure (CUDA_ERROR_LAUNCH_FAILED)");
    driver->fail_init = 12345;
    without("error 12345");
}

static void a_gpu_that_is_not_there_is_told(void **state)
{
    engine *e;
    (void)state;
    assert_fails(open_on("cuda:1", &e), LANERT_ENOTFOUND, "there is no GPU 1: the driver counts 1, from 0");
    assert_all_given_back();
}

static void engines_without_gpus_say_so(void **state)
{
    engine_options o = {.device = {DEVICE_CUDA, 0}};
    engine *e;
    (void)state;
    assert_fails(engine_open("null", model(), &o, &e, &err), LANERT_EUNSUPPORTED, "null does not compute on cuda:0");
}

static void a_library_without_the_provider_says_what_to_do(void **state)
{
    engine *e;
    (void)state;
    ort->plain = true;
    assert_fails(open_on("cuda", &e), LANERT_ENOTFOUND,
                 "without the CUDAExecutionProvider: 'scripts/deps.sh cuda' fetches");
    assert_fails(open_on("tensorrt", &e), LANERT_ENOTFOUND, "without the TensorrtExecutionProvider");
    ort->plain = false;
    ort->version = "1.17.3";
    assert_fails(open_on("cuda", &e), LANERT_EUNSUPPORTED, "release 1.17; on GPUs 1.18");
    ort->version = NULL;
    ort->no_library = true;
    assert_fails(open_on("cuda", &e), LANERT_EENGINE, "libcublas.so.13");
    assert_all_given_back();
}

/* ---- what is asked for ----------------------------------------------------------------------------- */

static void one_copy_up_and_one_down_for_each_tensor(void **state)
{
    engine *e = NULL;
    frame f;
    (void)state;
    frame_init(&f);
    assert_ok(open_on("cuda", &e));
    assert_int_equal(engine_device(e).kind, DEVICE_CUDA);
    assert_ok(engine_bind(e, &f.in, 1, f.out, 1, &err));
    driver->uploads = driver->downloads = driver->waits = 0;
    for (int i = 0; i < 3; i++) {
        f.x[5] = (uint8_t)(100 + i);
        assert_ok(engine_run(e, &err));
        assert_computed(&f);
    }
    assert_int_equal(driver->uploads, 3);
    assert_int_equal(driver->downloads, 3);
    assert_int_equal(driver->waits, 6); /* one of each is the played provider's */
    engine_close(&e);
    assert_all_given_back();
}

static void the_provider_is_told_what_we_need(void **state)
{
    engine *e = NULL;
    frame f;
    (void)state;
    frame_init(&f);
    assert_ok(open_on("cuda", &e));
    assert_string_equal(ort->order, "cuda ");
    assert_string_equal(ort->cuda,
                        "device_id=0 use_tf32=0 arena_extend_strategy=kSameAsRequested enable_cuda_graph=1 ");
    assert_non_null(ort->cuda_stream);
    assert_ok(engine_bind(e, &f.in, 1, f.out, 2, &err));
    assert_string_equal(ort->run, "disable_synchronize_execution_providers=1 gpu_graph_id=1 ");
    assert_ok(engine_bind(e, &f.in, 1, f.out, 2, &err));
    assert_string_equal(ort->run, "disable_synchronize_execution_providers=1 gpu_graph_id=2 ");
    engine_close(&e);
    assert_all_given_back();
}

static void tensorrt_comes_before_cuda(void **state)
{
    engine_options o = {.precision = LANERT_FP16, .device = {DEVICE_TENSORRT, 0}};
    engine *e = NULL;
    char expected[1024];
    struct stat st;
    (void)state;
    assert_ok(engine_open("onnxruntime", model(), &o, &e, &err));
    assert_string_equal(ort->order, "tensorrt cuda ");
    snprintf(expected, sizeof expected,
             "device_id=0 trt_fp16_enable=1 trt_int8_enable=0 trt_cuda_graph_enable=1 trt_engine_cache_enable=1 "
             "trt_engine_cache_path=%s/lanert/onnxruntime-tensorrt trt_timing_cache_enable=1 "
             "trt_timing_cache_path=%s/lanert/onnxruntime-tensorrt ",
             folder, folder);
    assert_string_equal(ort->tensorrt, expected);
    assert_non_null(strstr(ort->cuda, "enable_cuda_graph=0"));
    assert_ptr_equal(ort->tensorrt_stream, ort->cuda_stream);
    assert_int_equal(stat(temp_path(folder, "lanert/onnxruntime-tensorrt"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    engine_close(&e);
    assert_ok(go_all_the_way("tensorrt"));
    assert_non_null(strstr(ort->tensorrt, "trt_fp16_enable=0 trt_int8_enable=0"));
    o = (engine_options){.types = "fp16", .device = {DEVICE_TENSORRT, 0}};
    assert_ok(engine_open("onnxruntime", model(), &o, &e, &err));
    assert_non_null(strstr(ort->tensorrt, "trt_fp16_enable=1 trt_int8_enable=0"));
    engine_close(&e);
    o.types = "int8";
    assert_ok(engine_open("onnxruntime", model(), &o, &e, &err));
    assert_non_null(strstr(ort->tensorrt, "trt_fp16_enable=0 trt_int8_enable=1"));
    engine_close(&e);
    /* What others may write to is not run. */
    assert_int_equal(chmod(temp_path(folder, "lanert/onnxruntime-tensorrt"), 0777), 0);
    assert_fails(open_on("tensorrt", &e), LANERT_EIO, "with mode 777");
    assert_int_equal(chmod(temp_path(folder, "lanert/onnxruntime-tensorrt"), 0700), 0);
    assert_all_given_back();
}

static void others_may_record_meanwhile(void **state)
{
    (void)state;
    driver->recording = true;
    assert_ok(go_all_the_way("cuda"));
    assert_all_given_back();
}

/* ---- failures ---------------------------------------------------------------------------------------- */

static void a_model_that_makes_no_graph_runs_without(void **state)
{
    (void)state;
    ort->fail_graph_session = true;
    assert_ok(go_all_the_way("cuda"));
    assert_int_equal(ort->sessions, 2);
    assert_non_null(strstr(ort->cuda, "enable_cuda_graph=0"));
    *ort = (fake_onnxruntime){.fail_graph_run = true};
    assert_ok(go_all_the_way("cuda"));
    assert_int_equal(ort->sessions, 2);
    assert_non_null(strstr(ort->cuda, "enable_cuda_graph=0"));
    assert_all_given_back();
}

static void a_session_that_was_lost_is_made_again(void **state)
{
    engine *e = NULL;
    frame f;
    (void)state;
    frame_init(&f);
    ort->fail_graph_run = ort->fail_session = true;
    assert_ok(open_on("cuda", &e));
    assert_fails(engine_bind(e, &f.in, 1, f.out, 2, &err), LANERT_EENGINE, "no second session");
    assert_fails(engine_bind(e, &f.in, 1, f.out, 2, &err), LANERT_EENGINE, "no second session");
    ort->fail_session = false;
    assert_ok(engine_bind(e, &f.in, 1, f.out, 2, &err));
    assert_ok(engine_run(e, &err));
    assert_computed(&f);
    engine_close(&e);
    assert_all_given_back();
}

static void a_run_that_fails_leaves_the_engine_usable(void **state)
{
    engine *e = NULL;
    frame f;
    (void)state;
    frame_init(&f);
    assert_ok(open_on("cuda", &e));
    assert_ok(engine_bind(e, &f.in, 1, f.out, 2, &err));
    ort->fail_run = ort->runs + 1;
    assert_fails(engine_run(e, &err), LANERT_EENGINE, "CUDNN_STATUS_INTERNAL_ERROR");
    assert_ok(engine_run(e, &err));
    assert_computed(&f);
    engine_close(&e);
    assert_all_given_back();
}

/* Nothing reads the caller's memory after a bind that failed. */
static void a_bind_that_fails_leaves_no_copy_under_way(void **state)
{
    engine *e = NULL;
    frame f, gone;
    (void)state;
    frame_init(&f);
    frame_init(&gone);
    assert_ok(open_on("cuda", &e));
    ort->fail_graph_run = true;
    ort->fail_run = 2;
    gone.in.data = test_malloc(sizeof gone.x);
    assert_fails(engine_bind(e, &gone.in, 1, gone.out, 2, &err), LANERT_EENGINE, "CUDNN_STATUS_INTERNAL_ERROR");
    test_free(gone.in.data);
    assert_int_equal(driver->waiting, 0);
    assert_ok(engine_bind(e, &f.in, 1, f.out, 2, &err));
    assert_ok(engine_run(e, &err));
    assert_computed(&f);
    engine_close(&e);
    assert_all_given_back();
}

/* Each call of the driver fails in turn: alone, or as of a GPU that is lost. */
static void fail_each_call(int with, bool lost)
{
    int calls, failed = 0;
    assert_ok(go_all_the_way("cuda"));
    calls = driver->calls;
    for (int at = 1; at <= calls; at++) {
        *driver = (fake_cuda){.gpus = 1, .fail_at = at, .fail_with = with, .lost = lost};
        err.text[0] = '\0';
        int rc = go_all_the_way("cuda");
        failed += rc != 0;
        if (!rc) {
            assert_string_equal(err.text, "");
        } else {
            assert_non_null(strstr(err.text, with == 2 ? "out of memory (CUDA_ERROR_OUT_OF_MEMORY)"
                                                       : "unspecified launch failure (CUDA_ERROR_LAUNCH_FAILED)"));
            assert_int_equal(rc, with == 2 ? LANERT_ENOMEM : LANERT_EENGINE);
        }
        assert_all_given_back();
        assert_true(lost || driver->left == 0);
    }
    assert_in_range(failed, calls / 2, calls);
}

static void every_failure_of_the_driver_is_told(void **state)
{
    (void)state;
    fail_each_call(LAUNCH_FAILED, false);
}

static void a_full_gpu_is_told(void **state)
{
    (void)state;
    fail_each_call(2, false);
}

static void a_lost_gpu_is_told_and_closes(void **state)
{
    (void)state;
    fail_each_call(LAUNCH_FAILED, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(devices_have_names, set_up),
        cmocka_unit_test_setup(gpus_are_told, set_up),
        cmocka_unit_test_setup(no_gpu_is_told, set_up),
        cmocka_unit_test_setup(a_driver_that_does_not_start_is_told, set_up),
        cmocka_unit_test_setup(a_gpu_that_is_not_there_is_told, set_up),
        cmocka_unit_test_setup(engines_without_gpus_say_so, set_up),
        cmocka_unit_test_setup(a_library_without_the_provider_says_what_to_do, set_up),
        cmocka_unit_test_setup(one_copy_up_and_one_down_for_each_tensor, set_up),
        cmocka_unit_test_setup(the_provider_is_told_what_we_need, set_up),
        cmocka_unit_test_setup(tensorrt_comes_before_cuda, set_up),
        cmocka_unit_test_setup(others_may_record_meanwhile, set_up),
        cmocka_unit_test_setup(a_model_that_makes_no_graph_runs_without, set_up),
        cmocka_unit_test_setup(a_session_that_was_lost_is_made_again, set_up),
        cmocka_unit_test_setup(a_run_that_fails_leaves_the_engine_usable, set_up),
        cmocka_unit_test_setup(a_bind_that_fails_leaves_no_copy_under_way, set_up),
        cmocka_unit_test_setup(every_failure_of_the_driver_is_told, set_up),
        cmocka_unit_test_setup(a_full_gpu_is_told, set_up),
        cmocka_unit_test_setup(a_lost_gpu_is_told_and_closes, set_up),
    };
    message bytes = tiny_onnx("Mul");
    driver = state_of(PLAYED_DIR "/cuda/libcuda.so.1", "fake_cuda_state");
    ort = state_of(PLAYED_DIR "/onnxruntime/libonnxruntime.so.1", "fake_onnxruntime_state");
    if (!driver || !ort) {
        fprintf(stderr, "skipped: ONNX Runtime is not there: scripts/deps.sh fetches it\n");
        return 77;
    }
    make_folder(NULL);
    put_file("tiny.onnx", bytes.bytes, bytes.size);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_folder(NULL);
    return failed;
}
