/* test_mask.c - drawn lanes against OpenCV's, and what they have in common. */
#include "eval/mask.h"

#include "support/testing.h"

static lanert_error err;

/* FNV-1a, 64 bits, over bytes given as numbers. */
static uint64_t add_number(uint64_t sum, uint32_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        sum = (sum ^ (number >> 8 * i & 255)) * 0x100000001b3u;
    return sum;
}

static uint64_t mask_sum(const mask *m)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < m->count; i++) {
        sum = add_number(sum, m->spans[i].y, 2);
        sum = add_number(sum, m->spans[i].first, 2);
        sum = add_number(sum, m->spans[i].last, 2);
    }
    return sum;
}

/* cv2.line(img, a, b, 1, 30) of OpenCV 5.0 and 4.14, between each two points: pixels set, runs of them in rows, and a
 * checksum of the runs. */
static const struct {
    int width, height, count;
    pixel points[4];
    int64_t area;
    size_t spans;
    uint64_t sum;
} drawn[] = {
    {1640, 590, 2, {{800, 300}, {800, 300}}, 709, 31, 0x94e4270a2d16fdf0u},
    {1640, 590, 2, {{100, 589}, {400, 300}}, 13305, 305, 0x57b1d68faa96f139u},
    {1640, 590, 2, {{700, 280}, {712, 281}}, 1084, 32, 0x44b5b6a720148bb5u},
    {1640, 590, 3, {{3, 300}, {3, 420}, {60, 500}}, 5765, 231, 0x9c12b890aeedec66u},
    {1640, 590, 4, {{-20, 600}, {30, 560}, {90, 500}, {200, 430}}, 8185, 175, 0x02cfc8855f606034u},
    {1640, 590, 2, {{1639, 0}, {1600, 589}}, 16616, 590, 0xb8ccbbebdd468b64u},
    {1640, 590, 2, {{-300, 650}, {900, 250}}, 29471, 332, 0x80e4a6226b63b6bau},
    {1640, 590, 2, {{800, -2000}, {820, 3000}}, 18293, 590, 0xba8a714991e159ffu},
    {1640, 590, 2, {{INT32_MIN, 100}, {500, 200}}, 15870, 32, 0xfbb473b7b29df17du},
    {1640, 590, 2, {{-1000000000, -1000000000}, {1000000000, 1000000000}}, 26297, 590, 0xf59fca85f0a56111u},
    {1640, 590, 2, {{2000, 100}, {2000, 500}}, 0, 0, 0xcbf29ce484222325u},
    {1276, 717, 4, {{637, 716}, {640, 700}, {600, 500}, {650, 301}}, 13614, 431, 0xb71c41da2d241b67u},
    {64, 40, 4, {{32, 20}, {33, 20}, {32, 21}, {31, 19}}, 802, 33, 0xa6ecb8f5577aeb24u},
};

static void test_as_opencv_draws(void **state)
{
    (void)state;
    mask m = {0};
    for (size_t i = 0; i < ARRAY_LEN(drawn); i++) {
        canvas c;
        assert_ok(canvas_open(&c, drawn[i].width, drawn[i].height, &err));
        /* Twice: the canvas is clear again after a lane was taken. */
        for (int turn = 0; turn < 2; turn++) {
            canvas_polyline(&c, drawn[i].points, (size_t)drawn[i].count);
            assert_ok(canvas_take(&c, &m, &err));
            if (m.area != drawn[i].area || m.count != drawn[i].spans || mask_sum(&m) != drawn[i].sum)
                fail_msg("line %zu: %lld pixels in %zu runs; expected %lld in %zu", i, (long long)m.area, m.count,
                         (long long)drawn[i].area, drawn[i].spans);
        }
        canvas_close(&c);
    }
    mask_free(&m);
}

static void test_one_point_draws_nothing(void **state)
{
    (void)state;
    canvas c;
    mask m = {0};
    assert_ok(canvas_open(&c, 100, 100, &err));
    canvas_polyline(&c, &(pixel){50, 50}, 1);
    canvas_polyline(&c, NULL, 0);
    assert_ok(canvas_take(&c, &m, &err));
    assert_int_equal(m.count, 0);
    assert_int_equal(m.area, 0);
    canvas_close(&c);
    mask_free(&m);
}

static bool covers(const mask *m, int x, int y)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->spans[i].y == y && m->spans[i].first <= x && x <= m->spans[i].last)
            return true;
    return false;
}

static void draw(canvas *c, mask *m, const pixel *points, size_t count)
{
    canvas_polyline(c, points, count);
    assert_ok(canvas_take(c, m, &err));
}

/* Counted pixel by pixel. A zigzag gives rows of several runs. */
static void test_common_and_iou(void **state)
{
    (void)state;
    const pixel zigzag[] = {{40, 300}, {100, 20}, {160, 300}, {220, 20}}, line[] = {{0, 60}, {260, 250}};
    canvas c;
    mask a = {0}, b = {0}, none = {0};
    int64_t area = 0, common = 0;
    assert_ok(canvas_open(&c, 270, 290, &err));
    draw(&c, &a, zigzag, ARRAY_LEN(zigzag));
    draw(&c, &b, line, ARRAY_LEN(line));
    for (int y = 0; y < 290; y++) {
        for (int x = 0; x < 270; x++) {
            area += covers(&a, x, y);
            common += covers(&a, x, y) && covers(&b, x, y);
        }
    }
    assert_true(common > 0);
    assert_int_equal(a.area, area);
    assert_int_equal(mask_common(&a, &b), common);
    assert_int_equal(mask_common(&b, &a), common);
    assert_true(mask_iou(&a, &b) == (double)common / (double)(a.area + b.area - common));
    assert_true(mask_iou(&a, &a) == 1);
    assert_true(mask_iou(&a, &none) == 0);
    assert_true(mask_iou(&none, &none) == 0);
    canvas_close(&c);
    mask_free(&a);
    mask_free(&b);
}

static void test_canvas_size(void **state)
{
    (void)state;
    canvas c = {0};
    assert_fails(canvas_open(&c, 0, 100, &err), LANERT_EINVAL, "0×100");
    assert_fails(canvas_open(&c, 100, 65536, &err), LANERT_EINVAL, "100×65536");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_opencv_draws),
        cmocka_unit_test(test_one_point_draws_nothing),
        cmocka_unit_test(test_common_and_iou),
        cmocka_unit_test(test_canvas_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
