#include "sink/figures.h"

#include <math.h>
#include <string.h>

#define RENEW_NS 250000000

/* "9.4", "31", "143"; empty where there is no such figure. */
static void format(char out[16], double value, const char *unit)
{
    if (!isfinite(value) || value < 0 || value >= 1e6)
        out[0] = '\0';
    else
        snprintf(out, 16, value < 9.95 ? "%.1f%s" : "%.0f%s", value, unit);
}

static double rate_of(const figures *f, int64_t now)
{
    int64_t n = f->count < FIGURES_WINDOW ? f->count : FIGURES_WINDOW;
    int64_t oldest = f->times[f->count < FIGURES_WINDOW ? 0 : f->count % FIGURES_WINDOW];
    return n > 1 && now > oldest ? (double)(n - 1) * 1e9 / (double)(now - oldest) : -1;
}

bool figures_add(figures *f, int64_t now, const lanert_result *result)
{
    char rate[16], latency[16], lanes[16];
    f->times[f->count++ % FIGURES_WINDOW] = now;
    f->latency_sum += result->latency_ms;
    f->latency_count++;
    memcpy(rate, f->rate, sizeof rate);
    memcpy(latency, f->latency, sizeof latency);
    snprintf(lanes, sizeof lanes, "%d", result->count);
    if (!rate[0])
        format(rate, rate_of(f, now), "");
    if (f->count == 1 || now - f->renewed >= RENEW_NS) {
        format(rate, rate_of(f, now), "");
        format(latency, f->latency_sum / f->latency_count, " ms");
        f->latency_sum = f->latency_count = 0;
        f->renewed = now;
    }
    bool changed = strcmp(rate, f->rate) || strcmp(latency, f->latency) || strcmp(lanes, f->lanes) ||
                   f->late != result->late;
    memcpy(f->rate, rate, sizeof rate);
    memcpy(f->latency, latency, sizeof latency);
    memcpy(f->lanes, lanes, sizeof lanes);
    f->late = result->late;
    return changed;
}
