/* The checkpoint reader on files made here, in both forms, and on small ones that PyTorch 1.13 wrote. */
#include <math.h>

#include "model/checkpoint_asserts.h"
#include "support/checkpoint_writer.h"

#define CORPUS TESTS_DIR "/fuzz/corpus/checkpoint/"

static const float weights[] = {1, -2, 3.5f, 4e-8f, 5, 6e30f};

/* Two tensors, one of them a double. */
static void add_tensors(checkpoint_writer *w)
{
    lanert_error err;
    assert_ok(checkpoint_writer_add(w, "conv.weight", CHECKPOINT_F32, SHAPE(2, 3), weights, &err));
    assert_ok(checkpoint_writer_add(w, "conv.bias", CHECKPOINT_F64, SHAPE(2), (const double[]){0.5, -0.25}, &err));
}

static checkpoint *open_writer(checkpoint_writer *w, buffer *file)
{
    lanert_error err;
    checkpoint *ck = NULL;
    *file = (buffer){0};
    assert_ok(checkpoint_writer_bytes(w, file, &err));
    assert_ok(checkpoint_open_memory(file->data, file->size, "file", &ck, &err));
    return ck;
}

static void reads_every_form(void **state)
{
    (void)state;
    static const char *const keys[] = {"net", "state_dict", "model", ""}, *const prefixes[] = {"module.", ""};
    for (EACH_FORM(form))
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
            for (size_t j = 0; j < ARRAY_LEN(prefixes); j++) {
                lanert_error err;
                checkpoint_writer w;
                buffer file;
                assert_ok(checkpoint_writer_open(NULL, form, &w, &err));
                w.key = keys[i];
                w.prefix = prefixes[j];
                add_tensors(&w);
                checkpoint *ck = open_writer(&w, &file);
                assert_string_equal(checkpoint_form(ck), form == CHECKPOINT_WRITER_ZIP ? "zip" : "legacy");
                assert_string_equal(checkpoint_key(ck), keys[i]);
                assert_int_equal(checkpoint_had_prefix(ck), j == 0);
                assert_int_equal(checkpoint_count(ck), 2);
                assert_string_equal(checkpoint_at(ck, 0)->name, "conv.weight");
                assert_string_equal(checkpoint_at(ck, 1)->name, "conv.bias");
                assert_int_equal(checkpoint_at(ck, 0)->rank, 2);
                assert_int_equal(checkpoint_at(ck, 0)->dims[1], 3);
                assert_null(checkpoint_find(ck, "module.conv.bias"));
                assert_values(ck, "conv.weight", weights, 6);
                assert_values(ck, "conv.bias", (const float[]){0.5f, -0.25f}, 2);
                checkpoint_close(&ck);
                assert_null(ck);
                checkpoint_writer_close(&w);
                buffer_free(&file);
            }
}

static void reads_every_type(void **state)
{
    (void)state;
    const struct {
        checkpoint_type type;
        const char *name;
        const void *data;
        float values[4];
    } cases[] = {
        {CHECKPOINT_F32, "float32", (const float[]){0.1f, -0.0f, INFINITY, 1e-45f}, {0.1f, -0.0f, INFINITY, 1e-45f}},
        {CHECKPOINT_F16,
         "float16",
         (const uint16_t[]){0x3c00, 0x8001, 0x7bff, 0xfc00},
         {1, -0x1p-24f, 65504, -INFINITY}},
        {CHECKPOINT_BF16,
         "bfloat16",
         (const uint16_t[]){0x3f80, 0xc049, 0x0001, 0x7f80},
         {1, -3.140625f, 0x1p-133f, INFINITY}},
        {CHECKPOINT_F64,
         "float64",
         (const double[]){0.1, -1e-60, INFINITY, 16777217},
         {0.1f, -0.0f, INFINITY, 16777216}},
        {CHECKPOINT_I64, "int64", (const int64_t[]){0, INT64_MIN, 16777217, -5}, {0, -0x1p63f, 16777216, -5}},
        {CHECKPOINT_I32, "int32", (const int32_t[]){0, INT32_MIN, 7, -5}, {0, -0x1p31f, 7, -5}},
        {CHECKPOINT_I16, "int16", (const int16_t[]){0, INT16_MIN, 7, -5}, {0, -32768, 7, -5}},
        {CHECKPOINT_I8, "int8", (const int8_t[]){0, -128, 7, -5}, {0, -128, 7, -5}},
        {CHECKPOINT_U8, "uint8", (const uint8_t[]){0, 255, 7, 128}, {0, 255, 7, 128}},
        {CHECKPOINT_BOOL, "bool", (const uint8_t[]){0, 1, 0, 1}, {0, 1, 0, 1}},
    };
    for (EACH_FORM(form)) {
        lanert_error err;
        checkpoint_writer w;
        buffer file;
        assert_ok(checkpoint_writer_open(NULL, form, &w, &err));
        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
            assert_ok(checkpoint_writer_add(&w, cases[i].name, cases[i].type, SHAPE(4), cases[i].data, &err));
        checkpoint *ck = open_writer(&w, &file);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            assert_int_equal(checkpoint_find(ck, cases[i].name)->type, cases[i].type);
            assert_string_equal(checkpoint_type_name(cases[i].type), cases[i].name);
            assert_values(ck, cases[i].name, cases[i].values, 4);
        }
        checkpoint_close(&ck);
        checkpoint_writer_close(&w);
        buffer_free(&file);
    }
}

/* Every bit pattern of a half, against the format's definition. */
static void reads_every_half(void **state)
{
    (void)state;
    enum { COUNT = 1 << 16 };
    lanert_error err;
    uint16_t *halves = malloc(COUNT * sizeof *halves);
    float *values = malloc(COUNT * sizeof *values);
    assert_true(halves && values);
    for (int i = 0; i < COUNT; i++)
        halves[i] = (uint16_t)i;
    const checkpoint_tensor t = {.type = CHECKPOINT_F16,
                                 .rank = 1,
                                 .dims = {COUNT},
                                 .strides = {1},
                                 .elements = COUNT,
                                 .name = "halves",
                                 .data = (const uint8_t *)halves};
    assert_ok(checkpoint_read(&t, values, &err));
    for (int i = 0; i < COUNT; i++) {
        int exponent = i >> 10 & 31, fraction = i & 1023;
        double wanted = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
        if (exponent == 31)
            wanted = fraction ? NAN : INFINITY;
        assert_int_equal(!!signbit(values[i]), i >> 15);
        assert_true(isnan(wanted) ? isnan(values[i]) : fabs(values[i]) == wanted);
    }
    free(halves);
    free(values);
}

static void reads_views(void **state)
{
    (void)state;
    float base[24];
    for (int i = 0; i < 24; i++)
        base[i] = (float)i;
    static const struct {
        const char *name;
        int64_t offset;
        int rank;
        int64_t dims[8], strides[8];
        int count;
        float values[24];
    } views[] = {
        {"transposed", 0, 2, {3, 2}, {1, 3}, 6, {0, 3, 1, 4, 2, 5}},
        {"stepped", 5, 1, {4}, {3}, 4, {5, 8, 11, 14}},
        {"last", 23, 1, {1}, {99}, 1, {23}},
        {"scalar", 7, 0, {0}, {0}, 1, {7}},
        {"empty", 24, 2, {0, 5}, {5, 1}, 0, {0}},
        {"expanded", 3, 2, {2, 3}, {0, 0}, 6, {3, 3, 3, 3, 3, 3}},
        {"rows", 1, 3, {2, 2, 2}, {12, 1, 6}, 8, {1, 7, 2, 8, 13, 19, 14, 20}},
        {"rank8",
         0,
         8,
         {1, 2, 1, 1, 3, 1, 1, 2},
         {9, 12, 1, 5, 4, 1, 7, 1},
         12,
         {0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21}},
        {"overlapping", 0, 2, {3, 3}, {1, 1}, 9, {0, 1, 2, 1, 2, 3, 2, 3, 4}},
    };
    for (EACH_FORM(form)) {
        lanert_error err;
        checkpoint_writer w;
        buffer file;
        assert_ok(checkpoint_writer_open(NULL, form, &w, &err));
        assert_ok(checkpoint_writer_add(&w, "other", CHECKPOINT_U8, SHAPE(1), "\7", &err));
        assert_ok(checkpoint_writer_add(&w, "base", CHECKPOINT_F32, SHAPE(2, 3, 4), base, &err));
        for (size_t i = 0; i < ARRAY_LEN(views); i++)
            assert_ok(checkpoint_writer_view(&w, views[i].name, 1, views[i].offset, views[i].rank, views[i].dims,
                                             views[i].strides, &err));
        checkpoint *ck = open_writer(&w, &file);
        assert_values(ck, "base", base, 24);
        for (size_t i = 0; i < ARRAY_LEN(views); i++)
            assert_values(ck, views[i].name, views[i].values, views[i].count);
        checkpoint_close(&ck);
        checkpoint_writer_close(&w);
        buffer_free(&file);
    }
}

static void refuses_a_double_beyond_float(void **state)
{
    (void)state;
    lanert_error err;
    float out[3];
    const double values[] = {1, -1e39, 2};
    const checkpoint_tensor t = {.type = CHECKPOINT_F64,
                                 .rank = 1,
                                 .dims = {3},
                                 .strides = {1},
                                 .elements = 3,
                                 .name = "priors",
                                 .data = (const uint8_t *)values};
    assert_fails(checkpoint_read(&t, out, &err), LANERT_EFORMAT, "tensor 'priors' (float64) has a value beyond");
}

/* The same values, as make_checkpoint_seeds.py states them. */
static void reads_what_torch_wrote(void **state)
{
    (void)state;
    static const char *const files[] = {"torch-zip.pth", "torch-legacy.pth"};
    float base[12], transposed[12];
    for (int i = 0; i < 12; i++) {
        base[i] = (float)i / 4;
        transposed[i % 3 * 4 + i / 3] = base[i];
    }
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        lanert_error err;
        checkpoint *ck;
        char path[4096];
        snprintf(path, sizeof path, "%s%s", CORPUS, files[i]);
        assert_ok(checkpoint_open(path, &ck, &err));
        assert_string_equal(checkpoint_key(ck), "net");
        assert_true(checkpoint_had_prefix(ck));
        assert_int_equal(checkpoint_count(ck), 8);
        assert_values(ck, "base", base, 12);
        assert_values(ck, "transposed", transposed, 12);
        assert_values(ck, "slice", (const float[]){0.5f, 1, 1.5f}, 3);
        assert_values(ck, "half", (const float[]){1, -0.5f, 65504}, 3);
        assert_values(ck, "bfloat", (const float[]){1, -0.5f, 3.140625f}, 3);
        assert_values(ck, "double", (const float[]){0.1f, 1e-30f}, 2);
        assert_values(ck, "flags", (const float[]){1, 0, 1}, 3);
        assert_values(ck, "batches", (const float[]){54321}, 1);
        assert_int_equal(checkpoint_find(ck, "batches")->rank, 0);
        checkpoint_close(&ck);
    }
}

static void opens_files(void **state)
{
    (void)state;
    lanert_error err;
    checkpoint_writer w;
    checkpoint *ck;
    assert_ok(checkpoint_writer_open(temp_path(folder, "made.pth"), CHECKPOINT_WRITER_ZIP, &w, &err));
    add_tensors(&w);
    assert_ok(checkpoint_writer_finish(&w, false, &err));
    checkpoint_writer_close(&w);
    assert_ok(checkpoint_open(temp_path(folder, "made.pth"), &ck, &err));
    assert_values(ck, "conv.weight", weights, 6);
    checkpoint_close(&ck);
    checkpoint_close(&ck);
    put_text("empty.pth", "");
    assert_fails(checkpoint_open(temp_path(folder, "empty.pth"), &ck, &err), LANERT_EFORMAT, "empty.pth: is empty");
    assert_fails(checkpoint_open(temp_path(folder, "none.pth"), &ck, &err), LANERT_ENOTFOUND, "none.pth");
    assert_fails(checkpoint_open(folder, &ck, &err), LANERT_EIO, "is a folder");
    assert_null(ck);
}

static void bounds_names_and_elements(void **state)
{
    (void)state;
    lanert_error err;
    checkpoint_writer w;
    buffer file = {0};
    char name[CHECKPOINT_MAX_NAME + 1] = {0};
    memset(name, 'n', CHECKPOINT_MAX_NAME);
    assert_ok(checkpoint_writer_open(NULL, CHECKPOINT_WRITER_ZIP, &w, &err));
    assert_ok(checkpoint_writer_add(&w, name, CHECKPOINT_U8, SHAPE(1), "\1", &err));
    assert_ok(checkpoint_writer_bytes(&w, &file, &err));
    assert_refused(&file, LANERT_ELIMIT, "at most 255 are read");
    checkpoint_writer_close(&w);
    buffer_clear(&file);
    assert_ok(checkpoint_writer_open(NULL, CHECKPOINT_WRITER_ZIP, &w, &err));
    assert_ok(checkpoint_writer_add(&w, "base", CHECKPOINT_U8, SHAPE(1), "\1", &err));
    assert_ok(checkpoint_writer_view(&w, "wide", 0, 0, SHAPE(1 << 14, 1 << 14), (const int64_t[]){0, 0}, &err));
    assert_ok(checkpoint_writer_bytes(&w, &file, &err));
    assert_refused(&file, LANERT_ELIMIT, "tensor 'wide' brings the state dict over 268435456 elements");
    checkpoint_writer_close(&w);
    buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(reads_every_type),
        cmocka_unit_test(reads_every_half),
        cmocka_unit_test(reads_views),
        cmocka_unit_test(refuses_a_double_beyond_float),
        cmocka_unit_test(reads_what_torch_wrote),
        cmocka_unit_test_setup_teardown(opens_files, make_folder, remove_folder),
        cmocka_unit_test(bounds_names_and_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
