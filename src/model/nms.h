/* nms.h - CLRNet's NMS in standard operators. */
#ifndef MODEL_NMS_H
#define MODEL_NMS_H

#include "model/onnx_graph.h"
#include "model/preset.h"

/* From raw [N,priors,78] float32 the rows that NMS keeps, [N,max_lanes,78], best score first and zeros behind them, and
 * how many there are, [N] int32, as TensorRT 8.6 has no int64. Of a picture whose predictions are not finite where they
 * are read (as decode_find_bad of lane/decode.h looks at them), no rows and −1. */
void nms_build(graph *g, value raw, int64_t priors, const lanert_preset *preset, value *lanes, value *count);

#endif
