/* curve.h - the curve that the reference's metric puts through a lane's points.
 *
 * SciPy's splprep([x, y], s=0, k=min(3, n − 1)) and splev, to the last bit: the values are truncated to whole
 * pixels, and where they fall on one exactly, an error of 1e-13 moves a point by a pixel. So this computes what
 * FITPACK computes (P. Dierckx, "Curve and Surface Fitting with Splines", 1993; parcur, fppara, splev) in its
 * order of operations, rather than by a shorter way. (lane/spline.h is another curve: x(y), for drawing lanes.) */
#ifndef EVAL_CURVE_H
#define EVAL_CURVE_H

#include "base/memory.h"
#include "eval/mask.h"

/* Zero-initialise; reused without allocating once it has held as many points. */
typedef struct curve {
    size_t count;  /* points, and coefficients of each coordinate */
    int degree;    /* 1, 2 or 3 */
    double *u;     /* [count] parameter of each point: chord length over the whole, 0 to 1 */
    double *knots; /* [count + degree + 1] */
    double *x, *y; /* [count] B-spline coefficients */
    double *band;  /* [count][4] the triangular matrix of the fit */
    double *space; /* what the above point into */
    size_t capacity;
} curve;

void curve_free(curve *c);

/* Of 2 or more points with finite coordinates. LANERT_EFORMAT where two neighbours lie on the same spot (or so close
 * that the parameter does not grow): splprep has no curve for those either. */
int curve_fit(curve *c, const lanert_point *points, size_t count, lanert_error *err);

/* `count` points (2 or more) at equal steps of the parameter, truncated to whole pixels as NumPy's
 * astype(int32) does it: INT32_MIN where the value does not fit. */
void curve_sample(const curve *c, size_t count, pixel *out);

#endif
