#include "model/qdq.h"

#include <math.h>

#include "model/metadata.h"
#include "model/model_read.h"
#include "model/qdq_parts.h"

/* A picture's bytes stay what they are as uint8, times what they were multiplied by. OpenVINO drops a scale of 1 and
 * then runs the layer in float32: this one is the nearest that is safely kept (1 + 2^-20 is too). */
#define PICTURE_SCALE (1 + 0x1p-16f)

/* In user_of. */
enum { NO_USER = -1, MANY_USERS = -2 };

/* ---- nodes --------------------------------------------------------------------------------------- */

static const Onnx__AttributeProto *find_attribute(const Onnx__NodeProto *n, const char *name)
{
    for (size_t i = 0; i < n->n_attribute; i++)
        if (!strcmp(n->attribute[i]->name, name))
            return n->attribute[i];
    return NULL;
}

int64_t qdq_attribute(const Onnx__NodeProto *n, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *a = find_attribute(n, name);
    return a && a->has_i ? a->i : otherwise;
}

const int64_t *qdq_ints(const Onnx__NodeProto *n, const char *name, size_t count)
{
    const Onnx__AttributeProto *a = find_attribute(n, name);
    return a && a->n_ints == count ? a->ints : NULL;
}

static bool has_text(const Onnx__NodeProto *n, const char *name, const char *text)
{
    const Onnx__AttributeProto *a = find_attribute(n, name);
    return a && a->has_s && a->s.len == strlen(text) && !memcmp(a->s.data, text, a->s.len);
}

static bool is_op(const Onnx__NodeProto *n, const char *op)
{
    return !strcmp(n->op_type, op);
}

/* The owner of a value; that of a constant where it is left out. */
static int owner_of(const qdq *q, const char *name)
{
    int at = *name ? name_table_find(&q->names, name) : -1;
    return at < 0 ? GRAPH_OF_CONSTANT : q->names.list[at].owner;
}

const Onnx__TensorProto *qdq_constant(const qdq *q, const char *name)
{
    int at = name_table_find(&q->names, name), owner = at < 0 ? 0 : q->names.list[at].owner;
    return owner <= GRAPH_OF_CONSTANT ? q->g->model->graph->initializer[GRAPH_OF_CONSTANT - owner] : NULL;
}

size_t qdq_data_inputs(const Onnx__NodeProto *n, node_kind kind)
{
    return kind == NODE_JOIN || (kind == NODE_PASS && is_op(n, "Concat")) ? n->n_input : 1;
}

static bool is_pass(const Onnx__NodeProto *n)
{
    static const char *const ops[] = {"Concat", "Flatten", "MaxPool",   "Reshape",
                                      "Slice",  "Squeeze", "Transpose", "Unsqueeze"};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        if (is_op(n, ops[i]))
            return true;
    return is_op(n, "Resize") && has_text(n, "mode", "nearest");
}

/* The positive number that a node multiplies its first input by; 0 where it does not. */
static float factor_of(const qdq *q, const Onnx__NodeProto *n)
{
    float factor;
    const Onnx__TensorProto *c = is_op(n, "Mul") && n->n_input == 2 ? qdq_constant(q, n->input[1]) : NULL;
    if (!c || c->data_type != ONNX_F32 || c->raw_data.len != sizeof factor)
        return 0;
    memcpy(&factor, c->raw_data.data, sizeof factor);
    return factor > 0 && factor <= 1 ? factor : 0;
}

/* What a picture's bytes, which became float32, were multiplied by until they came to be this value; 0 where it is
 * anything else. */
static float picture_scale(const qdq *q, const char *name)
{
    const Onnx__GraphProto *p = q->g->model->graph;
    float scale = 1, factor;
    int owner = owner_of(q, name);
    for (; owner >= 0; owner = owner_of(q, p->node[owner]->input[0]))
        if ((factor = factor_of(q, p->node[owner])) > 0)
            scale *= factor;
        else if (q->kinds[owner] != NODE_PASS)
            break;
    if (owner < 0 || !is_op(p->node[owner], "Cast") || owner_of(q, p->node[owner]->input[0]) != GRAPH_OF_INPUT)
        return 0;
    for (size_t i = 0; i < p->n_input; i++)
        if (!strcmp(p->input[i]->name, p->node[owner]->input[0]))
            return p->input[i]->type->tensor_type->elem_type == ONNX_U8 ? scale : 0;
    return 0;
}

/* Weights [out,in,height,width] or [in,out] of float32 that are not empty. A convolution of the picture that has no
 * bias only makes it smaller: that is no layer of the network. */
static const Onnx__TensorProto *layer_weights(const qdq *q, const Onnx__NodeProto *n)
{
    bool conv = is_op(n, "Conv"), gemm = is_op(n, "Gemm");
    if ((!conv && !gemm && !is_op(n, "MatMul")) || n->n_input < 2 || owner_of(q, n->input[0]) <= GRAPH_OF_CONSTANT)
        return NULL;
    if (gemm && (find_attribute(n, "alpha") || find_attribute(n, "beta") || qdq_attribute(n, "transA", 0)))
        return NULL;
    if (conv && n->n_input < 3 && picture_scale(q, n->input[0]) > 0)
        return NULL;
    const Onnx__TensorProto *w = qdq_constant(q, n->input[1]);
    return w && w->data_type == ONNX_F32 && w->n_dims == (conv ? 4 : 2) && w->raw_data.len ? w : NULL;
}

static node_kind kind_of(const qdq *q, const Onnx__NodeProto *n)
{
    if (n->n_output != 1 || !n->n_input)
        return NODE_OTHER;
    if (layer_weights(q, n))
        return NODE_LAYER;
    if (is_op(n, "Relu"))
        return NODE_RELU;
    node_kind kind = is_op(n, "Add") && n->n_input == 2 ? NODE_JOIN : is_pass(n) ? NODE_PASS : NODE_OTHER;
    int constants = 0, maker = GRAPH_OF_CONSTANT;
    for (size_t i = 0; kind != NODE_OTHER && i < qdq_data_inputs(n, kind); i++) {
        int owner = owner_of(q, n->input[i]);
        constants += owner <= GRAPH_OF_CONSTANT;
        maker = owner > maker ? owner : maker;
    }
    if (!constants)
        return kind;
    return kind == NODE_JOIN && maker >= 0 && q->kinds[maker] == NODE_LAYER ? NODE_BIAS : NODE_OTHER;
}

/* ---- layers -------------------------------------------------------------------------------------- */

/* Multiplications for each element that comes out; the zeros around a picture count as if they were multiplied. */
static double work_of(const Onnx__TensorProto *w, int64_t channels)
{
    return (double)w->raw_data.len / sizeof(float) / (double)channels;
}

static void find_users(qdq *q)
{
    const Onnx__GraphProto *p = q->g->model->graph;
    for (size_t i = 0; i < q->names.count; i++)
        q->user_of[i] = NO_USER;
    for (size_t i = 0; i < p->n_node; i++)
        for (size_t k = 0; k < p->node[i]->n_input; k++) {
            int at = name_table_find(&q->names, p->node[i]->input[k]);
            if (at >= 0)
                q->user_of[at] = q->user_of[at] == NO_USER ? (int)i : MANY_USERS;
        }
}

/* Where a layer's bias can be changed: float32, and one for each channel. */
static int find_bias(const qdq *q, int node, int channels)
{
    const Onnx__GraphProto *p = q->g->model->graph;
    bool product = is_op(p->node[node], "MatMul");
    int owner = product ? q->user_of[name_table_find(&q->names, p->node[node]->output[0])] : node;
    if (owner < 0 || (owner != node && q->kinds[owner] != NODE_BIAS))
        return -1;
    const Onnx__NodeProto *n = p->node[owner];
    if (owner == node && n->n_input < 3)
        return is_op(n, "Conv") ? owner : -1;
    const Onnx__TensorProto *b = qdq_constant(q, n->input[owner == node ? 2 : 1]);
    return b && b->data_type == ONNX_F32 && b->n_dims == 1 && b->dims[0] == channels ? owner : -1;
}

static void add_layer(qdq *q, int node)
{
    const Onnx__NodeProto *n = q->g->model->graph->node[node];
    const Onnx__TensorProto *w = layer_weights(q, n);
    int i = q->layer_count++;
    int64_t channels = w->dims[is_op(n, "Conv") || qdq_attribute(n, "transB", 0) ? 0 : 1];
    q->layers[i] =
        (qdq_layer){.name = n->name, .op = n->op_type, .channels = (int)channels, .work = work_of(w, channels)};
    q->node_of[i] = node;
    q->layer_of[node] = i;
    q->bias_of[i] = find_bias(q, node, (int)channels);
    q->layers[i].biased = q->bias_of[i] >= 0;
}

static int find_layers(qdq *q, lanert_error *err)
{
    const Onnx__GraphProto *p = q->g->model->graph;
    size_t n = p->n_node;
    int rc;
    if ((rc = memory_new(&q->kinds, n, sizeof *q->kinds, err)) ||
        (rc = memory_new(&q->layer_of, n, sizeof *q->layer_of, err)) ||
        (rc = memory_new(&q->layers, n, sizeof *q->layers, err)) ||
        (rc = memory_new(&q->node_of, n, sizeof *q->node_of, err)) ||
        (rc = memory_new(&q->bias_of, n, sizeof *q->bias_of, err)) ||
        (rc = memory_new(&q->user_of, q->names.count, sizeof *q->user_of, err)))
        return rc;
    find_users(q);
    for (size_t i = 0; i < n; i++)
        q->kinds[i] = kind_of(q, p->node[i]);
    for (size_t i = 0; i < n; i++) {
        q->layer_of[i] = -1;
        if (q->kinds[i] == NODE_LAYER)
            add_layer(q, (int)i);
    }
    return q->layer_count ? 0 : error_set(err, LANERT_EUNSUPPORTED, "it has no layers that could be in eight bits");
}

/* ---- what goes with the layers ------------------------------------------------------------------- */

/* Values that come from layers in eight bits, but for what leaves their range as it is. */
static void find_made(const qdq *q, const bool *layers, bool *made)
{
    const Onnx__GraphProto *p = q->g->model->graph;
    for (size_t i = 0; i < p->n_node; i++) {
        const Onnx__NodeProto *n = p->node[i];
        bool any = false;
        if (q->kinds[i] == NODE_OTHER)
            continue;
        for (size_t k = 0; q->kinds[i] != NODE_LAYER && k < n->n_input; k++) {
            int at = name_table_find(&q->names, n->input[k]);
            any |= at >= 0 && made[at];
        }
        made[name_table_find(&q->names, n->output[0])] = q->kinds[i] == NODE_LAYER ? layers[q->layer_of[i]] : any;
    }
}

/* What comes out of a layer: behind its bias and its Relu, where nothing else takes what is before them. */
static int result_of(const qdq *q, int node)
{
    int at = name_table_find(&q->names, q->g->model->graph->node[node]->output[0]), user;
    while ((user = q->user_of[at]) >= 0 && (q->kinds[user] == NODE_BIAS || q->kinds[user] == NODE_RELU))
        at = name_table_find(&q->names, q->g->model->graph->node[user]->output[0]);
    return at;
}

static void want_inputs(const qdq *q, const Onnx__NodeProto *n, node_kind kind, bool *wanted)
{
    for (size_t k = 0; k < qdq_data_inputs(n, kind); k++)
        wanted[name_table_find(&q->names, n->input[k])] = true;
}

/* From the end to the beginning: what goes into a layer is wanted, as what comes out of it is already; what goes into a
 * pass or sum is where its result is, if need be behind a Relu. */
static void find_wanted(const qdq *q, const bool *layers, const bool *apart, const bool *made, bool *behind,
                        qdq_spread *s)
{
    const Onnx__GraphProto *p = q->g->model->graph;
    for (size_t i = p->n_node; i-- > 0;) {
        const Onnx__NodeProto *n = p->node[i];
        node_kind kind = q->kinds[i];
        if (kind == NODE_OTHER)
            continue;
        int out = name_table_find(&q->names, n->output[0]);
        bool wanted = s->wanted[out];
        if (kind == NODE_RELU)
            behind[name_table_find(&q->names, n->input[0])] |= wanted;
        else if (kind == NODE_LAYER)
            s->done[i] = layers[q->layer_of[i]];
        else if (kind == NODE_PASS)
            s->done[i] = wanted;
        else if (kind == NODE_JOIN)
            s->done[i] = (wanted || behind[out]) && made[out];
        if (s->done[i] && (kind != NODE_LAYER || !apart || !apart[q->layer_of[i]]))
            want_inputs(q, n, kind, s->wanted);
    }
}

int qdq_spread_find(const qdq *q, const bool *layers, const bool *apart, qdq_spread *s, lanert_error *err)
{
    bool *made = NULL, *behind = NULL;
    int rc;
    *s = (qdq_spread){0};
    if ((rc = memory_new(&s->wanted, q->names.count, 1, err)) ||
        (rc = memory_new(&s->results, q->names.count, 1, err)) ||
        (rc = memory_new(&s->done, q->g->model->graph->n_node, 1, err)) ||
        (rc = memory_new(&made, q->names.count, 1, err)) || (rc = memory_new(&behind, q->names.count, 1, err)))
        goto out;
    find_made(q, layers, made);
    for (int i = 0; i < q->layer_count; i++)
        if (layers[i])
            s->wanted[result_of(q, q->node_of[i])] = s->results[result_of(q, q->node_of[i])] = true;
    find_wanted(q, layers, apart, made, behind, s);
out:
    free(made);
    free(behind);
    if (rc)
        qdq_spread_free(s);
    return rc;
}

void qdq_spread_free(qdq_spread *s)
{
    FREE(s->wanted);
    FREE(s->results);
    FREE(s->done);
}

/* ---- values and scales --------------------------------------------------------------------------- */

/* The first of those that share a scale with value i, which are a tree of which `up` has the ways to the root. */
static int root_of(int *up, int i)
{
    while (up[i] != i)
        i = up[i] = up[up[i]];
    return i;
}

static void tie(int *up, int a, int b)
{
    a = root_of(up, a);
    b = root_of(up, b);
    up[a > b ? a : b] = a < b ? a : b;
}

static void add_value(qdq *q, const qdq_spread *s, const char *name)
{
    int at = name_table_find(&q->names, name);
    if (!s->wanted[at])
        return;
    q->value_of[at] = q->value_count;
    q->values[q->value_count++] = (qdq_value){.name = name, .source = true};
}

/* Numbers the scales, of which `up` has the trees, in the order of their first values. */
static void number_scales(qdq *q, int *up)
{
    for (int i = 0; i < q->value_count; i++) {
        int first = root_of(up, i);
        q->values[i].scale = first == i ? q->scale_count++ : q->values[first].scale;
        q->pictures[q->values[i].scale] = fmaxf(q->pictures[q->values[i].scale], picture_scale(q, q->values[i].name));
    }
}

static int find_scales(qdq *q, const qdq_spread *s, lanert_error *err)
{
    const Onnx__GraphProto *p = q->g->model->graph;
    int *up, rc = memory_new(&up, (size_t)q->value_count, sizeof *up, err);
    if (rc)
        return rc;
    for (int i = 0; i < q->value_count; i++)
        up[i] = i;
    for (size_t i = 0; i < p->n_node; i++) {
        if (q->kinds[i] != NODE_PASS || !s->done[i])
            continue;
        int out = q->value_of[name_table_find(&q->names, p->node[i]->output[0])];
        q->values[out].source = false;
        for (size_t k = 0; k < qdq_data_inputs(p->node[i], NODE_PASS); k++)
            tie(up, out, q->value_of[name_table_find(&q->names, p->node[i]->input[k])]);
    }
    number_scales(q, up);
    free(up);
    return 0;
}

static int find_values(qdq *q, lanert_error *err)
{
    const Onnx__GraphProto *p = q->g->model->graph;
    qdq_spread s = {0};
    bool *all = NULL;
    int rc;
    if ((rc = memory_new(&all, (size_t)q->layer_count, 1, err)) ||
        (rc = memory_new(&q->value_of, q->names.count, sizeof *q->value_of, err)) ||
        (rc = memory_new(&q->values, q->names.count, sizeof *q->values, err)) ||
        (rc = memory_new(&q->pictures, q->names.count, sizeof *q->pictures, err)))
        goto out;
    memset(all, 1, (size_t)q->layer_count);
    memset(q->value_of, -1, q->names.count * sizeof *q->value_of);
    if ((rc = qdq_spread_find(q, all, NULL, &s, err)))
        goto out;
    for (size_t i = 0; i < p->n_input; i++)
        add_value(q, &s, p->input[i]->name);
    for (size_t i = 0; i < p->n_node; i++)
        for (size_t k = 0; k < p->node[i]->n_output; k++)
            add_value(q, &s, p->node[i]->output[k]);
    for (int i = 0; i < q->layer_count; i++) {
        q->layers[i].input = q->value_of[name_table_find(&q->names, p->node[q->node_of[i]]->input[0])];
        q->layers[i].output = q->value_of[result_of(q, q->node_of[i])];
    }
    rc = find_scales(q, &s, err);
out:
    qdq_spread_free(&s);
    free(all);
    return rc;
}

/* ---- opening ------------------------------------------------------------------------------------- */

/* Another program's model, or one of ours that is not in float32. */
static int check_model(const file_map *map, const char *path, lanert_error *err)
{
    model_info info;
    onnx_head *head;
    int rc = onnx_head_open_memory(map->data, map->size, path, &head, err);
    if (rc)
        return rc;
    if (!model_is_ours(head))
        rc = error_set(err, LANERT_EUNSUPPORTED,
                       "%s: not written by 'lanert convert'; only its models are quantised: convert the checkpoint",
                       path);
    else if ((rc = model_read(head, NULL, &info, err)))
        error_within(err, rc, "%s", path);
    else if (!strcmp(info.precision, "int8"))
        rc = error_set(err, LANERT_EUNSUPPORTED, "%s: is in eight bits already; quantise the fp32 model", path);
    else if (strcmp(info.precision, "fp32"))
        rc = error_set(err, LANERT_EUNSUPPORTED, "%s: is in %s; quantise the fp32 model (convert --precision fp32)",
                       path, info.precision);
    onnx_head_close(&head);
    return rc;
}

int qdq_open(const char *path, qdq **out, lanert_error *err)
{
    lanert_error why;
    qdq *q;
    int rc = memory_new(&q, 1, sizeof *q, err);
    *out = NULL;
    if (rc)
        return rc;
    snprintf(q->path, sizeof q->path, "%s", path);
    if ((rc = file_map_open(path, 0, &q->map, err)) || (rc = check_model(&q->map, path, err)) ||
        (rc = graph_load(q->map.data, q->map.size, path, &q->g, err)))
        goto out;
    if ((rc = graph_values(q->g, &q->names, &why)) || (rc = find_layers(q, &why)) || (rc = find_values(q, &why))) {
        error_set(err, rc, "%s: %s", path, why.text);
        goto out;
    }
    *out = q;
    q = NULL;
out:
    qdq_close(&q);
    return rc;
}

void qdq_close(qdq **q)
{
    qdq *d = *q;
    if (!d)
        return;
    graph_close(&d->g);
    name_table_free(&d->names);
    file_map_close(&d->map);
    FREE(d->kinds);
    FREE(d->layer_of);
    FREE(d->layers);
    FREE(d->node_of);
    FREE(d->bias_of);
    FREE(d->user_of);
    FREE(d->values);
    FREE(d->value_of);
    FREE(d->pictures);
    FREE(*q);
}

const qdq_layer *qdq_layers(const qdq *q, int *count)
{
    *count = q->layer_count;
    return q->layers;
}

const qdq_value *qdq_values(const qdq *q, int *count)
{
    *count = q->value_count;
    return q->values;
}

int qdq_scale_count(const qdq *q)
{
    return q->scale_count;
}

bool qdq_known(const qdq *q, int scale, qdq_range *range)
{
    if (q->pictures[scale] > 0)
        *range = (qdq_range){0, UINT8_MAX * PICTURE_SCALE * q->pictures[scale]};
    return q->pictures[scale] > 0;
}
