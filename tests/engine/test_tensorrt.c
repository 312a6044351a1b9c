/* test_tensorrt.c - plans: built, kept, refused and built again, with TensorRT and the GPU played. */
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/engine_file.h"
#include "engine/engine.h"
#include "engine/fake_cuda.h"
#include "engine/fake_tensorrt.h"
#include "engine/tensorrt_build.h"
#include "support/testing.h"
#include "support/tiny_onnx.h"

#define LAUNCH_FAILED 719

static fake_cuda *driver;
static fake_tensorrt *trt;
static tensorrt_shim *shim;
static lanert_error err;
static char model[4200], built[4200], note[8192];

static void *state_of(const char *library, const char *name)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    return handle ? dlsym(handle, name) : NULL;
}

static int set_up(void **state)
{
    message bytes = tiny_onnx("Mul");
    *driver = (fake_cuda){.gpus = 2};
    *trt = (fake_tensorrt){0};
    if (make_folder(state))
        return -1;
    put_file("tiny.onnx", bytes.bytes, bytes.size);
    snprintf(model, sizeof model, "%s/tiny.onnx", folder);
    snprintf(built, sizeof built, "%s/tiny.engine", folder);
    *note = '\0';
    setenv("XDG_CACHE_HOME", folder, 1);
    return setenv("LANERT_ENGINES", PLAYED_DIR, 1);
}

static void keep_note(void *context, const char *text)
{
    (void)context;
    snprintf(note, sizeof note, "%s", text);
}

/* ---- the whole way of a frame -------------------------------------------------------------------- */

typedef struct frame {
    uint8_t x[8];
    float y[8], z[8];
    tensor in, out[2];
} frame;

static void frame_init(frame *f, int count)
{
    *f = (frame){.x = {0, 1, 2, 255, 7, 8, 9, 10}};
    f->in = (tensor){.name = "x", .type = TENSOR_U8, .rank = 2, .dims = {count, 4}, .data = f->x};
    f->out[0] = (tensor){.name = "y", .type = TENSOR_F32, .rank = 2, .dims = {count, 4}, .data = f->y};
    f->out[1] = (tensor){.name = "z", .type = TENSOR_F32, .rank = 3, .dims = {count, 2, 2}, .data = f->z};
}

static void assert_computed(const frame *f, const float *out, int count)
{
    for (int i = 0; i < 8; i++)
        assert_true(out[i] == (i < 4 * count ? 2.0f * f->x[i] + 1 : 0));
}

static int open_as(const char *name, const char *path, engine_options o, engine **e)
{
    o.on_note = keep_note;
    return engine_open(name, path, &o, e, &err);
}

static int open_plan(const char *path, engine **e)
{
    return open_as("tensorrt", path, (engine_options){0}, e);
}

/* Opens, binds, runs once: the result of the first that fails. */
static int go_all_the_way(const char *path)
{
    engine *e = NULL;
    frame f;
    frame_init(&f, 1);
    int rc = open_plan(path, &e);
    if (!rc)
        rc = engine_bind(e, &f.in, 1, f.out, 1, &err);
    if (!rc)
        rc = engine_run(e, &err);
    if (!rc) {
        assert_computed(&f, f.y, 1);
        assert_computed(&f, f.z, 0);
    }
    engine_close(&e);
    return rc;
}

static void assert_all_given_back(void)
{
    assert_int_equal(driver->live, 0);
    assert_int_equal(driver->left, 0);
    assert_int_equal(driver->current, 0);
    assert_int_equal(trt->live, 0);
}

static int build(lanert_build_options *o)
{
    return tensorrt_build_model(model, built, o, NULL, &err);
}

static void build_default(void)
{
    lanert_build_options o;
    lanert_build_defaults(&o);
    o.force = true;
    assert_ok(build(&o));
    trt->builds = 0;
}

/* ---- building -------------------------------------------------------------------------------------- */

static void a_built_file_is_the_model_and_the_plan(void **state)
{
    file_map onnx, map;
    engine_file f;
    (void)state;
    build_default();
    assert_string_equal(trt->build, "precision=any workspace=0 batch=1,1,1 compatible=0 timed=0 timing=");
    assert_ok(file_map_open(model, 0, &onnx, &err));
    assert_ok(file_map_open(built, 0, &map, &err));
    assert_ok(engine_file_read(map.data, map.size, &f, &err));
    assert_ok(engine_file_check(&f, &err));
    assert_int_equal(f.model_size, onnx.size);
    assert_memory_equal(f.model, onnx.data, onnx.size);
    assert_string_equal(f.stamp.tensorrt, "11.1.0");
    assert_string_equal(f.stamp.gpu, "Played GPU 0");
    assert_string_equal(f.stamp.capability, "8.9");
    assert_string_equal(f.stamp.driver, "13.2");
    assert_string_equal(f.stamp.precision, "fp32");
    file_map_close(&onnx);
    file_map_close(&map);
    /* It runs as it is, and is a model to others. */
    assert_ok(go_all_the_way(built));
    assert_int_equal(trt->builds, 0);
    assert_string_equal(note, "");
    engine *e = NULL;
    assert_ok(engine_open("onnxruntime", built, NULL, &e, &err));
    engine_close(&e);
    assert_all_given_back();
}

static void options_reach_the_builder(void **state)
{
    lanert_build_options o = {.precision = "fp16",
                              .device = "cuda:1",
                              .workspace_mb = 3,
                              .min_batch = 1,
                              .opt_batch = 2,
                              .max_batch = 4,
                              .version_compatible = true,
                              .timing_cache = temp_path(folder, "timing")};
    (void)state;
    trt->precision = "fp16";
    assert_ok(build(&o));
    assert_string_equal(trt->build, "precision=fp16 workspace=3145728 batch=1,2,4 compatible=1 timed=1 timing=");
    o.force = true;
    assert_ok(build(&o));
    assert_string_equal(trt->build, "precision=fp16 workspace=3145728 batch=1,2,4 compatible=1 timed=1 timing=t");
    assert_all_given_back();
}

static void wrong_orders_are_refused(void **state)
{
    lanert_build_options o;
    (void)state;
#define REFUSED(change, code, part)                                                                                    \
    lanert_build_defaults(&o);                                                                                         \
    change;                                                                                                            \
    assert_fails(build(&o), code, part);                                                                               \
    assert_false(file_exists(built))
    REFUSED(o.precision = "bf16", LANERT_EINVAL, "precision is \"bf16\"");
    REFUSED(o.min_batch = 0, LANERT_EINVAL, "batches are 0, 1 and 1");
    REFUSED(o.min_batch = 2, LANERT_EINVAL, "batches are 2, 1 and 1");
    REFUSED(o.max_batch = 65, LANERT_EINVAL, "batches are 1, 1 and 65");
    REFUSED(o.opt_batch = 3, LANERT_EINVAL, "batches are 1, 3 and 1");
    REFUSED(o.workspace_mb = -1, LANERT_EINVAL, "workspace_mb is -1");
    REFUSED(o.device = "cpu", LANERT_EUNSUPPORTED, "does not compute on cpu");
    REFUSED(o.device = "gpu", LANERT_EINVAL, "no device \"gpu\"");
    REFUSED(o.device = "cuda:2", LANERT_ENOTFOUND, "no GPU 2");
    REFUSED(o.precision = "fp16", LANERT_EUNSUPPORTED, "of another precision");
    REFUSED(trt->fail_build = true, LANERT_EENGINE, "as told");
#undef REFUSED
    trt->fail_build = false;
    assert_fails(tensorrt_build_model(model, temp_path(folder, "x.onnx"), NULL, NULL, &err), LANERT_EINVAL,
                 "ends in .engine");
    assert_fails(tensorrt_build_model(model, NULL, NULL, NULL, &err), LANERT_EINVAL, "ends in .engine");
    assert_fails(tensorrt_build_model(NULL, built, NULL, NULL, &err), LANERT_EINVAL, "(none)");
    assert_fails(tensorrt_build_model(temp_path(folder, "none.onnx"), built, NULL, NULL, &err), LANERT_ENOTFOUND,
                 "none.onnx");
    put_text("text.onnx", "\xff not a model");
    assert_fails(tensorrt_build_model(temp_path(folder, "text.onnx"), built, NULL, NULL, &err), LANERT_EFORMAT,
                 "no whole ONNX model");
    put_text("text.engine", "here before");
    assert_fails(tensorrt_build_model(model, temp_path(folder, "text.engine"), NULL, NULL, &err), LANERT_EEXIST,
                 "text.engine");
    assert_all_given_back();
}

/* ---- models that were not built ------------------------------------------------------------------- */

static void a_model_is_built_once_and_kept(void **state)
{
    struct stat st;
    (void)state;
    assert_ok(go_all_the_way(model));
    assert_int_equal(trt->builds, 1);
    assert_non_null(strstr(note, "tiny.onnx: TensorRT runs what it built for one GPU; building for Played GPU 0, which "
                                 "takes minutes; it is kept in "));
    *note = '\0';
    assert_ok(go_all_the_way(model));
    assert_int_equal(trt->builds, 1);
    assert_string_equal(note, "");
    assert_int_equal(stat(temp_path(folder, "lanert/tensorrt"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_all_given_back();
}

static void a_plan_in_a_file_that_is_not_named_so_is_not_run(void **state)
{
    (void)state;
    build_default();
    assert_int_equal(rename(built, model), 0);
    assert_ok(go_all_the_way(model));
    assert_int_equal(trt->builds, 1);
}

static void a_cache_that_others_may_enter_is_refused(void **state)
{
    (void)state;
    assert_ok(go_all_the_way(model));
    assert_int_equal(chmod(temp_path(folder, "lanert"), 0755), 0);
    assert_fails(go_all_the_way(model), LANERT_EIO, "with mode 755");
    assert_int_equal(chmod(temp_path(folder, "lanert"), 0700), 0);
    assert_int_equal(chmod(temp_path(folder, "lanert/tensorrt"), 0720), 0);
    assert_fails(go_all_the_way(model), LANERT_EIO, "with mode 720");
    assert_int_equal(rename(temp_path(folder, "lanert"), temp_path(folder, "other")), 0);
    assert_int_equal(symlink("other", temp_path(folder, "lanert")), 0);
    assert_fails(go_all_the_way(model), LANERT_EIO, "cannot be opened as a folder");
    assert_int_equal(unlink(temp_path(folder, "lanert")), 0);
    setenv("XDG_CACHE_HOME", "not/absolute", 1);
    unsetenv("HOME");
    assert_fails(go_all_the_way(model), LANERT_EIO, "neither XDG_CACHE_HOME nor HOME");
    setenv("HOME", folder, 1);
    assert_ok(go_all_the_way(model));
    assert_true(file_exists(temp_path(folder, ".cache/lanert/tensorrt")));
    assert_all_given_back();
}

/* TensorRT would compute all that are in a plan, bound or not. */
static void outputs_that_nobody_wants_are_left_out(void **state)
{
    static const char *const y[] = {"y", NULL}, *const both[] = {"y", "z", NULL};
    static const struct {
        const char *const *outputs;
        const char *told;
        int count;
    } cases[] = {{y, "y ", 1}, {both, "y z ", 2}, {NULL, "all", 2}};
    engine *e = NULL;
    frame f;
    int count;
    (void)state;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            assert_ok(open_as("tensorrt", model, (engine_options){.outputs = cases[i].outputs}, &e));
            if (round == 0)
                assert_string_equal(trt->outputs, cases[i].told);
            engine_outputs(e, &count);
            assert_int_equal(count, cases[i].count);
            frame_init(&f, 1);
            assert_ok(engine_bind(e, &f.in, 1, f.out, 1, &err));
            assert_ok(engine_run(e, &err));
            assert_computed(&f, f.y, 1);
            engine_close(&e);
            assert_int_equal(trt->builds, round == 0 ? (int)i + 1 : 3);
        }
    /* An engine file that has all of them serves who wants some. */
    build_default();
    assert_string_equal(trt->outputs, "all");
    assert_ok(open_as("tensorrt", built, (engine_options){.outputs = y}, &e));
    engine_close(&e);
    assert_int_equal(trt->builds, 0);
    assert_all_given_back();
}

/* ---- stamps ------------------------------------------------------------------------------------------ */

/* The built file does not fit, for that reason, and is built anew, once. */
static void built_anew(engine_options o, int batch, const char *why)
{
    for (int round = 0; round < 2; round++) {
        engine *e = NULL;
        frame f;
        frame_init(&f, batch);
        trt->builds = 0;
        *note = '\0';
        assert_ok(open_as("tensorrt", built, o, &e));
        assert_ok(engine_bind(e, &f.in, 1, f.out, 2, &err));
        assert_ok(engine_run(e, &err));
        assert_computed(&f, f.y, batch);
        engine_close(&e);
        assert_int_equal(trt->builds, round == 0);
        assert_true(round == 0 ? strstr(note, why) != NULL : !*note);
    }
}

static void another_gpu_has_it_built_anew(void **state)
{
    (void)state;
    build_default();
    built_anew((engine_options){.device = {DEVICE_CUDA, 1}}, 1,
               "it was built for Played GPU 0 (compute capability 8.9), here is Played GPU 1 (8.9)");
    assert_all_given_back();
}

static void another_tensorrt_has_it_built_anew(void **state)
{
    (void)state;
    build_default();
    trt->version = 110001;
    built_anew((engine_options){0}, 1, "it was built by TensorRT 11.1.0, here is 11.0.1");
    trt->version = 110200;
    built_anew((engine_options){0}, 1, "it was built by TensorRT 11.1.0, here is 11.2.0");
}

static void a_version_compatible_plan_serves_later_releases(void **state)
{
    lanert_build_options o = {.min_batch = 1, .opt_batch = 1, .max_batch = 1, .version_compatible = true};
    (void)state;
    trt->version = 8601;
    assert_ok(build(&o));
    trt->builds = 0;
    trt->version = 101601;
    assert_ok(go_all_the_way(built));
    assert_int_equal(trt->builds, 0);
    trt->version = 8500;
    built_anew((engine_options){0}, 1, "it was built by TensorRT 8.6.1, here is 8.5.0");
    assert_non_null(strstr(trt->build, "compatible=1"));
}

static void only_an_older_driver_has_it_built_anew(void **state)
{
    (void)state;
    build_default();
    driver->driver = 13030;
    assert_ok(go_all_the_way(built));
    assert_int_equal(trt->builds, 0);
    driver->driver = 12080;
    built_anew((engine_options){0}, 1, "it was built under a driver for CUDA 13.2, here is one for 12.8");
}

static void a_larger_batch_has_it_built_anew(void **state)
{
    engine *e = NULL;
    frame f;
    (void)state;
    build_default();
    built_anew((engine_options){.batch = 2}, 2, "it was built for 1 to 1 frames, asked for are 2");
    assert_non_null(strstr(trt->build, "batch=1,2,2"));
    /* Who does not say it is told when it is bound. */
    frame_init(&f, 2);
    assert_ok(open_plan(built, &e));
    assert_fails(engine_bind(e, &f.in, 1, f.out, 2, &err), LANERT_EINVAL, "was not built for this batch");
    engine_close(&e);
    assert_all_given_back();
}

static void a_plan_of_another_precision_is_refused(void **state)
{
    engine *e = NULL;
    (void)state;
    build_default();
    assert_fails(open_as("tensorrt", built, (engine_options){.precision = LANERT_FP16}, &e), LANERT_EUNSUPPORTED,
                 "the model is fp32");
    trt->precision = "fp16";
    build_default();
    assert_ok(open_as("tensorrt", built, (engine_options){.precision = LANERT_FP16}, &e));
    engine_close(&e);
    assert_all_given_back();
}

static void what_cannot_be_built_anew_says_both(void **state)
{
    (void)state;
    build_default();
    trt->version = 110001;
    trt->fail_build = true;
    assert_fails(go_all_the_way(built), LANERT_EENGINE,
                 "it was built by TensorRT 11.1.0, here is 11.0.1, and it cannot be built anew: building: as told");
    assert_all_given_back();
}

/* ---- damage ------------------------------------------------------------------------------------------ */

static void flip(const char *path, size_t at)
{
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
    int c = fgetc(f);
    assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
    fputc(c ^ 1, f);
    fclose(f);
}

static void damaged_plans_are_not_run(void **state)
{
    struct stat st;
    (void)state;
    build_default();
    assert_int_equal(stat(built, &st), 0);
    for (size_t at = 0; at < (size_t)st.st_size; at += 7) {
        flip(built, at);
        int rc = go_all_the_way(built);
        assert_true(rc == LANERT_EFORMAT || (rc == 0 && trt->builds > 0));
        flip(built, at);
        assert_all_given_back();
    }
    assert_ok(truncate(built, st.st_size - 1));
    assert_fails(go_all_the_way(built), LANERT_EFORMAT, "damaged");
}

static void a_damaged_cache_is_built_anew(void **state)
{
    char place[4200];
    (void)state;
    assert_ok(go_all_the_way(model));
    assert_int_equal(sscanf(strstr(note, "kept in "), "kept in %4199s", place), 1);
    flip(place, 1000);
    assert_ok(go_all_the_way(model));
    assert_int_equal(trt->builds, 2);
    /* One that lies under another's name. */
    build_default();
    assert_int_equal(rename(built, place), 0);
    driver->driver = 13030;
    *note = '\0';
    assert_ok(go_all_the_way(model));
    assert_int_equal(trt->builds, 1);
}

/* A folder may be exchanged for another's after it was looked at; what is run is a file of this user's. */
static void a_cached_plan_of_others_is_built_anew(void **state)
{
    char place[4200];
    struct stat st;
    (void)state;
    assert_ok(go_all_the_way(model));
    assert_int_equal(sscanf(strstr(note, "kept in "), "kept in %4199s", place), 1);
    assert_int_equal(chmod(place, 0646), 0);
    assert_ok(go_all_the_way(model));
    assert_int_equal(trt->builds, 2);
    assert_int_equal(stat(place, &st), 0);
    assert_int_equal(st.st_mode & S_IWOTH, 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(place, 12345, (gid_t)-1), 0);
        assert_ok(go_all_the_way(model));
        assert_int_equal(trt->builds, 3);
    }
    assert_ok(go_all_the_way(model));
    assert_int_equal(trt->builds, 2 + (geteuid() == 0));
    assert_all_given_back();
}

/* ---- who is chosen ----------------------------------------------------------------------------------- */

static void assert_opens_as(const char *name, const char *path, device_kind asked, const char *expected, device_kind on)
{
    engine *e = NULL;
    assert_ok(open_as(name, path, (engine_options){.device = {asked, 0}}, &e));
    assert_string_equal(engine_name(e), expected);
    assert_int_equal(engine_device(e).kind, on);
    engine_close(&e);
}

static void auto_takes_tensorrt_for_what_it_built(void **state)
{
    lanert_engine_info info;
    engine *e = NULL;
    (void)state;
    build_default();
    assert_ok(lanert_engine_probe(0, &info, &err));
    const char *first = info.usable ? info.name : "onnxruntime";
    assert_opens_as(NULL, built, DEVICE_DEFAULT, "tensorrt", DEVICE_CUDA);
    assert_opens_as("auto", built, DEVICE_CUDA, "tensorrt", DEVICE_CUDA);
    assert_opens_as("auto", built, DEVICE_AUTO, "tensorrt", DEVICE_CUDA);
    assert_opens_as("auto", built, DEVICE_CPU, first, DEVICE_CPU);
    assert_opens_as("auto", model, DEVICE_CUDA, "onnxruntime", DEVICE_CUDA);
    assert_opens_as("auto", model, DEVICE_DEFAULT, first, DEVICE_CPU);
    assert_int_equal(trt->builds, 0);
    assert_string_equal(note, "");
    /* Without a GPU it is a model like others, unless TensorRT is asked for. */
    driver->gpus = 0;
    engine_options o = {0};
    assert_fails(open_as(NULL, built, o, &e), LANERT_ENOTFOUND, "no GPU that it can use");
    assert_true(engine_falls_back(NULL, built, &o));
    assert_opens_as(NULL, built, o.device.kind, first, DEVICE_CPU);
    o.device.kind = DEVICE_AUTO;
    assert_false(engine_falls_back("tensorrt", built, &o));
    assert_fails(open_as("auto", built, (engine_options){.device = {DEVICE_CUDA, 0}}, &e), LANERT_ENOTFOUND, "no GPU");
    assert_fails(open_plan(built, &e), LANERT_ENOTFOUND, "no GPU");
    assert_fails(open_as("tensorrt", built, (engine_options){.device = {DEVICE_AUTO, 0}}, &e), LANERT_ENOTFOUND,
                 "no GPU");
    assert_fails(open_as("tensorrt", built, (engine_options){.device = {DEVICE_CPU, 0}}, &e), LANERT_EUNSUPPORTED,
                 "tensorrt does not compute on cpu");
}

static void missing_parts_are_told(void **state)
{
    lanert_engine_info info = {0};
    (void)state;
    build_default();
    for (int i = 0; lanert_engine_probe(i, &info, &err) == 0 && strcmp(info.name, "tensorrt"); i++)
        ;
    assert_true(info.usable);
    assert_string_equal(info.version, "11.1.0");
    assert_string_equal(info.devices, "cuda");
    shim->interface++;
    assert_fails(go_all_the_way(built), LANERT_EENGINE, "is of another lanert");
    shim->interface--;
    /* A lean runtime: it runs, but cannot build. */
    assert_ok(file_make_folders(temp_path(folder, "lean"), &err));
    assert_int_equal(
        symlink(PLAYED_DIR "/tensorrt/liblanert_tensorrt.so.11", temp_path(folder, "lean/liblanert_tensorrt.so.11")),
        0);
    assert_int_equal(symlink(PLAYED_DIR "/lean/libnvinfer_lean.so.11", temp_path(folder, "lean/libnvinfer_lean.so.11")),
                     0);
    assert_int_equal(symlink(PLAYED_DIR "/cuda/libcuda.so.1", temp_path(folder, "lean/libcuda.so.1")), 0);
    setenv("LANERT_ENGINES", temp_path(folder, "lean"), 1);
    assert_ok(go_all_the_way(built));
    assert_fails(go_all_the_way(model), LANERT_ENOTFOUND, "runs what was built but cannot build");
    assert_string_equal(note, "");
    assert_all_given_back();
}

/* ---- running ----------------------------------------------------------------------------------------- */

static void runs_are_replayed(void **state)
{
    engine *e = NULL;
    frame f;
    (void)state;
    build_default();
    for (int graphs = 1; graphs >= 0; graphs--) {
        driver->no_graphs = !graphs;
        frame_init(&f, 1);
        assert_ok(open_plan(built, &e));
        assert_ok(engine_bind(e, &f.in, 1, f.out, 2, &err));
        driver->uploads = driver->downloads = driver->waits = driver->replays = 0;
        for (int i = 0; i < 3; i++) {
            f.x[1] = (uint8_t)(50 + i);
            assert_ok(engine_run(e, &err));
            assert_computed(&f, f.y, 1);
            assert_computed(&f, f.z, 1);
        }
        assert_int_equal(driver->uploads, 3);
        assert_int_equal(driver->downloads, 6);
        assert_int_equal(driver->waits, 3);
        assert_int_equal(driver->replays, graphs ? 3 : 0);
        engine_close(&e);
        assert_all_given_back();
    }
}

static void failures_of_tensorrt_are_told(void **state)
{
    engine *e = NULL;
    frame f;
    (void)state;
    build_default();
    frame_init(&f, 1);
    trt->fail_open = true;
    assert_fails(open_plan(built, &e), LANERT_EENGINE, "loading the plan");
    trt->fail_open = false;
    trt->fail_enqueue = true;
    assert_ok(open_plan(built, &e));
    assert_fails(engine_bind(e, &f.in, 1, f.out, 2, &err), LANERT_EENGINE, "running the model");
    assert_int_equal(driver->waiting, 0);
    trt->fail_enqueue = false;
    assert_ok(engine_bind(e, &f.in, 1, f.out, 2, &err));
    assert_ok(engine_run(e, &err));
    assert_computed(&f, f.y, 1);
    engine_close(&e);
    assert_all_given_back();
}

static void fail_each_call(const char *path, int with, bool lost)
{
    int calls, failed = 0;
    driver->calls = 0;
    assert_ok(go_all_the_way(path));
    calls = driver->calls;
    for (int at = 1; at <= calls; at++) {
        *driver = (fake_cuda){.gpus = 2, .fail_at = at, .fail_with = with, .lost = lost};
        err.text[0] = '\0';
        int rc = go_all_the_way(path);
        failed += rc != 0;
        if (!rc) {
            assert_string_equal(err.text, "");
        } else if (!strstr(err.text, "running the model: as told")) { /* a kernel that TensorRT could not launch */
            assert_non_null(strstr(err.text, with == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_LAUNCH_FAILED"));
            assert_true(rc == (with == 2 ? LANERT_ENOMEM : LANERT_EENGINE) || rc == LANERT_ENOTFOUND);
        }
        assert_int_equal(driver->live, 0);
        assert_int_equal(driver->current, 0);
        assert_int_equal(trt->live, 0);
        assert_true(lost || driver->left == 0);
    }
    assert_in_range(failed, calls / 2, calls);
}

static void every_failure_of_the_driver_is_told(void **state)
{
    (void)state;
    build_default();
    fail_each_call(built, LAUNCH_FAILED, false);
    fail_each_call(built, 2, false);
    fail_each_call(built, LAUNCH_FAILED, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_built_file_is_the_model_and_the_plan, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(options_reach_the_builder, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(wrong_orders_are_refused, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(a_model_is_built_once_and_kept, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(a_plan_in_a_file_that_is_not_named_so_is_not_run, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(a_cache_that_others_may_enter_is_refused, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(outputs_that_nobody_wants_are_left_out, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(another_gpu_has_it_built_anew, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(another_tensorrt_has_it_built_anew, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(a_version_compatible_plan_serves_later_releases, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(only_an_older_driver_has_it_built_anew, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(a_larger_batch_has_it_built_anew, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(a_plan_of_another_precision_is_refused, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(what_cannot_be_built_anew_says_both, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(damaged_plans_are_not_run, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(a_damaged_cache_is_built_anew, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(a_cached_plan_of_others_is_built_anew, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(auto_takes_tensorrt_for_what_it_built, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(missing_parts_are_told, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(runs_are_replayed, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(failures_of_tensorrt_are_told, set_up, remove_folder),
        cmocka_unit_test_setup_teardown(every_failure_of_the_driver_is_told, set_up, remove_folder),
    };
    driver = state_of(PLAYED_DIR "/cuda/libcuda.so.1", "fake_cuda_state");
    trt = state_of(PLAYED_DIR "/tensorrt/liblanert_tensorrt.so.11", "fake_tensorrt_state");
    shim = state_of(PLAYED_DIR "/tensorrt/liblanert_tensorrt.so.11", TENSORRT_SHIM_NAME);
    if (!driver || !trt || !shim) {
        fprintf(stderr, "skipped: ONNX Runtime is not there: scripts/deps.sh fetches it\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
