/* test_lane_json.c - TuSimple's lines and LLAMAS's labels, good and bad. */
#include "eval/lane_reader.h"
#include "support/testing.h"

static lanert_error err;
static tusimple_frame frame;
static lane_set set;

static int read_as(tusimple_kind kind, const char *text)
{
    return tusimple_read(text, strlen(text), "p.json", 7, kind, &frame, &err);
}

static void test_tusimple(void **state)
{
    (void)state;
    assert_ok(read_as(TUSIMPLE_LABEL,
                      "{\"raw_file\":\"c/1.jpg\",\"lanes\":[[-2,5,6.5],[1,2,3]],\"h_samples\":[160,170,180]}"));
    assert_string_equal(frame.raw_file, "c/1.jpg");
    assert_int_equal(frame.row_count, 3);
    assert_int_equal(frame.lanes.lane_count, 2);
    assert_true(frame.lanes.points[2].x == 6.5 && frame.rows[2] == 180);
    assert_ok(read_as(TUSIMPLE_PREDICTION, "{\"raw_file\":\"a\",\"lanes\":[],\"run_time\":12.5}"));
    assert_true(frame.run_time == 12.5);
    assert_int_equal(frame.lanes.lane_count, 0);
}

static void test_bad_tusimple(void **state)
{
    (void)state;
    static const struct {
        tusimple_kind kind;
        const char *text, *part;
    } bad[] = {
        {TUSIMPLE_LABEL, "{\"raw_file\":\"a\",", "p.json:7: column"},
        {TUSIMPLE_LABEL, "[1]", "p.json:7: expected a JSON object"},
        {TUSIMPLE_LABEL, "{\"raw_file\":\"a\",\"lanes\":[[NaN]],\"h_samples\":[1]}", "p.json:7: column"},
        {TUSIMPLE_LABEL, "{\"lanes\":[],\"h_samples\":[1]}", "p.json:7: raw_file"},
        {TUSIMPLE_LABEL, "{\"raw_file\":\"\",\"lanes\":[],\"h_samples\":[1]}", "raw_file"},
        {TUSIMPLE_LABEL, "{\"raw_file\":\"a\",\"lanes\":{},\"h_samples\":[1]}", "lanes is missing"},
        {TUSIMPLE_LABEL, "{\"raw_file\":\"a\",\"lanes\":[3],\"h_samples\":[1]}", "a lane is missing"},
        {TUSIMPLE_LABEL, "{\"raw_file\":\"a\",\"lanes\":[[1,\"2\"]],\"h_samples\":[1,2]}", "lanes[0][1]"},
        {TUSIMPLE_LABEL, "{\"raw_file\":\"a\",\"lanes\":[[1,2e9]],\"h_samples\":[1,2]}", "p.json:7: point 2"},
        {TUSIMPLE_LABEL, "{\"raw_file\":\"a\",\"lanes\":[[1,2]],\"h_samples\":[1,2,3]}",
         "lanes[0] has 2 values; expected 3"},
        {TUSIMPLE_LABEL, "{\"raw_file\":\"a\",\"lanes\":[],\"h_samples\":[]}", "h_samples"},
        {TUSIMPLE_LABEL, "{\"raw_file\":\"a\",\"lanes\":[],\"h_samples\":[null]}", "a value of h_samples"},
        {TUSIMPLE_PREDICTION, "{\"raw_file\":\"a\",\"lanes\":[]}", "p.json:7: run_time"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(read_as(bad[i].kind, bad[i].text), LANERT_EFORMAT, bad[i].part);
}

#define POINT(x, y) "{\"x\":" #x ",\"y\":" #y "}"
#define MARKER(x0, y0, x1, y1, z0, z1)                                                                                 \
    "{\"pixel_start\":" POINT(x0, y0) ",\"pixel_end\":" POINT(x1, y1) ",\"world_start\":{\"z\":" #z0                   \
                                                                      "},\"world_end\":{\"z\":" #z1 "}}"
#define LANE(id, markers) "{\"lane_id\":\"" id "\",\"markers\":[" markers "]}"
#define LABEL(lanes) "{\"lanes\":[" lanes "]}"

static int read_label(const char *text)
{
    return llamas_read_label(text, strlen(text), "l.json", &set, &err);
}

/* Two dashes on the line x = 1000 − y, from row 650 to 550 and from 500 to 400: the nearer one is drawn on to row
 * 716, the gap between them is filled. */
static void test_llamas(void **state)
{
    (void)state;
    assert_ok(read_label(LABEL(LANE("l0", MARKER(350, 650, 450, 550, 3, 9) "," MARKER(500, 500, 600, 400, 12, 20)))));
    assert_int_equal(set.lane_count, 1);
    assert_int_equal(set.lanes[0].count, 716 - 400 + 1);
    for (size_t i = 0; i < set.point_count; i++) {
        assert_true(set.points[i].y == 400 + (double)i);
        assert_true(set.points[i].x > 999.999 - set.points[i].y && set.points[i].x < 1000.001 - set.points[i].y);
    }
}

/* Numbers may be strings; names are made to follow each other: l2 becomes the left lane; rows above 300 are not kept;
 * l1 comes before l0, though it is written behind. */
static void test_llamas_names_and_strings(void **state)
{
    (void)state;
    assert_ok(read_label(LABEL(
        LANE("l2", MARKER("350", "650", "450", "550", "3", "9.5") "," MARKER(500, 500, 600, 400, 12, 20)) "," LANE(
            "l5", MARKER(100, 650, 250, 500, 3, 9) "," MARKER(250, 500, 550, 200, 12, 20)))));
    assert_int_equal(set.lane_count, 2);
    assert_true(set.points[0].y == 300 && set.points[0].x == 450);
    assert_true(set.points[set.lanes[1].first].y == 400);
}

static void test_llamas_leaves_out(void **state)
{
    (void)state;
    /* One marker; and two that are less than 20 rows high together. */
    assert_ok(read_label(LABEL(LANE("l0", MARKER(350, 650, 450, 550, 3, 9)) "," LANE(
        "r0", MARKER(350, 650, 360, 645, 3, 9) "," MARKER(370, 640, 375, 635, 10, 12)))));
    assert_int_equal(set.lane_count, 0);
    assert_ok(read_label("{\"lanes\":[]}"));
    assert_int_equal(set.lane_count, 0);
}

static void test_bad_llamas(void **state)
{
    (void)state;
    const char *far = "," MARKER(500, 500, 600, 400, 12, 20);
    char text[1024];
    static const struct {
        const char *lane, *part;
    } bad[] = {
        {"{\"lane_id\":\"l0\",\"markers\":[" MARKER(350, 650.5, null, 550, 3, 9), "l.json:1: lanes[0].markers[0]"},
        {"{\"lane_id\":\"l0\",\"markers\":[" MARKER("3x", 650, 450, 550, 3, 9), "lanes[0].markers[0]"},
        {"{\"lane_id\":\"l0\",\"markers\":[" MARKER(350, 1e10, 450, 550, 3, 9), "lanes[0].markers[0]"},
        {"{\"lane_id\":\"l0\",\"markers\":[" MARKER(350, 650, 450, 550, "nan", 9), "lanes[0].markers[0]"},
        {"{\"lane_id\":\"l0\",\"markers\":[" MARKER(350, 650, 450, 550, 3, 3), "lane l0: its nearest marker's ends"},
        {"{\"lane_id\":\"l0\",\"markers\":[" MARKER(350, 1000, 450, 900, 3, 9),
         "lane l0: a marker lies outside the rows"},
        {"{\"lane_id\":\"x0\",\"markers\":[" MARKER(350, 650, 450, 550, 3, 9), "a lane_id of \"x0\""},
        {"{\"lane_id\":3,\"markers\":[" MARKER(350, 650, 450, 550, 3, 9), "l.json:1: lanes[0]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(text, sizeof text, "{\"lanes\":[%s%s]}]}", bad[i].lane, far);
        assert_fails(read_label(text), LANERT_EFORMAT, bad[i].part);
    }
    assert_fails(read_label("{\"lanes\":3}"), LANERT_EFORMAT, "l.json:1: lanes is missing");
    assert_fails(read_label("{\n\"lanes\":[}"), LANERT_EFORMAT, "l.json:2: column");
    assert_fails(read_label(LABEL(LANE("l0", ""))), LANERT_EFORMAT, "lanes[0]");
    assert_fails(read_label(LABEL(LANE("l0", MARKER(350, 650, 350, 550, 3, 9) "," MARKER(500, 500, 500, 400, 12, 20)))),
                 LANERT_EFORMAT, "lane l0: all markers are upright or level");
    assert_fails(
        read_label(LABEL(LANE("l1", MARKER(350, 650, 450, 550, 3, 9) "," MARKER(500, 500, 600, 400, 12, 20)) "," LANE(
            "l1", MARKER(350, 650, 450, 550, 3, 9) "," MARKER(500, 500, 600, 400, 12, 20)))),
        LANERT_EFORMAT, "two lanes have the lane_id \"l1\"");
}

static int free_all(void **state)
{
    (void)state;
    tusimple_frame_free(&frame);
    lane_set_free(&set);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tusimple),
        cmocka_unit_test(test_bad_tusimple),
        cmocka_unit_test(test_llamas),
        cmocka_unit_test(test_llamas_names_and_strings),
        cmocka_unit_test(test_llamas_leaves_out),
        cmocka_unit_test(test_bad_llamas),
    };
    return cmocka_run_group_tests(tests, NULL, free_all);
}
