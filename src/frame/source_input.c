#include "frame/source_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

/* How long a wait on a pipe goes before it looks whether it was interrupted. */
#define POLL_MS 100

/* "rtsp://user:password@host/path" is shown without what stands before the '@'. */
static void set_names(input *in, const char *spec)
{
    const char *scheme_end = strstr(spec, "://"), *rest;
    if (strcmp(spec, "-") == 0)
        spec = "standard input";
    if (!scheme_end) {
        snprintf(in->title, sizeof in->title, "%s", spec);
        snprintf(in->name, sizeof in->name, "%s", path_base(spec));
        return;
    }
    rest = scheme_end + 3;
    const char *at = memrchr(rest, '@', strcspn(rest, "/?#"));
    snprintf(in->title, sizeof in->title, "%.*s%s", (int)(rest - spec), spec, at ? at + 1 : rest);
    memcpy(in->name, in->title, sizeof in->name);
}

static int check_scheme(const input *in, const char *spec, size_t length, lanert_error *err)
{
    static const char *const known[] = {"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "rtp", "srt", "tcp"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strlen(known[i]) == length && strncasecmp(spec, known[i], length) == 0)
            return 0;
    return error_set(err, LANERT_EUNSUPPORTED, "%s: %.*s:// is not read; rtsp, rtmp, http, udp, rtp, srt and tcp are",
                     in->title, (int)length, spec);
}

static int open_pipe(input *in, const char *spec, lanert_error *err)
{
    bool standard = strcmp(spec, "-") == 0;
    if (standard && isatty(STDIN_FILENO))
        return error_set(err, LANERT_EINVAL, "standard input is a terminal; \"-\" reads a video piped into it");
    in->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(spec, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in->fd < 0)
        return error_errno(err, LANERT_EIO, errno, "%s", in->title);
    in->seekable = lseek(in->fd, 0, SEEK_CUR) >= 0;
    return 0;
}

int input_open(input *in, const char *spec, lanert_error *err)
{
    const char *scheme_end = strstr(spec, "://");
    struct stat st;
    *in = (input){.fd = -1};
    set_names(in, spec);
    if (strcmp(spec, "-") == 0 || (stat(spec, &st) == 0 && S_ISFIFO(st.st_mode)))
        in->kind = INPUT_PIPE;
    else if (strncmp(spec, "/dev/video", 10) == 0)
        in->kind = INPUT_CAMERA;
    else if (scheme_end)
        in->kind = INPUT_NETWORK;
    switch (in->kind) {
    case INPUT_PIPE:
        return open_pipe(in, spec, err);
    case INPUT_NETWORK:
        return check_scheme(in, spec, (size_t)(scheme_end - spec), err);
    default:
        return 0;
    }
}

bool input_begins_as_mp4(const input *in, const char *spec)
{
    file_map map;
    struct stat st;
    if (in->kind != INPUT_FILE || stat(spec, &st) < 0 || !S_ISREG(st.st_mode) || file_map_open(spec, 0, &map, NULL))
        return false;
    bool begins = map.size >= 8 && memcmp(map.data + 4, "ftyp", 4) == 0;
    file_map_close(&map);
    return begins;
}

void input_close(input *in)
{
    if (in->fd >= 0)
        close(in->fd);
    in->fd = -1;
}

void input_wait(input *in)
{
    if (in->kind == INPUT_NETWORK || in->kind == INPUT_CAMERA)
        in->deadline_ns = clock_ns() + INPUT_TIMEOUT_S * INT64_C(1000000000);
}

bool input_is_over(const input *in)
{
    return atomic_load(&in->interrupted) || (in->deadline_ns && clock_ns() > in->deadline_ns);
}

int input_read(input *in, void *out, int size)
{
    struct pollfd ready = {.fd = in->fd, .events = POLLIN};
    while (!input_is_over(in)) {
        if (poll(&ready, 1, POLL_MS) <= 0)
            continue;
        ssize_t n = read(in->fd, out, (size_t)size);
        if (n >= 0)
            return (int)n;
        if (errno != EINTR && errno != EAGAIN)
            return -errno;
    }
    return -EINTR;
}

int64_t input_seek(input *in, int64_t offset, int whence)
{
    off_t at = lseek(in->fd, offset, whence);
    return at < 0 ? -errno : at;
}

int64_t input_size(input *in)
{
    struct stat st;
    return fstat(in->fd, &st) < 0 ? -errno : st.st_size;
}
