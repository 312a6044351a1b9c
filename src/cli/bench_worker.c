/* The process that measures one row. A request is a line of JSON on standard input, its answer a line on what was
 * standard output:
 *
 *     {"open": {"model": …, "engine": …, …}}                     → what was opened
 *     {"measure": "steady", "frames": n, "seconds": s, …}        → {}
 *     {"report": true}                                           → a report of each phase
 *
 * An answer with "error" says what is wrong instead. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/bench.h"

#define MAX_BATCH 64

enum { PIPELINE, STEADY, PACED, CONTENDED, PHASES };

static const char *const phase_names[] = {"pipeline", "steady", "paced", "contended", NULL};

typedef struct worker {
    lanert_model *model;
    lanert_detector *det;
    char *source;
    int batch, warmup;
    double deadline_ms; /* LANERT_AUTO_DEADLINE: by the median of the steady phase */
    bench_frames frames;
    int next; /* the frame in memory that comes next */
    bench_phase phases[PHASES];
} worker;

/* When a round ends. */
typedef struct round_limit {
    int64_t frames; /* 0: no limit */
    double until_s; /* 0: no limit */
} round_limit;

static json_t *failure(const char *text)
{
    return json_pack("{s:o}", "error", bench_string(text));
}

static bool is_over(const round_limit *limit, int64_t frames)
{
    return interrupted() || (limit->frames && frames >= limit->frames) ||
           (limit->until_s > 0 && now_s() >= limit->until_s);
}

/* ---- frames from memory ---- */

static int detect_next(worker *w, lanert_result *results, lanert_error *err)
{
    lanert_frame group[MAX_BATCH];
    for (int i = 0; i < w->batch; i++, w->next = (w->next + 1) % w->frames.count)
        group[i] = w->frames.list[w->next];
    return lanert_detect(w->det, group, w->batch, results, err);
}

/* One call after the other. */
static int run_steady(worker *w, bench_phase *phase, const round_limit *limit, lanert_error *err)
{
    lanert_result results[MAX_BATCH];
    int64_t frames = 0;
    double start = now_s(), before = start, now = start;
    bool room = true;
    while (room && !is_over(limit, frames)) {
        int rc = detect_next(w, results, err);
        if (rc)
            return rc;
        now = now_s();
        for (int i = 0; i < w->batch && room; i++)
            room = bench_phase_add(phase, &results[i], (now - before) * 1e3);
        frames += w->batch;
        before = now;
    }
    return bench_phase_end_round(phase, now - start) ? 0 : LANERT_ENOMEM;
}

static void sleep_until(double when_s)
{
    struct timespec t = {.tv_sec = (time_t)when_s, .tv_nsec = (long)((when_s - floor(when_s)) * 1e9)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR && !interrupted())
        ;
}

/* As a camera brings them: frame k arrives at start + k / rate. Where the detector is behind, the newest wait for it
 * and the older are dropped. */
static int run_paced(worker *w, bench_phase *phase, const round_limit *limit, double rate, lanert_error *err)
{
    lanert_result results[MAX_BATCH];
    double start = now_s(), now = start;
    int64_t first = 0; /* of the batch that is waited for */
    bool room = true;
    while (room && !is_over(limit, first)) {
        sleep_until(start + (double)(first + w->batch - 1) / rate);
        int64_t arrived = (int64_t)((now_s() - start) * rate) + 1;
        if (arrived > first + w->batch) {
            phase->dropped += arrived - w->batch - first;
            first = arrived - w->batch;
        }
        int rc = detect_next(w, results, err);
        if (rc)
            return rc;
        now = now_s();
        for (int i = 0; i < w->batch && room; i++)
            room = bench_phase_add(phase, &results[i], (now - start - (double)(first + i) / rate) * 1e3);
        first += w->batch;
    }
    return bench_phase_end_round(phase, now - start) ? 0 : LANERT_ENOMEM;
}

/* ---- end to end ---- */

typedef struct pipeline_round {
    bench_phase *phase; /* NULL: a warm-up */
    const round_limit *limit;
    int64_t frames;
    double elapsed_s;
    bool full; /* the phase takes no more samples */
} pipeline_round;

static int on_result(void *context, const lanert_frame *frame, const lanert_result *result, lanert_error *err)
{
    pipeline_round *r = context;
    (void)frame;
    (void)err;
    r->frames++;
    r->full = r->phase && !bench_phase_add(r->phase, result, result->latency_ms);
    return 0;
}

static int should_stop(void *context)
{
    const pipeline_round *r = context;
    return r->full || is_over(r->limit, r->frames);
}

/* The source from its start, and again, until the round is over. Opening it is not measured. */
static int run_pipeline(worker *w, pipeline_round *r, lanert_error *err)
{
    lanert_run_options options = {.on_result = on_result, .should_stop = should_stop, .context = r};
    do {
        lanert_source *source = NULL;
        lanert_stats stats = {0};
        int rc = lanert_source_open(w->source, &source, err);
        if (!rc)
            rc = lanert_run(w->det, source, &options, &stats, err);
        lanert_source_close(&source);
        if (rc)
            return rc;
        r->elapsed_s += stats.elapsed_s;
        if (!stats.frames)
            break;
    } while (!should_stop(r));
    return 0;
}

/* ---- requests ---- */

static double peak_memory_mb(void)
{
    char line[256];
    double kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "VmHWM: %lf", &kib) != 1)
        ;
    if (f)
        fclose(f);
    return kib * 1024 / 1e6;
}

static int open_detector(worker *w, const json_t *row, lanert_error *err)
{
    lanert_detector_options o;
    const char *preset = bench_text(row, "preset");
    int rc = lanert_model_open(bench_text(row, "model"), *preset ? preset : NULL, &w->model, err);
    if (rc)
        return rc;
    lanert_detector_defaults(&o);
    o.engine = bench_text(row, "engine");
    o.device = bench_at(row, "device") ? bench_text(row, "device") : NULL;
    o.precision = (lanert_precision)bench_number(row, "precision");
    o.threads = (int)bench_number(row, "threads");
    o.batch = w->batch;
    return lanert_detector_open(w->model, &o, &w->det, err);
}

/* The whole way once, then the peak of memory, before the frames to measure with add to it. */
static int warm_up(worker *w, double *memory_mb, lanert_error *err)
{
    lanert_result results[MAX_BATCH];
    round_limit limit = {.frames = w->warmup > 0 ? w->warmup : 1};
    pipeline_round r = {.limit = &limit};
    int rc = run_pipeline(w, &r, err);
    *memory_mb = peak_memory_mb();
    if (!rc)
        rc = bench_frames_read(&w->frames, w->source, err);
    for (int i = 0; !rc && i < w->warmup; i += w->batch)
        rc = detect_next(w, results, err);
    return rc;
}

static void engine_version(const char *name, char *version, size_t size)
{
    lanert_engine_info info;
    *version = '\0';
    for (int i = 0; lanert_engine_probe(i, &info, NULL) == 0; i++)
        if (!strcmp(info.name, name))
            snprintf(version, size, "%s", info.version);
}

static json_t *answer_open(worker *w, const json_t *row)
{
    lanert_error err;
    const char *precision, *precision_why;
    char version[64], why[512], *inspected = NULL;
    double start = now_s(), open_s, memory_mb = 0;
    const scheduling how = {.cpus = json_string_value(json_object_get(row, "cpus")),
                            .priority = json_string_value(json_object_get(row, "priority"))};
    if (!scheduling_apply(&how, why, sizeof why))
        return failure(why);
    w->deadline_ms = bench_number(row, "deadline_ms");
    w->batch = (int)bench_number(row, "batch");
    w->warmup = (int)bench_number(row, "warmup");
    w->source = strdup(bench_text(row, "source"));
    if (!w->source)
        return failure("out of memory");
    if (open_detector(w, row, &err))
        return failure(err.text);
    open_s = now_s() - start;
    if (warm_up(w, &memory_mb, &err) || lanert_inspect(bench_text(row, "model"), &inspected, &err))
        return failure(err.text);
    json_t *file = json_loads(inspected, 0, NULL);
    free(inspected);
    engine_version(lanert_detector_engine(w->det), version, sizeof version);
    precision = lanert_detector_precision(w->det, &precision_why);
    json_t *answer = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:i, s:i, s:i}", "precision_used",
                               precision, "precision_why", precision_why, "engine", lanert_detector_engine(w->det),
                               "device", lanert_detector_device(w->det), "engine_version", version, "model_sha256",
                               bench_text(file, "sha256"), "model_mb", bench_number(file, "bytes") / 1e6, "open_s",
                               open_s, "memory_mb", memory_mb, "frame_width", w->frames.list[0].width, "frame_height",
                               w->frames.list[0].height, "frames_held", w->frames.count);
    json_decref(file);
    return answer;
}

static int find_phase(const char *name)
{
    for (int i = 0; i < PHASES; i++)
        if (!strcmp(phase_names[i], name))
            return i;
    return -1;
}

static json_t *answer_measure(worker *w, const json_t *request)
{
    lanert_error err = {.text = "out of memory"};
    lanert_result results[MAX_BATCH];
    int rc, place = find_phase(bench_text(request, "measure"));
    if (!w->det || place < 0)
        return failure("nothing is open, or there is no such phase");
    bench_phase *phase = &w->phases[place];
    double seconds = bench_number(request, "seconds"), rate = bench_number(request, "rate");
    round_limit limit = {.frames = (int64_t)bench_number(request, "frames")};
    if (!bench_phase_begin_round(phase))
        return failure(err.text);
    /* Another row had the caches until now. */
    if (place != PIPELINE && detect_next(w, results, &err))
        return failure(err.text);
    limit.until_s = seconds > 0 ? now_s() + seconds : 0;
    if (place == PIPELINE) {
        pipeline_round r = {.phase = phase, .limit = &limit};
        rc = run_pipeline(w, &r, &err);
        if (!rc && !bench_phase_end_round(phase, r.elapsed_s))
            rc = LANERT_ENOMEM;
    } else if (rate > 0) {
        rc = run_paced(w, phase, &limit, rate, &err);
    } else {
        rc = run_steady(w, phase, &limit, &err);
    }
    return rc ? failure(err.text) : json_object();
}

static json_t *answer_report(worker *w)
{
    json_t *all = json_object();
    double deadline_ms = -1;
    for (int i = 0; all && i < PHASES; i++) {
        if (!w->phases[i].count)
            continue;
        json_object_set_new(all, phase_names[i], bench_phase_report(&w->phases[i], deadline_ms));
        if (i == STEADY) /* of the phases after it */
            deadline_ms = w->deadline_ms == LANERT_AUTO_DEADLINE
                              ? LANERT_DEADLINE_TIMES * bench_phase_median(&w->phases[STEADY])
                              : w->deadline_ms;
    }
    return all;
}

static json_t *answer(worker *w, const char *line)
{
    json_t *request = json_loads(line, 0, NULL), *reply;
    if (json_object_get(request, "open"))
        reply = answer_open(w, json_object_get(request, "open"));
    else if (json_object_get(request, "measure"))
        reply = answer_measure(w, request);
    else
        reply = answer_report(w);
    json_decref(request);
    return reply;
}

int bench_worker(void)
{
    worker w = {0};
    char *line = NULL;
    size_t size = 0;
    /* Some engines print: not into the answers. */
    FILE *out = fdopen(dup(STDOUT_FILENO), "w");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    interrupt_catch();
    if (!out || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return EXIT_FAILED;
    while (getline(&line, &size, stdin) > 0) {
        json_t *reply = answer(&w, line);
        bool broken = !reply || json_dumpf(reply, out, JSON_COMPACT) || fputc('\n', out) == EOF || fflush(out);
        json_decref(reply);
        if (broken)
            break;
    }
    free(line);
    fclose(out);
    for (int i = 0; i < PHASES; i++)
        bench_phase_free(&w.phases[i]);
    bench_frames_free(&w.frames);
    lanert_detector_close(&w.det);
    lanert_model_close(&w.model);
    free(w.source);
    return EXIT_DONE;
}
