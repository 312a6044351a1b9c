/* val.c - opens an evaluation, and takes lanes from a detector or another journal. */
#include "eval/val.h"

#include "base/sha256.h"
#include "lane/lane_file.h"

void lanert_val_defaults(lanert_val_options *options)
{
    *options = (lanert_val_options){.shard = 1, .shards = 1};
}

/* What makes two runs the same: the data set and its frames, and where the lanes come from. */
static int make_key(lanert_val *val, const lanert_val_options *o, lanert_error *err)
{
    buffer text = {0};
    int rc = buffer_format(&text, err, "%s\n", o->dataset);
    for (size_t i = 0; !rc && i < val->data.count; i++)
        rc = buffer_format(&text, err, "%s\n", val->data.frames[i].name);
    if (!rc)
        rc = sha256_hex(text.data, text.size, val->key.frames, err);
    if (!rc && (o->predictions || o->identity || o->journal)) {
        buffer_clear(&text);
        rc = buffer_format(&text, err, "%s\n%s\n%d\n", o->predictions ? o->predictions : "",
                           o->identity ? o->identity : "", o->allow_missing);
        if (!rc)
            rc = sha256_hex(text.data, text.size, val->key.lanes, err);
    }
    buffer_free(&text);
    return rc;
}

static int open_val(lanert_val *val, const lanert_val_options *o, lanert_error *err)
{
    int rc;
    if (o->shards < 1 || o->shard < 1 || o->shard > o->shards)
        return error_set(err, LANERT_EINVAL, "shard %d of %d; expected 1 to N of N", o->shard, o->shards);
    if (o->threads < 0 || o->threads > VAL_MAX_THREADS)
        return error_set(err, LANERT_EINVAL, "%d threads; expected 0 (one for each processor) to %d", o->threads,
                         VAL_MAX_THREADS);
    if ((rc = dataset_open(o->dataset, o->root, o->list, o->predictions, &val->data, err)) ||
        (rc = memory_new(&val->records, val->data.count, sizeof *val->records, err)) || (rc = make_key(val, o, err)))
        return rc;
    val->shard = o->shard;
    val->shards = o->shards;
    val->threads = o->threads;
    val->allow_missing = o->allow_missing;
    if (o->journal)
        rc = journal_open(&val->journal, o->journal, &val->key, val->records, val->data.count, err);
    return rc;
}

int lanert_val_open(const lanert_val_options *options, lanert_val **val, lanert_error *err)
{
    *val = NULL;
    if (!options)
        return error_set(err, LANERT_EINVAL, "no options; expected a data set and its root");
    int rc = memory_new(val, 1, sizeof **val, err);
    if (rc)
        return rc;
    (*val)->journal.fd = -1;
    if ((rc = open_val(*val, options, err)))
        lanert_val_close(val);
    return rc;
}

void lanert_val_close(lanert_val **val)
{
    lanert_val *v = *val;
    if (!v)
        return;
    journal_close(&v->journal, NULL);
    scorer_close(&v->own);
    buffer_free(&v->text);
    free(v->records);
    dataset_close(&v->data);
    FREE(*val);
}

int64_t lanert_val_count(const lanert_val *val)
{
    return (int64_t)val->data.count;
}

bool val_wants(const lanert_val *val, size_t frame)
{
    return !val->records[frame].done && frame % (size_t)val->shards == (size_t)val->shard - 1;
}

int val_check_frame(const lanert_val *val, int64_t i, lanert_error *err)
{
    if (i >= 0 && (size_t)i < val->data.count)
        return 0;
    return error_set(err, LANERT_EINVAL, "frame %lld; there are %zu, numbered from 0", (long long)i, val->data.count);
}

static void fill_frame(const lanert_val *val, size_t i, lanert_val_frame *frame)
{
    const frame_record *r = &val->records[i];
    *frame = (lanert_val_frame){.name = val->data.frames[i].name,
                                .wanted = val_wants(val, i),
                                .done = r->done,
                                .missing = r->missing,
                                .predicted = r->predicted,
                                .labelled = r->labelled,
                                .accuracy = r->tusimple.accuracy,
                                .fp = r->tusimple.fp,
                                .fn = r->tusimple.fn};
    for (int t = 0; t < LANERT_VAL_THRESHOLDS; t++)
        frame->tp[t] = r->hits[t];
}

int lanert_val_frame_at(const lanert_val *val, int64_t i, lanert_val_frame *frame, lanert_error *err)
{
    int rc = val_check_frame(val, i, err);
    if (!rc)
        fill_frame(val, (size_t)i, frame);
    return rc;
}

int lanert_val_picture(const lanert_val *val, int64_t i, char **path, lanert_error *err)
{
    int rc = val_check_frame(val, i, err);
    *path = NULL;
    return rc ? rc : val->data.ops->picture_path(&val->data, &val->data.frames[i], path, err);
}

int val_keep(lanert_val *val, size_t frame, const frame_record *record, lanert_error *err)
{
    val->records[frame] = *record;
    return val->journal.fd < 0 ? 0 : journal_add(&val->journal, frame, record, err);
}

/* TuSimple's measure takes a picture that took over 200 ms as missed; the authors' validation states 1 ms for each
 * (clrnet/datasets/tusimple.py, save_tusimple_predictions). */
#define STATED_TIME_MS 1

/* The lanes as the prediction file would hold them: rounding to its decimals is part of the measure. */
static int write_prediction(lanert_val *val, const char *name, const lane_curve *curves, const lanert_result *result,
                            lanert_error *err)
{
    buffer_clear(&val->text);
    if (val->data.ops == &dataset_tusimple)
        return lane_file_tusimple(name, STATED_TIME_MS, curves, result->count, &val->text, err);
    return (val->data.ops == &dataset_llamas ? lane_file_llamas : lane_file_culane)(curves, result->count, &val->text,
                                                                                    err);
}

int val_open_own(lanert_val *val, lanert_error *err)
{
    int rc = val->opened ? 0 : scorer_open(&val->own, &val->data, err);
    val->opened |= !rc;
    return rc;
}

static int add_missing(lanert_val *val, int64_t i, lanert_error *err)
{
    frame_record record;
    const dataset_frame *frame = &val->data.frames[i];
    if (!val->allow_missing)
        return error_set(err, LANERT_EINVAL, "%s: no lanes; expected them, as missing frames are not allowed",
                         frame->name);
    int rc = val_open_own(val, err);
    if (!rc)
        rc = scorer_score_missing(&val->own, frame, &record, err);
    return rc ? rc : val_keep(val, (size_t)i, &record, err);
}

int lanert_val_add(lanert_val *val, int64_t i, int width, int height, const lanert_result *result, lanert_error *err)
{
    lane_curve curves[LANERT_MAX_LANES];
    frame_record record;
    int rc = val_check_frame(val, i, err);
    if (rc || !result)
        return rc ? rc : add_missing(val, i, err);
    const dataset_frame *frame = &val->data.frames[i];
    if (width < 1 || height < 1 || result->count < 0 || result->count > LANERT_MAX_LANES)
        return error_set(err, LANERT_EINVAL, "%s: %d lanes in a picture of %d×%d; expected 0 to %d lanes", frame->name,
                         result->count, width, height, LANERT_MAX_LANES);
    for (int k = 0; k < result->count; k++)
        lane_from_pixels(&result->lanes[k], width, height, &curves[k]);
    if ((rc = write_prediction(val, frame->name, curves, result, err)))
        return error_within(err, rc, "%s", frame->name);
    if ((rc = val_open_own(val, err)))
        return rc;
    rc = scorer_score_text(&val->own, frame, val->text.data ? val->text.data : "", val->text.size, frame->name, &record,
                           err);
    return rc ? rc : val_keep(val, (size_t)i, &record, err);
}

int lanert_val_merge(lanert_val *val, const char *path, lanert_error *err)
{
    return journal_read(path, &val->key, val->records, val->data.count, err);
}
