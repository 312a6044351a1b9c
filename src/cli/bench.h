/* bench.h - the parts of 'lanert bench'.
 *
 * A row is one model on one engine and device at one precision, number of threads and batch. Each row is measured in a
 * process of its own (bench_worker.c), which the program starts of itself (bench_child.c) and tells, round after round,
 * to measure one phase for a while; the rows take turns, so that what happens to the machine happens to all alike
 * (bench_run.c). The report is a JSON value from the worker to the paper; docs/BENCHMARKS.md has its schema. */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include <jansson.h>

#include "cli/scheduling.h"

#define BENCH_SCHEMA "lanert-bench-1"

/* ---- bench_plan.c: what to measure ---- */

#define BENCH_MAX_CHOICES 16
#define BENCH_MAX_ROWS 64
#define BENCH_MAX_FRAMES 1000000

typedef enum bench_load_kind { BENCH_LOAD_NONE, BENCH_LOAD_CPU, BENCH_LOAD_MEMORY, BENCH_LOAD_BOTH } bench_load_kind;

typedef struct bench_choices {
    const char *names[BENCH_MAX_CHOICES];
    int numbers[BENCH_MAX_CHOICES];
    int count;
} bench_choices;

typedef struct bench_plan {
    bench_choices models, engines, devices, precisions, threads, batches; /* rows are all their combinations */
    const char *preset, *source;
    char bundled[4096]; /* the bundled model's path, where no other is named */
    int rounds, warmup;
    int frames;         /* of each row and phase; 0: as many as duration_s allows */
    double duration_s;  /* of each row and phase; 0: as long as the frames take */
    double rate;        /* frames a second of the paced phase; 0: none */
    double deadline_ms; /* of a paced or contended frame, as lanert_run_options has it */
    scheduling scheduling;
    bench_load_kind load;
    int load_threads; /* of each kind */
} bench_plan;

void bench_plan_defaults(bench_plan *plan);
/* Each takes "a,b,c" (which it cuts up), says what is wrong and returns false. */
bool bench_parse_names(const char *option, char *text, bench_choices *choices);
bool bench_parse_numbers(const char *option, char *text, int low, int high, bench_choices *choices);
bool bench_parse_precisions(char *text, bench_choices *choices);
/* "cpu", "memory" or "both", with ":N" threads of each kind. */
bool bench_parse_load(char *text, bench_plan *plan);
/* Fills in what was not said ("all" engines, all processors), and checks the whole. EXIT_DONE or how
 * to exit. */
int bench_plan_complete(bench_plan *plan);
int bench_plan_rows(const bench_plan *plan);
/* Processors that this process may use. */
int bench_processors(void);

/* ---- bench_run.c ---- */

/* Measures all rows; the report, or NULL where memory ran out. Rows that could not run have an "error". */
json_t *bench_run(const bench_plan *plan, bool quiet);
/* Rows without an error. */
size_t bench_rows_done(const json_t *report);

/* ---- bench_child.c: a worker process, seen from the program ---- */

typedef struct bench_child {
    int pid; /* 0: not running */
    int to, from;
    bool told; /* that the run was interrupted */
} bench_child;

/* The worker's answer to a request (taken over), an object; one with "error" where there is none. NULL: no memory. */
json_t *bench_child_ask(bench_child *child, json_t *request);
bool bench_child_start(bench_child *child);
void bench_child_end(bench_child *child);

/* ---- bench_worker.c ---- */

/* Answers requests on standard input until it ends: one line of JSON each. */
int bench_worker(void);

/* ---- bench_phase.c: what one phase of one row measured ---- */

typedef enum bench_stage {
    BENCH_READ,
    BENCH_PREPROCESS,
    BENCH_INFERENCE,
    BENCH_DECODE,
    BENCH_LATENCY,
    BENCH_STAGES
} bench_stage;

extern const char *const bench_stage_names[BENCH_STAGES]; /* "read_ms" … */
extern const char *const bench_statistics[];              /* "min", "p50" …; NULL at the end */

typedef struct bench_phase {
    double *samples[BENCH_STAGES]; /* in ms, [count] of [capacity] */
    size_t count, capacity;
    size_t round_start; /* the first sample of the round under way */
    double elapsed_s;
    int64_t dropped; /* of a paced phase */
    json_t *rounds_fps, *rounds_latency;
} bench_phase;

bool bench_phase_begin_round(bench_phase *phase);
/* Adds one frame; false where memory, or BENCH_MAX_FRAMES, is used up. */
bool bench_phase_add(bench_phase *phase, const lanert_result *result, double latency_ms);
bool bench_phase_end_round(bench_phase *phase, double elapsed_s);
/* Sorts the samples; frames beyond deadline_ms (0: none; below: the phase knows of none) count as late. NULL: no
 * memory. */
json_t *bench_phase_report(bench_phase *phase, double deadline_ms);
/* Of the latency, sorted by the report. */
double bench_phase_median(const bench_phase *phase);
void bench_phase_free(bench_phase *phase);

/* ---- bench_frames.c: the source's first frames, in memory ---- */

#define BENCH_FRAMES 64

typedef struct bench_frames {
    lanert_frame list[BENCH_FRAMES];
    uint8_t *pixels[BENCH_FRAMES];
    int count;
} bench_frames;

/* Reads at most BENCH_FRAMES, and 64 MiB, but at least one. */
int bench_frames_read(bench_frames *frames, const char *source, lanert_error *err);
void bench_frames_free(bench_frames *frames);

/* ---- bench_load.c: the competing load ---- */

typedef struct bench_load bench_load;

typedef struct bench_work {
    double seconds;
    double cpu_steps;    /* dependent multiply-and-add steps, integer and floating */
    double memory_bytes; /* read and written */
} bench_work;

/* NULL where memory ran out. */
bench_load *bench_load_open(bench_load_kind kind, int threads);
bool bench_load_start(bench_load *load);
/* Adds what was done since the start. */
void bench_load_stop(bench_load *load, bench_work *work);
void bench_load_close(bench_load *load);

/* ---- bench_report.c: the report's values ---- */

/* The value at "steady.latency_ms.p50", or NULL. */
const json_t *bench_at(const json_t *value, const char *path);
double bench_number(const json_t *value, const char *path);    /* NaN where there is none */
const char *bench_text(const json_t *value, const char *path); /* "" where there is none */
/* A text that may not be UTF-8. */
json_t *bench_string(const char *text);

/* ---- bench_table.c, bench_csv.c, bench_plot.c, bench_compare.c: the report on paper ---- */

void bench_print_table(const json_t *report, bool stages, FILE *out);
void bench_print_csv(const json_t *report, FILE *out);
/* An SVG; EXIT_DONE or how to exit. */
int bench_write_plot(const json_t *report, const char *path, bool force);

/* The older report at path, checked to be one; NULL: said why not. */
json_t *bench_load_report(const char *path);
/* What became of the older report's rows: {"max_slowdown": …, "rows": […], "regressions": n}. NULL: no memory. */
json_t *bench_compare(const json_t *older, const json_t *report, double max_slowdown);
void bench_print_comparison(const json_t *comparison, FILE *out);

#endif
