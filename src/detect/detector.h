/* detector.h - one stream's detector: frame in, lanes out. The public functions are in lanert.h; here is
 * what the tests reach besides. */
#ifndef DETECT_DETECTOR_H
#define DETECT_DETECTOR_H

#include "model/model.h"

/* As lanert_detector_open, of a model described by hand; info is copied. */
int detector_open(const model_info *info, const lanert_detector_options *options, lanert_detector **det,
                  lanert_error *err);

/* The most frames that one lanert_detect call may bring. */
int detector_batch(const lanert_detector *det);

#endif
