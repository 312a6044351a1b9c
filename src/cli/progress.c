#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

#define INTERVAL_S 0.2
/* Nothing is drawn for what takes less than this. */
#define PATIENCE_S 0.5

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
    p->next_s = now + INTERVAL_S;
    p->drawn = true;
    if (p->total > 0 && count > 0 && count <= p->total) {
        double left = elapsed * (double)(p->total - count) / (double)count;
        fprintf(stderr, "\r\033[K%3d %%  %lld of %lld  %s  %.0f s left", (int)(100 * count / p->total),
                (long long)count, (long long)p->total, words, left);
    } else {
        fprintf(stderr, "\r\033[K%lld  %s", (long long)count, words);
    }
    fflush(stderr);
}

void progress_clear(progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}
