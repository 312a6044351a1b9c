/* histogram.h - percentiles of latencies in fixed memory. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

/* Buckets rise by 1 % from 1 µs to 27 minutes, so that a percentile is right to 1 %; what lies outside counts
 * as the end bucket. Zero-initialise. */
#define HISTOGRAM_BUCKETS 2132

typedef struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total;
    double max_ms;
} histogram;

void histogram_add(histogram *h, double ms);
/* The value, in ms, that `percent` (0 to 100) of what was added does not exceed; 0 where nothing was. */
double histogram_percentile(const histogram *h, double percent);

#endif
