/* metadata.h - what a lanert model says of itself in its ONNX metadata_props: the names of the keys, and how numbers
 * are written. Numbers are decimal, with a point, whatever the locale. */
#ifndef MODEL_METADATA_H
#define MODEL_METADATA_H

#include "base/error.h"

/* All but the last two are there in every lanert model. */
#define METADATA_FORMAT "lanert.format"           /* "2": this list of keys, and what the tensors mean */
#define METADATA_WRITER "lanert.writer"           /* "lanert 0.1.0" */
#define METADATA_PRESET "lanert.preset"           /* "culane", "tusimple", "llamas", "road" */
#define METADATA_ORI_WIDTH "lanert.ori_width"     /* pixels of the data set's pictures */
#define METADATA_ORI_HEIGHT "lanert.ori_height"   /* pixels */
#define METADATA_CUT_HEIGHT "lanert.cut_height"   /* rows cut away at the top, at that size */
#define METADATA_CONF "lanert.conf"               /* score a lane needs, 0 to 1 */
#define METADATA_NMS_THRES "lanert.nms_thres"     /* pixels at width 800 */
#define METADATA_MAX_LANES "lanert.max_lanes"     /* 1 to 16 */
#define METADATA_ARCH "lanert.arch"               /* "resnet18" … */
#define METADATA_PRECISION "lanert.precision"     /* "fp32", "fp16", "int8" */
#define METADATA_OUTPUTS "lanert.outputs"         /* "lanes", "raw", "both" */
#define METADATA_SOURCE "lanert.source_sha256"    /* of the checkpoint, 64 hexadecimal digits */
#define METADATA_KEEP_PRIORS "lanert.keep_priors" /* where some are left out: how many go on after the first stage */
#define METADATA_PRIOR_YS "lanert.prior_ys" /* where they are not heights_even's: the checkpoint's, see heights.h */

/* Those of a model in eight bits have these too; see lanert_quantize_options. */
#define METADATA_INT8_MODEL "lanert.int8.model_sha256" /* of the float32 model */
#define METADATA_INT8_METHOD "lanert.int8.method"      /* "minmax" … */
#define METADATA_INT8_SAMPLES "lanert.int8.samples"    /* frames */
#define METADATA_INT8_SOURCES "lanert.int8.sources"    /* that they came from */
#define METADATA_INT8_LAYERS "lanert.int8.layers"      /* "38 of 45" */
#define METADATA_INT8_VALUES "lanert.int8.values"      /* "int8", "uint8" */
#define METADATA_INT8_WEIGHTS "lanert.int8.weights"    /* "per-channel", "per-tensor" */

#define METADATA_FORMAT_VERSION "2"
/* Differs in the type of count alone, and is read too. */
#define METADATA_FORMAT_VERSION_1 "1"

/* The tensors of a lanert model. */
#define TENSOR_IMAGE "image" /* uint8 [N,320,800,3], blue first */
#define TENSOR_RAW "raw"     /* float32 [N,priors,78] */
#define TENSOR_LANES "lanes" /* float32 [N,max_lanes,78] */
#define TENSOR_COUNT "count" /* int32 [N]; int64 in format 1 */

#define DECIMAL_TEXT 32

/* "0.45" of 0.45f with 6 decimals: of a number of 0 to 1e6, with at most 12; zeros at the end are left out. Returns
 * the text's length. */
int decimal_format(float number, int decimals, char text[DECIMAL_TEXT]);
/* What is behind a number that text begins with: digits with at most one point, 1 to 9 before it and at most 12 behind;
 * NULL where it begins with none. */
const char *decimal_scan(const char *text, float *number);
/* False where the text is anything but such a number. */
bool decimal_parse(const char *text, float *number);

#endif
