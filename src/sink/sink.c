#include "sink/sink.h"

#include <math.h>
#include <strings.h>

#include "base/file.h"
#include "frame/picture.h"

#define FORMATS "video, pictures, culane, tusimple, llamas, jsonl"

struct lanert_sink {
    const sink_ops *ops;
    void *self;
    const char *over; /* why nothing more may be written; NULL while it may */
};

static const sink_ops *const sinks[] = {&sink_video,    &sink_pictures, &sink_culane,
                                        &sink_tusimple, &sink_llamas,   &sink_jsonl};

static const struct {
    const char *extension;
    const sink_ops *ops;
} by_extension[] = {
    {".mp4", &sink_video},    {".mkv", &sink_video},     {".mov", &sink_video},    {".avi", &sink_video},
    {".webm", &sink_video},   {".jsonl", &sink_jsonl},   {".ndjson", &sink_jsonl}, {".json", &sink_tusimple},
    {".jpg", &sink_pictures}, {".jpeg", &sink_pictures}, {".png", &sink_pictures},
};

static const sink_ops *find_by_format(const char *format)
{
    for (size_t i = 0; i < ARRAY_LEN(sinks); i++)
        if (!strcmp(sinks[i]->format, format))
            return sinks[i];
    return NULL;
}

static const sink_ops *find_by_path(const char *path)
{
    if (!strcmp(path, "-"))
        return &sink_jsonl;
    if (path[strlen(path) - 1] == '/' || file_is_folder(path))
        return &sink_pictures;
    for (size_t i = 0; i < ARRAY_LEN(by_extension); i++)
        if (!strcasecmp(by_extension[i].extension, path_extension(path)))
            return by_extension[i].ops;
    return NULL;
}

static int find_ops(const char *path, const char *format, const sink_ops **ops, lanert_error *err)
{
    if (!path || !*path)
        return error_set(err, LANERT_EINVAL, "no name to write results to; expected a file, a folder or \"-\"");
    if (format) {
        if (!(*ops = find_by_format(format)))
            return error_set(err, LANERT_EINVAL, "output format \"%s\" is not known; expected one of " FORMATS, format);
    } else if (!(*ops = find_by_path(path)))
        return error_set(err, LANERT_EINVAL,
                         "%s: the name does not tell the output's format; say which of " FORMATS ", or end it in .mp4, "
                         ".jsonl, .json (tusimple), .jpg, .png or / (pictures)",
                         path);
    if (!strcmp(path, "-") && *ops != &sink_jsonl && *ops != &sink_tusimple)
        return error_set(err, LANERT_EINVAL, "%s cannot go to standard output; only jsonl and tusimple can",
                         (*ops)->format);
    return 0;
}

int lanert_sink_open(const char *path, const lanert_sink_options *options, lanert_sink **sink, lanert_error *err)
{
    static const lanert_sink_options defaults;
    const sink_ops *ops = NULL;
    if (!sink)
        return error_set(err, LANERT_EINVAL, "sink is NULL");
    *sink = NULL;
    if (!options)
        options = &defaults;
    int rc = find_ops(path, options->format, &ops, err);
    if (rc || (rc = memory_new(sink, 1, sizeof **sink, err)))
        return rc;
    (*sink)->ops = ops;
    if ((rc = ops->open(path, options, &(*sink)->self, err)))
        FREE(*sink);
    return rc;
}

static int check_open(const lanert_sink *sink, lanert_error *err)
{
    if (!sink)
        return error_set(err, LANERT_EINVAL, "sink is NULL");
    return sink->over ? error_set(err, LANERT_EINVAL, "the %s output %s", sink->ops->format, sink->over) : 0;
}

static int check_lanes(const char *what, const lanert_lane *lanes, int count, lanert_error *err)
{
    if (count < 0 || count > LANERT_MAX_LANES || (count && !lanes))
        return error_set(err, LANERT_EINVAL, "%s: %d lanes at %p; expected 0 to %d", what, count, (const void *)lanes,
                         LANERT_MAX_LANES);
    for (int i = 0; i < count; i++) {
        if (lanes[i].count < 2 || lanes[i].count > LANERT_LANE_POINTS)
            return error_set(err, LANERT_EINVAL, "%s: lane %d has %d points; expected 2 to %d", what, i, lanes[i].count,
                             LANERT_LANE_POINTS);
        for (int k = 0; k < lanes[i].count; k++)
            if (!isfinite(lanes[i].points[k].x) || !isfinite(lanes[i].points[k].y))
                return error_set(err, LANERT_EINVAL, "%s: point %d of lane %d is (%g, %g); expected finite numbers",
                                 what, k, i, lanes[i].points[k].x, lanes[i].points[k].y);
    }
    return 0;
}

/* Whether a plane's rows hold `bytes` each. */
static bool has_plane(const lanert_frame *f, int plane, int bytes)
{
    return f->data[plane] && f->stride[plane] >= bytes;
}

static int check_frame(const lanert_frame *f, lanert_error *err)
{
    if (f->width < 1 || f->width > PICTURE_MAX_SIDE || f->height < 1 || f->height > PICTURE_MAX_SIDE)
        return error_set(err, LANERT_EINVAL, "a frame of %d×%d pixels; expected 1 to %d each", f->width, f->height,
                         PICTURE_MAX_SIDE);
    if (f->format != LANERT_BGR && f->format != LANERT_RGB && f->format != LANERT_NV12)
        return error_set(err, LANERT_EINVAL, "a frame's pixel format is %d; expected BGR, RGB or NV12", (int)f->format);
    if (f->format == LANERT_NV12 ? !has_plane(f, 0, f->width) || !has_plane(f, 1, (f->width + 1) / 2 * 2)
                                 : !has_plane(f, 0, f->width * 3))
        return error_set(err, LANERT_EINVAL, "a frame has no data, or rows shorter than its %d pixels", f->width);
    return check_lanes("frame->truth", f->truth, f->truth_count, err);
}

int lanert_sink_write(lanert_sink *sink, const lanert_frame *frame, const lanert_result *result, lanert_error *err)
{
    int rc = check_open(sink, err);
    if (rc)
        return rc;
    if (!frame || !result)
        return error_set(err, LANERT_EINVAL, "%s is NULL", frame ? "result" : "frame");
    if ((rc = check_frame(frame, err)) || (rc = check_lanes("result", result->lanes, result->count, err)))
        return rc;
    if ((rc = sink->ops->write(sink->self, frame, result, err)))
        sink->over = "failed before; close it";
    return rc;
}

const char *lanert_sink_encoder(const lanert_sink *sink)
{
    return sink && sink->ops->encoder ? sink->ops->encoder(sink->self) : "";
}

int lanert_sink_finish(lanert_sink *sink, lanert_error *err)
{
    int rc = check_open(sink, err);
    if (rc)
        return rc;
    sink->over = "is finished; open another";
    return sink->ops->finish(sink->self, err);
}

void lanert_sink_close(lanert_sink **sink)
{
    if (!sink || !*sink)
        return;
    (*sink)->ops->close((*sink)->self);
    FREE(*sink);
}
