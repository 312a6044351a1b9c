/* assignment.c - shortest augmenting paths.
 *
 * The method is D. F. Crouse's, "On implementing 2D rectangular assignment algorithms", IEEE Transactions on
 * Aerospace and Electronic Systems 52(4), 2016, p. 1685: each row in turn is given a column, others moving over along
 * the cheapest path. Of equally good assignments the thresholds may count one more true positive than the other, so
 * everything that settles a tie follows SciPy's rectangular_lsap: columns are looked at from the last to the first, a
 * free one is preferred, and the one taken is replaced by the last still open. */
#include "eval/assignment.h"

#include <math.h>

void assignment_free(assignment *a)
{
    FREE(a->space);
    *a = (assignment){0};
}

int assignment_begin(assignment *a, int rows, int columns, lanert_error *err)
{
    if (rows < 0 || columns < 0 || rows > ASSIGNMENT_MAX || columns > ASSIGNMENT_MAX)
        return error_set(err, LANERT_ELIMIT, "%d lanes against %d; the limit is %d each", rows, columns,
                         ASSIGNMENT_MAX);
    size_t r = (size_t)rows, c = (size_t)columns, sides = r > c ? r : c;
    size_t doubles = 2 * r * c + 3 * sides, ints = r + 4 * sides;
    int rc =
        memory_grow(&a->space, &a->capacity, doubles * sizeof(double) + ints * sizeof(int) + 2 * sides + 1, 1, err);
    if (rc)
        return rc;
    a->rows = rows;
    a->columns = columns;
    a->cost = (double *)(void *)a->space;
    a->wide = a->cost + r * c;
    a->row_price = a->wide + r * c;
    a->column_price = a->row_price + sides;
    a->reach = a->column_price + sides;
    a->column = (int *)(void *)(a->reach + sides);
    a->got = a->column + r;
    a->row_of = a->got + sides;
    a->from = a->row_of + sides;
    a->open = a->from + sides;
    a->row_seen = (bool *)(a->open + sides);
    a->column_seen = a->row_seen + sides;
    return 0;
}

/* The cheapest way from `row` to a column that no row has; leaves the way there in from[] and its cost in *least. */
static int find_path(assignment *a, int rows, int columns, int row, double *least)
{
    int left = columns;
    *least = 0;
    for (int i = 0; i < columns; i++) {
        a->open[i] = columns - 1 - i;
        a->reach[i] = INFINITY;
        a->column_seen[i] = false;
    }
    memset(a->row_seen, 0, (size_t)rows * sizeof *a->row_seen);
    for (;;) {
        int best = 0;
        double lowest = INFINITY;
        a->row_seen[row] = true;
        for (int i = 0; i < left; i++) {
            int j = a->open[i];
            double r = *least + a->wide[row * columns + j] - a->row_price[row] - a->column_price[j];
            if (r < a->reach[j]) {
                a->from[j] = row;
                a->reach[j] = r;
            }
            if (a->reach[j] < lowest || (a->reach[j] == lowest && a->row_of[j] < 0)) {
                lowest = a->reach[j];
                best = i;
            }
        }
        int j = a->open[best];
        *least = lowest;
        a->column_seen[j] = true;
        a->open[best] = a->open[--left];
        if (a->row_of[j] < 0)
            return j;
        row = a->row_of[j];
    }
}

/* rows ≤ columns; got[row] becomes its column, row_of[column] its row. */
static void solve(assignment *a, int rows, int columns)
{
    int *got = a->got;
    for (int i = 0; i < rows; i++) {
        a->row_price[i] = 0;
        got[i] = -1;
    }
    for (int j = 0; j < columns; j++) {
        a->column_price[j] = 0;
        a->row_of[j] = -1;
    }
    for (int row = 0; row < rows; row++) {
        double least;
        int j = find_path(a, rows, columns, row, &least);
        a->row_price[row] += least;
        for (int i = 0; i < rows; i++)
            if (a->row_seen[i] && i != row)
                a->row_price[i] += least - a->reach[got[i]];
        for (int k = 0; k < columns; k++)
            if (a->column_seen[k])
                a->column_price[k] -= least - a->reach[k];
        for (int i = -1; i != row;) {
            i = a->from[j];
            a->row_of[j] = i;
            int next = got[i];
            got[i] = j;
            j = next;
        }
    }
}

void assignment_solve(assignment *a)
{
    bool turn = a->rows > a->columns;
    int rows = turn ? a->columns : a->rows, columns = turn ? a->rows : a->columns;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            a->wide[i * columns + j] = turn ? a->cost[j * rows + i] : a->cost[i * columns + j];
    solve(a, rows, columns);
    for (int i = 0; i < a->rows; i++)
        a->column[i] = turn ? a->row_of[i] : a->got[i];
}
