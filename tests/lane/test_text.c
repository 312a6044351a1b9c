/* test_text.c - numbers and strings as the files hold them. */
#include "lane/text.h"

#include <locale.h>
#include <math.h>

#include "support/testing.h"

static lanert_error err;

static const char *fixed(double v, int decimals)
{
    static buffer b;
    buffer_clear(&b);
    assert_ok(text_fixed(&b, v, decimals, &err));
    return b.data;
}

static const char *number(double v, int decimals)
{
    static buffer b;
    buffer_clear(&b);
    assert_ok(text_number(&b, v, decimals, &err));
    return b.data;
}

static const char *string(const char *bytes)
{
    static buffer b;
    buffer_clear(&b);
    assert_ok(text_string(&b, bytes, &err));
    return b.data;
}

static void check_as_printf(double v)
{
    char expected[400];
    for (int decimals = 1; decimals <= 6; decimals++) {
        snprintf(expected, sizeof expected, "%.*f", decimals, v);
        assert_string_equal(fixed(v, decimals), expected);
    }
}

static void test_fixed_is_printf(void **state)
{
    (void)state;
    static const double some[] = {0,     -0.0,    0.5,     0.25,      0.125,   0.0625,    0.03125,    0.015625,
                                  2.675, 1.005,   0.05,    0.000005,  1e-300,  -1e-300,   5e-324,     -0.000001,
                                  1e8,   123.456, -123.45, 99999.995, 0.99999, 0.9999995, 1639.999995};
    for (size_t i = 0; i < ARRAY_LEN(some); i++)
        check_as_printf(some[i]);
    srand(5);
    for (int i = 0; i < 20000; i++) {
        double v = (double)rand() / RAND_MAX;
        check_as_printf(v * 1640);
        check_as_printf(-v * 1e9);
        /* Half way, or the nearest doubles to it. */
        check_as_printf((floor(v * 1e7) + 0.5) / 1e5);
        check_as_printf((floor(v * 1e7) + 0.5) / 1024);
    }
}

static void test_fixed_beyond_its_range(void **state)
{
    (void)state;
    assert_string_equal(fixed(NAN, 2), "null");
    assert_string_equal(fixed(-INFINITY, 2), "null");
    assert_string_equal(fixed(1e9, 5), "1000000000.0");
    assert_string_equal(fixed(-1e15, 2), "-1000000000000000.0");
    assert_int_equal(strlen(fixed(-1.7976931348623157e308, 6)), 312);
}

static void test_number(void **state)
{
    (void)state;
    assert_string_equal(number(12.5, 2), "12.5");
    assert_string_equal(number(300, 2), "300.0");
    assert_string_equal(number(0, 4), "0.0");
    assert_string_equal(number(-0.004, 2), "-0.0");
    assert_string_equal(number(12.345678, 6), "12.345678");
    assert_string_equal(number(100.04, 4), "100.04");
    assert_string_equal(number(1e12, 2), "1000000000000.0");
    assert_string_equal(number(NAN, 2), "null");
}

static void test_strings(void **state)
{
    (void)state;
    assert_string_equal(string(""), "\"\"");
    assert_string_equal(string("clips/0530/1.jpg"), "\"clips/0530/1.jpg\"");
    assert_string_equal(string("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
    assert_string_equal(string("\b\f\n\r\t\x01\x1f\x7f ~"), "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f ~\"");
    assert_string_equal(string("Straße"), "\"Stra\\u00dfe\"");
    assert_string_equal(string("\xe2\x82\xac\xf0\x9f\x9a\x97"), "\"\\u20ac\\ud83d\\ude97\"");
    assert_string_equal(string("\xf4\x8f\xbf\xbf"), "\"\\udbff\\udfff\"");
}

static void test_bytes_that_are_no_utf8(void **state)
{
    (void)state;
    assert_string_equal(string("\xff"), "\"\\ufffd\"");
    assert_string_equal(string("a\x80z"), "\"a\\ufffdz\"");
    assert_string_equal(string("\xc3"), "\"\\ufffd\"");            /* cut off */
    assert_string_equal(string("\xe2\x82"), "\"\\ufffd\\ufffd\""); /* cut off */
    assert_string_equal(string("\xf0\x9f\x9a"), "\"\\ufffd\\ufffd\\ufffd\"");
    assert_string_equal(string("\xc3("), "\"\\ufffd(\"");
    assert_string_equal(string("\xc0\xaf"), "\"\\ufffd\\ufffd\"");                       /* overlong / */
    assert_string_equal(string("\xe0\x80\xaf"), "\"\\ufffd\\ufffd\\ufffd\"");            /* overlong */
    assert_string_equal(string("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");            /* a surrogate */
    assert_string_equal(string("\xf4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* over U+10FFFF */
    assert_string_equal(string("\xf8\x88\x80\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

static void test_full_buffer(void **state)
{
    (void)state;
    buffer b = {.limit = 3};
    assert_fails(text_fixed(&b, 1.25, 2, &err), LANERT_ELIMIT, "limit of 3 bytes");
    assert_fails(text_number(&b, 1.25, 2, &err), LANERT_ELIMIT, "limit of 3 bytes");
    for (size_t limit = 1; limit < 8; limit++) {
        b.limit = limit;
        buffer_clear(&b);
        assert_fails(text_string(&b, "\xff\xff", &err), LANERT_ELIMIT, "limit");
    }
    buffer_free(&b);
}

static void test_locale(void **state)
{
    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8")) {
        fprintf(stderr, "skipped: no locale with a decimal comma is installed\n");
        skip();
    }
    const char *text = fixed(1.5, 2), *beyond = number(2e9, 2);
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(text, "1.50");
    assert_string_equal(beyond, "2000000000.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_is_printf),
        cmocka_unit_test(test_fixed_beyond_its_range),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_bytes_that_are_no_utf8),
        cmocka_unit_test(test_full_buffer),
        cmocka_unit_test(test_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
