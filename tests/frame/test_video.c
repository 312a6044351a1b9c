/* Videos: every frame once and in order, times, turns, damage, pipes and streams. */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "frame/source.h"
#include "support/image_writer.h"
#include "support/testing.h"
#include "support/video_writer.h"

static lanert_error err;

/* Allocations of our own code come through these (the linker's --wrap); FFmpeg's own do not. */
static long allocations;
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    allocations++;
    return __real_aligned_alloc(alignment, size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

static const char *make(const char *name, video_form form)
{
    const char *path = temp_path(folder, name);
    form.width = form.width ? form.width : 64;
    form.height = form.height ? form.height : 48;
    form.rate = form.rate ? form.rate : 25;
    video_write(path, &form);
    return path;
}

/* The luma (BT.601, limited) that a grey pixel came from. */
static int luma_at(const lanert_frame *frame, int x, int y)
{
    return 16 + (frame->data[0][(ptrdiff_t)y * frame->stride[0] + x * 3 + 1] * 219 + 127) / 255;
}

static void check_frame(const lanert_frame *frame, int i)
{
    int left = luma_at(frame, frame->width / 4, frame->height / 2);
    assert_int_equal(frame->format, LANERT_BGR);
    assert_int_equal(frame->index, i);
    assert_in_range(left, video_luma(i) - 2, video_luma(i) + 2);
    assert_in_range(luma_at(frame, frame->width * 3 / 4, 1), left + 27, left + 33);
}

static int open_fails(const char *spec)
{
    lanert_source *source = NULL;
    int rc = lanert_source_open(spec, &source, &err);
    assert_null(source);
    return rc;
}

static int count_frames(lanert_source *source, lanert_frame *last)
{
    int rc, count = 0;
    double before = -1;
    for (; (rc = lanert_source_read(source, last, &err)) == 0; count++) {
        assert_true(last->time_s > before);
        before = last->time_s;
    }
    if (rc != LANERT_END)
        fail_msg("frame %d: %s", count, err.text);
    assert_int_equal(lanert_source_read(source, last, &err), LANERT_END);
    return count;
}

static void test_containers(void **state)
{
    (void)state;
    static const char *const names[] = {"a.mp4", "a.avi", "a.mkv", "a.mov", "a.ts", "we:ird%02d name"};
    make("a.mp4", (video_form){.frames = 23});
    assert_int_equal(rename(temp_path(folder, "a.mp4"), temp_path(folder, names[5])), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        lanert_source *source;
        lanert_frame frame;
        const char *path = i == 5 ? temp_path(folder, names[i]) : make(names[i], (video_form){.frames = 23});
        assert_ok(lanert_source_open(path, &source, &err));
        const lanert_source_info *info = lanert_source_describe(source);
        assert_int_equal(info->width, 64);
        assert_int_equal(info->height, 48);
        assert_true(info->rate > 24.9 && info->rate < 25.1);
        assert_in_range(info->frames, 22, 24);
        assert_false(info->live);
        assert_false(info->pictures);
        assert_string_equal(info->name, path);
        for (int k = 0; k < 23; k++) {
            assert_ok(lanert_source_read(source, &frame, &err));
            check_frame(&frame, k);
            assert_true(frame.time_s > k / 25.0 - 0.002 && frame.time_s < k / 25.0 + 0.002);
            assert_string_equal(frame.name, names[i]);
        }
        assert_int_equal(count_frames(source, &frame), 0);
        lanert_source_close(&source);
    }
}

static void test_uneven_times(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    assert_ok(lanert_source_open(make("uneven.mkv", (video_form){.frames = 8, .uneven = true}), &source, &err));
    for (int i = 0; i < 8; i++) {
        assert_ok(lanert_source_read(source, &frame, &err));
        assert_true(frame.time_s > i * i / 25.0 - 0.002 && frame.time_s < i * i / 25.0 + 0.002);
    }
    lanert_source_close(&source);
}

static void test_turned(void **state)
{
    (void)state;
    for (int turns = 1; turns <= 3; turns++) {
        lanert_source *source;
        lanert_frame frame;
        assert_ok(
            lanert_source_open(make("turned.mp4", (video_form){.frames = 3, .quarter_turns = turns}), &source, &err));
        bool upright = turns == 2;
        assert_int_equal(lanert_source_describe(source)->width, upright ? 64 : 48);
        assert_ok(lanert_source_read(source, &frame, &err));
        assert_int_equal(frame.width, upright ? 64 : 48);
        assert_int_equal(frame.height, upright ? 48 : 64);
        /* The darker left half is now above, on the right, below. */
        static const int dark[4][2] = {{0}, {24, 5}, {58, 24}, {24, 58}},
                         bright[4][2] = {{0}, {24, 58}, {5, 24}, {24, 5}};
        assert_in_range(luma_at(&frame, dark[turns][0], dark[turns][1]), 38, 42);
        assert_in_range(luma_at(&frame, bright[turns][0], bright[turns][1]), 68, 72);
        lanert_source_close(&source);
    }
}

/* The red of Y 40, V 170 is 28 + 42 × 1.596 by BT.601 and 28 + 42 × 1.793 by BT.709. */
static void test_matrix(void **state)
{
    (void)state;
    static const struct {
        int matrix, red;
    } cases[] = {{0, 95}, {6, 95}, {1, 103}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        lanert_source *source;
        lanert_frame frame;
        const char *path = make("matrix.mkv", (video_form){.frames = 2, .matrix = cases[i].matrix, .red = true});
        assert_ok(lanert_source_open(path, &source, &err));
        assert_ok(lanert_source_read(source, &frame, &err));
        const uint8_t *bgr = frame.data[0] + 20 * frame.stride[0] + 16 * 3;
        assert_in_range(bgr[2], cases[i].red - 3, cases[i].red + 3);
        assert_in_range(bgr[0], 25, 31);
        lanert_source_close(&source);
    }
}

static void append(const char *path, const char *from)
{
    file_map map;
    FILE *f = fopen(path, "ab");
    assert_non_null(f);
    assert_ok(file_map_open(from, 0, &map, &err));
    assert_int_equal(fwrite(map.data, 1, map.size, f), map.size);
    file_map_close(&map);
    fclose(f);
}

/* Two recordings in one stream: another size, and a clock that starts anew. */
static void test_size_changes(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    int rc, small = 0, large = 0;
    double before = -1;
    const char *path = make("a.mpg", (video_form){.frames = 20, .codec = "mpeg2video"});
    append(path, make("b.mpg", (video_form){.frames = 20, .width = 96, .height = 64, .codec = "mpeg2video"}));
    assert_ok(lanert_source_open(path, &source, &err));
    while ((rc = lanert_source_read(source, &frame, &err)) == 0) {
        assert_true(frame.time_s > before);
        before = frame.time_s;
        small += frame.width == 64 && frame.height == 48;
        large += frame.width == 96 && frame.height == 64;
    }
    assert_int_equal(rc, LANERT_END);
    assert_in_range(small, 19, 20); /* the decoder may give up the frame that it holds when the size changes */
    assert_in_range(large, 19, 20);
    lanert_source_close(&source);
}

static void test_reuse(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    const char *path = make("reuse.mp4", (video_form){.frames = 30, .quarter_turns = 1});
    assert_ok(lanert_source_open(path, &source, &err));
    assert_ok(lanert_source_read(source, &frame, &err));
    const uint8_t *pixels = frame.data[0];
    allocations = 0;
    for (int i = 1; i < 30; i++) {
        assert_ok(lanert_source_read(source, &frame, &err));
        assert_ptr_equal(frame.data[0], pixels);
    }
    assert_int_equal(allocations, 0);
    lanert_source_close(&source);
}

/* Every length of a file that can be read in passing: what is there comes, and then it ends. */
static void test_truncated(void **state)
{
    (void)state;
    const char *whole = make("whole.mkv", (video_form){.frames = 20}), *cut = temp_path(folder, "cut.mkv");
    struct stat st;
    assert_int_equal(stat(whole, &st), 0);
    int most = 0, opened = 0;
    for (int eighth = 0; eighth < 8; eighth++) {
        lanert_source *source;
        lanert_frame frame;
        unlink(cut);
        append(cut, whole);
        assert_int_equal(truncate(cut, st.st_size * eighth / 8), 0);
        if (lanert_source_open(cut, &source, &err)) {
            assert_non_null(strstr(err.text, "cut.mkv: "));
            continue;
        }
        int count = count_frames(source, &frame);
        assert_true(count >= most);
        most = count;
        opened++;
        lanert_source_close(&source);
    }
    assert_true(opened >= 4);
    assert_in_range(most, 12, 20);
    const char *mp4 = make("cut.mp4", (video_form){.frames = 20});
    assert_int_equal(truncate(mp4, 1000), 0);
    assert_fails(open_fails(mp4), LANERT_EFORMAT, "cut.mp4: begins as an MP4 video, but has no usable index (moov)");
}

/* Bits turned in the middle: packets are lost, the source goes on to the end. */
static void test_damaged(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    const char *path = make("damaged.avi", (video_form){.frames = 40});
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    uint32_t random = 7;
    int opened = 0;
    for (int round = 0; round < 40; round++) {
        FILE *f = fopen(path, "rb+");
        for (int k = 0; k < 5; k++) {
            random = random * 1664525 + 1013904223;
            long at = (long)((random >> 8) % (uint32_t)st.st_size);
            fseek(f, at, SEEK_SET);
            fputc((int)(random >> 24), f);
        }
        fclose(f);
        if (lanert_source_open(path, &source, &err)) /* its head is broken by now */
            break;
        opened++;
        int rc;
        while ((rc = lanert_source_read(source, &frame, &err)) == 0)
            continue;
        assert_true(rc == LANERT_END || rc == LANERT_EFORMAT || rc == LANERT_ELIMIT);
        lanert_source_close(&source);
    }
    assert_true(opened > 0);
}

/* Of each frame a letter: '.' sound, 'x' damaged. */
static lanert_damage read_through(const char *path, char *letters)
{
    lanert_source *source;
    lanert_frame frame;
    int rc, count = 0;
    assert_ok(lanert_source_open(path, &source, &err));
    for (; (rc = lanert_source_read(source, &frame, &err)) == 0; count++)
        letters[count] = frame.damaged ? 'x' : '.';
    letters[count] = '\0';
    assert_int_equal(rc, LANERT_END);
    lanert_damage d = lanert_source_damage(source);
    lanert_source_close(&source);
    return d;
}

static void overwrite(const char *path, double share, size_t size)
{
    struct stat st;
    FILE *f = fopen(path, "rb+");
    assert_non_null(f);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(fseek(f, (long)(share * (double)st.st_size), SEEK_SET), 0);
    for (size_t i = 0; i < size; i++)
        fputc(0xff, f);
    fclose(f);
}

/* A few bytes in the middle: the frame that they were in, and those up to the next key frame, one in five. */
static void test_damage_is_told(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"mpeg4", "a.mp4"}, {"mpeg4", "a.avi"}, {"libx264", "a.mp4"}, {"libx264", "a.mkv"}, {"libx264", "a.ts"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char letters[64];
        const char *path = make(
            cases[i][1], (video_form){.width = 320, .height = 240, .frames = 30, .noisy = true, .codec = cases[i][0]});
        lanert_damage d = read_through(path, letters);
        assert_string_equal(letters, "..............................");
        assert_true(!d.frames && !d.packets && d.first_s == 0 && d.missing_s == 0);
        overwrite(path, 0.5, 8);
        d = read_through(path, letters);
        size_t first = strcspn(letters, "x"), length = strspn(letters + first, "x");
        assert_in_range(strlen(letters), 28, 30);
        assert_in_range(first, 12, 18);
        assert_in_range(length, 1, 5);
        assert_null(strchr(letters + first + length, 'x'));
        assert_int_equal(d.frames, length);
        assert_true(d.first_s > (double)first / 25 - 0.05 && d.first_s < (double)first / 25 + 0.05);
        assert_true(d.missing_s == 0);
    }
}

/* Frames whose beginnings are gone are refused, and missing. */
static void test_losses_are_told(void **state)
{
    (void)state;
    char letters[64];
    const char *path =
        make("hole.mp4", (video_form){.width = 320, .height = 240, .frames = 30, .noisy = true, .codec = "libx264"});
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    overwrite(path, 0.5, (size_t)st.st_size / 5);
    lanert_damage d = read_through(path, letters);
    assert_in_range(strlen(letters), 20, 28);
    assert_true(d.packets > 0 && d.packets + (int64_t)strlen(letters) <= 31);
    assert_true(d.first_s > 0.4 && d.first_s < 0.7);
}

static void test_ends_early(void **state)
{
    (void)state;
    static const char *const names[] = {"a.mkv", "a.flv"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char letters[128];
        struct stat st;
        const char *path = make(names[i], (video_form){.frames = 75, .codec = i == 1 ? "flv" : NULL});
        assert_true(read_through(path, letters).missing_s == 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(truncate(path, st.st_size / 2), 0);
        lanert_damage d = read_through(path, letters);
        double shown_s = (double)strlen(letters) / 25;
        assert_true(shown_s > 0.5 && shown_s < 2);
        assert_true(d.missing_s > 3 - shown_s - 0.1 && d.missing_s < 3 - shown_s + 0.1);
    }
}

static void test_lost_packets(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    const char *path = make("lost.ts", (video_form){.frames = 60});
    FILE *f = fopen(path, "rb+");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(fseek(f, st.st_size / 2, SEEK_SET), 0);
    for (int i = 0; i < 188 * 6; i++)
        fputc(0xaa, f);
    fclose(f);
    assert_ok(lanert_source_open(path, &source, &err));
    assert_in_range(count_frames(source, &frame), 40, 60);
    assert_true(frame.time_s > 2.3); /* the last one is the last one's */
    lanert_source_close(&source);
}

static void test_refusals(void **state)
{
    (void)state;
    assert_fails(open_fails(make("sound.wav", (video_form){.rate = 8000, .sound_only = true})), LANERT_EFORMAT,
                 "sound.wav: holds no video, only sound");
    const char *text = temp_path(folder, "words.mp4");
    assert_ok(file_write(text, "words, and no video at all\n", 27, true, &err));
    assert_fails(open_fails(text), LANERT_EFORMAT, "words.mp4: is not a video");
    put_text("words.jpg", "words, and no picture either\n");
    assert_fails(open_fails(temp_path(folder, "words.jpg")), LANERT_EFORMAT, "words.jpg: is not a video, nor a JPEG");
    put_text("1.tga", "no pattern");
    put_text("%d.tga", "is followed");
    assert_fails(open_fails(temp_path(folder, "%d.tga")), LANERT_EFORMAT, "%d.tga: is not a video, nor a JPEG");
    assert_fails(open_fails("rtsp://user:secret@127.0.0.1:1/live?x=@"), LANERT_EIO,
                 "rtsp://127.0.0.1:1/live?x=@: cannot be opened: ");
    assert_null(strstr(err.text, "secret"));
    assert_fails(open_fails("rtsp://host.invalid/live"), LANERT_EIO,
                 "rtsp://host.invalid/live: cannot be opened: there is no such host");
    assert_fails(open_fails("gopher://user:secret@host/x"), LANERT_EUNSUPPORTED,
                 "gopher://host/x: gopher:// is not read");
}

/* A packet stream that begins as MPEG-4 video does, and goes on as nothing does. */
/* Matroska's headers, without a cluster of frames. */
static void test_ends_before_it_begins(void **state)
{
    (void)state;
    file_map map;
    assert_ok(file_map_open(make("whole.mkv", (video_form){.frames = 3}), 0, &map, &err));
    const uint8_t *cluster = memmem(map.data, map.size, "\x1f\x43\xb6\x75", 4);
    assert_non_null(cluster);
    put_file("begun.mkv", map.data, (size_t)(cluster - map.data));
    file_map_close(&map);
    assert_fails(open_fails(temp_path(folder, "begun.mkv")), LANERT_EFORMAT,
                 "begun.mkv: cannot be opened: it ends before");
}

static void test_nothing_decodes(void **state)
{
    (void)state;
    file_map map;
    const char *path = make("noise.avi", (video_form){.frames = 12});
    assert_ok(file_map_open(path, 0, &map, &err));
    uint8_t *bytes = malloc(map.size);
    memcpy(bytes, map.data, map.size);
    size_t size = map.size;
    file_map_close(&map);
    uint8_t *chunk = memmem(bytes, size, "movi", 4);
    assert_non_null(chunk);
    for (uint8_t *at = chunk + 4; at + 8 < bytes + size && memcmp(at, "00dc", 4) == 0;) {
        size_t length = (size_t)(at[4] | at[5] << 8 | at[6] << 16);
        memset(at + 8, 0x55, length);
        at += 8 + length + (length & 1);
    }
    assert_ok(file_write(path, bytes, size, true, &err));
    free(bytes);
    lanert_source *source;
    lanert_frame frame;
    assert_ok(lanert_source_open(path, &source, &err));
    assert_fails(lanert_source_read(source, &frame, &err), LANERT_EFORMAT, "noise.avi: not one frame could be decoded");
    assert_int_equal(lanert_source_read(source, &frame, &err), LANERT_END);
    lanert_source_close(&source);
}

/* A raw stream of JPEG pictures begins as a picture does: its name says that it is more. */
static void test_mjpeg(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    uint8_t grey[32 * 32];
    memset(grey, 90, sizeof grey);
    const char *one = temp_path(folder, "one.jpg"), *path = temp_path(folder, "three.mjpeg");
    image_write_jpeg(one, grey, &(jpeg_form){.width = 32, .height = 32, .components = 1});
    for (int i = 0; i < 3; i++)
        append(path, one);
    assert_ok(lanert_source_open(path, &source, &err));
    assert_int_equal(count_frames(source, &frame), 3);
    assert_int_equal(frame.data[0][0], 90); /* full range: JPEG's */
    lanert_source_close(&source);
}

/* ---- pipes and streams ----------------------------------------------------------------------- */

typedef struct feeder {
    const char *path;
    size_t stated; /* http: the length in the answer's head, where not 0 */
    size_t bytes;  /* of the file's beginning; 0: all of it */
    bool stall;    /* stays open and silent then */
    int fd;        /* where to write to; of a listening socket: each connection */
    bool http;
    atomic_bool over;
    pthread_t thread;
} feeder;

static void write_all(int fd, const uint8_t *from, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, from, size, MSG_NOSIGNAL);
        if (n < 0)
            n = write(fd, from, size);
        if (n <= 0)
            return;
        from += n;
        size -= (size_t)n;
    }
}

static void *feed(void *context)
{
    feeder *f = context;
    int fd = f->http ? accept(f->fd, NULL, NULL) : f->fd;
    file_map map;
    if (f->http) {
        char request[2048], answer[256], length[64] = "";
        if (f->stated)
            snprintf(length, sizeof length, "Content-Length: %zu\r\n", f->stated);
        snprintf(answer, sizeof answer, "HTTP/1.0 200 OK\r\nConnection: close\r\n%s\r\n", length);
        (void)!read(fd, request, sizeof request);
        write_all(fd, (const uint8_t *)answer, strlen(answer));
    }
    if (!file_map_open(f->path, 0, &map, NULL)) {
        write_all(fd, map.data, f->bytes ? f->bytes : map.size);
        file_map_close(&map);
    }
    while (f->stall && !atomic_load(&f->over))
        poll(NULL, 0, 5);
    close(fd);
    return NULL;
}

static void feeder_start(feeder *f)
{
    assert_int_equal(pthread_create(&f->thread, NULL, feed, f), 0);
}

static void feeder_stop(feeder *f)
{
    atomic_store(&f->over, true);
    pthread_join(f->thread, NULL);
}

/* Standard input is `fd` until it is given back. */
static int borrow_stdin(int fd)
{
    int kept = dup(STDIN_FILENO);
    dup2(fd, STDIN_FILENO);
    close(fd);
    return kept;
}

static void return_stdin(int kept)
{
    if (kept < 0) {
        close(STDIN_FILENO);
        return;
    }
    dup2(kept, STDIN_FILENO);
    close(kept);
}

static void test_stdin_pipe(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    int ends[2];
    feeder f = {.path = make("pipe.mkv", (video_form){.frames = 31})};
    assert_int_equal(pipe(ends), 0);
    f.fd = ends[1];
    feeder_start(&f);
    int kept = borrow_stdin(ends[0]);
    int rc = lanert_source_open("-", &source, &err);
    return_stdin(kept);
    assert_ok(rc);
    assert_false(lanert_source_describe(source)->live);
    assert_string_equal(lanert_source_describe(source)->name, "standard input");
    assert_int_equal(count_frames(source, &frame), 31);
    lanert_source_close(&source);
    feeder_stop(&f);
}

/* An MP4's index is behind its frames: it takes a seek, which a file has. */
static void test_stdin_file(void **state)
{
    (void)state;
    lanert_source *source;
    lanert_frame frame;
    int kept = borrow_stdin(open(make("in.mp4", (video_form){.frames = 9}), O_RDONLY));
    int rc = lanert_source_open("-", &source, &err);
    return_stdin(kept);
    assert_ok(rc);
    assert_int_equal(count_frames(source, &frame), 9);
    lanert_source_close(&source);
    kept = borrow_stdin(open("/dev/null", O_RDONLY));
    rc = open_fails("-");
    return_stdin(kept);
    assert_int_equal(rc, LANERT_EFORMAT);
    assert_non_null(strstr(err.text, "standard input: "));
}

static void *interrupt_soon(void *source)
{
    poll(NULL, 0, 100);
    source_interrupt(source);
    return NULL;
}

/* Reads up to where nothing more comes, and is ended from another thread. */
static void check_interrupt(lanert_source *source)
{
    pthread_t thread;
    lanert_frame frame;
    int rc, count = 0;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, source), 0);
    int64_t start = clock_ns();
    for (; (rc = lanert_source_read(source, &frame, &err)) == 0; count++)
        continue;
    double waited_ms = NS_TO_MS(clock_ns() - start);
    pthread_join(thread, NULL);
    assert_int_equal(rc, LANERT_END);
    assert_true(count < 60);
    assert_true(waited_ms > 90);
    assert_true(waited_ms < 1500);
    assert_int_equal(lanert_source_read(source, &frame, &err), LANERT_END);
}

static void test_interrupt(void **state)
{
    (void)state;
    lanert_source *source;
    const char *fifo = temp_path(folder, "fifo");
    struct stat st;
    feeder f = {.path = make("stall.mkv", (video_form){.frames = 60}), .stall = true};
    assert_int_equal(stat(f.path, &st), 0);
    f.bytes = (size_t)st.st_size * 3 / 4;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    f.fd = open(fifo, O_RDWR);
    feeder_start(&f);
    assert_ok(lanert_source_open(fifo, &source, &err));
    check_interrupt(source);
    lanert_source_close(&source);
    feeder_stop(&f);
}

static int listen_here(char *url, size_t size)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    snprintf(url, size, "http://me:word@127.0.0.1:%d/live.ts", ntohs(at.sin_port));
    return fd;
}

/* A file behind http:// has an end, and nothing of it may be lost; what states no length is live. */
static void test_http(void **state)
{
    (void)state;
    enum { STREAM, FILE_OF_A_LENGTH, STALLED };
    const char *path = make("live.ts", (video_form){.frames = 40});
    struct stat st;
    char url[128];
    assert_int_equal(stat(path, &st), 0);
    for (int kind = STREAM; kind <= STALLED; kind++) {
        lanert_source *source;
        lanert_frame frame;
        feeder f = {.path = path, .stall = kind == STALLED, .http = true};
        f.stated = kind == FILE_OF_A_LENGTH ? (size_t)st.st_size : 0;
        f.fd = listen_here(url, sizeof url);
        feeder_start(&f);
        assert_ok(lanert_source_open(url, &source, &err));
        const lanert_source_info *info = lanert_source_describe(source);
        assert_int_equal(info->live, kind != FILE_OF_A_LENGTH);
        assert_true(!info->live || info->frames == -1);
        assert_null(strstr(info->name, "word"));
        if (kind == STALLED)
            check_interrupt(source);
        else
            assert_int_equal(count_frames(source, &frame), 40);
        lanert_source_close(&source);
        feeder_stop(&f);
        close(f.fd);
    }
}

/* A page about a camera is not its stream. */
static void test_http_page(void **state)
{
    (void)state;
    static const char page[] = "<html><body>cameras</body></html>";
    char url[128];
    put_text("page.html", page);
    feeder f = {.path = temp_path(folder, "page.html"), .http = true, .stated = sizeof page - 1};
    f.fd = listen_here(url, sizeof url);
    feeder_start(&f);
    assert_fails(open_fails(url), LANERT_EFORMAT, "/live.ts: what the server sends is no video");
    assert_null(strstr(err.text, "word"));
    feeder_stop(&f);
    close(f.fd);
}

/* ---- real ones ------------------------------------------------------------------------------- */

static void test_road(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int width, height, frames;
        double rate;
    } videos[] = {
        {"road/videos/solidWhiteRight_960x540.mp4", 960, 540, 221, 25},
        {"road/videos/test_video_1280x720.mp4", 1280, 720, 38, 25},
        {"road/videos/project_video_cut_mpeg4.mp4", 1280, 720, 76, 25},
        {"road/videos/test_small1_ends_on_pale_concrete.mp4", 1280, 720, 88, 25},
        {"road/videos/night_1920x1080_mpeg4.mp4", 1920, 1080, 157, 29.98},
    };
    for (size_t i = 0; i < ARRAY_LEN(videos); i++) {
        lanert_source *source;
        lanert_frame frame;
        SHARED_OR_SKIP(videos[i].name);
        assert_ok(lanert_source_open(SHARED(videos[i].name), &source, &err));
        const lanert_source_info *info = lanert_source_describe(source);
        assert_int_equal(info->width, videos[i].width);
        assert_int_equal(info->height, videos[i].height);
        assert_true(info->rate > videos[i].rate - 0.01 && info->rate < videos[i].rate + 0.01);
        assert_int_equal(count_frames(source, &frame), videos[i].frames);
        lanert_damage damage = lanert_source_damage(source);
        assert_true(!damage.frames && !damage.packets && damage.missing_s == 0);
        lanert_source_close(&source);
    }
}

static void test_broken(void **state)
{
    (void)state;
    static const struct {
        const char *name, *part;
    } videos[] = {
        {"road/broken/broken_1byte.mp4", "broken_1byte.mp4: is not a video"},
        {"road/broken/broken_44bytes.mp4", "no usable index (moov): it was cut off"},
        {"road/broken/broken_48bytes.mp4", "no usable index (moov): it was cut off"},
        {"road/broken/broken_no_moov_project_cut_result.mp4", "no usable index (moov): it was cut off"},
    };
    for (size_t i = 0; i < ARRAY_LEN(videos); i++) {
        SHARED_OR_SKIP(videos[i].name);
        assert_fails(open_fails(SHARED(videos[i].name)), LANERT_EFORMAT, videos[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_uneven_times),
        cmocka_unit_test(test_turned),
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_size_changes),
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_damage_is_told),
        cmocka_unit_test(test_losses_are_told),
        cmocka_unit_test(test_ends_early),
        cmocka_unit_test(test_lost_packets),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_nothing_decodes),
        cmocka_unit_test(test_ends_before_it_begins),
        cmocka_unit_test(test_mjpeg),
        cmocka_unit_test(test_stdin_pipe),
        cmocka_unit_test(test_stdin_file),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_http_page),
        cmocka_unit_test(test_road),
        cmocka_unit_test(test_broken),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
