#include "quant/calibrate.h"

#include "quant/range.h"

typedef struct observing {
    const qdq *q;
    const samples *s;
    const trial_setup *setup;
    const qdq_value *values;
    int value_count;
    observer *observers; /* [scales] */
    int first, count;    /* values that are looked at now */
    calibration *c;
    samples_progress *on_progress;
    void *context;
    int64_t done, total;
} observing;

static int write_observed(const void *context, FILE *stream, const char *name, lanert_error *err)
{
    const observing *o = context;
    return qdq_write_observed(o->q, o->first, o->count, stream, name, err);
}

static int observe_frame(observing *o, trial *t, int frame, lanert_error *err)
{
    int count, rc = trial_run(t, samples_at(o->s, frame), err);
    const tensor *outputs = trial_outputs(t, &count);
    for (int i = 0; !rc && i < count; i++) {
        const qdq_value *v = &o->values[o->first + i];
        int64_t elements = tensor_elements(&outputs[i]);
        o->c->elements[o->first + i] = (double)elements;
        if (v->source)
            rc = observer_add(&o->observers[v->scale], outputs[i].data, elements, err);
    }
    if (!rc && o->on_progress && o->on_progress(o->context, ++o->done, o->total))
        rc = error_set(err, LANERT_END, "ended while the model was calibrated");
    return rc;
}

/* As many values at once as an engine has outputs. */
static int observe_all(observing *o, lanert_error *err)
{
    int rc = 0;
    for (o->first = 0; !rc && o->first < o->value_count; o->first += o->count) {
        trial *t;
        int left = o->value_count - o->first;
        o->count = left < ENGINE_MAX_TENSORS ? left : ENGINE_MAX_TENSORS;
        if ((rc = trial_open(o->setup, write_observed, o, NULL, &t, err)))
            return rc;
        for (int i = 0; !rc && i < o->s->count; i++)
            rc = observe_frame(o, t, i, err);
        trial_close(&t);
    }
    return rc;
}

int calibrate(const qdq *q, const samples *s, const trial_setup *setup, lanert_calibration method, bool is_unsigned,
              samples_progress *on_progress, void *context, calibration *c, lanert_error *err)
{
    observing o = {.q = q, .s = s, .setup = setup, .c = c, .on_progress = on_progress, .context = context};
    const int scales = qdq_scale_count(q);
    int rc;
    *c = (calibration){0};
    o.values = qdq_values(q, &o.value_count);
    o.total = (int64_t)s->count * ((o.value_count + ENGINE_MAX_TENSORS - 1) / ENGINE_MAX_TENSORS);
    if ((rc = memory_new(&o.observers, (size_t)scales, sizeof *o.observers, err)) ||
        (rc = memory_new(&c->ranges, (size_t)scales, sizeof *c->ranges, err)) ||
        (rc = memory_new(&c->elements, (size_t)o.value_count, sizeof *c->elements, err)) || (rc = observe_all(&o, err)))
        calibration_free(c);
    for (int i = 0; !rc && i < scales; i++)
        if (!qdq_known(q, i, &c->ranges[i]))
            c->ranges[i] = range_choose(&o.observers[i], method, is_unsigned);
    free(o.observers);
    return rc;
}

void calibration_free(calibration *c)
{
    FREE(c->ranges);
    FREE(c->elements);
}
