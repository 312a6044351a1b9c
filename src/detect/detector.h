/* detector.h - one stream's detector: frame in, lanes out. The public functions are in lanert.h; here is
 * what the tests reach besides. */
#ifndef DETECT_DETECTOR_H
#define DETECT_DETECTOR_H

#include "model/model.h"

/* A sentence on why a precision was chosen, or is not for this device. */
#define CHOICE_WHY 256

/* As lanert_detector_open, of a model described by hand; info is copied. Precision auto is as the model's types say. */
int detector_open(const model_info *info, const lanert_detector_options *options, lanert_detector **det,
                  lanert_error *err);

/* The model's outputs that a detector reads, NULL behind them: the raw predictions where it has them, else lanes and
 * their count. They point into info. */
void detector_outputs(const model_info *info, const char *names[3]);

/* The most frames that one lanert_detect call may bring. */
int detector_batch(const lanert_detector *det);

/* Takes conf, nms_thres, max_lanes and cut of other options, which detector_open would have taken. LANERT_EINVAL where
 * the model has no raw output that would allow them. */
int detector_set_thresholds(lanert_detector *det, const lanert_detector_options *options, lanert_error *err);

/* engine_reduced, of a model in float; of others none. */
unsigned detector_reduced(const lanert_detector *det);
/* What lanert_detector_precision says of its choice. */
void detector_set_why(lanert_detector *det, const char *why);

#endif
