#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/bench.h"

#define MAX_REPORT_BYTES ((off_t)64 << 20)

json_t *bench_load_report(const char *path)
{
    struct stat st;
    json_error_t why;
    if (stat(path, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_size > MAX_REPORT_BYTES)) {
        say_error("%s: is no report of 'lanert bench --json': not a file of at most 64 MB", path);
        return NULL;
    }
    json_t *report = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!report) {
        say_error("%s: %s (line %d); expected what 'lanert bench --json' printed", path, why.text, why.line);
        return NULL;
    }
    if (!strcmp(bench_text(report, "schema"), BENCH_SCHEMA) && json_is_array(bench_at(report, "rows")))
        return report;
    say_error("%s: is no report of 'lanert bench --json' (\"schema\": \"" BENCH_SCHEMA "\" and \"rows\" are expected)",
              path);
    json_decref(report);
    return NULL;
}

/* ---- rounds ---- */

#define MAX_ROUNDS 1000

typedef struct spread {
    double low, median, high;
    bool known;
} spread;

static spread find_spread(const json_t *row, const char *path)
{
    const json_t *rounds = bench_at(row, path);
    double sorted[MAX_ROUNDS];
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(rounds) && count < MAX_ROUNDS; i++) {
        double value = json_number_value(json_array_get(rounds, i)); /* 0 of what is no number */
        size_t at = count;
        if (!(value > 0))
            return (spread){0};
        for (; at && sorted[at - 1] > value; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = value;
        count++;
    }
    if (!count)
        return (spread){0};
    return (spread){sorted[0], (sorted[(count - 1) / 2] + sorted[count / 2]) / 2, sorted[count - 1], true};
}

/* ---- rows ---- */

/* Reports of before there was a choice do not say. */
static const char *device_of(const json_t *row)
{
    const char *name = bench_text(row, "device");
    return *name ? name : "cpu";
}

static bool is_same_row(const json_t *a, const json_t *b)
{
    static const char *const texts[] = {"model", "engine", "precision"};
    for (int i = 0; i < 3; i++)
        if (strcmp(bench_text(a, texts[i]), bench_text(b, texts[i])))
            return false;
    return !strcmp(device_of(a), device_of(b)) && bench_number(a, "threads") == bench_number(b, "threads") &&
           bench_number(a, "batch") == bench_number(b, "batch");
}

static const json_t *find_row(const json_t *report, const json_t *like)
{
    size_t i;
    json_t *row;
    json_array_foreach(bench_at(report, "rows"), i, row) if (is_same_row(row, like)) return row;
    return NULL;
}

/* "slower" is a regression: beyond the limit, and no round of one report reaches those of the other. */
static const char *judge(double slowdown, double limit, bool overlap)
{
    if (fabs(slowdown) <= limit)
        return "same";
    if (overlap)
        return "unclear";
    return slowdown > 0 ? "slower" : "faster";
}

static json_t *compare_measure(const json_t *old, const json_t *new, const char *path, bool higher_is_faster,
                               double limit)
{
    spread before = find_spread(old, path), after = find_spread(new, path);
    if (!before.known || !after.known)
        return NULL;
    double slowdown = higher_is_faster ? before.median / after.median - 1 : after.median / before.median - 1;
    bool overlap = before.low <= after.high && after.low <= before.high;
    return json_pack("{s:f, s:f, s:f, s:b, s:s}", "old", before.median, "new", after.median, "slowdown", slowdown,
                     "overlap", (int)overlap, "verdict", judge(slowdown, limit, overlap));
}

static const char *const measures[][2] = {{"fps", "pipeline.rounds_fps"},
                                          {"latency_ms", "steady.rounds_latency_ms"},
                                          {"paced_ms", "paced.rounds_latency_ms"},
                                          {"contended_ms", "contended.rounds_latency_ms"}};
#define MEASURES (sizeof measures / sizeof *measures)

static const char *compare_row(json_t *o, const json_t *old, const json_t *new, double limit)
{
    static const char *const order[] = {"slower", "unclear", "faster", "same"};
    size_t worst = 3;
    bool any = false;
    if (!new)
        return "not measured";
    if (bench_at(new, "error"))
        return bench_at(old, "error") ? "fails as before" : "fails now";
    for (size_t i = 0; i < MEASURES; i++) {
        json_t *one = compare_measure(old, new, measures[i][1], i == 0, limit);
        any |= one != NULL;
        for (size_t v = 0; one && v < worst; v++)
            if (!strcmp(order[v], bench_text(one, "verdict")))
                worst = v;
        if (one)
            json_object_set_new(o, measures[i][0], one);
    }
    return any ? order[worst] : bench_at(old, "error") ? "works now" : "not comparable";
}

json_t *bench_compare(const json_t *older, const json_t *report, double max_slowdown)
{
    json_t *rows = json_array(), *old;
    size_t i;
    int regressions = 0, matched = 0;
    json_array_foreach(bench_at(older, "rows"), i, old)
    {
        const json_t *new = find_row(report, old);
        json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:O*, s:O*}", "model", bench_string(bench_text(old, "model")),
                              "engine", bench_string(bench_text(old, "engine")), "device", bench_string(device_of(old)),
                              "precision", bench_string(bench_text(old, "precision")), "threads",
                              json_object_get(old, "threads"), "batch", json_object_get(old, "batch"));
        const char *verdict = compare_row(o, old, new, max_slowdown);
        matched += new != NULL;
        regressions += !strcmp(verdict, "slower") || !strcmp(verdict, "fails now");
        json_object_set_new(o, "verdict", json_string(verdict));
        if (new &&strcmp(bench_text(old, "model_sha256"), bench_text(new, "model_sha256")))
            json_object_set_new(o, "other_model", json_true());
        if (new &&strcmp(bench_text(old, "machine.cpu"), bench_text(new, "machine.cpu")))
            json_object_set_new(o, "other_machine", json_true());
        json_array_append_new(rows, o);
    }
    return json_pack("{s:f, s:i, s:i, s:o}", "max_slowdown", max_slowdown, "matched", matched, "regressions",
                     regressions, "rows", rows);
}

void bench_print_comparison(const json_t *comparison, FILE *out)
{
    size_t i;
    json_t *row;
    fprintf(out,
            "\ncompared, medians of rounds; a regression is more than %g %% slower, no round within the old ones\n",
            bench_number(comparison, "max_slowdown") * 100);
    json_array_foreach(bench_at(comparison, "rows"), i, row)
    {
        fprintf(out, "%s %s %s %s, threads %.0f, batch %.0f: %s%s%s\n", bench_text(row, "model"),
                bench_text(row, "engine"), device_of(row), bench_text(row, "precision"), bench_number(row, "threads"),
                bench_number(row, "batch"), bench_text(row, "verdict"),
                bench_at(row, "other_model") ? "; the model is another" : "",
                bench_at(row, "other_machine") ? "; the machine is another" : "");
        for (size_t m = 0; m < MEASURES; m++) {
            const json_t *one = json_object_get(row, measures[m][0]);
            if (one)
                fprintf(out, "    %-12s %10.2f -> %10.2f  %+6.1f %% slower  %s%s\n", measures[m][0],
                        bench_number(one, "old"), bench_number(one, "new"), bench_number(one, "slowdown") * 100,
                        bench_text(one, "verdict"),
                        json_is_true(bench_at(one, "overlap")) ? " (the rounds' ranges overlap)" : "");
        }
    }
}
