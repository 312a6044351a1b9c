#include "model/half.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* 1 sign, 5 exponent (bias 15) and 10 fraction bits. */
float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
    if (exponent == 0) {
        float tiny = (float)fraction * 0x1p-24f;
        return sign ? -tiny : tiny;
    }
    uint32_t wide = exponent == 0x1f ? 0xff : exponent + 127 - 15, bits = sign | wide << 23 | fraction << 13;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint16_t half_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    float size = fabsf(value);
    if (isnan(value))
        return sign | 0x7e00;
    if (size >= 65520.0f) /* half way from HALF_MAX to 2^16 */
        return sign | 0x7c00;
    if (size < 0x1p-14f) /* subnormal: a multiple of 2^-24 */
        return sign | (uint16_t)rintf(size * 0x1p24f);
    /* 13 bits of the fraction go; a carry runs on into the exponent, as it should. */
    uint32_t kept = (bits & 0x7fffffff) - ((127 - 15) << 23);
    return sign | (uint16_t)((kept + 0xfff + (kept >> 13 & 1)) >> 13);
}

/* ---- kernels ------------------------------------------------------------------------------------- */

/* One weight, and what it is rounded to. */
typedef struct rounding {
    uint16_t half, other; /* the nearest, and that on the weight's other side */
    double error;         /* the nearest less the weight */
    double step;          /* from one to the other; infinite where there is none, or it is taken */
} rounding;

/* The next half above or below, of one that is finite. */
static uint16_t next_half(uint16_t half, bool above)
{
    if ((half & 0x7fff) == 0)
        return above ? 0x0001 : 0x8001;
    return above == !(half & 0x8000) ? half + 1 : half - 1;
}

static rounding round_weight(float weight)
{
    rounding r = {.half = half_from_float(weight), .step = INFINITY};
    r.error = (double)half_to_float(r.half) - weight;
    if (r.error != 0) {
        r.other = next_half(r.half, r.error < 0);
        r.step = fabs((double)half_to_float(r.other) - half_to_float(r.half));
    }
    return r;
}

/* That which brings the sum of errors nearer to 0 at the least cost in their squares: (s − |e|)² − e² for a step of s
 * is s·(s − 2|e|). NULL where none does. */
static rounding *cheapest(rounding *all, size_t count, double sum)
{
    rounding *best = NULL;
    double least = INFINITY;
    for (size_t i = 0; i < count; i++) {
        double cost = all[i].step - 2 * fabs(all[i].error);
        if (all[i].error * sum > 0 && all[i].step < 2 * fabs(sum) && cost < least) {
            best = &all[i];
            least = cost;
        }
    }
    return best;
}

static void round_group(const float *weights, size_t count, uint16_t *halves)
{
    rounding all[HALF_GROUP], *r;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        all[i] = round_weight(weights[i]);
        sum += all[i].error;
    }
    while ((r = cheapest(all, count, sum))) {
        sum -= copysign(r->step, sum);
        r->half = r->other;
        r->step = INFINITY;
    }
    for (size_t i = 0; i < count; i++)
        halves[i] = all[i].half;
}

void half_from_kernel(const float *weights, size_t count, uint16_t *halves)
{
    for (size_t done = 0; done < count; done += HALF_GROUP)
        round_group(weights + done, count - done < HALF_GROUP ? count - done : HALF_GROUP, halves + done);
}
