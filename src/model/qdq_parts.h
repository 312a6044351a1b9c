/* qdq_parts.h - what qdq.c finds and qdq_write.c goes by. */
#ifndef MODEL_QDQ_PARTS_H
#define MODEL_QDQ_PARTS_H

#include "base/file.h"
#include "model/onnx_graph_load.h"
#include "model/onnx_graph_parts.h"
#include "model/qdq.h"

typedef enum node_kind {
    NODE_OTHER,
    NODE_LAYER,
    NODE_BIAS, /* adds a constant to a product */
    NODE_RELU,
    NODE_PASS, /* puts numbers elsewhere, or leaves some out */
    NODE_JOIN, /* adds two values */
} node_kind;

struct qdq {
    file_map map;
    char path[4096];
    graph *g; /* as in the file; read only */
    name_table names;
    node_kind *kinds; /* [nodes] */
    int *layer_of;    /* [nodes] -1: none */
    qdq_layer *layers;
    int *node_of; /* [layers] */
    int *bias_of; /* [layers] the node that has the bias: the layer's own, or the sum behind it; -1: none */
    int *user_of; /* [names] the only node that takes it, or below 0 */
    int layer_count;
    qdq_value *values;
    int *value_of; /* [names] -1: none */
    int value_count, scale_count;
    float *pictures; /* [scales] of a picture's bytes, what they were multiplied by; 0: others */
};

/* What of a graph is done in eight bits where some layers are. */
typedef struct qdq_spread {
    bool *wanted;  /* [names] has a pair behind it */
    bool *results; /* [names] comes out of a layer in eight bits: all that take it take the pair's */
    bool *done;    /* [nodes] takes all its values from pairs */
} qdq_spread;

/* Of these layers, those that are `apart` (NULL: none) take something else than their input's pair. Zeroes `s` first;
 * free with qdq_spread_free. */
int qdq_spread_find(const qdq *q, const bool *layers, const bool *apart, qdq_spread *s, lanert_error *err);
void qdq_spread_free(qdq_spread *s);

/* How many inputs of a node are values, the rest being parameters. */
size_t qdq_data_inputs(const Onnx__NodeProto *n, node_kind kind);
/* The weight of that name; NULL where it is none. */
const Onnx__TensorProto *qdq_constant(const qdq *q, const char *name);
/* An attribute's number, or `otherwise` where it is not there. */
int64_t qdq_attribute(const Onnx__NodeProto *n, const char *name, int64_t otherwise);
/* An attribute's `count` numbers; NULL where it has another count, or is not there. */
const int64_t *qdq_ints(const Onnx__NodeProto *n, const char *name, size_t count);

#endif
