/* dataset_tusimple.c - TuSimple: one file of labels, one of predictions, a line of JSON a picture. */
#include "eval/dataset.h"
#include "eval/lane_reader.h"

typedef struct reading {
    dataset *d;
    const char *path;
    const size_t *order; /* predictions: d's frames by name */
    tusimple_frame frame;
} reading;

static int take_label(void *context, const char *text, size_t size, int line, lanert_error *err)
{
    reading *r = context;
    dataset_frame *frame;
    int rc = tusimple_read(text, size, r->path, line, TUSIMPLE_LABEL, &r->frame, err);
    if (!rc)
        rc = dataset_add(r->d, r->frame.raw_file, strlen(r->frame.raw_file), &frame, err);
    if (!rc)
        frame->truth = (text_piece){text, size, line};
    return rc;
}

static int take_prediction(void *context, const char *text, size_t size, int line, lanert_error *err)
{
    reading *r = context;
    size_t at;
    int rc = tusimple_read(text, size, r->path, line, TUSIMPLE_PREDICTION, &r->frame, err);
    if (rc)
        return rc;
    if (!dataset_find(r->d, r->order, r->frame.raw_file, &at))
        return error_set(err, LANERT_EFORMAT, "%s:%d: raw_file %s is not in the labels, %s", r->path, line,
                         r->frame.raw_file, r->d->labels);
    text_piece *piece = &r->d->frames[r->order[at]].prediction;
    if (piece->line)
        return error_set(err, LANERT_EFORMAT, "%s:%d: raw_file %s was on line %d already", r->path, line,
                         r->frame.raw_file, piece->line);
    *piece = (text_piece){text, size, line};
    return 0;
}

static int check_names(const dataset *d, const size_t *order, lanert_error *err)
{
    for (size_t i = 1; i < d->count; i++) {
        const dataset_frame *a = &d->frames[order[i - 1]], *b = &d->frames[order[i]];
        if (strcmp(a->name, b->name) == 0)
            return error_set(err, LANERT_EFORMAT, "%s:%d: raw_file %s was on line %d already", d->labels, b->truth.line,
                             b->name, a->truth.line);
    }
    return 0;
}

static int open_files(dataset *d, const char *predictions, reading *r, lanert_error *err)
{
    size_t *order = NULL;
    int rc;
    r->path = d->labels;
    if ((rc = file_map_open(d->labels, DATASET_MAX_LIST_FILE, &d->label_map, err)) ||
        (rc = dataset_lines(&d->label_map, take_label, r, err)) || (rc = dataset_order(d, &order, err)) ||
        (rc = check_names(d, order, err)) || !predictions)
        goto out;
    r->path = predictions;
    r->order = order;
    if (!(rc = file_map_open(predictions, DATASET_MAX_LIST_FILE, &d->prediction_map, err)))
        rc = dataset_lines(&d->prediction_map, take_prediction, r, err);
out:
    free(order);
    return rc;
}

static int open_tusimple(dataset *d, const char *list, const char *predictions, lanert_error *err)
{
    reading r = {.d = d};
    int rc = path_join(list ? NULL : d->root, list ? list : "test_label.json", &d->labels, err);
    if (rc)
        return rc;
    if (!list && !file_exists(d->labels))
        return error_set(err, LANERT_ENOTFOUND,
                         "%s: not laid out as TuSimple: no test_label.json; --list names the labels", d->root);
    rc = open_files(d, predictions, &r, err);
    tusimple_frame_free(&r.frame);
    return rc;
}

static int picture_path(const dataset *d, const dataset_frame *frame, char **path, lanert_error *err)
{
    return path_join(d->root, frame->name, path, err);
}

const dataset_ops dataset_tusimple = {.name = "tusimple", .open = open_tusimple, .picture_path = picture_path};
