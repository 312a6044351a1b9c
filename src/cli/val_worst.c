#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/val.h"

/* ---- drawing ---- */

typedef struct drawing {
    lanert_val *lanes, *truth;
    lanert_model *model; /* NULL: the lanes are those of lanes' predictions */
    lanert_detector *det;
    lanert_sink *sink;
    lanert_lane found[LANERT_MAX_LANES], known[LANERT_MAX_LANES];
} drawing;

static int find_lanes(drawing *d, int64_t i, const lanert_frame *frame, lanert_result *result, lanert_error *err)
{
    *result = (lanert_result){.lanes = d->found};
    return d->det ? lanert_detect(d->det, frame, 1, result, err)
                  : lanert_val_lanes(d->lanes, i, LANERT_VAL_PREDICTED, d->found, &result->count, err);
}

/* A name that sorts as the frames do: "003_drive_00030.jpg". */
static void make_name(char *out, size_t size, int place, const char *path, const char *name)
{
    const char *end = strrchr(name, '.'), *extension = strrchr(path, '.');
    snprintf(out, size, "%03d_%.*s%s", place + 1, (int)(end ? end - name : (long)strlen(name)), name,
             extension ? extension : "");
    for (; *out; out++)
        if (*out == '/')
            *out = '_';
}

static int draw_picture(drawing *d, int64_t i, int place, const char *path, lanert_source *source, lanert_error *err)
{
    char name[1024];
    lanert_val_frame known;
    lanert_frame frame;
    lanert_result result;
    int which = d->truth == d->lanes ? LANERT_VAL_LABELLED : LANERT_VAL_PREDICTED;
    int rc = lanert_source_read(source, &frame, err);
    if (rc || (rc = find_lanes(d, i, &frame, &result, err)) ||
        (rc = lanert_val_lanes(d->truth, i, which, d->known, &frame.truth_count, err)) ||
        (rc = lanert_val_frame_at(d->lanes, i, &known, err)))
        return rc;
    make_name(name, sizeof name, place, path, known.name);
    frame.name = name;
    frame.truth = d->known;
    return lanert_sink_write(d->sink, &frame, &result, err);
}

static int draw_frame(drawing *d, int64_t i, int place, lanert_error *err)
{
    lanert_source *source = NULL;
    char *path = NULL;
    int rc = lanert_val_picture(d->lanes, i, &path, err);
    if (!rc && !(rc = lanert_source_open_pictures((const char *const *)&path, 1, &source, err)))
        rc = draw_picture(d, i, place, path, source, err);
    lanert_source_close(&source);
    free(path);
    return rc;
}

static int draw_all(drawing *d, const val_job *job, const int64_t *frames, int count)
{
    static const lanert_source_info pictures = {.frames = -1, .pictures = true};
    const lanert_sink_options options = {.format = "pictures", .source = &pictures, .force = job->force, .truth = true};
    lanert_error err;
    if (lanert_sink_open(job->worst_folder, &options, &d->sink, &err)) {
        say_error("%s", err.text);
        return EXIT_FAILED;
    }
    for (int k = 0, rc; k < count && !interrupted(); k++)
        if ((rc = draw_frame(d, frames[k], k, &err)))
            return val_failed(rc, &err);
    return EXIT_DONE;
}

int val_draw(const val_job *job, lanert_val *lanes, lanert_val *truth, const int64_t *frames, int count)
{
    drawing d = {.lanes = lanes, .truth = truth};
    int status = job->detector.model ? detector_options_open(&job->detector, &d.model, &d.det) : EXIT_DONE;
    if (!status)
        status = draw_all(&d, job, frames, count);
    lanert_sink_close(&d.sink);
    lanert_detector_close(&d.det);
    lanert_model_close(&d.model);
    return status;
}

/* ---- choosing ---- */

typedef struct cost {
    int64_t frame;
    double errors, tie;
} cost;

static cost cost_of(const lanert_val_frame *f, int64_t i)
{
    cost c = {.frame = i, .errors = f->predicted + f->labelled - 2 * f->tp[0]};
    for (int t = 0; t < LANERT_VAL_THRESHOLDS; t++)
        c.tie -= f->tp[t];
    return c;
}

static cost cost_of_tusimple(const lanert_val_frame *f, int64_t i)
{
    return (cost){.frame = i, .errors = 1 - f->accuracy, .tie = f->fp + f->fn};
}

static int by_cost(const void *a, const void *b)
{
    const cost *p = a, *q = b;
    if (p->errors != q->errors)
        return p->errors < q->errors ? 1 : -1;
    if (p->tie != q->tie)
        return p->tie < q->tie ? 1 : -1;
    return (p->frame > q->frame) - (p->frame < q->frame);
}

/* The finished frames with errors; returns how many. */
static int64_t list_costs(const val_job *job, const lanert_val *val, cost *costs)
{
    lanert_val_frame frame;
    int64_t count = 0;
    bool tusimple = !strcmp(job->data.dataset, "tusimple");
    for (int64_t i = 0; lanert_val_frame_at(val, i, &frame, NULL) == 0; i++) {
        cost c = tusimple ? cost_of_tusimple(&frame, i) : cost_of(&frame, i);
        if (frame.done && c.errors > 0)
            costs[count++] = c;
    }
    return count;
}

int val_draw_worst(const val_job *job, lanert_val *val)
{
    int status = EXIT_FAILED;
    cost *costs = calloc((size_t)lanert_val_count(val), sizeof *costs);
    int64_t *frames = calloc((size_t)job->worst, sizeof *frames);
    if (costs && frames) {
        int64_t count = list_costs(job, val, costs);
        if (count)
            qsort(costs, (size_t)count, sizeof *costs, by_cost);
        count = count < job->worst ? count : job->worst;
        for (int64_t k = 0; k < count; k++)
            frames[k] = costs[k].frame;
        status = val_draw(job, val, val, frames, (int)count);
    } else {
        say_error("out of memory");
    }
    free(costs);
    free(frames);
    return status;
}
