/* Convolutions as products of Fourier transforms: what they come to, number by number. */
#include "model/fourier.h"

#include "support/testing.h"

/* Of points, taps and results that are 1 at one place each. */
static double product(const fourier *f, int64_t point, int64_t tap, int64_t result)
{
    double sum = 0;
    for (int64_t t = 0; t < f->products; t++)
        sum += fourier_back_at(f, t, result) * fourier_into_at(f, t, point) * fourier_tap_at(f, t, tap);
    return sum;
}

/* With zeros on either side: a result has the points around it, each times its tap. */
static void is_the_convolution(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = {{36, 9}, {5, 9}, {1, 9}, {13, 9}, {7, 3}, {6, 1}};
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
        const fourier f = fourier_of(sizes[s][0], sizes[s][1]);
        for (int64_t result = 0; result < f.points; result++)
            for (int64_t point = 0; point < f.points; point++)
                for (int64_t tap = 0; tap < f.taps; tap++)
                    assert_float_equal(product(&f, point, tap, result), point == result + tap - f.taps / 2, 1e-12);
    }
}

/* The reference's head: 304 products where there are no zeros. */
static void takes_fewer_products(void **state)
{
    (void)state;
    const fourier f = fourier_of(36, 9);
    assert_int_equal(f.period, 40);
    assert_int_equal(f.products, 59);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_convolution),
        cmocka_unit_test(takes_fewer_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
