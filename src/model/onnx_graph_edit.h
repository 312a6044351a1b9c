/* onnx_graph_edit.h - changes to a graph that is there. Nodes are known by their place; those that were added with
 * graph_node and its like are at the end until graph_order. */
#ifndef MODEL_ONNX_GRAPH_EDIT_H
#define MODEL_ONNX_GRAPH_EDIT_H

#include <limits.h>

#include "model/onnx_graph.h"

int graph_node_count(const graph *g);
/* Makes `v` the input of that place; inputs between it and those that are there are left out (""). */
void graph_rewire(graph *g, int node, int input, value v);
/* The same operator with the same attributes, on other inputs. */
value graph_repeat(graph *g, int node, const value *inputs);
/* Other numbers for an attribute that is there, as many as it has. */
void graph_change_ints(graph *g, int node, const char *name, const int64_t *ints);
/* The key of a node that graph_order takes out. */
#define GRAPH_OUT INT_MAX
/* Puts node i behind all nodes whose key is less than keys[i]; of equal keys, those that are there longer first. */
void graph_order(graph *g, const int *keys);
/* Takes out the constants that no node uses. */
void graph_drop_unused(graph *g);

/* Takes out all outputs. */
void graph_clear_outputs(graph *g);
/* Makes `v`, float32, an output of that name and of unknown shape, one of at most `most`. */
void graph_observe(graph *g, value v, const char *name, int most);
/* Gives a batch that is free a fixed size: every shape behind it is then known. */
void graph_fix_batch(graph *g, int64_t size);

/* Replaces the text of a key, or adds it. */
void graph_replace_metadata(graph *g, const char *key, const char *text);

#endif
