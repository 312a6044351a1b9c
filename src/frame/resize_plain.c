#include "frame/resize.h"

#include <math.h>

/* ---- linear: OpenCV's own fixed point ---------------------------------------------------------
 * Weights are integers of 2048. A line keeps its sums over 16 (0 to 255 × 128), the only bits that
 * OpenCV's vertical step looks at (resize.cpp, VResizeLinear), so it fits 16 bits. */

#define LINEAR_ONE 2048

int resize_linear_weigh(double position, void *weights)
{
    int16_t *w = weights;
    float fraction = (float)position; /* single precision, as in OpenCV */
    float first = floorf(fraction);
    fraction -= first;
    w[0] = (int16_t)lrintf((1 - fraction) * LINEAR_ONE);
    w[1] = (int16_t)lrintf(fraction * LINEAR_ONE);
    return (int)first;
}

void resize_linear_across(const uint8_t *row, const resize_axis *axis, bool swap, int from, int to, int16_t *line)
{
    const int32_t *taps = axis->taps;
    const int16_t *weights = axis->weights;
    int blue = swap ? 2 : 0;
    for (int i = from; i < to; i++) {
        const uint8_t *a = row + taps[2 * i] * 3, *b = row + taps[2 * i + 1] * 3;
        int wa = weights[2 * i], wb = weights[2 * i + 1];
        line[3 * i] = (int16_t)((a[blue] * wa + b[blue] * wb) >> 4);
        line[3 * i + 1] = (int16_t)((a[1] * wa + b[1] * wb) >> 4);
        line[3 * i + 2] = (int16_t)((a[2 - blue] * wa + b[2 - blue] * wb) >> 4);
    }
}

void resize_linear_down(const int16_t *const *lines, const int16_t *weights, int from, int to, uint8_t *out)
{
    const int16_t *a = lines[0], *b = lines[1];
    int wa = weights[0], wb = weights[1];
    for (int i = from; i < to; i++)
        out[i] = (uint8_t)(((a[i] * wa >> 16) + (b[i] * wb >> 16) + 2) >> 2);
}

/* ---- cubic: single precision -----------------------------------------------------------------
 * OpenCV's published builds for x86 hand INTER_CUBIC to IPP, which rounds once, at the end; the authors'
 * validation saw that. OpenCV's own fixed point (builds without IPP, pictures under 4 pixels wide or
 * high) differs from it by one level in a few pixels of a hundred. */

/* Keys' kernel (1981), a = −0.75 as in OpenCV, at distance x. */
static double keys_near(double x)
{
    return (1.25 * x - 2.25) * x * x + 1;
}

static double keys_far(double x)
{
    return ((-0.75 * x + 3.75) * x - 6) * x + 3;
}

int resize_cubic_weigh(double position, void *weights)
{
    float *w = weights;
    double before = floor(position);
    double x = position - before;
    w[0] = (float)keys_far(1 + x);
    w[1] = (float)keys_near(x);
    w[2] = (float)keys_near(1 - x);
    w[3] = (float)keys_far(2 - x);
    return (int)before - 1;
}

void resize_cubic_across(const uint8_t *row, const resize_axis *axis, bool swap, int from, int to, float *line)
{
    const float *weights = axis->weights;
    for (int i = from; i < to; i++) {
        const int32_t *t = axis->taps + 4 * i;
        const float *w = weights + 4 * i;
        const uint8_t *a = row + t[0] * 3, *b = row + t[1] * 3, *c = row + t[2] * 3, *d = row + t[3] * 3;
        for (int k = 0; k < 3; k++) {
            int from_k = swap ? 2 - k : k;
            line[3 * i + k] = a[from_k] * w[0] + b[from_k] * w[1] + c[from_k] * w[2] + d[from_k] * w[3];
        }
    }
}

/* Rounded half to even, 0 to 255: the low bits of the sum with 2²³, whose last place is 1. */
static uint8_t to_byte(float x)
{
    float clamped = x < 0 ? 0 : x > 255 ? 255 : x;
    float shifted = clamped + 8388608.0F;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return (uint8_t)bits;
}

void resize_cubic_down(const float *const *lines, const float *weights, int from, int to, uint8_t *out)
{
    const float *a = lines[0], *b = lines[1], *c = lines[2], *d = lines[3];
    float wa = weights[0], wb = weights[1], wc = weights[2], wd = weights[3];
    for (int i = from; i < to; i++)
        out[i] = to_byte(a[i] * wa + b[i] * wb + c[i] * wc + d[i] * wd);
}

/* ---- the filters ----------------------------------------------------------------------------- */

static void linear_across(const uint8_t *row, const resize_axis *axis, bool swap, void *line)
{
    resize_linear_across(row, axis, swap, 0, axis->out, line);
}

static void linear_down(const void *const *lines, const void *weights, int count, uint8_t *out)
{
    const int16_t *const pair[] = {lines[0], lines[1]};
    resize_linear_down(pair, weights, 0, count, out);
}

static void cubic_across(const uint8_t *row, const resize_axis *axis, bool swap, void *line)
{
    resize_cubic_across(row, axis, swap, 0, axis->out, line);
}

static void cubic_down(const void *const *lines, const void *weights, int count, uint8_t *out)
{
    const float *const four[] = {lines[0], lines[1], lines[2], lines[3]};
    resize_cubic_down(four, weights, 0, count, out);
}

const resize_filter *resize_plain(lanert_resize resize)
{
    static const resize_filter linear = {
        2, sizeof(int16_t), sizeof(int16_t), resize_linear_weigh, linear_across, linear_down};
    static const resize_filter cubic = {4, sizeof(float), sizeof(float), resize_cubic_weigh, cubic_across, cubic_down};
    return resize == LANERT_CUBIC ? &cubic : &linear;
}
