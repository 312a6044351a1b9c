/* Histograms of values, and the ranges chosen from them. */
#include "quant/observer.h"

#include <math.h>

#include "quant/range.h"
#include "support/testing.h"

static lanert_error err;
/* Large, and so not on the stack. */
static observer o;

static int start(void **state)
{
    (void)state;
    memset(&o, 0, sizeof o);
    return 0;
}

/* splitmix64's mixing of a counter, as a number from 0 to 1. */
static float random_number(uint64_t i)
{
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (float)((z ^ (z >> 31)) >> 40) / (float)(1 << 24);
}

static void add(const float *numbers, int64_t count)
{
    assert_ok(observer_add(&o, numbers, count, &err));
}

static void counts_in_bins(void **state)
{
    (void)state;
    const float numbers[] = {0, 1.5f, -0.25f, 0, 1.5f, 3.99f};
    add(numbers, ARRAY_LEN(numbers));
    assert_float_equal(o.low, -0.25, 0);
    assert_float_equal(o.high, 3.99, 1e-6);
    assert_float_equal(o.width, 4.0 / OBSERVER_BINS, 0);
    assert_int_equal(o.total, 4);
    assert_int_equal(observer_count(&o, (int)(1.5 / o.width)), 2);
    assert_int_equal(observer_count(&o, (int)floor(-0.25 / o.width)), 1);
    assert_int_equal(observer_count(&o, 0), 0); /* zeros are not counted */
}

/* Bins do not depend on what comes first. */
static void widens_as_numbers_grow(void **state)
{
    (void)state;
    static observer other;
    float numbers[1000];
    for (int i = 0; i < 1000; i++)
        numbers[i] = (random_number((uint64_t)i) - 0.3f) * (float)(1 << i % 12);
    for (int i = 0; i < 1000; i++)
        add(&numbers[i], 1);
    memset(&other, 0, sizeof other);
    assert_ok(observer_add(&other, numbers, 1000, &err));
    assert_memory_equal(&o, &other, sizeof o);
    uint64_t sum = 0;
    for (int i = -OBSERVER_BINS; i < OBSERVER_BINS; i++)
        sum += observer_count(&o, i);
    assert_int_equal(sum, o.total);
}

static void takes_extremes(void **state)
{
    (void)state;
    const float tiny[] = {1e-45f, -1e-45f}, large[] = {3e38f, -3e38f};
    add(tiny, 2);
    add(large, 2);
    assert_int_equal(o.total, 4);
}

static void refuses_what_is_not_finite(void **state)
{
    (void)state;
    const float nan[] = {1, NAN}, infinite[] = {-INFINITY};
    assert_fails(observer_add(&o, nan, 2, &err), LANERT_EENGINE, "not finite");
    assert_fails(observer_add(&o, infinite, 1, &err), LANERT_EENGINE, "not finite");
}

/* ---- ranges ---- */

/* A million numbers, fewer and fewer the larger they are (a half of exp(−4·t) beyond t on either side), and one far
 * out. */
static void add_outlier(float where)
{
    static float numbers[1 << 20];
    for (int i = 0; i < 1 << 20; i++) {
        float u = random_number((uint64_t)i) + 1e-9f;
        numbers[i] = (i % 2 ? -1 : 1) * -logf(u) / 4;
    }
    numbers[77] = where;
    add(numbers, 1 << 20);
}

static void takes_all(void **state)
{
    (void)state;
    add_outlier(50);
    qdq_range r = range_choose(&o, LANERT_MINMAX, false);
    assert_float_equal(r.high, 50, 0);
    assert_true(r.low > -6 && r.low < -2);
}

static void leaves_outliers_out(void **state)
{
    (void)state;
    static const lanert_calibration methods[] = {LANERT_PERCENTILE, LANERT_ENTROPY, LANERT_MSE};
    for (int turn = 0; turn < 2; turn++) {
        memset(&o, 0, sizeof o);
        add_outlier(turn ? -50 : 50);
        for (size_t i = 0; i < ARRAY_LEN(methods); i++)
            for (int is_unsigned = 0; is_unsigned < 2; is_unsigned++) {
                qdq_range r = range_choose(&o, methods[i], is_unsigned);
                double most = fmax(-r.low, r.high), least = fmin(-r.low, r.high);
                /* A ten-thousandth of all numbers lies beyond ln(5000)/4 on either side. The squared error of the one
                 * weighs most: (50 − t)² + 2²⁰·(t/255)²/12 is least at t = 21. */
                if (most > (methods[i] == LANERT_MSE ? 25 : 8) || least < 1 ||
                    (methods[i] == LANERT_PERCENTILE && (most > 2.3 || least < 2)))
                    fail_msg("%s: %g to %g", lanert_calibration_name((int)methods[i]), (double)r.low, (double)r.high);
            }
    }
}

/* The error that is least for Gaussian numbers in 8 bits lies at about 4 standard deviations (symmetric, 255 levels).
 */
static void finds_the_least_squares(void **state)
{
    (void)state;
    static float numbers[1 << 18];
    for (int i = 0; i < 1 << 18; i++) {
        double u = random_number((uint64_t)(2 * i)) + 1e-9, v = random_number((uint64_t)(2 * i + 1));
        numbers[i] = (float)(sqrt(-2 * log(u)) * cos(2 * M_PI * v));
    }
    add(numbers, 1 << 18);
    qdq_range r = range_choose(&o, LANERT_MSE, false);
    assert_true(r.high > 3.6f && r.high < 4.4f);
}

static void takes_nothing_for_nothing(void **state)
{
    (void)state;
    const float zeros[3] = {0};
    add(zeros, 3);
    for (int i = 0; lanert_calibration_name(i); i++) {
        qdq_range r = range_choose(&o, (lanert_calibration)i, true);
        assert_true(r.low == 0 && r.high == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(counts_in_bins, start),
        cmocka_unit_test_setup(widens_as_numbers_grow, start),
        cmocka_unit_test_setup(takes_extremes, start),
        cmocka_unit_test_setup(refuses_what_is_not_finite, start),
        cmocka_unit_test_setup(takes_all, start),
        cmocka_unit_test_setup(leaves_outliers_out, start),
        cmocka_unit_test_setup(finds_the_least_squares, start),
        cmocka_unit_test_setup(takes_nothing_for_nothing, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
