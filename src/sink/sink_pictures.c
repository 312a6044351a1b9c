/* Pictures with the lanes drawn on them, each there as soon as it is complete: a folder of them, laid out as
 * result_folder.h says, or one file where the path ends in .png or .jpg and is no folder. */
#include <strings.h>

#include "base/file.h"
#include "sink/overlay.h"
#include "sink/picture_writer.h"
#include "sink/result_folder.h"
#include "sink/sink.h"

typedef struct picture_sink {
    char *path; /* the folder's or the single file's */
    bool single, force, any;
    bool has_source;
    lanert_source_info source;
    buffer name; /* of the picture that is being written */
    overlay *overlay;
    canvas canvas;
} picture_sink;

/* The writer for a name's extension, NULL for another extension than these. */
static picture_writer *writer_of(const char *name)
{
    const char *extension = path_extension(name);
    if (!strcasecmp(extension, ".png"))
        return png_write;
    return !strcasecmp(extension, ".jpg") || !strcasecmp(extension, ".jpeg") ? jpeg_write : NULL;
}

static void pictures_close(void *self)
{
    picture_sink *s = self;
    overlay_close(&s->overlay);
    canvas_free(&s->canvas);
    buffer_free(&s->name);
    free(s->path);
    free(s);
}

static int pictures_check(const picture_sink *s, lanert_error *err)
{
    if (!s->single)
        return result_folder_open(s->path, s->force, err);
    if (s->has_source && s->source.frames > 1)
        return error_set(err, LANERT_EINVAL, "%s: is the name of one picture, and %lld come; give a folder's name",
                         s->path, (long long)s->source.frames);
    if (!s->force && file_exists(s->path))
        return error_set(err, LANERT_EEXIST, "%s: is there already; --force overwrites it", s->path);
    return 0;
}

static int pictures_open(const char *path, const lanert_sink_options *options, void **self, lanert_error *err)
{
    picture_sink *s;
    int rc = memory_new(&s, 1, sizeof *s, err);
    if (rc)
        return rc;
    s->force = options->force;
    s->has_source = options->source != NULL;
    if (s->has_source)
        s->source = *options->source;
    s->source.name = NULL; /* borrowed during open only */
    s->single = writer_of(path) && !file_is_folder(path);
    s->path = strdup(path);
    rc = s->path ? pictures_check(s, err) : error_set(err, LANERT_ENOMEM, "out of memory");
    if (!rc)
        rc = overlay_open(options->title, options->truth, &s->overlay, err);
    if (rc)
        pictures_close(s);
    else
        *self = s;
    return rc;
}

static int name_make(picture_sink *s, const lanert_frame *frame, lanert_error *err)
{
    buffer_clear(&s->name);
    if (s->single)
        return s->any ? error_set(err, LANERT_EINVAL,
                                  "%s: is the name of one picture, and a second came; give a folder's name", s->path)
                      : buffer_text(&s->name, s->path, err);
    const char *extension = ".jpg";
    if (!s->has_source || s->source.pictures)
        extension = frame->name && writer_of(frame->name) ? path_extension(frame->name) : ".png";
    return result_folder_path(s->path, frame, s->has_source ? &s->source : NULL, extension, &s->name, err);
}

static int pictures_write(void *self, const lanert_frame *frame, const lanert_result *result, lanert_error *err)
{
    picture_sink *s = self;
    canvas *c = &s->canvas;
    file_writer file;
    int rc = name_make(s, frame, err);
    if (!rc && frame->path && file_is_same(frame->path, s->name.data))
        rc = error_set(err, LANERT_EEXIST, "%s: is the picture itself, and would be overwritten: name another output",
                       s->name.data);
    if (!rc)
        rc = canvas_load(c, frame, err);
    if (!rc)
        rc = overlay_draw(s->overlay, c->bgra, c->stride, frame, result, err);
    if (!rc && !s->single)
        rc = file_make_folders_above(s->name.data, err);
    if (!rc)
        rc = file_writer_open(s->name.data, s->force, &file, err);
    if (rc)
        return rc;
    file.flushed_later = !s->single;
    rc = writer_of(s->name.data)(file.stream, s->name.data, c, err);
    if (!rc)
        rc = file_writer_commit(&file, err);
    file_writer_close(&file);
    s->any |= !rc;
    return rc;
}

static int pictures_finish(void *self, lanert_error *err)
{
    const picture_sink *s = self;
    if (!s->single)
        return file_flush_folder(s->path, err);
    return s->any ? 0 : error_set(err, LANERT_EFORMAT, "%s: no picture was written, as there was no frame", s->path);
}

const sink_ops sink_pictures = {"pictures", pictures_open, pictures_write, pictures_finish, NULL, pictures_close};
