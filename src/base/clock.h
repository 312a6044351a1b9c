/* clock.h - time that only goes forward. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds of the monotonic clock. */
int64_t clock_ns(void);

/* Nanoseconds that processors have spent on this process, all its threads together. */
int64_t clock_cpu_ns(void);

#define NS_TO_MS(ns) ((double)(ns) / 1e6)

#endif
