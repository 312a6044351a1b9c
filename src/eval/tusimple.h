/* tusimple.h - TuSimple's measure: the part of a lane's rows where the prediction is near enough.
 *
 * clrnet/utils/tusimple_metric.py (LaneEval.bench). */
#ifndef EVAL_TUSIMPLE_H
#define EVAL_TUSIMPLE_H

#include "eval/lane_reader.h"

typedef struct tusimple_score {
    double accuracy, fp, fn; /* each 0 to 1, of this picture */
} tusimple_score;

/* LANERT_EFORMAT, with the prediction's file and line, where a lane has not one value for each row of the label. */
int tusimple_bench(const tusimple_frame *prediction, const tusimple_frame *label, tusimple_score *score,
                   lanert_error *err);

#endif
