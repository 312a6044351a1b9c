/* test_spline.c - the interpolating spline: known curves, its smoothness, SciPy's values, bad input. */
#include "lane/spline.h"

#include <math.h>

#include "support/testing.h"

static lanert_error err;

static double polynomial(const double *c, int degree, double u)
{
    double sum = 0;
    for (int i = degree; i >= 0; i--)
        sum = sum * u + c[i];
    return sum;
}

/* Rising parameters, some of them close together. */
static void make_parameters(double *t, int count)
{
    t[0] = -1;
    for (int i = 1; i < count; i++)
        t[i] = t[i - 1] + 0.01 + (double)rand() / RAND_MAX * (rand() % 5 ? 0.1 : 1);
}

/* n points of a polynomial of the spline's own degree give it back, everywhere. */
static void test_polynomials(void **state)
{
    (void)state;
    srand(1);
    for (int count = 2; count <= LANERT_LANE_POINTS; count++) {
        double t[LANERT_LANE_POINTS], v[LANERT_LANE_POINTS], c[4];
        int degree = count < 4 ? count - 1 : 3;
        make_parameters(t, count);
        for (int i = 0; i <= 3; i++)
            c[i] = (double)rand() / RAND_MAX - 0.5;
        for (int i = 0; i < count; i++)
            v[i] = polynomial(c, degree, t[i]);
        spline s;
        assert_ok(spline_fit(&s, t, v, count, &err));
        assert_int_equal(s.degree, degree);
        for (double u = t[0] - 0.01; u < t[count - 1] + 0.01; u += 0.003)
            assert_true(fabs(spline_at(&s, u) - polynomial(c, degree, u)) < 1e-9);
    }
}

/* The k-th derivative of piece i at d behind its start. */
static double derivative(const spline *s, int i, int k, double d)
{
    const double *c = s->c[i];
    switch (k) {
    case 0:
        return c[0] + d * (c[1] + d * (c[2] + d * c[3]));
    case 1:
        return c[1] + d * (2 * c[2] + d * 3 * c[3]);
    case 2:
        return 2 * c[2] + d * 6 * c[3];
    default:
        return 6 * c[3];
    }
}

static void test_smoothness(void **state)
{
    (void)state;
    srand(2);
    for (int count = 4; count <= LANERT_LANE_POINTS; count++) {
        double t[LANERT_LANE_POINTS], v[LANERT_LANE_POINTS];
        make_parameters(t, count);
        for (int i = 0; i < count; i++)
            v[i] = (double)rand() / RAND_MAX;
        spline s;
        assert_ok(spline_fit(&s, t, v, count, &err));
        for (int i = 0; i < count; i++)
            assert_true(fabs(spline_at(&s, t[i]) - v[i]) < 1e-12);
        for (int i = 1; i < count - 1; i++) {
            bool no_knot = i == 1 || i == count - 2;
            for (int k = 0; k <= (no_knot ? 3 : 2); k++) {
                double before = derivative(&s, i - 1, k, t[i] - t[i - 1]), after = derivative(&s, i, k, 0);
                assert_true(fabs(before - after) <= 1e-9 * (1e3 + fabs(after)));
            }
        }
    }
}

/* scipy.interpolate.InterpolatedUnivariateSpline(t[:n], v[:n], k=min(3, n - 1)) at u; SciPy 1.17. */
static void test_values_of_scipy(void **state)
{
    (void)state;
    static const double t[] = {0.1, 0.15, 0.3, 0.32, 0.7, 0.9, 1.0}, v[] = {0.5, -0.2, 0.9, 0.4, 0.45, 12.0, 0.0};
    static const double u[] = {0.09, 0.12, 0.31, 0.5, 0.8, 0.95, 1.01};
    static const struct {
        int count;
        double x[7];
    } known[] = {
        {2, {0.64, 0.22, -2.44, -5.1, -9.3, -11.4, -12.24}},
        {3, {0.704, 0.156, 1.144, 9.833333333333336, 39.23333333333335, 61.13333333333334, 71.23733333333335}},
        {4,
         {0.8740213903743316, 0.010267379679144387, 0.6906096256684495, -27.949197860962563, -267.74973262032097,
          -535.2909090909087, -678.5381069518714}},
        {5,
         {0.8772783492822963, 0.007475700615174881, 0.6843412722146285, -9.338004101161976, 28.478434723171553,
          117.01689219497587, 172.12353236073116}},
        {7,
         {0.8839889786034436, 0.0017237326256205098, 0.6714259737195635, -4.1171504227393605, 8.607008462656154,
          8.588434855419958, -2.4558300571171294}},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        spline s;
        assert_ok(spline_fit(&s, t, v, known[i].count, &err));
        for (size_t k = 0; k < ARRAY_LEN(u); k++)
            assert_true(fabs(spline_at(&s, u[k]) - known[i].x[k]) < 1e-12 * fmax(1, fabs(known[i].x[k])));
    }
}

static void test_refused(void **state)
{
    (void)state;
    spline s;
    double t[LANERT_LANE_POINTS + 1], v[LANERT_LANE_POINTS + 1] = {0};
    for (int i = 0; i <= LANERT_LANE_POINTS; i++)
        t[i] = i;
    assert_fails(spline_fit(&s, t, v, 1, &err), LANERT_EINVAL, "through 1 points; expected 2 to 72");
    assert_fails(spline_fit(&s, t, v, -1, &err), LANERT_EINVAL, "through -1 points");
    assert_fails(spline_fit(&s, t, v, LANERT_LANE_POINTS + 1, &err), LANERT_EINVAL, "through 73 points");
    assert_ok(spline_fit(&s, t, v, LANERT_LANE_POINTS, &err));
    t[3] = 2;
    assert_fails(spline_fit(&s, t, v, 10, &err), LANERT_EINVAL, "parameter 3 of a spline is 2 after 2");
    t[3] = 1;
    assert_fails(spline_fit(&s, t, v, 10, &err), LANERT_EINVAL, "parameter 3 of a spline is 1 after 2");
    t[3] = NAN;
    assert_fails(spline_fit(&s, t, v, 10, &err), LANERT_EINVAL, "point 3 of a spline is (nan, 0)");
    t[3] = 3;
    v[9] = INFINITY;
    assert_fails(spline_fit(&s, t, v, 10, &err), LANERT_EINVAL, "point 9 of a spline is (9, inf)");
}

/* Overflow gives no number, not a crash. */
static void test_extremes(void **state)
{
    (void)state;
    static const double t[] = {0, 5e-324, 1e-323, 1e308, 1.7e308}, v[] = {1e308, -1e308, 1e308, -1e308, 1e308};
    spline s;
    for (int count = 2; count <= 5; count++) {
        assert_ok(spline_fit(&s, t, v, count, &err));
        assert_false(fabs(spline_at(&s, 1e307)) < 1);
    }
    assert_ok(spline_fit(&s, (const double[]){0, 1}, (const double[]){0, 1}, 2, &err));
    assert_true(isnan(spline_at(&s, NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_polynomials), cmocka_unit_test(test_smoothness), cmocka_unit_test(test_values_of_scipy),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
