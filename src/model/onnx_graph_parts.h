/* onnx_graph_parts.h - what is inside a graph, for those that change one instead of building it. */
#ifndef MODEL_ONNX_GRAPH_PARTS_H
#define MODEL_ONNX_GRAPH_PARTS_H

#include <onnx/onnx.pb-c.h>

#include "model/onnx_graph.h"

struct graph {
    /* Everything below it is from malloc, as if protobuf-c had unpacked it: it frees it too. */
    Onnx__ModelProto *model;
    size_t node_capacity, initializer_capacity, metadata_capacity;
    char scope[96];
    int serial;
    int rc; /* of the first failure */
    lanert_error error;
};

/* Keeps the first error. */
void graph_fail(graph *g, int rc);
/* Zeroed memory for the model, a copy of a text: NULL once the graph has failed. */
void *graph_make(graph *g, size_t count, size_t size);
char *graph_copy_text(graph *g, const char *text);
/* A new protobuf message, initialised; NULL once the graph has failed. */
#define MAKE(g, type, init) ((type *)graph_message((g), sizeof(type), &(const type)init))
void *graph_message(graph *g, size_t size, const void *initial);
/* Room for one more element of a repeated field. */
bool graph_grow(graph *g, void *array, size_t *capacity, size_t count);

/* An initializer; takes over name and data, `size` bytes. */
value graph_constant(graph *g, char *name, onnx_type type, int rank, const int64_t *dims, void *data, size_t size);
/* "<scope>/<kind>_<serial>", to be freed. */
char *graph_next_name(graph *g, const char *kind);

#endif
