/* onnx_graph_load.h - a model that lanert wrote, taken back into a graph so that it can be changed. */
#ifndef MODEL_ONNX_GRAPH_LOAD_H
#define MODEL_ONNX_GRAPH_LOAD_H

#include "model/name_table.h"
#include "model/onnx_graph.h"

/* `data` may be anything; `name` is for messages. What comes back is whole: every text is there, every value has one
 * name and is made before it is used, every weight has the bytes of its type and shape. LANERT_EFORMAT,
 * LANERT_EUNSUPPORTED or LANERT_ELIMIT otherwise. */
int graph_load(const void *data, size_t size, const char *name, graph **g, lanert_error *err);

/* Owners of values that no node makes: an input of the graph; GRAPH_OF_CONSTANT − i, its i-th constant. */
enum { GRAPH_OF_INPUT = -1, GRAPH_OF_CONSTANT = -2 };
/* All values by name; the owner is the node that makes it, or one of the above. LANERT_EFORMAT where two have the same
 * name. Free with name_table_free. */
int graph_values(const graph *g, name_table *values, lanert_error *err);

#endif
