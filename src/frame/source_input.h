/* source_input.h - where a video's bytes come from, as its spec says; how long to wait for them; and pipes,
 * read so that the wait can be ended from another thread. */
#ifndef FRAME_SOURCE_INPUT_H
#define FRAME_SOURCE_INPUT_H

#include <stdatomic.h>

#include "base/memory.h"

/* A network stream or camera that sends nothing for this long is lost. */
#define INPUT_TIMEOUT_S 10

typedef enum input_kind {
    INPUT_FILE = 0,
    INPUT_PIPE, /* standard input or a named pipe */
    INPUT_CAMERA,
    INPUT_NETWORK,
} input_kind;

typedef struct input {
    input_kind kind;
    int fd;        /* of a pipe, else -1 */
    bool seekable; /* standard input may be a plain file */
    int64_t deadline_ns;
    atomic_bool interrupted; /* may be set from another thread */
    char title[1024];        /* of the source, for people: without a URL's user and password */
    char name[1024];         /* of its frames: a path's last part, else the title */
} input;

/* LANERT_EINVAL (standard input is a terminal), LANERT_EUNSUPPORTED (a scheme), LANERT_EIO. Close it in any case. */
int input_open(input *in, const char *spec, lanert_error *err);
void input_close(input *in);

/* Of a file: whether it begins as an MP4 does. That one cannot be read is mostly a recording that was cut off,
 * as its index is written last. */
bool input_begins_as_mp4(const input *in, const char *spec);

/* Starts the time that a network stream or camera has to send something. */
void input_wait(input *in);
/* Whether a wait is to end: it was interrupted, or that time is up. */
bool input_is_over(const input *in);

/* Of a pipe: bytes read, 0 at its end, or a negative errno; -EINTR where the wait was ended. */
int input_read(input *in, void *out, int size);
/* As lseek(2), or a negative errno. */
int64_t input_seek(input *in, int64_t offset, int whence);
int64_t input_size(input *in);

#endif
