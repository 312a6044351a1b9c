/* test_sink.c - the public sink: which kind a name means, and what it refuses before any kind sees it. */
#include <lanert/lanert.h>
#include <math.h>

#include "support/testing.h"

static lanert_error err;

static uint8_t pixels[64 * 36 * 3];

static lanert_frame make_frame(void)
{
    return (lanert_frame){
        .format = LANERT_BGR, .width = 64, .height = 36, .data = {pixels}, .stride = {64 * 3}, .name = "a.png"};
}

static const lanert_lane lanes[LANERT_MAX_LANES + 1] = {
    {.score = 0.9f, .count = 2, .points = {{10, 20}, {12, 30}}},
};

/* The kind that a sink says it is. */
static void check_kind(const char *path, const char *format, const char *kind)
{
    lanert_sink_options options = {.format = format, .force = true};
    lanert_frame frame = make_frame();
    lanert_result result = {0};
    lanert_sink *sink;
    char expected[64];
    snprintf(expected, sizeof expected, "the %s output is finished", kind);
    assert_ok(lanert_sink_open(path, &options, &sink, &err));
    lanert_sink_finish(sink, NULL); /* a video without frames cannot be, which is not the matter here */
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, expected);
    assert_fails(lanert_sink_finish(sink, &err), LANERT_EINVAL, expected);
    lanert_sink_close(&sink);
    assert_null(sink);
}

static void test_kinds_by_name(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"a.mp4", "video"},         {"a.MKV", "video"},     {"a.mov", "video"},
                                           {"a.jsonl", "jsonl"},       {"a.ndjson", "jsonl"},  {"a.json", "tusimple"},
                                           {"a.JPG", "pictures"},      {"a.jpeg", "pictures"}, {"a.b.png", "pictures"},
                                           {"new/", "pictures"},       {"", "pictures"},       {"new/sub/", "pictures"},
                                           {"folder.mp4/", "pictures"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        check_kind(temp_path(folder, names[i][0]), NULL, names[i][1]);
    check_kind(folder, NULL, "pictures"); /* a folder that is there needs no "/" */
    check_kind("-", NULL, "jsonl");
}

static void test_kinds_by_format(void **state)
{
    (void)state;
    static const char *const formats[] = {"culane", "tusimple", "llamas", "jsonl", "pictures"};
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        check_kind(temp_path(folder, formats[i]), formats[i], formats[i]);
    check_kind("-", "tusimple", "tusimple");
}

static void test_names_that_tell_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "a.txt", "a.mp4.bak", ".mp4", "mp4"};
    lanert_sink *sink = NULL;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_fails(lanert_sink_open(temp_path(folder, names[i]), NULL, &sink, &err), LANERT_EINVAL,
                     "video, pictures, culane, tusimple, llamas, jsonl");
        assert_null(sink);
        assert_false(file_exists(temp_path(folder, names[i])));
    }
    lanert_sink_options options = {.format = "yaml"};
    assert_fails(lanert_sink_open("a.mp4", &options, &sink, &err), LANERT_EINVAL,
                 "\"yaml\" is not known; expected one of video, pictures, culane");
    options.format = "";
    assert_fails(lanert_sink_open("a.mp4", &options, &sink, &err), LANERT_EINVAL, "\"\" is not known");
    static const char *const files_only[] = {"video", "pictures", "culane", "llamas"};
    for (size_t i = 0; i < ARRAY_LEN(files_only); i++) {
        options.format = files_only[i];
        assert_fails(lanert_sink_open("-", &options, &sink, &err), LANERT_EINVAL, "cannot go to standard output");
    }
    assert_fails(lanert_sink_open("", NULL, &sink, &err), LANERT_EINVAL, "no name");
    assert_fails(lanert_sink_open(NULL, NULL, &sink, &err), LANERT_EINVAL, "no name");
    assert_fails(lanert_sink_open("a.jsonl", NULL, NULL, &err), LANERT_EINVAL, "sink is NULL");
}

static void test_null_handles(void **state)
{
    (void)state;
    lanert_frame frame = make_frame();
    lanert_result result = {0};
    lanert_sink *none = NULL;
    assert_fails(lanert_sink_write(NULL, &frame, &result, &err), LANERT_EINVAL, "sink is NULL");
    assert_fails(lanert_sink_finish(NULL, &err), LANERT_EINVAL, "sink is NULL");
    lanert_sink_close(&none);
    lanert_sink_close(NULL);
    assert_int_equal(lanert_sink_finish(NULL, NULL), LANERT_EINVAL);
}

/* A wrong argument is refused, and the sink goes on. */
static void test_arguments_of_write(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "a.jsonl");
    lanert_frame good = make_frame(), frame = good;
    lanert_result result = {.count = 1, .lanes = lanes};
    lanert_sink *sink;
    assert_ok(lanert_sink_open(path, NULL, &sink, &err));
    assert_fails(lanert_sink_write(sink, NULL, &result, &err), LANERT_EINVAL, "frame is NULL");
    assert_fails(lanert_sink_write(sink, &frame, NULL, &err), LANERT_EINVAL, "result is NULL");

    frame.width = 0;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "0×36 pixels");
    frame = good, frame.height = 16385;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "64×16385 pixels; expected 1 to 16384");
    frame = good, frame.data[0] = NULL;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "has no data");
    frame = good, frame.stride[0] = 64 * 3 - 1;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "rows shorter than its 64 pixels");
    frame = good, frame.format = LANERT_NV12;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "has no data");
    frame = good, frame.format = (lanert_pixel_format)7;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "pixel format is 7");
    frame = good, frame.truth_count = 1;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "frame->truth: 1 lanes");

    assert_ok(lanert_sink_write(sink, &good, &result, &err));
    assert_ok(lanert_sink_finish(sink, &err));
    lanert_sink_close(&sink);
    assert_true(file_exists(path));
}

static void test_results_of_write(void **state)
{
    (void)state;
    lanert_frame frame = make_frame();
    lanert_lane lane = lanes[0];
    lanert_result result = {.count = 1};
    lanert_sink *sink;
    assert_ok(lanert_sink_open(temp_path(folder, "a.jsonl"), NULL, &sink, &err));
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "result: 1 lanes");
    result.lanes = lanes;
    result.count = -1;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "-1 lanes");
    result.count = LANERT_MAX_LANES + 1;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "expected 0 to 16");
    result = (lanert_result){.count = 1, .lanes = &lane};
    lane.count = 1;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL,
                 "lane 0 has 1 points; expected 2 to 72");
    lane.count = LANERT_LANE_POINTS + 1;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "lane 0 has 73 points");
    lane.count = 2, lane.points[1].x = NAN;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "point 1 of lane 0 is (nan, 30)");
    lane.points[1] = (lanert_point){3, INFINITY};
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "point 1 of lane 0 is (3, inf)");
    lanert_sink_close(&sink);
    assert_false(file_exists(temp_path(folder, "a.jsonl"))); /* not finished */
}

/* What a kind could not write makes the whole invalid: nothing half written is put in place. */
static void test_after_a_failure(void **state)
{
    (void)state;
    lanert_frame frame = make_frame();
    lanert_lane falling = {.score = 1, .count = 2, .points = {{1, 30}, {1, 20}}};
    lanert_result result = {.count = 1, .lanes = &falling};
    lanert_sink *sink;
    assert_ok(lanert_sink_open(temp_path(folder, "a.json"), NULL, &sink, &err));
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "a.png: lane 0: parameter 1");
    result.lanes = lanes;
    assert_fails(lanert_sink_write(sink, &frame, &result, &err), LANERT_EINVAL, "the tusimple output failed before");
    assert_fails(lanert_sink_finish(sink, &err), LANERT_EINVAL, "failed before");
    lanert_sink_close(&sink);
    assert_false(file_exists(temp_path(folder, "a.json")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kinds_by_name, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_kinds_by_format, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_names_that_tell_nothing, make_folder, remove_folder),
        cmocka_unit_test(test_null_handles),
        cmocka_unit_test_setup_teardown(test_arguments_of_write, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_results_of_write, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_after_a_failure, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
