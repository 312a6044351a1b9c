/* test_engine_library.c - where libraries are looked for, with a library of this machine under other names. */
#include "engine/engine_library.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/testing.h"

static lanert_error err;

/* Copies the shared library that holds cmocka to `to` in the folder. */
static void put_library(const char *to)
{
    Dl_info info;
    void *symbol = dlsym(RTLD_DEFAULT, "_cmocka_run_group_tests");
    file_map map;
    if (!symbol || !dladdr(symbol, &info))
        skip();
    assert_ok(file_map_open(info.dli_fname, 0, &map, &err));
    put_file(to, map.data, map.size);
    file_map_close(&map);
}

static int set_up(void **state)
{
    return make_folder(state) || setenv("LANERT_ENGINES", folder, 1);
}

static int tear_down(void **state)
{
    return remove_folder(state) || unsetenv("LANERT_ENGINES");
}

static void opens(const char *expected)
{
    engine_library lib;
    assert_ok(engine_library_open("engine", "libthing.so", "libthing.so.1", "do this", &lib, &err));
    assert_string_equal(lib.path, temp_path(folder, expected));
    engine_library_close(&lib);
    assert_null(lib.handle);
    engine_library_close(&lib);
}

static void is_found_in_the_folder_named(void **state)
{
    (void)state;
    put_library("libthing.so.1");
    opens("libthing.so.1");
    put_library("engine/libthing.so.1");
    opens("engine/libthing.so.1");
    put_library("engine/lib/libthing.so");
    opens("engine/lib/libthing.so");
    assert_int_equal(setenv("LANERT_ENGINES", temp_path(folder, "/"), 1), 0);
    opens("engine/lib/libthing.so");
}

static void highest_version_is_taken(void **state)
{
    (void)state;
    put_library("libthing.so.9");
    put_library("libthing.so.10.1");
    put_library("libthing.so.10");
    put_library("libthing.sofar");
    put_library("libthings.so.99");
    opens("libthing.so.10.1");
}

static void functions_are_found_by_name(void **state)
{
    (void)state;
    engine_library lib;
    int (*run)(const char *, const struct CMUnitTest *, size_t, CMFixtureFunction, CMFixtureFunction) = NULL;
    put_library("libthing.so");
    assert_ok(engine_library_open("engine", "libthing.so", "libthing.so.1", "do this", &lib, &err));
    assert_ok(engine_library_function(&lib, "_cmocka_run_group_tests", &run, &err));
    assert_non_null(run);
    assert_fails(engine_library_function(&lib, "no_such_function", &run, &err), LANERT_EENGINE, "no_such_function");
    engine_library_close(&lib);
}

static void absence_says_what_to_do(void **state)
{
    (void)state;
    engine_library lib;
    (void)state;
    assert_fails(engine_library_open("engine", "libthing.so", "libthing.so.1", "do this", &lib, &err), LANERT_ENOTFOUND,
                 "libthing.so is not installed: do this");
    assert_null(lib.handle);
}

static void a_broken_library_says_so(void **state)
{
    (void)state;
    engine_library lib;
    put_text("libthing.so.1", "no library");
    assert_fails(engine_library_open("engine", "libthing.so", "libthing.so.1", "do this", &lib, &err), LANERT_EENGINE,
                 "libthing.so.1");
    assert_null(lib.handle);
}

static void sdk_texts_become_one_line(void **state)
{
    char text[4096];
    (void)state;
    engine_library_error(&err, LANERT_EENGINE, "compiling", "\n Exception:\n\t  Check failed \n\n");
    assert_string_equal(err.text, "compiling: Exception: Check failed");
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    assert_int_equal(engine_library_error(&err, LANERT_EFORMAT, "reading", text), LANERT_EFORMAT);
    assert_true(strlen(err.text) < sizeof err.text);
    assert_int_equal(engine_library_error(NULL, LANERT_EENGINE, "x", "y"), LANERT_EENGINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_found_in_the_folder_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(highest_version_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(functions_are_found_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(absence_says_what_to_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_library_says_so, set_up, tear_down),
        cmocka_unit_test(sdk_texts_become_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
