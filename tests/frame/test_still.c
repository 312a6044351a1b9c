/* Single pictures: every form of JPEG and PNG as OpenCV's imread gives it, and broken ones of all kinds. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "frame/still.h"
#include "frame/still_codec.h"
#include "support/image_writer.h"
#include "support/testing.h"

enum { WIDTH = 19, HEIGHT = 11 };

static lanert_error err;
static still_reader reader;
static picture pic;

static int teardown(void **state)
{
    still_reader_free(&reader);
    picture_free(&pic);
    return remove_folder(state);
}

/* A sample that differs from its neighbours. */
static int sample(int x, int y, int channel)
{
    return (x * 37 + y * 91 + channel * 50 + x * y) % 256;
}

static void read_bytes_of(const char *path, buffer *bytes)
{
    file_map map;
    assert_ok(file_map_open(path, 0, &map, &err));
    buffer_clear(bytes);
    assert_ok(buffer_add(bytes, map.data, map.size, &err));
    file_map_close(&map);
}

/* ---- PNG ------------------------------------------------------------------------------------- */

/* Writes samples of `depth` bits; those under 8 bits are the upper bits of sample(), of 16 bits the lower 8 are
 * noise. */
static const char *write_png(const png_form *form)
{
    static uint8_t rows[WIDTH * HEIGHT * 8];
    static const int channels_of[] = {1, 0, 3, 1, 2, 0, 4};
    int channels = channels_of[form->colour_type], depth = form->depth;
    int row_bytes = (WIDTH * channels * depth + 7) / 8;
    memset(rows, 0, sizeof rows);
    for (int y = 0; y < HEIGHT; y++)
        for (int i = 0; i < WIDTH * channels; i++) {
            int value = sample(i / channels, y, i % channels);
            uint8_t *row = rows + y * row_bytes;
            if (depth == 16) {
                row[i * 2] = (uint8_t)value;
                row[i * 2 + 1] = (uint8_t)~value;
            } else {
                row[i * depth / 8] |= (uint8_t)(value >> (8 - depth) << (8 - depth - i * depth % 8));
            }
        }
    const char *path = temp_path(folder, "a.png");
    image_write_png(path, rows, row_bytes, form);
    return path;
}

static void check_png(png_form form, uint8_t (*palette)[3])
{
    form.width = WIDTH;
    form.height = HEIGHT;
    form.palette = palette ? palette[0] : NULL;
    assert_ok(still_read(&reader, write_png(&form), &pic, &err));
    assert_int_equal(pic.width, WIDTH);
    assert_int_equal(pic.height, HEIGHT);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < 3; c++) {
                bool coloured = form.colour_type & 2;
                int stored = sample(x, y, coloured && !palette ? 2 - c : 0), want = stored;
                if (form.depth < 8)
                    stored >>= 8 - form.depth;
                if (palette)
                    want = palette[stored][2 - c];
                else if (form.depth < 8) /* 0 to the most, spread over 0 to 255 */
                    want = stored * 255 / ((1 << form.depth) - 1);
                int got = pic.bgr[y * pic.stride + x * 3 + c];
                if (got != want)
                    fail_msg("type %d depth %d (%d, %d) channel %d: got %d, expected %d", form.colour_type, form.depth,
                             x, y, c, got, want);
            }
}

static void test_png_forms(void **state)
{
    (void)state;
    static const struct {
        int type, depth;
    } forms[] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        for (int interlaced = 0; interlaced < 2; interlaced++)
            check_png((png_form){.colour_type = forms[i].type, .depth = forms[i].depth, .interlaced = interlaced},
                      NULL);
}

static void test_png_palettes(void **state)
{
    (void)state;
    uint8_t palette[256][3];
    for (int i = 0; i < 256; i++)
        for (int c = 0; c < 3; c++)
            palette[i][c] = (uint8_t)(i * (c + 3) + 11);
    for (int depth = 1; depth <= 8; depth *= 2)
        check_png((png_form){.colour_type = 3, .depth = depth, .palette_count = 1 << depth}, palette);
}

static void test_png_orientation(void **state)
{
    (void)state;
    check_png((png_form){.colour_type = 2, .depth = 8, .orientation = 1}, NULL);
    png_form form = {.width = WIDTH, .height = HEIGHT, .colour_type = 2, .depth = 8, .orientation = 6};
    assert_ok(still_read(&reader, write_png(&form), &pic, &err));
    assert_int_equal(pic.width, HEIGHT);
    assert_int_equal(pic.height, WIDTH);
    for (int y = 0; y < WIDTH; y++) /* a quarter clockwise: the first column, from below, is the first row */
        for (int x = 0; x < HEIGHT; x++)
            assert_int_equal(pic.bgr[y * pic.stride + x * 3 + 2], sample(y, HEIGHT - 1 - x, 0));
}

static void test_png_truncated(void **state)
{
    (void)state;
    buffer bytes = {0};
    png_form form = {.width = WIDTH, .height = HEIGHT, .colour_type = 2, .depth = 8, .interlaced = true};
    read_bytes_of(write_png(&form), &bytes);
    const char *path = temp_path(folder, "cut.png");
    for (size_t size = 8; size < bytes.size; size++) {
        put_file("cut.png", bytes.data, size);
        assert_fails(still_read(&reader, path, &pic, &err), LANERT_EFORMAT, "cut.png: ");
        assert_non_null(strstr(err.text, "truncated"));
    }
    buffer_free(&bytes);
}

static void test_png_sizes(void **state)
{
    (void)state;
    static const struct {
        uint8_t size[8];
        int code;
        const char *part;
    } cases[] = {
        {{0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30}, LANERT_ELIMIT, "30000×30000 pixels"},
        {{0, 0, 0x40, 0, 0, 0, 0x40, 0}, LANERT_ELIMIT, "16384×16384 pixels"},
        {{0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1}, LANERT_ELIMIT, "2147483647×1 pixels"},
        {{0, 0, 0, 0, 0, 0, 0, 0}, LANERT_EFORMAT, "0 pixels"},
        {{0, 0, 0, 9, 0, 0, 0, 0}, LANERT_EFORMAT, "0 pixels"},
        {{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9}, LANERT_EFORMAT, "not a sound PNG"},
    };
    buffer bytes = {0};
    png_form form = {.width = WIDTH, .height = HEIGHT, .colour_type = 2, .depth = 8};
    read_bytes_of(write_png(&form), &bytes);
    const char *path = temp_path(folder, "size.png");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memcpy(bytes.data + 16, cases[i].size, 8);
        uint32_t crc = UINT32_MAX; /* of "IHDR" and what it holds, as PNG defines it */
        for (int at = 12; at < 29; at++) {
            crc ^= (uint8_t)bytes.data[at];
            for (int bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
        for (int k = 0; k < 4; k++)
            bytes.data[29 + k] = (char)(~crc >> (24 - 8 * k));
        put_file("size.png", bytes.data, bytes.size);
        assert_fails(still_read(&reader, path, &pic, &err), cases[i].code, cases[i].part);
    }
    buffer_free(&bytes);
}

/* ---- JPEG ------------------------------------------------------------------------------------ */

/* A gentle slope, which JPEG of the best quality keeps to a level or two. */
static int slope(int x, int y, int channel)
{
    return 40 + x * 5 + y * 6 + channel * 17;
}

static const char *write_jpeg(const jpeg_form *form)
{
    uint8_t samples[WIDTH * HEIGHT * 4];
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < form->components; c++)
                samples[(y * WIDTH + x) * form->components + c] = (uint8_t)slope(x, y, c);
    const char *path = temp_path(folder, "a.jpg");
    image_write_jpeg(path, samples, form);
    return path;
}

static void check_jpeg(int components, bool progressive)
{
    jpeg_form form = {.width = WIDTH, .height = HEIGHT, .components = components, .progressive = progressive};
    assert_ok(still_read(&reader, write_jpeg(&form), &pic, &err));
    assert_int_equal(pic.width, WIDTH);
    assert_int_equal(pic.height, HEIGHT);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < 3; c++) {
                int want = components == 1   ? slope(x, y, 0)
                           : components == 3 ? slope(x, y, 2 - c)
                                             : slope(x, y, 2 - c) * slope(x, y, 3) / 255;
                assert_in_range(pic.bgr[y * pic.stride + x * 3 + c], want - 3, want + 3);
            }
}

static void test_jpeg_forms(void **state)
{
    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        check_jpeg(1, progressive);
        check_jpeg(3, progressive);
        check_jpeg(4, progressive);
    }
}

static void test_jpeg_orientations(void **state)
{
    (void)state;
    for (int orientation = 0; orientation <= 9; orientation++) {
        jpeg_form form = {.width = WIDTH, .height = HEIGHT, .components = 3, .orientation = orientation};
        assert_ok(still_read(&reader, write_jpeg(&form), &pic, &err));
        bool transposed = orientation >= 5 && orientation <= 8;
        assert_int_equal(pic.width, transposed ? HEIGHT : WIDTH);
        assert_int_equal(pic.height, transposed ? WIDTH : HEIGHT);
        /* The stored upper left corner is the darkest one: EXIF says where it belongs. */
        bool right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
        bool low = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
        uint8_t *corner = pic.bgr + (low ? pic.height - 1 : 0) * pic.stride + (right ? pic.width - 1 : 0) * 3;
        assert_in_range(corner[2], slope(0, 0, 0) - 3, slope(0, 0, 0) + 3);
    }
}

static void test_jpeg_truncated(void **state)
{
    (void)state;
    buffer bytes = {0};
    for (int progressive = 0; progressive < 2; progressive++) {
        jpeg_form form = {.width = WIDTH, .height = HEIGHT, .components = 3, .progressive = progressive};
        read_bytes_of(write_jpeg(&form), &bytes);
        const char *path = temp_path(folder, "cut.jpg");
        for (size_t size = 3; size < bytes.size - 2; size++) {
            put_file("cut.jpg", bytes.data, size);
            assert_fails(still_read(&reader, path, &pic, &err), LANERT_EFORMAT,
                         "cut.jpg: the JPEG picture is truncated");
        }
    }
    buffer_free(&bytes);
}

static void test_jpeg_sizes(void **state)
{
    (void)state;
    buffer bytes = {0};
    jpeg_form form = {.width = WIDTH, .height = HEIGHT, .components = 3};
    read_bytes_of(write_jpeg(&form), &bytes);
    uint8_t *frame = memmem(bytes.data, bytes.size, "\xff\xc0", 2);
    assert_non_null(frame);
    const char *path = temp_path(folder, "size.jpg");
    memcpy(frame + 5, "\x75\x30\x75\x30", 4);
    put_file("size.jpg", bytes.data, bytes.size);
    assert_fails(still_read(&reader, path, &pic, &err), LANERT_ELIMIT, "size.jpg: its size is 30000×30000 pixels");
    memcpy(frame + 5, "\x00\x00\x00\x00", 4);
    put_file("size.jpg", bytes.data, bytes.size);
    assert_fails(still_read(&reader, path, &pic, &err), LANERT_EFORMAT, "not a sound JPEG picture: ");
    /* Larger than what is there: an error, not a picture that is grey below. */
    memcpy(frame + 5, "\x07\xd0\x07\xd0", 4);
    put_file("size.jpg", bytes.data, bytes.size);
    assert_fails(still_read(&reader, path, &pic, &err), LANERT_EFORMAT, "damaged: ");
    buffer_free(&bytes);
}

/* Any progressive picture may be followed by as many scans as one likes; each costs a pass over it. */
static void test_jpeg_scans(void **state)
{
    (void)state;
    buffer bytes = {0}, bomb = {0};
    jpeg_form form = {.width = WIDTH, .height = HEIGHT, .components = 3, .progressive = true};
    read_bytes_of(write_jpeg(&form), &bytes);
    char *scan = memmem(bytes.data, bytes.size, "\xff\xda", 2), *end = bytes.data + bytes.size - 2;
    char *next = memmem(scan + 2, (size_t)(end - scan), "\xff\xc4", 2);
    assert_non_null(next);
    assert_ok(buffer_add(&bomb, bytes.data, (size_t)(scan - bytes.data), &err));
    for (int i = 0; i < 600; i++)
        assert_ok(buffer_add(&bomb, scan, (size_t)(next - scan), &err));
    assert_ok(buffer_add(&bomb, end, 2, &err));
    const char *path = temp_path(folder, "bomb.jpg");
    put_file(path_base(path), bomb.data, bomb.size);
    assert_fails(still_read(&reader, path, &pic, &err), LANERT_ELIMIT, "more than 500 scans");
    buffer_free(&bytes);
    buffer_free(&bomb);
}

/* ---- both ------------------------------------------------------------------------------------ */

/* Whatever bits are turned, the answer is a picture or an error that names the file. */
static void test_damage(void **state)
{
    (void)state;
    buffer bytes[4] = {0};
    png_form png = {.width = WIDTH, .height = HEIGHT, .colour_type = 6, .depth = 8, .orientation = 3};
    read_bytes_of(write_png(&png), &bytes[0]);
    for (int i = 1; i < 4; i++) {
        jpeg_form jpeg = {
            .width = WIDTH, .height = HEIGHT, .components = i == 3 ? 4 : 3, .progressive = i == 2, .orientation = 5};
        read_bytes_of(write_jpeg(&jpeg), &bytes[i]);
    }
    const char *path = temp_path(folder, "bent");
    uint32_t random = 1;
    int sound = 0, broken = 0;
    for (int round = 0; round < 2000; round++) {
        buffer *b = &bytes[round % 4];
        random = random * 1664525 + 1013904223;
        size_t at = 4 + (random >> 8) % (b->size - 4);
        char kept = b->data[at];
        b->data[at] = (char)(b->data[at] ^ 1 << (random >> 5 & 7));
        put_file(path_base(path), b->data, b->size);
        b->data[at] = kept;
        int rc = still_read(&reader, path, &pic, &err);
        if (rc && !strstr(err.text, "/bent: "))
            fail_msg("%s", err.text);
        assert_true(rc == 0 || rc == LANERT_EFORMAT || rc == LANERT_ELIMIT);
        sound += rc == 0;
        broken += rc != 0;
    }
    assert_true(sound > 0 && broken > 0);
    for (int i = 0; i < 4; i++)
        buffer_free(&bytes[i]);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        int code;
        const char *part;
    } cases[] = {
        {"", 0, LANERT_EFORMAT, "is empty"},
        {"x", 1, LANERT_EFORMAT, "does not begin as a picture does"},
        {"\xff\xd8", 2, LANERT_EFORMAT, "does not begin as a picture does"},
        {"BM123456789012345", 17, LANERT_EUNSUPPORTED, "is a BMP picture; JPEG and PNG are read"},
        {"RIFF\1\2\3\4WEBPVP8 ", 16, LANERT_EUNSUPPORTED, "is a WebP picture"},
        {"MM\0*\0\0\0\10\0\0\0\0", 12, LANERT_EUNSUPPORTED, "is a TIFF picture"},
        {"\0\0\0\x1c"
         "ftypavif\0\0\0\0",
         16, LANERT_EUNSUPPORTED, "is a AVIF picture"},
    };
    const char *path = temp_path(folder, "odd.jpg");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        put_file(path_base(path), cases[i].bytes, cases[i].size);
        assert_fails(still_read(&reader, path, &pic, &err), cases[i].code, cases[i].part);
        assert_non_null(strstr(err.text, path));
    }
    const char *fifo = temp_path(folder, "fifo.jpg"), *nothing = temp_path(folder, "nothing.jpg");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_fails(still_read(&reader, fifo, &pic, &err), LANERT_EIO, "fifo.jpg: is not a plain file");
    assert_fails(still_read(&reader, folder, &pic, &err), LANERT_EIO, "is a folder");
    assert_fails(still_read(&reader, nothing, &pic, &err), LANERT_ENOTFOUND, "nothing.jpg");
    const char *vast = temp_path(folder, "vast.jpg");
    put_file(path_base(vast), "", 0);
    assert_int_equal(truncate(vast, (off_t)1 << 32), 0); /* a hole: it takes no room */
    assert_fails(still_read(&reader, vast, &pic, &err), LANERT_ELIMIT, "vast.jpg: 4294967296 bytes");
}

static void test_probe(void **state)
{
    (void)state;
    still_kind kind;
    const char *what;
    jpeg_form jpeg = {.width = WIDTH, .height = HEIGHT, .components = 3};
    png_form png = {.width = WIDTH, .height = HEIGHT, .colour_type = 2, .depth = 8};
    assert_ok(still_probe(write_jpeg(&jpeg), &kind, &what, &err));
    assert_int_equal(kind, STILL_JPEG);
    assert_ok(still_probe(write_png(&png), &kind, &what, &err));
    assert_int_equal(kind, STILL_PNG);
    const char *path = temp_path(folder, "odd");
    put_file(path_base(path), "BMxx", 4);
    assert_ok(still_probe(path, &kind, &what, &err));
    assert_int_equal(kind, STILL_FOREIGN);
    assert_string_equal(what, "BMP");
    put_file(path_base(path), "B", 1);
    assert_ok(still_probe(path, &kind, &what, &err));
    assert_int_equal(kind, STILL_NONE);
}

static void test_exif(void **state)
{
    (void)state;
    static const uint8_t little[] = {'I',  'I', '*', 0, 8, 0, 0, 0, 2, 0,       /* two entries */
                                     0x0f, 1,   2,   0, 1, 0, 0, 0, 0, 0, 0, 0, /* another tag */
                                     0x12, 1,   3,   0, 1, 0, 0, 0, 8, 0, 0, 0};
    assert_int_equal(still_orientation(little, sizeof little), 8);
    for (size_t size = 0; size < sizeof little; size++) {
        uint8_t *cut = malloc(size ? size : 1); /* of its very size, so that a sanitizer sees a byte too many */
        assert_non_null(cut);
        memcpy(cut, little, size);
        assert_int_equal(still_orientation(cut, size), 1);
        free(cut);
    }
    uint8_t bent[sizeof little];
    for (size_t at = 0; at < sizeof little; at++)
        for (int value = 0; value < 256; value++) {
            memcpy(bent, little, sizeof bent);
            bent[at] = (uint8_t)value;
            assert_in_range(still_orientation(bent, sizeof bent), 1, 8);
        }
    memcpy(bent, little, sizeof bent);
    bent[24] = 4; /* a LONG, as some programs write it */
    assert_int_equal(still_orientation(bent, sizeof bent), 8);
}

/* Pixels that OpenCV 4.10's imread gave of these files. */
static void test_as_imread(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sha256;
    } pictures[] = {
        {"road/images/solidWhiteRight.jpg", "19dad3959dd03eac0582d746b402df68b269d0d601eda05acfa3a88f1187e78d"},
        {"road/images/0ace96c3-48481887.jpg", "73deaeaa4ce1f83cc47c0eb55ef82092fd5f6c631978896eb5162bb5dad48eb5"},
        {"road/images/CLRerNet_demo_1640x590.jpg", "d960aed24454542fb772adc6387bcd55f509b32f30bd74a4455dcd429478d1f1"},
        {"road/images/problem.png", "d88b2ba18d18df8f93746c87f3ef455bfca29430266d4dc1e59a35d56eb1b837"},
        {"road/labelled/tusimple/3.jpg", "2988baecaa6fbad940789543f2b772fffb2155aec34011dde314d018b4a5ee50"},
        {"road/labelled/culane_night/00810.jpg", "72c28ad31b1dd42a6f4b5faea7dfc61d858baa99f556253975244b712e00a50d"},
    };
    for (size_t i = 0; i < ARRAY_LEN(pictures); i++) {
        char hex[65];
        SHARED_OR_SKIP(pictures[i].name);
        assert_ok(still_read(&reader, SHARED(pictures[i].name), &pic, &err));
        size_t row = (size_t)pic.width * 3;
        for (int y = 1; y < pic.height; y++) /* without the padding */
            memmove(pic.bgr + (size_t)y * row, pic.bgr + (ptrdiff_t)y * pic.stride, row);
        assert_ok(sha256_hex(pic.bgr, row * (size_t)pic.height, hex, &err));
        assert_string_equal(hex, pictures[i].sha256);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_png_forms),
        cmocka_unit_test(test_png_palettes),
        cmocka_unit_test(test_png_orientation),
        cmocka_unit_test(test_png_truncated),
        cmocka_unit_test(test_png_sizes),
        cmocka_unit_test(test_jpeg_forms),
        cmocka_unit_test(test_jpeg_orientations),
        cmocka_unit_test(test_jpeg_truncated),
        cmocka_unit_test(test_jpeg_sizes),
        cmocka_unit_test(test_jpeg_scans),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_exif),
        cmocka_unit_test(test_as_imread),
    };
    return cmocka_run_group_tests(tests, make_folder, teardown);
}
