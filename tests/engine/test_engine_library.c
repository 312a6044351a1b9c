/* test_engine_library.c - where libraries are looked for, with a library of this machine under other names. */
#include "engine/engine_library.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/testing.h"

static lanert_error err;

/* Copies the shared library that holds cmocka to `to` under the folder. */
static void put_library(const char *folder, const char *to)
{
    Dl_info info;
    void *symbol = dlsym(RTLD_DEFAULT, "_cmocka_run_group_tests");
    file_map map;
    if (!symbol || !dladdr(symbol, &info))
        skip();
    assert_ok(file_map_open(info.dli_fname, 0, &map, &err));
    assert_ok(file_write(temp_path(folder, to), map.data, map.size, true, &err));
    file_map_close(&map);
}

static int set_up(void **state)
{
    *state = (void *)temp_folder();
    return setenv("LANERT_ENGINES", *state, 1);
}

static int tear_down(void **state)
{
    temp_folder_remove(*state);
    return unsetenv("LANERT_ENGINES");
}

static void opens(const char *folder, const char *expected)
{
    engine_library lib;
    assert_ok(engine_library_open("engine", "libthing.so", "libthing.so.1", &lib, &err));
    assert_string_equal(lib.path, temp_path(folder, expected));
    engine_library_close(&lib);
    assert_null(lib.handle);
    engine_library_close(&lib);
}

static void is_found_in_the_folder_named(void **state)
{
    put_library(*state, "libthing.so.1");
    opens(*state, "libthing.so.1");
    put_library(*state, "engine/libthing.so.1");
    opens(*state, "engine/libthing.so.1");
    put_library(*state, "engine/lib/libthing.so");
    opens(*state, "engine/lib/libthing.so");
}

static void highest_version_is_taken(void **state)
{
    put_library(*state, "libthing.so.9");
    put_library(*state, "libthing.so.10.1");
    put_library(*state, "libthing.so.10");
    put_library(*state, "libthing.sofar");
    put_library(*state, "libthings.so.99");
    opens(*state, "libthing.so.10.1");
}

static void functions_are_found_by_name(void **state)
{
    engine_library lib;
    int (*run)(const char *, const struct CMUnitTest *, size_t, CMFixtureFunction, CMFixtureFunction) = NULL;
    put_library(*state, "libthing.so");
    assert_ok(engine_library_open("engine", "libthing.so", "libthing.so.1", &lib, &err));
    assert_ok(engine_library_function(&lib, "_cmocka_run_group_tests", &run, &err));
    assert_non_null(run);
    assert_fails(engine_library_function(&lib, "no_such_function", &run, &err), LANERT_EENGINE, "no_such_function");
    engine_library_close(&lib);
}

static void absence_says_what_to_do(void **state)
{
    engine_library lib;
    (void)state;
    assert_fails(engine_library_open("engine", "libthing.so", "libthing.so.1", &lib, &err), LANERT_ENOTFOUND,
                 "scripts/deps.sh");
    assert_null(lib.handle);
}

static void a_broken_library_says_so(void **state)
{
    engine_library lib;
    assert_ok(file_write(temp_path(*state, "libthing.so.1"), "no library", 10, true, &err));
    assert_fails(engine_library_open("engine", "libthing.so", "libthing.so.1", &lib, &err), LANERT_EENGINE,
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
