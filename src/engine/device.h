/* device.h - the names of what an engine computes on. */
#ifndef ENGINE_DEVICE_H
#define ENGINE_DEVICE_H

#include "base/error.h"

typedef enum device_kind {
    DEVICE_DEFAULT, /* the processor, of an engine that runs there; else what it is made for */
    DEVICE_AUTO,    /* an NVIDIA GPU where engine and machine have one, else the processor */
    DEVICE_CPU,
    DEVICE_CUDA,     /* an NVIDIA GPU */
    DEVICE_TENSORRT, /* the same, through ONNX Runtime's TensorRT provider */
    DEVICE_KINDS
} device_kind;

typedef struct device_id {
    device_kind kind;
    int index; /* of the GPU, as the driver counts them */
} device_id;

#define ON(kind) (1u << (kind))

/* Long enough for every name. */
#define DEVICE_NAME 24

/* NULL (the default), "auto", "cpu", "cuda", "cuda:1", "tensorrt:1". LANERT_EINVAL for anything else. */
int device_parse(const char *name, device_id *d, lanert_error *err);
/* "cpu", "cuda:0"; returns text. */
const char *device_format(device_id d, char text[DEVICE_NAME]);
/* "cpu, cuda" of a set of ON(DEVICE_…), cut where it does not fit. */
void device_list(unsigned kinds, char *text, size_t size);

#endif
