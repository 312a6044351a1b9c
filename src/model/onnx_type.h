/* onnx_type.h - the element types that our models have. */
#ifndef MODEL_ONNX_TYPE_H
#define MODEL_ONNX_TYPE_H

#include <stdint.h>

/* Numbers of TensorProto.DataType (onnx.proto). */
typedef enum onnx_type { ONNX_F32 = 1, ONNX_U8 = 2, ONNX_I8 = 3, ONNX_I32 = 6, ONNX_I64 = 7, ONNX_F16 = 10 } onnx_type;

/* A tensor's dimensions, as a list. */
#define DIMS(...) ((const int64_t[]){__VA_ARGS__})

#endif
