/* Frames that come at a pace, from a source that the test steps: the newest wins, late results are marked, and every
 * frame is accounted for however threads are scheduled. */
#include <math.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "detect/null_model.h"
#include "frame/source.h"
#include "support/testing.h"

static lanert_error err;
static null_model model;

/* ---- a source by script ------------------------------------------------------------------------- */

static struct script {
    bool live, pictures;
    int total, fail_at, bad_every; /* the frame that ends the source with an error; every n-th picture is bad */
    double rate;
    void (*on_read)(int index); /* before each, that of the end too */
    int given;                  /* frames and bad pictures handed out */
    atomic_bool interrupted;
} script;

static int script_open(const char *spec, void **self, lanert_source_info *info, lanert_error *e)
{
    (void)spec, (void)e;
    *self = &script;
    info->live = script.live;
    info->pictures = script.pictures;
    info->rate = script.rate;
    return 0;
}

static int script_read(void *self, picture *p, lanert_error *e)
{
    (void)self;
    if (script.on_read)
        script.on_read(script.given);
    if (script.given == script.total || script.interrupted)
        return LANERT_END;
    if (script.given == script.fail_at)
        return error_set(e, LANERT_ENOMEM, "the source is lost");
    int index = script.given++;
    if (script.bad_every && index % script.bad_every == 0)
        return error_set(e, LANERT_EFORMAT, "picture %d is bad", index);
    int rc = picture_resize(p, 64, 64, e);
    p->index = index;
    return rc;
}

static void script_interrupt(void *self)
{
    (void)self;
    script.interrupted = true;
}

static void script_close(void *self)
{
    (void)self;
}

static const source_ops script_ops = {"script", script_open, script_read, script_interrupt, NULL, script_close};

/* ---- a run --------------------------------------------------------------------------------------- */

static struct seen {
    int64_t indices[64], late;
    int results, bad, asked, stop_after, stop_at_ask, fail_after;
    bool in_order;
    double latency_ms;
    void (*on_result)(int64_t index);
} seen;

static void see(int64_t index)
{
    int n = seen.results + seen.bad;
    seen.in_order = seen.in_order && (n == 0 || index > seen.indices[n - 1]);
    seen.indices[n] = index;
}

static int on_result(void *context, const lanert_frame *frame, const lanert_result *result, lanert_error *e)
{
    (void)context;
    see(frame->index);
    seen.results++;
    seen.late += result->late;
    seen.latency_ms = result->latency_ms;
    if (seen.on_result)
        seen.on_result(frame->index);
    return seen.fail_after && seen.results >= seen.fail_after ? error_set(e, LANERT_EIO, "no more room") : 0;
}

static int on_bad_picture(void *context, const lanert_error *why)
{
    int index;
    (void)context;
    assert_int_equal(sscanf(why->text, "picture %d is bad", &index), 1);
    see(index);
    seen.bad++;
    return 0;
}

static int should_stop(void *context)
{
    (void)context;
    seen.asked++;
    return (seen.stop_after && seen.results >= seen.stop_after) || (seen.stop_at_ask && seen.asked >= seen.stop_at_ask);
}

static int run(lanert_detector *det, const lanert_run_options *options, lanert_stats *stats)
{
    lanert_run_options o = *options;
    lanert_source *source;
    o.on_result = on_result;
    o.on_bad_picture = on_bad_picture;
    o.should_stop = should_stop;
    seen.in_order = true;
    assert_ok(source_open_as("script", &script_ops, &source, &err));
    int rc = lanert_run(det, source, &o, stats, &err);
    lanert_source_close(&source);
    return rc;
}

static lanert_detector *open_detector(int batch)
{
    lanert_detector_options o;
    lanert_detector *det;
    lanert_detector_defaults(&o);
    o.engine = "null";
    o.batch = batch;
    assert_ok(detector_open(&model.info, &o, &det, &err));
    return det;
}

static int run_once(const lanert_run_options *options, lanert_stats *stats)
{
    lanert_detector *det = open_detector(1);
    int rc = run(det, options, stats);
    lanert_detector_close(&det);
    return rc;
}

static int setup(void **state)
{
    (void)state;
    null_model_raw(&model);
    null_model_lane(model.raw, 0.5f, 0.9f);
    memset(&script, 0, sizeof script);
    memset(&seen, 0, sizeof seen);
    script.fail_at = -1;
    return 0;
}

static void assert_seen(int count, const int64_t *indices)
{
    assert_int_equal(seen.results + seen.bad, count);
    assert_memory_equal(seen.indices, indices, (size_t)count * sizeof *indices);
}

/* ---- who wins, stepped -------------------------------------------------------------------------- */

static sem_t running, go_on;

static void wait_for(sem_t *s)
{
    while (sem_wait(s))
        ;
}

static void run_waits_once(void *context)
{
    (void)context;
    sem_post(&running);
    if (model.script.runs == 1)
        wait_for(&go_on);
}

static void six_while_the_first_is_inferred(int index)
{
    if (index == 1)
        wait_for(&running);
    if (index == 6)
        sem_post(&go_on);
}

/* The first frame is with the engine while five more come: the last of them is next. */
static void newest_frame_wins(void **state)
{
    (void)state;
    for (int paced = 0; paced < 2; paced++) {
        lanert_stats stats;
        setup(NULL);
        sem_init(&running, 0, 0);
        sem_init(&go_on, 0, 0);
        script.live = !paced;
        script.total = 6;
        script.on_read = six_while_the_first_is_inferred;
        model.script.on_run = run_waits_once;
        assert_ok(run_once(&(lanert_run_options){.rate = paced ? 1e6 : 0}, &stats));
        assert_seen(2, (int64_t[]){0, 5});
        assert_int_equal(stats.received, 6);
        assert_int_equal(stats.frames, 2);
        assert_int_equal(stats.dropped, 4);
    }
}

static void run_tells(void *context)
{
    (void)context;
    sem_post(&running);
}

static void first_result_is_slow(int64_t index)
{
    if (index == 0)
        wait_for(&go_on);
}

static void six_while_the_first_is_written(int index)
{
    if (index == 1 || index == 2)
        wait_for(&running);
    if (index == 6)
        sem_post(&go_on);
}

/* While the caller has the first, the second is made ready; the engine then waits, not the frames. */
static void no_frame_ages_behind_a_slow_caller(void **state)
{
    (void)state;
    lanert_stats stats;
    sem_init(&running, 0, 0);
    sem_init(&go_on, 0, 0);
    script.live = true;
    script.total = 6;
    script.on_read = six_while_the_first_is_written;
    model.script.on_run = run_tells;
    seen.on_result = first_result_is_slow;
    assert_ok(run_once(&(lanert_run_options){0}, &stats));
    assert_seen(3, (int64_t[]){0, 1, 5});
    assert_int_equal(stats.dropped, 3);
}

/* ---- lateness ------------------------------------------------------------------------------------ */

static void results_past_the_deadline_are_marked(void **state)
{
    (void)state;
    lanert_stats stats;
    script.live = true;
    script.total = 5;
    assert_ok(run_once(&(lanert_run_options){.deadline_ms = 1e-6}, &stats));
    assert_true(stats.frames > 0 && stats.late == stats.frames && seen.late == stats.late);
    setup(NULL);
    script.total = 5;
    assert_ok(run_once(&(lanert_run_options){.deadline_ms = 1e9, .rate = 1000}, &stats));
    assert_true(stats.frames > 0 && stats.late == 0 && seen.late == 0);
}

static void second_run_tells(void *context)
{
    (void)context;
    sem_post(model.script.runs == 1 ? &running : &go_on);
}

static void second_waits_for_the_first(int index)
{
    if (index == 1)
        wait_for(&running);
}

static void first_result_takes_30_ms_more(int64_t index)
{
    if (index != 0)
        return;
    wait_for(&go_on);
    usleep(30000);
}

/* While the caller has the first, the second comes, and its result waits: that counts. */
static void latency_is_from_arrival_to_delivery(void **state)
{
    (void)state;
    lanert_stats stats;
    sem_init(&running, 0, 0);
    sem_init(&go_on, 0, 0);
    script.live = true;
    script.total = 2;
    script.on_read = second_waits_for_the_first;
    model.script.on_run = second_run_tells;
    seen.on_result = first_result_takes_30_ms_more;
    assert_ok(run_once(&(lanert_run_options){.deadline_ms = 20}, &stats));
    assert_seen(2, (int64_t[]){0, 1});
    assert_true(seen.late >= 1 && seen.latency_ms > 20 && stats.latency_max_ms >= seen.latency_ms);
}

static int runs_before_the_source;

static void note_runs(int index)
{
    if (index == 0)
        runs_before_the_source = model.script.runs;
}

/* Slow are two that warm up and four of the nine that are measured: the median is of the others. Then, slower still,
 * the only frame. */
static void most_runs_are_slow(void *context)
{
    (void)context;
    usleep(model.script.runs <= 6 ? 100000 : model.script.runs <= 11 ? 1000 : 600000);
}

static void a_deadline_follows_from_the_detectors_speed(void **state)
{
    (void)state;
    lanert_stats stats;
    script.live = true;
    script.total = 1;
    script.on_read = note_runs;
    model.script.on_run = most_runs_are_slow;
    assert_ok(run_once(&(lanert_run_options){.deadline_ms = LANERT_AUTO_DEADLINE}, &stats));
    assert_int_equal(runs_before_the_source, 11);
    assert_int_equal(model.script.runs, 12);
    assert_true(stats.deadline_ms >= LANERT_DEADLINE_TIMES * 1 && stats.deadline_ms < LANERT_DEADLINE_TIMES * 100);
    assert_int_equal(stats.received, 1);
    assert_int_equal(stats.late, 1);
    assert_int_equal(seen.late, 1);
}

static void third_run_takes_a_second(void *context)
{
    (void)context;
    if (model.script.runs == 3)
        usleep(1010000);
}

static void a_slow_detector_is_not_measured_for_long(void **state)
{
    (void)state;
    lanert_stats stats;
    script.total = 1;
    script.on_read = note_runs;
    model.script.on_run = third_run_takes_a_second;
    assert_ok(run_once(&(lanert_run_options){.rate = 1, .deadline_ms = LANERT_AUTO_DEADLINE}, &stats));
    assert_int_equal(runs_before_the_source, 2 + 3);
}

static void a_stop_ends_the_measuring(void **state)
{
    (void)state;
    lanert_stats stats;
    script.total = 1;
    seen.stop_at_ask = 5;
    assert_ok(run_once(&(lanert_run_options){.rate = 1, .deadline_ms = LANERT_AUTO_DEADLINE}, &stats));
    assert_in_range(model.script.runs, 4, 5); /* a frame that was read before the stop is delivered */
    assert_int_equal(stats.received, stats.frames);
}

static void files_have_no_deadline_of_their_own(void **state)
{
    (void)state;
    lanert_stats stats;
    script.total = 3;
    assert_ok(run_once(&(lanert_run_options){.deadline_ms = LANERT_AUTO_DEADLINE}, &stats));
    assert_true(stats.deadline_ms == 0 && stats.late == 0 && stats.frames == 3);
    assert_int_equal(model.script.runs, 3);
}

static void a_paced_file_takes_its_time(void **state)
{
    (void)state;
    lanert_stats stats;
    script.total = 11;
    script.rate = 100;
    assert_ok(run_once(&(lanert_run_options){.rate = LANERT_OWN_RATE}, &stats));
    assert_int_equal(stats.received, 11);
    assert_true(stats.elapsed_s >= 0.1); /* ten gaps of 10 ms */
}

static void a_stop_ends_a_wait(void **state)
{
    (void)state;
    lanert_stats stats;
    script.total = 11;
    seen.stop_after = 1;
    assert_ok(run_once(&(lanert_run_options){.rate = 0.001}, &stats)); /* the next frame is due in 1000 s */
    assert_true(stats.elapsed_s < 100);
    assert_seen(2, (int64_t[]){0, 1}); /* what was read is delivered */
}

static void pace_and_deadline_must_fit_the_source(void **state)
{
    (void)state;
    lanert_stats stats;
    script.total = 1;
    const lanert_run_options wrong[] = {{.rate = -2},
                                        {.rate = 1e7},
                                        {.rate = 1e-9},
                                        {.rate = NAN},
                                        {.deadline_ms = -2},
                                        {.deadline_ms = NAN},
                                        {.rate = 1, .deadline_ms = INFINITY},
                                        {.deadline_ms = 10}};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_fails(run_once(&wrong[i], &stats), LANERT_EINVAL, "");
        assert_int_equal(stats.received, 0);
    }
    assert_fails(run_once(&(lanert_run_options){.rate = LANERT_OWN_RATE}, &stats), LANERT_EINVAL, "no frame rate");
    script.live = true;
    assert_fails(run_once(&(lanert_run_options){.rate = 30}, &stats), LANERT_EINVAL, "is live");
}

/* ---- any schedule -------------------------------------------------------------------------------- */

/* Each thread dawdles in its own way. */
static void dawdle(unsigned *state)
{
    int what = rand_r(state) % 8;
    if (what == 0)
        usleep((useconds_t)(rand_r(state) % 300));
    for (int i = 0; what == 1 && i < 20; i++)
        sched_yield();
}

static unsigned reader_state, engine_state, caller_state;

static void reader_dawdles(int index)
{
    (void)index;
    dawdle(&reader_state);
}

static void engine_dawdles(void *context)
{
    (void)context;
    dawdle(&engine_state);
}

static void caller_dawdles(int64_t index)
{
    (void)index;
    dawdle(&caller_state);
}

static lanert_run_options draw_schedule(unsigned *state)
{
    lanert_run_options o = {0};
    int kind = rand_r(state) % 3, end = rand_r(state) % 6, deadline = rand_r(state) % 12;
    setup(NULL);
    reader_state = (unsigned)rand_r(state);
    engine_state = (unsigned)rand_r(state);
    caller_state = (unsigned)rand_r(state);
    script.on_read = reader_dawdles;
    script.total = rand_r(state) % 16;
    script.live = kind == 1;
    if (kind == 2)
        o.rate = rand_r(state) % 2 ? 1e6 : 5e3;
    if (kind && deadline < 3)
        o.deadline_ms = (const double[]){LANERT_AUTO_DEADLINE, 1e-6, 0.3}[deadline];
    script.pictures = rand_r(state) % 4 == 0;
    script.bad_every = script.pictures ? 1 + rand_r(state) % 4 : 0;
    model.script.on_run = engine_dawdles;
    seen.on_result = caller_dawdles;
    int when = 1 + rand_r(state) % 8;
    if (end == 0)
        script.fail_at = when;
    if (end == 1)
        model.script.fail_at = when;
    if (end == 2)
        seen.fail_after = when;
    if (end == 3)
        seen.stop_after = when;
    return o;
}

static void assert_accounted_for(const lanert_stats *s, int rc, bool live)
{
    assert_true(seen.in_order);
    assert_int_equal(s->received, script.given);
    assert_int_equal(s->received, s->frames + s->dropped + s->skipped);
    assert_int_equal(s->frames, seen.results);
    assert_int_equal(s->skipped, seen.bad);
    assert_int_equal(s->late, seen.late);
    assert_true(s->late <= (s->deadline_ms > 0 ? s->frames : 0));
    if (!rc && !seen.stop_after)
        assert_int_equal(s->received, script.total);
    if (!rc && !live)
        assert_int_equal(s->dropped, 0);
    if (!rc && s->received) /* the newest is never the one that is dropped */
        assert_int_equal(seen.indices[seen.results + seen.bad - 1], script.given - 1);
}

static void every_frame_is_accounted_for(void **state)
{
    (void)state;
    lanert_detector *detectors[3];
    unsigned random = 20;
    int64_t dropped = 0, failed = 0, late = 0, in_time = 0;
    for (int i = 0; i < 3; i++)
        detectors[i] = open_detector(i + 1);
    for (int i = 0; i < 3000; i++) {
        lanert_stats stats;
        lanert_run_options o = draw_schedule(&random);
        int rc = run(detectors[rand_r(&random) % 3], &o, &stats);
        assert_accounted_for(&stats, rc, script.live || o.rate > 0);
        dropped += stats.dropped;
        failed += rc != 0;
        late += stats.late;
        in_time += stats.deadline_ms > 0 ? stats.frames - stats.late : 0;
    }
    assert_true(dropped > 1000 && failed > 500 && late > 100 && in_time > 100); /* the schedules did something */
    for (int i = 0; i < 3; i++)
        lanert_detector_close(&detectors[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(newest_frame_wins, setup),
        cmocka_unit_test_setup(no_frame_ages_behind_a_slow_caller, setup),
        cmocka_unit_test_setup(results_past_the_deadline_are_marked, setup),
        cmocka_unit_test_setup(latency_is_from_arrival_to_delivery, setup),
        cmocka_unit_test_setup(a_deadline_follows_from_the_detectors_speed, setup),
        cmocka_unit_test_setup(a_slow_detector_is_not_measured_for_long, setup),
        cmocka_unit_test_setup(a_stop_ends_the_measuring, setup),
        cmocka_unit_test_setup(files_have_no_deadline_of_their_own, setup),
        cmocka_unit_test_setup(a_paced_file_takes_its_time, setup),
        cmocka_unit_test_setup(a_stop_ends_a_wait, setup),
        cmocka_unit_test_setup(pace_and_deadline_must_fit_the_source, setup),
        cmocka_unit_test_setup(every_frame_is_accounted_for, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
