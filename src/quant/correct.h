/* correct.h - biases that take back what eight bits add in the mean. */
#ifndef QUANT_CORRECT_H
#define QUANT_CORRECT_H

#include "model/qdq.h"
#include "quant/samples.h"
#include "quant/trial.h"

/* What each of the plan's layers that are biased lacks in the mean of its outputs over all frames, beside the float32
 * layer on the same input: *shifts is [layers][channels], NULL for other layers, as qdq_plan takes it; free with
 * correct_free. */
int correct(const qdq *q, const qdq_plan *plan, const samples *s, const trial_setup *setup,
            samples_progress *on_progress, void *context, float ***shifts, lanert_error *err);
void correct_free(const qdq *q, float ***shifts);

#endif
