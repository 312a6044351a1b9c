/* sink_lines.c - culane and llamas: a folder with a text file of lanes for each picture, <name>.lines.txt, or for
 * each frame of a video, <video>/<index>.lines.txt (see result_folder.h). A picture without lanes has an empty
 * file, as in the data sets. Each file is complete when its frame's write returns. */
#include "base/file.h"
#include "lane/lane_file.h"
#include "sink/result_folder.h"
#include "sink/sink.h"

typedef int lane_text(const lane_curve *lanes, int count, buffer *out, lanert_error *err);

typedef struct lines_sink {
    lane_text *lane_text;
    char *folder;
    bool force;
    lanert_source_info info;
    const lanert_source_info *source; /* info, or NULL where none was given */
    buffer path, text;                /* of the frame at hand */
    lane_curve lanes[LANERT_MAX_LANES];
} lines_sink;

static void lines_close(void *self)
{
    lines_sink *s = self;
    free(s->folder);
    buffer_free(&s->path);
    buffer_free(&s->text);
    free(s);
}

static int lines_open(const char *path, const lanert_sink_options *options, lane_text *text, void **self,
                      lanert_error *err)
{
    lines_sink *s;
    int rc = memory_new(&s, 1, sizeof *s, err);
    if (rc)
        return rc;
    s->lane_text = text;
    s->force = options->force;
    if (options->source) {
        s->info = *options->source;
        s->info.name = NULL; /* borrowed during open only */
        s->source = &s->info;
    }
    s->folder = strdup(path);
    rc = s->folder ? result_folder_open(path, s->force, err) : error_set(err, LANERT_ENOMEM, "out of memory");
    if (rc)
        lines_close(s);
    else
        *self = s;
    return rc;
}

static int culane_open(const char *path, const lanert_sink_options *options, void **self, lanert_error *err)
{
    return lines_open(path, options, lane_file_culane, self, err);
}

static int llamas_open(const char *path, const lanert_sink_options *options, void **self, lanert_error *err)
{
    return lines_open(path, options, lane_file_llamas, self, err);
}

static int lines_write(void *self, const lanert_frame *frame, const lanert_result *result, lanert_error *err)
{
    lines_sink *s = self;
    int rc;
    buffer_clear(&s->path);
    buffer_clear(&s->text);
    if ((rc = result_folder_path(s->folder, frame, s->source, ".lines.txt", &s->path, err)))
        return rc;
    for (int i = 0; i < result->count; i++)
        lane_from_pixels(&result->lanes[i], frame->width, frame->height, &s->lanes[i]);
    if ((rc = s->lane_text(s->lanes, result->count, &s->text, err)))
        return error_within(err, rc, "%s", s->path.data);
    if ((rc = file_make_folders_above(s->path.data, err)))
        return rc;
    /* The folder was empty, so that a file that is there now is another picture's of this run. */
    rc = file_write(s->path.data, s->text.data, s->text.size, s->force, err);
    return rc == LANERT_EEXIST ? error_set(err, rc, "%s: two pictures of this run have this name", s->path.data) : rc;
}

static int lines_finish(void *self, lanert_error *err)
{
    return file_flush_folder(((lines_sink *)self)->folder, err);
}

const sink_ops sink_culane = {"culane", culane_open, lines_write, lines_finish, NULL, lines_close};
const sink_ops sink_llamas = {"llamas", llamas_open, lines_write, lines_finish, NULL, lines_close};
