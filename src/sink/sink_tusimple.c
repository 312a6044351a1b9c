/* sink_tusimple.c - one file with a JSON line for each picture, as TuSimple's own evaluation reads it. run_time is
 * the latency in milliseconds. raw_file is the picture's name; of a video's frame "<video>/<index>". */
#include "lane/lane_file.h"
#include "sink/line_writer.h"
#include "sink/sink.h"

typedef struct tusimple_sink {
    line_writer out;
    bool video;
    buffer name, line; /* of the frame at hand */
    lane_curve lanes[LANERT_MAX_LANES];
} tusimple_sink;

static void tusimple_close(void *self)
{
    tusimple_sink *s = self;
    line_writer_close(&s->out);
    buffer_free(&s->name);
    buffer_free(&s->line);
    free(s);
}

static int tusimple_open(const char *path, const lanert_sink_options *options, void **self, lanert_error *err)
{
    tusimple_sink *s;
    int rc = memory_new(&s, 1, sizeof *s, err);
    if (rc)
        return rc;
    s->video = options->source && !options->source->pictures;
    if ((rc = line_writer_open(path, options->force, &s->out, err)))
        tusimple_close(s);
    else
        *self = s;
    return rc;
}

static int name_frame(const lanert_frame *frame, bool video, buffer *name, lanert_error *err)
{
    const char *known = frame->name ? frame->name : "";
    buffer_clear(name);
    if (*known && !video)
        return buffer_text(name, known, err);
    return buffer_format(name, err, "%s%s%05lld", known, *known ? "/" : "", (long long)frame->index);
}

static int tusimple_write(void *self, const lanert_frame *frame, const lanert_result *result, lanert_error *err)
{
    tusimple_sink *s = self;
    int rc = name_frame(frame, s->video, &s->name, err);
    if (rc)
        return rc;
    for (int i = 0; i < result->count; i++)
        lane_from_pixels(&result->lanes[i], frame->width, frame->height, &s->lanes[i]);
    buffer_clear(&s->line);
    rc = lane_file_tusimple(s->name.data, result->latency_ms, s->lanes, result->count, &s->line, err);
    return rc ? error_within(err, rc, "%s", s->name.data) : line_writer_add(&s->out, &s->line, err);
}

static int tusimple_finish(void *self, lanert_error *err)
{
    return line_writer_finish(&((tusimple_sink *)self)->out, err);
}

const sink_ops sink_tusimple = {"tusimple", tusimple_open, tusimple_write, tusimple_finish, NULL, tusimple_close};
