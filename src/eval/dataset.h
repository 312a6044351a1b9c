/* dataset.h - what there is to score: the frames of a data set, their annotations and predictions. */
#ifndef EVAL_DATASET_H
#define EVAL_DATASET_H

#include "base/file.h"
#include "eval/overlap.h"

/* Largest file of one frame's lanes, and of a list or a whole set's JSON lines. */
#define DATASET_MAX_FRAME_FILE ((size_t)64 << 20)
#define DATASET_MAX_LIST_FILE ((size_t)1 << 30)
#define DATASET_MAX_FRAMES 10000000

/* A piece of a file: a line of JSON, or all of it. */
typedef struct text_piece {
    const char *data; /* never NULL */
    size_t size;
    int line; /* counted from 1; 0: there is no such piece */
} text_piece;

typedef struct dataset_frame {
    char *name;                   /* as the list has it, no '/' in front */
    unsigned categories;          /* bit i: of dataset_culane_categories[i] */
    text_piece truth, prediction; /* tusimple: into the mapped files */
} dataset_frame;

typedef struct dataset dataset;

/* One kind of data set: a file, a table. Paths are to be freed by the caller. */
typedef struct dataset_ops {
    const char *name;
    const overlap_rules *rules; /* NULL: TuSimple's measure, whose pieces are in the frames */
    int (*open)(dataset *d, const char *list, const char *predictions, lanert_error *err);
    int (*truth_path)(const dataset *d, const dataset_frame *frame, char **path, lanert_error *err);
    int (*prediction_path)(const dataset *d, const dataset_frame *frame, char **path, lanert_error *err);
    int (*picture_path)(const dataset *d, const dataset_frame *frame, char **path, lanert_error *err);
} dataset_ops;

extern const dataset_ops dataset_culane, dataset_tusimple, dataset_llamas;

struct dataset {
    const dataset_ops *ops;
    char *root, *labels,
        *predictions; /* labels: llamas' folder or tusimple's file; predictions: NULL where not given */
    file_map label_map, prediction_map;
    dataset_frame *frames;
    size_t count, capacity;
    unsigned categories; /* those of which there is a list */
};

/* The nine parts of CULane's test set (clrnet/datasets/culane.py, CATEGORYS). */
#define DATASET_CATEGORIES 9
extern const char *const dataset_culane_categories[DATASET_CATEGORIES];

int dataset_open(const char *name, const char *root, const char *list, const char *predictions, dataset *d,
                 lanert_error *err);
void dataset_close(dataset *d);

/* For the kinds. Adds a frame; name is copied. */
int dataset_add(dataset *d, const char *name, size_t length, dataset_frame **frame, lanert_error *err);
/* Calls `take` for each line of a mapped file that is not blank, its end cut off; `line` counts all. */
typedef int dataset_on_line(void *context, const char *text, size_t size, int line, lanert_error *err);
int dataset_lines(const file_map *map, dataset_on_line *take, void *context, lanert_error *err);
/* Calls `take` for each file below a folder whose name ends in `ending`, with its path below that folder, in the
 * order of their names. */
typedef int dataset_on_file(void *context, const char *name, lanert_error *err);
int dataset_walk(const char *folder, const char *ending, dataset_on_file *take, void *context, lanert_error *err);
/* Indices of d's frames in the order of their names, to be freed; and where the first of that name is in it. */
int dataset_order(const dataset *d, size_t **order, lanert_error *err);
bool dataset_find(const dataset *d, const size_t *order, const char *name, size_t *at);
/* "folder/name less `cut` characters at its end, then `ending`"; to be freed. */
int dataset_path(const char *folder, const char *name, size_t cut, const char *ending, char **path, lanert_error *err);

#endif
