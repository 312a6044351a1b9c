/* The graph builder. */
#include "model/onnx_file.h"
#include "model/onnx_graph.h"

static float *numbers(int count, float first)
{
    float *data = malloc((size_t)count * sizeof *data);
    assert_non_null(data);
    for (int i = 0; i < count; i++)
        data[i] = first + (float)i;
    return data;
}

static void write_graph(const graph *g, const char *name)
{
    lanert_error err;
    FILE *f = fopen(temp_path(folder, name), "wb");
    assert_non_null(f);
    assert_ok(graph_write(g, f, name, &err));
    assert_int_equal(fclose(f), 0);
}

static void writes_what_onnx_reads(void **state)
{
    (void)state;
    lanert_error err;
    graph *g;
    value part[2];
    assert_ok(graph_open(&g, &err));
    graph_scope(g, "room %d", 7);
    value x = graph_input(g, "x", ONNX_F32, 2, DIMS(-1, 3));
    value w = graph_transposed(g, "w", ONNX_F32, 2, 3, numbers(6, 1));
    value y = graph_binary(g, "MatMul", x, w);
    graph_split(g, y, 1, 2, DIMS(1, 1), part);
    value z = graph_node(g, "Clip", INPUTS(graph_concat(g, 1, INPUTS(part[1], part[0])), "", graph_scalar(g, 9)), NULL);
    graph_output(g, z, "z", ONNX_F32, 2, DIMS(-1, 2));
    graph_metadata(g, "key", "%d%%", 5);
    write_graph(g, "a.onnx");
    graph_close(&g);
    assert_null(g);

    Onnx__ModelProto *m = onnx_file_open(temp_path(folder, "a.onnx"));
    onnx_file_check(m);
    assert_string_equal(onnx_file_metadata(m, "key"), "5%");
    assert_string_equal(m->producer_name, "lanert");
    assert_string_equal(m->graph->node[0]->op_type, "MatMul");
    assert_non_null(strstr(m->graph->node[0]->name, "room 7/MatMul"));
    const Onnx__TensorProto *weights = onnx_file_weights(m, "w");
    static const float turned[] = {1, 4, 2, 5, 3, 6};
    assert_int_equal(weights->dims[0], 3);
    assert_int_equal(weights->dims[1], 2);
    assert_memory_equal(weights->raw_data.data, turned, sizeof turned);
    const Onnx__TensorShapeProto *shape = m->graph->input[0]->type->tensor_type->shape;
    assert_string_equal(shape->dim[0]->dim_param, "N");
    assert_int_equal(shape->dim[1]->dim_value, 3);
    onnx__model_proto__free_unpacked(m, NULL);
}

static void rounds_weights_to_half(void **state)
{
    (void)state;
    lanert_error err;
    graph *g;
    assert_ok(graph_open(&g, &err));
    graph_weights(g, "w", ONNX_F16, 1, DIMS(3), numbers(3, 1));
    write_graph(g, "half.onnx");
    graph_close(&g);
    Onnx__ModelProto *m = onnx_file_open(temp_path(folder, "half.onnx"));
    static const uint16_t halves[] = {0x3c00, 0x4000, 0x4200};
    assert_int_equal(onnx_file_weights(m, "w")->raw_data.len, sizeof halves);
    assert_memory_equal(onnx_file_weights(m, "w")->raw_data.data, halves, sizeof halves);
    onnx__model_proto__free_unpacked(m, NULL);
}

static void keeps_the_first_error(void **state)
{
    (void)state;
    lanert_error err;
    graph *g;
    FILE *f = fopen(temp_path(folder, "never.onnx"), "wb");
    assert_non_null(f);
    assert_ok(graph_open(&g, &err));
    assert_string_equal(graph_weights(g, "big", ONNX_F16, 1, DIMS(2), numbers(2, 65504)), "");
    assert_string_equal(graph_weights(g, "bigger", ONNX_F16, 1, DIMS(2), numbers(2, 70000)), "");
    assert_string_equal(graph_unary(g, "Relu", "x"), "");
    assert_string_equal(graph_input(g, "x", ONNX_F32, 1, DIMS(1)), "");
    graph_output(g, "x", "y", ONNX_F32, 1, DIMS(1));
    graph_metadata(g, "key", "value");
    assert_fails(graph_status(g, &err), LANERT_EUNSUPPORTED, "big: holds 65505");
    assert_fails(graph_write(g, f, "never.onnx", &err), LANERT_EUNSUPPORTED, "big: holds 65505");
    assert_int_equal(ftell(f), 0);
    fclose(f);
    graph_close(&g);
    graph_close(&g);
}

static void says_where_it_cannot_write(void **state)
{
    (void)state;
    lanert_error err;
    graph *g;
    FILE *full = fopen("/dev/full", "wb");
    if (!full)
        skip();
    assert_ok(graph_open(&g, &err));
    graph_weights(g, "w", ONNX_F32, 1, DIMS(100000), numbers(100000, 0));
    assert_fails(graph_write(g, full, "model.onnx", &err), LANERT_EIO, "model.onnx: cannot be written");
    fclose(full);
    graph_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_onnx_reads),
        cmocka_unit_test(rounds_weights_to_half),
        cmocka_unit_test(keeps_the_first_error),
        cmocka_unit_test(says_where_it_cannot_write),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
