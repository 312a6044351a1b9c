/* A conversion, an inspection and an opening in which memory runs out, at ever later points: each fails as it should,
 * and leaves nothing behind. Linked with malloc, calloc and realloc wrapped; AddressSanitizer finds what leaks. */
#include "support/testing.h"
#include "support/tiny_clrnet.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

/* Allocations until one fails; below 0: none does. */
static long until_failure = -1;

static bool fails_now(void)
{
    return until_failure >= 0 && until_failure-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails_now() ? NULL : __real_realloc(p, size);
}

static int convert(lanert_error *err)
{
    lanert_convert_options o;
    lanert_convert_defaults(&o);
    o.preset = "culane";
    o.precision = LANERT_FP16;
    return lanert_convert(temp_path(folder, "net.pth"), temp_path(folder, "net.onnx"), &o, err);
}

static int open_model(lanert_error *err)
{
    lanert_model *m;
    int rc = lanert_model_open(temp_path(folder, "net.onnx"), NULL, &m, err);
    lanert_model_close(&m);
    return rc;
}

/* Runs `call` with the n-th allocation failing, for n from 0 on until it succeeds; later ones with gaps. */
static long each_failure(int (*call)(lanert_error *))
{
    lanert_error err;
    long n = 0;
    for (;; n += 1 + n / 25) {
        until_failure = n;
        int rc = call(&err);
        bool failed = until_failure < 0;
        until_failure = -1;
        if (!failed)
            break;
        if (rc != LANERT_ENOMEM)
            fail_msg("allocation %ld failed, and the call gave %s", n, lanert_error_name(rc));
        assert_false(call == convert && file_exists(temp_path(folder, "net.onnx")));
    }
    return n;
}

static void runs_out_of_memory(void **state)
{
    (void)state;
    lanert_error err;
    tiny_clrnet t;
    assert_ok(tiny_clrnet_open("resnet18", &t, &err));
    assert_ok(tiny_clrnet_write(&t, temp_path(folder, "net.pth"), &err));
    tiny_clrnet_close(&t);
    assert_true(each_failure(convert) > 1000);
    assert_true(each_failure(open_model) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(runs_out_of_memory)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
