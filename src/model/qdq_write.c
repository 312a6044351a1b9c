/* Forms that engines take and fuse (measured on ONNX Runtime 1.32 and OpenVINO 2026.4; TensorRT: its developer guide,
 * "Explicit Quantization"):
 *   - weights are stored as int8 with a DequantizeLinear behind them, symmetric, at most ±127;
 *   - biases stay float32: each engine scales them as it needs;
 *   - a pair is behind the Relu of a convolution, not before it, and before both inputs of a residual sum; nothing
 * takes what is before the pair: ONNX Runtime else computes the layer in float32;
 *   - zeros above and below a map, where there are none beside it, are put there before the convolution if their zero
 * point is not 0: OpenVINO with AMX makes them other numbers where the map is wider than 128 (3 dB);
 *   - TensorRT takes int8 with a zero point of 0 alone. ONNX Runtime on x86 has fast kernels for uint8 alone, and
 * leaves a Relu out only where the zero point does the same. OpenVINO on x86 without AMX makes int8 uint8 with a zero
 * point of 128, and is wrong (16 dB) in convolutions behind a concatenation whose zero point is not 0. */
#include <limits.h>
#include <math.h>

#include "model/onnx_graph_edit.h"
#include "model/qdq_stem.h"

#define INT8_MOST 127

/* One writing: a graph of its own, which is changed. */
typedef struct writing {
    const qdq *q;
    const qdq_plan *plan;
    graph *g;
    int *keys; /* [nodes] for graph_order */
    size_t keyed, key_capacity;
    value *pairs;          /* [names] what is behind the pair of a value; NULL: no pair yet */
    value *weights;        /* [names] the same of weights */
    value *scales, *zeros; /* [scales] */
    bool *apart;           /* [layers] zeros around the input are put there before the layer */
    qdq_stem stem;
    bool blocks; /* the stem is one of blocks */
} writing;

/* Places among the nodes of the file. */
#define KEY_OF(node) (2 * (node))
#define KEY_BEHIND(node) (2 * (node) + 1)
#define KEY_FIRST (-1)
#define KEY_LAST (GRAPH_OUT - 1)

/* Gives all nodes that were added since the last call this key. */
static void place(writing *w, int key)
{
    size_t count = (size_t)graph_node_count(w->g);
    graph_fail(w->g, memory_grow(&w->keys, &w->key_capacity, count, sizeof *w->keys, &w->g->error));
    while (!w->g->rc && w->keyed < count)
        w->keys[w->keyed++] = key;
}

static int name_of(const writing *w, const char *name)
{
    return name_table_find(&w->q->names, name);
}

static const Onnx__NodeProto *node_at(const writing *w, int node)
{
    return w->q->g->model->graph->node[node];
}

/* ---- values -------------------------------------------------------------------------------------- */

static value add_byte(graph *g, onnx_type type, int number)
{
    uint8_t *byte = graph_make(g, 1, 1);
    if (!byte)
        return "";
    *byte = (uint8_t)number;
    return graph_constant(g, graph_next_name(g, "zero"), type, 0, NULL, byte, 1);
}

/* x ≈ (q − zero)·scale. */
static void add_scale(writing *w, int i)
{
    qdq_range r = w->plan->ranges[i];
    float scale;
    int zero = 0;
    if (w->plan->unsigned_values) {
        scale = (r.high - r.low) / UINT8_MAX;
        zero = scale > 0 ? (int)lrintf(-r.low / scale) : 0;
    } else {
        scale = fmaxf(-r.low, r.high) / INT8_MOST;
    }
    w->scales[i] = graph_scalar(w->g, scale > 0 ? scale : 1);
    w->zeros[i] = add_byte(w->g, w->plan->unsigned_values ? ONNX_U8 : ONNX_I8, zero);
}

/* A value's scale, made when it is first asked for. */
static int scale_of(writing *w, const qdq_value *v)
{
    if (!w->scales[v->scale])
        add_scale(w, v->scale);
    return v->scale;
}

/* Gives the nodes that were added their place behind the one that makes a value. */
static void place_behind(writing *w, const char *name)
{
    int owner = w->q->names.list[name_of(w, name)].owner;
    place(w, owner < 0 ? KEY_FIRST : KEY_BEHIND(owner));
}

static value quantize(writing *w, value v, int scale)
{
    return graph_node(w->g, "QuantizeLinear", INPUTS(v, w->scales[scale], w->zeros[scale]), NULL);
}

static value back(writing *w, value q, int scale)
{
    return graph_node(w->g, "DequantizeLinear", INPUTS(q, w->scales[scale], w->zeros[scale]), NULL);
}

/* The pair of a value of the file, made when it is first asked for. */
static value add_pair(writing *w, const char *name)
{
    int at = name_of(w, name);
    if (w->pairs[at])
        return w->pairs[at];
    int scale = scale_of(w, &w->q->values[w->q->value_of[at]]);
    value q = w->blocks && !strcmp(name, w->stem.source)
                  ? qdq_stem_blocks(w->g, &w->stem) /* bytes that stay what they are */
                  : quantize(w, name, scale);
    w->pairs[at] = back(w, q, scale);
    place_behind(w, name);
    return w->pairs[at];
}

/* The zeros above and below that a layer's input gets before the layer; NULL where the layer adds its own. */
static const int64_t *tall_pads(const writing *w, int layer)
{
    return w->apart[layer] ? qdq_ints(node_at(w, w->q->node_of[layer]), "pads", 4) : NULL;
}

static void find_apart(writing *w)
{
    for (int i = 0; w->plan && i < w->q->layer_count; i++) {
        const int64_t *pads = qdq_ints(node_at(w, w->q->node_of[i]), "pads", 4);
        bool tall = pads && (pads[0] || pads[2]) && !pads[1] && !pads[3];
        int scale = w->q->values[w->q->layers[i].input].scale;
        w->apart[i] = tall && w->plan->unsigned_values && w->plan->ranges[scale].low < 0;
    }
}

/* What goes into a layer in eight bits: the pair of its input, `x`, or of that with zeros around it. */
static value add_input(writing *w, int layer, value x)
{
    const qdq_value *v = &w->q->values[w->q->layers[layer].input];
    const int64_t *pads = tall_pads(w, layer);
    if (!pads)
        return add_pair(w, v->name);
    int scale = scale_of(w, v);
    value around = graph_indices(w->g, 8, DIMS(0, 0, pads[0], 0, 0, 0, pads[2], 0));
    value padded = graph_node(w->g, "Pad", INPUTS(x, around), NULL);
    padded = back(w, quantize(w, padded, scale), scale);
    place_behind(w, v->name);
    return padded;
}

/* Node `at` of the graph that is written computes the layer. */
static void drop_pads(writing *w, int layer, int at)
{
    if (tall_pads(w, layer))
        graph_change_ints(w->g, at, "pads", DIMS(0, 0, 0, 0));
}

/* ---- weights ------------------------------------------------------------------------------------- */

/* Weights as [outer][channels][inner]. */
typedef struct weight_shape {
    size_t outer, channels, inner;
    int axis;
} weight_shape;

static weight_shape shape_of(const Onnx__NodeProto *n, const Onnx__TensorProto *t)
{
    bool first = !strcmp(n->op_type, "Conv") || qdq_attribute(n, "transB", 0);
    size_t count = t->raw_data.len / sizeof(float);
    if (first)
        return (weight_shape){1, (size_t)t->dims[0], count / (size_t)t->dims[0], 0};
    return (weight_shape){(size_t)t->dims[0], (size_t)t->dims[1], 1, 1};
}

static int largest(const float *data, weight_shape s, const char *name, float *most, lanert_error *err)
{
    for (size_t i = 0; i < s.outer * s.channels * s.inner; i++) {
        size_t c = i / s.inner % s.channels;
        if (!isfinite(data[i]))
            return error_set(err, LANERT_EFORMAT, "the weight %s holds %g", name, (double)data[i]);
        most[c] = fmaxf(most[c], fabsf(data[i]));
    }
    return 0;
}

/* Turns what is largest in each channel into the channel's scale. */
static void make_scales(float *scales, size_t channels, bool per_channel)
{
    float most = 0;
    for (size_t c = 0; c < channels; c++)
        most = fmaxf(most, scales[c]);
    for (size_t c = 0; c < channels; c++) {
        float own = (per_channel ? scales[c] : most) / INT8_MOST;
        scales[c] = own > 0 ? own : 1;
    }
}

static void round_weights(const float *data, weight_shape s, const float *scales, int8_t *out)
{
    for (size_t i = 0; i < s.outer * s.channels * s.inner; i++) {
        float q = rintf(data[i] / scales[i / s.inner % s.channels]);
        out[i] = (int8_t)fmaxf(-INT8_MOST, fminf(INT8_MOST, q));
    }
}

/* Takes over `data`. */
static value add_bytes(writing *w, const Onnx__TensorProto *t, int8_t *data)
{
    graph *g = w->g;
    char *name = graph_next_name(g, "weight");
    if (!w->blocks || strcmp(t->name, w->stem.weights))
        return graph_constant(g, name, ONNX_I8, (int)t->n_dims, t->dims, data, t->raw_data.len / sizeof(float));
    const int64_t dims[] = {t->dims[0], STEM_CHANNELS, STEM_SIDE, STEM_SIDE};
    int8_t *turned = qdq_stem_weights(g, data, t->dims[0]);
    free(data);
    return graph_constant(g, name, ONNX_I8, 4, dims, turned, (size_t)(dims[0] * dims[1] * dims[2] * dims[3]));
}

static value dequantize(writing *w, const Onnx__TensorProto *t, weight_shape s, float *scales, int8_t *data)
{
    graph *g = w->g;
    int64_t channels = w->plan->per_channel ? (int64_t)s.channels : 0;
    int rank = channels ? 1 : 0;
    value q = add_bytes(w, t, data);
    value scale = graph_weights(g, NULL, ONNX_F32, rank, &channels, scales);
    size_t zeros = channels ? (size_t)channels : 1;
    value zero =
        graph_constant(g, graph_next_name(g, "zero"), ONNX_I8, rank, &channels, graph_make(g, zeros, 1), zeros);
    value v = graph_node(g, "DequantizeLinear", INPUTS(q, scale, zero),
                         channels ? ATTRIBUTES(ATTR_INT("axis", s.axis)) : NULL);
    place(w, KEY_FIRST);
    return v;
}

static value add_weights(writing *w, const Onnx__NodeProto *n)
{
    const Onnx__TensorProto *t = qdq_constant(w->q, n->input[1]);
    weight_shape s = shape_of(n, t);
    int at = name_of(w, n->input[1]);
    if (w->weights[at])
        return w->weights[at];
    float *scales = graph_new_floats(w->g, (int64_t)s.channels);
    int8_t *data = graph_make(w->g, t->raw_data.len / sizeof(float), 1);
    if (scales && data)
        graph_fail(w->g, largest((const float *)(const void *)t->raw_data.data, s, t->name, scales, &w->g->error));
    if (w->g->rc) {
        free(scales);
        free(data);
        return "";
    }
    make_scales(scales, s.channels, w->plan->per_channel);
    round_weights((const float *)(const void *)t->raw_data.data, s, scales, data);
    return w->weights[at] = dequantize(w, t, s, scales, data);
}

/* ---- layers -------------------------------------------------------------------------------------- */

static void shift_bias(writing *w, int layer)
{
    const qdq *q = w->q;
    const float *shift = w->plan->shift ? w->plan->shift[layer] : NULL;
    int owner = q->bias_of[layer], channels = q->layers[layer].channels;
    if (!shift || owner < 0)
        return;
    const Onnx__NodeProto *n = node_at(w, owner);
    int input = owner == q->node_of[layer] ? 2 : 1;
    const Onnx__TensorProto *old = (size_t)input < n->n_input ? qdq_constant(q, n->input[input]) : NULL;
    float *bias = graph_new_floats(w->g, channels);
    if (!bias)
        return;
    if (old)
        memcpy(bias, old->raw_data.data, old->raw_data.len);
    for (int i = 0; i < channels; i++)
        bias[i] += shift[i];
    graph_rewire(w->g, owner, input, graph_weights(w->g, NULL, ONNX_F32, 1, DIMS(channels), bias));
}

static bool takes_pair(const writing *w, const qdq_spread *s, int node, size_t input)
{
    const Onnx__NodeProto *n = node_at(w, node);
    int at = name_of(w, n->input[input]);
    return at >= 0 && (s->results[at] || (s->done[node] && input < qdq_data_inputs(n, w->q->kinds[node])));
}

static void rewire_layer(writing *w, const qdq_spread *s, int node)
{
    const Onnx__NodeProto *n = node_at(w, node);
    int layer = w->q->layer_of[node];
    value x = s->results[name_of(w, n->input[0])] ? add_pair(w, n->input[0]) : n->input[0];
    graph_rewire(w->g, node, 0, add_input(w, layer, x));
    drop_pads(w, layer, node);
    graph_rewire(w->g, node, 1, add_weights(w, n));
    shift_bias(w, layer);
}

static void rewire(writing *w, const qdq_spread *s)
{
    const qdq *q = w->q;
    for (int i = 0; i < (int)q->g->model->graph->n_node && !w->g->rc; i++) {
        const Onnx__NodeProto *n = node_at(w, i);
        if (s->done[i] && q->kinds[i] == NODE_LAYER) {
            rewire_layer(w, s, i);
            continue;
        }
        for (size_t k = 0; k < n->n_input; k++)
            if (takes_pair(w, s, i, k))
                graph_rewire(w->g, i, (int)k, add_pair(w, n->input[k]));
    }
}

/* Whether the plan leaves the picture's bytes what they are. */
static bool keeps_bytes(const writing *w)
{
    int scale = w->q->values[w->q->value_of[name_of(w, w->stem.source)]].scale;
    const qdq_range *r = &w->plan->ranges[scale];
    qdq_range known;
    return w->plan->unsigned_values && qdq_known(w->q, scale, &known) && r->low == known.low && r->high == known.high;
}

/* The bytes go straight to the stem, where it is in eight bits. */
static void change_stem(writing *w, const qdq_spread *s)
{
    w->blocks = qdq_stem_find(w->q, &w->stem) && s->done[w->stem.conv] && s->done[w->stem.turn] && keeps_bytes(w);
    if (!w->blocks)
        return;
    qdq_stem_change(w->g, &w->stem);
    w->keys[w->stem.cast] = w->keys[w->stem.multiply] = GRAPH_OUT;
}

/* ---- the mean of what eight bits change ------------------------------------------------------------ */

/* [channels]: the mean of v over all else. */
static value mean_of(graph *g, value v, const qdq_layer *l)
{
    const attribute keep = ATTR_INT("keepdims", 0);
    if (!strcmp(l->op, "Conv"))
        return graph_node(g, "ReduceMean", INPUTS(v), ATTRIBUTES(ATTR_INTS("axes", 0, 2, 3), keep));
    value rows = graph_binary(g, "Reshape", v, graph_indices(g, 2, DIMS(-1, l->channels)));
    return graph_node(g, "ReduceMean", INPUTS(rows), ATTRIBUTES(ATTR_INTS("axes", 0), keep));
}

/* Beside the layer, the same in eight bits. */
static void add_shift(writing *w, int layer, const char *name, int most)
{
    const qdq *q = w->q;
    int node = q->node_of[layer];
    const Onnx__NodeProto *n = node_at(w, node);
    value x = add_input(w, layer, n->input[0]), y = add_weights(w, n);
    value twin = graph_repeat(w->g, node, n->n_input > 2 ? INPUTS(x, y, n->input[2]) : INPUTS(x, y));
    drop_pads(w, layer, graph_node_count(w->g) - 1);
    graph_observe(w->g, mean_of(w->g, graph_binary(w->g, "Sub", n->output[0], twin), &q->layers[layer]), name, most);
    place(w, KEY_LAST);
}

/* ---- writing ------------------------------------------------------------------------------------- */

static void writing_close(writing *w)
{
    graph_close(&w->g);
    FREE(w->keys);
    FREE(w->pairs);
    FREE(w->weights);
    FREE(w->scales);
    FREE(w->zeros);
    FREE(w->apart);
}

static int writing_open(const qdq *q, const qdq_plan *plan, writing *w, lanert_error *err)
{
    int rc;
    *w = (writing){.q = q, .plan = plan};
    if ((rc = graph_load(q->map.data, q->map.size, q->path, &w->g, err)) ||
        (rc = memory_new(&w->pairs, q->names.count, sizeof *w->pairs, err)) ||
        (rc = memory_new(&w->weights, q->names.count, sizeof *w->weights, err)) ||
        (rc = memory_new(&w->scales, (size_t)q->scale_count, sizeof *w->scales, err)) ||
        (rc = memory_new(&w->zeros, (size_t)q->scale_count, sizeof *w->zeros, err)) ||
        (rc = memory_new(&w->apart, (size_t)q->layer_count, 1, err))) {
        writing_close(w);
        return rc;
    }
    find_apart(w);
    graph_scope(w->g, "int8");
    place(w, 0);
    for (size_t i = 0; i < w->keyed; i++)
        w->keys[i] = KEY_OF((int)i);
    return 0;
}

static int writing_finish(writing *w, FILE *stream, const char *name, lanert_error *err)
{
    place(w, KEY_LAST);
    if (!w->g->rc)
        graph_order(w->g, w->keys);
    graph_drop_unused(w->g);
    int rc = graph_write(w->g, stream, name, err);
    writing_close(w);
    return rc;
}

int qdq_write_observed(const qdq *q, int first, int count, FILE *stream, const char *name, lanert_error *err)
{
    writing w;
    char output[32];
    int rc = writing_open(q, NULL, &w, err);
    if (rc)
        return rc;
    graph_fix_batch(w.g, 1);
    graph_clear_outputs(w.g);
    for (int i = 0; i < count; i++) {
        snprintf(output, sizeof output, "observed%d", i);
        graph_observe(w.g, q->values[first + i].name, output, count);
    }
    return writing_finish(&w, stream, name, err);
}

int qdq_write_shifts(const qdq *q, const qdq_plan *plan, int first, int count, FILE *stream, const char *name,
                     lanert_error *err)
{
    writing w;
    char output[32];
    int rc = writing_open(q, plan, &w, err), added = 0;
    if (rc)
        return rc;
    graph_fix_batch(w.g, 1);
    graph_clear_outputs(w.g);
    for (int i = first; i < first + count && !w.g->rc; i++) {
        if (!plan->layers[i] || !q->layers[i].biased)
            continue;
        snprintf(output, sizeof output, "observed%d", added++);
        add_shift(&w, i, output, count);
    }
    return writing_finish(&w, stream, name, err);
}

int qdq_write(const qdq *q, const qdq_plan *plan, FILE *stream, const char *name, lanert_error *err)
{
    writing w;
    qdq_spread s;
    int rc = writing_open(q, plan, &w, err);
    if (rc)
        return rc;
    if ((rc = qdq_spread_find(q, plan->layers, w.apart, &s, err))) {
        writing_close(&w);
        return rc;
    }
    change_stem(&w, &s);
    rewire(&w, &s);
    qdq_spread_free(&s);
    for (int i = 0; i < plan->entry_count; i++)
        graph_replace_metadata(w.g, plan->entries[i].key, plan->entries[i].text);
    return writing_finish(&w, stream, name, err);
}
