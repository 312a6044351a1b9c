/* onnx_file.h - a written ONNX file unpacked with ONNX's own schema, and held to the rules that onnx.checker has. */
#ifndef MODEL_ONNX_FILE_H
#define MODEL_ONNX_FILE_H

#include <onnx/onnx.pb-c.h>

#include "support/testing.h"

static inline Onnx__ModelProto *onnx_file_open(const char *path)
{
    lanert_error err;
    file_map map;
    assert_ok(file_map_open(path, 0, &map, &err));
    Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, map.size, map.data);
    file_map_close(&map);
    assert_non_null(m);
    return m;
}

static inline const Onnx__TensorProto *onnx_file_weights(const Onnx__ModelProto *m, const char *name)
{
    for (size_t i = 0; i < m->graph->n_initializer; i++)
        if (!strcmp(m->graph->initializer[i]->name, name))
            return m->graph->initializer[i];
    fail_msg("no initializer %s", name);
    return NULL;
}

static inline const char *onnx_file_metadata(const Onnx__ModelProto *m, const char *key)
{
    for (size_t i = 0; i < m->n_metadata_props; i++)
        if (!strcmp(m->metadata_props[i]->key, key))
            return m->metadata_props[i]->value;
    return NULL;
}

static inline size_t onnx_file_count(const Onnx__ModelProto *m, const char *op)
{
    size_t count = 0;
    for (size_t i = 0; i < m->graph->n_node; i++)
        count += !strcmp(m->graph->node[i]->op_type, op);
    return count;
}

/* Names that have a value so far. */
typedef struct onnx_names {
    const char *names[4096];
    size_t count;
} onnx_names;

static inline bool onnx_names_has(const onnx_names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++)
        if (!strcmp(n->names[i], name))
            return true;
    return false;
}

static inline void onnx_names_add(onnx_names *n, const char *name)
{
    assert_true(n->count < ARRAY_LEN(n->names));
    if (!*name || onnx_names_has(n, name))
        fail_msg("'%s' is made twice, or has no name", name);
    n->names[n->count++] = name;
}

static inline void onnx_file_check_weights(const Onnx__TensorProto *t)
{
    size_t bytes = t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT     ? 4
                   : t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 ? 2
                   : t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64   ? 8
                   : t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT8    ? 1
                   : t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__UINT8   ? 1
                                                                            : 0;
    for (size_t i = 0; i < t->n_dims; i++)
        bytes *= (size_t)t->dims[i];
    assert_true(t->has_raw_data);
    assert_true(bytes > 0);
    assert_int_equal(t->raw_data.len, bytes);
}

/* Every value is made once and before it is used, every weight has its bytes, every output is made. */
static inline void onnx_file_check(const Onnx__ModelProto *m)
{
    const Onnx__GraphProto *g = m->graph;
    onnx_names made = {.count = 0}, nodes = {.count = 0};
    assert_int_equal(m->ir_version, 8);
    assert_int_equal(m->n_opset_import, 1);
    assert_int_equal(m->opset_import[0]->version, 17);
    assert_string_equal(m->opset_import[0]->domain, "");
    for (size_t i = 0; i < g->n_input; i++)
        onnx_names_add(&made, g->input[i]->name);
    for (size_t i = 0; i < g->n_initializer; i++) {
        onnx_names_add(&made, g->initializer[i]->name);
        onnx_file_check_weights(g->initializer[i]);
    }
    for (size_t i = 0; i < g->n_node; i++) {
        const Onnx__NodeProto *node = g->node[i];
        onnx_names_add(&nodes, node->name);
        for (size_t j = 0; j < node->n_input; j++)
            if (*node->input[j] && !onnx_names_has(&made, node->input[j]))
                fail_msg("%s takes %s, which is not made before", node->name, node->input[j]);
        for (size_t j = 0; j < node->n_output; j++)
            onnx_names_add(&made, node->output[j]);
    }
    for (size_t i = 0; i < g->n_output; i++)
        assert_true(onnx_names_has(&made, g->output[i]->name));
}

#endif
