/* The checkpoint reader on files made here, in both forms, and on small ones that PyTorch 1.13 wrote. */
#include "model/checkpoint.h"

#include <math.h>

#include "support/checkpoint_writer.h"
#include "support/testing.h"
#include "support/zip_writer.h"

#define CORPUS TESTS_DIR "/fuzz/corpus/checkpoint/"
#define SHAPE(...)                                                                                                     \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])                                       \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define EACH_FORM(form)                                                                                                \
    checkpoint_writer_form form = CHECKPOINT_WRITER_ZIP;                                                               \
    form <= CHECKPOINT_WRITER_LEGACY;                                                                                  \
    form++

static const float weights[] = {1, -2, 3.5f, 4e-8f, 5, 6e30f};

/* Two tensors, one of them a double. */
static void add_tensors(checkpoint_writer *w)
{
    lanert_error err;
    assert_ok(checkpoint_writer_add(w, "conv.weight", CHECKPOINT_F32, SHAPE(2, 3), weights, &err));
    assert_ok(checkpoint_writer_add(w, "conv.bias", CHECKPOINT_F64, SHAPE(2), (const double[]){0.5, -0.25}, &err));
}

static buffer small_file(checkpoint_writer_form form)
{
    lanert_error err;
    checkpoint_writer w;
    buffer file = {0};
    assert_ok(checkpoint_writer_open(NULL, form, &w, &err));
    add_tensors(&w);
    assert_ok(checkpoint_writer_bytes(&w, &file, &err));
    checkpoint_writer_close(&w);
    return file;
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

static void assert_values(const checkpoint *ck, const char *name, const float *values, int64_t count)
{
    lanert_error err;
    const checkpoint_tensor *t = checkpoint_find(ck, name);
    if (!t)
        fail_msg("no tensor '%s'", name);
    assert_int_equal(t->elements, count);
    float *out = malloc((size_t)(count + 1) * sizeof *out);
    assert_non_null(out);
    out[count] = 42;
    assert_ok(checkpoint_read(t, out, &err));
    for (int64_t i = 0; i < count; i++)
        if (memcmp(&out[i], &values[i], sizeof *out) != 0)
            fail_msg("%s[%lld] is %g, not %g", name, (long long)i, (double)out[i], (double)values[i]);
    assert_true(out[count] == 42);
    free(out);
}

/* The message of a file that must be refused. */
static void assert_refused(const buffer *file, int code, const char *part)
{
    lanert_error err = {0};
    checkpoint *ck;
    assert_fails(checkpoint_open_memory(file->data, file->size, "file.pth", &ck, &err), code, part);
    assert_int_equal(strncmp(err.text, "file.pth: ", 10), 0);
    assert_null(ck);
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
    const char *folder = temp_folder();
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
    assert_ok(file_write(temp_path(folder, "empty.pth"), "", 0, false, &err));
    assert_fails(checkpoint_open(temp_path(folder, "empty.pth"), &ck, &err), LANERT_EFORMAT, "empty.pth: is empty");
    assert_fails(checkpoint_open(temp_path(folder, "none.pth"), &ck, &err), LANERT_ENOTFOUND, "none.pth");
    assert_fails(checkpoint_open(folder, &ck, &err), LANERT_EIO, "is a folder");
    assert_null(ck);
    temp_folder_remove(folder);
}

static void refuses_other_files(void **state)
{
    (void)state;
    char tar[600] = "archive/", noise[600];
    memcpy(tar + 257, "ustar", 5);
    memset(noise, 'x', sizeof noise);
    assert_refused(&(buffer){tar, sizeof tar, 0, 0}, LANERT_EUNSUPPORTED, "is a tar");
    assert_refused(&(buffer){noise, sizeof noise, 0, 0}, LANERT_EFORMAT, "is not a checkpoint of torch.save");
    assert_refused(&(buffer){noise, 1, 0, 0}, LANERT_EFORMAT, "is not a checkpoint of torch.save");
    assert_refused(&(buffer){noise, 0, 0, 0}, LANERT_EFORMAT, "is empty");
    assert_refused(&(buffer){(char *)"<!DOCTYPE html>", 15, 0, 0}, LANERT_EFORMAT, "web page");
    assert_refused(&(buffer){(char *)"\x80\x02N.", 4, 0, 0}, LANERT_EUNSUPPORTED, "not one that torch.save wrote");
    assert_refused(&(buffer){(char *)"PK\3\4", 4, 0, 0}, LANERT_EFORMAT, "its directory is not at the end");
}

/* ---- zips made by hand ------------------------------------------------------------------------------- */

/* A pickle of {'net': {'a': two float32 in storage '0'}}. */
#define TEXT(length, text) "X" length "\0\0\0" text
#define TENSOR_OF(elements)                                                                                            \
    "ctorch._utils\n_rebuild_tensor_v2\n((" TEXT("\7", "storage") "ctorch\nFloatStorage\n" TEXT("\1", "0")             \
        TEXT("\3", "cpu") elements "tQK\0K\2\x85K\1\x85\x89NtR"
#define TENSOR TENSOR_OF("K\2")
#define NET "\x80\x02}" TEXT("\3", "net") "}" TEXT("\1", "a") TENSOR "ss."
#define RECORD(name, bytes)                                                                                            \
    {                                                                                                                  \
        name, bytes, sizeof(bytes) - 1                                                                                 \
    }
#define OBJECT RECORD("top/data.pkl", NET)
#define DATA RECORD("top/data/0", "\0\0\x80\x3f\0\0\0\x40")

typedef struct record {
    const char *name, *bytes;
    size_t size;
} record;

static buffer zip_of(const record *records, size_t count, bool no_crc)
{
    lanert_error err;
    zip_writer z = {.no_crc = no_crc};
    for (size_t i = 0; i < count; i++)
        assert_ok(zip_writer_add(&z, records[i].name, records[i].bytes, records[i].size, &err));
    assert_ok(zip_writer_finish(&z, &err));
    buffer_free(&z.directory);
    return z.file;
}

#define ZIP(...) zip_of((const record[]){__VA_ARGS__}, sizeof((const record[]){__VA_ARGS__}) / sizeof(record), false)

static void refuse_zip(buffer file, int code, const char *part)
{
    assert_refused(&file, code, part);
    buffer_free(&file);
}

static void refuses_wrong_records(void **state)
{
    (void)state;
    buffer sound = ZIP(OBJECT, DATA, RECORD("top/byteorder", "little"), RECORD("top/version", "3\n"));
    lanert_error err;
    checkpoint *ck;
    assert_ok(checkpoint_open_memory(sound.data, sound.size, "file", &ck, &err));
    assert_values(ck, "a", (const float[]){1, 2}, 2);
    checkpoint_close(&ck);
    buffer_free(&sound);

    refuse_zip(ZIP(DATA), LANERT_EUNSUPPORTED, "a zip without a data.pkl");
    refuse_zip(ZIP(RECORD("culane_r18.pth", "x")), LANERT_EUNSUPPORTED,
               "'culane_r18.pth'): where it is a checkpoint packed");
    refuse_zip(ZIP(RECORD("a/b/data.pkl", NET)), LANERT_EUNSUPPORTED, "a zip without a data.pkl");
    refuse_zip(ZIP(OBJECT, DATA, RECORD("b/data.pkl", NET)), LANERT_EFORMAT,
               "holds two checkpoints, 'b/data.pkl' and 'top/data.pkl'");
    refuse_zip(ZIP(OBJECT, DATA, DATA), LANERT_EFORMAT, "record 'top/data/0' is there twice");
    refuse_zip(ZIP(OBJECT, DATA, RECORD("top/constants.pkl", "")), LANERT_EUNSUPPORTED,
               "is a TorchScript archive (it has 'top/constants.pkl')");
    refuse_zip(ZIP(OBJECT, DATA, RECORD("top/code/x.py", "")), LANERT_EUNSUPPORTED,
               "is a TorchScript archive (it has 'top/code')");
    refuse_zip(ZIP(OBJECT, DATA, RECORD("top/byteorder", "big")), LANERT_EUNSUPPORTED,
               "record 'top/byteorder' says 'big'");
    refuse_zip(ZIP(OBJECT), LANERT_EFORMAT, "record 'top/data/0' is missing");
    refuse_zip(ZIP(OBJECT, RECORD("top/data/0", "1234567")), LANERT_EFORMAT,
               "record 'top/data/0' has 7 bytes; data.pkl says 2 elements of float32, 8 bytes");
    refuse_zip(ZIP(RECORD("top/data.pkl", NET "N"), DATA), LANERT_EFORMAT, "goes on for 1 bytes behind its pickle");
    refuse_zip(ZIP(RECORD("top/data.pkl", "cos\nsystem\n."), DATA), LANERT_EUNSUPPORTED,
               "record 'top/data.pkl': at byte 0: the global 'os.system' is refused");
}

static void refuses_wrong_state_dicts(void **state)
{
    (void)state;
#define OBJECT_OF(bytes) ZIP(RECORD("top/data.pkl", bytes), DATA)
    refuse_zip(OBJECT_OF("]."), LANERT_EUNSUPPORTED, "holds a list; expected a state dict");
    refuse_zip(OBJECT_OF(TENSOR "."), LANERT_EUNSUPPORTED, "holds a tensor; expected a state dict");
    refuse_zip(
        OBJECT_OF("}" TEXT("\1", "a") "Ns" TEXT("\1", "b") "}s."), LANERT_EUNSUPPORTED,
        "holds no state dict: neither tensors nor a dict under 'net', 'state_dict' or 'model', but the keys 'a', 'b'");
    refuse_zip(OBJECT_OF("}" TEXT("\1", "a") TENSOR "s" TEXT("\1", "b") "Ns."), LANERT_EUNSUPPORTED,
               "entry 'b' of the state dict is None; expected a tensor");
    refuse_zip(OBJECT_OF("}" TEXT("\3", "net") "}K\1" TENSOR "ss."), LANERT_EFORMAT,
               "a key of the state dict is an integer");
    refuse_zip(OBJECT_OF("}" TEXT("\3", "net") "}" TEXT("\2", "a\n") TENSOR "ss."), LANERT_EUNSUPPORTED,
               "the name 'a?' has a byte other than printable ASCII");
    refuse_zip(OBJECT_OF("}" TEXT("\1", "a") TENSOR "s" TEXT("\1", "a") TENSOR "s."), LANERT_EFORMAT,
               "tensor 'a' is in the state dict twice");
    refuse_zip(OBJECT_OF("}" TEXT("\1", "a") TENSOR_OF(TEXT("\1", "2")) "s."), LANERT_EFORMAT,
               "number of elements of a storage is a string");
}

static void keeps_names_of_which_some_have_the_prefix(void **state)
{
    (void)state;
    lanert_error err;
    checkpoint *ck;
    buffer file = OBJECT_OF("}" TEXT("\x08", "module.a") TENSOR "s" TEXT("\1", "a") TENSOR "s.");
    assert_ok(checkpoint_open_memory(file.data, file.size, "file", &ck, &err));
    assert_false(checkpoint_had_prefix(ck));
    assert_non_null(checkpoint_find(ck, "module.a"));
    assert_non_null(checkpoint_find(ck, "a"));
    checkpoint_close(&ck);
    buffer_free(&file);
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

/* ---- zips damaged by hand ------------------------------------------------------------------------------ */

/* The bytes `what` in the file, the last time that they are there. */
static char *last_of(const buffer *file, const char *what, size_t n)
{
    for (char *p = file->data + file->size - n; p >= file->data; p--)
        if (memcmp(p, what, n) == 0)
            return p;
    fail_msg("nothing to damage");
    return NULL;
}

static void put(char *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = (char)(value >> (8 * i));
}

/* Writes `value` at `offset` from a structure of the sound zip: its last entry (of data/0), end, zip64 end or locator.
 */
static void refuse_with(const char *signature, size_t offset, uint64_t value, size_t n, int code, const char *part)
{
    buffer file = ZIP(OBJECT, DATA);
    put(last_of(&file, signature, 4) + offset, value, n);
    refuse_zip(file, code, part);
}

static void refuses_damaged_zips(void **state)
{
    (void)state;
    refuse_with("PK\1\2", 10, 8, 2, LANERT_EUNSUPPORTED, "record 'top/data/0' is compressed (method 8)");
    refuse_with("PK\1\2", 8, 1, 2, LANERT_EUNSUPPORTED, "record 'top/data/0': it is encrypted");
    refuse_with("PK\1\2", 20, 7, 4, LANERT_EFORMAT, "record 'top/data/0': it claims 8 bytes stored as 7");
    refuse_with("PK\1\2", 16, 1, 4, LANERT_EFORMAT, "record 'top/data/0' is damaged: its CRC-32 is");
    refuse_with("PK\1\2", 42, 0, 4, LANERT_EFORMAT, "its local header at byte 0 is another record's");
    refuse_with("PK\1\2", 42, 1, 4, LANERT_EFORMAT, "its local header is not at byte 1");
    refuse_with("PK\1\2", 42, 0xfffffff0, 4, LANERT_EFORMAT, "its local header is not at byte 4294967280");
    refuse_with("PK\1\2", 42, 0xffffffff, 4, LANERT_EFORMAT, "its zip64 field is missing or too short");
    refuse_with("PK\1\2", 20, 0x0fffffff0fffffff, 8, LANERT_EFORMAT, "its 268435455 bytes from byte");
    refuse_with("PK\1\2", 28, 0xffff, 2, LANERT_EFORMAT, "record 1 of the zip's directory is cut short");
    refuse_with("PK\1\2", 32, 0xffff, 2, LANERT_EFORMAT, "record 1 of the zip's directory is cut short");
    refuse_with("PK\1\2", 0, 0, 1, LANERT_EFORMAT, "the zip's directory ends after 1 of its 2 records");
    refuse_with("PK\3\4", 26, 0xffff, 2, LANERT_EFORMAT, "another record's");
    refuse_with("PK\3\4", 28, 0xffff, 2, LANERT_EFORMAT, "another record's");
    refuse_with("PK\3\4", 30, 'x', 1, LANERT_EFORMAT, "another record's");
    refuse_with("PK\5\6", 4, 1, 2, LANERT_EUNSUPPORTED, "one part of a zip in several");
    refuse_with("PK\5\6", 20, 1, 2, LANERT_EFORMAT, "its directory is not at the end");
    refuse_with("PK\6\6", 0, 0, 4, LANERT_EFORMAT, "the zip64 end record is not at byte");
    refuse_with("PK\6\6", 32, 3, 8, LANERT_EFORMAT, "the zip's directory ends after 2 of its 3 records");
    refuse_with("PK\6\6", 32, 1, 8, LANERT_EFORMAT, "bytes follow the last record in the zip's directory");
    refuse_with("PK\6\6", 32, 1 << 20, 8, LANERT_ELIMIT, "1048576 records; at most 65536");
    refuse_with("PK\6\6", 40, UINT64_MAX, 8, LANERT_EFORMAT, "the zip's directory (18446744073709551615 bytes at byte");
    refuse_with("PK\6\6", 48, UINT64_MAX, 8, LANERT_EFORMAT, "at byte 18446744073709551615) does not lie before");
    refuse_with("PK\6\7", 0, 0, 4, LANERT_EFORMAT, "the zip64 locator is missing");
    refuse_with("PK\6\7", 8, UINT64_MAX, 8, LANERT_EFORMAT, "the zip64 end record is not at byte 18446744073709551615");
}

static void reads_plain_and_zip64_directories(void **state)
{
    (void)state;
    lanert_error err;
    checkpoint *ck;
    buffer file = ZIP(OBJECT, DATA);
    char *end = last_of(&file, "PK\5\6", 4), *end64 = last_of(&file, "PK\6\6", 4);
    memcpy(end + 16, end64 + 48, 4);
    memset(end64, 0, (size_t)(end - end64));
    assert_ok(buffer_text(&file, "a comment", &err));
    put(last_of(&file, "PK\5\6", 4) + 20, 9, 2);
    assert_ok(checkpoint_open_memory(file.data, file.size, "file", &ck, &err));
    assert_values(ck, "a", (const float[]){1, 2}, 2);
    checkpoint_close(&ck);
    buffer_free(&file);
}

/* The last entry, of data/0, with sizes and offset in its zip64 field, behind a field of another kind. */
static void reads_zip64_entries(void **state)
{
    (void)state;
    lanert_error err;
    checkpoint *ck;
    buffer plain = ZIP(OBJECT, DATA), file = {0};
    char *entry = last_of(&plain, "PK\1\2", 4), *end64 = last_of(&plain, "PK\6\6", 4), field[4 + 2 + 4 + 24] = {0};
    uint32_t at;
    memcpy(&at, entry + 42, 4);
    memset(entry + 20, 0xff, 8);
    memset(entry + 42, 0xff, 4);
    put(entry + 30, sizeof field, 2);
    put(field, 0x7075, 2);
    put(field + 2, 2, 2);
    put(field + 6, 1, 2);
    put(field + 8, 24, 2);
    put(field + 10, 8, 8);
    put(field + 18, 8, 8);
    put(field + 26, at, 8);
    uint64_t size;
    memcpy(&size, end64 + 40, 8);
    put(end64 + 40, size + sizeof field, 8);
    put(end64 + 56 + 8, (uint64_t)(end64 - plain.data) + sizeof field, 8);
    assert_ok(buffer_add(&file, plain.data, (size_t)(end64 - plain.data), &err));
    assert_ok(buffer_add(&file, field, sizeof field, &err));
    assert_ok(buffer_add(&file, end64, (size_t)(plain.data + plain.size - end64), &err));
    assert_ok(checkpoint_open_memory(file.data, file.size, "file", &ck, &err));
    assert_values(ck, "a", (const float[]){1, 2}, 2);
    checkpoint_close(&ck);
    buffer_free(&plain);
    buffer_free(&file);
}

static void reads_files_without_crc(void **state)
{
    (void)state;
    lanert_error err;
    checkpoint *ck;
    buffer file = zip_of((const record[]){OBJECT, DATA}, 2, true);
    assert_ok(checkpoint_open_memory(file.data, file.size, "file", &ck, &err));
    assert_values(ck, "a", (const float[]){1, 2}, 2);
    checkpoint_close(&ck);
    buffer_free(&file);
}

/* ---- the legacy form ----------------------------------------------------------------------------------- */

#define MAGIC "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define PROTOCOL "\x80\x02M\xe9\x03."
#define SYSTEM "}" TEXT("\x0d", "little_endian") "\x88s."
#define KEYS "](" TEXT("\1", "0") "e."
#define STORAGE                                                                                                        \
    "\2\0\0\0\0\0\0\0"                                                                                                 \
    "\0\0\x80\x3f\0\0\0\x40"

static void refuses_wrong_legacy_files(void **state)
{
    (void)state;
#define LEGACY(bytes) (&(buffer){(char *)(bytes), sizeof(bytes) - 1, 0, 0})
    lanert_error err;
    checkpoint *ck;
    const buffer *sound = LEGACY(MAGIC PROTOCOL SYSTEM NET KEYS STORAGE);
    assert_ok(checkpoint_open_memory(sound->data, sound->size, "file", &ck, &err));
    assert_values(ck, "a", (const float[]){1, 2}, 2);
    checkpoint_close(&ck);

    assert_refused(LEGACY(MAGIC "K\1."), LANERT_EUNSUPPORTED, "its second pickle is not 1001");
    assert_refused(LEGACY(MAGIC "N."), LANERT_EUNSUPPORTED, "its second pickle is not 1001");
    assert_refused(LEGACY(MAGIC "x"), LANERT_EUNSUPPORTED, "pickle of the protocol: at byte 15: pickle opcode 0x78");
    assert_refused(LEGACY(MAGIC PROTOCOL "}."), LANERT_EFORMAT, "does not say whether it is little_endian");
    assert_refused(LEGACY(MAGIC PROTOCOL "N."), LANERT_EFORMAT, "does not say whether it is little_endian");
    assert_refused(LEGACY(MAGIC PROTOCOL "}" TEXT("\x0d", "little_endian") "\x89s."), LANERT_EUNSUPPORTED,
                   "big-endian machine");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM "cos\nsystem\n."), LANERT_EUNSUPPORTED,
                   "pickle of the object: at byte");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET "}."), LANERT_EFORMAT,
                   "its fifth pickle is a dict; expected a list");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET "]Na."), LANERT_EFORMAT,
                   "a storage's key in its fifth pickle is None");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET "]."), LANERT_EFORMAT,
                   "storage '0' is not listed, though a tensor lies in it");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET "]" TEXT("\1", "1") "a." STORAGE), LANERT_EFORMAT,
                   "storage '1' is listed, but no tensor lies in it");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET "](" TEXT("\1", "0") TEXT("\1", "0") "e." STORAGE STORAGE),
                   LANERT_EFORMAT, "storage '0' is listed twice");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET KEYS STORAGE "x"), LANERT_EFORMAT,
                   "1 bytes follow the last storage");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET KEYS "\2\0\0"), LANERT_EFORMAT,
                   "the file is cut short at storage '0'");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET KEYS "\2\0\0\0\0\0\0\0zzzz"), LANERT_EFORMAT,
                   "storage '0' has 8 bytes at byte");
    assert_refused(LEGACY(MAGIC PROTOCOL SYSTEM NET KEYS "\3\0\0\0\0\0\0\0zzzz"), LANERT_EFORMAT,
                   "storage '0' has 3 elements at byte");
}

/* ---- every damage to a small file ---------------------------------------------------------------------- */

static void refuses_every_truncation(void **state)
{
    (void)state;
    for (EACH_FORM(form)) {
        buffer file = small_file(form);
        for (size_t n = 0; n < file.size; n++) {
            lanert_error err;
            checkpoint *ck;
            /* Memory of that size, so that a sanitizer sees a read behind it. */
            char *part = malloc(n ? n : 1);
            assert_non_null(part);
            memcpy(part, file.data, n);
            int rc = checkpoint_open_memory(part, n, "file", &ck, &err);
            if (rc != LANERT_EFORMAT && rc != LANERT_EUNSUPPORTED)
                fail_msg("%zu of %zu bytes: %s", n, file.size, lanert_error_name(rc));
            free(part);
        }
        buffer_free(&file);
    }
}

/* Reads all of a file that may be damaged. True where it is the small one, unharmed. */
static bool is_small_file(const buffer *file)
{
    lanert_error err;
    checkpoint *ck;
    float out[8] = {0};
    char *copy = malloc(file->size);
    assert_non_null(copy);
    memcpy(copy, file->data, file->size);
    bool same = false;
    if (checkpoint_open_memory(copy, file->size, "file", &ck, &err) == 0) {
        same = checkpoint_count(ck) == 2;
        for (int i = 0; i < checkpoint_count(ck); i++) {
            const checkpoint_tensor *t = checkpoint_at(ck, i);
            assert_true(t->elements <= 6);
            same &= checkpoint_read(t, out, &err) == 0 &&
                    memcmp(out, i ? (const float[]){0.5f, -0.25f} : weights, (size_t)t->elements * sizeof *out) == 0;
        }
        checkpoint_close(&ck);
    } else {
        same = true;
    }
    free(copy);
    return same;
}

/* A flipped bit is refused or without effect where the file has checksums, and harmless in any. */
static void survives_every_flipped_bit(void **state)
{
    (void)state;
    for (EACH_FORM(form)) {
        buffer file = small_file(form);
        for (size_t bit = 0; bit < 8 * file.size; bit++) {
            file.data[bit / 8] ^= (char)(1 << bit % 8);
            if (!is_small_file(&file) && form == CHECKPOINT_WRITER_ZIP)
                fail_msg("bit %zu changes the values, unseen", bit);
            file.data[bit / 8] ^= (char)(1 << bit % 8);
        }
        buffer_free(&file);
    }
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
        cmocka_unit_test(opens_files),
        cmocka_unit_test(refuses_other_files),
        cmocka_unit_test(refuses_wrong_records),
        cmocka_unit_test(refuses_wrong_state_dicts),
        cmocka_unit_test(keeps_names_of_which_some_have_the_prefix),
        cmocka_unit_test(bounds_names_and_elements),
        cmocka_unit_test(refuses_damaged_zips),
        cmocka_unit_test(reads_plain_and_zip64_directories),
        cmocka_unit_test(reads_zip64_entries),
        cmocka_unit_test(reads_files_without_crc),
        cmocka_unit_test(refuses_wrong_legacy_files),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(survives_every_flipped_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
