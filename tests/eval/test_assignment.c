/* test_assignment.c - the least cost, and SciPy's choice where there are several. */
#include "eval/assignment.h"

#include <math.h>

#include "support/testing.h"

static lanert_error err;

/* linear_sum_assignment of SciPy 1.17 and 1.14 on matrices with ties. */
static const struct {
    int rows, columns;
    double cost[20];
    int column[4];
} ties[] = {
    {2, 3, {1, 1, 1, 1, 1, 1}, {0, 1}},
    {3, 2, {.5, .5, .5, .5, .5, .5}, {0, 1, -1}},
    {3, 3, {.2, .2, .9, .2, .2, .2, .9, .2, .2}, {0, 1, 2}},
    {4, 5, {1, 1, 2 / 3., 1, 2 / 3., 1, 1, 2 / 3., 2 / 3., 1, 1, 1, 1, 1 / 3., 1, 1, 1, 1, 1, 1}, {4, 2, 3, 0}},
    {4, 2, {1, 2 / 3., 1, 2 / 3., 1 / 3., 1 / 3., 2 / 3., 2 / 3.}, {-1, 1, 0, -1}},
};

static void test_ties_as_scipy(void **state)
{
    (void)state;
    assignment a = {0};
    for (size_t i = 0; i < ARRAY_LEN(ties); i++) {
        assert_ok(assignment_begin(&a, ties[i].rows, ties[i].columns, &err));
        memcpy(a.cost, ties[i].cost, (size_t)(ties[i].rows * ties[i].columns) * sizeof *a.cost);
        assignment_solve(&a);
        for (int k = 0; k < ties[i].rows; k++)
            assert_int_equal(a.column[k], ties[i].column[k]);
    }
    assignment_free(&a);
}

/* The least cost of rows from `row` on, over all ways; `taken` has a bit for each column. */
static double least(const double *cost, int rows, int columns, int row, unsigned taken, int skips)
{
    if (row == rows)
        return 0;
    double best = skips > 0 ? least(cost, rows, columns, row + 1, taken, skips - 1) : INFINITY;
    for (int j = 0; j < columns; j++)
        if (!(taken & 1u << j))
            best = fmin(best, cost[row * columns + j] + least(cost, rows, columns, row + 1, taken | 1u << j, skips));
    return best;
}

static void test_least_cost(void **state)
{
    (void)state;
    assignment a = {0};
    unsigned seed = 7;
    for (int turn = 0; turn < 300; turn++) {
        int rows = turn % 6, columns = turn / 6 % 6, pairs = 0;
        unsigned taken = 0;
        double sum = 0, cost[25];
        for (int i = 0; i < rows * columns; i++)
            cost[i] = (double)((seed = seed * 1103515245 + 12345) >> 16 & 255) / 255;
        assert_ok(assignment_begin(&a, rows, columns, &err));
        memcpy(a.cost, cost, (size_t)(rows * columns) * sizeof *cost);
        assignment_solve(&a);
        for (int i = 0; i < rows; i++) {
            if (a.column[i] < 0)
                continue;
            assert_true(a.column[i] < columns && !(taken & 1u << a.column[i]));
            taken |= 1u << a.column[i];
            sum += cost[i * columns + a.column[i]];
            pairs++;
        }
        assert_int_equal(pairs, rows < columns ? rows : columns);
        assert_true(fabs(sum - least(cost, rows, columns, 0, 0, rows > columns ? rows - columns : 0)) < 1e-12);
    }
    assignment_free(&a);
}

static void test_limit(void **state)
{
    (void)state;
    assignment a = {0};
    assert_fails(assignment_begin(&a, 5000, 2, &err), LANERT_ELIMIT, "5000 lanes against 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ties_as_scipy),
        cmocka_unit_test(test_least_cost),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
