/* tiny_onnx.h - a model of four nodes, written byte by byte, that every engine computes exactly. */
#ifndef SUPPORT_TINY_ONNX_H
#define SUPPORT_TINY_ONNX_H

#include <stddef.h>
#include <stdint.h>

/* A protobuf message under way. */
typedef struct message {
    uint8_t bytes[1024];
    size_t size;
} message;

/* x uint8 [N,4] in; y = 2x + 1 float32 [N,4] and z = y as [N,2,2] out. `doubling` is the operator that doubles:
 * "Mul", or a name that no engine knows. */
message tiny_onnx(const char *doubling);

#endif
