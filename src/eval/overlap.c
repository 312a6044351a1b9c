/* overlap.c - IoU, assignment and counts of one picture. */
#include "eval/overlap.h"

const overlap_rules overlap_culane = {.width = 1640, .height = 590, .curved_truth = true};
const overlap_rules overlap_llamas = {.width = 1276, .height = 717, .samples = 50};

/* numpy.linspace(0.5, 0.95, 10), to the last bit: it decides about an IoU of exactly 11/20. */
double lanert_val_threshold(int i)
{
    const double step = (0.95 - 0.5) / (LANERT_VAL_THRESHOLDS - 1);
    return i == LANERT_VAL_THRESHOLDS - 1 ? 0.95 : i * step + 0.5;
}

int overlap_open(overlap *o, const overlap_rules *rules, lanert_error *err)
{
    *o = (overlap){.rules = rules};
    return canvas_open(&o->canvas, rules->width, rules->height, err);
}

static void free_masks(mask **masks, size_t *capacity)
{
    for (size_t i = 0; i < *capacity; i++)
        mask_free(&(*masks)[i]);
    FREE(*masks);
    *capacity = 0;
}

void overlap_close(overlap *o)
{
    canvas_close(&o->canvas);
    curve_free(&o->curve);
    assignment_free(&o->assignment);
    free_masks(&o->predicted, &o->predicted_capacity);
    free_masks(&o->truth, &o->truth_capacity);
    FREE(o->pixels);
    o->pixel_capacity = 0;
}

/* The pixels through which a lane is drawn. */
static int trace(overlap *o, const lanert_point *points, size_t count, bool curved, size_t *traced, lanert_error *err)
{
    *traced = !curved ? count : o->rules->samples ? (size_t)o->rules->samples : (count - 1) * 5 + 1;
    int rc = memory_grow(&o->pixels, &o->pixel_capacity, *traced, sizeof *o->pixels, err);
    if (!rc && curved)
        rc = curve_fit(&o->curve, points, count, err);
    if (!rc && curved)
        curve_sample(&o->curve, *traced, o->pixels);
    for (size_t i = 0; !rc && !curved && i < count; i++)
        o->pixels[i] = (pixel){(int32_t)points[i].x, (int32_t)points[i].y};
    return rc;
}

static int draw(overlap *o, const lane_set *set, bool curved, mask **masks, size_t *capacity, lanert_error *err)
{
    int rc = memory_grow(masks, capacity, set->lane_count, sizeof **masks, err);
    for (size_t i = 0; !rc && i < set->lane_count; i++) {
        const lane_ref *lane = &set->lanes[i];
        size_t traced;
        if ((rc = trace(o, set->points + lane->first, lane->count, curved, &traced, err)))
            return error_within(err, rc, "%s:%d", set->name, lane->line);
        canvas_polyline(&o->canvas, o->pixels, traced);
        rc = canvas_take(&o->canvas, &(*masks)[i], err);
    }
    return rc;
}

int overlap_score(overlap *o, const lane_set *predicted, const lane_set *truth, uint16_t *hits, lanert_error *err)
{
    int rows = (int)predicted->lane_count, columns = (int)truth->lane_count, rc;
    memset(hits, 0, LANERT_VAL_THRESHOLDS * sizeof *hits);
    if ((rc = draw(o, predicted, true, &o->predicted, &o->predicted_capacity, err)) ||
        (rc = draw(o, truth, o->rules->curved_truth, &o->truth, &o->truth_capacity, err)) ||
        (rc = assignment_begin(&o->assignment, rows, columns, err)))
        return rc;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            o->assignment.cost[i * columns + j] = 1 - mask_iou(&o->predicted[i], &o->truth[j]);
    assignment_solve(&o->assignment);
    for (int i = 0; i < rows; i++) {
        int j = o->assignment.column[i];
        double iou = j < 0 ? 0 : mask_iou(&o->predicted[i], &o->truth[j]);
        for (int t = 0; t < LANERT_VAL_THRESHOLDS; t++)
            hits[t] += iou > lanert_val_threshold(t);
    }
    return 0;
}
