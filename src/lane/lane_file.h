/* lane_file.h - lanes as the data sets' own files hold them, text only. */
#ifndef LANE_LANE_FILE_H
#define LANE_LANE_FILE_H

#include "base/buffer.h"
#include "lane/decode.h"

/* The text of one picture's lanes (clrnet/datasets/{culane,llamas}.py, get_prediction_string), added to
 * out. In the data set's own picture size, whatever the picture's. */
int lane_file_culane(const lane_curve *lanes, int count, buffer *out, lanert_error *err);
int lane_file_llamas(const lane_curve *lanes, int count, buffer *out, lanert_error *err);
/* One JSON line, without the newline (clrnet/datasets/tusimple.py, pred2tusimpleformat). */
int lane_file_tusimple(const char *raw_file, double run_time_ms, const lane_curve *lanes, int count, buffer *out,
                       lanert_error *err);

#endif
