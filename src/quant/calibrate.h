/* calibrate.h - what the values of a model are, on frames. */
#ifndef QUANT_CALIBRATE_H
#define QUANT_CALIBRATE_H

#include "model/qdq.h"
#include "quant/samples.h"
#include "quant/trial.h"

/* Told of frames that are done; non-zero ends it with LANERT_END. */
typedef int calibrate_progress(void *context, int64_t done, int64_t total);

typedef struct calibration {
    qdq_range *ranges; /* [scales] */
    double *elements;  /* [values] how many numbers each has, for one picture */
} calibration;

int calibrate(const qdq *q, const samples *s, const trial_setup *setup, lanert_calibration method, bool is_unsigned,
              calibrate_progress *on_progress, void *context, calibration *c, lanert_error *err);
void calibration_free(calibration *c);

#endif
