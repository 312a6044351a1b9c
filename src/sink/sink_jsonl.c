/* sink_jsonl.c - one JSON object a line for each frame:
 *
 *     {"frame": 7,                          its index in the source
 *      "file": "a/b.jpg",                   of pictures only: the name, relative to what was asked for
 *      "time_s": 0.28,                      from the source's start; 0 of pictures
 *      "width": 1280, "height": 720,        pixels
 *      "lanes": [{"score": 0.9312,          best first; points from the far end to the near one,
 *                 "points": [[x, y], …]}],  in the picture's pixels
 *      "times_ms": {"preprocess": 0.4, "inference": 9.1, "decode": 0.02, "latency": 10.3},
 *      "late": true,                        of results past the run's deadline only
 *      "damaged": true,                     of a damaged video's frames that are not sound only
 *      "truth": [[[x, y], …], …]}           of drawn frames only: their known lanes
 *
 * Pure ASCII, no spaces. Coordinates have 2 decimals, scores 4, times 3 (time_s 6); a number that is none is null.
 * Written by hand into a buffer that is kept, and not with jansson: names of files need not be UTF-8, which jansson
 * refuses, and a frame allocates nothing. */
#include "lane/text.h"
#include "sink/line_writer.h"
#include "sink/sink.h"

typedef struct jsonl_sink {
    line_writer out;
    bool video;
    buffer line; /* of the frame at hand */
} jsonl_sink;

static void jsonl_close(void *self)
{
    jsonl_sink *s = self;
    line_writer_close(&s->out);
    buffer_free(&s->line);
    free(s);
}

static int jsonl_open(const char *path, const lanert_sink_options *options, void **self, lanert_error *err)
{
    jsonl_sink *s;
    int rc = memory_new(&s, 1, sizeof *s, err);
    if (rc)
        return rc;
    s->video = options->source && !options->source->pictures;
    if ((rc = line_writer_open(path, options->force, &s->out, err)))
        jsonl_close(s);
    else
        *self = s;
    return rc;
}

static int add_points(const lanert_lane *lane, buffer *out, lanert_error *err)
{
    int rc;
    if ((rc = buffer_text(out, "[", err)))
        return rc;
    for (int i = 0; i < lane->count; i++)
        if ((rc = buffer_text(out, i ? ",[" : "[", err)) || (rc = text_number(out, lane->points[i].x, 2, err)) ||
            (rc = buffer_text(out, ",", err)) || (rc = text_number(out, lane->points[i].y, 2, err)) ||
            (rc = buffer_text(out, "]", err)))
            return rc;
    return buffer_text(out, "]", err);
}

static int add_head(const lanert_frame *frame, bool video, buffer *out, lanert_error *err)
{
    int rc;
    if ((rc = buffer_format(out, err, "{\"frame\":%lld,", (long long)frame->index)))
        return rc;
    if (!video && frame->name &&
        ((rc = buffer_text(out, "\"file\":", err)) || (rc = text_string(out, frame->name, err)) ||
         (rc = buffer_text(out, ",", err))))
        return rc;
    if ((rc = buffer_text(out, "\"time_s\":", err)) || (rc = text_number(out, frame->time_s, 6, err)))
        return rc;
    return buffer_format(out, err, ",\"width\":%d,\"height\":%d", frame->width, frame->height);
}

static int add_lanes(const lanert_result *result, buffer *out, lanert_error *err)
{
    int rc;
    if ((rc = buffer_text(out, ",\"lanes\":[", err)))
        return rc;
    for (int i = 0; i < result->count; i++)
        if ((rc = buffer_text(out, i ? ",{\"score\":" : "{\"score\":", err)) ||
            (rc = text_number(out, result->lanes[i].score, 4, err)) || (rc = buffer_text(out, ",\"points\":", err)) ||
            (rc = add_points(&result->lanes[i], out, err)) || (rc = buffer_text(out, "}", err)))
            return rc;
    return buffer_text(out, "]", err);
}

static int add_times(const lanert_result *result, buffer *out, lanert_error *err)
{
    const struct {
        const char *before;
        double ms;
    } times[] = {{",\"times_ms\":{\"preprocess\":", result->preprocess_ms},
                 {",\"inference\":", result->inference_ms},
                 {",\"decode\":", result->decode_ms},
                 {",\"latency\":", result->latency_ms}};
    int rc;
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        if ((rc = buffer_text(out, times[i].before, err)) || (rc = text_number(out, times[i].ms, 3, err)))
            return rc;
    return buffer_text(out, result->late ? "},\"late\":true" : "}", err);
}

static int add_truth(const lanert_frame *frame, buffer *out, lanert_error *err)
{
    int rc;
    if (!frame->truth)
        return 0;
    if ((rc = buffer_text(out, ",\"truth\":[", err)))
        return rc;
    for (int i = 0; i < frame->truth_count; i++)
        if ((rc = buffer_text(out, i ? "," : "", err)) || (rc = add_points(&frame->truth[i], out, err)))
            return rc;
    return buffer_text(out, "]", err);
}

static int jsonl_write(void *self, const lanert_frame *frame, const lanert_result *result, lanert_error *err)
{
    jsonl_sink *s = self;
    int rc;
    buffer_clear(&s->line);
    if ((rc = add_head(frame, s->video, &s->line, err)) || (rc = add_lanes(result, &s->line, err)) ||
        (rc = add_times(result, &s->line, err)) ||
        (frame->damaged && (rc = buffer_text(&s->line, ",\"damaged\":true", err))) ||
        (rc = add_truth(frame, &s->line, err)) || (rc = buffer_text(&s->line, "}", err)))
        return rc;
    return line_writer_add(&s->out, &s->line, err);
}

static int jsonl_finish(void *self, lanert_error *err)
{
    return line_writer_finish(&((jsonl_sink *)self)->out, err);
}

const sink_ops sink_jsonl = {"jsonl", jsonl_open, jsonl_write, jsonl_finish, NULL, jsonl_close};
