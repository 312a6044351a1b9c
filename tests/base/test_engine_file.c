#include "base/engine_file.h"

#include "support/testing.h"
#include "support/tiny_onnx.h"

static lanert_error err;
static const char plan[] = "a plan, of any bytes \n\0\xff";

static const engine_stamp stamp = {.tensorrt = "10.16.1",
                                   .gpu = "NVIDIA GeForce RTX 4060",
                                   .capability = "8.9",
                                   .driver = "13.0",
                                   .precision = "fp16",
                                   .workspace_mb = 1024,
                                   .min_batch = 1,
                                   .opt_batch = 2,
                                   .max_batch = 8,
                                   .version_compatible = true};

/* Writes the tiny model and the plan, with that stamp, and maps the file. */
static void write_file(const engine_stamp *s, file_map *map)
{
    message model = tiny_onnx("Mul");
    engine_file f = {model.bytes, (const uint8_t *)plan, model.size, sizeof plan, *s};
    file_writer w;
    assert_ok(file_writer_open(temp_path(folder, "x.engine"), true, &w, &err));
    assert_ok(engine_file_write(&f, &w, &err));
    assert_ok(file_map_open(temp_path(folder, "x.engine"), 0, map, &err));
}

static void what_is_written_is_read(void **state)
{
    message model = tiny_onnx("Mul");
    file_map map;
    engine_file f;
    (void)state;
    write_file(&stamp, &map);
    assert_ok(engine_file_read(map.data, map.size, &f, &err));
    assert_ok(engine_file_check(&f, &err));
    assert_int_equal(f.model_size, model.size);
    assert_memory_equal(f.model, model.bytes, model.size);
    assert_int_equal(f.plan_size, sizeof plan);
    assert_memory_equal(f.plan, plan, sizeof plan);
    assert_string_equal(f.stamp.gpu, stamp.gpu);
    assert_int_equal(f.stamp.workspace_mb, 1024);
    assert_int_equal(f.stamp.opt_batch, 2);
    assert_true(f.stamp.version_compatible);
    assert_int_equal(strlen(f.stamp.plan), 64);
    file_map_close(&map);
    assert_true(engine_file_is_named("a/x.engine"));
    assert_false(engine_file_is_named("a.engine/x.onnx"));
    assert_false(engine_file_is_named(".engine"));
}

static void a_model_alone_has_no_plan(void **state)
{
    message model = tiny_onnx("Mul");
    engine_file f;
    (void)state;
    assert_ok(engine_file_read(model.bytes, model.size, &f, &err));
    assert_null(f.plan);
    assert_int_equal(f.model_size, model.size);
    assert_ok(engine_file_read("", 0, &f, &err));
    assert_null(f.plan);
}

/* A file cut anywhere is damaged, or the model without its plan. */
static void cut_files_are_refused(void **state)
{
    message model = tiny_onnx("Mul");
    file_map map;
    engine_file f;
    (void)state;
    write_file(&stamp, &map);
    for (size_t size = model.size; size < map.size; size++) {
        int rc = engine_file_read(map.data, size, &f, &err);
        assert_int_equal(rc, size == model.size ? 0 : LANERT_EFORMAT);
    }
    file_map_close(&map);
}

static void changed_bytes_are_found(void **state)
{
    file_map map;
    engine_file f;
    (void)state;
    write_file(&stamp, &map);
    uint8_t *bytes = malloc(map.size);
    assert_non_null(bytes);
    for (size_t i = 0; i < map.size; i++) {
        memcpy(bytes, map.data, map.size);
        bytes[i] ^= 1;
        int rc = engine_file_read(bytes, map.size, &f, &err);
        if (!rc && f.plan && !(rc = engine_file_check(&f, &err)))
            assert_string_not_equal(f.stamp.gpu, ""); /* a bit of the stamp's own texts is another stamp */
        assert_true(!rc || rc == LANERT_EFORMAT);
    }
    free(bytes);
    file_map_close(&map);
}

static void stamps_out_of_range_are_refused(void **state)
{
    (void)state;
#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        engine_stamp s = stamp;                                                                                        \
        file_map map;                                                                                                  \
        engine_file f;                                                                                                 \
        change;                                                                                                        \
        write_file(&s, &map);                                                                                          \
        assert_fails(engine_file_read(map.data, map.size, &f, &err), LANERT_EFORMAT, "stamp");                         \
        file_map_close(&map);                                                                                          \
    } while (0)
    REFUSED(s.min_batch = 0);
    REFUSED(s.min_batch = 3);
    REFUSED(s.opt_batch = 9);
    REFUSED(s.max_batch = 65);
    REFUSED(s.max_batch = 1000);
    REFUSED(s.workspace_mb = -1);
    REFUSED(s.workspace_mb = ENGINE_MAX_WORKSPACE_MB + 1);
    REFUSED(strcpy(s.gpu, "two\nlines=1"));
    REFUSED(strcpy(s.gpu, "bell\a"));
    REFUSED(strcpy(s.gpu, ""));
#undef REFUSED
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),         cmocka_unit_test(a_model_alone_has_no_plan),
        cmocka_unit_test(cut_files_are_refused),           cmocka_unit_test(changed_bytes_are_found),
        cmocka_unit_test(stamps_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
