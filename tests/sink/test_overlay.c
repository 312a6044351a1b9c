#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"
#include "sink/canvas.h"
#include "sink/overlay.h"
#include "support/testing.h"

/* The panel ends above and to the left of here in a picture of 1280×720. */
#define BELOW_PANEL 200

static lanert_error err;

/* A new overlay's first drawing over the scene; the canvas is to be freed. */
static canvas draw(int width, int height, const lanert_lane *lanes, int count, const char *title)
{
    canvas c = {0};
    overlay *o;
    uint8_t *bgr = scene_pixels(width, height, false);
    const lanert_frame frame = scene_frame(bgr, width, height);
    const lanert_result result = {.count = count, .lanes = lanes, .latency_ms = 5};
    assert_ok(canvas_load(&c, &frame, &err));
    assert_ok(overlay_open(title, false, &o, &err));
    assert_ok(overlay_draw(o, c.bgra, c.stride, &frame, &result, &err));
    overlay_close(&o);
    free(bgr);
    return c;
}

static const uint8_t *at(const canvas *c, int x, int y)
{
    return c->bgra + (size_t)y * (size_t)c->stride + (size_t)x * 4;
}

static int difference(const uint8_t *a, const uint8_t *b)
{
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) + abs(a[2] - b[2]);
}

static void own_lines_are_blue_and_orange_and_the_rest_is_left_alone(void **state)
{
    (void)state;
    const lanert_lane lanes[] = {scene_lane(700, 300, 1100, 700, 0.9f), scene_lane(580, 300, 200, 700, 0.8f)};
    canvas plain = draw(1280, 720, NULL, 0, NULL), c = draw(1280, 720, lanes, 2, NULL);
    const uint8_t *left = at(&c, 390, 500), *right = at(&c, 900, 500);
    assert_true(left[0] > 220 && left[2] < left[0] - 20);
    assert_true(right[2] > 220 && right[0] < right[2] - 60);
    assert_true(difference(at(&c, 640, 650), at(&plain, 640, 650)) > 30); /* between them: tinted */
    assert_int_equal(difference(at(&c, 100, 400), at(&plain, 100, 400)), 0);
    assert_int_equal(difference(at(&c, 1200, 400), at(&plain, 1200, 400)), 0);
    assert_int_equal(difference(at(&c, 640, 250), at(&plain, 640, 250)), 0);
    canvas_free(&plain);
    canvas_free(&c);
}

static void colours_go_by_place_and_not_by_score(void **state)
{
    (void)state;
    const lanert_lane a = scene_lane(700, 300, 1100, 700, 0.9f), b = scene_lane(580, 300, 200, 700, 0.9f),
                      d = scene_lane(500, 300, 20, 500, 0.9f);
    const lanert_lane one[] = {a, b, d}, other[] = {d, a, b};
    canvas c1 = draw(1280, 720, one, 3, NULL), c2 = draw(1280, 720, other, 3, NULL);
    for (int y = 0; y < 720; y++)
        assert_memory_equal(at(&c1, 0, y), at(&c2, 0, y), 1280 * 4);
    canvas_free(&c1);
    canvas_free(&c2);
}

static void without_lanes_only_the_panel_is_drawn(void **state)
{
    (void)state;
    canvas c = draw(1280, 720, NULL, 0, "CLRNet");
    uint8_t *bgr = scene_pixels(1280, 720, false);
    int changed = 0;
    for (int y = 0; y < 720; y++)
        for (int x = 0; x < 1280; x++) {
            bool same = difference(at(&c, x, y), bgr + ((size_t)y * 1280 + (size_t)x) * 3) == 0;
            changed += !same;
            if (!same && (x >= 460 || y >= BELOW_PANEL))
                fail_msg("(%d, %d) has changed", x, y);
        }
    assert_true(changed > 5000);
    free(bgr);
    canvas_free(&c);
}

/* What the score's label covers: pixels of the lane's own colour, wider than its line. */
static int label_width(const canvas *c, const uint8_t colour[3], int y)
{
    int n = 0;
    for (int x = 0; x < c->width; x++)
        n += difference(at(c, x, y), colour) < 12;
    return n;
}

static void each_lane_has_a_label_of_its_own(void **state)
{
    (void)state;
    /* Two lanes side by side: one label must give way upwards. */
    const lanert_lane lanes[] = {scene_lane(630, 300, 630, 719, 0.9f), scene_lane(650, 300, 650, 719, 0.8f)};
    canvas c = draw(1280, 720, lanes, 2, NULL);
    const uint8_t blue[3] = {255, 194, 69}, orange[3] = {31, 168, 255};
    int blue_rows = 0, orange_rows = 0;
    for (int y = BELOW_PANEL; y < 720; y++) {
        blue_rows += label_width(&c, blue, y) > 25;
        orange_rows += label_width(&c, orange, y) > 25;
    }
    assert_in_range(blue_rows, 17, 26); /* all of it, of 23 */
    assert_in_range(orange_rows, 17, 26);
    canvas_free(&c);
}

static void known_lanes_are_dashed_where_asked_for(void **state)
{
    (void)state;
    const lanert_lane known = scene_lane(900, 300, 900, 700, -1);
    for (int asked = 0; asked < 2; asked++) {
        canvas c = {0};
        overlay *o;
        uint8_t *bgr = scene_pixels(1280, 720, false);
        lanert_frame frame = scene_frame(bgr, 1280, 720);
        const lanert_result result = {.latency_ms = -1};
        int white = 0, left = 0;
        frame.truth = &known;
        frame.truth_count = 1;
        assert_ok(canvas_load(&c, &frame, &err));
        assert_ok(overlay_open(NULL, asked, &o, &err));
        assert_ok(overlay_draw(o, c.bgra, c.stride, &frame, &result, &err));
        for (int y = 310; y < 690; y++) {
            int change = difference(at(&c, 900, y), bgr + ((size_t)y * 1280 + 900) * 3);
            white += change > 60;
            left += change == 0;
        }
        assert_true(asked ? white > 100 && left > 100 : left == 380);
        overlay_close(&o);
        canvas_free(&c);
        free(bgr);
    }
}

static void lanes_without_a_score_have_no_label(void **state)
{
    (void)state;
    const lanert_lane scored = scene_lane(900, 300, 900, 700, 0.5f), bare = scene_lane(900, 300, 900, 700, -1);
    canvas with = draw(1280, 720, &scored, 1, NULL), without = draw(1280, 720, &bare, 1, NULL);
    int differ = 0;
    for (int y = 600; y < 720; y++)
        for (int x = 860; x < 940; x++)
            differ += difference(at(&with, x, y), at(&without, x, y)) > 0;
    assert_true(differ > 100);
    canvas_free(&with);
    canvas_free(&without);
}

static void what_is_hostile_does_no_harm(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {2, 1}, {1, 300}, {31, 17}, {320, 180}, {16384, 3}};
    lanert_lane lanes[LANERT_MAX_LANES];
    for (int i = 0; i < LANERT_MAX_LANES; i++) {
        lanes[i] = scene_lane(i * 20, i - 5, 300 - i * 40, 170 + i, i % 2 ? NAN : -1e30f);
        lanes[i].points[i] = (lanert_point){i % 3 ? NAN : 1e300, 20};
        lanes[i].points[20 - i % 4].x = INFINITY;
    }
    lanes[3].count = 1;
    lanes[4].count = -4;
    lanes[5].count = 400;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        canvas c = draw(sizes[k][0], sizes[k][1], lanes, LANERT_MAX_LANES, "bad \xff\xfe\x80 title\n\x01");
        canvas_free(&c);
    }
    char wide[1000];
    memset(wide, 'W', sizeof wide);
    wide[sizeof wide - 1] = '\0';
    canvas c = draw(1280, 720, NULL, 0, wide);
    assert_int_equal(difference(at(&c, 700, 60), quarter_colours[1]), 0); /* cut to the panel */
    canvas_free(&c);
}

static void nothing_outside_the_picture_is_touched(void **state)
{
    (void)state;
    enum { width = 61, height = 43, stride = 320 };
    static uint8_t memory[stride * (height + 2)];
    uint8_t *bgr = scene_pixels(width, height, false);
    const lanert_frame frame = scene_frame(bgr, width, height);
    const lanert_lane lane = scene_lane(-50, -60, 200, 150, 0.9f);
    const lanert_result result = {.count = 1, .lanes = &lane};
    overlay *o;
    memset(memory, 0xa5, sizeof memory);
    assert_ok(overlay_open("title", false, &o, &err));
    assert_ok(overlay_draw(o, memory + stride, stride, &frame, &result, &err));
    overlay_close(&o);
    free(bgr);
    for (int y = 0; y < height + 2; y++)
        for (int x = 0; x < stride; x++)
            if (y == 0 || y == height + 1 || x >= width * 4)
                assert_int_equal(memory[y * stride + x], 0xa5);
}

/* In a process of its own, as fontconfig reads its settings once. Runs first, before any text is drawn. */
static void a_machine_without_fonts_still_gets_its_text(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        char path[] = "/tmp/lanert-no-fonts-XXXXXX";
        int fd = mkstemp(path);
        bool ready = fd >= 0 && dprintf(fd, "<fontconfig></fontconfig>") > 0 && !setenv("FONTCONFIG_FILE", path, 1);
        uint8_t *bgr = scene_pixels(640, 360, false);
        const lanert_frame frame = scene_frame(bgr, 640, 360);
        const lanert_result result = {.latency_ms = 5};
        canvas c = {0};
        overlay *o = NULL;
        bool drawn = ready && !canvas_load(&c, &frame, NULL) && !overlay_open("title", false, &o, NULL) &&
                     !overlay_draw(o, c.bgra, c.stride, &frame, &result, NULL);
        int bright = 0;
        for (int y = 0; drawn && y < 80; y++)
            for (int x = 0; x < 200; x++)
                bright += at(&c, x, y)[0] > 220 && at(&c, x, y)[1] > 220 && at(&c, x, y)[2] > 220;
        unlink(path);
        _exit(bright > 30 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_without_fonts_still_gets_its_text),
        cmocka_unit_test(own_lines_are_blue_and_orange_and_the_rest_is_left_alone),
        cmocka_unit_test(colours_go_by_place_and_not_by_score),
        cmocka_unit_test(without_lanes_only_the_panel_is_drawn),
        cmocka_unit_test(known_lanes_are_dashed_where_asked_for),
        cmocka_unit_test(lanes_without_a_score_have_no_label),
        cmocka_unit_test(each_lane_has_a_label_of_its_own),
        cmocka_unit_test(what_is_hostile_does_no_harm),
        cmocka_unit_test(nothing_outside_the_picture_is_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
