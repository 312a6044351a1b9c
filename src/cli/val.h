/* val.h - what the parts of 'lanert val' share. Functions return an exit status and have said what is wrong. */
#ifndef CLI_VAL_H
#define CLI_VAL_H

#include "cli/detector_options.h"

typedef struct val_job {
    lanert_val_options data;
    detector_options detector; /* model NULL: none */
    const char *save;          /* where a model's lanes are kept; NULL: nowhere */
    const char *per_image;     /* table of frames; NULL: none */
    const char *worst_folder;  /* pictures of the worst frames; NULL: none */
    int worst;                 /* how many of them */
    const char *sides[2];      /* of --compare; NULL: none */
    char **journals;           /* of --merge */
    int journal_count;
    double min_f1, max_drop; /* below 0: no gate */
    bool merge, json, force, quiet;
} val_job;

/* val_score.c */

/* Says why, and which exit status that is. */
int val_failed(int rc, const lanert_error *err);
/* Opens the data set with `data` and scores all of this shard's frames: those in its journal are taken from there, the
 * others' lanes come from data->predictions, or from `model` (NULL: none), and are then written to `save` too (NULL:
 * nowhere). *val is NULL or to be closed. */
int val_score(const val_job *job, const lanert_val_options *data, const detector_options *model, const char *save,
              lanert_val **val);
/* Scores, or merges journals, as the job says; prints the report and checks the gates. */
int val_run(const val_job *job);

/* val_detect.c */

/* Everything of a model and its options that its lanes depend on. */
int val_identity(const detector_options *model, char *identity, size_t size);
/* Finds the lanes of all wanted frames, or until an interruption; those of an open detector, or of one to be opened. */
int val_find_lanes(const val_job *job, const lanert_model *model, lanert_detector *det, const char *save,
                   lanert_val *val);
int val_detect(const val_job *job, const detector_options *model, const char *save, lanert_val *val);

/* val_report.c: what is printed. */

typedef struct val_gate {
    const char *name; /* NULL: none */
    double limit, value;
    bool met;
} val_gate;

/* F1 at an IoU of 0.5; of TuSimple its own. */
double val_f1(const lanert_val_report *report);
double val_mean_f1(const lanert_val_report *report);
/* A gate that demands `value` to be at least (else: at most) `limit`; says so where it is not met. */
val_gate val_check_least(const char *name, const char *what, double value, double limit);
val_gate val_check_most(const char *name, const char *what, double value, double limit);
void val_print_table(const char *dataset, const lanert_val_report *report);
/* The members of an object, indented. */
void val_print_members(const char *indent, const char *dataset, const lanert_val_report *report);
void val_print_gates(const val_gate *gates, int count);
/* EXIT_DONE or EXIT_GATE; EXIT_FAILED where stdout is broken. */
int val_end(const val_gate *gates, int count);

/* val_worst.c */

/* Draws a frame's lanes, and dashed those to compare with, as NNN_<name>, in the order of `frames`. From `truth`, or
 * where that is `lanes` too, its labels. `model` finds the lanes anew where lanes has no predictions. */
int val_draw(const val_job *job, lanert_val *lanes, lanert_val *truth, const int64_t *frames, int count);
/* Draws the frames that cost the most, by errors at 0.5 first, then at all thresholds; of TuSimple by accuracy. */
int val_draw_worst(const val_job *job, lanert_val *val);

/* val_compare.c */
int val_compare(const val_job *job);

#endif
