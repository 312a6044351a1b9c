#include "frame/still.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frame/still_codec.h"

typedef struct signature {
    size_t offset, size;
    const char *bytes, *what;
    still_kind kind;
} signature;

static const signature signatures[] = {
    {0, 3, "\xff\xd8\xff", "JPEG", STILL_JPEG},
    {0, 8, "\x89PNG\r\n\x1a\n", "PNG", STILL_PNG},
    {0, 2, "BM", "BMP", STILL_FOREIGN},
    {8, 4, "WEBP", "WebP", STILL_FOREIGN},
    {0, 4, "II*\0", "TIFF", STILL_FOREIGN},
    {0, 4, "MM\0*", "TIFF", STILL_FOREIGN},
    {4, 8, "ftypheic", "HEIF", STILL_FOREIGN},
    {4, 8, "ftypheix", "HEIF", STILL_FOREIGN},
    {4, 8, "ftypmif1", "HEIF", STILL_FOREIGN},
    {4, 8, "ftypavif", "AVIF", STILL_FOREIGN},
    {0, 12, "\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000", STILL_FOREIGN},
    {0, 12, "\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL", STILL_FOREIGN},
    {0, 2, "\xff\x0a", "JPEG XL", STILL_FOREIGN},
    {0, 3, "P5\n", "PGM", STILL_FOREIGN},
    {0, 3, "P6\n", "PPM", STILL_FOREIGN},
};
#define LONGEST_SIGNATURE 12

static still_kind recognise(const uint8_t *bytes, size_t size, const char **what)
{
    for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
        const signature *s = &signatures[i];
        if (size >= s->offset + s->size && memcmp(bytes + s->offset, s->bytes, s->size) == 0) {
            *what = s->what;
            return s->kind;
        }
    }
    *what = NULL;
    return STILL_NONE;
}

/* A plain file's descriptor and size. O_NONBLOCK: a named pipe without a writer must not stop us. */
static int open_plain(const char *path, int *fd, size_t *size, lanert_error *err)
{
    struct stat st;
    int rc = 0;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return error_errno(err, errno == ENOENT || errno == ENOTDIR ? LANERT_ENOTFOUND : LANERT_EIO, errno, "%s", path);
    if (fstat(*fd, &st) < 0)
        rc = error_errno(err, LANERT_EIO, errno, "%s", path);
    else if (!S_ISREG(st.st_mode))
        rc = error_set(err, LANERT_EIO, "%s: is %s; expected a picture's file", path,
                       S_ISDIR(st.st_mode) ? "a folder" : "not a plain file");
    else
        *size = (size_t)st.st_size;
    if (rc)
        close(*fd);
    return rc;
}

/* Up to `want` bytes; fewer at the file's end. */
static int read_bytes(int fd, const char *path, uint8_t *out, size_t want, size_t *got, lanert_error *err)
{
    for (*got = 0; *got < want;) {
        ssize_t n = read(fd, out + *got, want - *got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, LANERT_EIO, errno, "%s: cannot be read", path);
        if (n == 0)
            return 0;
        *got += (size_t)n;
    }
    return 0;
}

int still_probe(const char *path, still_kind *kind, const char **what, lanert_error *err)
{
    uint8_t head[LONGEST_SIGNATURE];
    size_t size;
    int fd, rc = open_plain(path, &fd, &size, err);
    if (rc)
        return rc;
    rc = read_bytes(fd, path, head, sizeof head, &size, err);
    close(fd);
    if (!rc)
        *kind = recognise(head, size, what);
    return rc;
}

/* The whole file into r->bytes. It is copied rather than mapped: a camera may be writing to it. */
static int load(still_reader *r, const char *path, size_t *size, lanert_error *err)
{
    int fd, rc = open_plain(path, &fd, size, err);
    if (rc)
        return rc;
    if (*size > STILL_MAX_BYTES)
        rc = error_set(err, LANERT_ELIMIT, "%s: %zu bytes; a picture's file of at most %zu is taken", path, *size,
                       STILL_MAX_BYTES);
    else
        rc = memory_grow(&r->bytes, &r->capacity, *size, 1, err);
    if (!rc)
        rc = read_bytes(fd, path, r->bytes, *size, size, err);
    close(fd);
    return rc;
}

/* The two pictures' memories change places, so that p's pixels can be turned back into p. */
static int turn(still_reader *r, int orientation, picture *p, lanert_error *err)
{
    picture stored = *p;
    p->bgr = r->unturned.bgr;
    p->capacity = r->unturned.capacity;
    r->unturned = (picture){.width = stored.width, .height = stored.height, .stride = stored.stride};
    r->unturned.bgr = stored.bgr;
    r->unturned.capacity = stored.capacity;
    return picture_orient(&r->unturned, orientation, p, err);
}

static int decode(still_reader *r, size_t size, picture *p, lanert_error *err)
{
    const char *what;
    int orientation = 1, rc = 0;
    if (size == 0)
        return error_set(err, LANERT_EFORMAT, "is empty; expected a JPEG or PNG picture");
    switch (recognise(r->bytes, size, &what)) {
    case STILL_JPEG:
        rc = still_decode_jpeg(r->bytes, size, p, &orientation, err);
        break;
    case STILL_PNG:
        rc = still_decode_png(r->bytes, size, p, &orientation, err);
        break;
    case STILL_FOREIGN:
        return error_set(err, LANERT_EUNSUPPORTED, "is a %s picture; JPEG and PNG are read: convert it to one of these",
                         what);
    default:
        return error_set(err, LANERT_EFORMAT, "does not begin as a picture does; expected a JPEG or PNG picture");
    }
    return rc || orientation == 1 ? rc : turn(r, orientation, p, err);
}

int still_read(still_reader *r, const char *path, picture *p, lanert_error *err)
{
    size_t size;
    int rc = load(r, path, &size, err);
    if (rc)
        return rc;
    rc = decode(r, size, p, err);
    return rc ? error_within(err, rc, "%s", path) : 0;
}

void still_reader_free(still_reader *r)
{
    free(r->bytes);
    picture_free(&r->unturned);
    *r = (still_reader){0};
}
