/* assignment.h - which prediction goes with which annotation, where each goes with one at most. */
#ifndef EVAL_ASSIGNMENT_H
#define EVAL_ASSIGNMENT_H

#include "base/memory.h"

#define ASSIGNMENT_MAX 4096 /* rows, columns */

/* The scratch of one solution. Zero-initialise; reused without allocating once large enough. */
typedef struct assignment {
    double *cost;      /* [rows][columns], filled in by the caller between begin and solve */
    int *column;       /* [rows] the column that a row got, −1 for none */
    int rows, columns; /* as begun */

    double *wide; /* the costs, turned on their side where there are more rows than columns */
    double *row_price, *column_price, *reach;
    int *got, *row_of, *from, *open;
    bool *row_seen, *column_seen;
    char *space;
    size_t capacity;
} assignment;

void assignment_free(assignment *a);
/* Makes room for rows × columns costs; either may be 0. */
int assignment_begin(assignment *a, int rows, int columns, lanert_error *err);
/* The assignment of least total cost, of min(rows, columns) pairs. All costs are finite. Of several equally good
 * ones, the one that SciPy's linear_sum_assignment picks. */
void assignment_solve(assignment *a);

#endif
