/* What a spec stands for: pictures, folders, patterns, lists, and what is none of these. */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "frame/source.h"
#include "support/image_writer.h"
#include "support/testing.h"

static lanert_error err;

/* A grey picture whose level tells it from others. */
static const char *write_picture(const char *name, int level)
{
    uint8_t pixels[4] = {(uint8_t)level, (uint8_t)level, (uint8_t)level, (uint8_t)level};
    png_form form = {.width = 2, .height = 2, .depth = 8, .colour_type = 0};
    const char *path = temp_path(folder, name);
    assert_ok(file_make_folders_above(path, &err));
    image_write_png(path, pixels, 2, &form);
    return path;
}

typedef struct expected {
    const char *name;
    int level; /* or below 0: reading it fails with this code */
} expected;

static void check(const char *spec, const expected *want, int count)
{
    lanert_source *source;
    lanert_frame frame;
    assert_ok(lanert_source_open(spec, &source, &err));
    const lanert_source_info *info = lanert_source_describe(source);
    assert_int_equal(info->frames, count);
    assert_true(info->pictures);
    assert_false(info->live);
    assert_true(info->rate == 0);
    assert_string_equal(info->name, spec);
    for (int i = 0; i < count; i++) {
        int rc = lanert_source_read(source, &frame, &err);
        if (want[i].level < 0) {
            assert_int_equal(rc, want[i].level);
            assert_non_null(strstr(err.text, want[i].name));
            continue;
        }
        if (rc)
            fail_msg("%s: %s", want[i].name, err.text);
        assert_string_equal(frame.name, want[i].name);
        assert_int_equal(frame.data[0][0], want[i].level);
        assert_int_equal(frame.index, i);
        assert_true(frame.path && file_exists(frame.path));
        assert_null(frame.truth);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(lanert_source_read(source, &frame, &err), LANERT_END);
    lanert_source_close(&source);
    assert_null(source);
}

static int open_fails(const char *spec)
{
    lanert_source *source = (lanert_source *)1;
    int rc = lanert_source_open(spec, &source, &err);
    assert_null(source);
    return rc;
}

static void test_picture(void **state)
{
    (void)state;
    check(write_picture("one/one.png", 9), (expected[]){{"one.png", 9}}, 1);
    /* It is what it begins as, whatever it is called. */
    check(write_picture("one/picture.mp4", 10), (expected[]){{"picture.mp4", 10}}, 1);
    check(write_picture("one/odd*name[1].png", 11), (expected[]){{"odd*name[1].png", 11}}, 1);
}

static void test_folder(void **state)
{
    (void)state;
    write_picture("tree/b/2.png", 12);
    write_picture("tree/b/10.PNG", 11);
    write_picture("tree/a.png", 10);
    write_picture("tree/b.png", 14);
    write_picture("tree/c/deep/er/x.jpg", 15);
    write_picture("tree/.hidden/no.png", 1);
    write_picture("tree/.no.png", 1);
    put_text("tree/notes.txt", "no picture\n");
    put_text("tree/b/30.jpeg", "broken");
    assert_int_equal(symlink("..", temp_path(folder, "tree/c/loop")), 0);
    assert_int_equal(symlink("nowhere", temp_path(folder, "tree/dangling.png")), 0);
    assert_int_equal(symlink("../a.png", temp_path(folder, "tree/c/link.png")), 0);
    const expected want[] = {{"a.png", 10},           {"b.png", 14}, /* '.' comes before '/' */
                             {"b/10.PNG", 11},        {"b/2.png", 12},   {"b/30.jpeg", LANERT_EFORMAT},
                             {"c/deep/er/x.jpg", 15}, {"c/link.png", 10}};
    check(temp_path(folder, "tree"), want, (int)ARRAY_LEN(want));
    check(temp_path(folder, "tree//"), want, (int)ARRAY_LEN(want));
}

static void test_folder_refusals(void **state)
{
    (void)state;
    assert_int_equal(mkdir(temp_path(folder, "empty"), 0777), 0);
    assert_fails(open_fails(temp_path(folder, "empty")), LANERT_ENOTFOUND, "no .jpg, .jpeg or .png file");
    assert_int_equal(mkdir(temp_path(folder, "films"), 0777), 0);
    put_text("films/a.MP4", "x");
    put_text("films/b.mkv", "x");
    assert_fails(open_fails(temp_path(folder, "films")), LANERT_ENOTFOUND, "but 2 videos");
    if (geteuid() == 0)
        return;
    write_picture("closed/inner/a.png", 1);
    assert_int_equal(chmod(temp_path(folder, "closed/inner"), 0), 0);
    assert_fails(open_fails(temp_path(folder, "closed")), LANERT_EIO, "closed/inner: folder cannot be read");
    chmod(temp_path(folder, "closed/inner"), 0700);
}

static void test_glob(void **state)
{
    (void)state;
    write_picture("g/x1/b.png", 2);
    write_picture("g/x1/a.png", 1);
    write_picture("g/x2/a.png", 3);
    write_picture("g/y1/a.png", 4);
    const expected both[] = {{"x1/a.png", 1}, {"x1/b.png", 2}, {"x2/a.png", 3}};
    check(temp_path(folder, "g/x*/*.png"), both, 3);
    check(temp_path(folder, "g/x1/?.png"), (expected[]){{"a.png", 1}, {"b.png", 2}}, 2);
    check(temp_path(folder, "g/{x2,y1}/[a-c].png"), (expected[]){{"x2/a.png", 3}, {"y1/a.png", 4}}, 2);
    assert_fails(open_fails(temp_path(folder, "g/x*/*.jpg")), LANERT_ENOTFOUND, "no file matches this pattern");
    assert_fails(open_fails(temp_path(folder, "g/x*")), LANERT_ENOTFOUND, "no file matches"); /* folders only */
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(temp_path(folder, "g")), 0);
    check("*/a.png", (expected[]){{"x1/a.png", 1}, {"x2/a.png", 3}, {"y1/a.png", 4}}, 3);
    check("x1", (expected[]){{"a.png", 1}, {"b.png", 2}}, 2);
    check("y1/a.png", (expected[]){{"a.png", 4}}, 1);
    assert_int_equal(chdir(before), 0);
}

static void test_list(void **state)
{
    (void)state;
    write_picture("l/a.png", 1);
    write_picture("l/sub/b.png", 2);
    write_picture("l/with blank.png", 3);
    put_text("l/list.txt", "\xef\xbb\xbf"
                           "a.png\r\n\n  \t\r\nsub/b.png\nwith blank.png\n./sub/../a.png\nsub/b.png 1 0 0 1\n"
                           "gone.png\na.png\t7");
    const expected want[] = {{"a.png", 1},          {"sub/b.png", 2},
                             {"with blank.png", 3}, {"sub/a.png", 1},
                             {"sub/b.png", 2},      {"list.txt:8: there is no picture gone.png", LANERT_ENOTFOUND},
                             {"a.png", 1}};
    check(temp_path(folder, "l/list.txt"), want, (int)ARRAY_LEN(want));
}

/* CULane's own: list/test.txt beside the drives, its lines beginning with '/'. */
static void test_culane_list(void **state)
{
    (void)state;
    write_picture("culane/driver_1/1.MP4/00000.jpg", 5);
    write_picture("culane/driver_1/1.MP4/00030.jpg", 6);
    write_picture("culane/list/own.png", 7);
    put_text("culane/list/train_gt.txt",
             "/driver_1/1.MP4/00000.jpg /laneseg/1.png 1 1 1 1\nown.png\n/driver_1/1.MP4/00030.jpg\n");
    const expected want[] = {{"driver_1/1.MP4/00000.jpg", 5}, {"own.png", 7}, {"driver_1/1.MP4/00030.jpg", 6}};
    check(temp_path(folder, "culane/list/train_gt.txt"), want, 3);
    put_text("culane/driver_1/1.MP4/00060.jpg", "\xff\xd8\xff none");
    put_text("culane/list/bad.txt", "/driver_1/1.MP4/00060.jpg\n");
    check(temp_path(folder, "culane/list/bad.txt"), (expected[]){{"culane/driver_1/1.MP4/00060.jpg: ", LANERT_EFORMAT}},
          1);
    /* Paths of this machine, and upward ones: found, but named so that nothing can be written elsewhere. */
    char text[8192], name[4096];
    snprintf(text, sizeof text, "%s\n../driver_1/1.MP4/00030.jpg\n", temp_path(folder, "culane/list/own.png"));
    snprintf(name, sizeof name, "%s", temp_path(folder, "culane/list/own.png") + 1);
    put_text("culane/list/absolute.TXT", text);
    check(temp_path(folder, "culane/list/absolute.TXT"), (expected[]){{name, 7}, {"driver_1/1.MP4/00030.jpg", 6}}, 2);
}

static void test_list_refusals(void **state)
{
    (void)state;
    put_text("blank.txt", " \n\r\n\n");
    assert_fails(open_fails(temp_path(folder, "blank.txt")), LANERT_ENOTFOUND, "blank.txt: the list is empty");
    put_file("nul.txt", "a.png\nb\0c\n", 10);
    assert_fails(open_fails(temp_path(folder, "nul.txt")), LANERT_EFORMAT, "nul.txt:2: is not a picture's path");
    char *line = malloc(5001);
    memset(line, 'x', 5000);
    line[5000] = '\0';
    put_text("long.txt", line);
    free(line);
    assert_fails(open_fails(temp_path(folder, "long.txt")), LANERT_EFORMAT, "long.txt:1: is not a picture's path");
}

static void test_long_name(void **state)
{
    (void)state;
    char name[1500] = "deep";
    for (int i = 0; i < 6; i++) {
        size_t used = strlen(name);
        name[used] = '/';
        memset(name + used + 1, 'a' + i, 200);
        name[used + 201] = '\0';
    }
    strcat(name, "/p.png");
    write_picture(name, 77);
    lanert_source *source;
    lanert_frame frame;
    assert_ok(lanert_source_open(temp_path(folder, "deep"), &source, &err));
    assert_ok(lanert_source_read(source, &frame, &err));
    assert_int_equal(frame.data[0][0], 77);
    assert_int_equal(strlen(frame.name), 1023);
    assert_memory_equal(frame.name, name + 5, 1023);
    lanert_source_close(&source);
}

static void test_refusals(void **state)
{
    (void)state;
    assert_fails(open_fails(NULL), LANERT_EINVAL, "no source was named; a source is a picture");
    assert_fails(open_fails(""), LANERT_EINVAL, "no source was named");
    assert_fails(open_fails("no/such.mp4"), LANERT_ENOTFOUND, "no/such.mp4: there is no such file, folder or device");
    assert_fails(open_fails("/dev/video97"), LANERT_ENOTFOUND, "/dev/video97: there is no such");
    assert_fails(open_fails("ftp://host/a.mp4"), LANERT_EUNSUPPORTED, "ftp:// is not read; rtsp, rtmp, http");
    put_text("empty.mp4", "");
    assert_fails(open_fails(temp_path(folder, "empty.mp4")), LANERT_EFORMAT, "empty.mp4: is empty");
    put_text("a.bmp", "BM and so on");
    assert_fails(open_fails(temp_path(folder, "a.bmp")), LANERT_EUNSUPPORTED, "a.bmp: is a BMP picture");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%.90s/socket", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_fails(open_fails(at.sun_path), LANERT_EUNSUPPORTED, "is neither a file nor a folder");
    close(fd);
    lanert_source *none = NULL;
    lanert_source_close(&none);
}

static void test_no_place_to_answer(void **state)
{
    (void)state;
    const char *path = "none.png";
    lanert_frame frame;
    assert_fails(lanert_source_open(path, NULL, &err), LANERT_EINVAL, "must not be NULL");
    assert_fails(lanert_source_open_pictures(&path, 1, NULL, &err), LANERT_EINVAL, "must not be NULL");
    assert_fails(lanert_source_read(NULL, &frame, &err), LANERT_EINVAL, "must not be NULL");
    lanert_source_close(NULL);
}

/* The picture's memory is the source's, and kept. */
static void test_borrowed(void **state)
{
    (void)state;
    write_picture("same/1.png", 1);
    write_picture("same/2.png", 2);
    lanert_source *source;
    lanert_frame first, second;
    assert_ok(lanert_source_open(temp_path(folder, "same"), &source, &err));
    assert_ok(lanert_source_read(source, &first, &err));
    assert_ok(lanert_source_read(source, &second, &err));
    assert_ptr_equal(first.data[0], second.data[0]);
    lanert_source_close(&source);
    picture own = {0};
    assert_ok(lanert_source_open(temp_path(folder, "same"), &source, &err));
    assert_ok(source_read_into(source, &own, &err));
    assert_string_equal(own.name, "1.png");
    source_interrupt(source); /* stills never wait: nothing happens */
    assert_ok(source_read_into(source, &own, &err));
    picture_free(&own);
    lanert_source_close(&source);
}

/* In the order given, a bad one in its place. */
static void test_paths(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    char first[4096], second[4096];
    snprintf(first, sizeof first, "%s", write_picture("paths/b.png", 7));
    snprintf(second, sizeof second, "%s", write_picture("paths/a.png", 9));
    const char *const paths[] = {first, "/nowhere/c.png", second};
    assert_ok(lanert_source_open_pictures(paths, 3, &source, &err));
    assert_int_equal(lanert_source_describe(source)->frames, 3);
    assert_true(lanert_source_describe(source)->pictures);
    assert_ok(lanert_source_read(source, &frame, &err));
    assert_true(frame.index == 0 && frame.data[0][0] == 7);
    assert_fails(lanert_source_read(source, &frame, &err), LANERT_ENOTFOUND, "/nowhere/c.png");
    assert_ok(lanert_source_read(source, &frame, &err));
    assert_true(frame.index == 2 && frame.data[0][0] == 9);
    assert_int_equal(lanert_source_read(source, &frame, &err), LANERT_END);
    lanert_source_close(&source);
    assert_fails(lanert_source_open_pictures(paths, 0, &source, &err), LANERT_EINVAL, "0 pictures");
    assert_null(source);
}

static void test_culane_test_list(void **state)
{
    (void)state;
    SHARED_OR_SKIP("road/culane/list/test.txt");
    lanert_source *source;
    lanert_frame frame;
    assert_ok(lanert_source_open(SHARED("road/culane/list/test.txt"), &source, &err));
    assert_int_equal(lanert_source_describe(source)->frames, 34680);
    assert_fails(lanert_source_read(source, &frame, &err), LANERT_ENOTFOUND,
                 "test.txt:1: there is no picture /driver_100_30frame/05251517_0433.MP4/00000.jpg");
    lanert_source_close(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picture),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_folder_refusals),
        cmocka_unit_test(test_glob),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_culane_list),
        cmocka_unit_test(test_list_refusals),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_place_to_answer),
        cmocka_unit_test(test_borrowed),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_culane_test_list),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
