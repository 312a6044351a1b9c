#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

#define INTERVAL_S 0.2
/* Nothing is drawn for what takes less than this. */
#define PATIENCE_S 0.5

/* A line that is longer than the terminal is wide could not be wiped. */
static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void progress_start(progress *p, int64_t total, bool quiet)
{
    double now = now_s();
    *p = (progress){.on = !quiet && isatty(STDERR_FILENO), .next_s = now + PATIENCE_S, .start_s = now, .total = total};
}

bool progress_due(progress *p)
{
    return p->on && now_s() >= p->next_s;
}

void progress_draw(progress *p, int64_t count, const char *words)
{
    double now = now_s(), elapsed = now - p->start_s;
    char line[256];
    p->next_s = now + INTERVAL_S;
    p->drawn = true;
    if (p->total > 0 && count > 0 && count <= p->total) {
        double left = elapsed * (double)(p->total - count) / (double)count;
        snprintf(line, sizeof line, "%3d %%  %lld of %lld  %s  %.0f s left", (int)(100 * count / p->total),
                 (long long)count, (long long)p->total, words, left);
    } else {
        snprintf(line, sizeof line, "%lld  %s", (long long)count, words);
    }
    fprintf(stderr, "\r\033[K%.*s", columns() - 1, line);
}

void progress_clear(progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}
