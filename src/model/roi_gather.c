/* clrnet/models/utils/roi_gather.py, with what does not change its results:
 *   - samples are a map [N,channels,points,priors] rather than N·priors maps [channels,points,1], for the same (9,1)
 *     convolutions; the fully connected layer over all points of a prior is one more, of all the map's rows;
 *   - what a stage's first convolution makes of its samples is kept for later stages;
 *   - the nearest resize to 10×25 takes every 2^stage-th pixel, so that it is the stride of the 1×1 convolutions
 *     before it; where the picture is shrunk, the coarsest map is smaller than that, and grows behind them;
 *   - f_query and W, grouped convolutions of one channel a prior, are a factor and a summand for each prior;
 *   - the attention's factor channels^−½ is in the query's.
 * Everything from the fully connected layer's result on is float32: it is little work, and sums up a whole map. */
#include "model/roi_gather.h"

#include <math.h>

/* torch.nn.LayerNorm's default. */
#define LAYER_NORM_EPSILON 1e-5f

/* Of a map, the places that attention looks at. */
#define PLACES_HIGH 10
#define PLACES_WIDE 25

#define PREFIX "heads.roi_gather."

static conv along_points(net *n, const char *layer, int stage, int64_t in, int64_t out)
{
    return conv_take(n, module_of(PREFIX "%s.%d.conv", layer, stage).name,
                     module_of(PREFIX "%s.%d.bn", layer, stage).name,
                     &(conv_spec){.in = in, .out = out, .kernel = {9, 1}, .pad = {4, 0}, .relu = true});
}

static value take_vector(net *n, const char *name, int64_t size)
{
    return graph_weights(n->g, name, ONNX_F32, 1, &size, weights_take(n->w, name, 1, &size));
}

/* A grouped convolution [priors,1,1] and its bias, both times `scale`, as [priors,1]. */
static void take_per_prior(net *n, const char *name, int64_t priors, double scale, value pair[2])
{
    for (int i = 0; i < 2; i++) {
        module m = module_of("%s.%s", name, i == 0 ? "weight" : "bias");
        float *data = weights_take(n->w, m.name, i == 0 ? 3 : 1, (int64_t[]){priors, 1, 1});
        for (int64_t k = 0; data && k < priors; k++)
            data[k] = (float)(data[k] * scale);
        pair[i] = graph_weights(n->g, m.name, ONNX_F32, 2, DIMS(priors, 1), data);
    }
}

/* The fully connected layer: [channels][channels·points]. */
static conv take_narrow(net *n, int64_t channels, int64_t points)
{
    conv c = {.spec = {.in = channels, .out = channels, .kernel = {points, 1}, .stride = 1}};
    float *data = weights_take(n->w, PREFIX "fc.weight", 2, (int64_t[]){channels, channels * points});
    c.weights = graph_weights(n->g, PREFIX "fc.weight", n->type, 4, DIMS(channels, channels, points, 1), data);
    c.bias = graph_weights(n->g, PREFIX "fc.bias", n->type, 1, &channels,
                           weights_take(n->w, PREFIX "fc.bias", 1, (int64_t[]){channels}));
    return c;
}

void roi_take(net *n, roi *r, int64_t channels, int64_t priors, int64_t points)
{
    net exact = {n->g, n->w, ONNX_F32, n->shrink};
    int64_t kept = 0;
    *r = (roi){.channels = channels};
    for (int i = 0; i < ROI_STAGES; i++) {
        r->first[i] = along_points(n, "convs", i, channels, 0);
        kept = r->first[i].spec.out && (i == 0 || kept) ? kept + r->first[i].spec.out : 0;
        r->second[i] = along_points(n, "catconv", i, kept, channels);
    }
    r->narrow = take_narrow(n, channels, points);
    r->norm_scale = take_vector(n, PREFIX "fc_norm.weight", channels);
    r->norm_shift = take_vector(n, PREFIX "fc_norm.bias", channels);
    r->key = conv_take(&exact, PREFIX "f_key.conv", PREFIX "f_key.bn",
                       &(conv_spec){.in = channels, .out = channels, .relu = true});
    r->content = conv_take(&exact, PREFIX "f_value", NULL, &(conv_spec){.in = channels, .out = channels});
    take_per_prior(n, PREFIX "f_query.0", priors, 1 / sqrt((double)channels), r->query);
    take_per_prior(n, PREFIX "W", priors, 1, r->out);
}

/* [N,priors,channels] of the samples. */
static value own_features(net *n, roi *r, int stage, value samples)
{
    graph *g = n->g;
    r->kept[stage] = conv_apply(n, &r->first[stage], graph_cast(g, samples, ONNX_F32, n->type));
    feature y = conv_apply(n, &r->second[stage], feature_concat(n, r->kept, stage + 1).v);
    value row = graph_binary(g, "Squeeze", conv_apply(n, &r->narrow, y.v).v, graph_indices(g, 1, DIMS(2)));
    value turned = graph_node(g, "Transpose", INPUTS(row), ATTRIBUTES(ATTR_INTS("perm", 0, 2, 1)));
    value narrow = graph_cast(g, turned, n->type, ONNX_F32);
    value normal = graph_node(g, "LayerNormalization", INPUTS(narrow, r->norm_scale, r->norm_shift),
                              ATTRIBUTES(ATTR_INT("axis", -1), ATTR_FLOAT("epsilon", LAYER_NORM_EPSILON)));
    return graph_unary(g, "Relu", normal);
}

static value per_prior(net *n, value x, const value pair[2])
{
    return graph_binary(n->g, "Add", graph_binary(n->g, "Mul", x, pair[0]), pair[1]);
}

/* The map's 10×25 places through a 1×1 convolution: [N,channels,250]. */
static value places(net *n, const roi *r, conv c, int stage, value map)
{
    int64_t finer = (int64_t)1 << stage;
    c.spec.stride = finer < n->shrink ? 1 : finer / n->shrink;
    value v = conv_apply(n, &c, map).v;
    if (finer < n->shrink)
        v = up_sample(n, v, (extent){PLACES_HIGH, PLACES_WIDE});
    return graph_binary(n->g, "Reshape", v, graph_indices(n->g, 3, DIMS(0, r->channels, -1)));
}

value roi_gather(net *n, roi *r, int stage, value samples, value map)
{
    graph *g = n->g;
    value own = own_features(n, r, stage, samples);
    value query = graph_unary(g, "Relu", per_prior(n, own, r->query));
    value similar = graph_binary(g, "MatMul", query, places(n, r, r->key, stage, map));
    value weight = graph_node(g, "Softmax", INPUTS(similar), ATTRIBUTES(ATTR_INT("axis", -1)));
    value content = graph_node(g, "Transpose", INPUTS(places(n, r, r->content, stage, map)),
                               ATTRIBUTES(ATTR_INTS("perm", 0, 2, 1)));
    value context = graph_binary(g, "MatMul", weight, content);
    return graph_binary(g, "Add", own, per_prior(n, context, r->out));
}

void roi_select(graph *g, roi *r, selection s)
{
    r->kept[0].v = selection_columns(g, s, r->kept[0].v);
    for (int i = 0; i < 2; i++) {
        r->query[i] = selection_shared(g, s, r->query[i]);
        r->out[i] = selection_shared(g, s, r->out[i]);
    }
}
