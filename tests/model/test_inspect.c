/* What lanert_inspect says of files. */
#include <jansson.h>

#include "model/onnx_graph.h"
#include "support/testing.h"
#include "support/tiny_clrnet.h"

static json_t *inspected(const char *path)
{
    lanert_error err;
    char *text = NULL;
    assert_ok(lanert_inspect(path, &text, &err));
    json_t *o = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(o);
    return o;
}

static const char *text_at(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "(none)";
}

static json_int_t number_at(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static void write_tiny(const char *arch, const char *path)
{
    lanert_error err;
    tiny_clrnet t;
    assert_ok(tiny_clrnet_open(arch, &t, &err));
    assert_ok(tiny_clrnet_write(&t, path, &err));
    tiny_clrnet_close(&t);
}

static void tells_of_a_checkpoint(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "net.pth");
    write_tiny("dla34", path);
    json_t *o = inspected(path);
    assert_string_equal(text_at(o, "kind"), "checkpoint");
    assert_string_equal(text_at(o, "form"), "zip");
    assert_string_equal(text_at(o, "key"), "net");
    assert_string_equal(text_at(o, "prefix"), "module.");
    assert_string_equal(text_at(o, "arch"), "dla34");
    assert_int_equal(number_at(o, "priors"), TINY_PRIORS);
    assert_int_equal(number_at(json_object_get(o, "types"), "float32"), number_at(o, "tensors"));
    assert_true(number_at(o, "parameters") > 1000);
    assert_int_equal(strlen(text_at(o, "sha256")), 64);
    json_decref(o);
}

static void tells_of_a_model(void **state)
{
    (void)state;
    lanert_error err;
    lanert_convert_options options;
    const char *checkpoint = temp_path(folder, "net.pth"), *path = temp_path(folder, "net.onnx");
    lanert_convert_defaults(&options);
    options.preset = "tusimple";
    options.precision = LANERT_FP16;
    options.outputs = LANERT_OUTPUT_RAW;
    write_tiny("resnet50", checkpoint);
    assert_ok(lanert_convert(checkpoint, path, &options, &err));
    json_t *source = inspected(checkpoint), *o = inspected(path), *metadata = json_object_get(o, "metadata");
    assert_string_equal(text_at(o, "kind"), "lanert model");
    assert_string_equal(text_at(o, "arch"), "resnet50");
    assert_string_equal(text_at(o, "problem"), "(none)");
    assert_int_equal(number_at(o, "opset"), 17);
    assert_string_equal(text_at(metadata, "lanert.preset"), "tusimple");
    assert_string_equal(text_at(metadata, "lanert.precision"), "fp16");
    assert_string_equal(text_at(metadata, "lanert.outputs"), "raw");
    assert_string_equal(text_at(metadata, "lanert.source_sha256"), text_at(source, "sha256"));
    const json_t *raw = json_array_get(json_object_get(o, "outputs"), 0);
    assert_string_equal(text_at(raw, "name"), "raw");
    assert_string_equal(text_at(raw, "type"), "float32");
    assert_string_equal(json_string_value(json_array_get(json_object_get(raw, "shape"), 0)), "N");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(raw, "shape"), 1)), TINY_PRIORS);
    json_decref(o);
    json_decref(source);
}

/* Its metadata may hold anything. */
static void tells_of_another_onnx(void **state)
{
    (void)state;
    lanert_error err;
    graph *g;
    char big[5000];
    const char *path = temp_path(folder, "other.onnx");
    memset(big, 'b', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_ok(graph_open(&g, &err));
    value x = graph_input(g, "x", ONNX_F32, 4, DIMS(-1, 3, 640, 640));
    graph_output(g, x, "boxes", ONNX_F32, 2, DIMS(-1, 84));
    graph_metadata(g, "big", "%s", big);
    graph_metadata(g, "latin", "stra\xdf\x65");
    graph_metadata(g, "\xe4", "\xc3\xa4");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_ok(graph_write(g, f, path, &err));
    fclose(f);
    graph_close(&g);

    json_t *o = inspected(path), *metadata = json_object_get(o, "metadata");
    assert_string_equal(text_at(o, "kind"), "onnx");
    assert_string_equal(text_at(o, "producer"), "lanert");
    assert_non_null(strstr(text_at(o, "problem"), "no export of CLRNet"));
    assert_int_equal(strlen(text_at(metadata, "big")), 2000);
    assert_string_equal(text_at(metadata, "latin"), "stra?e");
    assert_string_equal(text_at(metadata, "?"), "\xc3\xa4");
    json_decref(o);
}

static void refuses_other_files(void **state)
{
    (void)state;
    lanert_error err;
    char *text = NULL;
    static const struct {
        const char *bytes;
        size_t size;
        int code;
        const char *words;
    } files[] = {
        {"hello, lanes", 12, LANERT_EFORMAT, "is text"},
        {"", 0, LANERT_EFORMAT, "is empty"},
        {"PK\3\4hello, lanes", 16, LANERT_EFORMAT, "begins as a zip"},
        {"\x80\4\x95", 3, LANERT_EUNSUPPORTED, "is a pickle"},
        {"\x89PNG\r\n", 6, LANERT_EFORMAT, "is a PNG picture"},
        {"\1\2\3", 3, LANERT_EFORMAT, "no whole ONNX model"},
        {"\x08\x08", 2, LANERT_EFORMAT, "no whole ONNX model"},
    };
    const char *path = temp_path(folder, "notes.txt");
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        assert_ok(file_write(path, files[i].bytes, files[i].size, true, &err));
        assert_fails(lanert_inspect(path, &text, &err), files[i].code, files[i].words);
    }
    assert_fails(lanert_inspect(temp_path(folder, "none"), &text, &err), LANERT_ENOTFOUND, "none");
    assert_fails(lanert_inspect(NULL, &text, &err), LANERT_EINVAL, "NULL");
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_of_a_checkpoint),
        cmocka_unit_test(tells_of_a_model),
        cmocka_unit_test(tells_of_another_onnx),
        cmocka_unit_test(refuses_other_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
