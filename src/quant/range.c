#include "quant/range.h"

#include <float.h>
#include <math.h>

/* ---- percentiles --------------------------------------------------------------------------------- */

/* Where the tail of the bins above 0 (direction 1) or below (−1) begins. */
static double find_tail(const observer *o, int direction)
{
    double left = RANGE_TAIL * (double)o->total;
    for (int i = OBSERVER_BINS - 1; i >= 0; i--) {
        left -= (double)observer_count(o, direction > 0 ? i : -1 - i);
        if (left < 0)
            return (i + 1) * o->width;
    }
    return 0;
}

static qdq_range percentile(const observer *o)
{
    return (qdq_range){(float)fmax(o->low, -find_tail(o, -1)), (float)fmin(o->high, find_tail(o, 1))};
}

/* ---- the smallest squared error ------------------------------------------------------------------ */

#define SHARES 200 /* parts of the whole range that are tried as the range */

/* Of a uniform rounding within the range (step²/12), and of what is outside it becoming its end. */
static double squared_error(const observer *o, qdq_range r, bool is_unsigned)
{
    double low = r.low, high = r.high, step = is_unsigned ? (high - low) / UINT8_MAX : fmax(-low, high) / INT8_MAX;
    double sum = 0;
    for (int i = -OBSERVER_BINS; i < OBSERVER_BINS; i++) {
        uint64_t n = observer_count(o, i);
        double x = (i + 0.5) * o->width, beyond = x < low ? low - x : x > high ? x - high : 0;
        if (n)
            sum += (double)n * (beyond > 0 ? beyond * beyond : step * step / 12);
    }
    return sum;
}

/* Shares of the lower end, the upper one, or both, and what is best of them beside the rest of *r. */
static void improve(const observer *o, bool is_unsigned, bool lower, bool upper, qdq_range *r)
{
    double least = DBL_MAX;
    qdq_range best = *r;
    for (int share = SHARES; share > 0; share--) {
        float most = fmaxf(-o->low, o->high) * (float)share / SHARES;
        qdq_range tried = {lower ? fmaxf(o->low, -most) : r->low, upper ? fminf(o->high, most) : r->high};
        double error = squared_error(o, tried, is_unsigned);
        if (error < least) {
            least = error;
            best = tried;
        }
    }
    *r = best;
}

/* Symmetric numbers have one end; of others, each is sought beside the other, twice. */
static qdq_range least_squares(const observer *o, bool is_unsigned)
{
    qdq_range r = {o->low, o->high};
    for (int turn = 0; turn < (is_unsigned ? 4 : 1); turn++)
        improve(o, is_unsigned, !is_unsigned || turn % 2, !is_unsigned || turn % 2 == 0, &r);
    return r;
}

/* ---- the smallest loss of information ------------------------------------------------------------ */

/* After S. Migacz, "8-bit Inference with TensorRT", GTC 2017: the magnitudes' distribution, cut at a threshold and put
 * into as many levels as eight bits have, is to tell the most of what it was. */
#define LEVELS 128

/* Kullback and Leibler's divergence of the first `bins` magnitudes, with what is above them in the last one, from the
 * same in LEVELS levels. */
static double divergence(const double *counts, int bins, double above)
{
    double total = above, sum = 0;
    for (int i = 0; i < bins; i++)
        total += counts[i];
    for (int level = 0; level < LEVELS; level++) {
        int from = level * bins / LEVELS, to = (level + 1) * bins / LEVELS, used = 0;
        double mass = 0;
        for (int i = from; i < to; i++) {
            mass += counts[i];
            used += counts[i] > 0 || (i == bins - 1 && above > 0);
        }
        for (int i = from; i < to; i++) {
            double p = (counts[i] + (i == bins - 1 ? above : 0)) / total;
            double q = used ? mass / used / (total - above) : 0;
            if (p > 0)
                sum += p * log(p / fmax(q, DBL_MIN));
        }
    }
    return sum;
}

static qdq_range least_divergence(const observer *o)
{
    double counts[OBSERVER_BINS], above = 0, least = DBL_MAX;
    int best = OBSERVER_BINS, top = OBSERVER_BINS;
    for (int i = 0; i < OBSERVER_BINS; i++)
        counts[i] = (double)(observer_count(o, i) + observer_count(o, -1 - i));
    while (top > LEVELS && counts[top - 1] == 0)
        top--;
    for (int bins = top; bins >= LEVELS; bins--) {
        double loss = divergence(counts, bins, above);
        if (loss < least) {
            least = loss;
            best = bins;
        }
        above += counts[bins - 1];
    }
    double most = best * o->width;
    return (qdq_range){(float)fmax(o->low, -most), (float)fmin(o->high, most)};
}

qdq_range range_choose(const observer *o, lanert_calibration method, bool is_unsigned)
{
    switch (o->total ? method : LANERT_MINMAX) {
    case LANERT_PERCENTILE:
        return percentile(o);
    case LANERT_MSE:
        return least_squares(o, is_unsigned);
    case LANERT_ENTROPY:
        return least_divergence(o);
    default:
        return (qdq_range){o->low, o->high};
    }
}
