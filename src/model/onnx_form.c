#include "model/onnx_form.h"

#include "base/memory.h"
#include "base/wire.h"

/* Messages of onnx.proto (ONNX 1.12). */
typedef enum message {
    NONE,
    MODEL,
    OPERATOR_SET,
    ENTRY,
    GRAPH,
    NODE,
    ATTRIBUTE,
    TENSOR,
    VALUE,
    TYPE,
    TENSOR_TYPE,
    SHAPE,
    DIMENSION,
    MESSAGES
} message;

typedef struct field {
    uint32_t number;
    enum { NUMBER, NUMBERS, TEXT, ONE, MANY } kind; /* NUMBERS: a list, packed or not; ONE, MANY: messages */
    message within;
} field;

#define MAX_FIELDS 9

/* No message is within itself, so that their nesting has an end. */
static const struct {
    const char *name;
    field fields[MAX_FIELDS];
} forms[MESSAGES] = {
    [MODEL] = {"the model",
               {{1, NUMBER, NONE},
                {2, TEXT, NONE},
                {3, TEXT, NONE},
                {7, ONE, GRAPH},
                {8, MANY, OPERATOR_SET},
                {14, MANY, ENTRY}}},
    [OPERATOR_SET] = {"an operator set", {{1, TEXT, NONE}, {2, NUMBER, NONE}}},
    [ENTRY] = {"a metadata entry", {{1, TEXT, NONE}, {2, TEXT, NONE}}},
    [GRAPH] = {"the graph",
               {{1, MANY, NODE}, {2, TEXT, NONE}, {5, MANY, TENSOR}, {11, MANY, VALUE}, {12, MANY, VALUE}}},
    [NODE] =
        {"a node",
         {{1, TEXT, NONE}, {2, TEXT, NONE}, {3, TEXT, NONE}, {4, TEXT, NONE}, {5, MANY, ATTRIBUTE}, {7, TEXT, NONE}}},
    [ATTRIBUTE] = {"an attribute",
                   {{1, TEXT, NONE},
                    {2, NUMBER, NONE},
                    {3, NUMBER, NONE},
                    {4, TEXT, NONE},
                    {7, NUMBERS, NONE},
                    {8, NUMBERS, NONE},
                    {20, NUMBER, NONE}}},
    [TENSOR] = {"a weight", {{1, NUMBERS, NONE}, {2, NUMBER, NONE}, {8, TEXT, NONE}, {9, TEXT, NONE}}},
    [VALUE] = {"an input or output", {{1, TEXT, NONE}, {2, ONE, TYPE}}},
    [TYPE] = {"a type", {{1, ONE, TENSOR_TYPE}}},
    [TENSOR_TYPE] = {"a tensor's type", {{1, NUMBER, NONE}, {2, ONE, SHAPE}}},
    [SHAPE] = {"a shape", {{1, MANY, DIMENSION}}},
    [DIMENSION] = {"a dimension", {{1, NUMBER, NONE}, {2, TEXT, NONE}}},
};

static const field *find_field(message m, uint32_t number)
{
    for (int i = 0; i < MAX_FIELDS && forms[m].fields[i].number; i++)
        if (forms[m].fields[i].number == number)
            return &forms[m].fields[i];
    return NULL;
}

static int check_kind(message m, const field *known, const wire_field *f, lanert_error *err)
{
    bool bytes = f->type == WIRE_BYTES;
    if (known->kind == NUMBERS && bytes && f->size > ONNX_FORM_MAX_NUMBERS)
        return error_set(err, LANERT_ELIMIT, "%s has a list of %zu bytes; at most %d are read", forms[m].name, f->size,
                         ONNX_FORM_MAX_NUMBERS);
    if (known->kind == NUMBERS || bytes == (known->kind != NUMBER))
        return 0;
    return error_set(err, LANERT_EFORMAT, "%s has %s as field %u; expected %s", forms[m].name,
                     bytes ? "a text" : "a number", (unsigned)f->number, bytes ? "a number" : "a text or message");
}

/* *left: fields that may still come, in all messages. */
static int check_message(wire w, message m, int *left, lanert_error *err)
{
    wire_field f;
    wire_status status;
    uint32_t seen = 0; /* bit n: field n of those that are there once */
    int rc = 0;
    while (!rc && (status = wire_next(&w, &f)) == WIRE_FIELD) {
        const field *known = find_field(m, f.number);
        if (!known)
            return error_set(err, LANERT_EUNSUPPORTED, "%s has a field %u, which 'lanert convert' does not write",
                             forms[m].name, (unsigned)f.number);
        if (--*left < 0)
            return error_set(err, LANERT_ELIMIT, "it has more than %d fields", ONNX_FORM_MAX_FIELDS);
        if (known->kind == ONE && (seen & 1u << f.number))
            return error_set(err, LANERT_EFORMAT, "%s has %s twice", forms[m].name, forms[known->within].name);
        seen |= known->kind == ONE ? 1u << f.number : 0;
        rc = check_kind(m, known, &f, err);
        if (!rc && known->within)
            rc = check_message(wire_within(&f), known->within, left, err);
    }
    if (!rc && status == WIRE_BROKEN)
        rc = error_set(err, LANERT_EFORMAT, "%s is cut short or damaged", forms[m].name);
    return rc;
}

int onnx_form_check(const void *data, size_t size, lanert_error *err)
{
    int left = ONNX_FORM_MAX_FIELDS;
    if (size > ONNX_FORM_MAX_BYTES)
        return error_set(err, LANERT_ELIMIT, "it has %zu bytes; at most %zu are read", size, ONNX_FORM_MAX_BYTES);
    return check_message((wire){data, (const uint8_t *)data + size}, MODEL, &left, err);
}
