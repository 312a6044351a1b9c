#include "model/onnx_graph_parts.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>

#include "model/half.h"

#define OPSET 17     /* the first with LayerNormalization */
#define IR_VERSION 8 /* the one of ONNX 1.12, which brought opset 17 */
/* No protobuf message may be larger. */
#define MAX_BYTES ((size_t)INT32_MAX)

/* ---- memory, with the first error kept ----------------------------------------------------------- */

void graph_fail(graph *g, int rc)
{
    if (!g->rc)
        g->rc = rc;
}

void *graph_make(graph *g, size_t count, size_t size)
{
    void *p = g->rc ? NULL : calloc(count ? count : 1, size);
    if (!p && !g->rc)
        graph_fail(g,
                   error_set(&g->error, LANERT_ENOMEM, "out of memory for %zu × %zu bytes of the graph", count, size));
    return p;
}

char *graph_copy_text(graph *g, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = graph_make(g, size, 1);
    return copy ? memcpy(copy, text, size) : NULL;
}

static char *format_text(graph *g, const char *format, va_list args)
{
    char *text = NULL;
    if (!g->rc && vasprintf(&text, format, args) < 0) {
        graph_fail(g, error_set(&g->error, LANERT_ENOMEM, "out of memory for a name"));
        text = NULL;
    }
    return text;
}

char *graph_next_name(graph *g, const char *kind)
{
    char name[192];
    snprintf(name, sizeof name, "%s%s%s_%d", g->scope, *g->scope ? "/" : "", kind, g->serial++);
    return graph_copy_text(g, name);
}

static value name_or_nothing(const char *name)
{
    return name ? name : "";
}

void *graph_message(graph *g, size_t size, const void *initial)
{
    void *message = graph_make(g, 1, size);
    return message ? memcpy(message, initial, size) : NULL;
}

bool graph_grow(graph *g, void *array, size_t *capacity, size_t count)
{
    if (!g->rc)
        graph_fail(g, memory_grow(array, capacity, count + 1, sizeof(void *), &g->error));
    return !g->rc;
}

/* ---- the model ----------------------------------------------------------------------------------- */

int graph_open(graph **out, lanert_error *err)
{
    graph *g;
    int rc = memory_new(&g, 1, sizeof *g, err);
    *out = NULL;
    if (rc)
        return rc;
    Onnx__ModelProto *m = g->model = MAKE(g, Onnx__ModelProto, ONNX__MODEL_PROTO__INIT);
    if (m) {
        m->has_ir_version = true;
        m->ir_version = IR_VERSION;
        m->producer_name = graph_copy_text(g, "lanert");
        m->producer_version = graph_copy_text(g, lanert_version());
        m->opset_import = graph_make(g, 1, sizeof *m->opset_import);
        m->graph = MAKE(g, Onnx__GraphProto, ONNX__GRAPH_PROTO__INIT);
    }
    Onnx__OperatorSetIdProto *opset = MAKE(g, Onnx__OperatorSetIdProto, ONNX__OPERATOR_SET_ID_PROTO__INIT);
    if (opset) {
        opset->domain = graph_copy_text(g, "");
        opset->has_version = true;
        opset->version = OPSET;
        m->opset_import[m->n_opset_import++] = opset;
        m->graph->name = graph_copy_text(g, "clrnet");
        m->graph->input = graph_make(g, 1, sizeof *m->graph->input);
        m->graph->output = graph_make(g, 3, sizeof *m->graph->output);
    }
    if ((rc = graph_status(g, err)))
        graph_close(&g);
    *out = g;
    return rc;
}

void graph_close(graph **g)
{
    if (!*g)
        return;
    if ((*g)->model)
        onnx__model_proto__free_unpacked((*g)->model, NULL);
    FREE(*g);
}

void graph_scope(graph *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(g->scope, sizeof g->scope, format, args);
    va_end(args);
}

int graph_status(const graph *g, lanert_error *err)
{
    return g->rc ? error_set(err, g->rc, "%s", g->error.text) : 0;
}

void graph_metadata(graph *g, const char *key, const char *format, ...)
{
    Onnx__ModelProto *m = g->model;
    Onnx__StringStringEntryProto *entry = MAKE(g, Onnx__StringStringEntryProto, ONNX__STRING_STRING_ENTRY_PROTO__INIT);
    if (!entry)
        return;
    if (!graph_grow(g, &m->metadata_props, &g->metadata_capacity, m->n_metadata_props)) {
        free(entry);
        return;
    }
    m->metadata_props[m->n_metadata_props++] = entry;
    va_list args;
    va_start(args, format);
    entry->key = graph_copy_text(g, key);
    entry->value = format_text(g, format, args);
    va_end(args);
}

/* ---- inputs and outputs -------------------------------------------------------------------------- */

static void add_dim(graph *g, Onnx__TensorShapeProto *shape, int64_t size)
{
    Onnx__TensorShapeProto__Dimension *dim =
        MAKE(g, Onnx__TensorShapeProto__Dimension, ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT);
    if (!dim)
        return;
    shape->dim[shape->n_dim++] = dim;
    if (size >= 0) {
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        dim->dim_value = size;
    } else if ((dim->dim_param = graph_copy_text(g, "N"))) {
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    }
}

/* Appended to `list`, which has room. */
static value add_value_info(graph *g, Onnx__ValueInfoProto **list, size_t *count, const char *name, onnx_type type,
                            int rank, const int64_t *dims)
{
    Onnx__ValueInfoProto *info = MAKE(g, Onnx__ValueInfoProto, ONNX__VALUE_INFO_PROTO__INIT);
    if (!info)
        return "";
    list[(*count)++] = info;
    info->name = graph_copy_text(g, name);
    if (!(info->type = MAKE(g, Onnx__TypeProto, ONNX__TYPE_PROTO__INIT)))
        return "";
    Onnx__TypeProto__Tensor *tensor = MAKE(g, Onnx__TypeProto__Tensor, ONNX__TYPE_PROTO__TENSOR__INIT);
    if (!tensor)
        return "";
    info->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    info->type->tensor_type = tensor;
    tensor->has_elem_type = true;
    tensor->elem_type = (int32_t)type;
    if (rank < 0)
        return name_or_nothing(info->name);
    if ((tensor->shape = MAKE(g, Onnx__TensorShapeProto, ONNX__TENSOR_SHAPE_PROTO__INIT)) &&
        (tensor->shape->dim = graph_make(g, (size_t)rank, sizeof *tensor->shape->dim)))
        for (int i = 0; i < rank; i++)
            add_dim(g, tensor->shape, dims[i]);
    return name_or_nothing(info->name);
}

value graph_input(graph *g, const char *name, onnx_type type, int rank, const int64_t *dims)
{
    Onnx__GraphProto *proto = g->model->graph;
    return add_value_info(g, proto->input, &proto->n_input, name, type, rank, dims);
}

static value add_node(graph *g, const char *op, const value *inputs, const attribute *attributes, int outputs,
                      char **names);

void graph_output(graph *g, value v, const char *name, onnx_type type, int rank, const int64_t *dims)
{
    Onnx__GraphProto *proto = g->model->graph;
    char *final = graph_copy_text(g, name);
    if (!final)
        return;
    add_node(g, "Identity", INPUTS(v), NULL, 1, &final);
    add_value_info(g, proto->output, &proto->n_output, name, type, rank, dims);
}

/* ---- constants ----------------------------------------------------------------------------------- */

value graph_constant(graph *g, char *name, onnx_type type, int rank, const int64_t *dims, void *data, size_t size)
{
    Onnx__GraphProto *proto = g->model->graph;
    Onnx__TensorProto *tensor = MAKE(g, Onnx__TensorProto, ONNX__TENSOR_PROTO__INIT);
    if (!tensor || !graph_grow(g, &proto->initializer, &g->initializer_capacity, proto->n_initializer)) {
        free(tensor);
        free(name);
        free(data);
        return "";
    }
    proto->initializer[proto->n_initializer++] = tensor;
    tensor->name = name;
    tensor->has_data_type = true;
    tensor->data_type = (int32_t)type;
    tensor->has_raw_data = true;
    tensor->raw_data = (ProtobufCBinaryData){size, data};
    if ((tensor->dims = graph_make(g, (size_t)rank, sizeof *tensor->dims))) {
        for (int i = 0; i < rank; i++) /* a scalar may have no dims at all */
            tensor->dims[tensor->n_dims++] = dims[i];
    }
    return name_or_nothing(name);
}

static size_t count_elements(int rank, const int64_t *dims)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= (size_t)dims[i];
    return n;
}

static int check_range(const char *name, onnx_type type, const float *data, size_t count, lanert_error *err)
{
    float most = type == ONNX_F16 ? HALF_MAX : FLT_MAX;
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(data[i]) <= most))
            return error_set(err, LANERT_EUNSUPPORTED,
                             "%s: holds %g once its normalisation is folded in; %s%g at most%s", name, (double)data[i],
                             type == ONNX_F16 ? "float16 holds " : "float32 holds ", (double)most,
                             type == ONNX_F16 ? ": convert with --precision fp32" : "");
    return 0;
}

/* How many weights a kernel has: a filter's of one channel, or where that is one weight, of all channels. Tensors of
 * other ranks have no kernels. */
static size_t kernel_size(int rank, const int64_t *dims)
{
    if (rank != 4)
        return 1;
    return (size_t)(dims[2] * dims[3] > 1 ? dims[2] * dims[3] : dims[1]);
}

static void *to_half(graph *g, const float *data, size_t count, size_t kernel)
{
    uint16_t *halves = graph_make(g, count, sizeof *halves);
    for (size_t i = 0; halves && i < count; i += kernel)
        half_from_kernel(data + i, kernel, halves + i);
    return halves;
}

float *graph_new_floats(graph *g, int64_t count)
{
    return graph_make(g, (size_t)count, sizeof(float));
}

value graph_weights(graph *g, const char *name, onnx_type type, int rank, const int64_t *dims, float *data)
{
    if (!data || g->rc) {
        free(data);
        return "";
    }
    size_t count = count_elements(rank, dims), size = count * sizeof(float);
    void *stored = data;
    graph_fail(g, check_range(name ? name : "a constant", type, data, count, &g->error));
    if (type == ONNX_F16) {
        stored = to_half(g, data, count, kernel_size(rank, dims));
        size /= 2;
        free(data);
    }
    return graph_constant(g, name ? graph_copy_text(g, name) : graph_next_name(g, "constant"), type, rank, dims, stored,
                          size);
}

value graph_transposed(graph *g, const char *name, onnx_type type, int64_t rows, int64_t columns, float *data)
{
    float *turned = data ? graph_make(g, (size_t)rows * (size_t)columns, sizeof *turned) : NULL;
    for (int64_t i = 0; turned && i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            turned[j * rows + i] = data[i * columns + j];
    free(data);
    return graph_weights(g, name, type, 2, DIMS(columns, rows), turned);
}

static value add_copy(graph *g, onnx_type type, int rank, const int64_t *dims, const void *data, size_t size)
{
    void *copy = graph_make(g, size, 1);
    if (!copy)
        return "";
    return graph_constant(g, graph_next_name(g, "constant"), type, rank, dims, memcpy(copy, data, size), size);
}

value graph_floats(graph *g, int rank, const int64_t *dims, const float *data)
{
    return add_copy(g, ONNX_F32, rank, dims, data, count_elements(rank, dims) * sizeof *data);
}

value graph_scalar(graph *g, float number)
{
    return graph_floats(g, 0, NULL, &number);
}

value graph_indices(graph *g, int count, const int64_t *data)
{
    return add_copy(g, ONNX_I64, 1, DIMS(count), data, (size_t)count * sizeof *data);
}

/* ---- operators ----------------------------------------------------------------------------------- */

static void add_attribute(graph *g, Onnx__NodeProto *node, const attribute *a)
{
    Onnx__AttributeProto *p = MAKE(g, Onnx__AttributeProto, ONNX__ATTRIBUTE_PROTO__INIT);
    if (!p)
        return;
    node->attribute[node->n_attribute++] = p;
    p->name = graph_copy_text(g, a->name);
    p->has_type = true;
    switch (a->kind) {
    case ATTRIBUTE_INT:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        p->has_i = true;
        p->i = a->i;
        break;
    case ATTRIBUTE_FLOAT:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
        p->has_f = true;
        p->f = a->f;
        break;
    case ATTRIBUTE_TEXT:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
        p->has_s = true;
        p->s = (ProtobufCBinaryData){strlen(a->text), (uint8_t *)graph_copy_text(g, a->text)};
        break;
    case ATTRIBUTE_INTS:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        if ((p->ints = graph_make(g, a->count, sizeof *p->ints))) {
            memcpy(p->ints, a->ints, a->count * sizeof *p->ints);
            p->n_ints = a->count;
        }
        break;
    }
}

static void set_inputs(graph *g, Onnx__NodeProto *node, const value *inputs)
{
    size_t count = 0;
    while (inputs[count])
        count++;
    if (!(node->input = graph_make(g, count, sizeof *node->input)))
        return;
    for (size_t i = 0; i < count; i++)
        node->input[node->n_input++] = graph_copy_text(g, inputs[i]);
}

static void set_attributes(graph *g, Onnx__NodeProto *node, const attribute *attributes)
{
    size_t count = 0;
    while (attributes[count].name)
        count++;
    if ((node->attribute = graph_make(g, count, sizeof *node->attribute)))
        for (size_t i = 0; i < count; i++)
            add_attribute(g, node, &attributes[i]);
}

/* Takes over the outputs' names; returns the first of them. */
static value add_node(graph *g, const char *op, const value *inputs, const attribute *attributes, int outputs,
                      char **names)
{
    Onnx__GraphProto *proto = g->model->graph;
    Onnx__NodeProto *node = MAKE(g, Onnx__NodeProto, ONNX__NODE_PROTO__INIT);
    char **list = graph_make(g, (size_t)outputs, sizeof *list);
    if (!list || !graph_grow(g, &proto->node, &g->node_capacity, proto->n_node)) {
        for (int i = 0; i < outputs; i++)
            free(names[i]);
        free(list);
        free(node);
        return "";
    }
    proto->node[proto->n_node++] = node;
    node->output = memcpy(list, names, (size_t)outputs * sizeof *list);
    node->n_output = (size_t)outputs;
    node->op_type = graph_copy_text(g, op);
    node->name = graph_copy_text(g, names[0]);
    set_inputs(g, node, inputs);
    if (attributes)
        set_attributes(g, node, attributes);
    return g->rc ? "" : names[0];
}

value graph_node(graph *g, const char *op, const value *inputs, const attribute *attributes)
{
    char *name = graph_next_name(g, op);
    return add_node(g, op, inputs, attributes, 1, &name);
}

value graph_unary(graph *g, const char *op, value x)
{
    return graph_node(g, op, INPUTS(x), NULL);
}

value graph_binary(graph *g, const char *op, value a, value b)
{
    return graph_node(g, op, INPUTS(a, b), NULL);
}

value graph_cast(graph *g, value x, onnx_type from, onnx_type to)
{
    return from == to ? x : graph_node(g, "Cast", INPUTS(x), ATTRIBUTES(ATTR_INT("to", to)));
}

value graph_concat(graph *g, int64_t axis, const value *inputs)
{
    return graph_node(g, "Concat", inputs, ATTRIBUTES(ATTR_INT("axis", axis)));
}

value graph_slice(graph *g, value x, int64_t axis, int64_t from, int64_t to)
{
    return graph_node(
        g, "Slice", INPUTS(x, graph_indices(g, 1, &from), graph_indices(g, 1, &to), graph_indices(g, 1, &axis)), NULL);
}

void graph_nodes(graph *g, const char *op, const value *inputs, const attribute *attributes, int count, value *outputs)
{
    char *names[8] = {NULL};
    for (int i = 0; i < count; i++)
        names[i] = graph_next_name(g, op);
    add_node(g, op, inputs, attributes, count, names);
    for (int i = 0; i < count; i++)
        outputs[i] = g->rc ? "" : names[i];
}

void graph_split(graph *g, value x, int64_t axis, int count, const int64_t *sizes, value *parts)
{
    graph_nodes(g, "Split", INPUTS(x, graph_indices(g, count, sizes)), ATTRIBUTES(ATTR_INT("axis", axis)), count,
                parts);
}

/* ---- writing ------------------------------------------------------------------------------------- */

typedef struct stream_buffer {
    ProtobufCBuffer base;
    FILE *stream;
    int failed; /* errno of the first failure */
} stream_buffer;

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *data)
{
    stream_buffer *b = (stream_buffer *)buffer;
    if (!b->failed && fwrite(data, 1, size, b->stream) != size)
        b->failed = errno ? errno : EIO;
}

int graph_write(const graph *g, FILE *stream, const char *name, lanert_error *err)
{
    int rc = graph_status(g, err);
    if (rc)
        return rc;
    size_t size = onnx__model_proto__get_packed_size(g->model);
    if (size > MAX_BYTES)
        return error_set(err, LANERT_ELIMIT, "%s: the model would have %zu bytes; ONNX files may have %zu", name, size,
                         MAX_BYTES);
    stream_buffer b = {{append}, stream, 0};
    onnx__model_proto__pack_to_buffer(g->model, &b.base);
    return b.failed ? error_errno(err, LANERT_EIO, b.failed, "%s: cannot be written", name) : 0;
}
