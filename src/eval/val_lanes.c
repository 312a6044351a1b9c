/* val_lanes.c - one frame's lanes as its files have them, for drawing. */
#include "eval/distance.h"
#include "eval/val.h"

/* Scoring the frame again leaves the lanes of its files in the scorer. */
static int read_frame(lanert_val *val, const dataset_frame *frame, lanert_error *err)
{
    frame_record record;
    int rc = val_open_own(val, err);
    if (rc)
        return rc;
    return val->data.predictions ? scorer_score(&val->own, frame, true, &record, err)
                                 : scorer_score_missing(&val->own, frame, &record, err);
}

/* TuSimple's columns in the rows of the label, those that the lane is in. */
static int add_columns(const lane_set *columns, const double *rows, lane_set *out, lanert_error *err)
{
    int rc = 0;
    lane_set_clear(out, columns->name);
    for (size_t i = 0; !rc && i < columns->lane_count; i++) {
        const lane_ref *lane = &columns->lanes[i];
        rc = lane_set_begin(out, lane->line, err);
        for (size_t k = 0; !rc && k < lane->count; k++)
            if (columns->points[lane->first + k].x >= 0)
                rc = lane_set_add(out, columns->points[lane->first + k].x, rows[k], err);
    }
    return rc;
}

static void thin(const lanert_point *points, size_t count, lanert_lane *lane)
{
    size_t kept = count < LANERT_LANE_POINTS ? count : LANERT_LANE_POINTS;
    *lane = (lanert_lane){.score = -1, .count = (int)kept};
    for (size_t k = 0; k < kept; k++)
        lane->points[k] = points[k * (count - 1) / (kept - 1)];
}

static void take_lanes(lane_set *set, lanert_lane *lanes, int *count)
{
    distance_prepare(set);
    for (size_t i = 0; i < set->lane_count && *count < LANERT_MAX_LANES; i++)
        if (set->lanes[i].count >= 2)
            thin(set->points + set->lanes[i].first, set->lanes[i].count, &lanes[(*count)++]);
}

int lanert_val_lanes(lanert_val *val, int64_t i, int which, lanert_lane *lanes, int *count, lanert_error *err)
{
    *count = 0;
    int rc = val_check_frame(val, i, err);
    if (rc || (rc = read_frame(val, &val->data.frames[i], err)))
        return rc;
    scorer *s = &val->own;
    lane_set *set = which == LANERT_VAL_LABELLED ? &s->truth : &s->predicted;
    if (!val->data.ops->rules) {
        const tusimple_frame *frame = which == LANERT_VAL_LABELLED ? &s->label : &s->prediction;
        rc = add_columns(&frame->lanes, s->label.rows, set, err);
    }
    if (!rc)
        take_lanes(set, lanes, count);
    return rc;
}
