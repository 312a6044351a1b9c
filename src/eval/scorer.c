/* scorer.c - reads a frame's annotation and prediction, and measures them. */
#include "eval/scorer.h"

int scorer_open(scorer *s, const dataset *data, lanert_error *err)
{
    *s = (scorer){.data = data};
    return data->ops->rules ? overlap_open(&s->overlap, data->ops->rules, err) : 0;
}

void scorer_close(scorer *s)
{
    overlap_close(&s->overlap);
    lane_set_free(&s->predicted);
    lane_set_free(&s->truth);
    tusimple_frame_free(&s->prediction);
    tusimple_frame_free(&s->label);
}

static int bench(scorer *s, const dataset_frame *frame, frame_record *record, lanert_error *err)
{
    const text_piece *truth = &frame->truth;
    int rc = tusimple_read(truth->data, truth->size, s->data->labels, truth->line, TUSIMPLE_LABEL, &s->label, err);
    if (!rc)
        rc = tusimple_bench(&s->prediction, &s->label, &record->tusimple, err);
    record->predicted = (uint16_t)s->prediction.lanes.lane_count;
    record->labelled = (uint16_t)s->label.lanes.lane_count;
    return rc;
}

static int read_truth(scorer *s, const char *path, lanert_error *err)
{
    file_map map;
    int rc = file_map_open(path, DATASET_MAX_FRAME_FILE, &map, err);
    if (rc == LANERT_ENOTFOUND)
        return error_set(err, rc, "%s: no annotation for this picture; expected one for each in the list", path);
    if (rc)
        return rc;
    const char *text = map.size ? (const char *)map.data : "";
    rc = s->data->ops->rules->curved_truth ? lanes_read_text(text, map.size, path, &s->truth, err)
                                           : llamas_read_label(text, map.size, path, &s->truth, err);
    file_map_close(&map);
    return rc;
}

/* s->predicted against the frame's annotation. */
static int match(scorer *s, const dataset_frame *frame, frame_record *record, lanert_error *err)
{
    char *path;
    int rc = s->data->ops->truth_path(s->data, frame, &path, err);
    if (rc)
        return rc;
    if (!(rc = read_truth(s, path, err)))
        rc = overlap_score(&s->overlap, &s->predicted, &s->truth, record->hits, err);
    record->predicted = (uint16_t)s->predicted.lane_count;
    record->labelled = (uint16_t)s->truth.lane_count;
    free(path);
    return rc;
}

int scorer_score_text(scorer *s, const dataset_frame *frame, const char *text, size_t size, const char *name,
                      frame_record *record, lanert_error *err)
{
    int rc;
    *record = (frame_record){0};
    if (s->data->ops->rules) {
        if (!(rc = lanes_read_text(text, size, name, &s->predicted, err)))
            rc = match(s, frame, record, err);
    } else if (!(rc = tusimple_read(text, size, name, frame->prediction.line, TUSIMPLE_PREDICTION, &s->prediction,
                                    err))) {
        rc = bench(s, frame, record, err);
    }
    record->done = !rc;
    return rc;
}

int scorer_score_missing(scorer *s, const dataset_frame *frame, frame_record *record, lanert_error *err)
{
    *record = (frame_record){.missing = true};
    lane_set_clear(&s->predicted, "");
    lane_set_clear(&s->prediction.lanes, "");
    s->prediction.run_time = 0;
    int rc = s->data->ops->rules ? match(s, frame, record, err) : bench(s, frame, record, err);
    record->done = !rc;
    return rc;
}

#define MISSING_ADVICE "no prediction for this picture; --allow-missing counts such pictures as without lanes"

int scorer_score(scorer *s, const dataset_frame *frame, bool allow_missing, frame_record *record, lanert_error *err)
{
    const dataset *d = s->data;
    const text_piece *piece = &frame->prediction;
    char *path;
    file_map map;
    int rc;
    if (!d->ops->rules) {
        if (piece->line)
            return scorer_score_text(s, frame, piece->data, piece->size, d->predictions, record, err);
        return allow_missing ? scorer_score_missing(s, frame, record, err)
                             : error_set(err, LANERT_ENOTFOUND, "%s: %s: " MISSING_ADVICE, d->predictions, frame->name);
    }
    if ((rc = d->ops->prediction_path(d, frame, &path, err)))
        return rc;
    rc = file_map_open(path, DATASET_MAX_FRAME_FILE, &map, err);
    if (!rc) {
        rc = scorer_score_text(s, frame, map.size ? (const char *)map.data : "", map.size, path, record, err);
        file_map_close(&map);
    } else if (rc == LANERT_ENOTFOUND) {
        rc = allow_missing ? scorer_score_missing(s, frame, record, err)
                           : error_set(err, rc, "%s: " MISSING_ADVICE, path);
    }
    free(path);
    return rc;
}
