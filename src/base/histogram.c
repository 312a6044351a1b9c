#include "base/histogram.h"

#include <math.h>

#define FIRST_MS 0.001
#define STEP 1.01

void histogram_add(histogram *h, double ms)
{
    double place = ms > FIRST_MS ? ceil(log(ms / FIRST_MS) / log(STEP)) : 0;
    h->counts[place < HISTOGRAM_BUCKETS ? (int)place : HISTOGRAM_BUCKETS - 1]++;
    h->total++;
    h->max_ms = fmax(h->max_ms, ms);
}

double histogram_percentile(const histogram *h, double percent)
{
    uint64_t rank = (uint64_t)ceil(percent / 100 * (double)h->total), seen = 0;
    for (int i = 0; h->total && i < HISTOGRAM_BUCKETS; i++)
        if ((seen += h->counts[i]) >= rank && seen)
            return fmin(h->max_ms, FIRST_MS * pow(STEP, i));
    return h->max_ms;
}
