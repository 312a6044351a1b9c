/* lane_set.c - the lanes of one picture. */
#include "eval/lane_set.h"

void lane_set_free(lane_set *set)
{
    FREE(set->points);
    FREE(set->lanes);
    *set = (lane_set){0};
}

void lane_set_clear(lane_set *set, const char *name)
{
    set->name = name;
    set->point_count = set->lane_count = 0;
}

int lane_set_begin(lane_set *set, int line, lanert_error *err)
{
    if (set->lane_count == LANE_SET_MAX_LANES)
        return error_set(err, LANERT_ELIMIT, "%s:%d: more than %d lanes in one picture", set->name, line,
                         LANE_SET_MAX_LANES);
    int rc = memory_grow(&set->lanes, &set->lane_capacity, set->lane_count + 1, sizeof *set->lanes, err);
    if (!rc)
        set->lanes[set->lane_count++] = (lane_ref){.first = set->point_count, .line = line};
    return rc;
}

int lane_set_add(lane_set *set, double x, double y, lanert_error *err)
{
    lane_ref *lane = &set->lanes[set->lane_count - 1];
    double least = x < y ? x : y, most = x < y ? y : x;
    if (!(least >= -LANE_SET_MAX_COORDINATE && most <= LANE_SET_MAX_COORDINATE))
        return error_set(err, LANERT_EFORMAT, "%s:%d: point %zu is (%g, %g); expected coordinates between ±%.0f",
                         set->name, lane->line, lane->count + 1, x, y, LANE_SET_MAX_COORDINATE);
    if (lane->count == LANE_SET_MAX_POINTS)
        return error_set(err, LANERT_ELIMIT, "%s:%d: a lane of more than %d points", set->name, lane->line,
                         LANE_SET_MAX_POINTS);
    int rc = memory_grow(&set->points, &set->point_capacity, set->point_count + 1, sizeof *set->points, err);
    if (rc)
        return rc;
    set->points[set->point_count++] = (lanert_point){x, y};
    lane->count++;
    return 0;
}

void lane_set_drop(lane_set *set)
{
    set->point_count = set->lanes[--set->lane_count].first;
}
