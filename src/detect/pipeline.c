/* pipeline.c - a source run through a detector, with reading, inference and the caller's own work in three
 * threads.
 *
 *     reader ──ready──▶ inference ──done──▶ caller's thread (on_result) ──idle──▶ reader
 *
 * A fixed set of slots goes round in bounded queues: order is kept, and nothing is allocated once every
 * slot has seen a picture. Of a live source, a new frame takes the place of one that still waits, which
 * counts as dropped. A picture that cannot be read goes round as a slot with an error, so that the caller hears of
 * it in its place. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/queue.h"
#include "detect/detector.h"
#include "frame/source.h"

/* How often the caller is asked whether to stop while no result comes. */
#define STOP_POLL_MS 100

typedef struct slot {
    picture pic;
    lanert_error bad; /* code 0: pic is sound */
    double read_ms;
    lanert_result result; /* its lanes are those below */
    lanert_lane lanes[LANERT_MAX_LANES];
} slot;

typedef struct pipeline {
    lanert_detector *det;
    lanert_source *source;
    bool live, pictures;
    int batch;
    slot *slots;
    int slot_count;
    queue idle, ready, done;
    atomic_bool stop;
    int64_t dropped;                      /* the reader's, until it is joined */
    lanert_error read_end, inference_end; /* how each thread ended; code 0: cleanly */
    slot **group;                         /* one batch: [batch] each */
    lanert_frame *frames;
    lanert_result *results;
} pipeline;

static void *read_frames(void *context)
{
    pipeline *p = context;
    void *item;
    while (!atomic_load(&p->stop) && queue_pop(&p->idle, &item)) {
        slot *s = item;
        int64_t start = clock_ns();
        s->bad.code = 0;
        int rc = source_read_into(p->source, &s->pic, &s->bad);
        s->pic.read_ns = clock_ns();
        s->read_ms = NS_TO_MS(s->pic.read_ns - start);
        if (rc && !(p->pictures && rc != LANERT_END && rc != LANERT_ENOMEM)) {
            if (rc != LANERT_END)
                p->read_end = s->bad;
            queue_push(&p->idle, s);
            break;
        }
        void *older;
        while (p->live && queue_try_pop(&p->ready, &older)) {
            p->dropped++;
            queue_push(&p->idle, older);
        }
        if (!queue_push(&p->ready, s))
            break;
    }
    queue_close(&p->ready);
    return NULL;
}

/* The next frames to go through the engine together: of files a full batch, of live sources what is there. */
static int gather(pipeline *p)
{
    int count = 0;
    void *item;
    while (count < p->batch && (count && p->live ? queue_try_pop(&p->ready, &item) : queue_pop(&p->ready, &item)))
        p->group[count++] = item;
    return count;
}

static int detect_group(pipeline *p, int count, lanert_error *err)
{
    int sound = 0;
    for (int i = 0; i < count; i++)
        if (!p->group[i]->bad.code)
            p->frames[sound++] = picture_frame(&p->group[i]->pic);
    int rc = sound ? lanert_detect(p->det, p->frames, sound, p->results, err) : 0;
    if (rc)
        return rc;
    int64_t now = clock_ns();
    for (int i = 0, r = 0; i < count; i++) {
        slot *s = p->group[i];
        if (s->bad.code)
            continue;
        s->result = p->results[r++];
        s->result.read_ms = s->read_ms;
        memcpy(s->lanes, s->result.lanes, (size_t)s->result.count * sizeof *s->lanes);
        s->result.lanes = s->lanes;
        /* A file is read ahead, so that its frames wait by design: their latency stays the sum of the stages. */
        if (p->live)
            s->result.latency_ms = NS_TO_MS(now - s->pic.read_ns);
    }
    return 0;
}

static void *infer(void *context)
{
    pipeline *p = context;
    int count;
    bool open = true;
    while (open && (count = gather(p)) > 0) {
        if (detect_group(p, count, &p->inference_end))
            break;
        for (int i = 0; i < count && open; i++)
            open = queue_push(&p->done, p->group[i]);
    }
    queue_close(&p->ready); /* the reader may wait to push */
    queue_close(&p->done);
    return NULL;
}

static void count_result(const slot *s, histogram *latency, lanert_stats *stats)
{
    stats->frames++;
    stats->lanes += s->result.count;
    stats->read_ms += s->read_ms;
    stats->preprocess_ms += s->result.preprocess_ms;
    stats->inference_ms += s->result.inference_ms;
    stats->decode_ms += s->result.decode_ms;
    histogram_add(latency, s->result.latency_ms);
}

/* Hands one slot to the caller. */
static int deliver(const slot *s, const lanert_run_options *o, histogram *latency, lanert_stats *stats,
                   lanert_error *err)
{
    if (s->bad.code) {
        int rc = o->on_bad_picture ? o->on_bad_picture(o->context, &s->bad) : s->bad.code;
        if (rc && err)
            *err = s->bad;
        stats->skipped += !rc;
        return rc;
    }
    count_result(s, latency, stats);
    int64_t start = clock_ns();
    lanert_frame frame = picture_frame(&s->pic);
    int rc = o->on_result ? o->on_result(o->context, &frame, &s->result, err) : 0;
    stats->write_ms += NS_TO_MS(clock_ns() - start);
    return rc;
}

/* What is on its way when the caller asks to stop is still delivered. */
static int deliver_all(pipeline *p, const lanert_run_options *o, histogram *latency, lanert_stats *stats,
                       lanert_error *err)
{
    void *item;
    int rc = 0;
    while (!rc && queue_pop_within(&p->done, &item, STOP_POLL_MS)) {
        if (item) {
            rc = deliver(item, o, latency, stats, err);
            queue_push(&p->idle, item);
        }
        if (o->should_stop && !atomic_load(&p->stop) && o->should_stop(o->context)) {
            atomic_store(&p->stop, true);
            source_interrupt(p->source);
        }
    }
    return rc;
}

static void pipeline_close(pipeline *p)
{
    for (int i = 0; i < p->slot_count; i++)
        picture_free(&p->slots[i].pic);
    queue_destroy(&p->idle);
    queue_destroy(&p->ready);
    queue_destroy(&p->done);
    FREE(p->slots);
    FREE(p->group);
    FREE(p->frames);
    FREE(p->results);
}

static int pipeline_open(pipeline *p, lanert_error *err)
{
    size_t batch = (size_t)p->batch;
    size_t ready = p->live ? 1 : batch + 1, done = batch + 1;
    /* One that is read into, one with the caller, and as many as the queues and a batch hold. */
    size_t count = 2 + ready + batch + done;
    int rc;
    if ((rc = memory_new(&p->slots, count, sizeof *p->slots, err)))
        return rc;
    p->slot_count = (int)count;
    if ((rc = memory_new(&p->group, batch, sizeof *p->group, err)) ||
        (rc = memory_new(&p->frames, batch, sizeof *p->frames, err)) ||
        (rc = memory_new(&p->results, batch, sizeof *p->results, err)) || (rc = queue_open(&p->idle, count, err)) ||
        (rc = queue_open(&p->ready, ready, err)) || (rc = queue_open(&p->done, done, err)))
        return rc;
    for (size_t i = 0; i < count; i++)
        queue_push(&p->idle, &p->slots[i]);
    return 0;
}

static int run_threads(pipeline *p, const lanert_run_options *o, histogram *latency, lanert_stats *stats,
                       lanert_error *err)
{
    pthread_t reader, inference;
    if (pthread_create(&reader, NULL, read_frames, p))
        return error_set(err, LANERT_ENOMEM, "a thread could not be started");
    if (pthread_create(&inference, NULL, infer, p)) {
        queue_close(&p->ready);
        queue_close(&p->idle);
        source_interrupt(p->source);
        pthread_join(reader, NULL);
        return error_set(err, LANERT_ENOMEM, "a thread could not be started");
    }
    int rc = deliver_all(p, o, latency, stats, err);
    atomic_store(&p->stop, true);
    queue_close(&p->idle);
    queue_close(&p->done);
    if (rc || p->inference_end.code)
        source_interrupt(p->source);
    pthread_join(inference, NULL);
    pthread_join(reader, NULL);
    const lanert_error *end = p->inference_end.code ? &p->inference_end : &p->read_end;
    if (!rc && end->code) {
        if (err)
            *err = *end;
        rc = end->code;
    }
    return rc;
}

int lanert_run(lanert_detector *det, lanert_source *source, const lanert_run_options *options, lanert_stats *stats,
               lanert_error *err)
{
    static const lanert_run_options nothing;
    lanert_stats own_stats;
    if (!det || !source)
        return error_set(err, LANERT_EINVAL, "lanert_run: det and source must not be NULL");
    const lanert_source_info *info = lanert_source_describe(source);
    pipeline p = {
        .det = det, .source = source, .live = info->live, .pictures = info->pictures, .batch = detector_batch(det)};
    histogram *latency = NULL;
    if (!stats)
        stats = &own_stats;
    *stats = (lanert_stats){0};
    int64_t start = clock_ns();
    int rc = memory_new(&latency, 1, sizeof *latency, err);
    if (!rc && !(rc = pipeline_open(&p, err)))
        rc = run_threads(&p, options ? options : &nothing, latency, stats, err);
    stats->elapsed_s = NS_TO_MS(clock_ns() - start) / 1e3;
    stats->dropped = p.dropped;
    if (latency) {
        stats->latency_p50_ms = histogram_percentile(latency, 50);
        stats->latency_p99_ms = histogram_percentile(latency, 99);
        stats->latency_max_ms = latency->max_ms;
    }
    pipeline_close(&p);
    FREE(latency);
    return rc;
}
