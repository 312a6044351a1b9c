/* The report as an SVG: for each row a bar of the stages' medians, end to end, and below it, for each phase, a line
 * from the latency's median (dot) to its p99 (tick). */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bench.h"
#include "cli/outputs.h"

#define WIDTH 960
#define LEFT 270
#define RIGHT 100
#define TOP 84
#define BAR 18
#define LINE 11
#define GAP 16
#define FOOT 84
#define TICKS 6
#define MAX_NAME 40 /* bytes */

static const struct {
    const char *path, *name, *colour;
} bars[] = {{"steady.preprocess_ms.p50", "preprocess", "#8ab6d6"},
            {"steady.inference_ms.p50", "inference", "#1f5c99"},
            {"steady.decode_ms.p50", "decode", "#e59a2f"}},
  lines[] = {{"steady", "latency", "#444444"},
             {"paced", "latency at a camera's pace", "#2e8b57"},
             {"contended", "latency beside a load", "#c0392b"}};

typedef struct plot {
    FILE *out;
    const json_t *rows;
    double step_ms, top_ms; /* of the axis */
    int y;
} plot;

static void put_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '>')
            fputs("&gt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else if ((unsigned char)*text >= ' ') /* XML has no other control characters than white space */
            fputc(*text, out);
    }
}

static double latency_at(const json_t *row, const char *phase, const char *statistic)
{
    char path[64];
    snprintf(path, sizeof path, "%s.latency_ms.%s", phase, statistic);
    return bench_number(row, path);
}

/* ---- the axis ---- */

/* 1, 2 or 5 times a power of ten. */
static double nice_step(double span)
{
    double power = pow(10, floor(log10(span / TICKS))), part = span / TICKS / power;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

static void scale(plot *p)
{
    double top = 0.001;
    size_t i;
    json_t *row;
    json_array_foreach(p->rows, i, row)
    {
        double sum = 0;
        for (int b = 0; b < 3; b++)
            sum += bench_number(row, bars[b].path);
        top = fmax(top, sum);
        for (int l = 0; l < 3; l++)
            top = fmax(top, latency_at(row, lines[l].path, "p99"));
    }
    p->step_ms = nice_step(top);
    p->top_ms = ceil(top / p->step_ms) * p->step_ms;
}

static double x_of(const plot *p, double ms)
{
    return LEFT + ms / p->top_ms * (WIDTH - LEFT - RIGHT);
}

static void put_axis(const plot *p, int bottom)
{
    for (int i = 0; i * p->step_ms < p->top_ms * 1.001; i++) {
        double x = x_of(p, i * p->step_ms);
        fprintf(p->out, "<line x1='%.1f' y1='%d' x2='%.1f' y2='%d' stroke='#dddddd'/>\n", x, TOP - 8, x, bottom);
        fprintf(p->out, "<text x='%.1f' y='%d' text-anchor='middle' fill='#555555'>%g</text>\n", x, bottom + 16,
                i * p->step_ms);
    }
    fprintf(p->out, "<text x='%d' y='%d' fill='#555555'>ms</text>\n", WIDTH - RIGHT + 24, bottom + 16);
}

/* ---- rows ---- */

static int row_height(const json_t *row)
{
    int height = BAR + GAP;
    for (int l = 0; l < 3; l++)
        height += bench_at(row, lines[l].path) ? LINE : 0;
    return height;
}

/* A file's name, so much of it as there is room for. */
static void put_name(FILE *out, const char *name)
{
    char shown[MAX_NAME + 1];
    size_t length = strlen(name) > MAX_NAME ? MAX_NAME - 3 : strlen(name);
    while (length && ((unsigned char)name[length] & 0xC0) == 0x80) /* within a character of UTF-8 */
        length--;
    snprintf(shown, sizeof shown, "%.*s%s", (int)length, name, name[length] ? "..." : "");
    put_text(out, shown);
}

static void put_label(const plot *p, const json_t *row)
{
    fprintf(p->out, "<text x='%d' y='%d' text-anchor='end' font-weight='bold'>", LEFT - 10, p->y + 13);
    put_text(p->out, bench_text(row, "engine"));
    fputc(' ', p->out);
    put_text(p->out, bench_text(row, "device"));
    fputc(' ', p->out);
    put_text(p->out, bench_text(row, "precision"));
    fprintf(p->out, ", threads %.0f, batch %.0f</text>\n<text x='%d' y='%d' text-anchor='end' fill='#555555'>",
            bench_number(row, "threads"), bench_number(row, "batch"), LEFT - 10, p->y + 27);
    put_name(p->out, bench_text(row, "model"));
    fputs("</text>\n", p->out);
}

static void put_bars(const plot *p, const json_t *row)
{
    double ms = 0;
    for (int b = 0; b < 3; b++) {
        double length = bench_number(row, bars[b].path);
        fprintf(p->out, "<rect x='%.1f' y='%d' width='%.1f' height='%d' fill='%s'/>\n", x_of(p, ms), p->y,
                x_of(p, length) - LEFT, BAR, bars[b].colour);
        ms += length;
    }
    fprintf(p->out, "<text x='%d' y='%d' font-weight='bold'>%.1f fps</text>\n", WIDTH - RIGHT + 14, p->y + 13,
            bench_number(row, "pipeline.fps"));
}

static void put_lines(const plot *p, const json_t *row)
{
    int y = p->y + BAR + 7;
    for (int l = 0; l < 3; l++) {
        double p50 = latency_at(row, lines[l].path, "p50"), p99 = latency_at(row, lines[l].path, "p99");
        if (!isfinite(p50) || !isfinite(p99))
            continue;
        fprintf(p->out,
                "<path d='M%.1f %dH%.1fM%.1f %dv8' stroke='%s' stroke-width='2' fill='none'/>"
                "<circle cx='%.1f' cy='%d' r='3.5' fill='%s'/>\n",
                x_of(p, p50), y, x_of(p, p99), x_of(p, p99), y - 4, lines[l].colour, x_of(p, p50), y, lines[l].colour);
        y += LINE;
    }
}

static void put_row(const plot *p, const json_t *row)
{
    put_label(p, row);
    if (bench_at(row, "error")) {
        fprintf(p->out, "<text x='%d' y='%d' fill='#888888' font-style='italic'>could not run</text>\n", LEFT + 8,
                p->y + 13);
        return;
    }
    put_bars(p, row);
    put_lines(p, row);
}

static void put_legend(const plot *p, int y)
{
    bool any[3] = {false};
    size_t i;
    json_t *row;
    int x = 24;
    json_array_foreach(p->rows, i, row) for (int l = 0; l < 3; l++) any[l] |= bench_at(row, lines[l].path) != NULL;
    for (int b = 0; b < 3; b++, x += 90)
        fprintf(p->out, "<rect x='%d' y='%d' width='10' height='10' fill='%s'/><text x='%d' y='%d'>%s</text>\n", x,
                y - 9, bars[b].colour, x + 14, y, bars[b].name);
    for (int l = 0; l < 3; l++) {
        if (!any[l])
            continue;
        fprintf(p->out,
                "<path d='M%d %dh14m0 -4v8' stroke='%s' stroke-width='2' fill='none'/><circle cx='%d' cy='%d' r='3' "
                "fill='%s'/><text x='%d' y='%d'>%s</text>\n",
                x, y - 4, lines[l].colour, x, y - 4, lines[l].colour, x + 20, y, lines[l].name);
        x += l == 0 ? 80 : 190;
    }
    fprintf(p->out,
            "<text x='24' y='%d' fill='#555555'>bars: medians of a frame's stages; lines: latency of a call, from p50 "
            "(dot) to p99 (tick); fps: end to end, with reading</text>\n",
            y + 20);
}

static void put_title(const plot *p, const json_t *report)
{
    const json_t *row = json_array_get(p->rows, 0);
    fprintf(p->out, "<text x='24' y='30' font-size='18' font-weight='bold'>lanert bench</text>\n<text x='24' y='50' "
                    "fill='#555555'>");
    put_text(p->out, bench_text(row, "machine.cpu"));
    fprintf(p->out, ", %.0f processors; lanert %s; ", bench_number(row, "machine.processors"),
            bench_text(row, "lanert"));
    put_text(p->out, bench_text(report, "settings.source"));
    fprintf(p->out, "; %s</text>\n", bench_text(row, "date"));
}

static void draw(const json_t *report, FILE *out)
{
    plot p = {.out = out, .rows = bench_at(report, "rows"), .y = TOP};
    int bottom = TOP;
    size_t i;
    json_t *row;
    scale(&p);
    json_array_foreach(p.rows, i, row) bottom += row_height(row);
    fprintf(out,
            "<?xml version='1.0' encoding='UTF-8'?>\n<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
            "viewBox='0 0 %d %d' font-family='DejaVu Sans, sans-serif' font-size='11' fill='#222222'>\n"
            "<title>lanert bench</title>\n<rect width='%d' height='%d' fill='#ffffff'/>\n",
            WIDTH, bottom + FOOT, WIDTH, bottom + FOOT, WIDTH, bottom + FOOT);
    put_title(&p, report);
    put_axis(&p, bottom);
    json_array_foreach(p.rows, i, row)
    {
        put_row(&p, row);
        p.y += row_height(row);
    }
    put_legend(&p, bottom + 46);
    fputs("</svg>\n", out);
}

/* ---- the file ---- */

static bool open_temporary(const char *path, char *temporary, size_t size, FILE **out)
{
    mode_t mask = umask(0);
    umask(mask);
    if (snprintf(temporary, size, "%s.XXXXXX", path) >= (int)size)
        return false;
    int fd = mkstemp(temporary);
    if (fd < 0)
        return false;
    if (fchmod(fd, 0666 & ~mask) == 0 && (*out = fdopen(fd, "w")))
        return true;
    close(fd);
    unlink(temporary);
    return false;
}

int bench_write_plot(const json_t *report, const char *path, bool force)
{
    char temporary[4096];
    FILE *out = NULL;
    int status = output_file_check(path, force);
    if (status)
        return status;
    if (!open_temporary(path, temporary, sizeof temporary, &out)) {
        say_error("%s: cannot be written: %s", path, strerror(errno));
        return EXIT_FAILED;
    }
    draw(report, out);
    bool done = fflush(out) == 0 && fsync(fileno(out)) == 0;
    done &= fclose(out) == 0;
    if (done && rename(temporary, path) == 0)
        return EXIT_DONE;
    say_error("%s: cannot be written: %s", path, strerror(errno));
    unlink(temporary);
    return EXIT_FAILED;
}
