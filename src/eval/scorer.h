/* scorer.h - one frame's figures, from its files. */
#ifndef EVAL_SCORER_H
#define EVAL_SCORER_H

#include "eval/dataset.h"
#include "eval/tusimple.h"

/* What is kept of a frame: whole numbers, so that sums are the same in any order. */
typedef struct frame_record {
    bool done, missing;
    uint16_t predicted, labelled;         /* lanes */
    uint16_t hits[LANERT_VAL_THRESHOLDS]; /* true positives; not TuSimple's */
    tusimple_score tusimple;              /* TuSimple's alone */
} frame_record;

/* The scratch of one thread. */
typedef struct scorer {
    const dataset *data;
    overlap overlap;
    lane_set predicted, truth;
    tusimple_frame prediction, label;
} scorer;

int scorer_open(scorer *s, const dataset *data, lanert_error *err);
void scorer_close(scorer *s);

/* Scores the frame against its prediction file. One that is not there is an error, or, where that is allowed, a frame
 * without lanes. */
int scorer_score(scorer *s, const dataset_frame *frame, bool allow_missing, frame_record *record, lanert_error *err);
/* Scores it as a frame without lanes, its prediction missing. */
int scorer_score_missing(scorer *s, const dataset_frame *frame, frame_record *record, lanert_error *err);
/* Scores it against the text of a prediction, called `name` in messages. */
int scorer_score_text(scorer *s, const dataset_frame *frame, const char *text, size_t size, const char *name,
                      frame_record *record, lanert_error *err);

#endif
