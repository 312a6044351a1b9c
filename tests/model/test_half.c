/* Half precision: numbers one by one to the nearest, and kernels so that their errors all but cancel. */
#include "model/half.h"

#include <math.h>
#include <stdlib.h>

#include "support/testing.h"

/* The value of a half, by the format's definition. */
static double half_value(uint16_t half)
{
    int exponent = half >> 10 & 31, fraction = half & 1023;
    double size = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    return half & 0x8000 ? -size : size;
}

static void rounds_every_half_to_itself(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x10000; h++)
        if ((h >> 10 & 31) != 31) {
            assert_int_equal(half_from_float((float)half_value((uint16_t)h)), h);
            assert_true(half_to_float((uint16_t)h) == half_value((uint16_t)h));
        }
}

/* Between neighbours: below the middle down, above it up, in the middle to the even one. */
static void rounds_to_the_nearest_half(void **state)
{
    (void)state;
    for (uint16_t h = 0; h < 0x7bff; h++) {
        float low = (float)half_value(h), high = (float)half_value(h + 1), middle = (low + high) / 2;
        assert_int_equal(half_from_float(nextafterf(middle, low)), h);
        assert_int_equal(half_from_float(nextafterf(middle, high)), h + 1);
        assert_int_equal(half_from_float(middle), h + (h & 1));
    }
    assert_int_equal(half_from_float(HALF_MAX), 0x7bff);
    assert_int_equal(half_from_float(nextafterf(65520, 0)), 0x7bff);
    assert_int_equal(half_from_float(65520), 0x7c00);
    assert_int_equal(half_from_float(-INFINITY), 0xfc00);
    assert_int_equal(half_from_float(NAN) & 0x7c00, 0x7c00);
    assert_int_not_equal(half_from_float(NAN) & 0x3ff, 0);
}

/* ---- kernels ------------------------------------------------------------------------------------- */

/* Of a bell, as weights are. */
static float random_weight(void)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += (double)rand() / RAND_MAX - 0.5;
    return (float)(sum * 0.05);
}

typedef struct errors {
    double sum, squares;
} errors;

static errors errors_of(const float *weights, const uint16_t *halves, size_t count)
{
    errors e = {0, 0};
    for (size_t i = 0; i < count; i++) {
        double error = half_value(halves[i]) - weights[i];
        e.sum += error;
        e.squares += error * error;
    }
    return e;
}

/* Each weight goes to a half next to it, and is itself where it is one. */
static void assert_neighbours(const float *weights, const uint16_t *halves, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t nearest = half_from_float(weights[i]) & 0x7fff;
        double step = half_value(nearest + 1) - half_value(nearest);
        assert_true(fabs(half_value(halves[i]) - weights[i]) < step);
    }
}

static void cancels_errors(size_t count)
{
    float weights[200];
    uint16_t halves[200], nearest[200];
    double kernel = 0, plain = 0, kernel_squares = 0, plain_squares = 0;
    srand(1);
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < count; i++) {
            weights[i] = random_weight();
            nearest[i] = half_from_float(weights[i]);
        }
        half_from_kernel(weights, count, halves);
        assert_neighbours(weights, halves, count);
        errors a = errors_of(weights, halves, count), b = errors_of(weights, nearest, count);
        kernel += a.sum * a.sum;
        plain += b.sum * b.sum;
        kernel_squares += a.squares;
        plain_squares += b.squares;
    }
    /* Sums of errors below a fifth of what they were; the errors themselves hardly larger. */
    assert_true(kernel < plain / 25);
    assert_true(kernel_squares < plain_squares * 1.25);
}

static void errors_of_a_kernel_cancel(void **state)
{
    (void)state;
    static const size_t counts[] = {9, 36, 49, 64, 200};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        cancels_errors(counts[i]);
}

static void a_weight_alone_goes_to_the_nearest(void **state)
{
    (void)state;
    for (int i = 0; i < 10000; i++) {
        float weight = ldexpf(random_weight(), i % 40 - 20);
        uint16_t half;
        half_from_kernel(&weight, 1, &half);
        assert_int_equal(half, half_from_float(weight));
    }
}

/* What lies between 0 and the smallest half goes to one of these. */
static void what_is_a_half_stays(void **state)
{
    (void)state;
    static const float weights[] = {0, -0.0f, 0.5f, -65504, 65504, 0x1p-24f, 1 + 0x1p-10f, 0, 1024};
    static const float tiny[] = {0x1p-26f, 0x1p-26f, -0x1p-27f, 0x1p-26f, 0x1p-26f, 0x1p-26f};
    uint16_t halves[ARRAY_LEN(weights)];
    half_from_kernel(weights, ARRAY_LEN(weights), halves);
    for (size_t i = 0; i < ARRAY_LEN(weights); i++)
        assert_int_equal(halves[i], half_from_float(weights[i]));
    half_from_kernel(tiny, ARRAY_LEN(tiny), halves);
    int ones = 0;
    for (size_t i = 0; i < ARRAY_LEN(tiny); i++) {
        assert_in_range(halves[i] & 0x7fff, 0, 1);
        ones += halves[i] == 1;
    }
    assert_int_equal(ones, 1); /* 1.125 steps of 2^-24 in all */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_every_half_to_itself), cmocka_unit_test(rounds_to_the_nearest_half),
        cmocka_unit_test(errors_of_a_kernel_cancel),   cmocka_unit_test(a_weight_alone_goes_to_the_nearest),
        cmocka_unit_test(what_is_a_half_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
