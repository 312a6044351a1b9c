#include <math.h>

#include "scene.h"
#include "sink/lane_shape.h"
#include "support/testing.h"

static void places_go_outwards_from_the_middle(void **state)
{
    (void)state;
    lane_shape s[LANERT_MAX_LANES];
    const lanert_lane lanes[] = {scene_lane(520, 300, 1100, 700, 0.5f), scene_lane(480, 300, 300, 700, 0.9f),
                                 scene_lane(500, 300, 800, 700, 0.7f), scene_lane(450, 300, 20, 700, 0.8f),
                                 scene_lane(530, 300, 1900, 700, 0.6f)};
    assert_int_equal(lane_shapes_make(lanes, 5, 1000, 720, s), 5);
    const int places[] = {-2, -1, 1, 2, 3};
    const float scores[] = {0.8f, 0.9f, 0.7f, 0.5f, 0.6f};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(s[i].place, places[i]);
        assert_float_equal(s[i].score, scores[i], 0);
    }
    assert_ptr_equal(lane_shape_find(s, 5, 1), &s[2]);
    assert_null(lane_shape_find(s, 5, 4));
}

static void the_foot_is_where_the_lane_would_leave_the_picture(void **state)
{
    (void)state;
    lane_shape s[LANERT_MAX_LANES];
    const lanert_lane lane = scene_lane(500, 300, 600, 500, 0.5f);
    assert_int_equal(lane_shapes_make(&lane, 1, 1000, 700, s), 1);
    assert_true(fabs(s[0].foot_x - 700) < 1e-6);
    assert_true(fabs(lane_shape_x(&s[0], 400) - 550) < 1e-6);
    assert_true(fabs(lane_shape_x(&s[0], 700) - 700) < 1e-6);
    assert_true(fabs(lane_shape_x(&s[0], 100) - 500) < 1e-6);
}

static void unsound_points_are_left_out(void **state)
{
    (void)state;
    lane_shape s[LANERT_MAX_LANES];
    lanert_lane lanes[5] = {{.count = 1}, {.count = 0}, {.count = -7}, {.count = 4}, {.count = 1000}};
    lanes[0].points[0] = (lanert_point){5, 5};
    lanes[3].points[0] = (lanert_point){NAN, 10};
    lanes[3].points[1] = (lanert_point){10, INFINITY};
    lanes[3].points[2] = (lanert_point){10, 20};
    lanes[3].points[3] = (lanert_point){10, 20}; /* y does not rise */
    for (int i = 0; i < LANERT_LANE_POINTS; i++)
        lanes[4].points[i] = (lanert_point){i % 2 ? 1e300 : -1e300, i == 71 ? 1e300 : i - 30.0};
    assert_int_equal(lane_shapes_make(lanes, 5, 100, 50, s), 1);
    assert_int_equal(s[0].count, LANERT_LANE_POINTS);
    for (int i = 0; i < s[0].count; i++) {
        assert_true(s[0].points[i].x >= -100 && s[0].points[i].x <= 200);
        assert_true(s[0].points[i].y >= -50 && s[0].points[i].y <= 100);
        assert_true(!i || s[0].points[i].y > s[0].points[i - 1].y);
    }
    assert_true(isfinite(s[0].foot_x));
}

static void no_more_lanes_than_the_limit(void **state)
{
    (void)state;
    lane_shape s[LANERT_MAX_LANES];
    lanert_lane lanes[LANERT_MAX_LANES + 4];
    for (int i = 0; i < LANERT_MAX_LANES + 4; i++)
        lanes[i] = scene_lane(50, 10, 50, 90, 0.5f);
    assert_int_equal(lane_shapes_make(lanes, LANERT_MAX_LANES + 4, 100, 100, s), LANERT_MAX_LANES);
    assert_int_equal(lane_shapes_make(NULL, 0, 100, 100, s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_go_outwards_from_the_middle),
        cmocka_unit_test(the_foot_is_where_the_lane_would_leave_the_picture),
        cmocka_unit_test(unsound_points_are_left_out),
        cmocka_unit_test(no_more_lanes_than_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
