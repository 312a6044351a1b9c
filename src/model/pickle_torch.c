#include "model/pickle_torch.h"

#include "model/checkpoint_bytes.h"

static const pickle_global globals[] = {
    {"collections", "OrderedDict", PICKLE_MAKES_DICT, 0},
    {"torch._utils", "_rebuild_tensor_v2", PICKLE_MAKES_TENSOR, 0},
    {"torch._utils", "_rebuild_parameter", PICKLE_MAKES_PARAMETER, 0},
    {"torch", "FloatStorage", PICKLE_MAKES_NOTHING, CHECKPOINT_F32},
    {"torch", "HalfStorage", PICKLE_MAKES_NOTHING, CHECKPOINT_F16},
    {"torch", "BFloat16Storage", PICKLE_MAKES_NOTHING, CHECKPOINT_BF16},
    {"torch", "DoubleStorage", PICKLE_MAKES_NOTHING, CHECKPOINT_F64},
    {"torch", "LongStorage", PICKLE_MAKES_NOTHING, CHECKPOINT_I64},
    {"torch", "IntStorage", PICKLE_MAKES_NOTHING, CHECKPOINT_I32},
    {"torch", "ShortStorage", PICKLE_MAKES_NOTHING, CHECKPOINT_I16},
    {"torch", "CharStorage", PICKLE_MAKES_NOTHING, CHECKPOINT_I8},
    {"torch", "ByteStorage", PICKLE_MAKES_NOTHING, CHECKPOINT_U8},
    {"torch", "BoolStorage", PICKLE_MAKES_NOTHING, CHECKPOINT_BOOL},
};

const pickle_global *pickle_global_find(const char *module, size_t module_size, const char *name, size_t name_size)
{
    for (size_t i = 0; i < ARRAY_LEN(globals); i++)
        if (bytes_are(module, module_size, globals[i].module) && bytes_are(name, name_size, globals[i].name))
            return &globals[i];
    return NULL;
}

/* Item i of a tuple, or an error that says what `whole` and `part` are. */
static int item_of(const pickle_value *tuple, size_t i, pickle_kind kind, const char *whole, const char *part,
                   const pickle_value **item, lanert_error *err)
{
    *item = tuple->list.items[i];
    if ((*item)->kind != kind)
        return error_set(err, LANERT_EFORMAT, "the %s of a %s is %s; expected %s", part, whole,
                         pickle_kind_name((*item)->kind), pickle_kind_name(kind));
    return 0;
}

static int integer_of(const pickle_value *tuple, size_t i, const char *whole, const char *part, int64_t *value,
                      lanert_error *err)
{
    const pickle_value *item;
    int rc = item_of(tuple, i, PICKLE_INT, whole, part, &item, err);
    if (rc)
        return rc;
    *value = item->integer;
    if (*value < 0)
        return error_set(err, LANERT_EFORMAT, "the %s of a %s is %lld; expected 0 or more", part, whole,
                         (long long)*value);
    return 0;
}

int pickle_read_storage(const pickle_value *id, pickle_storage *storage, lanert_error *err)
{
    const pickle_value *tag, *type, *key;
    int64_t bytes;
    int rc;
    if (id->kind != PICKLE_TUPLE || (id->list.count != 5 && id->list.count != 6))
        return error_set(err, LANERT_EFORMAT, "a persistent id is not a storage's tuple of 5 or 6 items");
    if ((rc = item_of(id, 0, PICKLE_TEXT, "persistent id", "tag", &tag, err)))
        return rc;
    if (!bytes_are(tag->text.bytes, tag->text.size, "storage"))
        return error_set(err, LANERT_EUNSUPPORTED,
                         "a persistent id is tagged '%s'; only 'storage' is read: save the state dict, not the module",
                         bytes_show(tag->text.bytes, tag->text.size).text);
    if ((rc = item_of(id, 1, PICKLE_GLOBAL, "storage", "type", &type, err)) ||
        (rc = item_of(id, 2, PICKLE_TEXT, "storage", "key", &key, err)) ||
        (rc = integer_of(id, 4, "storage", "number of elements", &storage->elements, err)))
        return rc;
    if (type->global->makes != PICKLE_MAKES_NOTHING)
        return error_set(err, LANERT_EFORMAT, "the type of a storage is %s.%s; expected one such as torch.FloatStorage",
                         type->global->module, type->global->name);
    storage->type = type->global->type;
    storage->key = key->text.bytes;
    storage->key_size = key->text.size;
    if (storage->key_size == 0 || storage->key_size > PICKLE_MAX_KEY)
        return error_set(err, LANERT_ELIMIT, "a storage's key has %zu bytes; 1 to %d are read", storage->key_size,
                         PICKLE_MAX_KEY);
    if (__builtin_mul_overflow(storage->elements, (int64_t)checkpoint_type_size(storage->type), &bytes))
        return error_set(err, LANERT_EFORMAT, "storage '%s' claims %lld elements, more than any file holds",
                         bytes_show(storage->key, storage->key_size).text, (long long)storage->elements);
    if (id->list.count == 6 && id->list.items[5]->kind != PICKLE_NONE)
        return error_set(err, LANERT_EUNSUPPORTED,
                         "storage '%s' is a view of another, as PyTorch before 0.4 wrote them: load the file with "
                         "torch.load and save it again",
                         bytes_show(storage->key, storage->key_size).text);
    return 0;
}

/* Reads size and stride, and counts the elements. */
static int read_shape(const pickle_value *size, const pickle_value *stride, pickle_tensor *t, lanert_error *err)
{
    int rc;
    if (size->list.count != stride->list.count)
        return error_set(err, LANERT_EFORMAT, "a tensor has %zu dimensions but %zu strides", size->list.count,
                         stride->list.count);
    if (size->list.count > CHECKPOINT_MAX_RANK)
        return error_set(err, LANERT_ELIMIT, "a tensor has %zu dimensions; at most %d are read", size->list.count,
                         CHECKPOINT_MAX_RANK);
    t->rank = (int)size->list.count;
    t->elements = 1;
    for (int i = 0; i < t->rank; i++) {
        if ((rc = integer_of(size, (size_t)i, "tensor", "size", &t->dims[i], err)) ||
            (rc = integer_of(stride, (size_t)i, "tensor", "stride", &t->strides[i], err)))
            return rc;
        if (__builtin_mul_overflow(t->elements, t->dims[i], &t->elements))
            return error_set(err, LANERT_EFORMAT, "a tensor's dimensions multiply to more than 63 bits");
    }
    return 0;
}

/* offset + Σ (dim − 1) · stride, the last element that is touched, must lie in the storage. */
static int check_extent(const pickle_tensor *t, lanert_error *err)
{
    int64_t last = t->offset, step;
    bool wraps = false;
    for (int i = 0; i < t->rank && t->elements > 0; i++)
        wraps |= __builtin_mul_overflow(t->dims[i] - 1, t->strides[i], &step) ||
                 __builtin_add_overflow(last, step, &last);
    if (wraps || last > t->storage->elements || (last == t->storage->elements && t->elements > 0))
        return error_set(err, LANERT_EFORMAT, "a tensor reaches beyond the %lld elements of its storage '%s'",
                         (long long)t->storage->elements, bytes_show(t->storage->key, t->storage->key_size).text);
    return 0;
}

int pickle_read_tensor(const pickle_value *args, pickle_tensor *tensor, lanert_error *err)
{
    const pickle_value *storage, *size, *stride;
    int rc;
    if (args->list.count != 6 && args->list.count != 7)
        return error_set(err, LANERT_EFORMAT, "a tensor is rebuilt from %zu arguments; expected 6 or 7",
                         args->list.count);
    if ((rc = item_of(args, 0, PICKLE_STORAGE, "tensor", "storage", &storage, err)) ||
        (rc = integer_of(args, 1, "tensor", "offset", &tensor->offset, err)) ||
        (rc = item_of(args, 2, PICKLE_TUPLE, "tensor", "size", &size, err)) ||
        (rc = item_of(args, 3, PICKLE_TUPLE, "tensor", "stride", &stride, err)))
        return rc;
    if (args->list.count == 7) {
        const pickle_value *metadata = args->list.items[6];
        if (metadata->kind != PICKLE_NONE && (metadata->kind != PICKLE_DICT || metadata->list.count))
            return error_set(err, LANERT_EUNSUPPORTED,
                             "a tensor is a lazy negation or conjugation of what is stored: save it resolved "
                             "(tensor.resolve_neg(), tensor.resolve_conj())");
    }
    tensor->storage = storage->storage;
    if ((rc = read_shape(size, stride, tensor, err)))
        return rc;
    return check_extent(tensor, err);
}
