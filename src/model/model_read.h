/* model_read.h - what a head says of a model, checked against what a detector needs. */
#ifndef MODEL_MODEL_READ_H
#define MODEL_MODEL_READ_H

#include "model/model.h"
#include "model/onnx_head.h"

/* Fills in everything but the path. `preset` as for lanert_model_open. Messages do not name the file. */
int model_read(const onnx_head *head, const char *preset, model_info *info, lanert_error *err);
/* Whether lanert_convert wrote it. */
bool model_is_ours(const onnx_head *head);

#endif
