/* distance.c - lanes of two sets paired, and the columns between them. */
#include "eval/distance.h"

#include <math.h>

void distance_free(distance *d)
{
    assignment_free(&d->assignment);
    FREE(d->mean);
    FREE(d->largest);
    d->mean_capacity = d->largest_capacity = 0;
}

static int by_row(const void *a, const void *b)
{
    const lanert_point *p = a, *q = b;
    return p->y != q->y ? (p->y < q->y ? -1 : 1) : (p->x > q->x) - (p->x < q->x);
}

void distance_prepare(lane_set *set)
{
    for (size_t i = 0; i < set->lane_count; i++) {
        lanert_point *points = set->points + set->lanes[i].first;
        size_t kept = 1, count = set->lanes[i].count;
        if (count < 2)
            continue;
        qsort(points, count, sizeof *points, by_row);
        for (size_t k = 1; k < count; k++)
            if (points[k].y > points[kept - 1].y)
                points[kept++] = points[k];
        set->lanes[i].count = kept;
    }
}

/* The column in row y, which lies between the first and the last point; *at is the point at or above it, and only
 * moves on. */
static double column_at(const lanert_point *points, size_t count, double y, size_t *at)
{
    while (*at + 1 < count && points[*at + 1].y <= y)
        ++*at;
    const lanert_point *p = &points[*at];
    if (*at + 1 == count || y == p->y)
        return p->x;
    return p->x + (p[1].x - p->x) * ((y - p->y) / (p[1].y - p->y));
}

static void measure(const lanert_point *a, size_t na, const lanert_point *b, size_t nb, double *mean, double *largest)
{
    double sum = 0, rows = 0;
    *mean = *largest = INFINITY;
    if (!na || !nb)
        return;
    double top = fmax(a[0].y, b[0].y), bottom = fmin(a[na - 1].y, b[nb - 1].y), most = 0;
    for (size_t i = 0, j = 0, at_a = 0, at_b = 0; i < na || j < nb;) {
        double y = i == na ? b[j].y : j == nb ? a[i].y : fmin(a[i].y, b[j].y);
        i += i < na && a[i].y == y;
        j += j < nb && b[j].y == y;
        if (y < top || y > bottom)
            continue;
        double apart = fabs(column_at(a, na, y, &at_a) - column_at(b, nb, y, &at_b));
        sum += apart;
        most = fmax(most, apart);
        rows++;
    }
    if (rows > 0) {
        *mean = sum / rows;
        *largest = most;
    }
}

static void measure_all(distance *d, const lane_set *a, const lane_set *b, double limit_px)
{
    for (size_t i = 0, k = 0; i < a->lane_count; i++) {
        for (size_t j = 0; j < b->lane_count; j++, k++) {
            const lane_ref *p = &a->lanes[i], *q = &b->lanes[j];
            measure(a->points + p->first, p->count, b->points + q->first, q->count, &d->mean[k], &d->largest[k]);
            d->assignment.cost[k] = d->mean[k] <= limit_px ? d->mean[k] : limit_px;
        }
    }
}

int distance_between(distance *d, const lane_set *a, const lane_set *b, double limit_px, lanert_compare_frame *frame,
                     lanert_error *err)
{
    size_t pairs = a->lane_count * b->lane_count;
    int rc;
    if ((rc = memory_grow(&d->mean, &d->mean_capacity, pairs, sizeof *d->mean, err)) ||
        (rc = memory_grow(&d->largest, &d->largest_capacity, pairs, sizeof *d->largest, err)) ||
        (rc = assignment_begin(&d->assignment, (int)a->lane_count, (int)b->lane_count, err)))
        return rc;
    measure_all(d, a, b, limit_px);
    assignment_solve(&d->assignment);
    frame->matched = 0;
    frame->mean_px = frame->largest_px = 0;
    for (size_t i = 0; i < a->lane_count; i++) {
        int j = d->assignment.column[i];
        size_t k = i * b->lane_count + (size_t)(j < 0 ? 0 : j);
        if (j < 0 || !(d->mean[k] <= limit_px))
            continue;
        frame->matched++;
        frame->mean_px += d->mean[k];
        frame->largest_px = fmax(frame->largest_px, d->largest[k]);
    }
    frame->mean_px /= frame->matched ? frame->matched : 1;
    frame->lost = (int)a->lane_count - frame->matched;
    frame->gained = (int)b->lane_count - frame->matched;
    return 0;
}
