/* test_curve.c - resampled lanes against SciPy's. */
#include "eval/curve.h"

#include "support/testing.h"

static lanert_error err;

static uint64_t add_number(uint64_t sum, int32_t number)
{
    for (int i = 0; i < 4; i++)
        sum = (sum ^ ((uint32_t)number >> 8 * i & 255)) * 0x100000001b3u;
    return sum;
}

/* Fits, samples `count` points, and returns their checksum; *first is the first of them. */
static uint64_t sample(const lanert_point *points, size_t n, size_t count, pixel *first)
{
    static curve c;
    pixel out[256];
    uint64_t sum = 0xcbf29ce484222325u;
    assert_ok(curve_fit(&c, points, n, &err));
    curve_sample(&c, count, out);
    for (size_t i = 0; i < count; i++)
        sum = add_number(add_number(sum, out[i].x), out[i].y);
    *first = out[0];
    curve_free(&c);
    return sum;
}

/* splprep([x, y], s=0, k=min(3, n − 1)), splev at linspace(0, 1, count), astype(int32), of SciPy 1.17 and 1.14: at
 * 5·(n − 1) + 1 parameters, and at 50. */
static const struct {
    size_t count;
    lanert_point points[5];
    uint64_t sum_5, sum_50;
    pixel first;
} few[] = {
    {2, {{0, 0}, {7, 3}}, 0x8a2cf9b2320f04d1u, 0x0e88d27779dac0f7u, {0, 0}},
    {3, {{0, 0}, {50.5, 30.25}, {61, 90}}, 0x3861a3a4c125a4c9u, 0x1b089d189c90191fu, {0, 0}},
    /* The first point comes out as 9.999999999999998: its pixel is 9, in SciPy too. */
    {4, {{10, 10}, {20, 12}, {31, 15}, {45, 11}}, 0x26a3383907b5d420u, 0x0642a229951264a6u, {9, 9}},
    {5,
     {{100, 100}, {300, 100}, {300, 300}, {100, 300}, {101, 101}},
     0x3652c914bf2c422du,
     0x0c8f39f7acdebd80u,
     {99, 100}},
    {3, {{0, 0}, {1e9, 1e9}, {5, 5}}, 0x675839c306120bd5u, 0x12acbd2687f9cb11u, {0, 0}},
    {5,
     {{-50.9, 590}, {-0.4, 540.1}, {70, 500}, {72, 499.5}, {300, 380}},
     0xb38dfb0cd3efdf85u,
     0x4f8943a09fd7172du,
     {-50, 590}},
};

static void check(const lanert_point *points, size_t n, uint64_t sum_5, uint64_t sum_50, pixel expected)
{
    pixel first;
    if (sample(points, n, 5 * (n - 1) + 1, &first) != sum_5)
        fail_msg("%zu points from (%g, %g): another curve than SciPy's", n, points[0].x, points[0].y);
    assert_int_equal(first.x, expected.x);
    assert_int_equal(first.y, expected.y);
    if (sample(points, n, 50, &first) != sum_50)
        fail_msg("%zu points from (%g, %g): another curve than SciPy's at 50", n, points[0].x, points[0].y);
}

static void test_as_scipy(void **state)
{
    (void)state;
    lanert_point straight[20], bent[33];
    for (size_t i = 0; i < ARRAY_LEN(few); i++)
        check(few[i].points, few[i].count, few[i].sum_5, few[i].sum_50, few[i].first);
    for (int i = 0; i < 20; i++)
        straight[i] = (lanert_point){800 + 1.5 * i, 590 - 8 * i};
    check(straight, 20, 0xc7ef6ad0a9f40b63u, 0xef15db0130dfad7du, (pixel){800, 590});
    for (int i = 0; i < 33; i++)
        bent[i] = (lanert_point){400.25 + i * i * .37, 589 - 9.5 * i};
    check(bent, 33, 0x9905d9afbe65e06cu, 0xf85b29365f39daecu, (pixel){400, 588});
}

static void test_values_that_do_not_fit(void **state)
{
    (void)state;
    pixel first;
    const lanert_point points[] = {{-3e9, 10}, {0, 20}};
    (void)sample(points, 2, 6, &first);
    assert_int_equal(first.x, INT32_MIN);
    assert_int_equal(first.y, 10);
}

static void test_points_on_one_spot(void **state)
{
    (void)state;
    curve c = {0};
    const lanert_point twice[] = {{1, 1}, {2, 2}, {2, 2}, {3, 3}}, all[] = {{5, 5}, {5, 5}};
    const lanert_point nearly[] = {{0, 0}, {1e-200, 0}, {1e9, 0}};
    assert_fails(curve_fit(&c, twice, 4, &err), LANERT_EFORMAT, "points 2 and 3, (2, 2) and (2, 2)");
    assert_fails(curve_fit(&c, all, 2, &err), LANERT_EFORMAT, "points 1 and 2");
    assert_fails(curve_fit(&c, nearly, 3, &err), LANERT_EFORMAT, "points 1 and 2");
    assert_fails(curve_fit(&c, all, 1, &err), LANERT_EINVAL, "1 points");
    curve_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_scipy),
        cmocka_unit_test(test_values_that_do_not_fit),
        cmocka_unit_test(test_points_on_one_spot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
