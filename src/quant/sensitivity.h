/* sensitivity.h - what each layer alone does to the predictions, and which layers therefore stay in float32. */
#ifndef QUANT_SENSITIVITY_H
#define QUANT_SENSITIVITY_H

#include "quant/quantize.h"

/* Fills `alone` of the layers that are to be in eight bits, on the first `frames` frames (0: none is measured), and
 * keeps those in float that leave less than LEAST_SNR_DB. */
int sensitivity_measure(quantizer *z, int frames, lanert_error *err);

/* Sends the layers back to float32 that alone leave the least: the worst one, the next time the next 2, then 4 …, and
 * tells of each. LANERT_ELIMIT where half of the layers that were in eight bits are back. */
int sensitivity_give_back(quantizer *z, lanert_error *err);

#endif
