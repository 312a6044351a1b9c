/* Pictures in memory: sizes, limits, and the eight orientations. */
#include "frame/display_matrix.h"
#include "frame/picture.h"
#include "support/testing.h"

static lanert_error err;

static void test_resize(void **state)
{
    (void)state;
    picture p = {0};
    assert_ok(picture_resize(&p, 100, 50, &err));
    assert_int_equal(p.stride, 320);
    assert_int_equal((uintptr_t)p.bgr % 64, 0);
    assert_true(p.capacity >= 320 * 50 + 64);
    memset(p.bgr, 0xa5, p.capacity);
    uint8_t *before = p.bgr;
    assert_ok(picture_resize(&p, 50, 80, &err)); /* less: the same memory */
    assert_ptr_equal(p.bgr, before);
    assert_int_equal(p.stride, 192);
    assert_ok(picture_resize(&p, 1, 1, &err));
    assert_ok(picture_resize(&p, 1000, 500, &err));
    memset(p.bgr, 0x5a, p.capacity);
    picture_free(&p);
    assert_null(p.bgr);
    picture_free(&p);
}

static void test_limits(void **state)
{
    (void)state;
    picture p = {0};
    assert_ok(picture_resize(&p, PICTURE_MAX_SIDE, 1, &err));
    assert_fails(picture_resize(&p, 0, 0, &err), LANERT_EFORMAT, "0×0 pixels");
    assert_fails(picture_resize(&p, 5, -1, &err), LANERT_EFORMAT, "5×-1 pixels");
    assert_fails(picture_resize(&p, PICTURE_MAX_SIDE + 1, 1, &err), LANERT_ELIMIT, "16385×1 pixels");
    assert_fails(picture_resize(&p, 1, INT32_MAX, &err), LANERT_ELIMIT, "at most 16384 a side");
    assert_fails(picture_resize(&p, 16384, 16384, &err), LANERT_ELIMIT, "100 million");
    assert_int_equal(p.width, PICTURE_MAX_SIDE); /* a refusal leaves it as it was */
    picture_free(&p);
}

static void put(picture *p, const char *rows, int width, int height)
{
    assert_ok(picture_resize(p, width, height, &err));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                p->bgr[y * p->stride + x * 3 + c] = (uint8_t)(rows[y * (width + 1) + x] + c);
}

/* What EXIF 2.32 says of the stored picture "ab cd ef" (2 wide, 3 high): where its first row and column belong. */
static void test_orientations(void **state)
{
    (void)state;
    static const char *const turned[] = {"ab\ncd\nef", "ba\ndc\nfe", "fe\ndc\nba", "ef\ncd\nab",
                                         "ace\nbdf",   "eca\nfdb",   "fdb\neca",   "bdf\nace"};
    picture from = {0}, to = {.index = 7, .name = "kept"}, want = {0};
    put(&from, "ab\ncd\nef", 2, 3);
    for (int orientation = 1; orientation <= 8; orientation++) {
        bool transposed = orientation >= 5;
        put(&want, turned[orientation - 1], transposed ? 3 : 2, transposed ? 2 : 3);
        assert_ok(picture_orient(&from, orientation, &to, &err));
        assert_int_equal(to.width, want.width);
        assert_int_equal(to.height, want.height);
        for (int y = 0; y < want.height; y++)
            assert_memory_equal(to.bgr + y * to.stride, want.bgr + y * want.stride, (size_t)want.width * 3);
    }
    assert_int_equal(to.index, 7);
    assert_string_equal(to.name, "kept");
    picture_free(&from);
    picture_free(&to);
    picture_free(&want);
}

static void test_frame(void **state)
{
    (void)state;
    picture p = {.index = 3, .time_s = 0.5, .name = "a/b.png"};
    assert_ok(picture_resize(&p, 9, 4, &err));
    lanert_frame frame = picture_frame(&p);
    assert_int_equal(frame.format, LANERT_BGR);
    assert_int_equal(frame.width, 9);
    assert_int_equal(frame.height, 4);
    assert_ptr_equal(frame.data[0], p.bgr);
    assert_int_equal(frame.stride[0], 64);
    assert_int_equal(frame.index, 3);
    assert_true(frame.time_s == 0.5);
    assert_ptr_equal(frame.name, p.name);
    assert_null(frame.truth);
    picture_free(&p);
}

/* Those of ffmpeg's autorotation, and what it would not be: turns of another angle, and nonsense. */
static void test_display_matrices(void **state)
{
    (void)state;
    enum { ONE = 1 << 16, SINE = 46341, SMALL = 900 };
    static const struct {
        int32_t a, b, c, d;
        int orientation;
    } cases[] = {{ONE, 0, 0, ONE, 1},
                 {-ONE, 0, 0, ONE, 2},
                 {-ONE, 0, 0, -ONE, 3},
                 {ONE, 0, 0, -ONE, 4},
                 {0, ONE, ONE, 0, 5},
                 {0, ONE, -ONE, 0, 6},
                 {0, -ONE, -ONE, 0, 7},
                 {0, -ONE, ONE, 0, 8},
                 {SMALL, ONE, -ONE, SMALL, 6}, /* 0.8 degrees off */
                 {2 * ONE, 0, 0, ONE / 2, 1},
                 {SINE, SINE, -SINE, SINE, 1},
                 {2 * SMALL, ONE, -ONE, 2 * SMALL, 1},
                 {0, 0, 0, 0, 1},
                 {0, ONE, 0, 0, 1},
                 {INT32_MIN, 0, 0, INT32_MIN, 3},
                 {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, 1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const int32_t matrix[9] = {cases[i].a, cases[i].b, 7, cases[i].c, cases[i].d, 7, 7, 7, 1 << 30};
        assert_int_equal(display_matrix_orientation(matrix), cases[i].orientation);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resize),           cmocka_unit_test(test_limits), cmocka_unit_test(test_orientations),
        cmocka_unit_test(test_display_matrices), cmocka_unit_test(test_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
