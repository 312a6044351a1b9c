#include "model/onnx_graph_edit.h"

#include "model/name_table.h"
#include "model/onnx_graph_parts.h"

int graph_node_count(const graph *g)
{
    return (int)g->model->graph->n_node;
}

/* ---- nodes --------------------------------------------------------------------------------------- */

static bool make_inputs(graph *g, Onnx__NodeProto *n, size_t count)
{
    if (n->n_input >= count)
        return !g->rc;
    char **list = graph_make(g, count, sizeof *list);
    if (!list)
        return false;
    if (n->n_input)
        memcpy(list, n->input, n->n_input * sizeof *list);
    free(n->input);
    n->input = list;
    while (n->n_input < count && (list[n->n_input] = graph_copy_text(g, "")))
        n->n_input++;
    return !g->rc;
}

void graph_rewire(graph *g, int node, int input, value v)
{
    Onnx__NodeProto *n = g->model->graph->node[node];
    char *name = graph_copy_text(g, v);
    if (!make_inputs(g, n, (size_t)input + 1)) {
        free(name);
        return;
    }
    free(n->input[input]);
    n->input[input] = name;
}

/* Takes over `from`'s attributes, by way of the wire. */
static void copy_attributes(graph *g, Onnx__NodeProto *to, const Onnx__NodeProto *from)
{
    if (!from->n_attribute || !(to->attribute = graph_make(g, from->n_attribute, sizeof *to->attribute)))
        return;
    for (size_t i = 0; i < from->n_attribute; i++) {
        size_t size = onnx__attribute_proto__get_packed_size(from->attribute[i]);
        uint8_t *bytes = graph_make(g, size, 1);
        if (!bytes)
            return;
        onnx__attribute_proto__pack(from->attribute[i], bytes);
        to->attribute[i] = onnx__attribute_proto__unpack(NULL, size, bytes);
        free(bytes);
        if (!to->attribute[i]) {
            graph_fail(g, error_set(&g->error, LANERT_ENOMEM, "out of memory for a node"));
            return;
        }
        to->n_attribute++;
    }
}

value graph_repeat(graph *g, int node, const value *inputs)
{
    value v = graph_node(g, g->model->graph->node[node]->op_type, inputs, NULL);
    const Onnx__GraphProto *p = g->model->graph; /* the list of nodes may have moved */
    if (!g->rc)
        copy_attributes(g, p->node[p->n_node - 1], p->node[node]);
    return v;
}

void graph_change_ints(graph *g, int node, const char *name, const int64_t *ints)
{
    const Onnx__NodeProto *n = g->model->graph->node[node];
    for (size_t i = 0; i < n->n_attribute; i++)
        if (!strcmp(n->attribute[i]->name, name))
            memcpy(n->attribute[i]->ints, ints, n->attribute[i]->n_ints * sizeof *ints);
}

typedef struct keyed {
    Onnx__NodeProto *node;
    int key;
    size_t place;
} keyed;

static int order(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->place > y->place) - (x->place < y->place);
}

void graph_order(graph *g, const int *keys)
{
    Onnx__GraphProto *p = g->model->graph;
    keyed *list = graph_make(g, p->n_node, sizeof *list);
    if (!list)
        return;
    for (size_t i = 0; i < p->n_node; i++)
        list[i] = (keyed){p->node[i], keys[i], i};
    qsort(list, p->n_node, sizeof *list, order);
    for (size_t i = 0; i < p->n_node; i++)
        p->node[i] = list[i].node;
    while (p->n_node && list[p->n_node - 1].key == GRAPH_OUT)
        onnx__node_proto__free_unpacked(p->node[--p->n_node], NULL);
    free(list);
}

void graph_drop_unused(graph *g)
{
    Onnx__GraphProto *p = g->model->graph;
    name_table used = {0};
    for (size_t i = 0; i < p->n_node && !g->rc; i++)
        for (size_t k = 0; k < p->node[i]->n_input && !g->rc; k++)
            graph_fail(g, name_table_add(&used, p->node[i]->input[k], 0, &g->error));
    name_table_sort(&used);
    size_t kept = 0;
    for (size_t i = 0; i < p->n_initializer && !g->rc; i++) {
        if (name_table_find(&used, p->initializer[i]->name) >= 0)
            p->initializer[kept++] = p->initializer[i];
        else
            onnx__tensor_proto__free_unpacked(p->initializer[i], NULL);
    }
    if (!g->rc)
        p->n_initializer = kept;
    name_table_free(&used);
}

/* ---- inputs and outputs -------------------------------------------------------------------------- */

void graph_clear_outputs(graph *g)
{
    Onnx__GraphProto *p = g->model->graph;
    for (size_t i = 0; i < p->n_output; i++)
        onnx__value_info_proto__free_unpacked(p->output[i], NULL);
    p->n_output = 0;
}

void graph_observe(graph *g, value v, const char *name, int most)
{
    Onnx__GraphProto *p = g->model->graph;
    if (!p->n_output) {
        free(p->output);
        if (!(p->output = graph_make(g, (size_t)most, sizeof *p->output)))
            return;
    }
    graph_output(g, v, name, ONNX_F32, -1, NULL);
}

void graph_fix_batch(graph *g, int64_t size)
{
    const Onnx__GraphProto *p = g->model->graph;
    for (size_t i = 0; i < p->n_input; i++) {
        const Onnx__TensorShapeProto *shape = p->input[i]->type->tensor_type->shape;
        Onnx__TensorShapeProto__Dimension *batch = shape->n_dim ? shape->dim[0] : NULL;
        if (!batch || batch->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
            continue;
        if (batch->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
            free(batch->dim_param);
        batch->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        batch->dim_value = size;
    }
}

/* ---- metadata ------------------------------------------------------------------------------------ */

void graph_replace_metadata(graph *g, const char *key, const char *text)
{
    for (size_t i = 0; i < g->model->n_metadata_props; i++) {
        Onnx__StringStringEntryProto *entry = g->model->metadata_props[i];
        if (strcmp(entry->key, key))
            continue;
        char *copy = graph_copy_text(g, text);
        if (copy) {
            free(entry->value);
            entry->value = copy;
        }
        return;
    }
    graph_metadata(g, key, "%s", text);
}
