/* curve.c - interpolating parametric splines as FITPACK computes them. */
#include "eval/curve.h"

#include <math.h>

#define ORDER_MAX 4 /* degree + 1 */

void curve_free(curve *c)
{
    FREE(c->space);
    *c = (curve){0};
}

/* Points the arrays into one block, large enough for `count` points. */
static int make_room(curve *c, size_t count, lanert_error *err)
{
    size_t each = 4 + ORDER_MAX; /* u, knots, x, y and a row of the band */
    int rc = memory_grow(&c->space, &c->capacity, count * each + ORDER_MAX, sizeof *c->space, err);
    if (rc)
        return rc;
    c->u = c->space;
    c->x = c->u + count;
    c->y = c->x + count;
    c->band = c->y + count;
    c->knots = c->band + count * ORDER_MAX;
    return 0;
}

/* parcur: the chord lengths, summed, over their sum. */
static int find_parameters(curve *c, const lanert_point *points, lanert_error *err)
{
    double *u = c->u;
    size_t last = c->count - 1;
    u[0] = 0;
    for (size_t i = 1; i <= last; i++) {
        double dx = points[i].x - points[i - 1].x, dy = points[i].y - points[i - 1].y;
        u[i] = u[i - 1] + sqrt(dx * dx + dy * dy);
    }
    for (size_t i = 1; i < last; i++)
        u[i] /= u[last];
    u[last] = u[last] > 0 ? 1 : 0;
    for (size_t i = 1; i <= last; i++)
        if (!(u[i - 1] < u[i]))
            return error_set(err, LANERT_EFORMAT,
                             "points %zu and %zu, (%g, %g) and (%g, %g), lie on the same spot; expected neighbouring "
                             "points of a lane to differ",
                             i, i + 1, points[i - 1].x, points[i - 1].y, points[i].x, points[i].y);
    return 0;
}

/* fppara, s = 0: the ends repeated; between them every point but the outermost (degree 3: not-a-knot). Degrees 1
 * and 2 are of as many points as a single piece takes, and have no inner knots. */
static void place_knots(curve *c)
{
    size_t order = (size_t)c->degree + 1, inner = c->count - order;
    for (size_t i = 0; i < order; i++) {
        c->knots[i] = 0;
        c->knots[c->count + i] = 1;
    }
    for (size_t i = 0; i < inner; i++)
        c->knots[order + i] = c->u[(size_t)c->degree / 2 + 1 + i];
}

/* fpbspl: the order B-splines that are not zero at u, knots[piece] ≤ u < knots[piece + 1], by de Boor and Cox. */
static void basis(const curve *c, size_t piece, double u, double h[ORDER_MAX])
{
    double before[ORDER_MAX];
    h[0] = 1;
    for (size_t j = 1; j <= (size_t)c->degree; j++) {
        memcpy(before, h, j * sizeof *h);
        h[0] = 0;
        for (size_t i = 0; i < j; i++) {
            double right = c->knots[piece + 1 + i], left = c->knots[piece + 1 + i - j];
            double f = before[i] / (right - left);
            h[i] += f * (right - u);
            h[i + 1] = f * (u - left);
        }
    }
}

/* The piece that holds u, looked for from `piece` on. */
static size_t find_piece(const curve *c, double u, size_t piece)
{
    while (u >= c->knots[piece + 1] && piece + 1 < c->count)
        piece++;
    return piece;
}

typedef struct rotation {
    double cos, sin;
} rotation;

/* fpgivs: the Givens rotation that clears `pivot` against *diagonal. */
static rotation rotation_clearing(double pivot, double *diagonal)
{
    double size = fabs(pivot), old = *diagonal;
    double length = size >= old ? size * sqrt(1 + (old / pivot) * (old / pivot))
                                : old * sqrt(1 + (pivot / old) * (pivot / old));
    *diagonal = length;
    return (rotation){old / length, pivot / length};
}

/* fprota */
static void rotate(rotation r, double *a, double *b)
{
    double old_a = *a, old_b = *b;
    *b = r.cos * old_b + r.sin * old_a;
    *a = r.cos * old_a - r.sin * old_b;
}

/* fppara: the observation matrix made triangular, a row for each point, by Givens rotations; the right-hand sides
 * go along into x and y. */
static void triangulate(curve *c, const lanert_point *points)
{
    size_t order = (size_t)c->degree + 1, piece = (size_t)c->degree;
    double h[ORDER_MAX];
    memset(c->x, 0, c->count * sizeof *c->x);
    memset(c->y, 0, c->count * sizeof *c->y);
    memset(c->band, 0, c->count * ORDER_MAX * sizeof *c->band);
    for (size_t p = 0; p < c->count; p++) {
        lanert_point value = points[p];
        piece = find_piece(c, c->u[p], piece);
        basis(c, piece, c->u[p], h);
        for (size_t i = 0; i < order; i++) {
            size_t row = piece - (size_t)c->degree + i;
            double *diagonal = c->band + row * ORDER_MAX;
            if (h[i] == 0)
                continue;
            rotation r = rotation_clearing(h[i], diagonal);
            rotate(r, &value.x, &c->x[row]);
            rotate(r, &value.y, &c->y[row]);
            for (size_t k = i + 1; k < order; k++)
                rotate(r, &h[k], &diagonal[k - i]);
        }
    }
}

/* fpback: the triangular system solved in place, last row first. */
static void substitute(const curve *c, double *z)
{
    for (size_t i = c->count; i-- > 0;) {
        const double *row = c->band + i * ORDER_MAX;
        double value = z[i];
        for (size_t k = 1; k <= (size_t)c->degree && i + k < c->count; k++)
            value -= z[i + k] * row[k];
        z[i] = value / row[0];
    }
}

int curve_fit(curve *c, const lanert_point *points, size_t count, lanert_error *err)
{
    int rc;
    if (count < 2)
        return error_set(err, LANERT_EINVAL, "a curve through %zu points; expected 2 or more", count);
    if ((rc = make_room(c, count, err)))
        return rc;
    c->count = count;
    c->degree = count > 3 ? 3 : (int)count - 1;
    if ((rc = find_parameters(c, points, err)))
        return rc;
    place_knots(c);
    triangulate(c, points);
    substitute(c, c->x);
    substitute(c, c->y);
    return 0;
}

/* C leaves the conversion of what does not fit undefined; x86-64's, which NumPy uses, gives the least integer. */
static int32_t truncated(double v)
{
    return v > -2147483649.0 && v < 2147483648.0 ? (int32_t)v : INT32_MIN;
}

void curve_sample(const curve *c, size_t count, pixel *out)
{
    size_t order = (size_t)c->degree + 1, piece = (size_t)c->degree;
    double step = 1 / (double)(count - 1), h[ORDER_MAX]; /* numpy.linspace(0, 1, count): i × step, then 1 */
    for (size_t i = 0; i < count; i++) {
        double u = i + 1 < count ? (double)i * step : 1, x = 0, y = 0;
        piece = find_piece(c, u, piece);
        basis(c, piece, u, h);
        for (size_t k = 0; k < order; k++) {
            x += c->x[piece - (size_t)c->degree + k] * h[k];
            y += c->y[piece - (size_t)c->degree + k] * h[k];
        }
        out[i] = (pixel){truncated(x), truncated(y)};
    }
}
