#include "sink/lane_shape.h"

#include <math.h>

#define MIN_STEP 1e-3 /* pixels between two rows of a lane; nearer ones say nothing about its direction */

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* Lanes may run out of the picture a little; what is absurdly far must not overflow Cairo's fixed point. */
static int points_make(const lanert_lane *lane, int width, int height, lanert_point *out)
{
    int n = 0;
    for (int i = 0; i < lane->count && i < LANERT_LANE_POINTS; i++) {
        double x = lane->points[i].x, y = lane->points[i].y;
        if (!isfinite(x) || !isfinite(y))
            continue;
        y = clamp(y, -height, 2.0 * height);
        if (n && y < out[n - 1].y + MIN_STEP)
            continue;
        out[n++] = (lanert_point){clamp(x, -width, 2.0 * width), y};
    }
    return n;
}

/* Along the lane's lowest quarter, which says more of its direction than the last two points do. */
static double slope_of(const lane_shape *s)
{
    int back = s->count / 4 > 1 ? s->count / 4 : 1;
    lanert_point a = s->points[s->count - 1 - back], b = s->points[s->count - 1];
    return (b.x - a.x) / (b.y - a.y);
}

int lane_shapes_make(const lanert_lane *lanes, int count, int width, int height, lane_shape shapes[LANERT_MAX_LANES])
{
    int n = 0, left = 0;
    for (int i = 0; i < count && i < LANERT_MAX_LANES; i++) {
        lane_shape s = {.score = lanes[i].score};
        s.count = points_make(&lanes[i], width, height, s.points);
        if (s.count < 2)
            continue;
        s.slope = slope_of(&s);
        s.foot_x = s.points[s.count - 1].x + s.slope * (height - s.points[s.count - 1].y);
        left += s.foot_x < width / 2.0;
        int at = n++;
        for (; at > 0 && shapes[at - 1].foot_x > s.foot_x; at--)
            shapes[at] = shapes[at - 1];
        shapes[at] = s;
    }
    for (int i = 0; i < n; i++)
        shapes[i].place = i < left ? i - left : i - left + 1;
    return n;
}

const lane_shape *lane_shape_find(const lane_shape *shapes, int count, int place)
{
    for (int i = 0; i < count; i++)
        if (shapes[i].place == place)
            return &shapes[i];
    return NULL;
}

double lane_shape_x(const lane_shape *s, double y)
{
    int i = 1;
    while (i < s->count - 1 && s->points[i].y < y)
        i++;
    lanert_point a = s->points[i - 1], b = s->points[i];
    if (y > b.y)
        return b.x + s->slope * (y - b.y);
    return a.x + (b.x - a.x) * clamp((y - a.y) / (b.y - a.y), 0, 1);
}
