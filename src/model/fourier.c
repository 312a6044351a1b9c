#include "model/fourier.h"

#include <math.h>

/* Of bins 0 and period/2, which are real, there is one product; of each one between them, three. */
enum { REAL_BINS = 2, PARTS = 3 };

fourier fourier_of(int64_t points, int64_t taps)
{
    int64_t period = points + taps / 2;
    period += period % 2;
    return (fourier){
        .points = points, .taps = taps, .period = period, .products = REAL_BINS + PARTS * (period / 2 - 1)};
}

static bool is_real(int64_t t)
{
    return t < REAL_BINS;
}

static int64_t part_of(int64_t t)
{
    return is_real(t) ? 0 : (t - REAL_BINS) % PARTS;
}

/* What the bin of product t turns by in i steps, in radians. */
static double angle(const fourier *f, int64_t t, int64_t i)
{
    int64_t bin = is_real(t) ? t * f->period / 2 : 1 + (t - REAL_BINS) / PARTS;
    return 2 * M_PI * (double)(bin * i % f->period) / (double)f->period;
}

double fourier_into_at(const fourier *f, int64_t t, int64_t i)
{
    double c = cos(angle(f, t, i)), s = sin(angle(f, t, i));
    return (double[PARTS]){c, -s, c - s}[part_of(t)];
}

/* The conjugate of what points have: ONNX's convolution does not turn its taps round. */
double fourier_tap_at(const fourier *f, int64_t t, int64_t i)
{
    double c = cos(angle(f, t, i - f->taps / 2)), s = sin(angle(f, t, i - f->taps / 2));
    return (double[PARTS]){c, s, c + s}[part_of(t)];
}

double fourier_back_at(const fourier *f, int64_t t, int64_t i)
{
    double c = cos(angle(f, t, i)), s = sin(angle(f, t, i)), twice = is_real(t) ? 1 : 2;
    return twice / (double)f->period * (double[PARTS]){c + s, s - c, -s}[part_of(t)];
}

fourier fourier_make(net *n, int64_t points, int64_t taps)
{
    fourier f = fourier_of(points, taps);
    float *into = graph_new_floats(n->g, f.products * points), *back = graph_new_floats(n->g, f.products * points);
    for (int64_t t = 0; into && back && t < f.products; t++)
        for (int64_t i = 0; i < points; i++) {
            into[t * points + i] = (float)fourier_into_at(&f, t, i);
            back[i * f.products + t] = (float)fourier_back_at(&f, t, i);
        }
    f.into = graph_weights(n->g, NULL, ONNX_F32, 2, DIMS(f.products, points), into);
    f.back = graph_weights(n->g, NULL, ONNX_F32, 2, DIMS(points, f.products), back);
    return f;
}

/* Of taps [out][in][taps]: [products][in][out]. */
static float *transform(net *n, const fourier *f, const float *taps, int64_t out, int64_t in)
{
    float *turned = taps ? graph_new_floats(n->g, f->products * in * out) : NULL;
    for (int64_t t = 0; turned && t < f->products; t++)
        for (int64_t k = 0; k < out * in; k++) {
            double sum = 0;
            for (int64_t i = 0; i < f->taps; i++)
                sum += fourier_tap_at(f, t, i) * taps[k * f->taps + i];
            turned[(t * in + k % in) * out + k / in] = (float)sum;
        }
    return turned;
}

conv fourier_take(net *n, const fourier *f, const char *name, const char *norm, const conv_spec *spec)
{
    conv_values k = conv_values_take(n, name, norm, spec);
    int64_t in = k.spec.in, out = k.spec.out;
    conv c = {.spec = k.spec,
              .weights = graph_weights(n->g, module_of("%s.weight", name).name, ONNX_F32, 3, DIMS(f->products, in, out),
                                       transform(n, f, k.weights, out, in)),
              .bias = graph_weights(n->g, module_of("%s.bias", name).name, ONNX_F32, 1, &out, k.bias)};
    free(k.weights);
    return c;
}

/* A matrix [to,from] times x [N,from,lines,channels]: [N,to,lines,channels]. */
static value along_points(net *n, value matrix, value x, int64_t from, int64_t to, int64_t channels)
{
    graph *g = n->g;
    value flat = graph_binary(g, "Reshape", x, graph_indices(g, 3, DIMS(0, from, -1)));
    return graph_binary(g, "Reshape", graph_binary(g, "MatMul", matrix, flat),
                        graph_indices(g, 4, DIMS(0, to, -1, channels)));
}

value fourier_into(net *n, const fourier *f, value points, int64_t channels)
{
    return along_points(n, f->into, points, f->points, f->products, channels);
}

value fourier_apply(net *n, const fourier *f, const conv *c, value x)
{
    graph *g = n->g;
    value y = along_points(n, f->back, graph_binary(g, "MatMul", x, c->weights), f->products, f->points, c->spec.out);
    return graph_unary(g, "Relu", graph_binary(g, "Add", y, c->bias));
}
