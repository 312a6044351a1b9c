#include "model/qdq_stem.h"

#include "model/onnx_graph_edit.h"

#define COLOURS 3
#define SIDE 7

static bool has_ints(const Onnx__NodeProto *n, const char *name, size_t count, const int64_t *ints)
{
    const int64_t *own = qdq_ints(n, name, count);
    return own && !memcmp(own, ints, count * sizeof *ints);
}

/* The node of this operator that makes a value which `user` alone takes; -1 where it is otherwise. */
static int maker(const qdq *q, const char *name, int user, const char *op)
{
    const Onnx__GraphProto *p = q->g->model->graph;
    int at = name_table_find(&q->names, name), owner = at < 0 ? -1 : q->names.list[at].owner;
    if (owner < 0 || q->user_of[at] != user || strcmp(p->node[owner]->op_type, op))
        return -1;
    for (size_t i = 0; i < p->n_output; i++)
        if (!strcmp(p->output[i]->name, name))
            return -1;
    return owner;
}

static bool is_stem(const qdq *q, int node, qdq_stem *s)
{
    Onnx__NodeProto **nodes = q->g->model->graph->node;
    const Onnx__NodeProto *n = nodes[node];
    const Onnx__TensorProto *w = qdq_constant(q, n->input[1]);
    *s = (qdq_stem){.conv = node, .weights = n->input[1]};
    if (strcmp(n->op_type, "Conv") || n->n_attribute != 3 || w->dims[1] != COLOURS || w->dims[2] != SIDE ||
        w->dims[3] != SIDE || !has_ints(n, "kernel_shape", 2, DIMS(SIDE, SIDE)) ||
        !has_ints(n, "strides", 2, DIMS(2, 2)) || !has_ints(n, "pads", 4, DIMS(3, 3, 3, 3)))
        return false;
    if ((s->turn = maker(q, n->input[0], node, "Transpose")) < 0 ||
        !has_ints(nodes[s->turn], "perm", 4, DIMS(0, 3, 1, 2)) ||
        (s->multiply = maker(q, nodes[s->turn]->input[0], s->turn, "Mul")) < 0 ||
        (s->cast = maker(q, nodes[s->multiply]->input[0], s->multiply, "Cast")) < 0)
        return false;
    s->source = nodes[s->turn]->input[0];
    s->image = nodes[s->cast]->input[0];
    return true;
}

/* Of sides that blocks fill. */
static bool find_sides(const qdq *q, qdq_stem *s)
{
    const Onnx__GraphProto *p = q->g->model->graph;
    for (size_t i = 0; i < p->n_input; i++) {
        const Onnx__TypeProto__Tensor *t = p->input[i]->type->tensor_type;
        if (strcmp(p->input[i]->name, s->image) || t->elem_type != ONNX_U8 || !t->shape || t->shape->n_dim != 4)
            continue;
        s->height = t->shape->dim[1]->dim_value;
        s->width = t->shape->dim[2]->dim_value;
        return s->height > 0 && s->width > 0 && s->height % 2 == 0 && s->width % 2 == 0 &&
               t->shape->dim[3]->dim_value == COLOURS;
    }
    return false;
}

bool qdq_stem_find(const qdq *q, qdq_stem *s)
{
    for (int i = 0; i < q->layer_count; i++)
        if (is_stem(q, q->node_of[i], s) && find_sides(q, s)) {
            int source = q->value_of[name_table_find(&q->names, s->source)];
            return source >= 0 && q->pictures[q->values[source].scale] > 0;
        }
    return false;
}

value qdq_stem_blocks(graph *g, const qdq_stem *s)
{
    int64_t height = s->height / 2, width = s->width / 2;
    value rows = graph_binary(g, "Reshape", s->image, graph_indices(g, 5, DIMS(0, height, 2, width, 2 * COLOURS)));
    value blocks = graph_node(g, "Transpose", INPUTS(rows), ATTRIBUTES(ATTR_INTS("perm", 0, 1, 3, 2, 4)));
    return graph_binary(g, "Reshape", blocks, graph_indices(g, 4, DIMS(0, height, width, STEM_CHANNELS)));
}

/* The first row and column of the first block are none of the kernel's: zeros. */
int8_t *qdq_stem_weights(graph *g, const int8_t *data, int64_t out)
{
    int8_t *turned = graph_make(g, (size_t)(out * STEM_CHANNELS * STEM_SIDE * STEM_SIDE), 1);
    for (int64_t i = 0; turned && i < out * COLOURS * SIDE * SIDE; i++) {
        int64_t column = i % SIDE + 1, row = i / SIDE % SIDE + 1, colour = i / (SIDE * SIDE) % COLOURS;
        int64_t channel = (row % 2 * 2 + column % 2) * COLOURS + colour, k = i / (COLOURS * SIDE * SIDE);
        turned[((k * STEM_CHANNELS + channel) * STEM_SIDE + row / 2) * STEM_SIDE + column / 2] = data[i];
    }
    return turned;
}

void qdq_stem_change(graph *g, const qdq_stem *s)
{
    graph_change_ints(g, s->conv, "kernel_shape", DIMS(STEM_SIDE, STEM_SIDE));
    graph_change_ints(g, s->conv, "strides", DIMS(1, 1));
    graph_change_ints(g, s->conv, "pads", DIMS(2, 2, 1, 1));
}
