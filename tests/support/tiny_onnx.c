#include "support/tiny_onnx.h"

#include "support/testing.h"

/* Field numbers are those of onnx.proto. */

static void put_varint(message *m, uint64_t value)
{
    do {
        assert_true(m->size < sizeof m->bytes);
        m->bytes[m->size++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    } while (value >>= 7);
}

static void put_number(message *m, unsigned field, uint64_t value)
{
    put_varint(m, field << 3);
    put_varint(m, value);
}

static void put_bytes(message *m, unsigned field, const void *bytes, size_t size)
{
    put_varint(m, field << 3 | 2);
    put_varint(m, size);
    assert_true(size <= sizeof m->bytes - m->size);
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

static void put_message_text(message *m, unsigned field, const char *text)
{
    put_bytes(m, field, text, strlen(text));
}

static void put_message(message *m, unsigned field, const message *inner)
{
    put_bytes(m, field, inner->bytes, inner->size);
}

enum { ONNX_FLOAT = 1, ONNX_UINT8 = 2, ONNX_INT64 = 7 };

static void put_node(message *graph, const char *op, const char *in1, const char *in2, const char *out)
{
    message node = {0}, to = {0};
    put_message_text(&node, 1, in1);
    if (in2)
        put_message_text(&node, 1, in2);
    put_message_text(&node, 2, out);
    put_message_text(&node, 4, op);
    if (!strcmp(op, "Cast")) {
        put_message_text(&to, 1, "to");
        put_number(&to, 3, ONNX_FLOAT);
        put_number(&to, 20, 2); /* an integer */
        put_message(&node, 5, &to);
    }
    put_message(graph, 1, &node);
}

static void put_constant(message *graph, const char *name, int type, uint64_t count, const void *data, size_t size)
{
    message constant = {0};
    put_number(&constant, 1, count);
    put_number(&constant, 2, (uint64_t)type);
    put_message_text(&constant, 8, name);
    put_bytes(&constant, 9, data, size);
    put_message(graph, 5, &constant);
}

/* field 11: an input of the graph; 12: an output. Dim 0 is "N". */
static void put_value(message *graph, unsigned field, const char *name, int type, int rank, const uint64_t *dims)
{
    message value = {0}, holder = {0}, type_of_tensor = {0}, shape = {0};
    for (int i = 0; i < rank; i++) {
        message dim = {0};
        if (dims[i])
            put_number(&dim, 1, dims[i]);
        else
            put_message_text(&dim, 2, "N");
        put_message(&shape, 1, &dim);
    }
    put_number(&type_of_tensor, 1, (uint64_t)type);
    put_message(&type_of_tensor, 2, &shape);
    put_message(&holder, 1, &type_of_tensor);
    put_message_text(&value, 1, name);
    put_message(&value, 2, &holder);
    put_message(graph, field, &value);
}

message tiny_onnx(const char *doubling)
{
    static const float two = 2, one = 1;
    static const int64_t shape[] = {0, 2, 2};
    message model = {0}, graph = {0}, opset = {0};
    put_node(&graph, "Cast", "x", NULL, "f");
    put_node(&graph, doubling, "f", "two", "m");
    put_node(&graph, "Add", "m", "one", "y");
    put_node(&graph, "Reshape", "y", "shape", "z");
    put_message_text(&graph, 2, "tiny");
    put_constant(&graph, "two", ONNX_FLOAT, 1, &two, sizeof two);
    put_constant(&graph, "one", ONNX_FLOAT, 1, &one, sizeof one);
    put_constant(&graph, "shape", ONNX_INT64, 3, shape, sizeof shape);
    put_value(&graph, 11, "x", ONNX_UINT8, 2, (uint64_t[]){0, 4});
    put_value(&graph, 12, "y", ONNX_FLOAT, 2, (uint64_t[]){0, 4});
    put_value(&graph, 12, "z", ONNX_FLOAT, 3, (uint64_t[]){0, 2, 2});
    put_number(&opset, 2, 17);
    put_number(&model, 1, 8);
    put_message(&model, 7, &graph);
    put_message(&model, 8, &opset);
    return model;
}
