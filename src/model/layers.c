#include "model/layers.h"

#include <math.h>
#include <stdarg.h>

#include "model/preset.h"

/* torch.nn.BatchNorm2d's default, which the reference keeps. */
#define NORM_EPSILON 1e-5

module module_of(const char *format, ...)
{
    module m;
    va_list args;
    va_start(args, format);
    vsnprintf(m.name, sizeof m.name, format, args);
    va_end(args);
    return m;
}

/* ---- weights ------------------------------------------------------------------------------------- */

static float *take_vector(net *n, const char *owner, const char *part, int64_t size)
{
    return weights_take(n->w, module_of("%s.%s", owner, part).name, 1, &size);
}

/* Multiplies one channel's weights by factor·γ/√(σ²+ε); returns the bias β − μ·γ/√(σ²+ε). */
static float fold_channel(float *data, size_t count, double factor, double gamma, double beta, double mean,
                          double variance)
{
    double scale = gamma / sqrt(variance + NORM_EPSILON);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(data[i] * (scale * factor));
    return (float)(beta - mean * scale);
}

/* Folds a BatchNorm into `data` [channels][count]; returns the bias, or NULL where something is amiss.
 * data may be NULL: then the BatchNorm is only checked. */
static float *fold_norm(net *n, const char *norm, float *data, int64_t channels, size_t count, double factor)
{
    float *gamma = take_vector(n, norm, "weight", channels), *beta = take_vector(n, norm, "bias", channels);
    float *mean = take_vector(n, norm, "running_mean", channels);
    float *variance = take_vector(n, norm, "running_var", channels);
    bool whole = data && gamma && beta && mean && variance;
    for (int64_t i = 0; whole && i < channels; i++) {
        if (variance[i] < 0) {
            weights_note(n->w, "%s.running_var holds %g at element %lld, but a variance is not negative", norm,
                         (double)variance[i], (long long)i);
            whole = false;
            break;
        }
        beta[i] = fold_channel(data + (size_t)i * count, count, factor, gamma[i], beta[i], mean[i], variance[i]);
    }
    free(gamma);
    free(mean);
    free(variance);
    if (!whole)
        FREE(beta);
    return beta;
}

/* ---- convolutions -------------------------------------------------------------------------------- */

conv conv_take(net *n, const char *name, const char *norm, const conv_spec *spec)
{
    conv c = {.spec = *spec};
    conv_spec *s = &c.spec;
    for (int i = 0; i < 2; i++)
        s->kernel[i] = s->kernel[i] ? s->kernel[i] : 1;
    s->stride = s->stride ? s->stride : 1;
    int64_t dims[4] = {s->out, s->in, s->kernel[0], s->kernel[1]};
    float *data = weights_take(n->w, module_of("%s.weight", name).name, 4, dims), *bias;
    s->out = dims[0];
    s->in = dims[1];
    if (norm)
        bias = fold_norm(n, norm, data, dims[0], (size_t)(dims[1] * dims[2] * dims[3]), s->scale != 0 ? s->scale : 1);
    else
        bias = take_vector(n, name, "bias", dims[0]);
    c.weights = graph_weights(n->g, module_of("%s.weight", name).name, n->type, 4, dims, data);
    c.bias = graph_weights(n->g, module_of("%s.bias", name).name, n->type, 1, dims, bias);
    return c;
}

feature conv_apply(net *n, const conv *c, value x)
{
    const conv_spec *s = &c->spec;
    value y = graph_node(n->g, "Conv", INPUTS(x, c->weights, c->bias),
                         ATTRIBUTES(ATTR_INTS("kernel_shape", s->kernel[0], s->kernel[1]),
                                    ATTR_INTS("strides", s->stride, s->stride),
                                    ATTR_INTS("pads", s->pad[0], s->pad[1], s->pad[0], s->pad[1])));
    return (feature){s->relu ? graph_unary(n->g, "Relu", y) : y, s->out};
}

feature convolve(net *n, feature x, const char *name, const char *norm, conv_spec spec)
{
    spec.in = x.channels;
    conv c = conv_take(n, name, norm, &spec);
    return conv_apply(n, &c, x.v);
}

/* ---- the rest ------------------------------------------------------------------------------------ */

dense dense_take(net *n, const char *name, int64_t in, int64_t out, onnx_type type)
{
    int64_t dims[2] = {out, in};
    module weight = module_of("%s.weight", name), bias = module_of("%s.bias", name);
    float *data = weights_take(n->w, weight.name, 2, dims);
    dense d = {.weights = graph_transposed(n->g, weight.name, type, dims[0], dims[1], data)};
    d.bias = graph_weights(n->g, bias.name, type, 1, dims, take_vector(n, name, "bias", dims[0]));
    return d;
}

value dense_apply(net *n, const dense *d, value x)
{
    return graph_binary(n->g, "Add", graph_binary(n->g, "MatMul", x, d->weights), d->bias);
}

feature feature_join(net *n, feature a, feature b)
{
    return (feature){graph_unary(n->g, "Relu", graph_binary(n->g, "Add", a.v, b.v)), a.channels};
}

feature feature_concat(net *n, const feature *parts, int count)
{
    value inputs[FEATURE_MAX_PARTS + 1] = {NULL};
    int64_t channels = 0;
    bool known = true;
    for (int i = 0; i < count; i++) {
        inputs[i] = parts[i].v;
        channels += parts[i].channels;
        known = known && parts[i].channels;
    }
    if (count == 1)
        return parts[0];
    return (feature){graph_concat(n->g, 1, inputs), known ? channels : 0};
}

feature feature_max_pool(net *n, feature x, int64_t kernel, int64_t stride, int64_t pad)
{
    return (feature){
        graph_node(n->g, "MaxPool", INPUTS(x.v),
                   ATTRIBUTES(ATTR_INTS("kernel_shape", kernel, kernel), ATTR_INTS("strides", stride, stride),
                              ATTR_INTS("pads", pad, pad, pad, pad))),
        x.channels};
}

extent map_extent(const net *n, int64_t stride)
{
    int64_t all = stride * n->shrink;
    return (extent){(NET_HEIGHT + all - 1) / all, (NET_WIDTH + all - 1) / all};
}

value up_sample(net *n, value map, extent to)
{
    graph *g = n->g;
    value scales = graph_floats(g, 1, DIMS(4), (const float[]){1, 1, 2, 2});
    value twice =
        graph_node(g, "Resize", INPUTS(map, "", scales),
                   ATTRIBUTES(ATTR_TEXT("mode", "nearest"), ATTR_TEXT("coordinate_transformation_mode", "asymmetric"),
                              ATTR_TEXT("nearest_mode", "floor")));
    if (to.height % 2 == 0 && to.width % 2 == 0)
        return twice;
    return graph_node(g, "Slice",
                      INPUTS(twice, graph_indices(g, 2, DIMS(0, 0)), graph_indices(g, 2, DIMS(to.height, to.width)),
                             graph_indices(g, 2, DIMS(2, 3))),
                      NULL);
}
