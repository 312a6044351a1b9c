#include "model/onnx_graph_load.h"

#include "model/onnx_form.h"
#include "model/onnx_graph_parts.h"

/* The opset that onnx_graph.c writes. */
#define OPSET 17

/* ---- parts --------------------------------------------------------------------------------------- */

static size_t type_size(int32_t type)
{
    switch (type) {
    case ONNX_F32:
    case ONNX_I32:
        return 4;
    case ONNX_F16:
        return 2;
    case ONNX_I64:
        return 8;
    case ONNX_U8:
    case ONNX_I8:
        return 1;
    default:
        return 0;
    }
}

static int check_weight(const Onnx__TensorProto *t, lanert_error *err)
{
    size_t bytes = type_size(t->data_type);
    if (!t->name || !bytes)
        return error_set(err, LANERT_EFORMAT, "the weight '%s' has no %s that is known", t->name ? t->name : "",
                         t->name ? "type" : "name");
    for (size_t i = 0; i < t->n_dims; i++)
        if (t->dims[i] < 0 || __builtin_mul_overflow(bytes, (size_t)t->dims[i], &bytes))
            return error_set(err, LANERT_EFORMAT, "the weight %s has %lld as dimension %zu", t->name,
                             (long long)t->dims[i], i);
    if (t->raw_data.len != bytes)
        return error_set(err, LANERT_EFORMAT, "the weight %s has %zu bytes; its shape has %zu", t->name,
                         t->raw_data.len, bytes);
    return 0;
}

static int check_node(const Onnx__NodeProto *n, lanert_error *err)
{
    if (!n->name || !n->op_type || !n->n_output)
        return error_set(err, LANERT_EFORMAT, "a node '%s' has no %s", n->name ? n->name : "",
                         !n->name      ? "name"
                         : !n->op_type ? "operator"
                                       : "output");
    if (n->domain && *n->domain)
        return error_set(err, LANERT_EUNSUPPORTED,
                         "the node %s is of the operators '%s'; expected ONNX's standard ones", n->name, n->domain);
    for (size_t i = 0; i < n->n_output; i++)
        if (!*n->output[i])
            return error_set(err, LANERT_EFORMAT, "the node %s has an output without a name", n->name);
    for (size_t i = 0; i < n->n_attribute; i++)
        if (!n->attribute[i]->name)
            return error_set(err, LANERT_EFORMAT, "the node %s has an attribute without a name", n->name);
    return 0;
}

static int check_port(const Onnx__ValueInfoProto *v, lanert_error *err)
{
    const Onnx__TypeProto *type = v->type;
    if (v->name && type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE && type->tensor_type->shape)
        return 0;
    return error_set(err, LANERT_EFORMAT, "its input or output '%s' has no %s", v->name ? v->name : "",
                     v->name ? "shape" : "name");
}

static int check_parts(const Onnx__ModelProto *m, lanert_error *err)
{
    const Onnx__GraphProto *g = m->graph;
    int rc = 0;
    if (!g)
        return error_set(err, LANERT_EFORMAT, "it has no graph");
    if (m->n_opset_import != 1 || (m->opset_import[0]->domain && *m->opset_import[0]->domain) ||
        m->opset_import[0]->version != OPSET)
        return error_set(err, LANERT_EUNSUPPORTED, "it is not of opset %d alone, as 'lanert convert' writes", OPSET);
    for (size_t i = 0; i < m->n_metadata_props; i++)
        if (!m->metadata_props[i]->key || !m->metadata_props[i]->value)
            return error_set(err, LANERT_EFORMAT, "its metadata has an entry without a key or value");
    for (size_t i = 0; !rc && i < g->n_initializer; i++)
        rc = check_weight(g->initializer[i], err);
    for (size_t i = 0; !rc && i < g->n_node; i++)
        rc = check_node(g->node[i], err);
    for (size_t i = 0; !rc && i < g->n_input; i++)
        rc = check_port(g->input[i], err);
    for (size_t i = 0; !rc && i < g->n_output; i++)
        rc = check_port(g->output[i], err);
    return rc;
}

/* ---- values -------------------------------------------------------------------------------------- */

int graph_values(const graph *g, name_table *values, lanert_error *err)
{
    const Onnx__GraphProto *p = g->model->graph;
    int rc = 0;
    *values = (name_table){0};
    for (size_t i = 0; !rc && i < p->n_input; i++)
        rc = name_table_add(values, p->input[i]->name, GRAPH_OF_INPUT, err);
    for (size_t i = 0; !rc && i < p->n_initializer; i++)
        rc = name_table_add(values, p->initializer[i]->name, GRAPH_OF_CONSTANT - (int)i, err);
    for (size_t i = 0; !rc && i < p->n_node; i++)
        for (size_t k = 0; !rc && k < p->node[i]->n_output; k++)
            rc = name_table_add(values, p->node[i]->output[k], (int)i, err);
    if (!rc) {
        name_table_sort(values);
        const char *twice = name_table_twice(values);
        if (twice)
            rc = error_set(err, LANERT_EFORMAT, "the value '%s' is made twice", twice);
    }
    if (rc)
        name_table_free(values);
    return rc;
}

static int check_input(const name_table *values, const Onnx__NodeProto *n, int node, const char *input,
                       lanert_error *err)
{
    int at = name_table_find(values, input);
    if (!*input || (at >= 0 && values->list[at].owner < node))
        return 0;
    return error_set(err, LANERT_EFORMAT, "the node %s takes '%s', which is not made before", n->name, input);
}

static int check_order(const graph *g, lanert_error *err)
{
    const Onnx__GraphProto *p = g->model->graph;
    name_table values;
    int rc = graph_values(g, &values, err);
    for (size_t i = 0; !rc && i < p->n_node; i++)
        for (size_t k = 0; !rc && k < p->node[i]->n_input; k++)
            rc = check_input(&values, p->node[i], (int)i, p->node[i]->input[k], err);
    for (size_t i = 0; !rc && i < p->n_output; i++)
        if (name_table_find(&values, p->output[i]->name) < 0)
            rc = error_set(err, LANERT_EFORMAT, "its output '%s' is made by no node", p->output[i]->name);
    name_table_free(&values);
    return rc;
}

/* ---- the whole ----------------------------------------------------------------------------------- */

static int load(const void *data, size_t size, graph *g, lanert_error *err)
{
    int rc = onnx_form_check(data, size, err);
    if (rc)
        return rc;
    if (!(g->model = onnx__model_proto__unpack(NULL, size, data)))
        return error_set(err, LANERT_EFORMAT, "it is damaged, or memory is out");
    const Onnx__GraphProto *p = g->model->graph;
    if ((rc = check_parts(g->model, err)) || (rc = check_order(g, err)))
        return rc;
    g->node_capacity = p->n_node;
    g->initializer_capacity = p->n_initializer;
    g->metadata_capacity = g->model->n_metadata_props;
    return 0;
}

int graph_load(const void *data, size_t size, const char *name, graph **out, lanert_error *err)
{
    lanert_error why;
    graph *g;
    int rc = memory_new(&g, 1, sizeof *g, err);
    *out = NULL;
    if (rc)
        return rc;
    if ((rc = load(data, size, g, &why))) {
        graph_close(&g);
        return error_set(err, rc, "%s: %s", name, why.text);
    }
    *out = g;
    return 0;
}
