#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/outputs.h"
#include "cli/val.h"

/* ---- drawing ---- */

typedef struct drawing {
    const val_job *job;
    lanert_val *lanes, *truth;
    lanert_model *model; /* NULL: the lanes are those of lanes' predictions */
    lanert_detector *det;
    lanert_lane found[LANERT_MAX_LANES], known[LANERT_MAX_LANES];
} drawing;

static int find_lanes(drawing *d, int64_t i, const lanert_frame *frame, lanert_result *result, lanert_error *err)
{
    *result = (lanert_result){.lanes = d->found, .latency_ms = -1}; /* of files it is not known */
    return d->det ? lanert_detect(d->det, frame, 1, result, err)
                  : lanert_val_lanes(d->lanes, i, LANERT_VAL_PREDICTED, d->found, &result->count, err);
}

/* A name that sorts as the frames do: "DIR/003_drive_00030.jpg". */
static char *make_path(const char *folder, int place, const char *picture, const char *name)
{
    const char *end = strrchr(name, '.'), *extension = strrchr(picture, '.');
    char *file = NULL;
    if (asprintf(&file, "%03d_%.*s%s", place + 1, (int)(end ? (size_t)(end - name) : strlen(name)), name,
                 extension ? extension : ".png") < 0)
        return NULL;
    for (char *p = file; *p; p++)
        if (*p == '/')
            *p = '_';
    char *path = output_join(folder, file);
    free(file);
    return path;
}

static void make_title(const val_job *job, const lanert_val_frame *f, char *title, size_t size)
{
    if (!strcmp(job->data.dataset, "tusimple"))
        snprintf(title, size, "accuracy %.2f %%", 100 * f->accuracy);
    else
        snprintf(title, size, "TP %d, FP %d, FN %d", f->tp[0], f->predicted - f->tp[0], f->labelled - f->tp[0]);
}

static int write_picture(const val_job *job, const lanert_val_frame *known, const char *path, const lanert_frame *frame,
                         const lanert_result *result, lanert_error *err)
{
    char title[64];
    lanert_sink *sink = NULL;
    const lanert_sink_options options = {.format = "pictures", .force = job->force, .title = title, .truth = true};
    make_title(job, known, title, sizeof title);
    int rc = lanert_sink_open(path, &options, &sink, err);
    if (!rc)
        rc = lanert_sink_write(sink, frame, result, err);
    if (!rc)
        rc = lanert_sink_finish(sink, err);
    lanert_sink_close(&sink);
    return rc;
}

static int draw_picture(drawing *d, int64_t i, int place, const char *picture, lanert_source *source)
{
    lanert_error err;
    lanert_val_frame known;
    lanert_frame frame;
    lanert_result result;
    int which = d->truth == d->lanes ? LANERT_VAL_LABELLED : LANERT_VAL_PREDICTED;
    int rc = lanert_source_read(source, &frame, &err);
    if (rc || (rc = find_lanes(d, i, &frame, &result, &err)) ||
        (rc = lanert_val_lanes(d->truth, i, which, d->known, &frame.truth_count, &err)) ||
        (rc = lanert_val_frame_at(d->lanes, i, &known, &err)))
        return val_failed(rc, &err);
    frame.truth = d->known;
    char *path = make_path(d->job->worst_folder, place, picture, known.name);
    rc = path ? write_picture(d->job, &known, path, &frame, &result, &err) : LANERT_ENOMEM;
    if (rc)
        say_error("%s", path ? err.text : "out of memory");
    free(path);
    return rc ? EXIT_FAILED : EXIT_DONE;
}

static int draw_frame(drawing *d, int64_t i, int place)
{
    lanert_source *source = NULL;
    lanert_error err;
    char *picture = NULL;
    int rc = lanert_val_picture(d->lanes, i, &picture, &err);
    if (!rc)
        rc = lanert_source_open_pictures((const char *const *)&picture, 1, &source, &err);
    int status = rc ? val_failed(rc, &err) : draw_picture(d, i, place, picture, source);
    lanert_source_close(&source);
    free(picture);
    return status;
}

int val_draw(const val_job *job, lanert_val *lanes, lanert_val *truth, const int64_t *frames, int count)
{
    drawing d = {.job = job, .lanes = lanes, .truth = truth};
    int status = count ? output_folder_make(job->worst_folder) : EXIT_DONE;
    if (!status && job->detector.model)
        status = detector_options_open(&job->detector, &d.model, &d.det);
    for (int k = 0; k < count && !status && !interrupted(); k++)
        status = draw_frame(&d, frames[k], k);
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
