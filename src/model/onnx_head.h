/* onnx_head.h - what an ONNX file says of itself: its versions, metadata, inputs and outputs. Nodes and weights are
 * stepped over, unread. */
#ifndef MODEL_ONNX_HEAD_H
#define MODEL_ONNX_HEAD_H

#include "base/file.h"

/* Limits of what is read; LANERT_ELIMIT above them. */
#define ONNX_MAX_TENSORS 64       /* inputs, and outputs */
#define ONNX_MAX_RANK 8           /* of one of those */
#define ONNX_MAX_METADATA 256     /* entries */
#define ONNX_MAX_TEXT 255         /* bytes of a tensor's name, a producer, a metadata key */
#define ONNX_MAX_FIELDS (1 << 22) /* nodes, weights … in the file */

/* Bytes of the file, of no particular encoding. */
typedef struct onnx_text {
    const char *data;
    size_t size;
} onnx_text;

typedef struct onnx_tensor {
    char name[ONNX_MAX_TEXT + 1];
    int type;                    /* TensorProto.DataType; 0: not a tensor, or not told */
    int rank;                    /* -1: not told */
    int64_t dims[ONNX_MAX_RANK]; /* -1: not fixed */
} onnx_tensor;

typedef struct onnx_entry {
    char key[ONNX_MAX_TEXT + 1];
    onnx_text value;
} onnx_entry;

typedef struct onnx_head {
    file_map map;
    onnx_text graph;
    int64_t ir_version, opset; /* of the standard operators; 0: not told */
    char producer[ONNX_MAX_TEXT + 1], producer_version[ONNX_MAX_TEXT + 1];
    int64_t nodes, initializers;
    int input_count, output_count, entry_count;
    onnx_tensor inputs[ONNX_MAX_TENSORS], outputs[ONNX_MAX_TENSORS];
    onnx_entry entries[ONNX_MAX_METADATA];
} onnx_head;

/* Maps a file and reads its head. LANERT_EFORMAT where it is no ONNX model (with a word on what it seems to be), is
 * cut short or contradicts itself. */
int onnx_head_open(const char *path, onnx_head **head, lanert_error *err);
/* The same of bytes in memory, which must outlive it; `name` is for messages. */
int onnx_head_open_memory(const void *data, size_t size, const char *name, onnx_head **head, lanert_error *err);
void onnx_head_close(onnx_head **head);

/* LANERT_EFORMAT where a weight of float32 or float16, as lanert writes them, is NaN or infinite. Reads them all. */
int onnx_head_check_weights(const onnx_head *head, lanert_error *err);

/* NULL where there is none of that name. */
const onnx_tensor *onnx_head_input(const onnx_head *head, const char *name);
const onnx_tensor *onnx_head_output(const onnx_head *head, const char *name);
const onnx_text *onnx_head_metadata(const onnx_head *head, const char *key);

/* "float32" …, "type 99". */
typedef struct onnx_words {
    char text[256];
} onnx_words;
onnx_words onnx_type_words(int type);
/* "image: uint8 [N,320,800,3]" */
onnx_words onnx_tensor_words(const onnx_tensor *t);

#endif
