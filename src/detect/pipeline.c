/* pipeline.c - a source run through a detector, with reading, inference and the caller's own work in three
 * threads.
 *
 *     reader ──ready──▶ inference ──done──▶ caller's thread (on_result) ──idle──▶ reader
 *
 * A fixed set of slots goes round in bounded queues: order is kept, and nothing is allocated once every
 * slot has seen a picture. A picture that cannot be read goes round as a slot with an error, so that the caller hears
 * of it in its place.
 *
 * Of a live source, and of a file that is paced as if it were one, a new frame takes the place of one that still
 * waits, and inference takes a frame only where its result can be handed on: no frame grows old in a queue. Every
 * frame that was received is handed to the caller or counted as dropped. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/queue.h"
#include "detect/deadline.h"
#include "detect/detector.h"
#include "frame/source.h"

/* How often the caller is asked whether to stop while no result comes. */
#define STOP_POLL_MS 100
/* Frames a second that a file may be paced at. */
#define MIN_RATE 1e-3
#define MAX_RATE 1e6

typedef struct slot {
    picture pic;
    lanert_error bad;   /* code 0: pic is sound */
    int64_t arrived_ns; /* when it was read or, of a paced file, due */
    double read_ms;
    lanert_result result; /* its lanes are those below */
    lanert_lane lanes[LANERT_MAX_LANES];
} slot;

typedef struct pipeline {
    lanert_detector *det;
    lanert_source *source;
    bool live, pictures; /* live: the newest frame wins */
    double rate;         /* frames a second that a file is paced at; 0: not */
    double deadline_ms;  /* 0: none */
    int batch;
    slot *slots;
    int slot_count;
    queue idle, ready, done;
    atomic_bool stop;
    int64_t received, start_ns; /* the reader's, until it is joined */
    _Atomic int64_t dropped;
    lanert_error read_end, inference_end; /* how each thread ended; code 0: cleanly */
    slot **group;                         /* one batch: [batch] each */
    lanert_frame *frames;
    lanert_result *results;
} pipeline;

/* Of a frame that will have no result. */
static void drop(pipeline *p, slot *s)
{
    p->dropped++;
    queue_push(&p->idle, s);
}

/* A camera's frames come at fixed times, however long each takes to read. */
static void wait_until_due(pipeline *p, slot *s)
{
    if (!p->start_ns)
        p->start_ns = s->arrived_ns;
    int64_t left, due = p->start_ns + (int64_t)((double)p->received * 1e9 / p->rate);
    while ((left = due - clock_ns()) > 0 && !atomic_load(&p->stop)) {
        int64_t nap = left < STOP_POLL_MS * INT64_C(1000000) ? left : STOP_POLL_MS * INT64_C(1000000);
        nanosleep(&(struct timespec){.tv_nsec = nap}, NULL);
    }
    if (s->arrived_ns < due)
        s->arrived_ns = left > 0 ? clock_ns() : due;
}

/* False at the source's end. */
static bool read_frame(pipeline *p, slot *s)
{
    int64_t start = clock_ns();
    s->bad.code = 0;
    int rc = source_read_into(p->source, &s->pic, &s->bad);
    s->arrived_ns = clock_ns();
    s->read_ms = NS_TO_MS(s->arrived_ns - start);
    if (rc && (!p->pictures || rc == LANERT_END || rc == LANERT_ENOMEM)) {
        if (rc != LANERT_END)
            p->read_end = s->bad;
        return false;
    }
    if (p->rate > 0)
        wait_until_due(p, s);
    p->received++;
    return true;
}

static void *read_frames(void *context)
{
    pipeline *p = context;
    void *item;
    while (!atomic_load(&p->stop) && queue_pop(&p->idle, &item)) {
        void *older;
        if (!read_frame(p, item)) {
            queue_push(&p->idle, item);
            break;
        }
        while (p->live && queue_try_pop(&p->ready, &older))
            drop(p, older);
        if (!queue_push(&p->ready, item)) {
            drop(p, item);
            break;
        }
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
    for (int i = 0, r = 0; i < count; i++) {
        slot *s = p->group[i];
        if (s->bad.code)
            continue;
        s->result = p->results[r++];
        s->result.read_ms = s->read_ms;
        memcpy(s->lanes, s->result.lanes, (size_t)s->result.count * sizeof *s->lanes);
        s->result.lanes = s->lanes;
    }
    return 0;
}

static void *infer(void *context)
{
    pipeline *p = context;
    int count;
    bool open = true;
    while (open && (!p->live || queue_wait_room(&p->done)) && (count = gather(p)) > 0) {
        open = !detect_group(p, count, &p->inference_end);
        for (int i = 0; i < count; i++) {
            open = open && queue_push(&p->done, p->group[i]);
            if (!open)
                drop(p, p->group[i]);
        }
    }
    queue_close(&p->ready); /* the reader may wait to push */
    queue_close(&p->done);
    return NULL;
}

static void count_result(const slot *s, histogram *latency, lanert_stats *stats)
{
    stats->frames++;
    stats->late += s->result.late;
    stats->lanes += s->result.count;
    stats->read_ms += s->read_ms;
    stats->preprocess_ms += s->result.preprocess_ms;
    stats->inference_ms += s->result.inference_ms;
    stats->decode_ms += s->result.decode_ms;
    histogram_add(latency, s->result.latency_ms);
}

/* Hands one slot to the caller. */
static int deliver(const pipeline *p, slot *s, const lanert_run_options *o, histogram *latency, lanert_stats *stats,
                   lanert_error *err)
{
    if (s->bad.code) {
        int rc = o->on_bad_picture ? o->on_bad_picture(o->context, &s->bad) : s->bad.code;
        if (rc && err)
            *err = s->bad;
        stats->skipped++;
        return rc;
    }
    int64_t start = clock_ns();
    /* A file is read ahead, so that its frames wait by design: their latency stays the sum of the stages. */
    if (p->live)
        s->result.latency_ms = NS_TO_MS(start - s->arrived_ns);
    s->result.late = p->deadline_ms > 0 && s->result.latency_ms > p->deadline_ms;
    count_result(s, latency, stats);
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
            rc = deliver(p, item, o, latency, stats, err);
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
    size_t ready = p->live ? 1 : batch, done = batch;
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

/* What the options mean for this source. */
static int set_pace(pipeline *p, const lanert_run_options *o, lanert_error *err)
{
    const lanert_source_info *info = lanert_source_describe(p->source);
    p->live = info->live || o->rate != 0;
    p->rate = o->rate == LANERT_OWN_RATE ? info->rate : o->rate;
    if (info->live && o->rate != 0)
        return error_set(err, LANERT_EINVAL, "%s is live: its frames come at their own pace, and none can be set",
                         info->name);
    if (o->rate == LANERT_OWN_RATE && !(info->rate > 0))
        return error_set(err, LANERT_EINVAL, "%s has no frame rate of its own; say how many frames a second",
                         info->name);
    if (p->rate != 0 && !(p->rate >= MIN_RATE && p->rate <= MAX_RATE))
        return error_set(err, LANERT_EINVAL, "rate is %g; expected frames a second, %g to %g", o->rate, MIN_RATE,
                         MAX_RATE);
    return 0;
}

static int set_deadline(pipeline *p, const lanert_run_options *o, lanert_error *err)
{
    const lanert_source_info *info = lanert_source_describe(p->source);
    if (o->deadline_ms == LANERT_AUTO_DEADLINE)
        return p->live ? deadline_measure(p->det, info, o, &p->deadline_ms, err) : 0;
    p->deadline_ms = o->deadline_ms;
    if (!(o->deadline_ms >= 0 && isfinite(o->deadline_ms)))
        return error_set(err, LANERT_EINVAL,
                         "deadline_ms is %g; expected milliseconds, 0 for none, or LANERT_AUTO_DEADLINE",
                         o->deadline_ms);
    if (o->deadline_ms > 0 && !p->live)
        return error_set(err, LANERT_EINVAL,
                         "a deadline is for frames that come at a pace, and %s is a file, read as fast as it goes: set "
                         "a rate",
                         info->name);
    return 0;
}

int lanert_run(lanert_detector *det, lanert_source *source, const lanert_run_options *options, lanert_stats *stats,
               lanert_error *err)
{
    static const lanert_run_options nothing;
    lanert_stats own_stats;
    histogram *latency = NULL;
    int rc;
    if (!stats)
        stats = &own_stats;
    *stats = (lanert_stats){0};
    if (!det || !source)
        return error_set(err, LANERT_EINVAL, "lanert_run: det and source must not be NULL");
    if (!options)
        options = &nothing;
    pipeline p = {.det = det,
                  .source = source,
                  .pictures = lanert_source_describe(source)->pictures,
                  .batch = detector_batch(det)};
    if ((rc = set_pace(&p, options, err)) || (rc = set_deadline(&p, options, err)))
        return rc;
    stats->deadline_ms = p.deadline_ms;
    int64_t start = clock_ns();
    if (!(rc = memory_new(&latency, 1, sizeof *latency, err)) && !(rc = pipeline_open(&p, err)))
        rc = run_threads(&p, options, latency, stats, err);
    stats->elapsed_s = NS_TO_MS(clock_ns() - start) / 1e3;
    stats->received = p.received;
    stats->dropped = p.dropped + (int64_t)(p.ready.count + p.done.count); /* queues of a run that failed */
    if (latency) {
        stats->latency_p50_ms = histogram_percentile(latency, 50);
        stats->latency_p99_ms = histogram_percentile(latency, 99);
        stats->latency_max_ms = latency->max_ms;
    }
    pipeline_close(&p);
    FREE(latency);
    return rc;
}
