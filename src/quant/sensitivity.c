/* sensitivity.c - runs the model with one layer in eight bits, one layer after the other. */
#include "quant/sensitivity.h"

/* Of the scores' logits. A trained ResNet18 with all its layers in eight bits has 38 dB and loses half a point of F1
 * (docs/QUANTIZATION.md): a layer that makes more noise than several times all of these spoils the model alone. */
#define LEAST_SNR_DB 30

static int measure(quantizer *z, int layer, int frames, bool *layers, lanert_error *err)
{
    lanert_quantize_layer *row = &z->table[layer];
    layers[layer] = true;
    const qdq_plan plan = quantizer_plan(z, layers);
    int rc = quantizer_measure(z, &plan, frames, &row->alone, err);
    layers[layer] = false;
    if (rc)
        return rc;
    row->measured = true;
    if (row->alone.snr_db < LEAST_SNR_DB)
        row->state = LANERT_LAYER_SENSITIVE;
    return 0;
}

int sensitivity_measure(quantizer *z, int frames, lanert_error *err)
{
    bool *layers = NULL;
    int64_t total = 0, done = 0;
    for (int i = 0; i < z->layer_count; i++)
        total += z->table[i].state == LANERT_LAYER_INT8;
    int rc = frames ? quantizer_begin(z, LANERT_STEP_MEASURE, total, err) : 0;
    if (rc || !frames || (rc = memory_new(&layers, (size_t)z->layer_count, 1, err)))
        return rc;
    for (int i = 0; !rc && i < z->layer_count; i++)
        if (z->table[i].state == LANERT_LAYER_INT8 &&
            !(rc = measure(z, i, frames < z->frames.count ? frames : z->frames.count, layers, err)))
            rc = quantizer_tell(z, ++done, total, err);
    free(layers);
    return rc;
}

static lanert_quantize_layer *find_worst(quantizer *z)
{
    lanert_quantize_layer *worst = NULL;
    for (int i = 0; i < z->layer_count; i++) {
        lanert_quantize_layer *row = &z->table[i];
        if (row->state == LANERT_LAYER_INT8 && (!worst || row->alone.snr_db < worst->alone.snr_db))
            worst = row;
    }
    return worst;
}

int sensitivity_give_back(quantizer *z, lanert_error *err)
{
    int back = 0, left = 0;
    for (int i = 0; i < z->layer_count; i++) {
        back += z->table[i].state == LANERT_LAYER_JUDGED;
        left += z->table[i].state == LANERT_LAYER_INT8;
    }
    int most = (back + left) / 2 - back, count = back + 1 < most ? back + 1 : most;
    if (count < 1)
        return error_set(err, LANERT_ELIMIT, "%s: the judge is not content with %d of %d layers back in float32",
                         z->output, back, back + left);
    for (int i = 0; i < count; i++) {
        lanert_quantize_layer *row = find_worst(z);
        row->state = LANERT_LAYER_JUDGED;
        if (z->options->on_layer)
            z->options->on_layer(z->options->context, row);
    }
    return 0;
}
