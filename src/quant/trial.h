/* trial.h - a model that is made, run on frames and thrown away. */
#ifndef QUANT_TRIAL_H
#define QUANT_TRIAL_H

#include <stdio.h>

#include "engine/engine.h"

typedef struct trial trial;

/* Writes the model; `name` is for messages. */
typedef int trial_write(const void *context, FILE *stream, const char *name, lanert_error *err);

typedef struct trial_setup {
    const char *beside; /* the file is made in this one's folder, without a name of its own where that can be */
    const char *engine; /* NULL: the first usable one */
    int threads;        /* 0: one for each processor */
} trial_setup;

/* Opens the model for one picture at a time. `output` NULL: all of its outputs, else that one. LANERT_ELIMIT where they
 * are larger than what a trial may have. */
int trial_open(const trial_setup *setup, trial_write *write, const void *context, const char *output, trial **t,
               lanert_error *err);
void trial_close(trial **t);
/* pixels: [320][800][3] */
int trial_run(trial *t, const uint8_t *pixels, lanert_error *err);
/* The outputs with their memory, float32, of the last run, in the model's order; borrowed. */
const tensor *trial_outputs(const trial *t, int *count);

#endif
