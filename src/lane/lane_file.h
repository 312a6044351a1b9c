/* lane_file.h - lanes as the data sets' own files hold them, text only.
 *
 * Each lane is its spline x(y), read at the data set's own rows: from 0.01 above the lane's first point to 0.01
 * below its last, as clrnet/utils/lane.py does. Pictures are the data set's own size, whatever the picture's.
 * LANERT_EINVAL, with the lane's number, for a lane whose points are no curve (see spline_fit). */
#ifndef LANE_LANE_FILE_H
#define LANE_LANE_FILE_H

#include "base/buffer.h"
#include "lane/decode.h"

/* The text of one picture's lanes (get_prediction_string of clrnet/datasets/{culane,llamas}.py), added to out:
 * a lane a line, "x y x y …" from the bottom up, no newline after the last. */
int lane_file_culane(const lane_curve *lanes, int count, buffer *out, lanert_error *err);
int lane_file_llamas(const lane_curve *lanes, int count, buffer *out, lanert_error *err);
/* One JSON line, without the newline (clrnet/datasets/tusimple.py, pred2tusimpleformat). The time is written
 * to the nanosecond. */
int lane_file_tusimple(const char *raw_file, double run_time_ms, const lane_curve *lanes, int count, buffer *out,
                       lanert_error *err);

#endif
