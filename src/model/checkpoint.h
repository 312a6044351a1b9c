/* checkpoint.h - the named tensors of a PyTorch checkpoint, read without executing anything in it.
 *
 * Zip files (PyTorch 1.6 and newer) and the five pickles in a row of older ones; with or without
 * "module." in front of the names; {'net': …}, {'state_dict': …} or the state dict alone. */
#ifndef MODEL_CHECKPOINT_H
#define MODEL_CHECKPOINT_H

#include "base/memory.h"

/* What a state dict may hold. */
#define CHECKPOINT_MAX_RANK 8
/* Bytes of a tensor's name and its NUL; CLRNet's longest has 57. */
#define CHECKPOINT_MAX_NAME 256
/* Of all tensors together, as views may repeat what is stored; ResNet101 has 4.3e7. */
#define CHECKPOINT_MAX_ELEMENTS ((int64_t)1 << 28)

typedef enum checkpoint_type {
    CHECKPOINT_F32,
    CHECKPOINT_F16,
    CHECKPOINT_BF16,
    CHECKPOINT_F64,
    CHECKPOINT_I64,
    CHECKPOINT_I32,
    CHECKPOINT_I16,
    CHECKPOINT_I8,
    CHECKPOINT_U8,
    CHECKPOINT_BOOL,
} checkpoint_type;

typedef struct checkpoint_tensor {
    const char *name; /* without "module."; printable ASCII */
    checkpoint_type type;
    int rank;
    int64_t dims[CHECKPOINT_MAX_RANK];
    int64_t strides[CHECKPOINT_MAX_RANK]; /* in elements */
    int64_t elements;
    const uint8_t *data; /* into the mapped file, little-endian, not aligned; checked to lie inside */
} checkpoint_tensor;

typedef struct checkpoint checkpoint;

/* LANERT_EFORMAT where the file is damaged, cut short or inconsistent (the CRC-32 of what is read is compared where
 * the file has one); LANERT_EUNSUPPORTED where it is of a kind that is not read, such as a tar, TorchScript, or one
 * that holds other objects than tensors and plain containers; LANERT_ELIMIT; and file_map_open's. */
int checkpoint_open(const char *path, checkpoint **ck, lanert_error *err);
/* The same of bytes in memory, which must outlive it; `name` is for messages. */
int checkpoint_open_memory(const void *data, size_t size, const char *name, checkpoint **ck, lanert_error *err);
void checkpoint_close(checkpoint **ck);

int checkpoint_count(const checkpoint *ck);
/* In the file's order. */
const checkpoint_tensor *checkpoint_at(const checkpoint *ck, int i);
/* NULL where there is none of that name. */
const checkpoint_tensor *checkpoint_find(const checkpoint *ck, const char *name);
/* "zip" or "legacy"; whether names had "module."; the key it lay under ("net", "" for a bare one). */
const char *checkpoint_form(const checkpoint *ck);
bool checkpoint_had_prefix(const checkpoint *ck);
const char *checkpoint_key(const checkpoint *ck);

/* The tensor's values as float32, in row-major order whatever its strides; out holds t->elements. Integers and
 * doubles are rounded to the nearest; LANERT_EFORMAT where a finite double is beyond float32. */
int checkpoint_read(const checkpoint_tensor *t, float *out, lanert_error *err);

/* "float32" …, as PyTorch calls it; bytes of an element. */
const char *checkpoint_type_name(checkpoint_type type);
size_t checkpoint_type_size(checkpoint_type type);

#endif
