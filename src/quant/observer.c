#include "quant/observer.h"

#include <float.h>
#include <math.h>

static int add_extremes(observer *o, const float *numbers, int64_t count, lanert_error *err)
{
    float low = o->low, high = o->high;
    bool finite = true;
    for (int64_t i = 0; i < count; i++) {
        low = numbers[i] < low ? numbers[i] : low;
        high = numbers[i] > high ? numbers[i] : high;
        finite &= numbers[i] - numbers[i] == 0;
    }
    if (!finite)
        return error_set(err, LANERT_EENGINE, "the network's values are not finite: the model is damaged");
    o->low = low;
    o->high = high;
    return 0;
}

/* Puts pairs of bins together, from 0 outwards, so that each is twice as wide. */
static void double_width(observer *o)
{
    uint64_t *up = o->counts + OBSERVER_BINS, *down = o->counts + OBSERVER_BINS - 1;
    for (int i = 0; i < OBSERVER_BINS; i++) {
        bool whole = 2 * i + 1 < OBSERVER_BINS;
        up[i] = whole ? up[2 * i] + up[2 * i + 1] : 0;
        down[-i] = whole ? down[-2 * i] + down[-2 * i - 1] : 0;
    }
    o->width *= 2;
}

/* A power of two as the width, so that numbers fall into the same bins whatever came first, of which the inverse is
 * float32 too. */
static void make_room(observer *o)
{
    double most = fmax(o->high, -(double)o->low);
    if (o->width == 0 && most > 0)
        o->width = fmax(ldexp(1, ilogb(most) + 1), FLT_MIN * 2.0 * OBSERVER_BINS) / OBSERVER_BINS;
    while (o->width * OBSERVER_BINS <= most && most > 0)
        double_width(o);
}

int observer_add(observer *o, const float *numbers, int64_t count, lanert_error *err)
{
    int rc = add_extremes(o, numbers, count, err);
    if (rc)
        return rc;
    make_room(o);
    const float bins = o->width > 0 ? (float)(1 / o->width) : 0;
    uint64_t zeros = 0;
    for (int64_t i = 0; i < count; i++) {
        if (numbers[i] == 0)
            zeros++;
        else
            o->counts[(int)floorf(numbers[i] * bins) + OBSERVER_BINS]++;
    }
    o->total += (uint64_t)count - zeros;
    return 0;
}
