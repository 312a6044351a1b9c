/* test_lane_file.c - the data sets' own files, against those that the reference wrote. */
#include "lane/lane_file.h"

#include <jansson.h>
#include <math.h>

#include "lane/golden.h"

static lanert_error err;
static decode_scratch scratch;
static lane_curve lanes[LANERT_MAX_LANES];

static void read_text(const char *path, buffer *out)
{
    file_map map;
    assert_ok(file_map_open(path, 0, &map, &err));
    assert_ok(buffer_add(out, map.data ? (const void *)map.data : "", map.size, &err));
    file_map_close(&map);
}

/* The lanes as a sink gets them: in pixels of a picture of any size, and back. */
static void through_pixels(int count, int width, int height)
{
    lanert_lane lane;
    for (int i = 0; i < count; i++) {
        lane_to_pixels(&lanes[i], width, height, &lane);
        lane_from_pixels(&lane, width, height, &lanes[i]);
    }
}

static void check_text(const golden_case *c, const char *image, int count)
{
    buffer text = {0}, expected = {0};
    read_text(golden_path(c, image, ".lines.txt"), &expected);
    assert_ok(strstr(c->name, "llamas") ? lane_file_llamas(lanes, count, &text, &err)
                                        : lane_file_culane(lanes, count, &text, &err));
    assert_string_equal(text.data, expected.data);
    buffer_free(&text);
    buffer_free(&expected);
}

static void check_tusimple(const golden_case *c, const char *image, int count)
{
    buffer text = {0}, expected = {0};
    read_text(golden_path(c, image, ".tusimple.json"), &expected);
    assert_ok(lane_file_tusimple("clips/1.jpg", 1, lanes, count, &text, &err));
    const char start[] = "{\"raw_file\": \"clips/1.jpg\", \"lanes\": ", *list = text.data + strlen(start);
    assert_memory_equal(text.data, start, strlen(start));
    assert_memory_equal(list, expected.data, expected.size);
    assert_string_equal(list + expected.size, ", \"run_time\": 1.0}");
    buffer_free(&text);
    buffer_free(&expected);
}

static void test_goldens(void **state)
{
    (void)state;
    SHARED_OR_SKIP("reference/goldens/lanes.json");
    static float raw[GOLDEN_FLOATS];
    static const int sizes[][2] = {{1640, 590}, {960, 540}, {1280, 720}, {1920, 1080}, {1276, 717}};
    for (size_t i = 0; i < ARRAY_LEN(golden_cases); i++)
        for (size_t k = 0; k < ARRAY_LEN(golden_images); k++) {
            const golden_case *c = &golden_cases[i];
            golden_read(c, golden_images[k], raw);
            for (size_t size = 0; size <= ARRAY_LEN(sizes); size++) {
                int count = decode_raw(raw, GOLDEN_PRIORS, &c->options, &scratch, lanes);
                if (size < ARRAY_LEN(sizes))
                    through_pixels(count, sizes[size][0], sizes[size][1]);
                (strstr(c->name, "tusimple") ? check_tusimple : check_text)(c, golden_images[k], count);
            }
        }
}

/* A straight lane from (x0, y0) to (x1, y1), normalised. */
static lane_curve line(double x0, double y0, double x1, double y1)
{
    return (lane_curve){.score = 1, .count = 2, .x = {x0, x1}, .y = {y0, y1}};
}

static const char *culane(int count)
{
    static buffer b;
    buffer_clear(&b);
    assert_ok(buffer_text(&b, "", &err));
    assert_ok(lane_file_culane(lanes, count, &b, &err));
    return b.data;
}

static void test_margin(void **state)
{
    (void)state;
    /* 0.01 of 590 rows is 5.9: from 500 to 550 the rows from 494.1 to 555.9 are told. */
    lanes[0] = line(0.5, 500.0 / 590, 0.5, 550.0 / 590);
    assert_string_equal(culane(1), "820.00000 550.00000 820.00000 542.00000 820.00000 534.00000 820.00000 526.00000 "
                                   "820.00000 518.00000 820.00000 510.00000 820.00000 502.00000");
    /* Outside its points the curve goes on as it came. */
    lanes[0] = line(0.25, 507.0 / 590, 0.75, 515.0 / 590);
    assert_string_equal(culane(1), "1537.50000 518.00000 717.50000 510.00000");
}

static void test_only_points_in_the_picture(void **state)
{
    (void)state;
    lanes[0] = line(-1, 0, 1, 1); /* x = 2y − 1: in the picture from y = 0.5 to below 1 */
    lanes[1] = line(2, 0, 3, 1);  /* never */
    lanes[2] = line(0.5, 550.0 / 590, 0.5, 551.0 / 590);
    const char *text = culane(3);
    assert_null(strstr(text, "-"));
    const char *second = strchr(text, '\n');
    assert_non_null(second);
    assert_string_equal(second, "\n820.00000 550.00000");
    assert_memory_equal(text, "1595.52542 582.00000 ", 21);
    assert_string_equal(culane(0), "");
    lanes[0] = lanes[1];
    assert_string_equal(culane(2), "");
}

static void test_borders(void **state)
{
    (void)state;
    lanes[0] = line(1, 550.0 / 590, 1, 558.0 / 590); /* x = 1 is outside, */
    assert_string_equal(culane(1), "");
    lanes[0] = line(0, 550.0 / 590, 0, 558.0 / 590); /* 0 inside */
    assert_string_equal(culane(1), "0.00000 558.00000 0.00000 550.00000");
    double below = nextafter(1, 0);
    lanes[0] = line(below, 550.0 / 590, below, 558.0 / 590);
    assert_string_equal(culane(1), "1640.00000 558.00000 1640.00000 550.00000");
}

static void test_llamas_coordinates(void **state)
{
    (void)state;
    buffer b = {0};
    lanes[0] = line(0.5, 0.5, 0.5, 0.99);
    assert_ok(lane_file_llamas(lanes, 1, &b, &err));
    assert_memory_equal(b.data, "637.50000 716.00000 637.50000 715.00000 ", 40);
    assert_string_equal(b.data + b.size - 20, " 637.50000 351.00000");
    buffer_free(&b);
}

static void test_tusimple_line(void **state)
{
    (void)state;
    buffer b = {0};
    lanes[0] = line(0.5, 0.9, 0.5018, 0.92); /* rows 641 to 669; x 640.32 and 641.92 */
    assert_ok(lane_file_tusimple("a \"b\"/\xff.jpg", 12.3456789, lanes, 1, &b, &err));
    json_error_t why;
    json_t *root = json_loads(b.data, 0, &why);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "raw_file")), "a \"b\"/\xef\xbf\xbd.jpg");
    assert_true(json_real_value(json_object_get(root, "run_time")) == 12.345679);
    const json_t *xs = json_array_get(json_object_get(root, "lanes"), 0);
    assert_int_equal(json_array_size(xs), 56);
    for (int i = 0; i < 56; i++) {
        int y = 160 + 10 * i, x = (int)json_integer_value(json_array_get(xs, (size_t)i));
        assert_int_equal(x, y < 641 || y > 669 ? -2 : y == 650 ? 640 : 641);
    }
    json_decref(root);
    buffer_clear(&b);
    assert_ok(lane_file_tusimple("x", 0.5, lanes, 0, &b, &err));
    assert_string_equal(b.data, "{\"raw_file\": \"x\", \"lanes\": [], \"run_time\": 0.5}");
    buffer_free(&b);
}

static void test_tusimple_beyond_the_picture(void **state)
{
    (void)state;
    buffer b = {0};
    lanes[0] = line(-1e38, 0.5, 1e38, 0.6);
    assert_ok(lane_file_tusimple("x", 1, lanes, 1, &b, &err));
    assert_non_null(strstr(b.data, "-2, 2147483647, "));
    assert_null(strstr(b.data, "-21"));
    buffer_clear(&b);
    lanes[0] = line(1.5, 0.5, 1.5, 0.6); /* told, though outside: as the reference does */
    assert_ok(lane_file_tusimple("x", 1, lanes, 1, &b, &err));
    assert_non_null(strstr(b.data, "1920, 1920"));
    buffer_free(&b);
}

static void test_refused(void **state)
{
    (void)state;
    buffer b = {0};
    lanes[0] = line(0.5, 0.5, 0.5, 0.9);
    lanes[1] = line(0.5, 0.9, 0.5, 0.5);
    assert_fails(lane_file_culane(lanes, 2, &b, &err), LANERT_EINVAL, "lane 1: parameter 1 of a spline");
    assert_fails(lane_file_llamas(lanes, 2, &b, &err), LANERT_EINVAL, "lane 1: ");
    assert_fails(lane_file_tusimple("x", 1, lanes, 2, &b, &err), LANERT_EINVAL, "lane 1: ");
    lanes[0].count = 1;
    assert_fails(lane_file_culane(lanes, 1, &b, &err), LANERT_EINVAL, "lane 0: a spline through 1 points");
    lanes[0] = line(NAN, 0.5, 0.5, 0.9);
    assert_fails(lane_file_culane(lanes, 1, &b, &err), LANERT_EINVAL, "expected finite numbers");
    buffer_free(&b);
}

static void test_full_buffer(void **state)
{
    (void)state;
    buffer b = {0};
    lanes[0] = lanes[1] = line(0.5, 0.9, 0.5, 0.92);
    assert_ok(lane_file_tusimple("x", 1, lanes, 2, &b, &err));
    for (size_t limit = 1, whole = b.size; limit < whole; limit++) {
        buffer small = {.limit = limit};
        assert_fails(lane_file_tusimple("x", 1, lanes, 2, &small, &err), LANERT_ELIMIT, "limit");
        buffer_free(&small);
    }
    buffer_clear(&b);
    assert_ok(lane_file_culane(lanes, 2, &b, &err));
    for (size_t limit = 1, whole = b.size; limit < whole; limit++) {
        buffer small = {.limit = limit};
        assert_fails(lane_file_culane(lanes, 2, &small, &err), LANERT_ELIMIT, "limit");
        buffer_free(&small);
    }
    buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goldens),
        cmocka_unit_test(test_margin),
        cmocka_unit_test(test_only_points_in_the_picture),
        cmocka_unit_test(test_borders),
        cmocka_unit_test(test_llamas_coordinates),
        cmocka_unit_test(test_tusimple_line),
        cmocka_unit_test(test_tusimple_beyond_the_picture),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_full_buffer),
    };
    return cmocka_run_group_tests(tests, golden_setup, NULL);
}
