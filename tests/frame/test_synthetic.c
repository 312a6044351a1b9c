/* The drawn road: the same for the same seed, its lanes where its paint is. */
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/sha256.h"
#include "frame/road.h"
#include "frame/source.h"
#include "support/testing.h"

static lanert_error err;

static int open_fails(const char *spec)
{
    lanert_source *source = NULL;
    int rc = lanert_source_open(spec, &source, &err);
    assert_null(source);
    return rc;
}

static void test_options(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    assert_ok(lanert_source_open("synthetic:", &source, &err));
    const lanert_source_info *info = lanert_source_describe(source);
    assert_int_equal(info->width, 1280);
    assert_int_equal(info->height, 720);
    assert_int_equal(info->frames, 250);
    assert_true(info->rate == 25);
    assert_false(info->live);
    assert_false(info->pictures);
    lanert_source_close(&source);
    assert_ok(lanert_source_open("synthetic:rate=12.5,size=320x180,seed=42,frames=3", &source, &err));
    info = lanert_source_describe(source);
    assert_int_equal(info->width, 320);
    assert_int_equal(info->height, 180);
    assert_true(info->rate == 12.5);
    for (int i = 0; i < 3; i++) {
        assert_ok(lanert_source_read(source, &frame, &err));
        assert_int_equal(frame.index, i);
        assert_true(frame.time_s == i * 0.08);
        assert_int_equal(frame.width, 320);
        assert_string_equal(frame.name, "synthetic");
    }
    assert_int_equal(lanert_source_read(source, &frame, &err), LANERT_END);
    assert_int_equal(lanert_source_read(source, &frame, &err), LANERT_END);
    lanert_source_close(&source);
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "seed=-1",  "seed=x",    "frames=0",   "frames=1e99",    "frames=2.5",     "rate=0",         "rate=1001",
        "rate=nan", "size=1280", "size=1280x", "size=63x720",    "size=1280x720x", "size=16385x100", "size=16384x16384",
        "live=2",   "seed=",     "seed=1 ",    "size=1280 x720", "rate=inf"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char spec[64];
        snprintf(spec, sizeof spec, "synthetic:frames=5,%s", bad[i]);
        assert_fails(open_fails(spec), LANERT_EINVAL, bad[i]);
    }
    assert_fails(open_fails("synthetic:speed=9"), LANERT_EINVAL, "no option \"speed=9\"; it has seed=1, frames=250");
    assert_fails(open_fails("synthetic:seed"), LANERT_EINVAL, "no option \"seed\"");
}

static void hash(uint64_t seed, double time_s, char hex[65])
{
    road *r;
    picture p = {0};
    assert_ok(road_open(seed, 320, 200, &r, &err));
    assert_ok(road_draw(r, time_s, &p, &err));
    assert_int_equal(p.stride, 320 * 3);
    assert_ok(sha256_hex(p.bgr, 320 * 3 * 200, hex, &err));
    picture_free(&p);
    road_close(&r);
    assert_null(r);
}

static void test_deterministic(void **state)
{
    (void)state;
    char one[65], again[65], other[65], later[65];
    hash(1, 2, one);
    hash(1, 2, again);
    hash(2, 2, other);
    hash(1, 2.04, later);
    assert_string_equal(one, again);
    assert_string_not_equal(one, other);
    assert_string_not_equal(one, later);
}

/* How much lighter the pixel is than those a line's width to its left and right. */
static double contrast(const picture *p, double x, double y, double reach)
{
    int row = (int)lround(y), at = (int)lround(x), left = (int)lround(x - reach), right = (int)lround(x + reach);
    if (left < 0 || right >= p->width)
        return NAN;
    const uint8_t *bgr = p->bgr + (ptrdiff_t)row * p->stride;
    return bgr[at * 3 + 2] - (bgr[left * 3 + 2] + bgr[right * 3 + 2]) / 2.0;
}

/* Paint along a lane: the share of its lower points, those whose paint is some pixels wide, that stand out. */
static double painted(const picture *p, const lanert_lane *lane)
{
    int seen = 0, bright = 0;
    for (int i = 0; i < lane->count; i++) {
        double y = lane->points[i].y, width = 0.16 * (y - 0.44 * p->height) / 1.45;
        if (width < 4)
            continue;
        /* The point lies between two rows: the line there leans by the way to the next point. */
        const lanert_point *next = &lane->points[i + 1 < lane->count ? i + 1 : i - 1], *here = &lane->points[i];
        double x = here->x + (next->x - here->x) / (next->y - here->y) * (round(y) - y);
        double stands_out = contrast(p, x, y, width * (2 + fabs(next->x - here->x) / fabs(next->y - here->y)));
        seen += !isnan(stands_out);
        bright += !isnan(stands_out) && stands_out > 40;
    }
    return seen ? (double)bright / seen : NAN;
}

static void test_truth_is_painted(void **state)
{
    (void)state;
    int solid = 0, dashed = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        road *r;
        picture p = {0};
        assert_ok(road_open(seed, 1280, 720, &r, &err));
        for (int k = 0; k < 3; k++) {
            assert_ok(road_draw(r, k * 1.7, &p, &err));
            assert_in_range(p.truth_count, 2, 5);
            for (int i = 0; i < p.truth_count; i++) {
                bool edge = i == 0 || i == p.truth_count - 1;
                double share = painted(&p, &p.truth[i]);
                if (isnan(share))
                    continue;
                if (share > 0.97)
                    solid++;
                else if (share > 0.1 && share < 0.7)
                    dashed++;
                else if (edge) /* a dashed one may show a gap alone */
                    fail_msg("seed %d time %g lane %d: %g of it is painted", (int)seed, k * 1.7, i, share);
            }
        }
        picture_free(&p);
        road_close(&r);
    }
    assert_true(solid >= 36);
    assert_true(dashed >= 20);
}

static void test_truth_is_sound(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1280, 720}, {64, 64}, {64, 2000}, {3000, 64}, {1640, 590}};
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++)
        for (uint64_t seed = 0; seed < 10; seed++) {
            road *r;
            picture p = {0};
            assert_ok(road_open(seed * 77, sizes[s][0], sizes[s][1], &r, &err));
            for (int k = 0; k < 3; k++) {
                assert_ok(road_draw(r, k * 1000.0, &p, &err));
                assert_in_range(p.truth_count, 0, LANERT_MAX_LANES);
                for (int i = 0; i < p.truth_count; i++) {
                    const lanert_lane *lane = &p.truth[i];
                    assert_true(lane->score == 1);
                    assert_in_range(lane->count, 2, LANERT_LANE_POINTS);
                    for (int n = 0; n < lane->count; n++) {
                        assert_true(lane->points[n].x >= 0 && lane->points[n].x <= sizes[s][0] - 1);
                        assert_true(lane->points[n].y >= 0 && lane->points[n].y <= sizes[s][1] - 1);
                        assert_true(n == 0 || lane->points[n].y > lane->points[n - 1].y);
                    }
                    /* Left to right, at the far end. */
                    assert_true(i == 0 || lane->points[0].x > p.truth[i - 1].points[0].x || sizes[s][0] < 200);
                }
            }
            picture_free(&p);
            road_close(&r);
        }
}

/* The car is in a lane: some line is to its left and some to its right. */
static void test_lines_on_both_sides(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    assert_ok(lanert_source_open("synthetic:frames=40,rate=2,size=640x360", &source, &err));
    while (lanert_source_read(source, &frame, &err) == 0) {
        int left = 0, right = 0;
        for (int i = 0; i < frame.truth_count; i++) {
            const lanert_point *near = &frame.truth[i].points[frame.truth[i].count - 1];
            left += near->x < 320;
            right += near->x > 320;
        }
        assert_true(left >= 1 && right >= 1);
    }
    lanert_source_close(&source);
}

static void test_live(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    assert_ok(lanert_source_open("synthetic:live=1,rate=50,frames=11,size=64x64", &source, &err));
    assert_true(lanert_source_describe(source)->live);
    int64_t start = clock_ns();
    while (lanert_source_read(source, &frame, &err) == 0)
        continue;
    assert_int_equal(frame.index, 10);
    assert_true(NS_TO_MS(clock_ns() - start) >= 199);
    lanert_source_close(&source);
}

static void *interrupt_soon(void *source)
{
    poll(NULL, 0, 50);
    source_interrupt(source);
    return NULL;
}

static void test_interrupt(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    pthread_t thread;
    assert_ok(lanert_source_open("synthetic:live=1,rate=0.1,size=64x64", &source, &err));
    assert_ok(lanert_source_read(source, &frame, &err));
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, source), 0);
    int64_t start = clock_ns();
    assert_int_equal(lanert_source_read(source, &frame, &err), LANERT_END);
    assert_true(NS_TO_MS(clock_ns() - start) < 1500); /* the next frame is 10 seconds away */
    pthread_join(thread, NULL);
    assert_int_equal(lanert_source_read(source, &frame, &err), LANERT_END);
    lanert_source_close(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_deterministic),  cmocka_unit_test(test_truth_is_painted),
        cmocka_unit_test(test_truth_is_sound), cmocka_unit_test(test_lines_on_both_sides),
        cmocka_unit_test(test_live),           cmocka_unit_test(test_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
