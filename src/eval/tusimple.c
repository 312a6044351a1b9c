/* tusimple.c - accuracy, FP and FN of one picture. */
#include "eval/tusimple.h"

#include <math.h>

/* LaneEval's constants. */
#define PIXEL_THRESHOLD 20   /* pixels across an upright lane */
#define POINT_THRESHOLD 0.85 /* accuracy from which a lane is found */
#define SLOWEST_MS 200       /* a slower picture counts as wholly missed */

/* Columns a lane's least-squares line moves in one row (scikit-learn's LinearRegression of x on y, with intercept).
 * Whole pixels, as labels have them, make exact sums, so that only the quotient is rounded. scikit-learn's own last
 * digits vary with the machine's BLAS; they tell only where a prediction is off by the threshold to the last bit. */
static double lane_slope(const lanert_point *points, const double *rows, size_t count)
{
    double n = 0, x = 0, y = 0, xy = 0, yy = 0;
    for (size_t i = 0; i < count; i++) {
        if (points[i].x >= 0) {
            x += points[i].x;
            y += rows[i];
            xy += points[i].x * rows[i];
            yy += rows[i] * rows[i];
            n++;
        }
    }
    double spread = n * yy - y * y;
    return spread > 0 ? (n * xy - x * y) / spread : 0;
}

/* Where a lane is not in a row it counts as at −100: absent from both is a hit. */
static double column(lanert_point p)
{
    return p.x >= 0 ? p.x : -100;
}

static double line_accuracy(const lanert_point *a, const lanert_point *b, size_t count, double threshold)
{
    size_t hits = 0;
    for (size_t i = 0; i < count; i++)
        hits += fabs(column(a[i]) - column(b[i])) < threshold;
    return (double)hits / (double)count;
}

/* The best that any prediction does on one labelled lane. */
static double best_accuracy(const lane_set *predicted, const lanert_point *truth, const double *rows, size_t count)
{
    double best = 0, threshold = PIXEL_THRESHOLD / cos(atan(lane_slope(truth, rows, count)));
    for (size_t i = 0; i < predicted->lane_count; i++)
        best = fmax(best, line_accuracy(predicted->points + predicted->lanes[i].first, truth, count, threshold));
    return best;
}

int tusimple_bench(const tusimple_frame *prediction, const tusimple_frame *label, tusimple_score *score,
                   lanert_error *err)
{
    const lane_set *predicted = &prediction->lanes, *truth = &label->lanes;
    for (size_t i = 0; i < predicted->lane_count; i++)
        if (predicted->lanes[i].count != label->row_count)
            return error_set(err, LANERT_EFORMAT,
                             "%s:%d: lanes[%zu] has %zu values; expected %zu, one for each of the label's h_samples",
                             predicted->name, predicted->lanes[i].line, i, predicted->lanes[i].count, label->row_count);
    *score = (tusimple_score){0, 0, 1};
    if (prediction->run_time > SLOWEST_MS || predicted->lane_count > truth->lane_count + 2)
        return 0;

    double sum = 0, least = 1, found = 0, missed = 0;
    for (size_t i = 0; i < truth->lane_count; i++) {
        double best = best_accuracy(predicted, truth->points + truth->lanes[i].first, label->rows, label->row_count);
        sum += best;
        least = fmin(least, best);
        if (best < POINT_THRESHOLD)
            missed++;
        else
            found++;
    }
    /* Of five labelled lanes one may be missed: the worst is left out. */
    if (truth->lane_count > 4) {
        sum -= least;
        missed -= missed > 0;
    }
    double counted = fmax(fmin((double)truth->lane_count, 4), 1), given = (double)predicted->lane_count;
    *score = (tusimple_score){sum / counted, given > 0 ? (given - found) / given : 0, missed / counted};
    return 0;
}
