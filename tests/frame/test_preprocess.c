/* Preprocess against the reference's pictures, OpenCV's own results, arithmetic written out at length, and
 * itself: the vector code against plain C. */
#include <math.h>

#include "frame/preprocess_parts.h"
#include "support/image.h"
#include "support/testing.h"

enum { OUT_WIDTH = 800, OUT_HEIGHT = 320, OUT_BYTES = OUT_WIDTH * OUT_HEIGHT * 3, MAX_OUT_BYTES = 1000 * 400 * 3 };

static lanert_error err;
static uint8_t out[MAX_OUT_BYTES], again[MAX_OUT_BYTES];

/* Every allocation of our own code comes through these (the linker's --wrap); libraries' own do not. */
static long allocations, allowed = -1; /* allowed: how many more succeed; below 0, all */
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool may_allocate(void)
{
    allocations++;
    if (allowed == 0)
        return false;
    allowed -= allowed > 0;
    return true;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return may_allocate() ? __real_aligned_alloc(alignment, size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
    return may_allocate() ? __real_realloc(old, size) : NULL;
}

/* ---- pictures -------------------------------------------------------------------------------- */

static uint32_t noise = 1;

static uint8_t next_byte(void)
{
    noise = noise * 1664525 + 1013904223;
    return (uint8_t)(noise >> 24);
}

static int next_in(int low, int high)
{
    uint32_t bits = (uint32_t)next_byte() << 16 | (uint32_t)next_byte() << 8 | next_byte();
    return low + (int)(bits % (uint32_t)(high - low + 1));
}

/* A picture in memory that ends with its last pixel, so that a sanitizer sees the first byte read too far. */
typedef struct drawn {
    lanert_frame frame;
    uint8_t *planes[2];
} drawn;

static uint8_t *plane_of(int row, int rows, int stride, bool harsh)
{
    size_t size = (size_t)(rows - 1) * (size_t)stride + (size_t)row;
    uint8_t *plane = malloc(size);
    assert_non_null(plane);
    for (size_t i = 0; i < size; i++)
        plane[i] = harsh ? (next_byte() & 1 ? 255 : 0) : next_byte();
    return plane;
}

static drawn draw(lanert_pixel_format format, int width, int height, int slack, bool harsh)
{
    bool nv12 = format == LANERT_NV12;
    int row = nv12 ? width : width * 3, pairs = (width + 1) / 2 * 2;
    drawn d = {.frame = {.format = format, .width = width, .height = height, .stride = {row + slack, pairs + slack}}};
    d.planes[0] = plane_of(row, height, row + slack, harsh);
    if (nv12)
        d.planes[1] = plane_of(pairs, (height + 1) / 2, pairs + slack, harsh);
    d.frame.data[0] = d.planes[0];
    d.frame.data[1] = d.planes[1];
    return d;
}

static void drawn_free(drawn *d)
{
    free(d->planes[0]);
    free(d->planes[1]);
}

static drawn draw_any(lanert_pixel_format format)
{
    int limit = next_in(0, 2) ? 700 : 9;
    drawn d = draw(format, next_in(1, limit), next_in(1, limit), next_in(0, 1) * next_in(0, 70), !next_in(0, 2));
    d.frame.colour = (lanert_colour)next_in(0, 3);
    return d;
}

static void run(preprocess *pre, const lanert_frame *frame, int cut, int width, int height, uint8_t *to)
{
    assert_true(width * height * 3 <= MAX_OUT_BYTES);
    assert_ok(preprocess_run(pre, frame, cut, width, height, to, &err));
}

/* ---- against the reference ------------------------------------------------------------------- */

static void check_golden(const char *picture, const char *preset, int cut, int ori_height, lanert_resize resize)
{
    char name[256];
    snprintf(name, sizeof name, "reference/images/%s.png", picture);
    image in = image_read_png(SHARED(name));
    snprintf(name, sizeof name, "reference/goldens/preprocess/%s.%s.%s.png", picture, preset,
             resize == LANERT_CUBIC ? "cubic" : "linear");
    image golden = image_read_png(SHARED(name));
    assert_int_equal(golden.width, OUT_WIDTH);
    assert_int_equal(golden.height, OUT_HEIGHT);
    lanert_frame frame = {
        .format = LANERT_BGR, .width = in.width, .height = in.height, .data = {in.bgr}, .stride = {in.width * 3}};
    preprocess *pre;
    assert_ok(preprocess_open(resize, &pre, &err));
    run(pre, &frame, cut * in.height / ori_height, OUT_WIDTH, OUT_HEIGHT, out);
    int other = 0;
    for (int i = 0; i < OUT_BYTES; i++) {
        int off = abs(out[i] - golden.bgr[i]);
        other += off > 0;
        if (off > 1)
            fail_msg("%s: byte %d is %d, expected %d", name, i, out[i], golden.bgr[i]);
    }
    if (other > (resize == LANERT_CUBIC ? OUT_BYTES / 10000 : 0))
        fail_msg("%s: %d of %d bytes differ", name, other, OUT_BYTES);
    preprocess_close(&pre);
    image_free(&in);
    image_free(&golden);
}

static void gives_what_the_reference_gives(void **state)
{
    (void)state;
    static const char *const pictures[] = {"adv_test1", "p1_solidWhiteRight"};
    SHARED_OR_SKIP("reference/goldens/preprocess");
    for (size_t i = 0; i < ARRAY_LEN(pictures); i++)
        for (lanert_resize resize = LANERT_LINEAR; resize <= LANERT_CUBIC; resize++) {
            check_golden(pictures[i], "culane", 270, 590, resize);
            check_golden(pictures[i], "tusimple", 160, 720, resize);
            check_golden(pictures[i], "llamas", 300, 717, resize);
        }
}

/* FNV-1a, 64 bits. */
static uint64_t hash(const uint8_t *bytes, size_t size)
{
    uint64_t h = 14695981039346656037U;
    for (size_t i = 0; i < size; i++)
        h = (h ^ bytes[i]) * 1099511628211U;
    return h;
}

/* Hashes of cv2.resize(img[cut:], (800, 320)) by OpenCV 4.10.0 and 5.0.0, of the same noise. */
static void linear_is_opencv_to_the_bit(void **state)
{
    (void)state;
    static const struct {
        int width, height, cut;
        uint64_t hash;
    } known[] = {
        {1, 1, 0, 0x3cfa31f2362a8b25},         {2, 1, 0, 0xbcc1c4f10d1c7a15},
        {1, 2, 1, 0x059fecedb9848325},         {3, 5, 0, 0x3f396bb3f77226da},
        {5, 3, 1, 0xf37367acbf0ae6f9},         {16, 16, 15, 0xdd1691551392a821},
        {400, 160, 0, 0x9daca990c973b6be},     {801, 321, 0, 0x1a8e3e7a72fa3d95},
        {799, 319, 0, 0x918257be238f2724},     {960, 540, 247, 0xb11c4bf1392f9243},
        {1276, 717, 300, 0x6d291778250b27e4},  {1280, 720, 329, 0x0f70b04ed425cc1e},
        {1600, 640, 0, 0x5215588da91c08bc},    {1600, 720, 80, 0xb6bbb41dd81823db},
        {1920, 1080, 494, 0xe4750486ed41836f}, {8000, 37, 18, 0x1dd6606a55e08e55},
        {16384, 3, 0, 0x8468a4741e89ebf0},     {3, 3000, 0, 0xf6811d45add467b4},
    };
    preprocess *pre;
    assert_ok(preprocess_open(LANERT_LINEAR, &pre, &err));
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        noise = 1;
        drawn d = draw(LANERT_BGR, known[i].width, known[i].height, 0, false);
        run(pre, &d.frame, known[i].cut, OUT_WIDTH, OUT_HEIGHT, out);
        if (hash(out, OUT_BYTES) != known[i].hash)
            fail_msg("%d×%d cut by %d is not what OpenCV gives", known[i].width, known[i].height, known[i].cut);
        drawn_free(&d);
    }
    preprocess_close(&pre);
}

/* ---- cubic against arithmetic at length ------------------------------------------------------ */

/* The weight of an input at distance x: convolution with Keys' kernel, a = −0.75. */
static double keys(double x)
{
    x = fabs(x);
    if (x < 1)
        return 1.25 * x * x * x - 2.25 * x * x + 1;
    return x < 2 ? -0.75 * (x * x * x - 5 * x * x + 8 * x - 4) : 0;
}

static double cubic_at(const lanert_frame *f, int cut, double x, double y, int channel)
{
    double sum = 0;
    for (int j = (int)floor(y) - 1; j <= (int)floor(y) + 2; j++)
        for (int i = (int)floor(x) - 1; i <= (int)floor(x) + 2; i++) {
            int row = j < 0 ? 0 : j >= f->height - cut ? f->height - cut - 1 : j;
            int column = i < 0 ? 0 : i >= f->width ? f->width - 1 : i;
            sum += keys(x - i) * keys(y - j) * f->data[0][(cut + row) * f->stride[0] + column * 3 + channel];
        }
    return sum < 0 ? 0 : sum > 255 ? 255 : sum;
}

static void cubic_is_exact_but_for_rounding(void **state)
{
    (void)state;
    preprocess *pre;
    assert_ok(preprocess_open(LANERT_CUBIC, &pre, &err));
    for (int n = 0; n < 30; n++) {
        drawn d = draw_any(LANERT_BGR);
        int width = next_in(1, 200), height = next_in(1, 90), cut = next_in(0, d.frame.height - 1);
        double sx = d.frame.width / (double)width, sy = (d.frame.height - cut) / (double)height;
        run(pre, &d.frame, cut, width, height, out);
        for (int i = 0; i < width * height * 3; i++) {
            int x = i / 3 % width, y = i / 3 / width;
            double exact = cubic_at(&d.frame, cut, (x + 0.5) * sx - 0.5, (y + 0.5) * sy - 0.5, i % 3);
            if (fabs(out[i] - exact) > 0.501)
                fail_msg("%d×%d cut by %d to %d×%d: (%d, %d) is %d, not %f", d.frame.width, d.frame.height, cut, width,
                         height, x, y, out[i], exact);
        }
        drawn_free(&d);
    }
    preprocess_close(&pre);
}

/* ---- formats --------------------------------------------------------------------------------- */

static void rgb_is_bgr_with_red_and_blue_exchanged(void **state)
{
    (void)state;
    for (lanert_resize resize = LANERT_LINEAR; resize <= LANERT_CUBIC; resize++) {
        preprocess *pre;
        assert_ok(preprocess_open(resize, &pre, &err));
        for (int n = 0; n < 20; n++) {
            drawn d = draw_any(LANERT_BGR);
            int width = next_in(1, 300), height = next_in(1, 90), cut = next_in(0, d.frame.height - 1);
            run(pre, &d.frame, cut, width, height, out);
            d.frame.format = LANERT_RGB;
            run(pre, &d.frame, cut, width, height, again);
            for (int i = 0; i < width * height * 3; i++)
                assert_int_equal(out[i], again[i / 3 * 3 + 2 - i % 3]);
            drawn_free(&d);
        }
        preprocess_close(&pre);
    }
}

/* BGR of one pixel by the equations of ITU-R BT.601 or BT.709. */
static void colour_of(int y, int u, int v, lanert_colour colour, double bgr[3])
{
    bool limited = colour == LANERT_BT601_LIMITED || colour == LANERT_BT709_LIMITED;
    bool old = colour == LANERT_BT601_LIMITED || colour == LANERT_BT601_FULL;
    double kr = old ? 0.299 : 0.2126, kb = old ? 0.114 : 0.0722;
    double luma = limited ? fmax(y - 16, 0) * 255 / 219 : y;
    double cb = (u - 128) * (limited ? 255.0 / 224 : 1), cr = (v - 128) * (limited ? 255.0 / 224 : 1);
    bgr[0] = luma + 2 * (1 - kb) * cb;
    bgr[2] = luma + 2 * (1 - kr) * cr;
    bgr[1] = (luma - kr * bgr[2] - kb * bgr[0]) / (1 - kr - kb);
}

static void nv12_becomes_the_colour_it_means(void **state)
{
    (void)state;
    preprocess *pre;
    assert_ok(preprocess_open(LANERT_LINEAR, &pre, &err));
    for (int n = 0; n < 40; n++) {
        drawn d = draw(LANERT_NV12, next_in(1, 400), next_in(1, 60), next_in(0, 9), n % 3 == 0);
        const lanert_frame *f = &d.frame;
        int cut = next_in(0, f->height - 1);
        d.frame.colour = (lanert_colour)(n % 4);
        run(pre, f, cut, f->width, f->height - cut, out); /* the same size: nothing but colour happens */
        for (int i = 0; i < f->width * (f->height - cut) * 3; i++) {
            int x = i / 3 % f->width, y = cut + i / 3 / f->width;
            const uint8_t *uv = f->data[1] + y / 2 * f->stride[1] + x / 2 * 2;
            double bgr[3];
            colour_of(f->data[0][y * f->stride[0] + x], uv[0], uv[1], f->colour, bgr);
            if (fabs(out[i] - fmin(fmax(bgr[i % 3], 0), 255)) > 0.6)
                fail_msg("%d×%d (%d, %d), colour %d: %d, not %f", f->width, f->height, x, y, (int)f->colour, out[i],
                         bgr[i % 3]);
        }
        drawn_free(&d);
    }
    preprocess_close(&pre);
}

/* ---- the vector code ------------------------------------------------------------------------- */

static void vector_code_gives_the_same_bytes(void **state)
{
    (void)state;
    if (!resize_avx2(LANERT_LINEAR) || !nv12_avx2()) {
        fprintf(stderr, "skipped: there is no vector code for this processor\n");
        skip();
    }
    for (lanert_resize resize = LANERT_LINEAR; resize <= LANERT_CUBIC; resize++) {
        preprocess *plain, *vector;
        assert_ok(preprocess_open_with(resize_plain(resize), nv12_plain(), &plain, &err));
        assert_ok(preprocess_open_with(resize_avx2(resize), nv12_avx2(), &vector, &err));
        for (int n = 0; n < 150; n++) {
            drawn d = draw_any((lanert_pixel_format)(n % 3));
            int width = n % 2 ? next_in(1, 1000) : next_in(1, 40), height = next_in(1, 30);
            int cut = next_in(0, d.frame.height - 1);
            run(plain, &d.frame, cut, width, height, out);
            run(vector, &d.frame, cut, width, height, again);
            if (memcmp(out, again, (size_t)(width * height * 3)) != 0)
                fail_msg("format %d, %d×%d cut by %d to %d×%d: vector code and plain C differ", n % 3, d.frame.width,
                         d.frame.height, cut, width, height);
            drawn_free(&d);
        }
        preprocess_close(&plain);
        preprocess_close(&vector);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void allocates_nothing_for_sizes_it_has_seen(void **state)
{
    (void)state;
    preprocess *pre;
    drawn large = draw(LANERT_NV12, 640, 360, 0, false), small = draw(LANERT_BGR, 99, 55, 0, false);
    assert_ok(preprocess_open(LANERT_CUBIC, &pre, &err));
    run(pre, &large.frame, 100, OUT_WIDTH, OUT_HEIGHT, out);
    long before = allocations;
    for (int i = 0; i < 3; i++) {
        run(pre, &small.frame, i, OUT_WIDTH, OUT_HEIGHT, again);
        run(pre, &large.frame, 100, OUT_WIDTH, OUT_HEIGHT, again);
        assert_memory_equal(out, again, OUT_BYTES);
    }
    assert_int_equal(allocations, before);
    preprocess_close(&pre);
    drawn_free(&large);
    drawn_free(&small);
}

static void goes_on_after_memory_ran_out(void **state)
{
    (void)state;
    preprocess *pre, *fresh;
    drawn small = draw(LANERT_BGR, 40, 30, 0, false), large = draw(LANERT_NV12, 500, 60, 0, false);
    assert_ok(preprocess_open(LANERT_LINEAR, &fresh, &err));
    run(fresh, &large.frame, 9, 300, 200, out);
    for (int room = 0; room < 6; room++) {
        assert_ok(preprocess_open(LANERT_LINEAR, &pre, &err));
        run(pre, &small.frame, 3, 20, 10, again);
        allowed = room; /* two tables a side, the lines, the row of BGR */
        int rc = preprocess_run(pre, &large.frame, 9, 300, 200, again, &err);
        allowed = -1;
        assert_int_equal(rc, LANERT_ENOMEM);
        run(pre, &small.frame, 3, 20, 10, again);
        run(pre, &large.frame, 9, 300, 200, again);
        assert_memory_equal(out, again, 300 * 200 * 3);
        preprocess_close(&pre);
    }
    preprocess_close(&fresh);
    allowed = 0;
    int rc = preprocess_open(LANERT_LINEAR, &pre, &err);
    allowed = -1;
    assert_int_equal(rc, LANERT_ENOMEM);
    assert_null(pre);
    drawn_free(&small);
    drawn_free(&large);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void refuses_frames_that_are_not_sound(void **state)
{
    (void)state;
    static const uint8_t byte[64];
    const lanert_frame bgr = {.format = LANERT_BGR, .width = 4, .height = 4, .data = {byte}, .stride = {12}};
    const lanert_frame nv12 = {.format = LANERT_NV12, .width = 3, .height = 3, .data = {byte, byte}, .stride = {3, 4}};
    preprocess *pre;
    lanert_frame f;
    assert_ok(preprocess_open(LANERT_LINEAR, &pre, &err));
    assert_ok(preprocess_run(pre, &bgr, 3, 8, 8, out, &err));
    assert_ok(preprocess_run(pre, &nv12, 2, 8, 8, out, &err));
#define REFUSED(from, field, value, cut, part)                                                                         \
    f = from, f.field = value;                                                                                         \
    assert_fails(preprocess_run(pre, &f, cut, 8, 8, out, &err), LANERT_EINVAL, part)
    REFUSED(bgr, data[0], NULL, 0, "data[0] is NULL");
    REFUSED(nv12, data[1], NULL, 0, "data[1] is NULL");
    REFUSED(bgr, stride[0], 11, 0, "stride[0] is 11 bytes");
    REFUSED(bgr, stride[0], -12, 0, "stride[0] is -12 bytes");
    REFUSED(nv12, stride[0], 2, 0, "at least 3");
    REFUSED(nv12, stride[1], 3, 0, "at least 4");
    REFUSED(bgr, width, 0, 0, "0×4");
    REFUSED(bgr, width, 16385, 0, "16385×4");
    REFUSED(bgr, height, -1, 0, "4×-1");
    REFUSED(bgr, height, INT32_MAX, 0, "1 to 16384");
    REFUSED(bgr, format, (lanert_pixel_format)3, 0, "format is 3");
    REFUSED(nv12, colour, (lanert_colour)4, 0, "colour is 4");
    REFUSED(bgr, index, 0, 4, "4 rows cannot be cut");
    REFUSED(bgr, index, 0, -1, "-1 rows cannot be cut");
#undef REFUSED
    assert_fails(preprocess_run(pre, &bgr, 0, 0, 8, out, &err), LANERT_EINVAL, "0×8");
    assert_fails(preprocess_run(pre, &bgr, 0, 8, 16385, out, &err), LANERT_EINVAL, "8×16385");
    preprocess_close(&pre);
    assert_null(pre);
    preprocess_close(&pre);
    assert_fails(preprocess_open((lanert_resize)2, &pre, &err), LANERT_EINVAL, "2 is no way of resizing");
    assert_null(pre);
}

/* ---- the float input ------------------------------------------------------------------------- */

static void nchw_is_the_quotient_by_255(void **state)
{
    (void)state;
    enum { WIDTH = 37, HEIGHT = 11, PIXELS = WIDTH * HEIGHT };
    static uint8_t bgr[PIXELS * 3];
    static float planes[PIXELS * 3];
    for (int i = 0; i < PIXELS * 3; i++)
        bgr[i] = (uint8_t)(i * 7);
    preprocess_to_nchw(bgr, WIDTH, HEIGHT, planes);
    for (int i = 0; i < PIXELS * 3; i++) {
        volatile float level = bgr[i];
        float quotient = level / 255.0F;
        assert_memory_equal(&planes[i % 3 * PIXELS + i / 3], &quotient, sizeof quotient);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_the_reference_gives),
        cmocka_unit_test(linear_is_opencv_to_the_bit),
        cmocka_unit_test(cubic_is_exact_but_for_rounding),
        cmocka_unit_test(rgb_is_bgr_with_red_and_blue_exchanged),
        cmocka_unit_test(nv12_becomes_the_colour_it_means),
        cmocka_unit_test(vector_code_gives_the_same_bytes),
        cmocka_unit_test(allocates_nothing_for_sizes_it_has_seen),
        cmocka_unit_test(goes_on_after_memory_ran_out),
        cmocka_unit_test(refuses_frames_that_are_not_sound),
        cmocka_unit_test(nchw_is_the_quotient_by_255),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
