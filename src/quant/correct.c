#include "quant/correct.h"

typedef struct correcting {
    const qdq *q;
    const qdq_plan *plan;
    const samples *s;
    const qdq_layer *layers;
    int first, count; /* layers that are looked at now */
    float **shifts;   /* [layers] */
    samples_progress *on_progress;
    void *context;
    int64_t done, total;
} correcting;

static int write_shifts(const void *context, FILE *stream, const char *name, lanert_error *err)
{
    const correcting *c = context;
    return qdq_write_shifts(c->q, c->plan, c->first, c->count, stream, name, err);
}

/* The outputs are those layers of the group that have shifts, in their order. */
static int add_frame(correcting *c, trial *t, int frame, lanert_error *err)
{
    int count, next = 0, rc = trial_run(t, samples_at(c->s, frame), err);
    const tensor *outputs = trial_outputs(t, &count);
    for (int i = c->first; !rc && i < c->first + c->count; i++) {
        if (!c->shifts[i])
            continue;
        if (next == count || tensor_elements(&outputs[next]) != c->layers[i].channels)
            return error_set(err, LANERT_EENGINE, "the engine gives no mean for each of %d channels of %s",
                             c->layers[i].channels, c->layers[i].name);
        const float *mean = outputs[next++].data;
        for (int k = 0; k < c->layers[i].channels; k++)
            c->shifts[i][k] += mean[k] / (float)c->s->count;
    }
    if (!rc && c->on_progress && c->on_progress(c->context, ++c->done, c->total))
        rc = error_set(err, LANERT_END, "ended while biases were corrected");
    return rc;
}

static int correct_group(correcting *c, const trial_setup *setup, lanert_error *err)
{
    trial *t;
    int rc = trial_open(setup, write_shifts, c, NULL, &t, err);
    for (int i = 0; !rc && i < c->s->count; i++)
        rc = add_frame(c, t, i, err);
    trial_close(&t);
    return rc;
}

int correct(const qdq *q, const qdq_plan *plan, const samples *s, const trial_setup *setup,
            samples_progress *on_progress, void *context, float ***shifts, lanert_error *err)
{
    correcting c = {.q = q, .plan = plan, .s = s, .on_progress = on_progress, .context = context};
    int layers, rc;
    c.layers = qdq_layers(q, &layers);
    c.total = (int64_t)s->count * ((layers + ENGINE_MAX_TENSORS - 1) / ENGINE_MAX_TENSORS);
    rc = memory_new(&c.shifts, (size_t)layers, sizeof *c.shifts, err);
    for (int i = 0; !rc && i < layers; i++)
        if (plan->layers[i] && c.layers[i].biased)
            rc = memory_new(&c.shifts[i], (size_t)c.layers[i].channels, sizeof **c.shifts, err);
    for (c.first = 0; !rc && c.first < layers; c.first += c.count) {
        bool any = false;
        c.count = layers - c.first < ENGINE_MAX_TENSORS ? layers - c.first : ENGINE_MAX_TENSORS;
        for (int i = c.first; i < c.first + c.count; i++)
            any |= c.shifts[i] != NULL;
        if (any)
            rc = correct_group(&c, setup, err);
    }
    *shifts = c.shifts;
    if (rc)
        correct_free(q, shifts);
    return rc;
}

void correct_free(const qdq *q, float ***shifts)
{
    int layers;
    qdq_layers(q, &layers);
    for (int i = 0; *shifts && i < layers; i++)
        free((*shifts)[i]);
    FREE(*shifts);
}
