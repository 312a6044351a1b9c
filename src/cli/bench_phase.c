#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"

const char *const bench_stage_names[] = {"read_ms", "preprocess_ms", "inference_ms", "decode_ms", "latency_ms"};
const char *const bench_statistics[] = {"min", "p50", "p90", "p99", "p99_9", "max", NULL};
static const double percents[] = {0, 50, 90, 99, 99.9, 100};

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The nearest rank: the smallest value that `percent` of all do not exceed. */
static double percentile(const double *sorted, size_t count, double percent)
{
    double rank = ceil(percent / 100 * (double)count);
    return sorted[rank < 1 ? 0 : (size_t)rank - 1];
}

static bool grow(bench_phase *phase)
{
    size_t capacity = phase->capacity ? 2 * phase->capacity : 1024;
    if (phase->count >= BENCH_MAX_FRAMES)
        return false;
    for (int i = 0; i < BENCH_STAGES; i++) {
        double *grown = realloc(phase->samples[i], capacity * sizeof *grown);
        if (!grown)
            return false;
        phase->samples[i] = grown;
    }
    phase->capacity = capacity;
    return true;
}

bool bench_phase_begin_round(bench_phase *phase)
{
    if (!phase->rounds_fps && !(phase->rounds_fps = json_array()))
        return false;
    if (!phase->rounds_latency && !(phase->rounds_latency = json_array()))
        return false;
    phase->round_start = phase->count;
    return true;
}

bool bench_phase_add(bench_phase *phase, const lanert_result *result, double latency_ms)
{
    if (phase->count == phase->capacity && !grow(phase))
        return false;
    const double ms[BENCH_STAGES] = {result->read_ms, result->preprocess_ms, result->inference_ms, result->decode_ms,
                                     latency_ms};
    for (int i = 0; i < BENCH_STAGES; i++)
        phase->samples[i][phase->count] = ms[i];
    phase->count++;
    return true;
}

bool bench_phase_end_round(bench_phase *phase, double elapsed_s)
{
    size_t count = phase->count - phase->round_start;
    if (!count || !(elapsed_s > 0))
        return true;
    phase->elapsed_s += elapsed_s;
    double *sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        return false;
    memcpy(sorted, phase->samples[BENCH_LATENCY] + phase->round_start, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, rising);
    double median = percentile(sorted, count, 50);
    free(sorted);
    return !json_array_append_new(phase->rounds_fps, json_real((double)count / elapsed_s)) &&
           !json_array_append_new(phase->rounds_latency, json_real(median));
}

static json_t *stage_report(double *samples, size_t count)
{
    json_t *o = json_object();
    qsort(samples, count, sizeof *samples, rising);
    for (int i = 0; bench_statistics[i]; i++)
        if (json_object_set_new(o, bench_statistics[i], json_real(percentile(samples, count, percents[i]))))
            return json_decref(o), NULL;
    return o;
}

double bench_phase_median(const bench_phase *phase)
{
    return percentile(phase->samples[BENCH_LATENCY], phase->count, 50);
}

static json_int_t count_late(const bench_phase *phase, double deadline_ms)
{
    json_int_t late = 0;
    for (size_t i = 0; i < phase->count; i++)
        late += deadline_ms > 0 && phase->samples[BENCH_LATENCY][i] > deadline_ms;
    return late;
}

/* The part of the time that the engine ran. */
static double engine_share(const bench_phase *phase)
{
    double sum_ms = 0;
    for (size_t i = 0; i < phase->count; i++)
        sum_ms += phase->samples[BENCH_INFERENCE][i];
    return sum_ms / (phase->elapsed_s * 1e3);
}

json_t *bench_phase_report(bench_phase *phase, double deadline_ms)
{
    json_t *o = json_pack("{s:I, s:f, s:f, s:f, s:I, s:O, s:O}", "frames", (json_int_t)phase->count, "elapsed_s",
                          phase->elapsed_s, "fps", (double)phase->count / phase->elapsed_s, "engine_share",
                          engine_share(phase), "dropped", (json_int_t)phase->dropped, "rounds_fps", phase->rounds_fps,
                          "rounds_latency_ms", phase->rounds_latency);
    if (deadline_ms >= 0)
        json_object_update_new(
            o, json_pack("{s:f, s:I}", "deadline_ms", deadline_ms, "late", count_late(phase, deadline_ms)));
    for (int i = 0; o && i < BENCH_STAGES; i++)
        if (json_object_set_new(o, bench_stage_names[i], stage_report(phase->samples[i], phase->count)))
            return json_decref(o), NULL;
    return o;
}

void bench_phase_free(bench_phase *phase)
{
    for (int i = 0; i < BENCH_STAGES; i++)
        free(phase->samples[i]);
    json_decref(phase->rounds_fps);
    json_decref(phase->rounds_latency);
    *phase = (bench_phase){0};
}
