/* The pipeline on drawn frames and the null engine: order, stopping, failures, dropping, and no allocation. */
#include <stdatomic.h>
#include <unistd.h>

#include "detect/null_model.h"
#include "support/testing.h"

static lanert_error err;
static null_model model;

/* Every allocation of our own code comes through these (the linker's --wrap); libraries' own do not. */
static atomic_long allocations;
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    allocations++;
    return __real_aligned_alloc(alignment, size);
}

typedef struct seen {
    int64_t results, last_index;
    int stop_after, fail_after, slow_us;
    bool in_order, ask_to_stop;
    long allocations_at_warm, allocations_at_end;
    int warm;
} seen;

static int on_result(void *context, const lanert_frame *frame, const lanert_result *result, lanert_error *e)
{
    seen *s = context;
    s->in_order = s->in_order && frame->index > s->last_index;
    s->last_index = frame->index;
    s->results++;
    if (s->results == s->warm)
        s->allocations_at_warm = allocations;
    s->allocations_at_end = allocations;
    s->ask_to_stop = s->stop_after && s->results >= s->stop_after;
    if (s->slow_us)
        usleep((useconds_t)s->slow_us);
    assert_int_equal(result->count, 1);
    assert_true(result->latency_ms > 0);
    assert_true(result->read_ms > 0);
    return s->fail_after && s->results >= s->fail_after ? error_set(e, LANERT_EIO, "no more room") : 0;
}

static int should_stop(void *context)
{
    return ((seen *)context)->ask_to_stop;
}

static int run(const char *spec, int batch, seen *s, lanert_stats *stats)
{
    lanert_detector_options o;
    lanert_detector *det;
    lanert_source *source;
    lanert_run_options r = {.on_result = on_result, .should_stop = should_stop, .context = s};
    lanert_detector_defaults(&o);
    o.engine = "null";
    o.batch = batch;
    s->in_order = true;
    s->last_index = -1;
    assert_ok(detector_open(&model.info, &o, &det, &err));
    assert_ok(lanert_source_open(spec, &source, &err));
    int rc = lanert_run(det, source, &r, stats, &err);
    lanert_source_close(&source);
    lanert_detector_close(&det);
    return rc;
}

static int setup(void **state)
{
    (void)state;
    null_model_raw(&model);
    null_model_lane(model.raw, 0.5f, 0.9f);
    return 0;
}

static void nothing_of_a_file_is_dropped(void **state)
{
    (void)state;
    lanert_stats stats;
    for (int batch = 1; batch <= 8; batch += 7) {
        seen s = {.slow_us = 2000};
        assert_ok(run("synthetic:frames=61,size=160x90", batch, &s, &stats));
        assert_int_equal(s.results, 61);
        assert_true(s.in_order);
        assert_int_equal(stats.frames, 61);
        assert_int_equal(stats.dropped, 0);
        assert_int_equal(stats.lanes, 61);
        assert_true(stats.latency_p50_ms > 0 && stats.latency_p99_ms <= stats.latency_max_ms);
    }
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    lanert_stats stats;
    for (int batch = 1; batch <= 4; batch += 3) {
        seen s = {.warm = 40};
        assert_ok(run("synthetic:frames=200,size=320x180", batch, &s, &stats));
        assert_int_equal(s.allocations_at_end, s.allocations_at_warm);
        assert_true(s.allocations_at_end > 0); /* the counting works */
    }
}

static void a_stop_delivers_what_was_on_its_way(void **state)
{
    (void)state;
    lanert_stats stats;
    seen s = {.stop_after = 5};
    assert_ok(run("synthetic:frames=1000000,size=160x90", 1, &s, &stats));
    assert_true(s.results >= 5 && s.results < 100);
    assert_true(s.in_order);
}

static void the_callers_failure_ends_the_run(void **state)
{
    (void)state;
    lanert_stats stats;
    seen s = {.fail_after = 3};
    assert_fails(run("synthetic:frames=1000000,size=160x90", 1, &s, &stats), LANERT_EIO, "no more room");
    assert_int_equal(s.results, 3);
}

static void an_engines_failure_ends_the_run(void **state)
{
    (void)state;
    lanert_stats stats;
    seen s = {0};
    model.script.fail_at = 10;
    assert_int_equal(run("synthetic:frames=1000000,size=160x90", 1, &s, &stats), LANERT_EENGINE);
    assert_int_equal(s.results, 9);
}

static void live_keeps_the_newest_and_counts_the_rest(void **state)
{
    (void)state;
    lanert_stats stats;
    seen s = {0};
    model.script.delay_us = 50000;
    assert_ok(run("synthetic:frames=60,rate=100,size=160x90,live=1", 1, &s, &stats));
    assert_true(s.in_order);
    assert_true(stats.dropped > 0);
    assert_int_equal(s.results + stats.dropped, 60); /* none is lost without being counted */
    assert_int_equal(s.last_index, 59);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_of_a_file_is_dropped, setup),
        cmocka_unit_test_setup(steady_state_allocates_nothing, setup),
        cmocka_unit_test_setup(a_stop_delivers_what_was_on_its_way, setup),
        cmocka_unit_test_setup(the_callers_failure_ends_the_run, setup),
        cmocka_unit_test_setup(an_engines_failure_ends_the_run, setup),
        cmocka_unit_test_setup(live_keeps_the_newest_and_counts_the_rest, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
