/* The detector on the null engine: what goes in, what comes out, and what happens when the network misbehaves. */
#include <math.h>

#include "detect/null_model.h"
#include "support/testing.h"

static lanert_error err;
static null_model model;
static uint8_t pixels[720 * 1280 * 3];

static lanert_frame make_frame(int width, int height)
{
    return (lanert_frame){.width = width, .height = height, .data = {pixels}, .stride = {width * 3}};
}

static lanert_detector *open_or_fail(const lanert_detector_options *options)
{
    lanert_detector *det;
    assert_ok(detector_open(&model.info, options, &det, &err));
    return det;
}

static lanert_detector_options options_null(void)
{
    lanert_detector_options o;
    lanert_detector_defaults(&o);
    o.engine = "null";
    return o;
}

static void lanes_come_in_the_frames_own_pixels(void **state)
{
    (void)state;
    lanert_detector_options o = options_null();
    lanert_result result;
    null_model_raw(&model);
    null_model_lane(model.raw + 7 * NET_COLUMNS, 0.25f, 0.9f);
    null_model_lane(model.raw + 3 * NET_COLUMNS, 0.75f, 0.6f);
    lanert_detector *det = open_or_fail(&o);
    lanert_frame frame = make_frame(1280, 720);
    assert_ok(lanert_detect(det, &frame, 1, &result, &err));
    assert_int_equal(result.count, 2);
    assert_float_equal(result.lanes[0].score, 0.9, 1e-5);
    assert_float_equal(result.lanes[0].points[0].x, 320, 1e-3);
    assert_float_equal(result.lanes[1].points[0].x, 960, 1e-3);
    assert_int_equal(result.lanes[0].count, LANERT_LANE_POINTS);
    /* The highest row is the cut, the lowest the picture's end: 270 of 590 rows. */
    assert_float_equal(result.lanes[0].points[0].y, 720.0 * 270 / 590, 1e-3);
    assert_float_equal(result.lanes[0].points[71].y, 720, 1e-3);
    lanert_detector_close(&det);
    assert_null(det);
    lanert_detector_close(&det);
}

/* As the network goes by them, in a checkpoint of 16 bits. */
static void rows_lie_where_the_model_says(void **state)
{
    (void)state;
    lanert_detector_options o = options_null();
    lanert_result result;
    null_model_raw(&model);
    null_model_lane(model.raw, 0.5f, 0.9f);
    model.info.prior_ys[1] = 0.984375f;
    lanert_detector *det = open_or_fail(&o);
    lanert_frame frame = make_frame(820, 590);
    assert_ok(lanert_detect(det, &frame, 1, &result, &err));
    assert_float_equal(result.lanes[0].points[71].y, 590, 1e-9);
    assert_float_equal(result.lanes[0].points[70].y, 270 + 320 * 0.984375, 1e-9);
    assert_float_equal(result.lanes[0].points[69].y, 270 + 320 * 69 / 71.0, 1e-4);
    lanert_detector_close(&det);
}

static void cut_is_overridden_as_a_fraction(void **state)
{
    (void)state;
    lanert_detector_options o = options_null();
    lanert_result result;
    null_model_raw(&model);
    null_model_lane(model.raw, 0.5f, 0.9f);
    o.cut = 0.25;
    lanert_detector *det = open_or_fail(&o);
    lanert_frame frame = make_frame(640, 480);
    assert_ok(lanert_detect(det, &frame, 1, &result, &err));
    assert_float_equal(result.lanes[0].points[0].y, 120, 1e-3);
    lanert_detector_close(&det);
}

static void thresholds_are_the_callers(void **state)
{
    (void)state;
    lanert_detector_options o = options_null();
    lanert_result result;
    lanert_frame frame = make_frame(640, 480);
    null_model_raw(&model);
    for (int i = 0; i < 8; i++)
        null_model_lane(model.raw + i * NET_COLUMNS, (float)i / 8, 0.9f - 0.1f * (float)i);
    static const struct {
        float conf;
        int max_lanes, expected;
    } cases[] = {{-1, -1, 4}, {0.65f, -1, 3}, {0.05f, 8, 8}, {-1, 2, 2}, {0, 16, 8}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        o.conf = cases[i].conf;
        o.max_lanes = cases[i].max_lanes;
        lanert_detector *det = open_or_fail(&o);
        assert_ok(lanert_detect(det, &frame, 1, &result, &err));
        assert_int_equal(result.count, cases[i].expected);
        lanert_detector_close(&det);
    }
}

static void batch_gives_each_frame_its_own_result(void **state)
{
    (void)state;
    lanert_detector_options o = options_null();
    lanert_result results[8];
    lanert_frame frames[8];
    null_model_raw(&model);
    null_model_lane(model.raw, 0.5f, 0.9f);
    o.batch = 8;
    for (int fixed = 0; fixed < 4; fixed++) { /* 0: dynamic */
        model.info.fixed_batch = fixed;
        lanert_detector *det = open_or_fail(&o);
        for (int n = 1; n <= 8; n++) {
            for (int i = 0; i < n; i++)
                frames[i] = make_frame(100 + 10 * i, 100);
            assert_ok(lanert_detect(det, frames, n, results, &err));
            for (int i = 0; i < n; i++) {
                assert_int_equal(results[i].count, 1);
                assert_float_equal(results[i].lanes[0].points[0].x, (100 + 10 * i) / 2.0, 1e-3);
            }
        }
        assert_fails(lanert_detect(det, frames, 9, results, &err), LANERT_EINVAL, "batch, 8");
        assert_fails(lanert_detect(det, frames, 0, results, &err), LANERT_EINVAL, "0 frames");
        lanert_detector_close(&det);
    }
}

/* As models of format 1 have it. */
static void a_count_of_int64_is_read(void **state)
{
    (void)state;
    lanert_detector_options o = options_null();
    lanert_result results[2];
    lanert_frame frames[] = {make_frame(800, 600), make_frame(800, 600)};
    int64_t count = 2;
    null_model_lanes(&model);
    model.script.outputs[1].type = TENSOR_I64;
    model.script.outputs[1].data = &count;
    null_model_lane(model.kept, 0.2f, 0.8f);
    null_model_lane(model.kept + NET_COLUMNS, 0.4f, 0.5f);
    o.batch = 2;
    lanert_detector *det = open_or_fail(&o);
    assert_ok(lanert_detect(det, frames, 2, results, &err));
    assert_int_equal(results[0].count, 2);
    assert_int_equal(results[1].count, 2);
    count = INT64_C(1) << 32 | 2;
    assert_fails(lanert_detect(det, frames, 2, results, &err), LANERT_EENGINE, "counts 4294967298 lanes of at most 4");
    lanert_detector_close(&det);
}

static void a_graphs_own_lanes_are_used(void **state)
{
    (void)state;
    lanert_detector_options o = options_null();
    lanert_detector *det;
    lanert_result result;
    lanert_frame frame = make_frame(800, 600);
    null_model_lanes(&model);
    null_model_lane(model.kept, 0.2f, 0.8f);
    null_model_lane(model.kept + NET_COLUMNS, 0.4f, 0.5f);
    model.count = 2;
    det = open_or_fail(&o);
    assert_ok(lanert_detect(det, &frame, 1, &result, &err));
    assert_int_equal(result.count, 2);
    assert_float_equal(result.lanes[1].points[3].x, 320, 1e-3);
    model.count = 5;
    assert_fails(lanert_detect(det, &frame, 1, &result, &err), LANERT_EENGINE, "counts 5 lanes of at most 4");
    model.count = -1;
    assert_fails(lanert_detect(det, &frame, 1, &result, &err), LANERT_EENGINE, "output holds NaN or infinity");
    model.count = -2;
    assert_fails(lanert_detect(det, &frame, 1, &result, &err), LANERT_EENGINE, "counts -2 lanes of at most 4");
    lanert_detector_close(&det);
    /* A stricter threshold is a prefix; a laxer one is not to be had. */
    model.count = 2;
    o.conf = 0.7f;
    det = open_or_fail(&o);
    assert_ok(lanert_detect(det, &frame, 1, &result, &err));
    assert_int_equal(result.count, 1);
    lanert_detector_close(&det);
    o.conf = 0.1f;
    assert_fails(detector_open(&model.info, &o, &det, &err), LANERT_EINVAL, "--outputs raw");
    o.conf = -1;
    o.nms_thres = 20;
    assert_fails(detector_open(&model.info, &o, &det, &err), LANERT_EINVAL, "--outputs raw");
    o.nms_thres = -1;
    o.max_lanes = 5;
    assert_fails(detector_open(&model.info, &o, &det, &err), LANERT_EINVAL, "--outputs raw");
}

static void a_head_that_lies_is_told(void **state)
{
    (void)state;
    lanert_detector_options o;
    lanert_detector *det;
    lanert_detector_defaults(&o);
    o.engine = "null";
    null_model_raw(&model);
    model.info.priors = NULL_PRIORS / 2;
    assert_fails(detector_open(&model.info, &o, &det, &err), LANERT_EFORMAT, "its head does not agree");
    assert_null(det);
    assert_non_null(strstr(err.text, "the model has float32[?,192,78]"));
}

static void a_broken_networks_output_is_told(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    lanert_detector_options o = options_null();
    lanert_result result;
    lanert_frame frame = make_frame(800, 600);
    for (int lanes_only = 0; lanes_only < 2; lanes_only++)
        for (size_t b = 0; b < ARRAY_LEN(bad); b++)
            for (int column = 0; column < NET_COLUMNS; column++) {
                (lanes_only ? null_model_lanes : null_model_raw)(&model);
                float *row = lanes_only ? model.kept : model.raw + 100 * NET_COLUMNS;
                model.count = 1;
                null_model_lane(row, 0.5f, 0.9f);
                row[column] = bad[b];
                lanert_detector *det = open_or_fail(&o);
                assert_fails(lanert_detect(det, &frame, 1, &result, &err), LANERT_EENGINE, "network's output holds");
                /* The detector stays usable. */
                null_model_lane(row, 0.5f, 0.9f);
                assert_ok(lanert_detect(det, &frame, 1, &result, &err));
                assert_int_equal(result.count, 1);
                lanert_detector_close(&det);
            }
}

static void an_unlikely_priors_overflow_does_no_harm(void **state)
{
    (void)state;
    lanert_detector_options o = options_null();
    lanert_result result;
    lanert_frame frame = make_frame(800, 600);
    null_model_raw(&model);
    null_model_lane(model.raw, 0.5f, 0.9f);
    model.raw[5 * NET_COLUMNS + 30] = INFINITY;
    lanert_detector *det = open_or_fail(&o);
    assert_ok(lanert_detect(det, &frame, 1, &result, &err));
    assert_int_equal(result.count, 1);
    lanert_detector_close(&det);
}

static void an_engines_failure_comes_through(void **state)
{
    (void)state;
    lanert_detector_options o = options_null();
    lanert_detector *det;
    lanert_result result;
    lanert_frame frame = make_frame(800, 600);
    null_model_raw(&model);
    model.script.fail_at = 2;
    det = open_or_fail(&o);
    assert_ok(lanert_detect(det, &frame, 1, &result, &err));
    assert_int_equal(lanert_detect(det, &frame, 1, &result, &err), LANERT_EENGINE);
    lanert_detector_close(&det);
    model.script.fail_open = 1;
    assert_int_equal(detector_open(&model.info, &o, &det, &err), LANERT_EENGINE);
    assert_null(det);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    lanert_detector *det;
    null_model_raw(&model);
#define REFUSED(field, value, part)                                                                                    \
    do {                                                                                                               \
        lanert_detector_options o = options_null();                                                                    \
        o.field = value;                                                                                               \
        assert_fails(detector_open(&model.info, &o, &det, &err), LANERT_EINVAL, part);                                 \
        assert_null(det);                                                                                              \
    } while (0)
    REFUSED(batch, 0, "batch is 0");
    REFUSED(batch, 65, "batch is 65");
    REFUSED(threads, -1, "threads is -1");
    REFUSED(conf, 1.5f, "conf is 1.5");
    REFUSED(conf, NAN, "conf is");
    REFUSED(nms_thres, NAN, "nms_thres is");
    REFUSED(max_lanes, 0, "max_lanes is 0");
    REFUSED(max_lanes, 17, "max_lanes is 17");
    REFUSED(cut, 1.0, "cut is 1");
    REFUSED(cut, NAN, "cut is");
    REFUSED(resize, (lanert_resize)7, "resize is 7");
    REFUSED(engine, "abacus", "abacus");
}

static void wrong_frames_are_refused(void **state)
{
    (void)state;
    lanert_detector_options o = options_null();
    lanert_result result;
    null_model_raw(&model);
    lanert_detector *det = open_or_fail(&o);
    lanert_frame bad[] = {make_frame(0, 100),   make_frame(100, 0),   make_frame(-5, 100), make_frame(30000, 30000),
                          make_frame(100, 100), make_frame(100, 100), make_frame(100, 100)};
    bad[4].data[0] = NULL;
    bad[5].stride[0] = 299;
    bad[6].format = (lanert_pixel_format)9;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int rc = lanert_detect(det, &bad[i], 1, &result, &err);
        if (rc != LANERT_EINVAL && rc != LANERT_ELIMIT)
            fail_msg("frame %zu: %s", i, lanert_error_name(rc));
    }
    assert_fails(lanert_detect(NULL, bad, 1, &result, &err), LANERT_EINVAL, "NULL");
    lanert_detector_close(&det);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_come_in_the_frames_own_pixels),
        cmocka_unit_test(rows_lie_where_the_model_says),
        cmocka_unit_test(cut_is_overridden_as_a_fraction),
        cmocka_unit_test(thresholds_are_the_callers),
        cmocka_unit_test(batch_gives_each_frame_its_own_result),
        cmocka_unit_test(a_count_of_int64_is_read),
        cmocka_unit_test(a_graphs_own_lanes_are_used),
        cmocka_unit_test(a_head_that_lies_is_told),
        cmocka_unit_test(a_broken_networks_output_is_told),
        cmocka_unit_test(an_unlikely_priors_overflow_does_no_harm),
        cmocka_unit_test(an_engines_failure_comes_through),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(wrong_frames_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
