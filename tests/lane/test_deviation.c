/* How far predictions are apart. */
#include "lane/deviation.h"

#include <math.h>

#include "support/testing.h"

enum { PRIORS = 3 };

static model_info info = {.priors = PRIORS};
/* Large, and so not on the stack. */
static deviation_sum sum;

/* A straight lane from bottom to top at x, of 0 to 1, with that difference of logits. */
static void put_lane(float *row, float logits, float x)
{
    memset(row, 0, NET_COLUMNS * sizeof *row);
    row[0] = -logits / 2;
    row[1] = logits / 2;
    row[5] = LANERT_LANE_POINTS / (float)NET_STRIPS;
    for (int i = 0; i < LANERT_LANE_POINTS; i++)
        row[6 + i] = x;
}

static int start(void **state)
{
    (void)state;
    info.preset = *lanert_preset_find("culane");
    heights_even(info.prior_ys);
    deviation_start(&info, &sum);
    return 0;
}

static void finds_no_noise(void **state)
{
    (void)state;
    float was[PRIORS][NET_COLUMNS];
    for (int i = 0; i < PRIORS; i++)
        put_lane(was[i], 4, 0.2f + 0.3f * (float)i);
    deviation_add(&sum, was[0], was[0]);
    lanert_deviation d = deviation_result(&sum);
    assert_true(isinf(d.snr_db) && d.snr_db > 0);
    assert_int_equal(d.lanes, 3);
    assert_int_equal(d.lost + d.gained, 0);
    assert_true(d.moved_px == 0);
}

/* One moves by 4 pixels, one falls below the score needed, one goes too far. */
static void tells_lanes_apart(void **state)
{
    (void)state;
    float was[PRIORS][NET_COLUMNS], is[PRIORS][NET_COLUMNS];
    for (int i = 0; i < PRIORS; i++)
        put_lane(was[i], 4, 0.2f + 0.3f * (float)i);
    put_lane(is[0], 4, 0.205f);
    put_lane(is[1], -4, 0.5f);
    put_lane(is[2], 4, 0.9f);
    deviation_add(&sum, was[0], is[0]);
    lanert_deviation d = deviation_result(&sum);
    assert_int_equal(d.lanes, 3);
    assert_int_equal(d.lost, 2);
    assert_int_equal(d.gained, 1);
    assert_float_equal(d.moved_px, 4, 0.01);
    assert_float_equal(d.snr_db, 10 * log10(3 * 16.0 / 64), 1e-4);
}

/* Where priors are selected, one that takes another's place moves the rows between them. */
static void compares_ranks_of_selected_priors(void **state)
{
    (void)state;
    float was[PRIORS][NET_COLUMNS], is[PRIORS][NET_COLUMNS];
    for (int i = 0; i < PRIORS; i++) {
        put_lane(was[i], (float)(4 * i - 5), 0.2f + 0.3f * (float)i);
        put_lane(is[(i + 1) % PRIORS], (float)(4 * i - 5), 0.2f + 0.3f * (float)i);
    }
    put_lane(is[1], -6, 0.9f);
    deviation_add(&sum, was[0], is[0]);
    assert_true(deviation_result(&sum).snr_db < 0);
    info.selects = true;
    deviation_start(&info, &sum);
    info.selects = false;
    deviation_add(&sum, was[0], is[0]);
    assert_float_equal(deviation_result(&sum).snr_db, 10 * log10(25 + 1 + 9), 1e-4);
}

static void takes_nan_for_noise(void **state)
{
    (void)state;
    float was[PRIORS][NET_COLUMNS], is[PRIORS][NET_COLUMNS];
    for (int i = 0; i < PRIORS; i++) {
        put_lane(was[i], 4, 0.2f + 0.3f * (float)i);
        put_lane(is[i], NAN, 0.5f);
    }
    deviation_add(&sum, was[0], is[0]);
    lanert_deviation d = deviation_result(&sum);
    assert_true(isinf(d.snr_db) && d.snr_db < 0);
    assert_int_equal(d.lost, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(finds_no_noise, start),
        cmocka_unit_test_setup(tells_lanes_apart, start),
        cmocka_unit_test_setup(compares_ranks_of_selected_priors, start),
        cmocka_unit_test_setup(takes_nan_for_noise, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
