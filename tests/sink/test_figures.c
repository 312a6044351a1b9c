#include <math.h>
#include <string.h>

#include "sink/figures.h"
#include "support/testing.h"

#define MS 1000000LL

static void the_rate_is_that_of_the_last_results(void **state)
{
    (void)state;
    figures f = {0};
    lanert_result r = {.count = 2, .latency_ms = 7.25};
    int64_t now = 5000 * MS;
    assert_true(figures_add(&f, now, &r));
    assert_string_equal(f.rate, "");
    assert_string_equal(f.latency, "7.2 ms");
    assert_string_equal(f.lanes, "2");
    assert_true(figures_add(&f, now += 40 * MS, &r));
    assert_string_equal(f.rate, "25");
    for (int i = 0; i < 200; i++)
        figures_add(&f, now += 10 * MS, &r);
    assert_string_equal(f.rate, "100");
    for (int i = 0; i < 40; i++)
        figures_add(&f, now += 500 * MS, &r);
    assert_string_equal(f.rate, "2.0");
}

static void figures_stand_long_enough_to_be_read(void **state)
{
    (void)state;
    figures f = {0};
    lanert_result r = {.count = 1};
    int changes = 0;
    for (int i = 0; i < 100; i++) { /* one second */
        r.latency_ms = i % 2 ? 20 : 30 + i;
        changes += figures_add(&f, i * 10 * MS, &r);
    }
    assert_in_range(changes, 3, 6);
    r.count = 3;
    assert_true(figures_add(&f, 1001 * MS, &r)); /* but lanes are shown at once */
    assert_string_equal(f.lanes, "3");
    r.late = true;
    assert_true(figures_add(&f, 1002 * MS, &r)); /* and so is what came too late */
    assert_false(figures_add(&f, 1003 * MS, &r));
}

static void latency_is_the_mean_since_the_last_renewal(void **state)
{
    (void)state;
    figures f = {0};
    lanert_result r = {.latency_ms = 10};
    figures_add(&f, 0, &r);
    r.latency_ms = 20;
    figures_add(&f, 100 * MS, &r);
    assert_string_equal(f.latency, "10 ms");
    r.latency_ms = 40;
    figures_add(&f, 260 * MS, &r);
    assert_string_equal(f.latency, "30 ms");
}

static void absurd_figures_are_not_shown(void **state)
{
    (void)state;
    const double absurd[] = {NAN, INFINITY, -INFINITY, -1, 1e300};
    for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
        figures f = {0};
        lanert_result r = {.latency_ms = absurd[i]};
        figures_add(&f, 10, &r);
        figures_add(&f, 10, &r); /* no time has passed */
        assert_string_equal(f.latency, "");
        assert_string_equal(f.rate, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_is_that_of_the_last_results),
        cmocka_unit_test(figures_stand_long_enough_to_be_read),
        cmocka_unit_test(latency_is_the_mean_since_the_last_renewal),
        cmocka_unit_test(absurd_figures_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
