/* A tensor's values, whatever their type and layout, as float32. */
#include <math.h>

#include "model/checkpoint.h"
#include "model/half.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "checkpoints are little-endian, and read as they lie");

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [CHECKPOINT_F32] = {"float32", 4}, [CHECKPOINT_F16] = {"float16", 2}, [CHECKPOINT_BF16] = {"bfloat16", 2},
    [CHECKPOINT_F64] = {"float64", 8}, [CHECKPOINT_I64] = {"int64", 8},   [CHECKPOINT_I32] = {"int32", 4},
    [CHECKPOINT_I16] = {"int16", 2},   [CHECKPOINT_I8] = {"int8", 1},     [CHECKPOINT_U8] = {"uint8", 1},
    [CHECKPOINT_BOOL] = {"bool", 1},
};

const char *checkpoint_type_name(checkpoint_type type)
{
    return types[type].name;
}

size_t checkpoint_type_size(checkpoint_type type)
{
    return types[type].size;
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* n elements that lie `step` bytes apart: `value` is what is made of `v`, each as the file's type. */
#define CONVERT(file_type, value)                                                                                      \
    for (int64_t i = 0; i < n; i++) {                                                                                  \
        file_type v;                                                                                                   \
        memcpy(&v, p + i * step, sizeof v);                                                                            \
        out[i] = value;                                                                                                \
    }                                                                                                                  \
    break

static void convert(checkpoint_type type, const uint8_t *p, int64_t step, int64_t n, float *out)
{
    switch (type) {
    case CHECKPOINT_F32:
        CONVERT(float, v);
    case CHECKPOINT_F16:
        CONVERT(uint16_t, half_to_float(v));
    case CHECKPOINT_BF16:
        CONVERT(uint16_t, float_of_bits((uint32_t)v << 16));
    case CHECKPOINT_F64:
        CONVERT(double, (float)v);
    case CHECKPOINT_I64:
        CONVERT(int64_t, (float)v);
    case CHECKPOINT_I32:
        CONVERT(int32_t, (float)v);
    case CHECKPOINT_I16:
        CONVERT(int16_t, v);
    case CHECKPOINT_I8:
        CONVERT(int8_t, v);
    case CHECKPOINT_U8:
        CONVERT(uint8_t, v);
    case CHECKPOINT_BOOL:
        CONVERT(uint8_t, v != 0);
    }
}

/* Whether each of those doubles that is finite has stayed so. */
static bool stayed_finite(const uint8_t *p, int64_t step, int64_t n, const float *out)
{
    for (int64_t i = 0; i < n; i++) {
        double v;
        memcpy(&v, p + i * step, sizeof v);
        if (isinf(out[i]) && !isinf(v))
            return false;
    }
    return true;
}

/* The same elements in fewer dimensions: those that lie behind each other as one, those of size 1 left out. */
static int merge_dims(const checkpoint_tensor *t, int64_t *dims, int64_t *strides)
{
    int rank = 0;
    for (int i = 0; i < t->rank; i++) {
        if (t->dims[i] == 1)
            continue;
        if (rank && strides[rank - 1] == t->strides[i] * t->dims[i]) {
            dims[rank - 1] *= t->dims[i];
            strides[rank - 1] = t->strides[i];
        } else {
            dims[rank] = t->dims[i];
            strides[rank++] = t->strides[i];
        }
    }
    return rank;
}

int checkpoint_read(const checkpoint_tensor *t, float *out, lanert_error *err)
{
    int64_t dims[CHECKPOINT_MAX_RANK], strides[CHECKPOINT_MAX_RANK], index[CHECKPOINT_MAX_RANK] = {0};
    int64_t size = (int64_t)checkpoint_type_size(t->type), at = 0;
    if (t->elements == 0)
        return 0;
    int rank = merge_dims(t, dims, strides), outer = rank - 1;
    int64_t n = rank ? dims[outer] : 1, step = rank ? strides[outer] * size : 0;
    for (const float *end = out + t->elements; out < end; out += n) {
        convert(t->type, t->data + at * size, step, n, out);
        if (t->type == CHECKPOINT_F64 && !stayed_finite(t->data + at * size, step, n, out))
            return error_set(err, LANERT_EFORMAT, "tensor '%s' (float64) has a value beyond float32's range", t->name);
        for (int i = outer - 1; i >= 0; i--) {
            at += strides[i];
            if (++index[i] < dims[i])
                break;
            at -= strides[i] * dims[i];
            index[i] = 0;
        }
    }
    return 0;
}
