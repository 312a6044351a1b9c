/* calibrate.h - what the values of a model are, on frames. */
#ifndef QUANT_CALIBRATE_H
#define QUANT_CALIBRATE_H

#include "model/qdq.h"
#include "quant/samples.h"
#include "quant/trial.h"

typedef struct calibration {
    qdq_range *ranges; /* [scales] */
    double *elements;  /* [values] how many numbers each has, for one picture */
} calibration;

int calibrate(const qdq *q, const samples *s, const trial_setup *setup, lanert_calibration method, bool is_unsigned,
              samples_progress *on_progress, void *context, calibration *c, lanert_error *err);
void calibration_free(calibration *c);

#endif
