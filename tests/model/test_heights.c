/* The heights of a lane's rows: as a text and back to the bit, and what is no such text. */
#include "model/heights.h"

#include <math.h>

#include "support/testing.h"

static lanert_error err;

/* x with `bits` of fraction, to the nearest. */
static float rounded(double x, int bits)
{
    int exponent;
    double fraction = frexp(x, &exponent);
    return (float)ldexp(nearbyint(ldexp(fraction, bits + 1)), exponent - bits - 1);
}

static void steps_are_even(void **state)
{
    (void)state;
    float heights[HEIGHTS_COUNT];
    heights_even(heights);
    assert_ok(heights_check(heights, &err));
    assert_true(heights[0] == 1 && heights[71] == 0);
    /* float32 of linspace(1, 0, 72) */
    assert_true(heights[1] == 0x1.f8c9eap-1f);
    assert_true(heights[36] == 0x1.f8c9eap-2f);
    assert_true(heights[70] == 0x1.cd8568p-7f);
}

/* As bfloat16, float16 and float32 have them, and one unit away in the last place. */
static void text_gives_them_back(void **state)
{
    (void)state;
    for (int bits = 7; bits <= 24; bits++) {
        float heights[HEIGHTS_COUNT], read[HEIGHTS_COUNT];
        char text[HEIGHTS_TEXT];
        for (int i = 0; i < HEIGHTS_COUNT; i++) {
            double even = 1 - i / 71.0;
            heights[i] = bits == 24 ? nextafterf((float)even, i % 2 ? 0 : 0.5f) : rounded(even, bits);
        }
        heights_format(heights, text);
        assert_ok(heights_parse(text, read, &err));
        assert_memory_equal(read, heights, sizeof read);
    }
}

#define REFUSED(text, part) assert_fails(heights_parse(text, heights, &err), LANERT_EFORMAT, part)

static void other_texts_are_refused(void **state)
{
    (void)state;
    float heights[HEIGHTS_COUNT];
    char text[HEIGHTS_TEXT], other[HEIGHTS_TEXT + 8];
    heights_even(heights);
    heights_format(heights, text);
    size_t size = strlen(text);
    REFUSED("", "has '' at element 0");
    REFUSED("1", "has '1' at element 0; expected 72 decimal numbers");
    snprintf(other, sizeof other, "%s 0", text);
    REFUSED(other, "has '0 0' at element 71");
    snprintf(other, sizeof other, "%s ", text);
    REFUSED(other, "has '0 ' at element 71");
    snprintf(other, sizeof other, " %s", text);
    REFUSED(other, "at element 0");
    snprintf(other, sizeof other, "%.*s", (int)size - 2, text);
    REFUSED(other, "at element 70");
    static const struct {
        const char *last, *part;
    } lasts[] = {
        {"nan", "has 'nan'"}, {"-0", "has '-0'"}, {"1e-9", "has '1e-9'"}, {"0.002", "holds 0.002 at element 71"}};
    for (size_t i = 0; i < ARRAY_LEN(lasts); i++) {
        snprintf(other, sizeof other, "%.*s%s", (int)size - 1, text, lasts[i].last);
        REFUSED(other, lasts[i].part);
    }
    snprintf(other, sizeof other, "1.0001%s", text + 1);
    REFUSED(other, "holds 1.0001 at element 0, expected 1 (71 even steps from 1 to 0)");
    memset(other, '0', sizeof other - 1);
    other[sizeof other - 1] = '\0';
    REFUSED(other, "at element 0");
}

static void wrong_heights_are_refused(void **state)
{
    (void)state;
    static const float wrong[] = {NAN, INFINITY, -INFINITY, -1e-9f, 1, 0};
    for (int at = 1; at < HEIGHTS_COUNT; at++)
        for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
            float heights[HEIGHTS_COUNT];
            heights_even(heights);
            if (heights[at] == wrong[i])
                continue;
            heights[at] = wrong[i];
            assert_fails(heights_check(heights, &err), LANERT_EFORMAT, "even steps from 1 to 0");
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_even),
        cmocka_unit_test(text_gives_them_back),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(wrong_heights_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
