#include "model/onnx_head.h"

#include "base/wire.h"
#include "model/foreign.h"
#include "model/onnx_type.h"

/* Field numbers of onnx.proto (onnx/onnx.proto of ONNX 1.12). */
enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14,
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    OPSET_DOMAIN = 1,
    OPSET_VERSION = 2,
    ENTRY_KEY = 1,
    ENTRY_VALUE = 2,
    VALUE_NAME = 1,
    VALUE_TYPE = 2,
    TYPE_TENSOR = 1,
    TENSOR_ELEMENT = 1,
    TENSOR_SHAPE = 2,
    SHAPE_DIM = 1,
    DIM_VALUE = 1,
    WEIGHT_TYPE = 2,
    WEIGHT_NAME = 8,
    WEIGHT_RAW = 9,
};

/* ---- one message's fields ------------------------------------------------------------------------ */

/* Handles one field of a message for `self`; 0 or an error. */
typedef int on_field(void *self, const wire_field *f, lanert_error *err);

static int each_field(wire w, const char *message, on_field *handle, void *self, lanert_error *err)
{
    wire_field f;
    wire_status status;
    int rc = 0, count = 0;
    while ((status = wire_next(&w, &f)) == WIRE_FIELD && !rc) {
        if (++count > ONNX_MAX_FIELDS)
            return error_set(err, LANERT_ELIMIT, "%s has more than %d fields", message, ONNX_MAX_FIELDS);
        rc = handle(self, &f, err);
    }
    if (!rc && status == WIRE_BROKEN)
        rc = error_set(err, LANERT_EFORMAT, "%s is cut short or damaged", message);
    return rc;
}

static int within(const wire_field *f, const char *message, on_field *handle, void *self, lanert_error *err)
{
    if (f->type != WIRE_BYTES)
        return error_set(err, LANERT_EFORMAT, "%s is a number; expected a message", message);
    return each_field(wire_within(f), message, handle, self, err);
}

static int read_text(const wire_field *f, const char *what, char text[ONNX_MAX_TEXT + 1], lanert_error *err)
{
    if (f->type != WIRE_BYTES)
        return error_set(err, LANERT_EFORMAT, "%s is a number; expected a text", what);
    if (f->size > ONNX_MAX_TEXT)
        return error_set(err, LANERT_ELIMIT, "%s has %zu bytes; at most %d are read", what, f->size, ONNX_MAX_TEXT);
    if (memchr(f->data, '\0', f->size))
        return error_set(err, LANERT_EFORMAT, "%s holds a NUL", what);
    memcpy(text, f->data, f->size);
    text[f->size] = '\0';
    return 0;
}

/* ---- from the leaves up -------------------------------------------------------------------------- */

static int read_dim(void *self, const wire_field *f, lanert_error *err)
{
    int64_t *size = self;
    (void)err;
    if (f->number == DIM_VALUE && f->type == WIRE_VARINT && (int64_t)f->number_value > 0)
        *size = (int64_t)f->number_value;
    return 0;
}

static int read_shape(void *self, const wire_field *f, lanert_error *err)
{
    onnx_tensor *t = self;
    if (f->number != SHAPE_DIM)
        return 0;
    if (t->rank == ONNX_MAX_RANK)
        return error_set(err, LANERT_ELIMIT, "a tensor has more than %d dimensions", ONNX_MAX_RANK);
    t->dims[t->rank] = -1;
    return within(f, "a dimension", read_dim, &t->dims[t->rank++], err);
}

static int read_tensor_type(void *self, const wire_field *f, lanert_error *err)
{
    onnx_tensor *t = self;
    if (f->number == TENSOR_ELEMENT && f->type == WIRE_VARINT)
        t->type = f->number_value <= INT32_MAX ? (int)f->number_value : 0;
    if (f->number != TENSOR_SHAPE)
        return 0;
    t->rank = 0;
    return within(f, "a tensor's shape", read_shape, t, err);
}

static int read_type(void *self, const wire_field *f, lanert_error *err)
{
    return f->number == TYPE_TENSOR ? within(f, "a tensor's type", read_tensor_type, self, err) : 0;
}

static int read_value(void *self, const wire_field *f, lanert_error *err)
{
    onnx_tensor *t = self;
    if (f->number == VALUE_NAME)
        return read_text(f, "a tensor's name", t->name, err);
    return f->number == VALUE_TYPE ? within(f, "a tensor's type", read_type, t, err) : 0;
}

static int add_tensor(const wire_field *f, const char *kind, onnx_tensor *list, int *count, lanert_error *err)
{
    if (*count == ONNX_MAX_TENSORS)
        return error_set(err, LANERT_ELIMIT, "it has more than %d %ss", ONNX_MAX_TENSORS, kind);
    onnx_tensor *t = &list[(*count)++];
    t->rank = -1;
    return within(f, kind, read_value, t, err);
}

static int read_graph(void *self, const wire_field *f, lanert_error *err)
{
    onnx_head *h = self;
    switch (f->number) {
    case GRAPH_NODE:
        h->nodes++;
        return 0;
    case GRAPH_INITIALIZER:
        h->initializers++;
        return 0;
    case GRAPH_INPUT:
        return add_tensor(f, "input", h->inputs, &h->input_count, err);
    case GRAPH_OUTPUT:
        return add_tensor(f, "output", h->outputs, &h->output_count, err);
    default:
        return 0;
    }
}

typedef struct opset {
    char domain[ONNX_MAX_TEXT + 1];
    int64_t version;
} opset;

static int read_opset(void *self, const wire_field *f, lanert_error *err)
{
    opset *o = self;
    if (f->number == OPSET_DOMAIN)
        return read_text(f, "an operator set's domain", o->domain, err);
    if (f->number == OPSET_VERSION && f->type == WIRE_VARINT)
        o->version = (int64_t)f->number_value;
    return 0;
}

static int add_opset(onnx_head *h, const wire_field *f, lanert_error *err)
{
    opset o = {0};
    int rc = within(f, "an operator set", read_opset, &o, err);
    if (!rc && (!*o.domain || !strcmp(o.domain, "ai.onnx")))
        h->opset = o.version;
    return rc;
}

static int read_entry(void *self, const wire_field *f, lanert_error *err)
{
    onnx_entry *e = self;
    if (f->number == ENTRY_KEY)
        return read_text(f, "a metadata key", e->key, err);
    if (f->number == ENTRY_VALUE && f->type == WIRE_BYTES)
        e->value = (onnx_text){(const char *)f->data, f->size};
    return 0;
}

static int add_entry(onnx_head *h, const wire_field *f, lanert_error *err)
{
    if (h->entry_count == ONNX_MAX_METADATA)
        return error_set(err, LANERT_ELIMIT, "it has more than %d metadata entries", ONNX_MAX_METADATA);
    onnx_entry *e = &h->entries[h->entry_count++];
    e->value = (onnx_text){"", 0};
    return within(f, "a metadata entry", read_entry, e, err);
}

static int read_model(void *self, const wire_field *f, lanert_error *err)
{
    onnx_head *h = self;
    switch (f->number) {
    case MODEL_IR_VERSION:
        h->ir_version = f->type == WIRE_VARINT ? (int64_t)f->number_value : 0;
        return 0;
    case MODEL_PRODUCER:
        return read_text(f, "its producer's name", h->producer, err);
    case MODEL_PRODUCER_VERSION:
        return read_text(f, "its producer's version", h->producer_version, err);
    case MODEL_GRAPH:
        h->graph = (onnx_text){(const char *)f->data, f->size};
        return within(f, "its graph", read_graph, h, err);
    case MODEL_OPSET:
        return add_opset(h, f, err);
    case MODEL_METADATA:
        return add_entry(h, f, err);
    default:
        return 0;
    }
}

/* ---- files --------------------------------------------------------------------------------------- */

/* Every writer begins with the IR version: field 1, a number. */
#define FIRST_BYTE (MODEL_IR_VERSION << 3 | WIRE_VARINT)

static const char *tell_other(const uint8_t *data, size_t size)
{
    if (size >= 4 && !memcmp(data, "PK\3\4", 4))
        return "a zip file, such as a PyTorch checkpoint: make a model of it with 'lanert convert'";
    if (size >= 2 && data[0] == 0x80)
        return "a Python pickle, such as an old PyTorch checkpoint: make a model of it with 'lanert convert'";
    return foreign_tell(data, size);
}

static int read_head(onnx_head *h, const uint8_t *data, size_t size, lanert_error *err)
{
    int rc = each_field((wire){data, data + size}, "the file", read_model, h, err);
    if (!rc && (h->ir_version < 1 || !h->nodes))
        rc = error_set(err, LANERT_EFORMAT, "it has no %s", h->ir_version < 1 ? "IR version" : "graph");
    const char *other = rc ? tell_other(data, size) : NULL;
    if (other)
        return error_set(err, LANERT_EFORMAT, "it is %s", other);
    return rc && data[0] != FIRST_BYTE ? error_set(err, LANERT_EFORMAT, "it does not begin as one") : rc;
}

int onnx_head_open_memory(const void *data, size_t size, const char *name, onnx_head **head, lanert_error *err)
{
    lanert_error inner;
    onnx_head *h;
    int rc = memory_new(&h, 1, sizeof *h, err);
    *head = NULL;
    if (rc)
        return rc;
    if ((rc = read_head(h, data, size, &inner))) {
        onnx_head_close(&h);
        return error_set(err, rc, "%s: no whole ONNX model: %s", name, inner.text);
    }
    *head = h;
    return 0;
}

int onnx_head_open(const char *path, onnx_head **head, lanert_error *err)
{
    file_map map;
    int rc = file_map_open(path, 0, &map, err);
    *head = NULL;
    if (!rc)
        rc = onnx_head_open_memory(map.data, map.size, path, head, err);
    if (rc)
        file_map_close(&map);
    else
        (*head)->map = map;
    return rc;
}

void onnx_head_close(onnx_head **head)
{
    if (!*head)
        return;
    file_map_close(&(*head)->map);
    FREE(*head);
}

/* ---- weights -------------------------------------------------------------------------------------- */

typedef struct weight {
    char name[ONNX_MAX_TEXT + 1];
    int type;
    onnx_text raw;
} weight;

static int read_weight(void *self, const wire_field *f, lanert_error *err)
{
    weight *w = self;
    if (f->number == WEIGHT_NAME)
        return read_text(f, "a weight's name", w->name, err);
    if (f->number == WEIGHT_TYPE && f->type == WIRE_VARINT)
        w->type = f->number_value <= INT32_MAX ? (int)f->number_value : 0;
    if (f->number == WEIGHT_RAW && f->type == WIRE_BYTES)
        w->raw = (onnx_text){(const char *)f->data, f->size};
    return 0;
}

/* Little-endian, and of no alignment. An exponent of ones is that of infinity and NaN. */
static bool all_finite(const weight *w)
{
    bool finite = true;
    if (w->type == ONNX_F32)
        for (size_t i = 0; i + sizeof(uint32_t) <= w->raw.size; i += sizeof(uint32_t)) {
            uint32_t bits;
            memcpy(&bits, w->raw.data + i, sizeof bits);
            finite &= (bits & 0x7f800000) != 0x7f800000;
        }
    if (w->type == ONNX_F16)
        for (size_t i = 0; i + sizeof(uint16_t) <= w->raw.size; i += sizeof(uint16_t)) {
            uint16_t bits;
            memcpy(&bits, w->raw.data + i, sizeof bits);
            finite &= (bits & 0x7c00) != 0x7c00;
        }
    return finite;
}

static int check_weight(void *self, const wire_field *f, lanert_error *err)
{
    weight w = {.raw = {"", 0}};
    int rc;
    (void)self;
    if (f->number != GRAPH_INITIALIZER)
        return 0;
    if ((rc = within(f, "a weight", read_weight, &w, err)) || all_finite(&w))
        return rc;
    return error_set(err, LANERT_EFORMAT, "its weights %.80s hold NaN or infinity: it is damaged", w.name);
}

int onnx_head_check_weights(const onnx_head *head, lanert_error *err)
{
    const uint8_t *graph = (const uint8_t *)head->graph.data;
    return each_field((wire){graph, graph + head->graph.size}, "its graph", check_weight, NULL, err);
}

/* ---- looking things up --------------------------------------------------------------------------- */

static const onnx_tensor *find_tensor(const onnx_tensor *list, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(list[i].name, name))
            return &list[i];
    return NULL;
}

const onnx_tensor *onnx_head_input(const onnx_head *head, const char *name)
{
    return find_tensor(head->inputs, head->input_count, name);
}

const onnx_tensor *onnx_head_output(const onnx_head *head, const char *name)
{
    return find_tensor(head->outputs, head->output_count, name);
}

const onnx_text *onnx_head_metadata(const onnx_head *head, const char *key)
{
    for (int i = 0; i < head->entry_count; i++)
        if (!strcmp(head->entries[i].key, key))
            return &head->entries[i].value;
    return NULL;
}

onnx_words onnx_type_words(int type)
{
    /* TensorProto.DataType */
    static const char *const names[] = {"no tensor", "float32", "uint8", "int8",    "uint16",  "int16",  "int32",
                                        "int64",     "text",    "bool",  "float16", "float64", "uint32", "uint64"};
    onnx_words w;
    if (type >= 0 && type < (int)ARRAY_LEN(names))
        snprintf(w.text, sizeof w.text, "%s", names[type]);
    else
        snprintf(w.text, sizeof w.text, "type %d", type);
    return w;
}

onnx_words onnx_tensor_words(const onnx_tensor *t)
{
    onnx_words w;
    int used = snprintf(w.text, sizeof w.text, "%.60s: %s", t->name, onnx_type_words(t->type).text);
    if (t->rank >= 0)
        used += snprintf(w.text + used, sizeof w.text - (size_t)used, " [");
    for (int i = 0; i < t->rank; i++) {
        const char *comma = i ? "," : "";
        size_t left = sizeof w.text - (size_t)used;
        used += t->dims[i] < 0 ? snprintf(w.text + used, left, "%sN", comma)
                               : snprintf(w.text + used, left, "%s%lld", comma, (long long)t->dims[i]);
    }
    if (t->rank >= 0)
        snprintf(w.text + used, sizeof w.text - (size_t)used, "]");
    return w;
}
