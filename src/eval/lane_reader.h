/* lane_reader.h - the data sets' files of lanes, read from memory. Everything in them is untrusted; each error names
 * the file and the line, what was found and what was expected. */
#ifndef EVAL_LANE_READER_H
#define EVAL_LANE_READER_H

#include "eval/lane_set.h"

/* A number of at most 400 characters as Python's float() reads it, but for underscores, from *text on, whatever the
 * locale; moves *text behind it. "nan" and "inf" give those values. False where there is none. */
bool number_scan(const char **text, const char *end, double *value);

/* CULane's and LLAMAS's `.lines.txt`: a lane a line, "x y x y …". As the reference reads it (load_culane_img_data):
 * lines end with \n, \r\n or \r, the last need not end; lanes of fewer than 2 points are left out. */
int lanes_read_text(const char *text, size_t size, const char *name, lane_set *set, lanert_error *err);

/* One line of TuSimple's JSON lines. Zero-initialise; reused. */
typedef struct tusimple_frame {
    char *raw_file;
    double run_time; /* milliseconds; predictions only */
    double *rows;    /* h_samples: the pixel row of each point; labels only */
    size_t row_count, row_capacity;
    lane_set lanes; /* points[].x; below 0 where the lane is not in that row; points[].y is 0 */
} tusimple_frame;

typedef enum tusimple_kind { TUSIMPLE_LABEL, TUSIMPLE_PREDICTION } tusimple_kind;

void tusimple_frame_free(tusimple_frame *frame);
int tusimple_read(const char *text, size_t size, const char *name, int line, tusimple_kind kind, tusimple_frame *frame,
                  lanert_error *err);

/* One label file of LLAMAS, its markers made into up to four lanes (left outer, left, right, right outer) with a
 * point in each row from 300 to 716 that they reach, as llamas_utils.py does. */
int llamas_read_label(const char *text, size_t size, const char *name, lane_set *set, lanert_error *err);

#endif
