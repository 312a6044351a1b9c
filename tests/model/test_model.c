/* Opening models: our own, plain exports, those that lie, and what is no model. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "model/metadata.h"
#include "model/model.h"
#include "model/onnx_graph.h"
#include "support/testing.h"

static const char *path(void)
{
    return temp_path(folder, "model.onnx");
}

/* What a model's file says; zeroed where not said. */
typedef struct claims {
    const char *outputs; /* of the metadata */
    bool raw, lanes;     /* outputs that are there */
    int64_t batch, priors, max_lanes;
    const float *weights;          /* two float32 that the graph has */
    const char *key, *replacement; /* a metadata value that differs; NULL: it is left out */
    onnx_type input, count;
} claims;

static const claims sound = {"both", true, true, -1, 192, 4, NULL, "", NULL, ONNX_U8, ONNX_I32};

static void add_claim(graph *g, const claims *c, const char *key, const char *text)
{
    if (strcmp(key, c->key))
        graph_metadata(g, key, "%s", text);
    else if (c->replacement)
        graph_metadata(g, key, "%s", c->replacement);
}

static void add_metadata(graph *g, const claims *c)
{
    add_claim(g, c, METADATA_FORMAT, METADATA_FORMAT_VERSION);
    add_claim(g, c, METADATA_WRITER, "lanert 0.1.0");
    add_claim(g, c, METADATA_PRESET, "culane");
    add_claim(g, c, METADATA_ORI_WIDTH, "1640");
    add_claim(g, c, METADATA_ORI_HEIGHT, "590");
    add_claim(g, c, METADATA_CUT_HEIGHT, "270");
    add_claim(g, c, METADATA_CONF, "0.4");
    add_claim(g, c, METADATA_NMS_THRES, "50");
    add_claim(g, c, METADATA_MAX_LANES, "4");
    add_claim(g, c, METADATA_ARCH, "resnet18");
    add_claim(g, c, METADATA_PRECISION, "fp32");
    add_claim(g, c, METADATA_OUTPUTS, c->outputs);
    if (!strcmp(c->key, METADATA_PRIOR_YS))
        graph_metadata(g, c->key, "%s", c->replacement);
    add_claim(g, c, METADATA_SOURCE, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
}

static void finish(graph *g)
{
    lanert_error err;
    FILE *f = fopen(path(), "wb");
    assert_non_null(f);
    assert_ok(graph_write(g, f, path(), &err));
    fclose(f);
    graph_close(&g);
}

static void write_own(const claims *c)
{
    lanert_error err;
    graph *g;
    assert_ok(graph_open(&g, &err));
    value image = graph_input(g, "image", c->input, 4, DIMS(c->batch, 320, 800, 3));
    value v = graph_cast(g, image, ONNX_U8, ONNX_F32);
    if (c->weights)
        graph_floats(g, 1, DIMS(2), c->weights);
    if (c->lanes) {
        graph_output(g, v, "lanes", ONNX_F32, 3, DIMS(c->batch, c->max_lanes, 78));
        graph_output(g, v, "count", c->count, 1, DIMS(c->batch));
    }
    if (c->raw)
        graph_output(g, v, "raw", ONNX_F32, 3, DIMS(c->batch, c->priors, 78));
    add_metadata(g, c);
    finish(g);
}

static void write_plain(const char *name, int64_t batch, int64_t height, int64_t columns)
{
    int64_t priors = columns < 0 ? -1 : 192;
    lanert_error err;
    graph *g;
    assert_ok(graph_open(&g, &err));
    value image = graph_input(g, name, ONNX_F32, 4, DIMS(batch, 3, height, 800));
    graph_output(g, image, "output", ONNX_F32, 3, DIMS(batch, priors, columns));
    finish(g);
}

static lanert_model *opened(const char *preset)
{
    lanert_error err;
    lanert_model *m = NULL;
    assert_ok(lanert_model_open(path(), preset, &m, &err));
    return m;
}

static void assert_refused(const char *preset, int code, const char *part)
{
    lanert_error err;
    lanert_model *m = (lanert_model *)&err;
    assert_fails(lanert_model_open(path(), preset, &m, &err), code, part);
    assert_non_null(strstr(err.text, path()));
    assert_null(m);
}

/* ---- our own ------------------------------------------------------------------------------------- */

static void reads_its_own(void **state)
{
    (void)state;
    write_own(&sound);
    lanert_model *m = opened(NULL);
    const model_info *info = model_describe(m);
    assert_true(info->ours);
    assert_int_equal(info->input, MODEL_INPUT_U8_NHWC);
    assert_string_equal(info->path, path());
    assert_string_equal(info->input_name, "image");
    assert_string_equal(info->raw_name, "raw");
    assert_string_equal(info->lanes_name, "lanes");
    assert_string_equal(info->count_name, "count");
    assert_int_equal(info->priors, 192);
    assert_int_equal(info->fixed_batch, 0);
    assert_string_equal(info->arch, "resnet18");
    assert_string_equal(info->precision, "fp32");
    assert_string_equal(info->writer, "lanert 0.1.0");
    assert_memory_equal(lanert_model_preset(m), lanert_preset_find("culane"), sizeof(lanert_preset));
    lanert_model_close(&m);
    assert_null(m);
    lanert_model_close(&m);
}

static void reads_one_kind_of_output(void **state)
{
    (void)state;
    claims c = sound;
    c.outputs = "lanes";
    c.raw = false;
    c.batch = 3;
    write_own(&c);
    lanert_model *m = opened(NULL);
    assert_string_equal(model_describe(m)->raw_name, "");
    assert_int_equal(model_describe(m)->fixed_batch, 3);
    lanert_model_close(&m);
    c = sound;
    c.outputs = "raw";
    c.lanes = false;
    write_own(&c);
    m = opened(NULL);
    assert_string_equal(model_describe(m)->lanes_name, "");
    lanert_model_close(&m);
}

/* Its own NMS is the other data set's no more. */
static void takes_another_preset(void **state)
{
    (void)state;
    write_own(&sound);
    lanert_model *m = opened("tusimple");
    assert_int_equal(lanert_model_preset(m)->max_lanes, 5);
    assert_string_equal(model_describe(m)->lanes_name, "");
    assert_string_equal(model_describe(m)->raw_name, "raw");
    lanert_model_close(&m);
    m = opened("culane");
    assert_string_equal(model_describe(m)->lanes_name, "lanes");
    lanert_model_close(&m);
    claims c = sound;
    c.outputs = "lanes";
    c.raw = false;
    write_own(&c);
    assert_refused("llamas", LANERT_EINVAL, "no raw output");
    assert_refused("bdd", LANERT_EINVAL, "preset 'bdd' is not known");
}

/* In which count was int64. */
static void reads_format_1(void **state)
{
    (void)state;
    claims c = sound;
    c.key = METADATA_FORMAT;
    c.replacement = "1";
    c.count = ONNX_I64;
    write_own(&c);
    lanert_model *m = opened(NULL);
    assert_string_equal(model_describe(m)->count_name, "count");
    lanert_model_close(&m);
}

static void refuses_what_lies(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text;
        int code;
        const char *part;
    } lies[] = {
        {METADATA_FORMAT, "3", LANERT_EUNSUPPORTED, "lanert.format is '3', this lanert reads '1' and '2'"},
        {METADATA_PRESET, NULL, LANERT_EFORMAT, "no lanert.preset"},
        {METADATA_PRESET, "", LANERT_EFORMAT, "lanert.preset has 0 bytes"},
        {METADATA_PRESET, "a name that is longer than any preset's", LANERT_EFORMAT, "expected 1 to 31"},
        {METADATA_PRESET, "cu\nlane", LANERT_EFORMAT, "lanert.preset holds the byte 10"},
        {METADATA_ORI_WIDTH, "0", LANERT_EFORMAT, "ori_width is 0; expected 1 to 16384"},
        {METADATA_ORI_HEIGHT, "99999999999999999999", LANERT_EFORMAT, "expected a decimal number"},
        {METADATA_ORI_HEIGHT, "590.5", LANERT_EFORMAT, "expected a whole number"},
        {METADATA_CUT_HEIGHT, "590", LANERT_EFORMAT, "cut_height is 590; expected 0 to 589"},
        {METADATA_CUT_HEIGHT, "-1", LANERT_EFORMAT, "lanert.cut_height is '-1'"},
        {METADATA_CONF, "1.5", LANERT_EFORMAT, "conf is 1.5"},
        {METADATA_CONF, "nan", LANERT_EFORMAT, "lanert.conf is 'nan'"},
        {METADATA_NMS_THRES, "801", LANERT_EFORMAT, "nms_thres is 801"},
        {METADATA_MAX_LANES, "17", LANERT_EFORMAT, "max_lanes is 17"},
        {METADATA_MAX_LANES, "5", LANERT_EFORMAT, "output lanes: float32 [N,5,78]"},
        {METADATA_OUTPUTS, "all", LANERT_EFORMAT, "expected lanes, raw or both"},
        {METADATA_PRIOR_YS, "1 0.5", LANERT_EFORMAT, "metadata's lanert.prior_ys: has '0.5' at element 1"},
        {METADATA_PRIOR_YS, "", LANERT_EFORMAT, "lanert.prior_ys has 0 bytes"},
        {METADATA_SOURCE, "xyz", LANERT_EFORMAT, "64 hexadecimal digits"},
        {METADATA_ARCH, NULL, LANERT_EFORMAT, "no lanert.arch"},
    };
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        claims c = sound;
        c.key = lies[i].key;
        c.replacement = lies[i].text;
        write_own(&c);
        assert_refused(NULL, lies[i].code, lies[i].part);
    }
}

static void refuses_tensors_that_do_not_fit(void **state)
{
    (void)state;
    claims c = sound;
    c.raw = false;
    write_own(&c);
    assert_refused(NULL, LANERT_EFORMAT, "should have 'output raw: float32 [N,N,78]'");
    c = sound;
    c.lanes = false;
    write_own(&c);
    assert_refused(NULL, LANERT_EFORMAT, "output lanes");
    c = sound;
    c.input = ONNX_F32;
    write_own(&c);
    assert_refused(NULL, LANERT_EFORMAT, "it has image: float32 [N,320,800,3]");
    c = sound;
    c.count = ONNX_F32;
    write_own(&c);
    assert_refused(NULL, LANERT_EFORMAT, "it has count: float32 [N], and should have 'output count: int32 [N]'");
    c = sound;
    c.priors = 5000;
    write_own(&c);
    assert_refused(NULL, LANERT_EFORMAT, "1 to 4096 priors");
    c = sound;
    c.batch = 65;
    write_own(&c);
    assert_refused(NULL, LANERT_EUNSUPPORTED, "65 pictures at once");
}

/* Whatever an engine would make of it. */
static void refuses_weights_that_are_no_numbers(void **state)
{
    (void)state;
    static const float bad[][2] = {{NAN, 1}, {1, -INFINITY}, {INFINITY, FLT_MAX}}, good[] = {-FLT_MAX, 0x1p-149f};
    claims c = sound;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        c.weights = bad[i];
        write_own(&c);
        assert_refused(NULL, LANERT_EFORMAT, "hold NaN or infinity: it is damaged");
    }
    c.weights = good;
    write_own(&c);
    lanert_model *m = opened(NULL);
    lanert_model_close(&m);
}

/* Turns one bit of the weights, which are found by what they hold. */
static void flip_bit(const void *weights, size_t size, size_t byte, int bit)
{
    lanert_error err;
    file_map map;
    assert_ok(file_map_open(path(), 0, &map, &err));
    size_t all = map.size;
    char *bytes = malloc(all), *found;
    memcpy(bytes, map.data, all);
    file_map_close(&map);
    assert_non_null(found = memmem(bytes, all, weights, size));
    found[byte] ^= (char)(1 << bit);
    put_file("model.onnx", bytes, all);
    free(bytes);
}

static void write_halves(const float *numbers, int64_t count)
{
    lanert_error err;
    graph *g;
    assert_ok(graph_open(&g, &err));
    float *data = graph_new_floats(g, count);
    memcpy(data, numbers, (size_t)count * sizeof *data);
    graph_weights(g, "halves", ONNX_F16, 1, &count, data);
    value v = graph_input(g, "image", ONNX_U8, 4, DIMS(-1, 320, 800, 3));
    graph_output(g, v, "raw", ONNX_F32, 3, DIMS(-1, 192, 78));
    add_metadata(g, &(claims){.outputs = "raw", .key = ""});
    finish(g);
}

/* The exponent's highest bit makes 1.5 a NaN, and 1 infinite. */
static void refuses_weights_with_a_flipped_bit(void **state)
{
    (void)state;
    static const float weights[] = {1.5f, 1};
    static const uint16_t halves[] = {0x3e00, 0x3c00};
    claims c = sound;
    c.weights = weights;
    for (size_t i = 0; i < ARRAY_LEN(weights); i++) {
        write_own(&c);
        flip_bit(weights, sizeof weights, 4 * i + 3, 6);
        assert_refused(NULL, LANERT_EFORMAT, "hold NaN or infinity: it is damaged");
        write_halves(weights, ARRAY_LEN(weights));
        flip_bit(halves, sizeof halves, 2 * i + 1, 6);
        assert_refused(NULL, LANERT_EFORMAT, "its weights halves hold NaN or infinity");
    }
}

/* ---- plain exports ------------------------------------------------------------------------------- */

static void reads_a_plain_export(void **state)
{
    (void)state;
    write_plain("input.1", 1, 320, 78);
    lanert_model *m = opened("llamas");
    const model_info *info = model_describe(m);
    assert_false(info->ours);
    assert_int_equal(info->input, MODEL_INPUT_F32_NCHW);
    assert_string_equal(info->input_name, "input.1");
    assert_string_equal(info->raw_name, "output");
    assert_string_equal(info->lanes_name, "");
    assert_int_equal(info->fixed_batch, 1);
    assert_int_equal(info->priors, 192);
    assert_true(lanert_model_preset(m)->conf == 0.45f);
    lanert_model_close(&m);
    assert_refused(NULL, LANERT_EINVAL, "name the data set that it was trained on with --preset");
}

/* torch.onnx.export with dynamic_axes tells no size of the output. */
static void reads_an_export_that_tells_little(void **state)
{
    (void)state;
    write_plain("input", -1, 320, -1);
    lanert_model *m = opened("culane");
    assert_int_equal(model_describe(m)->fixed_batch, 0);
    assert_int_equal(model_describe(m)->priors, 192);
    lanert_model_close(&m);
}

static void refuses_other_exports(void **state)
{
    (void)state;
    char longest[80];
    write_plain("x", 1, 640, 78);
    assert_refused("culane", LANERT_EUNSUPPORTED, "expected one input float32 [N,3,320,800]");
    /* No preset would help here, so that none is asked for. */
    assert_refused(NULL, LANERT_EUNSUPPORTED, "expected one input float32 [N,3,320,800]");
    write_plain("x", 1, 320, 77);
    assert_refused("culane", LANERT_EUNSUPPORTED, "the first of them output: float32 [1,192,77]");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    write_plain(longest, -1, 320, 78);
    assert_refused("culane", LANERT_EUNSUPPORTED, "has 79 bytes");
}

/* ---- no models ----------------------------------------------------------------------------------- */

static void refuses_other_files(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *part;
    } files[] = {
        {"", 0, "it is empty"},
        {"PK\3\4rest", 8, "lanert convert"},
        {"\x80\2}q", 4, "lanert convert"},
        {"\x89PNG\r\n", 6, "PNG"},
        {"\xff\xd8\xff\xe0", 4, "JPEG"},
        {"<!DOCTYPE html>", 15, "web page"},
        {"version https://git-lfs.github.com/spec/v1\n", 43, "git lfs pull"},
        {"\x08\x08", 2, "has no graph"},
        {"\x08\x08\x3a\x7f", 4, "cut short"},
        {"\x08\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 13, "cut short or damaged"},
        {"\x08\x08\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13, "cut short"},
        {"\x08\x08\x0b", 3, "damaged"},
        {"\x08\x08\x3a\x02\x5a\x7f", 6, "graph is cut short"},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, "does not begin as one"},
        {"notes\n", 6, "it is text"},
    };
    lanert_error err;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        assert_ok(file_write(path(), files[i].bytes, files[i].size, true, &err));
        assert_refused("culane", LANERT_EFORMAT, files[i].part);
    }
}

/* However much of a sound file is there, it opens as a whole or not at all. */
static void refuses_every_beginning(void **state)
{
    (void)state;
    lanert_error err;
    file_map map;
    lanert_model *m = NULL;
    write_own(&sound);
    assert_ok(file_map_open(path(), 0, &map, &err));
    for (size_t size = 0; size < map.size; size++) {
        const char *part = temp_path(folder, "part.onnx");
        assert_ok(file_write(part, map.data, size, true, &err));
        assert_int_not_equal(lanert_model_open(part, NULL, &m, &err), 0);
        assert_null(m);
    }
    file_map_close(&map);
}

static void limits_what_it_reads(void **state)
{
    (void)state;
    lanert_error err;
    graph *g;
    assert_ok(graph_open(&g, &err));
    for (int i = 0; i < 300; i++)
        graph_metadata(g, "key", "%d", i);
    finish(g);
    assert_refused("culane", LANERT_ELIMIT, "more than 256 metadata entries");
    assert_ok(graph_open(&g, &err));
    graph_input(g, "x", ONNX_F32, 9, DIMS(1, 2, 3, 4, 5, 6, 7, 8, 9));
    finish(g);
    assert_refused("culane", LANERT_ELIMIT, "more than 8 dimensions");
    char key[300];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    assert_ok(graph_open(&g, &err));
    graph_metadata(g, key, "1");
    finish(g);
    assert_refused("culane", LANERT_ELIMIT, "a metadata key has 299 bytes");
}

static void refuses_what_is_not_there(void **state)
{
    (void)state;
    lanert_error err;
    lanert_model *m = NULL;
    char longest[5000];
    assert_fails(lanert_model_open(temp_path(folder, "none.onnx"), NULL, &m, &err), LANERT_ENOTFOUND, "none.onnx");
    assert_fails(lanert_model_open(folder, NULL, &m, &err), LANERT_EIO, "is a folder");
    assert_fails(lanert_model_open(NULL, NULL, &m, &err), LANERT_EINVAL, "NULL");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_fails(lanert_model_open(longest, NULL, &m, &err), LANERT_EINVAL, "4999 bytes");
}

/* tests/check_install.sh finds it in an installed tree. */
static void tells_where_the_bundled_model_lies(void **state)
{
    (void)state;
    lanert_error err;
    lanert_model *m = NULL;
    char path[4096];
    assert_fails(lanert_model_bundled(NULL, 10, &err), LANERT_EINVAL, "NULL");
    if (lanert_model_bundled(path, sizeof path, &err)) {
        assert_int_equal(err.code, LANERT_ENOTFOUND);
        skip();
    }
    assert_fails(lanert_model_bundled(path, strlen(path), &err), LANERT_ELIMIT, "room for");
    assert_ok(lanert_model_open(path, NULL, &m, &err));
    assert_string_equal(lanert_model_preset(m)->name, "road");
    lanert_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_its_own),
        cmocka_unit_test(reads_one_kind_of_output),
        cmocka_unit_test(takes_another_preset),
        cmocka_unit_test(reads_format_1),
        cmocka_unit_test(refuses_what_lies),
        cmocka_unit_test(refuses_tensors_that_do_not_fit),
        cmocka_unit_test(refuses_weights_that_are_no_numbers),
        cmocka_unit_test(refuses_weights_with_a_flipped_bit),
        cmocka_unit_test(reads_a_plain_export),
        cmocka_unit_test(reads_an_export_that_tells_little),
        cmocka_unit_test(refuses_other_exports),
        cmocka_unit_test(refuses_other_files),
        cmocka_unit_test(refuses_every_beginning),
        cmocka_unit_test(limits_what_it_reads),
        cmocka_unit_test(refuses_what_is_not_there),
        cmocka_unit_test(tells_where_the_bundled_model_lies),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
