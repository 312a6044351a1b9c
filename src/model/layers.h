/* layers.h - convolutions and linear layers with their weights, BatchNorm folded in. */
#ifndef MODEL_LAYERS_H
#define MODEL_LAYERS_H

#include "model/onnx_graph.h"
#include "model/weights.h"

/* What every part of the network is built with. */
typedef struct net {
    graph *g;
    weights *w;
    onnx_type type; /* of convolutions and their weights: ONNX_F32 or ONNX_F16 */
    int64_t shrink; /* the network sees the picture this many times smaller, 1 or 2 */
} net;

/* A map's height and width at a stride of the network. */
typedef struct extent {
    int64_t height, width;
} extent;

extent map_extent(const net *n, int64_t stride);

/* A module's name in the checkpoint. */
typedef struct module {
    char name[160];
} module;

module module_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A map [N,channels,height,width]. */
typedef struct feature {
    value v;
    int64_t channels; /* 0 where its weights are missing */
} feature;

typedef struct conv_spec {
    int64_t in, out;   /* channels expected; 0: as many as the weights have */
    int64_t kernel[2]; /* height, width; 0: 1 */
    int64_t stride;    /* 0: 1 */
    int64_t pad[2];    /* rows above and below, columns left and right */
    bool relu;         /* behind it */
    double scale;      /* with a BatchNorm: the weights are multiplied by it; 0: 1 */
} conv_spec;

/* A convolution whose weights are in the graph, to be applied as often as need be. */
typedef struct conv {
    conv_spec spec; /* as found */
    value weights, bias;
} conv;

/* `norm` is the BatchNorm behind it, folded in, in double: w·γ/√(σ²+ε) and β − μ·γ/√(σ²+ε). NULL: it has a bias of
 * its own. */
conv conv_take(net *n, const char *name, const char *norm, const conv_spec *spec);
feature conv_apply(net *n, const conv *c, value x);
/* Both: a convolution that is used once; x tells spec.in. */
feature convolve(net *n, feature x, const char *name, const char *norm, conv_spec spec);

/* x·Wᵀ + b over the last axis. */
typedef struct dense {
    value weights, bias;
} dense;

dense dense_take(net *n, const char *name, int64_t in, int64_t out, onnx_type type);
value dense_apply(net *n, const dense *d, value x);

/* ReLU(a + b) */
feature feature_join(net *n, feature a, feature b);
#define FEATURE_MAX_PARTS 4
feature feature_concat(net *n, const feature *parts, int count);
feature feature_max_pool(net *n, feature x, int64_t kernel, int64_t stride, int64_t pad);
/* Twice as high and wide by repeating places, as torch's nearest interpolation to `to`: 2h or 2h − 1 by 2w or 2w − 1.
 */
value up_sample(net *n, value map, extent to);

#endif
