/* Frames to calibrate with. */
#include "quant/samples.h"

#include "base/memory.h"
#include "frame/preprocess.h"
#include "support/testing.h"

static lanert_error err;

static samples read_all(const char *const *sources, int count, int wanted)
{
    samples s;
    assert_ok(samples_read(sources, count, wanted, lanert_preset_find("culane"), NULL, NULL, &s, &err));
    return s;
}

/* Of 10 frames, 5 are every other one, as the detector would see them. */
static void spreads_evenly(void **state)
{
    (void)state;
    static const char *const source[] = {"synthetic:frames=10,size=320x240"};
    samples s = read_all(source, 1, 5);
    lanert_source *all;
    lanert_frame frame;
    preprocess *pre;
    uint8_t *pixels = malloc(SAMPLE_BYTES);
    assert_non_null(pixels);
    assert_int_equal(s.count, 5);
    assert_ok(lanert_source_open(source[0], &all, &err));
    assert_ok(preprocess_open(LANERT_LINEAR, &pre, &err));
    for (int i = 0; i < 10; i++) {
        assert_ok(lanert_source_read(all, &frame, &err));
        assert_ok(preprocess_run(pre, &frame, 270 * 240 / 590, NET_WIDTH, NET_HEIGHT, pixels, &err));
        if (i % 2)
            assert_memory_equal(samples_at(&s, i / 2), pixels, SAMPLE_BYTES);
    }
    preprocess_close(&pre);
    lanert_source_close(&all);
    samples_free(&s);
    free(pixels);
}

static void takes_of_each_source(void **state)
{
    (void)state;
    static const char *const sources[] = {"synthetic:frames=2,size=64x64", "synthetic:seed=2,frames=90,size=64x64",
                                          "synthetic:seed=3,frames=90,size=64x64"};
    samples s = read_all(sources, 3, 12); /* of the first, all that it has */
    assert_int_equal(s.count, 10);
    samples_free(&s);
}

static int end_at_3(void *context, int64_t done, int64_t total)
{
    assert_int_equal(total, 8);
    *(int64_t *)context = done;
    return done == 3;
}

static void ends_when_asked(void **state)
{
    (void)state;
    static const char *const sources[] = {"synthetic:frames=4,size=64x64", "synthetic:frames=4,size=64x64"};
    int64_t seen = 0;
    samples s;
    assert_int_equal(samples_read(sources, 2, 8, lanert_preset_find("culane"), end_at_3, &seen, &s, &err), LANERT_END);
    assert_int_equal(seen, 3);
    assert_null(s.pixels);
}

static void refuses_what_is_not_there(void **state)
{
    (void)state;
    static const char *const source[] = {"no-such-folder/none.mp4"};
    samples s;
    assert_fails(samples_read(source, 1, 8, lanert_preset_find("culane"), NULL, NULL, &s, &err), LANERT_ENOTFOUND,
                 "none.mp4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spreads_evenly),
        cmocka_unit_test(takes_of_each_source),
        cmocka_unit_test(ends_when_asked),
        cmocka_unit_test(refuses_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
