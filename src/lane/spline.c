#include "lane/spline.h"

#include <math.h>

static int check_points(const double *t, const double *v, int count, lanert_error *err)
{
    if (count < 2 || count > LANERT_LANE_POINTS)
        return error_set(err, LANERT_EINVAL, "a spline through %d points; expected 2 to %d", count, LANERT_LANE_POINTS);
    for (int i = 0; i < count; i++) {
        if (!isfinite(t[i]) || !isfinite(v[i]))
            return error_set(err, LANERT_EINVAL, "point %d of a spline is (%g, %g); expected finite numbers", i, t[i],
                             v[i]);
        if (i && !(t[i] > t[i - 1]))
            return error_set(err, LANERT_EINVAL, "parameter %d of a spline is %g after %g; expected rising ones", i,
                             t[i], t[i - 1]);
    }
    return 0;
}

/* Two points: a line. Three: the parabola through them, as two pieces of it. */
static void fit_low(spline *s, const double *v)
{
    double h = s->t[1] - s->t[0], slope = (v[1] - v[0]) / h, bend = 0;
    if (s->count == 3)
        bend = ((v[2] - v[1]) / (s->t[2] - s->t[1]) - slope) / (s->t[2] - s->t[0]);
    s->c[0][0] = v[0], s->c[0][1] = slope - bend * h, s->c[0][2] = bend;
    s->c[1][0] = v[1], s->c[1][1] = slope + bend * h, s->c[1][2] = bend;
}

/* Slopes d[i] at the points of the cubic spline. Inside, the second derivative is continuous:
 *     h[i]·d[i−1] + 2(h[i−1] + h[i])·d[i] + h[i−1]·d[i+1] = 3(h[i]·m[i−1] + h[i−1]·m[i]),
 * h the intervals, m the chords' slopes. Not-a-knot: the third derivative is continuous too at the second
 * point and at the last but one,
 *     h[1]·d[0] + w0·d[1] = first,    w1·d[last−1] + h[last−2]·d[last] = end,
 * which takes the end slopes out of the first and last equations and leaves a diagonally dominant matrix. */
static void find_slopes(const double *h, const double *m, int count, double *d)
{
    int last = count - 1;
    double diagonal[LANERT_LANE_POINTS] = {0};
    double w0 = h[0] + h[1], w1 = h[last - 1] + h[last - 2];
    double first = ((h[0] + 2 * w0) * h[1] * m[0] + h[0] * h[0] * m[1]) / w0;
    double end = ((h[last - 1] + 2 * w1) * h[last - 2] * m[last - 1] + h[last - 1] * h[last - 1] * m[last - 2]) / w1;

    for (int i = 1; i < last; i++) {
        diagonal[i] = 2 * (h[i - 1] + h[i]);
        d[i] = 3 * (h[i] * m[i - 1] + h[i - 1] * m[i]);
    }
    diagonal[1] -= w0, d[1] -= first;
    diagonal[last - 1] -= w1, d[last - 1] -= end;

    for (int i = 2; i < last; i++) {
        double factor = h[i] / diagonal[i - 1];
        diagonal[i] -= factor * h[i - 2];
        d[i] -= factor * d[i - 1];
    }
    d[last - 1] /= diagonal[last - 1];
    for (int i = last - 2; i >= 1; i--)
        d[i] = (d[i] - h[i - 1] * d[i + 1]) / diagonal[i];
    d[0] = (first - w0 * d[1]) / h[1];
    d[last] = (end - w1 * d[last - 1]) / h[last - 2];
}

static void fit_cubic(spline *s, const double *v)
{
    double h[LANERT_LANE_POINTS], m[LANERT_LANE_POINTS], d[LANERT_LANE_POINTS] = {0};
    for (int i = 0; i < s->count - 1; i++) {
        h[i] = s->t[i + 1] - s->t[i];
        m[i] = (v[i + 1] - v[i]) / h[i];
    }
    find_slopes(h, m, s->count, d);
    for (int i = 0; i < s->count - 1; i++) {
        double excess = (d[i] + d[i + 1] - 2 * m[i]) / h[i];
        s->c[i][0] = v[i];
        s->c[i][1] = d[i];
        s->c[i][2] = (m[i] - d[i]) / h[i] - excess;
        s->c[i][3] = excess / h[i];
    }
}

int spline_fit(spline *s, const double *t, const double *v, int count, lanert_error *err)
{
    int rc = check_points(t, v, count, err);
    if (rc)
        return rc;
    *s = (spline){.count = count, .degree = count < 4 ? count - 1 : 3};
    for (int i = 0; i < count; i++)
        s->t[i] = t[i];
    if (count < 4)
        fit_low(s, v);
    else
        fit_cubic(s, v);
    return 0;
}

double spline_at(const spline *s, double u)
{
    int low = 0, high = s->count - 1;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (u < s->t[middle])
            high = middle;
        else
            low = middle;
    }
    const double *c = s->c[low];
    double d = u - s->t[low];
    return c[0] + d * (c[1] + d * (c[2] + d * c[3]));
}
