#include "engine/engine.h"

#include "base/memory.h"

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [TENSOR_U8] = {"uint8", 1},  [TENSOR_F32] = {"float32", 4}, [TENSOR_F16] = {"float16", 2},
    [TENSOR_I32] = {"int32", 4}, [TENSOR_I64] = {"int64", 8},
};

size_t tensor_type_size(tensor_type type)
{
    return (unsigned)type < ARRAY_LEN(types) ? types[type].size : 0;
}

const char *tensor_type_name(tensor_type type)
{
    return (unsigned)type < ARRAY_LEN(types) ? types[type].name : "unknown";
}

int64_t tensor_elements(const tensor *t)
{
    int64_t elements = 1, bytes;
    if (t->rank < 0 || t->rank > TENSOR_MAX_RANK)
        return -1;
    for (int i = 0; i < t->rank; i++)
        if (t->dims[i] < 0 || __builtin_mul_overflow(elements, t->dims[i], &elements))
            return -1;
    return __builtin_mul_overflow(elements, (int64_t)tensor_type_size(t->type), &bytes) ? -1 : elements;
}

int tensor_describe(tensor *t, const char *name, tensor_type type, int64_t rank, const int64_t *dims, lanert_error *err)
{
    *t = (tensor){.type = type};
    if (strlen(name) >= sizeof t->name)
        return error_set(err, LANERT_EUNSUPPORTED,
                         "a tensor's name has %zu bytes (\"%.40s…\"); at most %zu are handled: export the model with "
                         "shorter names",
                         strlen(name), name, sizeof t->name - 1);
    strcpy(t->name, name);
    if (rank < 0 || rank > TENSOR_MAX_RANK)
        return error_set(err, LANERT_EUNSUPPORTED, "tensor \"%s\" has rank %lld; 0 to %d are handled", name,
                         (long long)rank, TENSOR_MAX_RANK);
    t->rank = (int)rank;
    for (int i = 0; i < t->rank; i++) {
        if (dims[i] == 0 || dims[i] < -1)
            return error_set(err, LANERT_EUNSUPPORTED,
                             "tensor \"%s\" has %lld as dim %d; 1 or more, or dynamic, "
                             "was expected",
                             name, (long long)dims[i], i);
        t->dims[i] = dims[i];
    }
    return 0;
}
