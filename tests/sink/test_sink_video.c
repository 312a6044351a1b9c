#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decode.h"
#include "scene.h"
#include "sink/sink.h"
#include "sink/video_writer.h"

static lanert_error err;

static int set_up(void **state)
{
    signal(SIGXFSZ, SIG_IGN);
    return make_folder(state);
}

/* Whether the test's folder holds nothing, temporary files included. */
static bool nothing_is_there(void)
{
    return rmdir(folder) == 0 && mkdir(folder, 0777) == 0;
}

static lanert_sink_options at_rate(const lanert_source_info *info)
{
    return (lanert_sink_options){.source = info, .title = "CLRNet"};
}

/* Writes `count` frames of the scene, at i / rate, each with one lane down the middle of its left half. */
static void write_scene(const char *path, int width, int height, int count, double rate)
{
    const lanert_source_info info = {.rate = rate};
    const lanert_sink_options options = at_rate(&info);
    const lanert_lane lane = scene_lane(width * 0.25, height * 0.45, width * 0.25, height, 0.9f);
    const lanert_result result = {.count = 1, .lanes = &lane, .latency_ms = 5};
    uint8_t *bgr = scene_pixels(width, height, false);
    lanert_frame frame = scene_frame(bgr, width, height);
    void *sink;
    assert_ok(sink_video.open(path, &options, &sink, &err));
    for (int i = 0; i < count; i++) {
        frame.time_s = i / rate;
        assert_ok(sink_video.write(sink, &frame, &result, &err));
    }
    assert_ok(sink_video.finish(sink, &err));
    sink_video.close(sink);
    free(bgr);
}

static void assert_scene(const decoded *d, int i, int width, int height)
{
    const int xs[] = {width / 8, width * 7 / 8}, ys[] = {height * 7 / 16, height * 9 / 16};
    for (int q = 0; q < 4; q++) {
        const uint8_t *want = quarter_colours[q];
        assert_colour(decoded_at(d, i, xs[q % 2], ys[q / 2]), want[0], want[1], want[2], 6);
    }
}

static void a_video_holds_every_frame_at_its_time_in_its_colours(void **state)
{
    (void)state;
    static const char *const names[] = {"a.mp4", "b.mov", "c.mkv", "d:e.M4V"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        const char *path = temp_path(folder, names[k]);
        write_scene(path, 320, 240, 25, 25);
        decoded d = decode_file(path);
        assert_int_equal(d.count, 25);
        assert_int_equal(d.width, 320);
        assert_int_equal(d.height, 240);
        assert_int_equal(d.space, AVCOL_SPC_SMPTE170M);
        assert_int_equal(d.range, AVCOL_RANGE_MPEG);
        assert_true(fabs(av_q2d(d.rate) - 25) < 1e-9);
        assert_true(fabs(d.duration - 1) < 0.0015);
        for (int i = 0; i < 25; i++) {
            assert_true(fabs(d.times[i] - i / 25.0) < 0.0006);
            assert_scene(&d, i, 320, 240);
            const uint8_t *lane = decoded_at(&d, i, 80, 180);
            assert_true(lane[0] > 180 && lane[1] > 130); /* blue where the picture is red */
        }
        decoded_free(&d);
    }
}

static void large_video_is_tagged_and_converted_as_bt709(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "hd.mp4");
    write_scene(path, 1280, 720, 3, 30000 / 1001.0);
    decoded d = decode_file(path);
    assert_int_equal(d.count, 3);
    assert_int_equal(d.space, AVCOL_SPC_BT709);
    assert_int_equal(d.rate.num, 30000);
    assert_int_equal(d.rate.den, 1001);
    assert_true(fabs(d.times[2] - 2 * 1001 / 30000.0) < 1e-9);
    assert_scene(&d, 2, 1280, 720);
    decoded_free(&d);
}

static void odd_sides_are_padded_and_never_scaled(void **state)
{
    (void)state;
    static const int sizes[][2] = {{161, 121}, {1, 1}, {3, 2}, {17, 300}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const int width = sizes[k][0], height = sizes[k][1];
        const char *path = temp_path(folder, "odd.mp4");
        const lanert_sink_options options = {.force = true};
        const lanert_result result = {0};
        uint8_t *bgr = scene_pixels(width, height, false);
        const lanert_frame frame = scene_frame(bgr, width, height);
        void *sink;
        assert_ok(sink_video.open(path, &options, &sink, &err));
        assert_ok(sink_video.write(sink, &frame, &result, &err));
        assert_ok(sink_video.finish(sink, &err));
        sink_video.close(sink);
        decoded d = decode_file(path);
        assert_int_equal(d.width, (width + 1) / 2 * 2);
        assert_int_equal(d.height, (height + 1) / 2 * 2);
        const uint8_t *corner = quarter_colours[3];
        if (width > 100)
            assert_colour(decoded_at(&d, 0, d.width - 1, d.height - 1), corner[0], corner[1], corner[2], 8);
        decoded_free(&d);
        free(bgr);
    }
}

static void a_frame_of_another_size_is_fitted_in(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "fitted.mp4");
    const lanert_sink_options options = {0};
    const lanert_result result = {0};
    uint8_t *first = scene_pixels(320, 240, false), *wide = scene_pixels(400, 100, true),
            *tall = scene_pixels(51, 401, false);
    lanert_frame frames[] = {scene_frame(first, 320, 240), scene_frame(wide, 400, 100), scene_frame(tall, 51, 401)};
    frames[1].format = LANERT_RGB;
    void *sink;
    assert_ok(sink_video.open(path, &options, &sink, &err));
    for (int i = 0; i < 3; i++)
        assert_ok(sink_video.write(sink, &frames[i], &result, &err));
    assert_ok(sink_video.finish(sink, &err));
    sink_video.close(sink);
    decoded d = decode_file(path);
    assert_int_equal(d.count, 3);
    assert_int_equal(d.width, 320);
    assert_int_equal(d.height, 240);
    assert_colour(decoded_at(&d, 1, 160, 20), 0, 0, 0, 6);
    assert_colour(decoded_at(&d, 1, 160, 220), 0, 0, 0, 6);
    assert_colour(decoded_at(&d, 1, 300, 105), 50, 180, 60, 10); /* upper right quarter, 80 rows in the middle */
    assert_colour(decoded_at(&d, 1, 20, 145), 40, 50, 190, 10);
    assert_colour(decoded_at(&d, 2, 40, 120), 0, 0, 0, 6);
    assert_colour(decoded_at(&d, 2, 280, 120), 0, 0, 0, 6);
    assert_colour(decoded_at(&d, 2, 166, 220), 128, 128, 128, 10);
    decoded_free(&d);
    free(first);
    free(wide);
    free(tall);
}

static void nv12_comes_out_in_its_own_colours(void **state)
{
    (void)state;
    enum { width = 65, height = 49 };
    static uint8_t y[width * height], uv[(width + 1) * ((height + 1) / 2)];
    const char *path = temp_path(folder, "nv12.mp4");
    const lanert_sink_options options = {0};
    const lanert_result result = {0};
    lanert_frame frame = {.format = LANERT_NV12,
                          .width = width,
                          .height = height,
                          .data = {y, uv},
                          .stride = {width, width + 1},
                          .colour = LANERT_BT709_LIMITED};
    memset(y, 63, sizeof y); /* pure red in BT.709 */
    for (size_t i = 0; i < sizeof uv; i += 2) {
        uv[i] = 102;
        uv[i + 1] = 240;
    }
    void *sink;
    assert_ok(sink_video.open(path, &options, &sink, &err));
    assert_ok(sink_video.write(sink, &frame, &result, &err));
    assert_ok(sink_video.finish(sink, &err));
    sink_video.close(sink);
    decoded d = decode_file(path);
    assert_colour(decoded_at(&d, 0, 30, 30), 0, 0, 255, 8);
    decoded_free(&d);
}

static void times_that_do_not_rise_are_mended(void **state)
{
    (void)state;
    const double given[] = {100, 100.04, 100.04, NAN, 50, 100.5, 1e200, -INFINITY, 101};
    const double wanted[] = {0, 0.04, 0.08, 0.12, 0.16, 0.5, 0.54, 0.58, 1};
    const char *path = temp_path(folder, "times.mp4");
    const lanert_source_info info = {.rate = 25};
    const lanert_sink_options options = at_rate(&info);
    const lanert_result result = {0};
    uint8_t *bgr = scene_pixels(64, 48, false);
    lanert_frame frame = scene_frame(bgr, 64, 48);
    void *sink;
    assert_ok(sink_video.open(path, &options, &sink, &err));
    for (int i = 0; i < 9; i++) {
        frame.time_s = given[i];
        assert_ok(sink_video.write(sink, &frame, &result, &err));
    }
    assert_ok(sink_video.finish(sink, &err));
    sink_video.close(sink);
    decoded d = decode_file(path);
    assert_int_equal(d.count, 9);
    for (int i = 0; i < 9; i++)
        if (fabs(d.times[i] - wanted[i]) > 1e-4)
            fail_msg("frame %d is at %g, expected %g", i, d.times[i], wanted[i]);
    decoded_free(&d);
    free(bgr);
}

static void the_index_is_at_the_front(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "front.mp4");
    file_map map;
    write_scene(path, 160, 120, 5, 25);
    assert_ok(file_map_open(path, 0, &map, &err));
    const uint8_t *moov = memmem(map.data, map.size, "moov", 4), *mdat = memmem(map.data, map.size, "mdat", 4);
    assert_true(moov && mdat && moov < mdat);
    file_map_close(&map);
}

static void other_containers_are_refused(void **state)
{
    (void)state;
    const lanert_sink_options options = {0};
    void *sink;
    assert_fails(sink_video.open(temp_path(folder, "x.avi"), &options, &sink, &err), LANERT_EUNSUPPORTED, ".avi");
    assert_fails(sink_video.open(temp_path(folder, "x.webm"), &options, &sink, &err), LANERT_EUNSUPPORTED, ".mp4");
    assert_fails(sink_video.open(temp_path(folder, "mp4"), &options, &sink, &err), LANERT_EUNSUPPORTED, "extension");
    assert_true(nothing_is_there());
}

static void a_file_that_is_there_stays_unless_forced(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "mine.mp4");
    lanert_sink_options options = {0};
    file_map map;
    void *sink;
    assert_ok(file_write(path, "precious", 8, false, &err));
    assert_fails(sink_video.open(path, &options, &sink, &err), LANERT_EEXIST, "mine.mp4");
    options.force = true;
    assert_ok(sink_video.open(path, &options, &sink, &err));
    sink_video.close(sink); /* not finished: what was there remains */
    assert_ok(file_map_open(path, 0, &map, &err));
    assert_int_equal(map.size, 8);
    file_map_close(&map);
}

static void what_is_not_finished_leaves_nothing(void **state)
{
    (void)state;
    const lanert_sink_options options = {0};
    const lanert_result result = {0};
    uint8_t *bgr = scene_pixels(64, 48, false);
    const lanert_frame frame = scene_frame(bgr, 64, 48);
    void *sink;
    assert_ok(sink_video.open(temp_path(folder, "x.mp4"), &options, &sink, &err));
    for (int i = 0; i < 3; i++)
        assert_ok(sink_video.write(sink, &frame, &result, &err));
    sink_video.close(sink);
    assert_true(nothing_is_there());

    assert_ok(sink_video.open(temp_path(folder, "x.mp4"), &options, &sink, &err));
    assert_fails(sink_video.finish(sink, &err), LANERT_EFORMAT, "no frame");
    sink_video.close(sink);
    assert_true(nothing_is_there());
    free(bgr);
}

/* Noise, which no encoder makes small, until it fails or is finished. */
static int write_noise(void *sink)
{
    enum { side = 256 };
    static uint8_t bgr[side * side * 3];
    const lanert_frame frame = scene_frame(bgr, side, side);
    const lanert_result result = {0};
    unsigned seed = 1;
    int rc = 0;
    for (int i = 0; i < 40 && !rc; i++) {
        for (size_t k = 0; k < sizeof bgr; k++)
            bgr[k] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
        rc = sink_video.write(sink, &frame, &result, &err);
    }
    return rc ? rc : sink_video.finish(sink, &err);
}

/* A limit on a file's size stands for a full disk: writes then fail in the same way. */
static void a_full_disk_is_an_error_that_leaves_nothing(void **state)
{
    (void)state;
    static const rlim_t limits[] = {1000, 100000, 1000000};
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const rlim_t was = limit.rlim_cur;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const lanert_sink_options options = {0};
        void *sink;
        assert_ok(sink_video.open(temp_path(folder, "full.mp4"), &options, &sink, &err));
        limit.rlim_cur = limits[i];
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        int rc = write_noise(sink);
        limit.rlim_cur = was;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_fails(rc, LANERT_EIO, "full.mp4");
        assert_non_null(strstr(err.text, "File too large"));
        sink_video.close(sink);
        assert_true(nothing_is_there());
    }
}

static void a_folder_that_cannot_be_written_is_said_at_once(void **state)
{
    (void)state;
    const lanert_sink_options options = {0};
    void *sink;
    put_text("plain", "x");
    assert_fails(sink_video.open(temp_path(folder, "plain/x.mp4"), &options, &sink, &err), LANERT_EIO, "plain");
}

static void mpeg4_stands_in_where_h264_is_missing(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "fallback.mp4");
    video_writer_options options = {.file = path,
                                    .name = path,
                                    .container = "mp4",
                                    .width = 320,
                                    .height = 240,
                                    .rate = 30000 / 1001.0,
                                    .encoder = "mpeg4"};
    uint8_t *bgr = scene_pixels(320, 240, false);
    const lanert_frame frame = scene_frame(bgr, 320, 240);
    canvas c = {0};
    video_writer *w;
    assert_ok(canvas_load(&c, &frame, &err));
    assert_ok(video_writer_open(&options, &w, &err));
    assert_string_equal(video_writer_encoder(w), "mpeg4");
    for (int i = 0; i < 5; i++)
        assert_ok(video_writer_add(w, &c, i * 1001 / 30000.0, &err));
    assert_ok(video_writer_finish(w, &err));
    video_writer_close(&w);
    decoded d = decode_file(path);
    assert_int_equal(d.codec, AV_CODEC_ID_MPEG4);
    assert_int_equal(d.count, 5);
    assert_scene(&d, 4, 320, 240);
    decoded_free(&d);

    options.encoder = "none of these";
    assert_fails(video_writer_open(&options, &w, &err), LANERT_EUNSUPPORTED, "libx264");
    assert_null(w);
    canvas_free(&c);
    free(bgr);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_video_holds_every_frame_at_its_time_in_its_colours),
        TEST(large_video_is_tagged_and_converted_as_bt709),
        TEST(odd_sides_are_padded_and_never_scaled),
        TEST(a_frame_of_another_size_is_fitted_in),
        TEST(nv12_comes_out_in_its_own_colours),
        TEST(times_that_do_not_rise_are_mended),
        TEST(the_index_is_at_the_front),
        TEST(other_containers_are_refused),
        TEST(a_file_that_is_there_stays_unless_forced),
        TEST(what_is_not_finished_leaves_nothing),
        TEST(a_full_disk_is_an_error_that_leaves_nothing),
        TEST(a_folder_that_cannot_be_written_is_said_at_once),
        TEST(mpeg4_stands_in_where_h264_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
