/* val_run.c - scores prediction files in threads. */
#include <unistd.h>

#include "eval/val.h"

/* What the threads share. Frames are handed out in order, so of several that fail the first is known in the end,
 * whatever the number of threads: every frame before it was handed out and is finished. */
typedef struct run {
    lanert_val *val;
    pthread_mutex_t lock;
    size_t next, failed; /* failed: the first frame that did, or the count */
    int64_t done, wanted;
    bool stop;
    int rc;
    lanert_error err;
} run;

static bool take(run *r, size_t *frame)
{
    pthread_mutex_lock(&r->lock);
    while (r->next < r->val->data.count && !val_wants(r->val, r->next))
        r->next++;
    bool some = !r->stop && r->next < r->val->data.count;
    *frame = some ? r->next++ : r->next;
    pthread_mutex_unlock(&r->lock);
    return some;
}

static void fail(run *r, size_t frame, int rc, const lanert_error *err)
{
    r->stop = true;
    if (!r->rc || frame < r->failed) {
        r->failed = frame;
        r->rc = rc;
        r->err = *err;
    }
}

static void put(run *r, size_t frame, const frame_record *record, int rc, lanert_error *err)
{
    pthread_mutex_lock(&r->lock);
    if (!rc)
        rc = val_keep(r->val, frame, record, err);
    if (rc)
        fail(r, frame, rc, err);
    else
        r->done++;
    pthread_mutex_unlock(&r->lock);
}

static int64_t done_now(run *r)
{
    pthread_mutex_lock(&r->lock);
    int64_t done = r->done;
    pthread_mutex_unlock(&r->lock);
    return done;
}

/* on_progress is NULL but on the caller's own thread. */
static void work(run *r, lanert_val_on_progress *on_progress, void *context)
{
    scorer s;
    frame_record record;
    lanert_error err = {0};
    size_t frame = 0;
    int rc = scorer_open(&s, &r->val->data, &err);
    if (rc)
        put(r, frame, NULL, rc, &err);
    while (!rc && take(r, &frame)) {
        put(r, frame, &record, scorer_score(&s, &r->val->data.frames[frame], r->val->allow_missing, &record, &err),
            &err);
        if (on_progress && on_progress(context, done_now(r), r->wanted))
            rc = LANERT_END;
    }
    if (rc == LANERT_END) {
        pthread_mutex_lock(&r->lock);
        error_set(&err, rc, "ended before all frames were scored");
        fail(r, r->val->data.count, rc, &err);
        pthread_mutex_unlock(&r->lock);
    }
    scorer_close(&s);
}

static void *work_thread(void *r)
{
    work(r, NULL, NULL);
    return NULL;
}

static int thread_count(const lanert_val *val)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long threads = val->threads ? val->threads : processors > 0 ? processors : 1;
    return (int)(threads < VAL_MAX_THREADS ? threads : VAL_MAX_THREADS);
}

int lanert_val_run(lanert_val *val, lanert_val_on_progress *on_progress, void *context, lanert_error *err)
{
    pthread_t threads[VAL_MAX_THREADS];
    int started = 0, count = thread_count(val);
    run r = {.val = val, .lock = PTHREAD_MUTEX_INITIALIZER, .failed = val->data.count};
    if (!val->data.predictions)
        return error_set(err, LANERT_EINVAL, "no predictions; expected a folder or file of lanes to score");
    for (size_t i = 0; i < val->data.count; i++)
        r.wanted += val_wants(val, i);
    /* A thread that cannot be had is done without. */
    while (started < count - 1 && pthread_create(&threads[started], NULL, work_thread, &r) == 0)
        started++;
    work(&r, on_progress, context);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&r.lock);
    return r.rc ? error_set(err, r.rc, "%s", r.err.text) : 0;
}
