/* spline.h - the interpolating spline x(y) that the reference draws through a lane's points.
 *
 * FITPACK's InterpolatedUnivariateSpline: degree min(3, n−1), not-a-knot ends, in float64; clrnet/utils/lane.py. */
#ifndef LANE_SPLINE_H
#define LANE_SPLINE_H

#include "base/error.h"

typedef struct spline {
    int count, degree;
    double t[LANERT_LANE_POINTS];    /* the points' parameters, strictly rising */
    double c[LANERT_LANE_POINTS][4]; /* of piece i: c0 + c1·d + c2·d² + c3·d³, d = u − t[i] */
} spline;

/* count 2 to LANERT_LANE_POINTS, t strictly rising and finite, v finite; LANERT_EINVAL otherwise. */
int spline_fit(spline *s, const double *t, const double *v, int count, lanert_error *err);
/* Extrapolates with the end pieces. */
double spline_at(const spline *s, double u);

#endif
