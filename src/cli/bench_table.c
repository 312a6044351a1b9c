#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/bench.h"

#define WIDTH 100

/* In `width` columns, with the digits that `ms` or a rate of that size deserves; "-" where there is none. */
static void put_number(FILE *out, int width, double number)
{
    double size = fabs(number);
    if (isfinite(number))
        fprintf(out, " %*.*f", width, size < 0.9995 ? 3 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0, number);
    else
        fprintf(out, " %*s", width, "-");
}

/* Behind `column` characters of a line, with lines of their own for what makes it longer than WIDTH. */
static void put_words(FILE *out, size_t column, const char *indent, const char *words)
{
    while (*words) {
        size_t length = strcspn(words, " ");
        if (column && column + 1 + length > WIDTH) {
            fprintf(out, "\n%s", indent);
            column = strlen(indent);
        } else if (column) {
            fputc(' ', out);
            column++;
        }
        fwrite(words, 1, length, out);
        column += length;
        words += length + strspn(words + length, " ");
    }
    fputc('\n', out);
}

/* A GPU stands in the place of the threads, which only the processor has to do with. An asterisk: auto chose it. */
static void put_key(const json_t *row, FILE *out)
{
    const char *device = bench_text(row, "device"), *precision = bench_text(row, "precision");
    bool chosen = !strcmp(precision, "auto") && *bench_text(row, "precision_used");
    fprintf(out, "%-12s %.4s%c", bench_text(row, "engine"), chosen ? bench_text(row, "precision_used") : precision,
            chosen ? '*' : ' ');
    if (*device && strcmp(device, "cpu"))
        fprintf(out, " %7s", device);
    else
        fprintf(out, " %7.0f", bench_number(row, "threads"));
    fprintf(out, " %5.0f", bench_number(row, "batch"));
}

#define KEY_HEADER "engine       prec. threads batch "

/* ---- parts ---- */

static void put_settings(const json_t *report, FILE *out)
{
    const json_t *row = json_array_get(bench_at(report, "rows"), 0), *settings = bench_at(report, "settings");
    char line[8192], frames[32] = "", seconds[32] = "";
    snprintf(line, sizeof line, "lanert %s on %s, %.0f processors, %s; %s", bench_text(row, "lanert"),
             *bench_text(row, "machine.cpu") ? bench_text(row, "machine.cpu") : "an unknown processor",
             bench_number(row, "machine.processors"), bench_text(row, "machine.system"), bench_text(row, "date"));
    put_words(out, 0, "    ", line);
    if (bench_number(settings, "frames") > 0)
        snprintf(frames, sizeof frames, ", %.0f frames", bench_number(settings, "frames"));
    if (bench_number(settings, "duration_s") > 0)
        snprintf(seconds, sizeof seconds, ", %g s", bench_number(settings, "duration_s"));
    snprintf(line, sizeof line, "%s; %.0f round%s%s%s a row and phase%s", bench_text(settings, "source"),
             bench_number(settings, "rounds"), bench_number(settings, "rounds") == 1 ? "" : "s", frames, seconds,
             json_is_true(bench_at(report, "interrupted")) ? "; interrupted" : "");
    put_words(out, 0, "    ", line);
}

static void put_model(const json_t *row, FILE *out)
{
    fprintf(out, "\n%s", bench_text(row, "model"));
    if (*bench_text(row, "model_sha256"))
        fprintf(out, ", %.1f MB, sha256 %.16s", bench_number(row, "model_mb"), bench_text(row, "model_sha256"));
    fputs("\n" KEY_HEADER "|    fps |  read   pre infer   dec rest% |   p50   p99   max |   MB\n", out);
}

static void put_row(const json_t *row, FILE *out)
{
    put_key(row, out);
    if (*bench_text(row, "error")) {
        put_words(out, WIDTH, "    ", bench_text(row, "error"));
        return;
    }
    fputs(" |", out);
    put_number(out, 6, bench_number(row, "pipeline.fps"));
    fputs(" |", out);
    put_number(out, 5, bench_number(row, "pipeline.read_ms.p50"));
    put_number(out, 5, bench_number(row, "steady.preprocess_ms.p50"));
    put_number(out, 5, bench_number(row, "steady.inference_ms.p50"));
    put_number(out, 5, bench_number(row, "steady.decode_ms.p50"));
    fprintf(out, " %5.1f |", 100 * (1 - bench_number(row, "steady.engine_share")));
    put_number(out, 5, bench_number(row, "steady.latency_ms.p50"));
    put_number(out, 5, bench_number(row, "steady.latency_ms.p99"));
    put_number(out, 5, bench_number(row, "steady.latency_ms.max"));
    fprintf(out, " | %4.0f\n", bench_number(row, "memory_mb"));
    if (!strcmp(bench_text(row, "precision_used"), "int8") && *bench_text(row, "precision_why"))
        put_words(out, WIDTH, "    ", bench_text(row, "precision_why"));
}

/* "×1.31" of one value to another. */
static void put_ratio(FILE *out, double value, double to)
{
    fprintf(out, " x%4.2f", value / to);
}

static void put_paced(const json_t *row, FILE *out)
{
    double frames = bench_number(row, "paced.frames"), dropped = bench_number(row, "paced.dropped");
    put_key(row, out);
    fputs(" |", out);
    put_number(out, 5, bench_number(row, "paced.latency_ms.p50"));
    put_number(out, 5, bench_number(row, "paced.latency_ms.p99"));
    put_number(out, 5, bench_number(row, "paced.latency_ms.max"));
    fputs(" |", out);
    put_number(out, 5, bench_number(row, "paced.deadline_ms"));
    fprintf(out, " %5.0f %5.0f %6.0f |", bench_number(row, "paced.late"), dropped, frames + dropped);
    put_number(out, 6, bench_number(row, "paced.inference_ms.p50"));
    put_ratio(out, bench_number(row, "paced.inference_ms.p50"), bench_number(row, "steady.inference_ms.p50"));
    fputc('\n', out);
}

/* What one kind of load did alone and beside the row; nothing where that kind did not run. */
static void put_load(const json_t *work, FILE *out)
{
    if (!work)
        return;
    put_number(out, 0, bench_number(work, "alone"));
    fputs(" ->", out);
    put_number(out, 0, bench_number(work, "beside"));
}

static void put_contended(const json_t *row, FILE *out)
{
    double idle_p50 = bench_number(bench_at(row, bench_at(row, "paced") ? "paced" : "steady"), "latency_ms.p50");
    double frames = bench_number(row, "contended.frames"), dropped = bench_number(row, "contended.dropped");
    double p50 = bench_number(row, "contended.latency_ms.p50"), p99 = bench_number(row, "contended.latency_ms.p99");
    put_key(row, out);
    fputs(" |", out);
    put_number(out, 5, p50);
    put_ratio(out, p50, idle_p50);
    put_number(out, 5, p99);
    put_ratio(out, p99, idle_p50);
    fprintf(out, " | %7.1f |", 100 * (bench_number(row, "contended.late") + dropped) / (frames + dropped));
    put_load(bench_at(row, "contended.load.cpu_gsteps_s"), out);
    put_load(bench_at(row, "contended.load.memory_gb_s"), out);
    fputc('\n', out);
}

static void put_stages(const json_t *row, FILE *out)
{
    static const char *const phases[] = {"pipeline", "steady", "paced", "contended"};
    char path[64];
    fprintf(out, "\n%s, %s %s %s, threads %.0f, batch %.0f\n%-24s", bench_text(row, "model"), bench_text(row, "engine"),
            bench_text(row, "device"), bench_text(row, "precision"), bench_number(row, "threads"),
            bench_number(row, "batch"), "  stage, ms");
    for (int i = 0; bench_statistics[i]; i++)
        fprintf(out, " %7s", bench_statistics[i]);
    fputs("   frames\n", out);
    for (int p = 0; p < 4; p++) {
        const json_t *phase = bench_at(row, phases[p]);
        for (int s = p == 0 ? 0 : 1; phase && s < BENCH_STAGES; s++) {
            fprintf(out, "  %-9s %-12.*s", phases[p], (int)strcspn(bench_stage_names[s], "_"), bench_stage_names[s]);
            for (int i = 0; bench_statistics[i]; i++) {
                snprintf(path, sizeof path, "%s.%s", bench_stage_names[s], bench_statistics[i]);
                put_number(out, 7, bench_number(phase, path));
            }
            fprintf(out, " %8.0f\n", bench_number(phase, "frames"));
        }
    }
}

/* ---- the whole ---- */

static void put_each(const json_t *report, const char *phase, const char *header,
                     void (*put)(const json_t *row, FILE *out), FILE *out)
{
    size_t i;
    json_t *row;
    bool any = false;
    json_array_foreach(bench_at(report, "rows"), i, row)
    {
        if (!bench_at(row, phase))
            continue;
        if (!any)
            fprintf(out, "%s", header);
        any = true;
        put(row, out);
    }
}

void bench_print_table(const json_t *report, bool stages, FILE *out)
{
    char header[256];
    const char *model = "", *kind = bench_text(report, "settings.contend.kind");
    size_t i;
    json_t *row;
    put_settings(report, out);
    json_array_foreach(bench_at(report, "rows"), i, row)
    {
        if (strcmp(model, bench_text(row, "model")))
            put_model(row, out);
        model = bench_text(row, "model");
        put_row(row, out);
    }
    snprintf(header, sizeof header,
             "\nframes at %g a second\n" KEY_HEADER
             "|   p50   p99   max | limit  late  lost frames | infer, to steady\n",
             bench_number(report, "settings.rate"));
    put_each(report, "paced", header, put_paced, out);
    snprintf(header, sizeof header,
             "\nbeside a competing load: %s (%s), threads %.0f\n" KEY_HEADER
             "|   p50, p99, to idle p50 | missed%% | load alone -> beside\n",
             kind,
             !strcmp(kind, "cpu")      ? "Gstep/s"
             : !strcmp(kind, "memory") ? "GB/s"
                                       : "Gstep/s and GB/s",
             bench_number(report, "settings.contend.threads"));
    put_each(report, "contended.load", header, put_contended, out);
    if (stages)
        put_each(report, "steady", "", put_stages, out);
}
