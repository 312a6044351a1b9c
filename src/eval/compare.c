/* compare.c - two folders or files of lanes, frame by frame. */
#include <math.h>

#include "eval/csv.h"
#include "eval/dataset.h"
#include "eval/distance.h"
#include "eval/lane_reader.h"
#include "lane/text.h"

/* One of the two. Where no data set is named, `frames` is used for its names and pieces alone. */
typedef struct side {
    const char *path;
    bool folder;
    dataset frames;
    size_t *order, next; /* frames by name; the first not yet compared */
    lane_set lanes;
    tusimple_frame line;
} side;

static int take_file(void *context, const char *name, lanert_error *err)
{
    dataset_frame *frame;
    return dataset_add(&((side *)context)->frames, name, strlen(name), &frame, err);
}

static int take_line(void *context, const char *text, size_t size, int line, lanert_error *err)
{
    side *s = context;
    dataset_frame *frame;
    int rc = tusimple_read(text, size, s->path, line, TUSIMPLE_PREDICTION, &s->line, err);
    if (!rc)
        rc = dataset_add(&s->frames, s->line.raw_file, strlen(s->line.raw_file), &frame, err);
    if (!rc)
        frame->prediction = (text_piece){text, size, line};
    return rc;
}

static const dataset_frame *side_frame(const side *s, size_t i)
{
    return i < s->frames.count ? &s->frames.frames[s->order[i]] : NULL;
}

/* All the frames that the folder or file has. */
static int find_frames(side *s, lanert_error *err)
{
    int rc;
    if (s->folder)
        rc = dataset_walk(s->path, ".lines.txt", take_file, s, err);
    else if (!(rc = file_map_open(s->path, DATASET_MAX_LIST_FILE, &s->frames.prediction_map, err)))
        rc = dataset_lines(&s->frames.prediction_map, take_line, s, err);
    if (!rc && !s->frames.count)
        rc = error_set(err, LANERT_EFORMAT, "%s: no lanes in it; expected %s", s->path,
                       s->folder ? "files named .lines.txt" : "TuSimple's JSON lines");
    return rc;
}

static int side_open(side *s, const char *path, const lanert_compare_options *o, lanert_error *err)
{
    int rc;
    s->path = path;
    s->folder = file_is_folder(path);
    rc = o->dataset ? dataset_open(o->dataset, o->root, o->list, path, &s->frames, err) : find_frames(s, err);
    if (rc || (rc = dataset_order(&s->frames, &s->order, err)) || o->dataset)
        return rc;
    for (size_t i = 1; i < s->frames.count; i++)
        if (strcmp(side_frame(s, i - 1)->name, side_frame(s, i)->name) == 0)
            return error_set(err, LANERT_EFORMAT, "%s:%d: raw_file %s was on line %d already", path,
                             side_frame(s, i)->prediction.line, side_frame(s, i)->name,
                             side_frame(s, i - 1)->prediction.line);
    return 0;
}

static void side_close(side *s)
{
    dataset_close(&s->frames);
    free(s->order);
    lane_set_free(&s->lanes);
    tusimple_frame_free(&s->line);
}

static int read_file(side *s, const dataset_frame *frame, lanert_error *err)
{
    char *path;
    file_map map;
    int rc = s->frames.ops ? s->frames.ops->prediction_path(&s->frames, frame, &path, err)
                           : path_join(s->path, frame->name, &path, err);
    if (rc)
        return rc;
    if (!(rc = file_map_open(path, DATASET_MAX_FRAME_FILE, &map, err))) {
        rc = lanes_read_text(map.size ? (const char *)map.data : "", map.size, path, &s->lanes, err);
        file_map_close(&map);
    }
    free(path);
    return rc;
}

/* Rows are numbered: the predictions do not say which they are, and they are the same on both sides. */
static int read_piece(side *s, const text_piece *piece, lanert_error *err)
{
    int rc = tusimple_read(piece->data, piece->size, s->path, piece->line, TUSIMPLE_PREDICTION, &s->line, err);
    lane_set_clear(&s->lanes, s->path);
    for (size_t i = 0; !rc && i < s->line.lanes.lane_count; i++) {
        const lane_ref *lane = &s->line.lanes.lanes[i];
        rc = lane_set_begin(&s->lanes, piece->line, err);
        for (size_t k = 0; !rc && k < lane->count; k++)
            if (s->line.lanes.points[lane->first + k].x >= 0)
                rc = lane_set_add(&s->lanes, s->line.lanes.points[lane->first + k].x, (double)k, err);
        if (!rc && !s->lanes.lanes[s->lanes.lane_count - 1].count)
            lane_set_drop(&s->lanes);
    }
    return rc;
}

/* The lanes of a frame. *missing, and none, where it is NULL or has no prediction. */
static int side_read(side *s, const dataset_frame *frame, bool *missing, lanert_error *err)
{
    int rc = 0;
    lane_set_clear(&s->lanes, s->path);
    *missing = !frame || (!s->folder && !frame->prediction.line);
    if (!*missing)
        rc = s->folder ? read_file(s, frame, err) : read_piece(s, &frame->prediction, err);
    if (rc == LANERT_ENOTFOUND) {
        *missing = true;
        rc = 0;
    }
    if (!rc)
        distance_prepare(&s->lanes);
    s->next += frame && !rc;
    return rc;
}

static void add_frame(lanert_compare_total *total, const lanert_compare_frame *frame)
{
    total->frames++;
    total->missing_a += frame->missing_a;
    total->missing_b += frame->missing_b;
    total->matched += frame->matched;
    total->lost += frame->lost;
    total->gained += frame->gained;
    total->mean_px += frame->mean_px * frame->matched;
    total->largest_px = fmax(total->largest_px, frame->largest_px);
}

static int write_row(FILE *table, const lanert_compare_frame *frame, lanert_error *err)
{
    buffer numbers = {0};
    int rc = text_fixed(&numbers, frame->mean_px, 3, err);
    if (!rc && !(rc = buffer_text(&numbers, ",", err)) && !(rc = text_fixed(&numbers, frame->largest_px, 3, err))) {
        csv_text(table, frame->name);
        fprintf(table, ",%d,%d,%d,%d,%d,%s\n", frame->missing_a, frame->missing_b, frame->matched, frame->lost,
                frame->gained, numbers.data);
    }
    buffer_free(&numbers);
    return rc;
}

static int compare_next(side *a, side *b, distance *d, const lanert_compare_options *o, FILE *table,
                        lanert_compare_total *total, lanert_error *err)
{
    const dataset_frame *p = side_frame(a, a->next), *q = side_frame(b, b->next);
    int order = !q ? -1 : !p ? 1 : strcmp(p->name, q->name), rc;
    p = order > 0 ? NULL : p;
    q = order < 0 ? NULL : q;
    lanert_compare_frame frame = {.name = p ? p->name : q->name};
    if ((rc = side_read(a, p, &frame.missing_a, err)) || (rc = side_read(b, q, &frame.missing_b, err)))
        return rc;
    if ((frame.missing_a || frame.missing_b) && !o->allow_missing)
        return error_set(err, LANERT_ENOTFOUND, "%s: has no lanes for %s; --allow-missing counts it as without lanes",
                         frame.missing_a ? a->path : b->path, frame.name);
    if ((rc = distance_between(d, &a->lanes, &b->lanes, o->limit_px, &frame, err)) ||
        (table && (rc = write_row(table, &frame, err))))
        return rc;
    add_frame(total, &frame);
    if (o->on_frame && o->on_frame(o->context, &frame))
        return error_set(err, LANERT_END, "ended before all frames were compared");
    return 0;
}

void lanert_compare_defaults(lanert_compare_options *options)
{
    *options = (lanert_compare_options){.limit_px = 30}; /* as wide as CULane's measure draws a lane */
}

static int compare_all(side *a, side *b, const lanert_compare_options *o, FILE *table, lanert_compare_total *total,
                       lanert_error *err)
{
    distance d = {0};
    int rc = 0;
    if (table)
        fputs("frame,missing_a,missing_b,matched,lost,gained,mean_px,largest_px\n", table);
    while (!rc && (a->next < a->frames.count || b->next < b->frames.count))
        rc = compare_next(a, b, &d, o, table, total, err);
    total->mean_px /= total->matched ? (double)total->matched : 1;
    distance_free(&d);
    return rc;
}

static int compare_sides(side *a, side *b, const lanert_compare_options *o, lanert_compare_total *total,
                         lanert_error *err)
{
    file_writer table;
    if (a->folder != b->folder)
        return error_set(err, LANERT_EINVAL, "%s and %s: a folder and a file; expected two of a kind", a->path,
                         b->path);
    if (!o->csv)
        return compare_all(a, b, o, NULL, total, err);
    int rc = file_writer_open(o->csv, o->force, &table, err);
    if (rc)
        return rc;
    rc = compare_all(a, b, o, table.stream, total, err);
    if (!rc)
        rc = file_writer_commit(&table, err);
    file_writer_close(&table);
    return rc;
}

int lanert_compare(const char *a, const char *b, const lanert_compare_options *options, lanert_compare_total *total,
                   lanert_error *err)
{
    lanert_compare_options o;
    side p = {0}, q = {0};
    int rc;
    *total = (lanert_compare_total){0};
    if (options)
        o = *options;
    else
        lanert_compare_defaults(&o);
    if (!(o.limit_px > 0 && o.limit_px <= LANE_SET_MAX_COORDINATE))
        return error_set(err, LANERT_EINVAL, "a limit of %g pixels; expected more than 0", o.limit_px);
    if (!(rc = side_open(&p, a, &o, err)) && !(rc = side_open(&q, b, &o, err)))
        rc = compare_sides(&p, &q, &o, total, err);
    side_close(&p);
    side_close(&q);
    return rc;
}
