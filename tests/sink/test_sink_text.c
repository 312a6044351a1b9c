/* test_sink_text.c - culane, llamas, tusimple and jsonl: what is written, where, and what is not lost. */
#include <dirent.h>
#include <jansson.h>
#include <lanert/lanert.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lane/lane_file.h"
#include "sink/result_folder.h"
#include "support/testing.h"

static lanert_error err;

static const lanert_source_info stills = {.pictures = true}, video = {.rate = 25};

static uint8_t pixels[1280 * 720 * 3];

static lanert_frame make_frame(const char *name, int64_t index)
{
    return (lanert_frame){.format = LANERT_BGR,
                          .width = 1280,
                          .height = 720,
                          .data = {pixels},
                          .stride = {1280 * 3},
                          .name = name,
                          .index = index,
                          .time_s = (double)index / 25};
}

static const lanert_lane two_lanes[] = {
    {.score = 0.98765f, .count = 3, .points = {{640.127, 400}, {600, 500.5}, {500.0 / 3, 719.996}}},
    {.score = 0.5f, .count = 2, .points = {{700, 420}, {1279.999, 720}}},
};

static const lanert_result two = {.count = 2,
                                  .lanes = two_lanes,
                                  .preprocess_ms = 0.4,
                                  .inference_ms = 9.12345,
                                  .decode_ms = 0.02,
                                  .latency_ms = 12.345678};

static lanert_sink *open_sink(const char *path, const char *format, const lanert_source_info *source, bool force)
{
    lanert_sink_options options = {.format = format, .source = source, .force = force};
    lanert_sink *sink;
    assert_ok(lanert_sink_open(path, &options, &sink, &err));
    return sink;
}

static void write_one(lanert_sink *sink, const char *name, int64_t index, const lanert_result *result)
{
    lanert_frame frame = make_frame(name, index);
    assert_ok(lanert_sink_write(sink, &frame, result, &err));
}

static void finish(lanert_sink *sink)
{
    assert_ok(lanert_sink_finish(sink, &err));
    lanert_sink_close(&sink);
}

/* The file's text, static memory. */
static const char *text_of(const char *path)
{
    static char text[1 << 16];
    file_map map;
    assert_ok(file_map_open(path, sizeof text - 1, &map, &err));
    if (map.size)
        memcpy(text, map.data, map.size);
    text[map.size] = '\0';
    file_map_close(&map);
    return text;
}

static int count_entries(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

/* ---- folders of lane files ------------------------------------------------------------------------ */

static void check_lane_file(const char *format, int (*text_fn)(const lane_curve *, int, buffer *, lanert_error *))
{
    const char *out = temp_path(folder, format);
    lanert_sink *sink = open_sink(out, format, &stills, false);
    write_one(sink, "driver_23/clip/00000.jpg", 0, &two);
    write_one(sink, "driver_23/00030.png", 1, &(lanert_result){0});
    write_one(sink, "plain", 2, &two);

    lane_curve curves[2];
    buffer expected = {0};
    for (int i = 0; i < 2; i++)
        lane_from_pixels(&two_lanes[i], 1280, 720, &curves[i]);
    assert_ok(text_fn(curves, 2, &expected, &err));
    assert_true(expected.size > 100);
    /* There before the sink is finished. */
    assert_string_equal(text_of(temp_path(out, "driver_23/clip/00000.lines.txt")), expected.data);
    assert_string_equal(text_of(temp_path(out, "driver_23/00030.lines.txt")), "");
    assert_string_equal(text_of(temp_path(out, "plain.lines.txt")), expected.data);
    finish(sink);
    assert_int_equal(count_entries(out), 2);
    buffer_free(&expected);
}

static void test_lane_files(void **state)
{
    (void)state;
    check_lane_file("culane", lane_file_culane);
    check_lane_file("llamas", lane_file_llamas);
}

static void test_lane_files_of_a_video(void **state)
{
    (void)state;
    lanert_sink *sink = open_sink(folder, "culane", &video, true);
    write_one(sink, "some/where/drive.day.mp4", 7, &two);
    write_one(sink, NULL, 123456, &two);
    finish(sink);
    assert_true(file_exists(temp_path(folder, "drive.day/00007.lines.txt")));
    assert_true(file_exists(temp_path(folder, "123456.lines.txt")));
}

static void check_path_in(const char *out, const char *name, const lanert_source_info *source, const char *expected)
{
    buffer b = {0};
    lanert_frame frame = make_frame(name, 42);
    assert_ok(result_folder_path(out, &frame, source, ".x", &b, &err));
    assert_string_equal(b.data, expected);
    buffer_free(&b);
}

static void check_path(const char *name, const lanert_source_info *source, const char *expected)
{
    check_path_in("OUT", name, source, expected);
    check_path_in("OUT//", name, source, expected);
}

static void test_names_stay_in_the_folder(void **state)
{
    (void)state;
    check_path("a.jpg", &stills, "OUT/a.x");
    check_path("a/b.c/d.e.jpg", NULL, "OUT/a/b.c/d.e.x");
    check_path("/etc/a.jpg", &stills, "OUT/etc/a.x");
    check_path("../../a.jpg", &stills, "OUT/a.x");
    check_path("a/../../../b.jpg", &stills, "OUT/b.x");
    check_path("a/../b/./c.jpg", &stills, "OUT/b/c.x");
    check_path("a//b///c", &stills, "OUT/a/b/c.x");
    check_path("..", &stills, "OUT/00042.x");
    check_path("...", &stills, "OUT/00042.x");
    check_path("...jpg", &stills, "OUT/00042.x");
    check_path("a/...jpg", &stills, "OUT/00042.x");
    check_path("a/b/...jpg", &stills, "OUT/a.x");
    check_path("....jpg", &stills, "OUT/....x");
    check_path("...", &video, "OUT/00042.x");
    check_path("...mp4", &video, "OUT/00042.x");
    check_path("..a/.b", &stills, "OUT/..a/.b.x");
    check_path("", &stills, "OUT/00042.x");
    check_path(NULL, NULL, "OUT/00042.x");
    check_path("/dev/video0", &video, "OUT/video0/00042.x");
    check_path("rtsp://host/../..", &video, "OUT/00042.x");
    check_path("-", &video, "OUT/-/00042.x");
    check_path_in("/", "a.jpg", &stills, "/a.x");
}

static void test_escape_on_disk(void **state)
{
    (void)state;
    const char *out = temp_path(folder, "out");
    lanert_sink *sink = open_sink(out, "culane", &stills, false);
    write_one(sink, "../escaped.jpg", 0, &two);
    finish(sink);
    assert_false(file_exists(temp_path(folder, "escaped.lines.txt")));
    assert_true(file_exists(temp_path(out, "escaped.lines.txt")));
}

static void test_nothing_is_overwritten(void **state)
{
    (void)state;
    const char *out = temp_path(folder, "out");
    lanert_sink_options options = {.format = "culane", .source = &stills};
    lanert_sink *sink = open_sink(out, "culane", &stills, false);
    write_one(sink, "a.jpg", 0, &two);
    finish(sink);
    assert_fails(lanert_sink_open(out, &options, &sink, &err), LANERT_EEXIST, "is not empty; --force");
    sink = open_sink(out, "culane", &stills, true);
    write_one(sink, "a.jpg", 0, &(lanert_result){0});
    finish(sink);
    assert_string_equal(text_of(temp_path(out, "a.lines.txt")), "");

    /* A file where the folder should be. */
    options.force = true;
    assert_fails(lanert_sink_open(temp_path(out, "a.lines.txt"), &options, &sink, &err), LANERT_EIO,
                 "is a file; a folder is needed there");
}

static void test_two_pictures_of_one_name(void **state)
{
    (void)state;
    lanert_sink *sink = open_sink(temp_path(folder, "out"), "culane", &stills, false);
    write_one(sink, "a.jpg", 0, &two);
    lanert_frame frame = make_frame("a.png", 1);
    assert_fails(lanert_sink_write(sink, &frame, &two, &err), LANERT_EEXIST,
                 "out/a.lines.txt: two pictures of this run have this name");
    lanert_sink_close(&sink);
}

/* ---- one file ------------------------------------------------------------------------------------- */

static void test_tusimple(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "a.json");
    lanert_sink *sink = open_sink(path, NULL, &stills, false);
    write_one(sink, "clips/0530/1/20.jpg", 0, &two);
    write_one(sink, NULL, 1, &(lanert_result){.latency_ms = 3});
    assert_false(file_exists(path));
    finish(sink);
    const char *text = text_of(path);
    static const char start[] = "{\"raw_file\": \"clips/0530/1/20.jpg\", \"lanes\": [[-2, ";
    assert_memory_equal(text, start, strlen(start));
    assert_non_null(strstr(text, "]], \"run_time\": 12.345678}\n{\"raw_file\": \"00001\", \"lanes\": [], "
                                 "\"run_time\": 3.0}\n"));

    path = temp_path(folder, "video.json");
    sink = open_sink(path, "tusimple", &video, false);
    write_one(sink, "drive.mp4", 9, &(lanert_result){0});
    finish(sink);
    assert_string_equal(text_of(path), "{\"raw_file\": \"drive.mp4/00009\", \"lanes\": [], \"run_time\": 0.0}\n");
}

static void test_jsonl_of_pictures(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "a.jsonl");
    lanert_sink *sink = open_sink(path, NULL, &stills, false);
    write_one(sink, "a/\xe4\".jpg", 7, &two);
    write_one(sink, "b.jpg", 8, &(lanert_result){.late = true});
    lanert_frame damaged = make_frame("c.jpg", 9);
    damaged.damaged = true;
    assert_ok(lanert_sink_write(sink, &damaged, &(lanert_result){0}, &err));
    assert_false(file_exists(path));
    finish(sink);
    assert_string_equal(
        text_of(path),
        "{\"frame\":7,\"file\":\"a/\\ufffd\\\".jpg\",\"time_s\":0.28,\"width\":1280,\"height\":720,\"lanes\":["
        "{\"score\":0.9876,\"points\":[[640.13,400.0],[600.0,500.5],[166.67,720.0]]},"
        "{\"score\":0.5,\"points\":[[700.0,420.0],[1280.0,720.0]]}],"
        "\"times_ms\":{\"preprocess\":0.4,\"inference\":9.123,\"decode\":0.02,\"latency\":12.346}}\n"
        "{\"frame\":8,\"file\":\"b.jpg\",\"time_s\":0.32,\"width\":1280,\"height\":720,\"lanes\":[],"
        "\"times_ms\":{\"preprocess\":0.0,\"inference\":0.0,\"decode\":0.0,\"latency\":0.0},\"late\":true}\n"
        "{\"frame\":9,\"file\":\"c.jpg\",\"time_s\":0.36,\"width\":1280,\"height\":720,\"lanes\":[],"
        "\"times_ms\":{\"preprocess\":0.0,\"inference\":0.0,\"decode\":0.0,\"latency\":0.0},\"damaged\":true}\n");
}

static void test_jsonl_of_a_drawn_video(void **state)
{
    (void)state;
    const char *path = temp_path(folder, "a.jsonl");
    lanert_sink *sink = open_sink(path, NULL, &video, false);
    lanert_frame frame = make_frame("synthetic:", 3);
    frame.truth = two_lanes;
    frame.truth_count = 2;
    lanert_result result = {.count = 1, .lanes = two_lanes, .latency_ms = NAN};
    assert_ok(lanert_sink_write(sink, &frame, &result, &err));
    frame.truth_count = 0;
    assert_ok(lanert_sink_write(sink, &frame, &result, &err));
    finish(sink);

    char *line = (char *)text_of(path), *second = strchr(line, '\n');
    json_t *root = json_loadb(line, (size_t)(second - line), 0, NULL);
    assert_non_null(root);
    assert_null(json_object_get(root, "file"));
    assert_true(json_real_value(json_object_get(root, "time_s")) == 0.12);
    assert_true(json_is_null(json_object_get(json_object_get(root, "times_ms"), "latency")));
    const json_t *truth = json_object_get(root, "truth");
    assert_int_equal(json_array_size(truth), 2);
    const json_t *last = json_array_get(json_array_get(truth, 0), 2);
    assert_true(json_real_value(json_array_get(last, 0)) == 166.67);
    json_decref(root);
    assert_non_null(strstr(second, "\"truth\":[]}\n"));
}

static void test_existing_file(void **state)
{
    (void)state;
    static const char *const names[] = {"a.jsonl", "a.json"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *path = temp_path(folder, names[i]);
        put_text(names[i], "work");
        lanert_sink *sink;
        assert_fails(lanert_sink_open(path, NULL, &sink, &err), LANERT_EEXIST, "is there already");
        /* Even with force it stays until another is whole. */
        sink = open_sink(path, NULL, &stills, true);
        write_one(sink, "x", 0, &two);
        lanert_sink_close(&sink);
        assert_string_equal(text_of(path), "work");
        sink = open_sink(path, NULL, &stills, true);
        write_one(sink, "x", 0, &two);
        finish(sink);
        assert_string_not_equal(text_of(path), "work");
    }
    assert_int_equal(count_entries(folder), 2);
}

/* ---- a full disk, and pipes ------------------------------------------------------------------------- */

static void check_full_disk(const char *name)
{
    const char *path = temp_path(folder, name);
    lanert_sink *sink = open_sink(path, NULL, &stills, false);
    lanert_frame frame = make_frame("x", 0);
    struct rlimit kept, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
    small = kept;
    small.rlim_cur = 20000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = 0;
    for (int i = 0; i < 1000 && !rc; i++)
        rc = lanert_sink_write(sink, &frame, &two, &err);
    int then = lanert_sink_finish(sink, NULL);
    setrlimit(RLIMIT_FSIZE, &kept);
    assert_int_equal(rc, LANERT_EIO);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "cannot be written: File too large"));
    assert_int_equal(then, LANERT_EINVAL);
    lanert_sink_close(&sink);
    assert_int_equal(count_entries(folder), 0);
}

static void test_full_disk(void **state)
{
    (void)state;
    check_full_disk("a.jsonl");
    check_full_disk("a.json");
}

/* In a child, as its standard output is replaced. Its exit status is its number of complaints. */
static int in_child(int (*body)(const int pipe_ends[2]))
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int ends[2];
        signal(SIGPIPE, SIG_IGN);
        if (pipe(ends) || dup2(ends[1], STDOUT_FILENO) < 0)
            _exit(100);
        close(ends[1]);
        _exit(body(ends));
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Each line is in the pipe when its write returns. */
static int write_and_read(const int ends[2])
{
    static const char *const formats[] = {"jsonl", "tusimple"};
    int complaints = 0;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        lanert_sink_options options = {.format = formats[i]};
        lanert_frame frame = make_frame("x", 5);
        lanert_sink *sink;
        if (lanert_sink_open("-", &options, &sink, NULL))
            return 101;
        for (int k = 0; k < 3; k++) {
            char line[8192];
            complaints += lanert_sink_write(sink, &frame, &two, NULL) != 0;
            ssize_t n = read(ends[0], line, sizeof line);
            complaints += n < 100 || line[0] != '{' || memchr(line, '\n', (size_t)n) != line + n - 1;
        }
        complaints += lanert_sink_finish(sink, NULL) != 0;
        lanert_sink_close(&sink);
    }
    return complaints + (write(STDOUT_FILENO, "", 0) != 0); /* still open: it is not the sink's */
}

static int write_to_nobody(const int ends[2])
{
    lanert_frame frame = make_frame("x", 5);
    lanert_sink *sink;
    lanert_error why;
    close(ends[0]);
    if (lanert_sink_open("-", NULL, &sink, NULL))
        return 101;
    int rc = lanert_sink_write(sink, &frame, &two, &why);
    lanert_sink_close(&sink);
    return rc != LANERT_EIO ? 1 : strcmp(why.text, "standard output: cannot be written: Broken pipe") ? 2 : 0;
}

static void test_pipes(void **state)
{
    (void)state;
    assert_int_equal(in_child(write_and_read), 0);
    assert_int_equal(in_child(write_to_nobody), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lane_files, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_lane_files_of_a_video, make_folder, remove_folder),
        cmocka_unit_test(test_names_stay_in_the_folder),
        cmocka_unit_test_setup_teardown(test_escape_on_disk, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_nothing_is_overwritten, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_two_pictures_of_one_name, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_tusimple, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_jsonl_of_pictures, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_jsonl_of_a_drawn_video, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_existing_file, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_full_disk, make_folder, remove_folder),
        cmocka_unit_test(test_pipes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
