/* A video with the lanes drawn on it. Its size is the first frame's, an odd side made even by repeating the last
 * row or column; frames of other sizes are fitted in. It stands under a temporary name until it is finished. */
#include "base/file.h"
#include "sink/overlay.h"
#include "sink/sink.h"
#include "sink/video_writer.h"

typedef struct video_sink {
    file_writer file;
    const char *container;
    double rate;
    overlay *overlay;
    canvas canvas;
    video_writer *writer; /* from the first frame on */
} video_sink;

static void video_close(void *self)
{
    video_sink *s = self;
    video_writer_close(&s->writer);
    file_writer_close(&s->file);
    overlay_close(&s->overlay);
    canvas_free(&s->canvas);
    free(s);
}

static int video_open(const char *path, const lanert_sink_options *options, void **self, lanert_error *err)
{
    video_sink *s;
    const char *container = video_writer_container(path);
    if (!container)
        return error_set(err, LANERT_EUNSUPPORTED,
                         "%s: the extension \"%s\" names no container that is written; expected .mp4, .mov or .mkv",
                         path, path_extension(path));
    int rc = memory_new(&s, 1, sizeof *s, err);
    if (rc)
        return rc;
    s->container = container;
    s->rate = options->source ? options->source->rate : 0;
    rc = overlay_open(options->title, options->truth, &s->overlay, err);
    if (!rc)
        rc = file_writer_open(path, options->force, &s->file, err);
    if (rc)
        video_close(s);
    else
        *self = s;
    return rc;
}

static int video_write(void *self, const lanert_frame *frame, const lanert_result *result, lanert_error *err)
{
    video_sink *s = self;
    canvas *c = &s->canvas;
    int rc = canvas_load(c, frame, err);
    if (!rc)
        rc = overlay_draw(s->overlay, c->bgra, c->stride, frame, result, err);
    if (rc)
        return rc;
    canvas_pad_even(c);
    if (!s->writer) {
        const video_writer_options options = {.file = s->file.temp_path,
                                              .name = s->file.path,
                                              .container = s->container,
                                              .width = c->width,
                                              .height = c->height,
                                              .rate = s->rate};
        rc = video_writer_open(&options, &s->writer, err);
    }
    return rc ? rc : video_writer_add(s->writer, c, frame->time_s, err);
}

static int video_finish(void *self, lanert_error *err)
{
    video_sink *s = self;
    if (!s->writer)
        return error_set(err, LANERT_EFORMAT, "%s: no video was written, as there was no frame", s->file.path);
    int rc = video_writer_finish(s->writer, err);
    return rc ? rc : file_writer_commit(&s->file, err);
}

static const char *video_encoder(const void *self)
{
    const video_sink *s = self;
    return s->writer ? video_writer_encoder(s->writer) : "";
}

const sink_ops sink_video = {"video", video_open, video_write, video_finish, video_encoder, video_close};
