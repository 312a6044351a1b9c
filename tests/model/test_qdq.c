/* Models in eight bits. */
#include "model/qdq.h"

#include <math.h>

#include "model/metadata.h"
#include "model/onnx_file.h"
#include "support/tiny_clrnet.h"

static lanert_error err;

static const char *model_path(void)
{
    return temp_path(folder, "net.onnx");
}

static void convert_shrunk(const char *arch, lanert_precision precision, int outputs, int shrink)
{
    tiny_clrnet t;
    lanert_convert_options o;
    lanert_convert_defaults(&o);
    o.preset = "culane";
    o.precision = precision;
    o.outputs = outputs;
    o.shrink = shrink;
    o.force = true;
    assert_ok(tiny_clrnet_open(arch, &t, &err));
    assert_ok(tiny_clrnet_write(&t, temp_path(folder, "net.pth"), &err));
    tiny_clrnet_close(&t);
    assert_ok(lanert_convert(temp_path(folder, "net.pth"), model_path(), &o, &err));
}

static void convert(const char *arch, lanert_precision precision, int outputs)
{
    convert_shrunk(arch, precision, outputs, 1);
}

static qdq *open_tiny(const char *arch)
{
    qdq *q;
    convert(arch, LANERT_FP32, LANERT_OUTPUT_BOTH);
    assert_ok(qdq_open(model_path(), &q, &err));
    return q;
}

/* ---- a plan of everything ---- */

enum { MOST = 512 };

typedef struct everything {
    bool layers[MOST];
    qdq_range ranges[MOST];
    qdq_plan plan;
} everything;

static everything *plan_all(const qdq *q, everything *e)
{
    int layers;
    qdq_layers(q, &layers);
    assert_in_range(layers, 1, MOST);
    assert_in_range(qdq_scale_count(q), 1, MOST);
    for (int i = 0; i < MOST; i++) {
        e->layers[i] = true;
        e->ranges[i] = (qdq_range){-1, 3};
    }
    e->plan = (qdq_plan){.layers = e->layers, .ranges = e->ranges, .per_channel = true};
    return e;
}

static Onnx__ModelProto *written(const qdq *q, const qdq_plan *plan)
{
    const char *path = temp_path(folder, "int8.onnx");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_ok(qdq_write(q, plan, f, path, &err));
    assert_int_equal(fclose(f), 0);
    Onnx__ModelProto *m = onnx_file_open(path);
    onnx_file_check(m);
    return m;
}

/* ---- looking into a graph ---- */

static const Onnx__NodeProto *maker(const Onnx__ModelProto *m, const char *value)
{
    for (size_t i = 0; i < m->graph->n_node; i++)
        for (size_t k = 0; k < m->graph->node[i]->n_output; k++)
            if (!strcmp(m->graph->node[i]->output[k], value))
                return m->graph->node[i];
    return NULL;
}

static const Onnx__NodeProto *node_named(const Onnx__ModelProto *m, const char *name)
{
    for (size_t i = 0; i < m->graph->n_node; i++)
        if (!strcmp(m->graph->node[i]->name, name))
            return m->graph->node[i];
    fail_msg("no node %s", name);
    return NULL;
}

static bool is_op(const Onnx__NodeProto *n, const char *op)
{
    return n && !strcmp(n->op_type, op);
}

/* The QuantizeLinear behind which a value was put back into float32; NULL where it was not. */
static const Onnx__NodeProto *pair_of(const Onnx__ModelProto *m, const char *value)
{
    const Onnx__NodeProto *back = maker(m, value);
    const Onnx__NodeProto *there = is_op(back, "DequantizeLinear") ? maker(m, back->input[0]) : NULL;
    if (!is_op(there, "QuantizeLinear"))
        return NULL;
    assert_string_equal(back->input[1], there->input[1]);
    assert_string_equal(back->input[2], there->input[2]);
    return there;
}

/* Whether one QuantizeLinear takes the value and nothing else does. */
static bool is_all_paired(const Onnx__ModelProto *m, const char *value)
{
    int users = 0, pairs = 0;
    for (size_t i = 0; i < m->graph->n_node; i++)
        for (size_t k = 0; k < m->graph->node[i]->n_input; k++)
            if (!strcmp(m->graph->node[i]->input[k], value)) {
                users++;
                pairs += is_op(m->graph->node[i], "QuantizeLinear");
            }
    return users == 1 && pairs == 1;
}

static float scalar(const Onnx__ModelProto *m, const char *name)
{
    const Onnx__TensorProto *t = onnx_file_weights(m, name);
    assert_int_equal(t->data_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    assert_int_equal(t->raw_data.len, sizeof(float));
    float number;
    memcpy(&number, t->raw_data.data, sizeof number);
    return number;
}

static const float *floats(const Onnx__ModelProto *m, const char *name)
{
    return (const float *)(const void *)onnx_file_weights(m, name)->raw_data.data;
}

/* ---- tests ---- */

static void finds_the_layers(void **state)
{
    (void)state;
    static const char *const archs[] = {"resnet18", "resnet101", "dla34"};
    for (size_t a = 0; a < ARRAY_LEN(archs); a++) {
        qdq *q = open_tiny(archs[a]);
        Onnx__ModelProto *m = onnx_file_open(model_path());
        qdq_range known;
        int layers, values;
        const qdq_layer *l = qdq_layers(q, &layers);
        const qdq_value *v = qdq_values(q, &values);
        assert_true((size_t)layers > onnx_file_count(m, "Conv")); /* and products */
        for (int i = 0; i < layers; i++) {
            const Onnx__NodeProto *n = node_named(m, l[i].name);
            assert_true(is_op(n, l[i].op));
            assert_string_equal(n->input[0], v[l[i].input].name);
            assert_true(l[i].channels > 0 && l[i].work > 0 && l[i].biased);
            const Onnx__NodeProto *last = maker(m, v[l[i].output].name); /* itself, its bias or its Relu */
            assert_true(last == n || is_op(last, "Relu") || is_op(last, "Add"));
        }
        assert_true(qdq_known(q, v[l[0].input].scale, &known)); /* the picture */
        const float scale = known.high / 255 * 256; /* of bytes; not 1, which OpenVINO drops with the pair */
        assert_true(known.low == 0 && scale > 1);
        assert_true(lrintf(255 / scale) == 255 && lrintf(128 / scale) == 128);
        assert_false(qdq_known(q, v[l[1].input].scale, &known));
        onnx__model_proto__free_unpacked(m, NULL);
        qdq_close(&q);
    }
}

static void what_makes_pictures_smaller_is_no_layer(void **state)
{
    (void)state;
    qdq *q;
    int usual, layers;
    q = open_tiny("resnet18");
    qdq_layers(q, &usual);
    qdq_close(&q);
    convert_shrunk("resnet18", LANERT_FP32, LANERT_OUTPUT_RAW, 2);
    assert_ok(qdq_open(model_path(), &q, &err));
    assert_int_equal(strncmp(qdq_layers(q, &layers)->name, "stem/", strlen("stem/")), 0);
    assert_int_equal(layers, usual);
    qdq_close(&q);
}

/* Every layer takes pairs and gives one, and so do what only moves numbers and the sums of residual blocks. */
static void puts_pairs_around_all(void **state)
{
    (void)state;
    everything e;
    int layers, values, sums = 0;
    qdq *q = open_tiny("resnet18");
    Onnx__ModelProto *m = written(q, &plan_all(q, &e)->plan);
    const qdq_layer *l = qdq_layers(q, &layers);
    for (int i = 0; i < layers; i++) {
        const Onnx__NodeProto *n = node_named(m, l[i].name), *weights = maker(m, n->input[1]);
        assert_non_null(pair_of(m, n->input[0]));
        assert_true(is_op(weights, "DequantizeLinear"));
        assert_true(is_all_paired(m, qdq_values(q, &values)[l[i].output].name));
        assert_int_equal(onnx_file_weights(m, weights->input[0])->data_type, ONNX__TENSOR_PROTO__DATA_TYPE__INT8);
    }
    for (size_t i = 0; i < m->graph->n_node; i++) {
        const Onnx__NodeProto *n = m->graph->node[i];
        if (is_op(n, "MaxPool")) {
            const Onnx__NodeProto *in = pair_of(m, n->input[0]);
            assert_non_null(in);
            for (size_t k = 0; k < m->graph->n_node; k++) /* the same numbers: the same scale */
                if (is_op(m->graph->node[k], "QuantizeLinear") && !strcmp(m->graph->node[k]->input[0], n->output[0]))
                    assert_string_equal(m->graph->node[k]->input[1], in->input[1]);
        }
        if (is_op(n, "Relu")) /* the pair is behind it */
            assert_null(pair_of(m, n->input[0]));
        if (is_op(n, "Add") && strstr(n->name, "layer")) {
            assert_non_null(pair_of(m, n->input[0]));
            assert_non_null(pair_of(m, n->input[1]));
            sums++;
        }
    }
    assert_int_equal(sums, 8);
    onnx__model_proto__free_unpacked(m, NULL);
    qdq_close(&q);
}

static void scales_by_the_range(void **state)
{
    (void)state;
    everything e;
    int layers;
    qdq *q = open_tiny("resnet18");
    const char *name = qdq_layers(q, &layers)[1].name;
    plan_all(q, &e);
    for (int turn = 0; turn < 2; turn++) {
        e.plan.unsigned_values = turn;
        Onnx__ModelProto *m = written(q, &e.plan);
        const Onnx__NodeProto *pair = pair_of(m, node_named(m, name)->input[0]);
        const Onnx__TensorProto *zero = onnx_file_weights(m, pair->input[2]);
        assert_float_equal(scalar(m, pair->input[1]), turn ? 4.0f / 255 : 3.0f / 127, 1e-7);
        assert_int_equal(zero->data_type,
                         turn ? ONNX__TENSOR_PROTO__DATA_TYPE__UINT8 : ONNX__TENSOR_PROTO__DATA_TYPE__INT8);
        assert_int_equal(zero->raw_data.len, 1);
        assert_int_equal(zero->raw_data.data[0], turn ? 64 : 0);
        onnx__model_proto__free_unpacked(m, NULL);
    }
    qdq_close(&q);
}

/* Weights lie at most half a step from where they were, and the largest of a channel is ±127. */
static void rounds_weights(void **state)
{
    (void)state;
    everything e;
    int layers;
    qdq *q = open_tiny("resnet18");
    const qdq_layer *l = qdq_layers(q, &layers);
    Onnx__ModelProto *was = onnx_file_open(model_path());
    plan_all(q, &e);
    for (int turn = 0; turn < 2; turn++) {
        e.plan.per_channel = turn;
        Onnx__ModelProto *is = written(q, &e.plan);
        for (int i = 0; i < layers; i++) {
            const Onnx__NodeProto *n = maker(is, node_named(is, l[i].name)->input[1]);
            const Onnx__TensorProto *t = onnx_file_weights(is, n->input[0]), *s = onnx_file_weights(is, n->input[1]);
            const float *scale = floats(is, n->input[1]), *w = floats(was, node_named(was, l[i].name)->input[1]);
            bool conv = !strcmp(l[i].op, "Conv");
            size_t count = t->raw_data.len, channels = (size_t)l[i].channels;
            int most = 0;
            assert_int_equal(s->raw_data.len, turn ? channels * sizeof(float) : sizeof(float));
            assert_int_equal(n->n_attribute, turn);
            if (turn)
                assert_int_equal(n->attribute[0]->i, conv ? 0 : 1);
            for (size_t k = 0; k < count; k++) {
                int8_t byte = (int8_t)t->raw_data.data[k];
                float step = scale[!turn ? 0 : conv ? k / (count / channels) : k % channels];
                most = abs(byte) > most ? abs(byte) : most;
                assert_true(fabsf(w[k] - (float)byte * step) <= step * 0.5001f);
            }
            assert_int_equal(most, 127);
        }
        onnx__model_proto__free_unpacked(is, NULL);
    }
    onnx__model_proto__free_unpacked(was, NULL);
    qdq_close(&q);
}

static bool has_ints(const Onnx__NodeProto *n, const char *name, size_t count, int64_t all)
{
    for (size_t i = 0; i < n->n_attribute; i++)
        if (!strcmp(n->attribute[i]->name, name))
            return n->attribute[i]->n_ints == count && n->attribute[i]->ints[0] == all &&
                   n->attribute[i]->ints[count - 1] <= all;
    return false;
}

/* The sum that the stem makes of a channel's weights and a picture, at a place, by its definition. */
static int stem_sum(const int8_t *w, int side, int channels, const int8_t *picture, int size, int step, int y, int x)
{
    const int before = side / 2; /* zeros: 3 for 7, 2 for 4 */
    int sum = 0;
    for (int i = 0; i < channels * side * side; i++) {
        int c = i / (side * side), row = y * step + i / side % side - before, column = x * step + i % side - before;
        if (row >= 0 && row < size && column >= 0 && column < size)
            sum += w[i] * picture[(row * size + column) * channels + c];
    }
    return sum;
}

/* Bytes go to the stem as blocks of 2×2 pixels, where they are uint8 and stay what they are. */
static void gives_the_stem_blocks(void **state)
{
    (void)state;
    everything e;
    int layers, values;
    qdq *q = open_tiny("resnet18");
    const char *stem = qdq_layers(q, &layers)->name;
    const qdq_value *v = qdq_values(q, &values);
    plan_all(q, &e);
    Onnx__ModelProto *was = written(q, &e.plan); /* int8 */
    assert_true(has_ints(node_named(was, stem), "kernel_shape", 2, 7));
    e.plan.unsigned_values = true;
    Onnx__ModelProto *is = written(q, &e.plan); /* ranges that are not the bytes' */
    assert_true(has_ints(node_named(is, stem), "kernel_shape", 2, 7));
    onnx__model_proto__free_unpacked(is, NULL);
    for (int i = 0; i < values; i++)
        qdq_known(q, v[i].scale, &e.ranges[v[i].scale]);
    is = written(q, &e.plan);
    const Onnx__NodeProto *n = node_named(is, stem);
    assert_true(has_ints(n, "kernel_shape", 2, 4) && has_ints(n, "strides", 2, 1) && has_ints(n, "pads", 4, 2));
    assert_int_equal(onnx_file_count(is, "Cast"), onnx_file_count(was, "Cast") - 1);
    const Onnx__TensorProto *t = onnx_file_weights(is, maker(is, n->input[1])->input[0]);
    const Onnx__TensorProto *old = onnx_file_weights(was, maker(was, node_named(was, stem)->input[1])->input[0]);
    assert_int_equal(t->dims[0], old->dims[0]);
    assert_int_equal(t->dims[1], 12);
    assert_int_equal(t->raw_data.len, (size_t)t->dims[0] * 12 * 16);
    enum { SIZE = 10 };
    int8_t picture[SIZE * SIZE * 3], blocks[SIZE * SIZE * 3];
    for (int i = 0; i < SIZE * SIZE * 3; i++) {
        int colour = i % 3, column = i / 3 % SIZE, row = i / 3 / SIZE;
        picture[i] = (int8_t)(i * 37 % 101);
        blocks[((row / 2 * (SIZE / 2) + column / 2) * 4 + row % 2 * 2 + column % 2) * 3 + colour] = picture[i];
    }
    for (int64_t k = 0; k < t->dims[0]; k++)
        for (int place = 0; place < SIZE * SIZE / 4; place++) {
            int y = place / (SIZE / 2), x = place % (SIZE / 2);
            const int8_t *a = (const int8_t *)old->raw_data.data + k * 147,
                         *b = (const int8_t *)t->raw_data.data + k * 192;
            assert_int_equal(stem_sum(b, 4, 12, blocks, SIZE / 2, 1, y, x), stem_sum(a, 7, 3, picture, SIZE, 2, y, x));
        }
    onnx__model_proto__free_unpacked(is, NULL);
    onnx__model_proto__free_unpacked(was, NULL);
    qdq_close(&q);
}

/* Zeros above and below that are not byte 0 are put there in float32, and no pair is before them: OpenVINO does not
 * take a model with one there. */
static void puts_zeros_above_and_below(void **state)
{
    (void)state;
    everything e;
    int layers, values, tall = 0;
    qdq *q = open_tiny("resnet18");
    const qdq_layer *l = qdq_layers(q, &layers);
    plan_all(q, &e);
    for (int turn = 0; turn < 3; turn++) {
        e.plan.unsigned_values = turn > 0;
        for (int i = 0; turn == 2 && i < layers; i += 2) /* some have no negative values */
            e.ranges[qdq_values(q, &values)[l[i].input].scale].low = 0;
        Onnx__ModelProto *m = written(q, &e.plan);
        for (int i = 0; i < layers; i++) {
            const Onnx__NodeProto *n = node_named(m, l[i].name), *in = pair_of(m, n->input[0]);
            const Onnx__NodeProto *pad = maker(m, in->input[0]);
            if (!has_ints(n, "kernel_shape", 2, 9)) {
                assert_false(is_op(pad, "Pad"));
                continue;
            }
            bool apart = turn && e.ranges[qdq_values(q, &values)[l[i].input].scale].low < 0;
            assert_true(is_op(pad, "Pad") == apart);
            assert_true(has_ints(n, "pads", 4, apart ? 0 : 4));
            tall += apart;
            if (!apart)
                continue;
            const int64_t around[8] = {0, 0, 4, 0, 0, 0, 4, 0};
            assert_memory_equal(onnx_file_weights(m, pad->input[1])->raw_data.data, around, sizeof around);
            assert_int_equal(pad->n_input, 2); /* zeros */
            if (is_op(maker(m, pad->input[0]), "Transpose"))
                assert_null(pair_of(m, maker(m, pad->input[0])->input[0]));
        }
        onnx__model_proto__free_unpacked(m, NULL);
    }
    assert_in_range(tall, 7, 11); /* all six of one turn, and of the other some */
    qdq_close(&q);
}

static void leaves_other_layers_alone(void **state)
{
    (void)state;
    everything e;
    int layers, values;
    qdq *q = open_tiny("resnet18");
    const qdq_layer *l = qdq_layers(q, &layers);
    plan_all(q, &e);
    memset(e.layers, 0, sizeof e.layers);
    Onnx__ModelProto *m = written(q, &e.plan), *was = onnx_file_open(model_path());
    assert_int_equal(m->graph->n_node, was->graph->n_node);
    assert_int_equal(m->graph->n_initializer, was->graph->n_initializer);
    onnx__model_proto__free_unpacked(m, NULL);
    int alone = 1; /* the second of a block, behind a Relu: neither a pass nor a sum goes with it */
    while (alone < layers && !strstr(l[alone].name, "layer1.0"))
        alone++;
    while (alone < layers && !is_op(maker(was, node_named(was, l[alone].name)->input[0]), "Relu"))
        alone++;
    assert_in_range(alone, 2, layers - 1);
    e.layers[alone] = true;
    m = written(q, &e.plan);
    assert_int_equal(onnx_file_count(m, "QuantizeLinear"), 2);
    assert_int_equal(onnx_file_count(m, "DequantizeLinear"), 3);
    assert_non_null(pair_of(m, node_named(m, l[alone].name)->input[0]));
    assert_true(is_all_paired(m, qdq_values(q, &values)[l[alone].output].name));
    onnx__model_proto__free_unpacked(m, NULL);
    onnx__model_proto__free_unpacked(was, NULL);
    qdq_close(&q);
}

static void shifts_biases(void **state)
{
    (void)state;
    everything e;
    static float shift[MOST];
    const float *shifts[MOST];
    int layers;
    qdq *q = open_tiny("resnet18");
    const qdq_layer *l = qdq_layers(q, &layers);
    Onnx__ModelProto *was = onnx_file_open(model_path());
    for (int i = 0; i < MOST; i++) {
        shift[i] = 0.5f + (float)i;
        shifts[i] = i % 2 ? NULL : shift;
    }
    plan_all(q, &e)->plan.shift = shifts;
    Onnx__ModelProto *is = written(q, &e.plan);
    int products = 0, convolutions = 0;
    for (int i = 0; i < layers; i++) {
        const char *a = node_named(was, l[i].name)->output[0];
        bool conv = !strcmp(l[i].op, "Conv");
        const Onnx__NodeProto *n = node_named(was, l[i].name), *now = node_named(is, l[i].name);
        for (size_t k = 0; !conv && k < was->graph->n_node; k++)
            if (is_op(was->graph->node[k], "Add") && !strcmp(was->graph->node[k]->input[0], a)) {
                n = was->graph->node[k];
                now = node_named(is, n->name);
            }
        const float *before = floats(was, n->input[conv ? 2 : 1]), *after = floats(is, now->input[conv ? 2 : 1]);
        for (int c = 0; c < l[i].channels; c++)
            assert_float_equal(after[c], before[c] + (i % 2 ? 0 : shift[c]), 1e-5);
        products += !conv;
        convolutions += conv;
    }
    assert_true(products > 2 && convolutions > 20);
    onnx__model_proto__free_unpacked(is, NULL);
    onnx__model_proto__free_unpacked(was, NULL);
    qdq_close(&q);
}

static Onnx__ModelProto *reopened(FILE *f, const char *path)
{
    assert_int_equal(fclose(f), 0);
    Onnx__ModelProto *m = onnx_file_open(path);
    onnx_file_check(m);
    assert_int_equal(m->graph->input[0]->type->tensor_type->shape->dim[0]->dim_value, 1);
    return m;
}

static void shows_values(void **state)
{
    (void)state;
    everything e;
    qdq *q = open_tiny("resnet18");
    const char *path = temp_path(folder, "observed.onnx");
    int values;
    const qdq_value *v = qdq_values(q, &values);
    FILE *f = fopen(path, "wb");
    assert_ok(qdq_write_observed(q, 3, 5, f, path, &err));
    Onnx__ModelProto *m = reopened(f, path);
    assert_int_equal(m->graph->n_output, 5);
    assert_string_equal(m->graph->output[4]->name, "observed4");
    assert_string_equal(maker(m, "observed4")->input[0], v[7].name);
    onnx__model_proto__free_unpacked(m, NULL);

    f = fopen(path, "wb");
    plan_all(q, &e)->layers[1] = false;
    assert_ok(qdq_write_shifts(q, &e.plan, 0, 4, f, path, &err));
    m = reopened(f, path);
    assert_int_equal(m->graph->n_output, 3);
    assert_true(is_op(maker(m, maker(m, "observed2")->input[0]), "ReduceMean"));
    onnx__model_proto__free_unpacked(m, NULL);
    qdq_close(&q);
}

static void says_what_it_is(void **state)
{
    (void)state;
    everything e;
    qdq *q = open_tiny("resnet18"), *again;
    const qdq_entry entries[] = {{METADATA_PRECISION, "int8"}, {"a.key", "a text"}};
    plan_all(q, &e);
    e.plan.entries = entries;
    e.plan.entry_count = 2;
    Onnx__ModelProto *m = written(q, &e.plan);
    assert_string_equal(onnx_file_metadata(m, METADATA_PRECISION), "int8");
    assert_string_equal(onnx_file_metadata(m, "a.key"), "a text");
    assert_string_equal(onnx_file_metadata(m, METADATA_PRESET), "culane");
    onnx__model_proto__free_unpacked(m, NULL);
    assert_fails(qdq_open(temp_path(folder, "int8.onnx"), &again, &err), LANERT_EUNSUPPORTED, "eight bits already");
    qdq_close(&q);
}

/* ---- what is refused ---- */

static void refuses_other_models(void **state)
{
    (void)state;
    qdq *q;
    convert("resnet18", LANERT_FP16, LANERT_OUTPUT_RAW);
    assert_fails(qdq_open(model_path(), &q, &err), LANERT_EUNSUPPORTED, "is in fp16; quantise the fp32 model");
    assert_null(q);
    assert_fails(qdq_open(temp_path(folder, "net.pth"), &q, &err), LANERT_EFORMAT, "a zip file");
    assert_fails(qdq_open(temp_path(folder, "none.onnx"), &q, &err), LANERT_ENOTFOUND, "none.onnx");
}

/* Changes a model's protobuf and opens it. */
static int open_changed(void (*change)(Onnx__ModelProto *m))
{
    qdq *q;
    Onnx__ModelProto *m = onnx_file_open(model_path());
    change(m);
    size_t size = onnx__model_proto__get_packed_size(m);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    onnx__model_proto__pack(m, bytes);
    onnx__model_proto__free_unpacked(m, NULL);
    put_file("changed.onnx", bytes, size);
    free(bytes);
    int rc = qdq_open(temp_path(folder, "changed.onnx"), &q, &err);
    qdq_close(&q);
    return rc;
}

static void set_text(char **text, const char *to)
{
    free(*text);
    *text = strdup(to);
}

static void turn_order(Onnx__ModelProto *m)
{
    Onnx__NodeProto *first = m->graph->node[0];
    m->graph->node[0] = m->graph->node[5];
    m->graph->node[5] = first;
}

static void make_twice(Onnx__ModelProto *m)
{
    set_text(&m->graph->node[3]->output[0], m->graph->node[2]->output[0]);
}

static void use_other_operators(Onnx__ModelProto *m)
{
    m->graph->node[1]->domain = strdup("com.microsoft");
}

static void lose_operator(Onnx__ModelProto *m)
{
    free(m->graph->node[1]->op_type);
    m->graph->node[1]->op_type = NULL;
}

static void cut_weights(Onnx__ModelProto *m)
{
    m->graph->initializer[0]->raw_data.len -= 4;
}

static void grow_weights(Onnx__ModelProto *m)
{
    for (size_t i = 0; i < m->graph->n_initializer; i++)
        if (m->graph->initializer[i]->n_dims == 4)
            m->graph->initializer[i]->dims[1] = INT64_MAX / 2;
}

static void use_other_opset(Onnx__ModelProto *m)
{
    m->opset_import[0]->version = 21;
}

static void add_document(Onnx__ModelProto *m)
{
    m->graph->doc_string = strdup("x");
}

static void drop_layers(Onnx__ModelProto *m)
{
    for (size_t i = 0; i < m->graph->n_node; i++)
        if (!strcmp(m->graph->node[i]->op_type, "Conv") || !strcmp(m->graph->node[i]->op_type, "MatMul"))
            set_text(&m->graph->node[i]->op_type, "Other");
}

static void refuses_what_is_not_whole(void **state)
{
    (void)state;
    convert("resnet18", LANERT_FP32, LANERT_OUTPUT_RAW);
    assert_fails(open_changed(turn_order), LANERT_EFORMAT, "which is not made before");
    assert_fails(open_changed(make_twice), LANERT_EFORMAT, "is made twice");
    assert_fails(open_changed(use_other_operators), LANERT_EUNSUPPORTED, "com.microsoft");
    assert_fails(open_changed(lose_operator), LANERT_EFORMAT, "has no operator");
    assert_fails(open_changed(cut_weights), LANERT_EFORMAT, "bytes; its shape has");
    assert_fails(open_changed(grow_weights), LANERT_EFORMAT, "as dimension");
    assert_fails(open_changed(use_other_opset), LANERT_EUNSUPPORTED, "opset 17");
    assert_fails(open_changed(add_document), LANERT_EUNSUPPORTED, "a field 10");
    assert_fails(open_changed(drop_layers), LANERT_EUNSUPPORTED, "no layers");
}

static void spoil_weights(Onnx__ModelProto *m)
{
    for (size_t i = 0; i < m->graph->n_initializer; i++)
        if (m->graph->initializer[i]->n_dims == 4)
            memset(m->graph->initializer[i]->raw_data.data, 0xff, 4);
}

static void refuses_weights_that_are_no_numbers(void **state)
{
    (void)state;
    convert("resnet18", LANERT_FP32, LANERT_OUTPUT_RAW);
    assert_fails(open_changed(spoil_weights), LANERT_EFORMAT, "hold NaN or infinity");
}

/* Whatever bytes are changed, it is opened or refused; what was opened can be written. */
static void survives_damage(void **state)
{
    (void)state;
    everything e;
    file_map map;
    uint32_t random = 1;
    convert("resnet18", LANERT_FP32, LANERT_OUTPUT_RAW);
    assert_ok(file_map_open(model_path(), 0, &map, &err));
    uint8_t *bytes = malloc(map.size);
    assert_non_null(bytes);
    for (int turn = 0; turn < 300; turn++) {
        qdq *q;
        memcpy(bytes, map.data, map.size);
        for (int i = 0; i < 3; i++) {
            random = random * 1664525 + 1013904223;
            bytes[(random >> 4) % map.size] ^= (uint8_t)(1 << random % 8);
        }
        put_file("changed.onnx", bytes, turn % 10 ? map.size : random % map.size);
        if (qdq_open(temp_path(folder, "changed.onnx"), &q, &err))
            continue;
        FILE *f = fopen(temp_path(folder, "int8.onnx"), "wb");
        qdq_write(q, &plan_all(q, &e)->plan, f, "int8.onnx", &err);
        fclose(f);
        qdq_close(&q);
    }
    free(bytes);
    file_map_close(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_layers),
        cmocka_unit_test(what_makes_pictures_smaller_is_no_layer),
        cmocka_unit_test(puts_pairs_around_all),
        cmocka_unit_test(scales_by_the_range),
        cmocka_unit_test(rounds_weights),
        cmocka_unit_test(gives_the_stem_blocks),
        cmocka_unit_test(puts_zeros_above_and_below),
        cmocka_unit_test(leaves_other_layers_alone),
        cmocka_unit_test(shifts_biases),
        cmocka_unit_test(shows_values),
        cmocka_unit_test(says_what_it_is),
        cmocka_unit_test(refuses_other_models),
        cmocka_unit_test(refuses_what_is_not_whole),
        cmocka_unit_test(refuses_weights_that_are_no_numbers),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
