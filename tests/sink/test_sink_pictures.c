#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decode.h"
#include "scene.h"
#include "sink/sink.h"

enum { WIDTH = 320, HEIGHT = 240 };

static lanert_error err;
static uint8_t *bgr;
static lanert_frame frame;
static const lanert_result no_lanes;
static const lanert_source_info pictures = {.pictures = true, .frames = -1}, video = {.rate = 25, .frames = 100};

static int set_up(void **state)
{
    signal(SIGXFSZ, SIG_IGN);
    bgr = scene_pixels(WIDTH, HEIGHT, false);
    frame = scene_frame(bgr, WIDTH, HEIGHT);
    return make_folder(state);
}

static int tear_down(void **state)
{
    free(bgr);
    return remove_folder(state);
}

static bool nothing_is_there(const char *where)
{
    return rmdir(where) == 0 && mkdir(where, 0777) == 0;
}

static void *open_sink(const char *name, const lanert_source_info *source, bool force)
{
    const lanert_sink_options options = {.source = source, .force = force};
    void *sink;
    assert_ok(sink_pictures.open(temp_path(folder, name), &options, &sink, &err));
    return sink;
}

/* Writes one picture of that name, and says where the sink put it by looking there. */
static void assert_lands(const lanert_source_info *source, const char *name, int64_t index, const char *where)
{
    void *sink = open_sink("out", source, true);
    frame.name = name;
    frame.index = index;
    assert_ok(sink_pictures.write(sink, &frame, &no_lanes, &err));
    assert_ok(sink_pictures.finish(sink, &err));
    sink_pictures.close(sink);
    if (!file_exists(temp_path(folder, where)))
        fail_msg("%s is not at %s", name ? name : "(no name)", where);
    decoded d = decode_file(temp_path(folder, where));
    assert_int_equal(d.count, 1);
    assert_int_equal(d.width, WIDTH);
    assert_int_equal(d.height, HEIGHT);
    assert_int_equal(unlink(temp_path(folder, where)), 0);
    decoded_free(&d);
}

static void a_picture_keeps_its_name_folders_and_kind(void **state)
{
    (void)state;
    assert_lands(&pictures, "a.jpg", 0, "out/a.jpg");
    assert_lands(&pictures, "deep/er/b.JPEG", 0, "out/deep/er/b.JPEG");
    assert_lands(&pictures, "c.PNG", 0, "out/c.PNG");
    assert_lands(&pictures, "d.bmp", 0, "out/d.png");
    assert_lands(&pictures, "no-extension", 0, "out/no-extension.png");
    assert_lands(NULL, "e.jpg", 0, "out/e.jpg");
    assert_lands(NULL, NULL, 7, "out/00007.png");
    assert_lands(&video, "drive.mp4", 12, "out/drive/00012.jpg");
}

static void no_name_leads_out_of_the_folder(void **state)
{
    (void)state;
    assert_lands(&pictures, "../../up.png", 0, "out/up.png");
    assert_lands(&pictures, "a/../../../up.png", 0, "out/up.png");
    assert_lands(&pictures, "/root.png", 0, "out/root.png");
    assert_lands(&pictures, "..", 3, "out/00003.png");
    assert_lands(&video, "../../drive.mp4", 1, "out/drive/00001.jpg");
}

static void a_png_holds_the_picture_exactly(void **state)
{
    (void)state;
    const lanert_lane lane = scene_lane(80, 130, 80, 240, 0.9f);
    const lanert_result result = {.count = 1, .lanes = &lane};
    static const char *const names[] = {"p.png", "p.jpg"};
    for (int k = 0; k < 2; k++) {
        void *sink = open_sink(names[k], NULL, false);
        assert_ok(sink_pictures.write(sink, &frame, &result, &err));
        assert_ok(sink_pictures.finish(sink, &err));
        sink_pictures.close(sink);
        decoded d = decode_file(temp_path(folder, names[k]));
        for (int y = 110; y < HEIGHT; y += 5)
            for (int x = 130; x < WIDTH; x += 5) {
                const uint8_t *want = bgr + (y * WIDTH + x) * 3;
                assert_colour(decoded_at(&d, 0, x, y), want[0], want[1], want[2], k ? 6 : 0);
            }
        const uint8_t *at = decoded_at(&d, 0, 80, 180);
        assert_true(at[0] > 200 && at[1] > 150);
        decoded_free(&d);
    }
}

static void a_single_picture_takes_one_only(void **state)
{
    (void)state;
    const lanert_source_info many = {.pictures = true, .frames = 5};
    const lanert_sink_options options = {.source = &many};
    void *sink;
    assert_fails(sink_pictures.open(temp_path(folder, "one.png"), &options, &sink, &err), LANERT_EINVAL, "5 come");
    sink = open_sink("one.png", &pictures, false);
    assert_ok(sink_pictures.write(sink, &frame, &no_lanes, &err));
    assert_fails(sink_pictures.write(sink, &frame, &no_lanes, &err), LANERT_EINVAL, "give a folder");
    sink_pictures.close(sink);
    assert_true(file_exists(temp_path(folder, "one.png")));

    sink = open_sink("none.png", &pictures, false);
    assert_fails(sink_pictures.finish(sink, &err), LANERT_EFORMAT, "no frame");
    sink_pictures.close(sink);
}

static void a_picture_never_replaces_itself(void **state)
{
    (void)state;
    const char *const outputs[] = {"in.png", "."};
    char path[4096];
    snprintf(path, sizeof path, "%s", temp_path(folder, "in.png"));
    put_text("in.png", "x");
    frame.path = path;
    frame.name = "in.png";
    for (int i = 0; i < 2; i++) {
        void *sink = open_sink(outputs[i], &pictures, true);
        assert_fails(sink_pictures.write(sink, &frame, &no_lanes, &err), LANERT_EEXIST,
                     "in.png: is the picture itself");
        sink_pictures.close(sink);
    }
    frame.name = "other.png";
    void *sink = open_sink(".", &pictures, true);
    assert_ok(sink_pictures.write(sink, &frame, &no_lanes, &err));
    sink_pictures.close(sink);
    frame.path = NULL;
}

static void what_is_there_stays_unless_forced(void **state)
{
    (void)state;
    lanert_sink_options options = {.source = &pictures};
    void *sink;
    put_text("full/a.png", "precious");
    assert_fails(sink_pictures.open(temp_path(folder, "full"), &options, &sink, &err), LANERT_EEXIST, "not empty");
    assert_fails(sink_pictures.open(temp_path(folder, "full/a.png"), &options, &sink, &err), LANERT_EEXIST, "a.png");
    options.force = true;
    assert_ok(sink_pictures.open(temp_path(folder, "full"), &options, &sink, &err));
    frame.name = "a.png";
    assert_ok(sink_pictures.write(sink, &frame, &no_lanes, &err));
    sink_pictures.close(sink);
    decoded d = decode_file(temp_path(folder, "full/a.png"));
    assert_int_equal(d.count, 1);
    decoded_free(&d);
}

static void two_pictures_of_one_name_are_not_one(void **state)
{
    (void)state;
    void *sink = open_sink("out", &pictures, false);
    frame.name = "a.bmp";
    assert_ok(sink_pictures.write(sink, &frame, &no_lanes, &err));
    frame.name = "a.tif";
    assert_fails(sink_pictures.write(sink, &frame, &no_lanes, &err), LANERT_EEXIST, "out/a.png");
    sink_pictures.close(sink);
}

/* A limit on a file's size stands for a full disk: writes then fail in the same way. */
static void a_full_disk_is_an_error_that_leaves_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"a.png", "a.jpg"};
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const rlim_t was = limit.rlim_cur;
    for (int i = 0; i < 2; i++) {
        void *sink = open_sink("out", &pictures, false);
        frame.name = names[i];
        limit.rlim_cur = 100;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        int rc = sink_pictures.write(sink, &frame, &no_lanes, &err);
        limit.rlim_cur = was;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_fails(rc, LANERT_EIO, names[i]);
        assert_non_null(strstr(err.text, "File too large"));
        sink_pictures.close(sink);
        assert_true(nothing_is_there(temp_path(folder, "out")));
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_picture_keeps_its_name_folders_and_kind), TEST(no_name_leads_out_of_the_folder),
        TEST(a_png_holds_the_picture_exactly),           TEST(a_single_picture_takes_one_only),
        TEST(a_picture_never_replaces_itself),           TEST(what_is_there_stays_unless_forced),
        TEST(two_pictures_of_one_name_are_not_one),      TEST(a_full_disk_is_an_error_that_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
