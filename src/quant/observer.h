/* observer.h - the numbers that a value takes: their range, and how often each is about what, in fixed memory. */
#ifndef QUANT_OBSERVER_H
#define QUANT_OBSERVER_H

#include "base/error.h"

/* Bins on each side of 0. */
#define OBSERVER_BINS 2048

/* Zero-initialise. */
typedef struct observer {
    float low, high; /* of all numbers, and 0 */
    double width;    /* of a bin; 0 before the first number that is not 0 */
    /* Numbers in [i·width, (i + 1)·width) for i = −BINS … BINS − 1. Zeros are not counted: a ReLU makes most numbers 0,
     * and any scale holds it exactly. */
    uint64_t counts[2 * OBSERVER_BINS];
    uint64_t total;
} observer;

/* LANERT_EENGINE where a number is NaN or infinite. */
int observer_add(observer *o, const float *numbers, int64_t count, lanert_error *err);
/* How many numbers are in bin i, −BINS to BINS − 1. */
static inline uint64_t observer_count(const observer *o, int i)
{
    return o->counts[i + OBSERVER_BINS];
}

#endif
