#include "frame/source.h"

#include <errno.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "frame/source_kinds.h"
#include "frame/still.h"

#define KINDS                                                                                                          \
    "a source is a picture (JPEG, PNG), a folder or quoted pattern of pictures, a list of them (.txt), a video file, " \
    "a stream (rtsp://…), a camera (/dev/videoN), - (a video on standard input) or synthetic:"

struct lanert_source {
    const source_ops *ops;
    void *self;
    char *spec;
    lanert_source_info info;
    picture picture; /* of lanert_source_read */
};

/* What a plain file holds is told by its first bytes. Two cannot be: a list is any text, and a raw stream of
 * JPEG pictures begins as one picture does. */
static int choose_by_content(const char *path, const source_ops **ops, lanert_error *err)
{
    const char *extension = path_extension(path), *what;
    still_kind kind = STILL_NONE;
    *ops = &source_stills;
    if (strcasecmp(extension, ".txt") == 0)
        return 0;
    *ops = &source_video;
    if (strcasecmp(extension, ".mjpeg") == 0 || strcasecmp(extension, ".mjpg") == 0)
        return 0;
    int rc = still_probe(path, &kind, &what, err);
    if (rc)
        return rc;
    if (kind == STILL_FOREIGN)
        return error_set(err, LANERT_EUNSUPPORTED,
                         "%s: is a %s picture; JPEG and PNG are read: convert it to one of these", path, what);
    if (kind != STILL_NONE)
        *ops = &source_stills;
    return 0;
}

static int choose_by_file(const char *path, const source_ops **ops, lanert_error *err)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        int why = errno;
        *ops = &source_stills;
        if (why != ENOENT && why != ENOTDIR)
            return error_errno(err, LANERT_EIO, why, "%s", path);
        if (strpbrk(path, "*?[{"))
            return 0;
        return error_set(err, LANERT_ENOTFOUND, "%s: there is no such file, folder or device; %s", path, KINDS);
    }
    if (S_ISREG(st.st_mode) && st.st_size == 0)
        return error_set(err, LANERT_EFORMAT, "%s: is empty; %s", path, KINDS);
    if (S_ISREG(st.st_mode))
        return choose_by_content(path, ops, err);
    if (!S_ISDIR(st.st_mode) && !S_ISCHR(st.st_mode) && !S_ISFIFO(st.st_mode))
        return error_set(err, LANERT_EUNSUPPORTED, "%s: is neither a file nor a folder, camera or pipe; %s", path,
                         KINDS);
    *ops = S_ISDIR(st.st_mode) ? &source_stills : &source_video;
    return 0;
}

static int choose(const char *spec, const source_ops **ops, lanert_error *err)
{
    if (!spec || !*spec)
        return error_set(err, LANERT_EINVAL, "no source was named; %s", KINDS);
    *ops = &source_synthetic;
    if (strncmp(spec, "synthetic:", 10) == 0)
        return 0;
    *ops = &source_video;
    if (strcmp(spec, "-") == 0 || strstr(spec, "://"))
        return 0;
    return choose_by_file(spec, ops, err);
}

/* A source of that name, yet to be opened. */
static int make(const char *spec, const source_ops *ops, lanert_source **source, lanert_error *err)
{
    int rc = memory_new(source, 1, sizeof **source, err);
    if (rc)
        return rc;
    (*source)->ops = ops;
    (*source)->info.frames = -1;
    if (!((*source)->spec = strdup(spec))) {
        lanert_source_close(source);
        return error_set(err, LANERT_ENOMEM, "out of memory");
    }
    return 0;
}

int source_open_as(const char *spec, const source_ops *ops, lanert_source **source, lanert_error *err)
{
    int rc = make(spec, ops, source, err);
    if (rc)
        return rc;
    lanert_source *s = *source;
    if ((rc = ops->open(spec, &s->self, &s->info, err)))
        lanert_source_close(source);
    else if (!s->info.name)
        s->info.name = s->spec;
    return rc;
}

int lanert_source_open(const char *spec, lanert_source **source, lanert_error *err)
{
    const source_ops *ops = NULL;
    if (!source)
        return error_set(err, LANERT_EINVAL, "lanert_source_open: source must not be NULL");
    *source = NULL;
    int rc = choose(spec, &ops, err);
    return rc ? rc : source_open_as(spec, ops, source, err);
}

int lanert_source_open_pictures(const char *const *paths, int64_t count, lanert_source **source, lanert_error *err)
{
    if (!source)
        return error_set(err, LANERT_EINVAL, "lanert_source_open_pictures: source must not be NULL");
    *source = NULL;
    if (count < 1 || !paths)
        return error_set(err, LANERT_EINVAL, "%lld pictures; expected at least one", (long long)count);
    int rc = make("pictures", &source_stills, source, err);
    if (rc)
        return rc;
    lanert_source *s = *source;
    s->info.name = s->spec;
    if ((rc = source_stills_open_paths(paths, (size_t)count, &s->self, &s->info, err)))
        lanert_source_close(source);
    return rc;
}

void lanert_source_close(lanert_source **source)
{
    lanert_source *s = source ? *source : NULL;
    if (!s)
        return;
    if (s->self)
        s->ops->close(s->self);
    picture_free(&s->picture);
    free(s->spec);
    FREE(*source);
}

const lanert_source_info *lanert_source_describe(const lanert_source *source)
{
    return &source->info;
}

lanert_damage lanert_source_damage(const lanert_source *source)
{
    return source->ops->damage ? *source->ops->damage(source->self) : (lanert_damage){0};
}

int source_read_into(lanert_source *source, picture *p, lanert_error *err)
{
    p->truth_count = 0;
    p->damaged = false;
    *p->path = '\0';
    return source->ops->read(source->self, p, err);
}

void source_interrupt(lanert_source *source)
{
    if (source->ops->interrupt)
        source->ops->interrupt(source->self);
}

int lanert_source_read(lanert_source *source, lanert_frame *frame, lanert_error *err)
{
    if (!source || !frame)
        return error_set(err, LANERT_EINVAL, "lanert_source_read: source and frame must not be NULL");
    int rc = source_read_into(source, &source->picture, err);
    if (!rc)
        *frame = picture_frame(&source->picture);
    return rc;
}
