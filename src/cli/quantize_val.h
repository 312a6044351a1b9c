/* quantize_val.h - the F1 that a model loses in eight bits, on labelled pictures. */
#ifndef CLI_QUANTIZE_VAL_H
#define CLI_QUANTIZE_VAL_H

#include "cli/cli.h"

#define QUANTIZE_VAL_SOURCES 64

/* One model's F1 at an IoU of 0.5, per cent, over all sources together. */
typedef struct quantize_score {
    double f1;
    int layers, int8_layers; /* 0: the model in float32 */
} quantize_score;

typedef struct quantize_val {
    const char *sources[QUANTIZE_VAL_SOURCES]; /* folders in CULane's form, or lists of pictures */
    int count;
    double max_drop; /* the most of the F1 that may be lost, as a part of 1 */
    bool quiet;

    const char *output;               /* the model in eight bits, for messages; borrowed, as all texts */
    lanert_detector_options detector; /* engine and threads */

    int rounds;                 /* models in eight bits that were judged */
    quantize_score exact, best; /* of the float32 model; of these */
    int status;                 /* not EXIT_DONE: what went wrong here, which was said */
} quantize_val;

void quantize_val_init(quantize_val *v);
/* Adds a source; says what is wrong and returns false. */
bool quantize_val_add(quantize_val *v, const char *source);
/* As lanert_quantize_options' judge; prints a line. */
int quantize_val_judge(quantize_val *v, const char *path, const lanert_quantize_report *report, lanert_error *err);
/* Says how near to max_drop the best model came; returns EXIT_GATE. */
int quantize_val_missed(const quantize_val *v);

#endif
