#include <string.h>

#include "cli/bench.h"

static const char *const columns[] = {
    "model",          "model_sha256",
    "model_mb",       "engine",
    "engine_version", "device",
    "precision",      "precision_used",
    "threads",        "batch",
    "lanert",         "date",
    "machine.cpu",    "machine.processors",
    "machine.system", "machine.features",
    "open_s",         "memory_mb",
    "frame_width",    "frame_height",
    "error",
};
static const char *const phase_columns[] = {"frames",      "elapsed_s", "fps",    "engine_share",
                                            "deadline_ms", "late",      "dropped"};
static const char *const load_columns[] = {
    "contended.load.kind",
    "contended.load.threads",
    "contended.load.cpu_gsteps_s.alone",
    "contended.load.cpu_gsteps_s.beside",
    "contended.load.memory_gb_s.alone",
    "contended.load.memory_gb_s.beside",
};
static const char *const phases[] = {"pipeline", "steady", "paced", "contended"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* RFC 4180. */
static void put_text(const char *text, FILE *out)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_words(const json_t *words, FILE *out)
{
    size_t i;
    json_t *word;
    json_array_foreach(words, i, word) fprintf(out, "%s%s", i ? " " : "", json_string_value(word));
}

/* The value at the path, or, without a row, the path itself. */
static void put_field(const json_t *row, const char *path, bool first, FILE *out)
{
    const json_t *value = bench_at(row, path);
    if (!first)
        fputc(',', out);
    if (!row)
        fputs(path, out);
    else if (json_is_string(value))
        put_text(json_string_value(value), out);
    else if (json_is_array(value))
        put_words(value, out);
    else if (json_is_number(value))
        fprintf(out, "%.9g", json_number_value(value));
}

static void put_line(const json_t *row, FILE *out)
{
    char path[96];
    for (size_t i = 0; i < COUNT(columns); i++)
        put_field(row, columns[i], i == 0, out);
    for (size_t p = 0; p < COUNT(phases); p++) {
        for (size_t i = 0; i < COUNT(phase_columns); i++) {
            snprintf(path, sizeof path, "%s.%s", phases[p], phase_columns[i]);
            put_field(row, path, false, out);
        }
        for (int s = 0; s < BENCH_STAGES; s++) {
            for (int i = 0; bench_statistics[i]; i++) {
                snprintf(path, sizeof path, "%s.%s.%s", phases[p], bench_stage_names[s], bench_statistics[i]);
                put_field(row, path, false, out);
            }
        }
    }
    for (size_t i = 0; i < COUNT(load_columns); i++)
        put_field(row, load_columns[i], false, out);
    fputc('\n', out);
}

void bench_print_csv(const json_t *report, FILE *out)
{
    size_t i;
    json_t *row;
    put_line(NULL, out);
    json_array_foreach(bench_at(report, "rows"), i, row) put_line(row, out);
}
