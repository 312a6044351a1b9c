/* choice.h - precision auto: a reduced one is chosen where engine and processor have it and drawn roads show the same
 * lanes in it. */
#ifndef DETECT_CHOICE_H
#define DETECT_CHOICE_H

#include "model/model.h"

/* The drawn roads, each of another course, light and paint. */
#define CHOICE_FRAMES 4

/* As detector_open; of options->precision auto, chooses. A float model is opened as its types say, tried on the drawn
 * roads, closed, and opened and tried again in bf16, or, unless that was slower, fp16: one at a time, so that the trial
 * does not raise the peak of memory. It costs the other openings, and CHOICE_FRAMES frames (or a batch, where that is
 * more) in each precision. Where the engine has no reduced precision there is no trial. Failures of a reduced precision
 * only mean that it is not chosen. */
int choice_open(const model_info *info, const lanert_detector_options *options, lanert_detector **det,
                lanert_error *err);

#endif
