/* test_engine.c - one suite for every engine that is there: what engine.h promises, held against each. */
#include "engine/engine.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/engine_null.h"
#include "support/testing.h"
#include "support/tiny_onnx.h"

#define FRAMES_MAX 3
#define GUARD 77.0f

/* ---- an engine with that model ---------------------------------------------------------------- */

typedef struct subject {
    const char *name;
    char path[4200];
    engine_options options;
    const char *libraries; /* LANERT_ENGINES, where not as the tests were started with */
} subject;

static lanert_error err;

static int use_libraries(void **state)
{
    static const char *own;
    static bool known;
    const subject *s = *state;
    if (!known)
        own = getenv("LANERT_ENGINES");
    known = true;
    const char *libraries = s && s->libraries ? s->libraries : own;
    return libraries ? setenv("LANERT_ENGINES", libraries, 1) : unsetenv("LANERT_ENGINES");
}

/* The null engine gives what the model would for the frame 0, 1, 2, 255. */
static const uint8_t frame[4] = {0, 1, 2, 255};
static float canned[4] = {1, 3, 5, 511};
static null_script script = {
    .inputs = {{.name = "x", .type = TENSOR_U8, .rank = 2, .dims = {-1, 4}}},
    .outputs = {{.name = "y", .type = TENSOR_F32, .rank = 2, .dims = {-1, 4}, .data = canned},
                {.name = "z", .type = TENSOR_F32, .rank = 3, .dims = {-1, 2, 2}, .data = canned}},
    .input_count = 1,
    .output_count = 2,
};

static bool computes(const subject *s)
{
    return strcmp(s->name, "null");
}

/* The caller's side of a model: memory with a guard behind each output. */
typedef struct binding {
    _Alignas(64) uint8_t x[FRAMES_MAX * 4];
    float y[FRAMES_MAX * 4 + 1], z[FRAMES_MAX * 4 + 1];
    tensor in, out[2];
} binding;

static void binding_init(binding *b, int frames)
{
    *b = (binding){0};
    for (int i = 0; i < FRAMES_MAX * 4; i++)
        b->x[i] = frame[i % 4];
    for (int i = 0; i < FRAMES_MAX * 4 + 1; i++)
        b->y[i] = b->z[i] = GUARD;
    b->in = (tensor){.name = "x", .type = TENSOR_U8, .rank = 2, .dims = {frames, 4}, .data = b->x};
    b->out[0] = (tensor){.name = "y", .type = TENSOR_F32, .rank = 2, .dims = {frames, 4}, .data = b->y};
    b->out[1] = (tensor){.name = "z", .type = TENSOR_F32, .rank = 3, .dims = {frames, 2, 2}, .data = b->z};
}

static void assert_computed(const binding *b, const float *out, int frames)
{
    for (int i = 0; i < FRAMES_MAX * 4 + 1; i++)
        assert_true(out[i] == (i < frames * 4 ? 2.0f * b->x[i] + 1 : GUARD));
}

static engine *open_subject(const subject *s)
{
    engine *e = NULL;
    assert_ok(engine_open(s->name, s->path, &s->options, &e, &err));
    return e;
}

/* ---- the suite -------------------------------------------------------------------------------- */

static void describes_as_declared(void **state)
{
    const subject *s = *state;
    engine *e = open_subject(s);
    int in, out;
    const tensor *inputs = engine_inputs(e, &in), *outputs = engine_outputs(e, &out);
    assert_string_equal(engine_name(e), s->name);
    assert_int_equal(in, 1);
    assert_int_equal(out, 2);
    assert_string_equal(inputs[0].name, "x");
    assert_int_equal(inputs[0].type, TENSOR_U8);
    assert_int_equal(inputs[0].rank, 2);
    assert_int_equal(inputs[0].dims[0], -1);
    assert_int_equal(inputs[0].dims[1], 4);
    assert_string_equal(outputs[0].name, "y");
    assert_int_equal(outputs[0].type, TENSOR_F32);
    assert_int_equal(outputs[0].rank, 2);
    assert_string_equal(outputs[1].name, "z");
    assert_int_equal(outputs[1].rank, 3);
    assert_int_equal(outputs[1].dims[0], -1);
    assert_int_equal(outputs[1].dims[2], 2);
    assert_null(inputs[0].data);
    assert_null(outputs[0].data);
    engine_close(&e);
    assert_null(e);
    engine_close(&e);
}

static void runs_again_and_again(void **state)
{
    engine *e = open_subject(*state);
    binding b;
    binding_init(&b, 2);
    assert_ok(engine_bind(e, &b.in, 1, b.out, 2, &err));
    for (int run = 0; run < 3; run++) {
        if (computes(*state))
            for (int i = 0; i < 8; i++)
                b.x[i] = (uint8_t)(31 * run + i);
        assert_ok(engine_run(e, &err));
        assert_computed(&b, b.y, 2);
        assert_computed(&b, b.z, 2);
    }
    engine_close(&e);
}

static void binds_other_shapes_and_memory(void **state)
{
    engine *e = open_subject(*state);
    binding all[4];
    const int frames[] = {1, 3, 3, 1};
    for (int i = 0; i < 4; i++) {
        binding_init(&all[i], frames[i]);
        assert_ok(engine_bind(e, &all[i].in, 1, all[i].out, 2, &err));
        assert_ok(engine_run(e, &err));
        assert_computed(&all[i], all[i].y, frames[i]);
        assert_computed(&all[i], all[i].z, frames[i]);
    }
    engine_close(&e);
}

static void leaves_unwanted_outputs_alone(void **state)
{
    engine *e = open_subject(*state);
    binding b;
    for (int wanted = 0; wanted < 2; wanted++) {
        binding_init(&b, 2);
        assert_ok(engine_bind(e, &b.in, 1, &b.out[wanted], 1, &err));
        assert_ok(engine_run(e, &err));
        assert_computed(&b, b.y, wanted == 0 ? 2 : 0);
        assert_computed(&b, b.z, wanted == 1 ? 2 : 0);
    }
    /* In another order than the model's. */
    binding_init(&b, 2);
    tensor swapped[2] = {b.out[1], b.out[0]};
    assert_ok(engine_bind(e, &b.in, 1, swapped, 2, &err));
    assert_ok(engine_run(e, &err));
    assert_computed(&b, b.y, 2);
    assert_computed(&b, b.z, 2);
    engine_close(&e);
}

static void takes_memory_at_any_address(void **state)
{
    engine *e = open_subject(*state);
    binding b;
    binding_init(&b, 1);
    memcpy(b.x + 1, frame, sizeof frame);
    b.in.data = b.x + 1;
    b.out[0].data = b.y + 1;
    assert_ok(engine_bind(e, &b.in, 1, b.out, 1, &err));
    assert_ok(engine_run(e, &err));
    for (int i = 0; i < 4; i++)
        assert_true(b.y[1 + i] == canned[i]);
    assert_true(b.y[0] == GUARD && b.y[5] == GUARD);
    engine_close(&e);
}

static void refuses_what_does_not_fit(void **state)
{
    engine *e = open_subject(*state);
    binding b;
#define REFUSED(change, part)                                                                                          \
    binding_init(&b, 1);                                                                                               \
    change;                                                                                                            \
    assert_fails(engine_bind(e, &b.in, 1, b.out, 2, &err), LANERT_EINVAL, part);                                       \
    assert_fails(engine_run(e, &err), LANERT_EINVAL, "nothing is bound")

    assert_fails(engine_run(e, &err), LANERT_EINVAL, "nothing is bound");
    REFUSED(strcpy(b.in.name, "image"), "no input \"image\"");
    REFUSED(memset(b.in.name, 'n', sizeof b.in.name), "no input \"nnn");
    REFUSED(strcpy(b.out[1].name, "w"), "no output \"w\"");
    REFUSED(b.in.type = TENSOR_F32, "float32[1,4]; the model has uint8[?,4]");
    REFUSED(b.in.type = (tensor_type)99, "unknown[1,4]");
    REFUSED(b.out[0].rank = 3, "\"y\" is bound as float32[1,4,0]");
    REFUSED(b.out[0].rank = 99, "\"y\" is bound as");
    REFUSED(b.out[0].rank = -1, "\"y\" is bound as");
    REFUSED(b.in.dims[1] = 5, "uint8[1,5]");
    REFUSED(b.in.dims[0] = 0, "uint8[0,4]");
    REFUSED(b.in.dims[0] = -1, "uint8[?,4]");
    REFUSED(b.out[0].dims[0] = INT64_MAX / 8, "\"y\" is bound as");
    REFUSED(b.in.data = NULL, "\"x\" is bound to memory at");
    REFUSED(b.out[1].data = NULL, "\"z\" is bound to memory at");
    REFUSED(b.out[1].data = (char *)b.z + 1, "aligned to 4 bytes");
    REFUSED(b.out[1] = b.out[0], "\"y\" is bound twice");
#undef REFUSED
    binding_init(&b, 1);
    assert_fails(engine_bind(e, &b.in, 0, b.out, 2, &err), LANERT_EINVAL, "\"x\" is not bound");
    assert_fails(engine_bind(e, &b.in, 1, b.out, 0, &err), LANERT_EINVAL, "at least one");

    /* Nothing of that did harm. */
    assert_ok(engine_bind(e, &b.in, 1, b.out, 2, &err));
    assert_ok(engine_run(e, &err));
    assert_computed(&b, b.y, 1);
    engine_close(&e);
}

static void never_writes_past_a_smaller_output(void **state)
{
    engine *e = open_subject(*state);
    binding b;
    binding_init(&b, 3);
    b.out[0].dims[0] = b.out[1].dims[0] = 1;
    int rc = engine_bind(e, &b.in, 1, b.out, 2, &err);
    if (!rc)
        rc = engine_run(e, &err);
    assert_true(rc == LANERT_EINVAL || rc == LANERT_EENGINE);
    for (int i = 4; i < FRAMES_MAX * 4 + 1; i++)
        assert_true(b.y[i] == GUARD && b.z[i] == GUARD);
    binding_init(&b, 3);
    assert_ok(engine_bind(e, &b.in, 1, b.out, 2, &err));
    assert_ok(engine_run(e, &err));
    assert_computed(&b, b.y, 3);
    engine_close(&e);
}

static void closes_in_every_state(void **state)
{
    for (int round = 0; round < 5; round++) {
        for (int reached = 0; reached < 4; reached++) {
            engine *e = open_subject(*state);
            binding b;
            binding_init(&b, 1 + round % FRAMES_MAX);
            if (reached == 1)
                assert_fails(engine_bind(e, &b.in, 0, b.out, 2, &err), LANERT_EINVAL, "not bound");
            if (reached >= 2)
                assert_ok(engine_bind(e, &b.in, 1, b.out, 2, &err));
            if (reached >= 3)
                assert_ok(engine_run(e, &err));
            engine_close(&e);
        }
    }
}

static void opens_side_by_side(void **state)
{
    engine *first = open_subject(*state), *second = open_subject(*state);
    binding a, b;
    binding_init(&a, 1);
    binding_init(&b, 3);
    assert_ok(engine_bind(first, &a.in, 1, a.out, 2, &err));
    assert_ok(engine_bind(second, &b.in, 1, b.out, 2, &err));
    assert_ok(engine_run(first, &err));
    engine_close(&first);
    assert_ok(engine_run(second, &err));
    assert_computed(&a, a.y, 1);
    assert_computed(&b, b.y, 3);
    engine_close(&second);
}

static void takes_options(void **state)
{
    const subject *s = *state;
    engine *e = NULL;
    binding b;
    for (int threads = 0; threads <= 2; threads++) {
        engine_options options = s->options;
        options.precision = threads ? LANERT_FP32 : LANERT_PRECISION_AUTO;
        options.threads = threads;
        assert_ok(engine_open(s->name, s->path, &options, &e, &err));
        binding_init(&b, 1);
        assert_ok(engine_bind(e, &b.in, 1, b.out, 2, &err));
        assert_ok(engine_run(e, &err));
        assert_computed(&b, b.y, 1);
        engine_close(&e);
    }
    engine_options bad = {.threads = -1};
    assert_fails(engine_open(s->name, s->path, &bad, &e, &err), LANERT_EINVAL, "threads");
    assert_null(e);
    bad.threads = ENGINE_MAX_THREADS + 1;
    assert_fails(engine_open(s->name, s->path, &bad, &e, &err), LANERT_EINVAL, "threads");
    bad = (engine_options){.precision = (lanert_precision)99};
    assert_fails(engine_open(s->name, s->path, &bad, &e, &err), LANERT_EINVAL, "99");
    assert_fails(engine_open(s->name, NULL, NULL, &e, &err), LANERT_EINVAL, "path");
}

static void memory_of_its_own_may_be_bound(void **state)
{
    engine *e = open_subject(*state);
    binding b;
    uint8_t *x;
    float *y;
    binding_init(&b, 1);
    assert_ok(engine_allocate(e, sizeof frame, &x, &err));
    assert_ok(engine_allocate(e, 4 * sizeof *y, &y, &err));
    assert_true((uintptr_t)x % 64 == 0 && (uintptr_t)y % 64 == 0);
    for (int i = 0; i < 4; i++)
        assert_true(x[i] == 0 && y[i] == 0);
    memcpy(x, frame, sizeof frame);
    b.in.data = x;
    b.out[0].data = y;
    assert_ok(engine_bind(e, &b.in, 1, b.out, 1, &err));
    assert_ok(engine_run(e, &err));
    for (int i = 0; i < 4; i++)
        assert_true(y[i] == canned[i]);
    engine_release(e, x);
    engine_release(e, y);
    engine_release(e, NULL);
    engine_close(&e);
}

/* ---- SDKs only: files --------------------------------------------------------------------------- */

static const char *write_model(const char *name, const void *bytes, size_t size)
{
    put_file(name, bytes, size);
    return temp_path(folder, name);
}

static void refuses_broken_models(void **state)
{
    const subject *s = *state;
    engine *e = NULL;
    message m = tiny_onnx("Mul");
#define REFUSED(path, code, part)                                                                                      \
    assert_fails(engine_open(s->name, path, &s->options, &e, &err), code, part);                                       \
    assert_null(e)
    REFUSED(temp_path(folder, "none.onnx"), LANERT_ENOTFOUND, "none.onnx");
    REFUSED(folder, LANERT_EIO, folder);
    REFUSED(write_model("empty.onnx", "", 0), LANERT_EFORMAT, "empty");
    REFUSED(write_model("text.onnx", "not a model at all, only words\n", 31), LANERT_EFORMAT, s->name);
    REFUSED(write_model("cut.onnx", m.bytes, m.size / 2), LANERT_EFORMAT, "cut.onnx");
#undef REFUSED
    /* An operator that nobody knows: some find out when they open, some when they compile. */
    m = tiny_onnx("Frobnicate");
    int rc = engine_open(s->name, write_model("operator.onnx", m.bytes, m.size), &s->options, &e, &err);
    if (!rc) {
        binding b;
        binding_init(&b, 1);
        rc = engine_bind(e, &b.in, 1, b.out, 2, &err);
    }
    assert_int_not_equal(rc, 0);
    assert_non_null(strstr(err.text, "Frobnicate"));
    assert_null(strchr(err.text, '\n'));
    engine_close(&e);
}

/* Whatever bytes the file has, an engine fails with words or runs. */
static void survives_damaged_models(void **state)
{
    const subject *s = *state;
    const message sound = tiny_onnx("Mul");
    uint32_t random = 1;
    int opened = 0;
    for (int round = 0; round < 200; round++) {
        message m = sound;
        for (int change = 0; change <= round % 3; change++) {
            random = random * 1664525 + 1013904223;
            m.bytes[(random >> 8) % m.size] = (uint8_t)(random >> 24);
        }
        engine *e = NULL;
        err.text[0] = 0;
        int rc = engine_open(s->name, write_model("damaged.onnx", m.bytes, m.size), &s->options, &e, &err);
        if (!rc) {
            binding b;
            binding_init(&b, 2);
            opened++;
            if (!(rc = engine_bind(e, &b.in, 1, b.out, 2, &err)))
                rc = engine_run(e, &err);
        }
        assert_true(!rc || err.text[0]);
        engine_close(&e);
    }
    assert_in_range(opened, 1, 199);
}

static void refuses_precisions_it_has_not(void **state)
{
    const subject *s = *state;
    engine_options bf16 = s->options;
    bf16.precision = LANERT_BF16;
    engine *e = NULL;
    binding b;
    binding_init(&b, 1);
    assert_ok(engine_open(s->name, s->path, &s->options, &e, &err));
    bool has = engine_reduced(e) & PRECISION_BIT(LANERT_BF16);
    engine_close(&e);
    int rc = engine_open(s->name, s->path, &bf16, &e, &err);
    if (!rc)
        rc = engine_bind(e, &b.in, 1, b.out, 2, &err);
    if (rc) {
        assert_int_equal(rc, LANERT_EUNSUPPORTED);
        assert_non_null(strstr(err.text, "bf16"));
        assert_false(has);
    }
    if (!strcmp(s->name, "onnxruntime"))
        assert_int_equal(rc, LANERT_EUNSUPPORTED);
    engine_close(&e);
}

/* ---- the null engine and the wrapper ------------------------------------------------------------ */

static void null_does_as_scripted(void **state)
{
    (void)state;
    null_script mine = script;
    subject s = {.name = "null"};
    engine *e;
    binding b;
    char again[32];
    mine.runs = 0;
    mine.fail_at = 2;
    mine.delay_us = 2000;
    mine.outputs[1].data = NULL;
    null_script_path(&mine, s.path);
    null_script_path(&mine, again);
    assert_string_equal(s.path, again);
    binding_init(&b, 3);
    e = open_subject(&s);
    assert_ok(engine_bind(e, &b.in, 1, b.out, 2, &err));
    int64_t start = clock_ns();
    assert_ok(engine_run(e, &err));
    assert_true(clock_ns() - start >= 2000 * 1000);
    assert_computed(&b, b.y, 3);
    for (int i = 0; i < 12; i++)
        assert_true(b.z[i] == 0);
    assert_fails(engine_run(e, &err), LANERT_EENGINE, "run 2 fails");
    assert_ok(engine_run(e, &err));
    assert_int_equal(mine.runs, 3);
    engine_close(&e);
    mine.fail_open = 1;
    assert_fails(engine_open("null", s.path, NULL, &e, &err), LANERT_EENGINE, "open fails");
    assert_fails(engine_open("null", "null:63", NULL, &e, &err), LANERT_ENOTFOUND, "scripts of tests");
    assert_fails(engine_open("null", "null:-1", NULL, &e, &err), LANERT_ENOTFOUND, "scripts of tests");
    assert_fails(engine_open("null", "r18.onnx", NULL, &e, &err), LANERT_ENOTFOUND, "scripts of tests");
}

static void probe_lists_the_table(void **state)
{
    (void)state;
    lanert_engine_info info;
    int i = 0;
    for (; engine_table[i]; i++) {
        assert_ok(lanert_engine_probe(i, &info, &err));
        assert_string_equal(info.name, engine_table[i]->name);
        assert_true(info.usable ? info.path[0] && info.version[0] && !info.note[0] : info.note[0]);
    }
    assert_fails(lanert_engine_probe(i, &info, &err), LANERT_END, "engines");
    assert_fails(lanert_engine_probe(-1, &info, &err), LANERT_EINVAL, "-1");
    assert_fails(lanert_engine_probe(0, NULL, &err), LANERT_EINVAL, "NULL");
}

static void auto_takes_the_first_usable(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "tiny.onnx");
    engine *e = NULL;
    lanert_engine_info info = {0};
    for (int i = 0; engine_table[i] && !info.usable; i++)
        assert_ok(lanert_engine_probe(i, &info, &err));
    const char *names[] = {"auto", NULL};
    for (int i = 0; i < 2; i++) {
        if (info.usable) {
            assert_ok(engine_open(names[i], path, NULL, &e, &err));
            assert_string_equal(engine_name(e), info.name);
            engine_close(&e);
        } else {
            assert_fails(engine_open(names[i], path, NULL, &e, &err), LANERT_ENOTFOUND, "scripts/deps.sh");
        }
    }
    assert_fails(engine_open("tensorflow", path, NULL, &e, &err), LANERT_EINVAL, "openvino, onnxruntime");
}

/* ---- putting it together ------------------------------------------------------------------------ */

static const struct CMUnitTest every_engine[] = {
    cmocka_unit_test(describes_as_declared),
    cmocka_unit_test(runs_again_and_again),
    cmocka_unit_test(binds_other_shapes_and_memory),
    cmocka_unit_test(leaves_unwanted_outputs_alone),
    cmocka_unit_test(refuses_what_does_not_fit),
    cmocka_unit_test(takes_memory_at_any_address),
    cmocka_unit_test(never_writes_past_a_smaller_output),
    cmocka_unit_test(closes_in_every_state),
    cmocka_unit_test(opens_side_by_side),
    cmocka_unit_test(takes_options),
    cmocka_unit_test(memory_of_its_own_may_be_bound),
};

static const struct CMUnitTest every_sdk[] = {
    cmocka_unit_test(refuses_broken_models),
    cmocka_unit_test(survives_damaged_models),
    cmocka_unit_test(refuses_precisions_it_has_not),
};

static const struct CMUnitTest once[] = {
    cmocka_unit_test(null_does_as_scripted),
    cmocka_unit_test(probe_lists_the_table),
    cmocka_unit_test(auto_takes_the_first_usable),
};

typedef struct plan {
    struct CMUnitTest tests[128];
    char names[128][96];
    size_t count;
} plan;

static void plan_add(plan *p, const struct CMUnitTest *tests, size_t count, subject *s)
{
    for (size_t i = 0; i < count; i++, p->count++) {
        assert_true(p->count < ARRAY_LEN(p->tests));
        snprintf(p->names[p->count], sizeof p->names[0], "%s%s %s",
                 s ? s->name : "engines:", s && s->libraries ? " on a played GPU" : "", tests[i].name);
        p->tests[p->count] = tests[i];
        p->tests[p->count].setup_func = use_libraries;
        p->tests[p->count].name = p->names[p->count];
        p->tests[p->count].initial_state = s;
    }
}

static void plan_sdk(plan *p, subject *s)
{
    snprintf(s->path, sizeof s->path, "%s/tiny.onnx", folder);
    plan_add(p, every_engine, ARRAY_LEN(every_engine), s);
    plan_add(p, every_sdk, ARRAY_LEN(every_sdk), s);
}

int main(void)
{
    static plan p;
    static subject null = {.name = "null"}, sdks[ENGINE_MAX_TENSORS];
    static subject played = {
        .name = "onnxruntime", .libraries = PLAYED_DIR, .options.device = {.kind = DEVICE_CUDA, .index = 0}};
    static subject tensorrt = {.name = "tensorrt",
                               .libraries = PLAYED_DIR,
                               .options = {.device = {.kind = DEVICE_CUDA, .index = 0}, .batch = FRAMES_MAX}};
    message model = tiny_onnx("Mul");
    make_folder(NULL);
    null_script_path(&script, null.path);
    write_model("tiny.onnx", model.bytes, model.size);
    plan_add(&p, every_engine, ARRAY_LEN(every_engine), &null);
    for (int i = 0; engine_table[i]; i++) {
        lanert_engine_info info;
        assert_ok(lanert_engine_probe(i, &info, &err));
        if (!info.usable) {
            fprintf(stderr, "skipped: %s: %s\n", info.name, info.note);
            continue;
        }
        sdks[i].name = info.name;
        plan_sdk(&p, &sdks[i]);
    }
    if (file_exists(PLAYED_DIR "/onnxruntime/libonnxruntime.so.1")) {
        setenv("XDG_CACHE_HOME", folder, 1);
        plan_sdk(&p, &played);
        plan_sdk(&p, &tensorrt);
    }
    plan_add(&p, once, ARRAY_LEN(once), NULL);
    int failed = _cmocka_run_group_tests("engine", p.tests, p.count, NULL, NULL);
    remove_folder(NULL);
    return failed;
}
