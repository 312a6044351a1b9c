#include "support/checkpoint_writer.h"

#include "base/file.h"
#include "support/zip_writer.h"

struct checkpoint_writer_tensor {
    char name[CHECKPOINT_MAX_NAME * 2];
    size_t base; /* the tensor whose storage this one lies in; its own number where that is its own */
    int64_t offset;
    int rank;
    int64_t dims[CHECKPOINT_MAX_RANK], strides[CHECKPOINT_MAX_RANK];
    checkpoint_type type;
    size_t at, size;  /* of a storage of its own: where it lies in `data`, in bytes */
    int64_t elements; /* of that storage */
};

typedef struct checkpoint_writer_tensor tensor;

/* The storage's name in torch, and its element's size. */
static const struct {
    const char *name;
    size_t size;
} types[] = {
    [CHECKPOINT_F32] = {"FloatStorage", 4},  [CHECKPOINT_F16] = {"HalfStorage", 2},
    [CHECKPOINT_F64] = {"DoubleStorage", 8}, [CHECKPOINT_BF16] = {"BFloat16Storage", 2},
    [CHECKPOINT_I64] = {"LongStorage", 8},   [CHECKPOINT_I32] = {"IntStorage", 4},
    [CHECKPOINT_I16] = {"ShortStorage", 2},  [CHECKPOINT_I8] = {"CharStorage", 1},
    [CHECKPOINT_U8] = {"ByteStorage", 1},    [CHECKPOINT_BOOL] = {"BoolStorage", 1},
};

/* Keeps the first error, so that a pickle is written without looking after each byte. */
typedef struct emitter {
    buffer *out;
    lanert_error *err;
    int rc;
} emitter;

static void emit(emitter *e, const void *bytes, size_t n)
{
    if (!e->rc)
        e->rc = buffer_add(e->out, bytes, n, e->err);
}

/* Opcodes without arguments, one a character. */
static void emit_ops(emitter *e, const char *ops)
{
    emit(e, ops, strlen(ops));
}

static void emit_number(emitter *e, uint64_t value, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    emit(e, bytes, n);
}

static void emit_int(emitter *e, int64_t value)
{
    if (value >= 0 && value <= 0xff) {
        emit_ops(e, "K");
        emit_number(e, (uint64_t)value, 1);
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        emit_ops(e, "J");
        emit_number(e, (uint64_t)value, 4);
    } else {
        emit_ops(e, "\x8a\x08");
        emit_number(e, (uint64_t)value, 8);
    }
}

static void emit_float(emitter *e, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    emit_ops(e, "G");
    for (int shift = 56; shift >= 0; shift -= 8)
        emit_number(e, bits >> shift, 1);
}

static void emit_text(emitter *e, const char *text)
{
    emit_ops(e, "X");
    emit_number(e, strlen(text), 4);
    emit_ops(e, text);
}

static void emit_global(emitter *e, const char *module, const char *name)
{
    emit_ops(e, "c");
    emit_ops(e, module);
    emit_ops(e, "\n");
    emit_ops(e, name);
    emit_ops(e, "\n");
}

static void emit_ordered_dict(emitter *e)
{
    emit_global(e, "collections", "OrderedDict");
    emit_ops(e, ")R");
}

static void emit_ints(emitter *e, const int64_t *values, int n)
{
    emit_ops(e, "(");
    for (int i = 0; i < n; i++)
        emit_int(e, values[i]);
    emit_ops(e, "t");
}

static void emit_tensor(emitter *e, const checkpoint_writer *w, const tensor *t)
{
    const tensor *base = &w->tensors[t->base];
    char key[24];
    snprintf(key, sizeof key, "%zu", t->base);
    emit_global(e, "torch._utils", "_rebuild_tensor_v2");
    emit_ops(e, "((");
    emit_text(e, "storage");
    emit_global(e, "torch", types[base->type].name);
    emit_text(e, key);
    emit_text(e, "cpu");
    emit_int(e, base->elements);
    emit_ops(e, w->form == CHECKPOINT_WRITER_LEGACY ? "NtQ" : "tQ");
    emit_int(e, t->offset);
    emit_ints(e, t->dims, t->rank);
    emit_ints(e, t->strides, t->rank);
    emit_ops(e, "\x89");
    emit_ordered_dict(e);
    emit_ops(e, "tR");
}

static void emit_state(emitter *e, const checkpoint_writer *w)
{
    emit_ordered_dict(e);
    emit_ops(e, "(");
    for (size_t i = 0; i < w->count; i++) {
        char name[sizeof w->tensors->name + 64];
        snprintf(name, sizeof name, "%s%s", w->prefix, w->tensors[i].name);
        emit_text(e, name);
        emit_tensor(e, w, &w->tensors[i]);
    }
    emit_ops(e, "u}");
    emit_text(e, "_metadata");
    emit_ordered_dict(e);
    emit_ops(e, "sb");
}

/* AdamW's state after a step, a scheduler's and the recorder's, in small. */
static void emit_training(emitter *e, const checkpoint_writer *w)
{
    emit_text(e, "optim");
    emit_ops(e, "}(");
    emit_text(e, "state");
    emit_ops(e, "}");
    if (w->count) {
        emit_int(e, 0);
        emit_ops(e, "}(");
        emit_text(e, "step");
        emit_int(e, 70000);
        emit_text(e, "exp_avg");
        emit_tensor(e, w, &w->tensors[0]);
        emit_ops(e, "us");
    }
    emit_text(e, "param_groups");
    emit_ops(e, "]}(");
    emit_text(e, "betas");
    emit_float(e, 0.9);
    emit_float(e, 0.999);
    emit_ops(e, "\x86");
    emit_text(e, "amsgrad");
    emit_ops(e, "\x89");
    emit_text(e, "params");
    emit_ops(e, "](");
    emit_int(e, 0);
    emit_int(e, 1);
    emit_ops(e, "euau");
    emit_text(e, "scheduler");
    emit_ops(e, "}");
    emit_text(e, "T_max");
    emit_int(e, 55550);
    emit_ops(e, "s");
    emit_text(e, "recorder");
    emit_ops(e, "N");
    emit_text(e, "epoch");
    emit_int(e, 14);
}

static void emit_object(emitter *e, const checkpoint_writer *w)
{
    emit_ops(e, "\x80\x02");
    if (*w->key) {
        emit_ops(e, "}(");
        emit_text(e, w->key);
        emit_state(e, w);
        if (w->training)
            emit_training(e, w);
        emit_ops(e, "u");
    } else {
        emit_state(e, w);
    }
    emit_ops(e, ".");
}

static int write_zip(const checkpoint_writer *w, buffer *out, lanert_error *err)
{
    zip_writer z = {.no_crc = w->no_crc};
    buffer object = {0};
    emitter e = {&object, err, 0};
    emit_object(&e, w);
    int rc = e.rc ? e.rc : zip_writer_add(&z, "archive/data.pkl", object.data, object.size, err);
    for (size_t i = 0; i < w->count && !rc; i++) {
        const tensor *t = &w->tensors[i];
        char name[40];
        snprintf(name, sizeof name, "archive/data/%zu", i);
        if (t->base == i)
            rc = zip_writer_add(&z, name, w->data.data + t->at, t->size, err);
    }
    if (!rc && !(rc = zip_writer_add(&z, "archive/version", "3\n", 2, err)) && !(rc = zip_writer_finish(&z, err)))
        rc = buffer_add(out, z.file.data, z.file.size, err);
    buffer_free(&object);
    zip_writer_close(&z);
    return rc;
}

static int write_legacy(const checkpoint_writer *w, buffer *out, lanert_error *err)
{
    static const uint8_t magic[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    emitter e = {out, err, 0};
    emit(&e, magic, sizeof magic - 1);
    emit_ops(&e, "\x80\x02");
    emit_int(&e, 1001);
    emit_ops(&e, ".\x80\x02}");
    emit_text(&e, "little_endian");
    emit_ops(&e, "\x88s.");
    emit_object(&e, w);
    emit_ops(&e, "\x80\x02](");
    for (size_t i = 0; i < w->count; i++) {
        char key[24];
        snprintf(key, sizeof key, "%zu", i);
        if (w->tensors[i].base == i)
            emit_text(&e, key);
    }
    emit_ops(&e, "e.");
    for (size_t i = 0; i < w->count; i++) {
        const tensor *t = &w->tensors[i];
        if (t->base != i)
            continue;
        emit_number(&e, (uint64_t)t->elements, 8);
        emit(&e, w->data.data + t->at, t->size);
    }
    return e.rc;
}

int checkpoint_writer_open(const char *path, checkpoint_writer_form form, checkpoint_writer *w, lanert_error *err)
{
    if (form != CHECKPOINT_WRITER_ZIP && form != CHECKPOINT_WRITER_LEGACY)
        return error_set(err, LANERT_EINVAL, "no such form of checkpoint: %d", (int)form);
    *w = (checkpoint_writer){.form = form, .key = "net", .prefix = "module.", .training = true, .path = path};
    return 0;
}

static int add_tensor(checkpoint_writer *w, const char *name, int rank, const int64_t *dims, tensor **t,
                      lanert_error *err)
{
    int rc = memory_grow(&w->tensors, &w->capacity, w->count + 1, sizeof *w->tensors, err);
    if (rc)
        return rc;
    if (rank < 0 || rank > CHECKPOINT_MAX_RANK || strlen(name) >= sizeof(*t)->name)
        return error_set(err, LANERT_EINVAL, "tensor '%s' has %d dimensions, or too long a name", name, rank);
    *t = &w->tensors[w->count];
    **t = (tensor){.base = w->count, .rank = rank, .elements = 1};
    strcpy((*t)->name, name);
    for (int i = 0; i < rank; i++)
        (*t)->dims[i] = dims[i];
    w->count++;
    return 0;
}

int checkpoint_writer_add(checkpoint_writer *w, const char *name, checkpoint_type type, int rank, const int64_t *dims,
                          const void *data, lanert_error *err)
{
    tensor *t;
    int rc = add_tensor(w, name, rank, dims, &t, err);
    if (rc)
        return rc;
    for (int i = rank - 1; i >= 0; i--) {
        t->strides[i] = t->elements;
        t->elements *= dims[i];
    }
    t->type = type;
    t->at = w->data.size;
    t->size = (size_t)t->elements * types[type].size;
    return buffer_add(&w->data, data, t->size, err);
}

int checkpoint_writer_view(checkpoint_writer *w, const char *name, size_t base, int64_t offset, int rank,
                           const int64_t *dims, const int64_t *strides, lanert_error *err)
{
    tensor *t;
    if (base >= w->count)
        return error_set(err, LANERT_EINVAL, "tensor '%s' would be a view of tensor %zu of %zu", name, base, w->count);
    int rc = add_tensor(w, name, rank, dims, &t, err);
    if (rc)
        return rc;
    t->base = w->tensors[base].base;
    t->offset = offset;
    for (int i = 0; i < rank; i++)
        t->strides[i] = strides[i];
    return 0;
}

int checkpoint_writer_bytes(const checkpoint_writer *w, buffer *out, lanert_error *err)
{
    return w->form == CHECKPOINT_WRITER_ZIP ? write_zip(w, out, err) : write_legacy(w, out, err);
}

int checkpoint_writer_finish(const checkpoint_writer *w, bool force, lanert_error *err)
{
    buffer out = {0};
    int rc = checkpoint_writer_bytes(w, &out, err);
    if (!rc)
        rc = file_write(w->path, out.data, out.size, force, err);
    buffer_free(&out);
    return rc;
}

void checkpoint_writer_close(checkpoint_writer *w)
{
    free(w->tensors);
    buffer_free(&w->data);
    *w = (checkpoint_writer){0};
}
