/* fourier.h - convolutions along the points of lines, as products of Fourier transforms: with 36 points and 9 taps, a
 * third of the multiplications, and the same results but for rounding.
 *
 * Points are taken as one period of points + taps/2, whose zeros the first and the last ones share. Each complex
 * product is three real ones: (a + ib)(c + id) = ac − bd + i((a + b)(c + d) − ac − bd). So a product is a number t that
 * stands for the values of one bin's a, b or a + b, and everything is linear: y = back · ((into · x) ∘ (tap · w)). */
#ifndef MODEL_FOURIER_H
#define MODEL_FOURIER_H

#include "model/layers.h"

typedef struct fourier {
    int64_t points, taps; /* taps is odd; there are as many zeros on either side as a tap's neighbours */
    int64_t period, products;
    value into, back; /* [products,points] and [points,products] */
} fourier;

/* Without the values. */
fourier fourier_of(int64_t points, int64_t taps);
/* The numbers by which point i goes into product t, tap i does, and product t comes back to point i. */
double fourier_into_at(const fourier *f, int64_t t, int64_t i);
double fourier_tap_at(const fourier *f, int64_t t, int64_t i);
double fourier_back_at(const fourier *f, int64_t t, int64_t i);

/* With the values, float32. */
fourier fourier_make(net *n, int64_t points, int64_t taps);
/* conv_take of a kernel [taps,1], for fourier_apply: its weights are [products,in,out]. */
conv fourier_take(net *n, const fourier *f, const char *name, const char *norm, const conv_spec *spec);
/* Of points [N,points,lines,channels]: [N,products,lines,channels]. */
value fourier_into(net *n, const fourier *f, value points, int64_t channels);
/* The convolution of what fourier_into gave, and ReLU: [N,points,lines,out]. */
value fourier_apply(net *n, const fourier *f, const conv *c, value x);

#endif
