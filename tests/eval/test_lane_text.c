/* test_lane_text.c - `.lines.txt`, good and bad. */
#include <locale.h>
#include <math.h>

#include "eval/lane_reader.h"
#include "support/testing.h"

static lanert_error err;
static lane_set set;

static int read_bytes(const char *text, size_t size)
{
    return lanes_read_text(text, size, "a.lines.txt", &set, &err);
}

static int read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void assert_points(size_t lane, size_t count, double x, double y)
{
    assert_true(lane < set.lane_count);
    assert_int_equal(set.lanes[lane].count, count);
    assert_true(set.points[set.lanes[lane].first].x == x);
    assert_true(set.points[set.lanes[lane].first].y == y);
}

static void test_lanes(void **state)
{
    (void)state;
    assert_ok(read_text("1 2 3.5 -4\n5e1 6 7 8 9 10\n"));
    assert_int_equal(set.lane_count, 2);
    assert_points(0, 2, 1, 2);
    assert_points(1, 3, 50, 6);
    assert_int_equal(set.lanes[1].line, 2);
    assert_ok(read_text(""));
    assert_int_equal(set.lane_count, 0);
}

/* As the reference reads them. */
static void test_line_ends(void **state)
{
    (void)state;
    assert_ok(read_text("1 2 3 4\r\n5 6 7 8\r9 10 11 12"));
    assert_int_equal(set.lane_count, 3);
    assert_int_equal(set.lanes[1].line, 2);
    assert_int_equal(set.lanes[2].line, 3);
    assert_points(2, 2, 9, 10);
    assert_ok(read_text("\n  \n\t1\t2  3 4 \n\n"));
    assert_int_equal(set.lane_count, 1);
    assert_int_equal(set.lanes[0].line, 3);
}

static void test_short_lanes_are_left_out(void **state)
{
    (void)state;
    assert_ok(read_text("1 2\n3 4 5 6\n7 8\n"));
    assert_int_equal(set.lane_count, 1);
    assert_points(0, 2, 3, 4);
}

static void test_bad_text(void **state)
{
    (void)state;
    assert_fails(read_text("1 2 3 4\n1 2 3\n"), LANERT_EFORMAT, "a.lines.txt:2: 3 numbers");
    assert_fails(read_text("1 2 3 4\n\n5"), LANERT_EFORMAT, "a.lines.txt:3: 1 numbers");
    assert_fails(read_text("1 2\r\n3 nan 5 6"), LANERT_EFORMAT, "a.lines.txt:2: point 1 is (3, nan)");
    assert_fails(read_text("1 2 -inf 4"), LANERT_EFORMAT, "a.lines.txt:1: point 2 is (-inf, 4)");
    assert_fails(read_text("1 2 3 1e300"), LANERT_EFORMAT, "a.lines.txt:1: point 2");
    assert_fails(read_text("1 2 3 2000000000"), LANERT_EFORMAT, "a.lines.txt:1: point 2");
    assert_fails(read_text("1 2 3,4"), LANERT_EFORMAT, "a.lines.txt:1: \"3,4\" is not a number");
    assert_fails(read_text("1 2 0x10 4"), LANERT_EFORMAT, "\"0x10\"");
    assert_fails(read_text("1 2 - 4"), LANERT_EFORMAT, "\"-\"");
    assert_fails(read_text("1 2 1e 4"), LANERT_EFORMAT, "\"1e\"");
    assert_fails(read_text("1 2 . 4"), LANERT_EFORMAT, "\".\"");
    assert_fails(read_text("\xef\xbb\xbf"
                           "1 2 3 4"),
                 LANERT_EFORMAT, "a.lines.txt:1: \"???1\"");
    assert_fails(read_bytes("1 2 3\0 4", 8), LANERT_EFORMAT, "a.lines.txt:1: \"3?\"");
}

static void test_limits(void **state)
{
    (void)state;
    buffer b = {0};
    for (int i = 0; i < 1000000; i++)
        assert_ok(buffer_text(&b, "1 2 ", &err));
    assert_fails(read_bytes(b.data, b.size), LANERT_ELIMIT, "a.lines.txt:1: a lane of more than 100000 points");
    buffer_clear(&b);
    for (int i = 0; i < 300; i++)
        assert_ok(buffer_text(&b, "1 2 3 4\n", &err));
    assert_fails(read_bytes(b.data, b.size), LANERT_ELIMIT, "a.lines.txt:257: more than 256 lanes");
    buffer_clear(&b);
    assert_ok(buffer_text(&b, "1 2 3 0.", &err));
    for (int i = 0; i < 500; i++)
        assert_ok(buffer_text(&b, "1", &err));
    assert_fails(read_bytes(b.data, b.size), LANERT_EFORMAT, "a.lines.txt:1: \"0.1111");
    buffer_free(&b);
}

/* Numbers as strtod rounds them, whether by the quick way or the slow. */
static void test_numbers(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "-0",
                                        "1.",
                                        ".5",
                                        "+7",
                                        "123456789012345",
                                        "1234567890123456789",
                                        "0.1",
                                        "1640.00000",
                                        "1e22",
                                        "1e23",
                                        "1.5e-22",
                                        "3e-23",
                                        "179769313486231570e291",
                                        "5e-324",
                                        "1e-400",
                                        "99999.99999",
                                        "-12.345E+2",
                                        "0.3000000",
                                        "9007199254740993",
                                        "1e00000000000000000001",
                                        "123e-20",
                                        "4503599627370496.5"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *p = texts[i], *end = p + strlen(p);
        double v = -1;
        if (!number_scan(&p, end, &v) || p != end || v != strtod(texts[i], NULL))
            fail_msg("%s: %.17g; expected %.17g", texts[i], v, strtod(texts[i], NULL));
    }
    const char *infinite = "-Infinity", *nan = "NaN", *big = "1e999";
    double v;
    assert_true(number_scan(&infinite, infinite + 9, &v) && isinf(v) && v < 0);
    assert_true(number_scan(&nan, nan + 3, &v) && isnan(v));
    assert_true(number_scan(&big, big + 5, &v) && isinf(v));
}

static void test_locale_is_no_matter(void **state)
{
    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        skip();
    assert_ok(read_text("0.12345678901234567890 2 3.25 4"));
    assert_points(0, 2, 0.12345678901234567890, 2);
    setlocale(LC_ALL, "C");
}

static int free_set(void **state)
{
    (void)state;
    lane_set_free(&set);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_short_lanes_are_left_out),
        cmocka_unit_test(test_bad_text),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_locale_is_no_matter),
    };
    return cmocka_run_group_tests(tests, NULL, free_set);
}
