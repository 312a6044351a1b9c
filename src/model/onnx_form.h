/* onnx_form.h - whether bytes have the form of a model that lanert writes, so that protobuf-c, which trusts a file's
 * nesting and its counts, may unpack them. */
#ifndef MODEL_ONNX_FORM_H
#define MODEL_ONNX_FORM_H

#include "base/error.h"

/* Limits; LANERT_ELIMIT above them. */
#define ONNX_FORM_MAX_BYTES ((size_t)1 << 30)
#define ONNX_FORM_MAX_FIELDS (1 << 20) /* of all messages together: each takes at most some 200 bytes of memory */
#define ONNX_FORM_MAX_NUMBERS 64       /* in a list of numbers, as a tensor's dimensions */

/* Only messages and fields that onnx_graph.c writes may occur, and messages that are there once only once:
 * LANERT_EUNSUPPORTED for others, LANERT_EFORMAT where the bytes are cut short or damaged. */
int onnx_form_check(const void *data, size_t size, lanert_error *err);

#endif
