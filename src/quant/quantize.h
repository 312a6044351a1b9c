/* quantize.h - what the steps of lanert_quantize share. Functions return 0 or an error. */
#ifndef QUANT_QUANTIZE_H
#define QUANT_QUANTIZE_H

#include "lane/deviation.h"
#include "quant/calibrate.h"
#include "quant/correct.h"

typedef struct quantizer {
    const lanert_quantize_options *options;
    const char *output;
    model_info model;
    qdq *q;
    const qdq_layer *layers;
    int layer_count;
    samples frames;
    calibration calibration;
    trial_setup setup;
    float **was;                  /* [frames] predictions of the float32 model */
    lanert_quantize_layer *table; /* [layers] */
    float **shifts;               /* [layers][channels] of the biases; NULL: not yet known */
    lanert_quantize_step step;
} quantizer;

/* Tells how much of the step is done; LANERT_END where it shall end. */
int quantizer_tell(const quantizer *z, int64_t done, int64_t total, lanert_error *err);

/* Begins a step, and tells so. */
int quantizer_begin(quantizer *z, lanert_quantize_step step, int64_t total, lanert_error *err);

/* How far the predictions are from the float32 model's on the first `frames` frames, with these layers in eight bits.
 */
int quantizer_measure(quantizer *z, const qdq_plan *plan, int frames, lanert_deviation *deviation, lanert_error *err);

/* The plan with these layers. */
qdq_plan quantizer_plan(const quantizer *z, const bool *layers);

#endif
