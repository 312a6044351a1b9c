/* Which frames are damaged: letters are frames, in the order of showing. */
#include "frame/damage.h"
#include "support/testing.h"

static bool give(damage *d, int64_t time, bool key)
{
    return damage_on_frame(d, time, (double)time, key, true);
}

static void test_sound(void **state)
{
    (void)state;
    damage d = {0};
    for (int i = 0; i < 10; i++) {
        damage_on_packet(&d, i, i % 5 == 0, false);
        assert_false(give(&d, i, i % 5 == 0));
    }
    damage_on_end(&d, 10, 10.4);
    assert_true(d.sum.frames == 0 && d.sum.packets == 0 && d.sum.missing_s == 0);
}

static void test_until_a_key_frame(void **state)
{
    (void)state;
    damage d = {0};
    assert_false(give(&d, 0, true));
    assert_true(damage_on_frame(&d, 1, 1, false, false));
    assert_true(give(&d, 2, false));
    assert_true(damage_on_frame(&d, 3, 3, true, false)); /* a key frame that is damaged itself */
    assert_true(give(&d, 4, false));
    assert_false(give(&d, 5, true));
    assert_false(give(&d, 6, false));
    assert_true(d.sum.frames == 4 && d.sum.first_s == 1);
}

/* Decoders hold frames back: what is known of a packet comes before frames that are sound. */
static void test_torn(void **state)
{
    (void)state;
    damage d = {0};
    damage_on_packet(&d, 0, true, false);
    damage_on_packet(&d, 7, false, true);
    assert_false(give(&d, 5, true));
    assert_false(give(&d, 6, false));
    assert_true(give(&d, 7, false));
    assert_true(give(&d, 8, false));
    assert_false(give(&d, 10, true));
    assert_true(d.sum.frames == 2 && d.sum.first_s == 7);
}

static void test_refused(void **state)
{
    (void)state;
    damage d = {0};
    damage_on_packet(&d, 0, true, false);
    assert_false(give(&d, 0, true));
    damage_on_packet(&d, 6, false, false);
    damage_on_loss(&d);
    assert_true(give(&d, 5, true)); /* was held back: the lost one is later */
    assert_true(give(&d, 7, false));
    assert_false(give(&d, 10, true));
    assert_true(d.sum.packets == 1 && d.sum.frames == 2 && d.sum.first_s == 0);
}

/* Where a stream is joined in its middle, nothing can be decoded until a key frame comes: that is no damage. */
static void test_joined(void **state)
{
    (void)state;
    damage d = {0};
    damage_on_packet(&d, 3, false, true);
    damage_on_loss(&d);
    damage_on_packet(&d, 5, true, false);
    assert_false(give(&d, 5, true));
    assert_true(d.sum.packets == 0 && d.sum.frames == 0);
}

static void test_without_times(void **state)
{
    (void)state;
    damage d = {0};
    damage_on_packet(&d, DAMAGE_NO_TIME, true, false);
    damage_on_packet(&d, DAMAGE_NO_TIME, false, true);
    assert_true(damage_on_frame(&d, DAMAGE_NO_TIME, 0.5, false, true));
    assert_false(damage_on_frame(&d, DAMAGE_NO_TIME, 0.6, true, true));
    assert_false(damage_on_frame(&d, DAMAGE_NO_TIME, 0.7, false, true));
}

static void test_ends_early(void **state)
{
    (void)state;
    damage d = {0};
    damage_on_end(&d, 3, 0);
    assert_true(d.sum.missing_s == 0);
    damage_on_end(&d, 3, 8);
    assert_true(d.sum.missing_s == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),      cmocka_unit_test(test_until_a_key_frame),
        cmocka_unit_test(test_torn),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_joined),     cmocka_unit_test(test_without_times),
        cmocka_unit_test(test_ends_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
