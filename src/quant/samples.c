#include "quant/samples.h"

#include "base/memory.h"
#include "frame/preprocess.h"

typedef struct reading {
    samples *s;
    int most;
    const lanert_preset *preset;
    preprocess *pre;
    samples_progress *on_progress;
    void *context;
} reading;

static int take(reading *r, const lanert_frame *frame, lanert_error *err)
{
    uint8_t *out = r->s->pixels + (size_t)r->s->count * SAMPLE_BYTES;
    int rc = preprocess_run(r->pre, frame, preset_cut_rows(r->preset, frame->height), NET_WIDTH, NET_HEIGHT, out, err);
    if (rc)
        return rc;
    r->s->count++;
    if (r->on_progress && r->on_progress(r->context, r->s->count, r->most))
        return error_set(err, LANERT_END, "ended while frames were read");
    return 0;
}

/* Whether frame i of `frames` is one of `wanted` that are evenly spread. */
static bool is_wanted(int64_t i, int64_t frames, int wanted)
{
    return frames <= wanted || (i + 1) * wanted / frames > i * wanted / frames;
}

static int read_source(reading *r, const char *spec, int wanted, lanert_error *err)
{
    lanert_source *source;
    lanert_frame frame;
    int taken = 0, rc = lanert_source_open(spec, &source, err);
    if (rc)
        return rc;
    int64_t frames = lanert_source_describe(source)->frames;
    for (int64_t i = 0; !rc && taken < wanted; i++) {
        rc = lanert_source_read(source, &frame, err);
        if (rc == LANERT_END) { /* fewer frames than were asked for, or than a header says, are no failure */
            rc = 0;
            break;
        }
        if (!rc && is_wanted(i, frames, wanted)) {
            rc = take(r, &frame, err);
            taken++;
        }
    }
    lanert_source_close(&source);
    return rc;
}

int samples_read(const char *const *sources, int source_count, int count, const lanert_preset *preset,
                 samples_progress *on_progress, void *context, samples *s, lanert_error *err)
{
    reading r = {.s = s, .most = count, .preset = preset, .on_progress = on_progress, .context = context};
    int rc;
    *s = (samples){0};
    if ((rc = memory_new(&s->pixels, (size_t)count, SAMPLE_BYTES, err)) ||
        (rc = preprocess_open(LANERT_LINEAR, &r.pre, err)))
        goto out;
    for (int i = 0; !rc && i < source_count; i++)
        rc = read_source(&r, sources[i], count * (i + 1) / source_count - count * i / source_count, err);
    if (!rc && !s->count)
        rc = error_set(err, LANERT_EINVAL, "%s has no frames to calibrate with", sources[0]);
out:
    preprocess_close(&r.pre);
    if (rc)
        samples_free(s);
    return rc;
}

void samples_free(samples *s)
{
    free(s->pixels);
    *s = (samples){0};
}
