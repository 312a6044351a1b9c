/* onnx_graph.h - an ONNX model under construction.
 *
 * A tensor is known by its name; names live as long as the graph. The first error sticks: everything
 * after it does nothing and returns "", so that a network is written down without a check on every line,
 * and graph_write (or graph_status) reports it. */
#ifndef MODEL_ONNX_GRAPH_H
#define MODEL_ONNX_GRAPH_H

#include <stdio.h>

#include "base/memory.h"
#include "model/onnx_type.h"

typedef struct graph graph;
typedef const char *value;

typedef struct attribute {
    const char *name; /* NULL ends a list */
    enum { ATTRIBUTE_INT, ATTRIBUTE_FLOAT, ATTRIBUTE_TEXT, ATTRIBUTE_INTS } kind;
    int64_t i;
    float f;
    const char *text;
    const int64_t *ints;
    size_t count; /* of ints */
} attribute;

#define ATTR_INT(name_, v) ((attribute){.name = (name_), .kind = ATTRIBUTE_INT, .i = (v)})
#define ATTR_FLOAT(name_, v) ((attribute){.name = (name_), .kind = ATTRIBUTE_FLOAT, .f = (v)})
#define ATTR_TEXT(name_, v) ((attribute){.name = (name_), .kind = ATTRIBUTE_TEXT, .text = (v)})
#define ATTR_INTS(name_, ...)                                                                                          \
    ((attribute){.name = (name_),                                                                                      \
                 .kind = ATTRIBUTE_INTS,                                                                               \
                 .ints = (const int64_t[]){__VA_ARGS__},                                                               \
                 .count = sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)})

#define ATTRIBUTES(...) ((const attribute[]){__VA_ARGS__, {.name = NULL}})
#define INPUTS(...) ((const value[]){__VA_ARGS__, NULL})

/* An empty model of opset 17, IR version 8. */
int graph_open(graph **g, lanert_error *err);
void graph_close(graph **g);

/* What follows is named "<scope>/…", for whoever looks at the model. */
void graph_scope(graph *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A dim of −1 is the batch, written as "N". */
value graph_input(graph *g, const char *name, onnx_type type, int rank, const int64_t *dims);
/* Makes `v` an output under its final name; a rank of −1 is not told. */
void graph_output(graph *g, value v, const char *name, onnx_type type, int rank, const int64_t *dims);
void graph_metadata(graph *g, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Zeroed memory for graph_weights; NULL once the graph has failed. */
float *graph_new_floats(graph *g, int64_t count);
/* Takes over `data` (row-major, from malloc; NULL, where an earlier step failed, adds nothing) as a tensor
 * of float32, or of float16, to which it is then rounded, kernels of rank 4 as half_from_kernel does;
 * LANERT_EUNSUPPORTED where a value is infinite, or too large for that. A NULL name gives it one. */
value graph_weights(graph *g, const char *name, onnx_type type, int rank, const int64_t *dims, float *data);
/* The same of a matrix [rows][columns], turned to [columns][rows]. */
value graph_transposed(graph *g, const char *name, onnx_type type, int64_t rows, int64_t columns, float *data);
/* Copies of small ones. */
value graph_floats(graph *g, int rank, const int64_t *dims, const float *data);
value graph_scalar(graph *g, float number);
value graph_indices(graph *g, int count, const int64_t *data);

/* An operator of one output; attributes may be NULL. */
value graph_node(graph *g, const char *op, const value *inputs, const attribute *attributes);
value graph_unary(graph *g, const char *op, value x);
value graph_binary(graph *g, const char *op, value a, value b);
/* x itself where `from` is `to`. */
value graph_cast(graph *g, value x, onnx_type from, onnx_type to);
value graph_concat(graph *g, int64_t axis, const value *inputs);
/* x[…, from:to, …] along an axis. */
value graph_slice(graph *g, value x, int64_t axis, int64_t from, int64_t to);
/* An operator of `count` outputs, at most 8. */
void graph_nodes(graph *g, const char *op, const value *inputs, const attribute *attributes, int count, value *outputs);
/* Cuts x along an axis into `count` parts of those sizes. */
void graph_split(graph *g, value x, int64_t axis, int count, const int64_t *sizes, value *parts);

/* 0, or the first error. */
int graph_status(const graph *g, lanert_error *err);
/* Packs the model onto a stream; `name` is for messages. LANERT_ELIMIT above protobuf's 2 GiB. */
int graph_write(const graph *g, FILE *stream, const char *name, lanert_error *err);

#endif
