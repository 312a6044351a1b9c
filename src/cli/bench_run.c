#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "cli/bench.h"
#include "cli/cpu.h"

/* How long the load runs alone, once a round. */
#define LOAD_ALONE_S 1.0

typedef struct bench_row {
    json_t *result; /* what the report will have of it */
    json_t *open;   /* the request that opens it; NULL once it is open */
    bench_child child;
    bench_work beside; /* what the load did beside it */
} bench_row;

typedef struct bench {
    const bench_plan *plan;
    bench_row rows[BENCH_MAX_ROWS];
    int row_count;
    bench_load *load;
    bench_work alone;
    progress progress;
    int64_t steps;
} bench;

/* ---- rows ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static json_t *describe_machine(void)
{
    cpu c;
    struct utsname system;
    cpu_look(&c);
    json_t *features = json_array();
    for (int i = 0; cpu_features[i]; i++)
        if (cpu_has(&c, cpu_features[i]))
            json_array_append_new(features, json_string(cpu_features[i]));
    uname(&system);
    return json_pack("{s:o, s:i, s:f, s:s+++, s:o}", "cpu", bench_string(c.model), "processors", bench_processors(),
                     "memory_gb", c.memory_gb, "system", system.sysname, " ", system.release, "", "features", features);
}

static json_t *describe_date(void)
{
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    return json_string(date);
}

/* The choice that row *n takes; leaves what counts the slower ones in *n. */
static int choose(const bench_choices *choices, int *n)
{
    int place = *n % choices->count;
    *n /= choices->count;
    return place;
}

/* Row n of the plan; batches vary fastest. */
static bool make_row(bench *b, json_t *machine, int n)
{
    const bench_plan *p = b->plan;
    bench_row *row = &b->rows[b->row_count++];
    int batch = p->batches.numbers[choose(&p->batches, &n)], threads = p->threads.numbers[choose(&p->threads, &n)];
    int precision = p->precisions.numbers[choose(&p->precisions, &n)];
    const char *device = p->devices.names[choose(&p->devices, &n)];
    const char *engine = p->engines.names[choose(&p->engines, &n)], *model = p->models.names[n];
    row->result = json_pack("{s:s, s:s, s:s*, s:s, s:i, s:i, s:s, s:o, s:O}", "model", base_name(model), "engine",
                            engine, "device", device, "precision", lanert_precision_name((lanert_precision)precision),
                            "threads", threads, "batch", batch, "lanert", lanert_version(), "date", describe_date(),
                            "machine", machine);
    row->open = json_pack("{s:{s:s, s:s*, s:s, s:s, s:s*, s:i, s:i, s:i, s:i, s:f, s:s*, s:s*}}", "open", "model",
                          model, "preset", p->preset, "source", p->source, "engine", engine, "device", device,
                          "precision", precision, "threads", threads, "batch", batch, "warmup", p->warmup,
                          "deadline_ms", p->deadline_ms, "cpus", p->scheduling.cpus, "priority",
                          p->scheduling.priority);
    return row->result && row->open;
}

static bool make_rows(bench *b)
{
    json_t *machine = describe_machine();
    bool done = machine != NULL;
    for (int i = 0; done && i < bench_plan_rows(b->plan); i++)
        done = make_row(b, machine, i);
    json_decref(machine);
    return done;
}

static bool has_failed(const bench_row *row)
{
    return json_object_get(row->result, "error") != NULL;
}

static void fail_row(bench_row *row, const char *why)
{
    json_object_set_new(row->result, "error", bench_string(why));
    bench_child_end(&row->child);
}

/* Asks, and takes what was answered into the row; false where the row failed. */
static bool ask(bench_row *row, json_t *request)
{
    json_t *answer = bench_child_ask(&row->child, request);
    if (!answer || json_object_update(row->result, answer))
        fail_row(row, "out of memory");
    else if (has_failed(row))
        bench_child_end(&row->child);
    json_decref(answer);
    return !has_failed(row);
}

/* ---- rounds ---- */

static void draw(bench *b, const bench_row *row, const char *phase)
{
    char words[192];
    b->steps++;
    if (!progress_due(&b->progress))
        return;
    snprintf(words, sizeof words, "%s %s %s, %s", bench_text(row->result, "model"), bench_text(row->result, "engine"),
             bench_text(row->result, "precision"), phase);
    progress_draw(&b->progress, b->steps, words);
}

static void measure(bench *b, bench_row *row, const char *phase, bool paced)
{
    const bench_plan *p = b->plan;
    int frames = p->frames ? (p->frames - 1) / p->rounds + 1 : 0;
    draw(b, row, phase);
    if (interrupted() || has_failed(row))
        return;
    ask(row, json_pack("{s:s, s:i, s:f, s:f}", "measure", phase, "frames", frames, "seconds", p->duration_s / p->rounds,
                       "rate", paced ? p->rate : 0.0));
}

static void measure_contended(bench *b, bench_row *row)
{
    if (interrupted() || has_failed(row))
        return;
    if (!bench_load_start(b->load)) {
        fail_row(row, "the competing load's threads could not be started");
        return;
    }
    measure(b, row, "contended", b->plan->rate > 0);
    bench_load_stop(b->load, &row->beside);
}

static void open_row(bench_row *row)
{
    json_t *request = row->open;
    row->open = NULL;
    if (bench_child_start(&row->child)) {
        ask(row, request);
        return;
    }
    json_decref(request);
    fail_row(row, "a process to measure it could not be started");
}

static json_t *describe_work(double alone, double alone_s, double beside, double beside_s, double unit)
{
    return json_pack("{s:f, s:f}", "alone", alone / alone_s / unit, "beside", beside / beside_s / unit);
}

static const char *const load_kinds[] = {"none", "cpu", "memory", "both"};

/* What the load did alone and beside the row, so that it is seen to have run. */
static void add_load(const bench *b, const bench_row *row)
{
    const bench_work *alone = &b->alone, *beside = &row->beside;
    json_t *contended = json_object_get(row->result, "contended");
    if (!contended || !(beside->seconds > 0) || !(alone->seconds > 0))
        return;
    json_t *load = json_pack("{s:s, s:i}", "kind", load_kinds[b->plan->load], "threads", b->plan->load_threads);
    if (b->plan->load != BENCH_LOAD_MEMORY)
        json_object_set_new(load, "cpu_gsteps_s",
                            describe_work(alone->cpu_steps, alone->seconds, beside->cpu_steps, beside->seconds, 1e9));
    if (b->plan->load != BENCH_LOAD_CPU)
        json_object_set_new(
            load, "memory_gb_s",
            describe_work(alone->memory_bytes, alone->seconds, beside->memory_bytes, beside->seconds, 1e9));
    json_object_set_new(contended, "load", load);
}

static void close_row(bench *b, bench_row *row)
{
    if (row->child.pid)
        ask(row, json_pack("{s:b}", "report", true));
    if (!has_failed(row) && !json_object_get(row->result, "steady"))
        fail_row(row, "interrupted before it was measured");
    add_load(b, row);
    bench_child_end(&row->child);
}

static void run_load_alone(bench *b)
{
    if (!b->load || interrupted() || !bench_load_start(b->load))
        return;
    nanosleep(&(struct timespec){.tv_sec = (time_t)LOAD_ALONE_S}, NULL);
    bench_load_stop(b->load, &b->alone);
}

static void run_round(bench *b, bool last)
{
    run_load_alone(b);
    for (int i = 0; i < b->row_count; i++) {
        bench_row *row = &b->rows[i];
        if (row->open && !interrupted())
            open_row(row);
        measure(b, row, "pipeline", false);
        measure(b, row, "steady", false);
        if (b->plan->rate > 0)
            measure(b, row, "paced", true);
        if (b->load)
            measure_contended(b, row);
        if (last)
            close_row(b, row);
    }
}

/* ---- the report ---- */

static json_t *describe_plan(const bench_plan *p)
{
    json_t *o = json_pack("{s:s, s:i, s:i, s:i, s:f}", "source", p->source, "rounds", p->rounds, "warmup", p->warmup,
                          "frames", p->frames, "duration_s", p->duration_s);
    json_object_update_new(o,
                           json_pack("{s:s*, s:s*}", "cpus", p->scheduling.cpus, "priority", p->scheduling.priority));
    if (p->rate > 0)
        json_object_set_new(o, "rate", json_real(p->rate));
    if (p->deadline_ms > 0)
        json_object_set_new(o, "deadline_ms", json_real(p->deadline_ms));
    if (p->load)
        json_object_update_new(
            o, json_pack("{s:{s:s, s:i}}", "contend", "kind", load_kinds[p->load], "threads", p->load_threads));
    return o;
}

static json_t *make_report(bench *b)
{
    json_t *rows = json_array();
    for (int i = 0; i < b->row_count; i++)
        json_array_append(rows, b->rows[i].result);
    return json_pack("{s:s, s:o, s:b, s:o}", "schema", BENCH_SCHEMA, "settings", describe_plan(b->plan), "interrupted",
                     (int)interrupted(), "rows", rows);
}

json_t *bench_run(const bench_plan *plan, bool quiet)
{
    bench *b = calloc(1, sizeof *b);
    json_t *report = NULL;
    if (!b)
        return NULL;
    b->plan = plan;
    if (!make_rows(b) || (plan->load && !(b->load = bench_load_open(plan->load, plan->load_threads))))
        goto out;
    int phases = 2 + (plan->rate > 0) + (plan->load != BENCH_LOAD_NONE);
    progress_start(&b->progress, (int64_t)plan->rounds * b->row_count * phases, quiet);
    for (int i = 0; i < plan->rounds; i++)
        run_round(b, i == plan->rounds - 1);
    progress_clear(&b->progress);
    report = make_report(b);
out:
    for (int i = 0; i < b->row_count; i++) {
        json_decref(b->rows[i].result);
        json_decref(b->rows[i].open);
    }
    bench_load_close(b->load);
    free(b);
    return report;
}

size_t bench_rows_done(const json_t *report)
{
    size_t done = 0, i;
    json_t *row;
    json_array_foreach(bench_at(report, "rows"), i, row) done += !json_object_get(row, "error");
    return done;
}
