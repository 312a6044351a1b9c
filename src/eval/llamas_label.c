/* llamas_label.c - from dashes to lanes. */
#include "eval/llamas_label.h"

#include <math.h>

#define MISSING -1.0 /* of a row that a lane does not reach */

void llamas_label_free(llamas_label *label)
{
    free(label->lanes);
    free(label->markers);
    *label = (llamas_label){0};
}

int llamas_label_lane(llamas_label *label, const char *id, lanert_error *err)
{
    if (label->lane_count == LANE_SET_MAX_LANES)
        return error_set(err, LANERT_ELIMIT, "more than %d lanes in one picture", LANE_SET_MAX_LANES);
    int rc = memory_grow(&label->lanes, &label->lane_capacity, label->lane_count + 1, sizeof *label->lanes, err);
    if (rc)
        return rc;
    llamas_lane *lane = &label->lanes[label->lane_count++];
    *lane = (llamas_lane){.first = label->marker_count};
    snprintf(lane->id, sizeof lane->id, "%s", id);
    return 0;
}

int llamas_label_marker(llamas_label *label, const llamas_marker *marker, lanert_error *err)
{
    int rc =
        memory_grow(&label->markers, &label->marker_capacity, label->marker_count + 1, sizeof *label->markers, err);
    if (!rc) {
        label->markers[label->marker_count++] = *marker;
        label->lanes[label->lane_count - 1].count++;
    }
    return rc;
}

/* read_json: lanes less than 20 rows high and lanes of one marker are left out. */
static bool worth_keeping(const llamas_label *label, const llamas_lane *lane)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < lane->count; i++) {
        low = fmin(low, label->markers[lane->first + i].start_y);
        high = fmax(high, label->markers[lane->first + i].start_y);
    }
    return high - low >= 20 && lane->count >= 2;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const llamas_lane *)a)->id, ((const llamas_lane *)b)->id);
}

/* _fix_lane_names: left and right lanes are numbered anew, without gaps, in the order of their names. */
static int rename_lanes(llamas_label *label, const char *name, lanert_error *err)
{
    int left = 0, right = 0;
    size_t kept = 0;
    for (size_t i = 0; i < label->lane_count; i++)
        if (worth_keeping(label, &label->lanes[i]))
            label->lanes[kept++] = label->lanes[i];
    label->lane_count = kept;
    if (kept)
        qsort(label->lanes, kept, sizeof *label->lanes, by_id);
    for (size_t i = 1; i < kept; i++)
        if (by_id(&label->lanes[i - 1], &label->lanes[i]) == 0)
            return error_set(err, LANERT_EFORMAT, "%s:1: two lanes have the lane_id \"%s\"", name, label->lanes[i].id);
    for (size_t i = 0; i < kept; i++) {
        llamas_lane *lane = &label->lanes[i];
        if (lane->id[0] != 'l' && lane->id[0] != 'r')
            return error_set(err, LANERT_EFORMAT, "%s:1: a lane_id of \"%.15s\"; expected l0, l1, … or r0, r1, …", name,
                             lane->id);
        snprintf(lane->id, sizeof lane->id, "%c%d", lane->id[0], lane->id[0] == 'l' ? left++ : right++);
    }
    return 0;
}

static int refuse_lane(const lane_set *set, const llamas_lane *lane, const char *why, lanert_error *err)
{
    return error_set(err, LANERT_EFORMAT, "%s:1: lane %s: %s", set->name, lane->id, why);
}

/* _extend_lane: the nearest dash, drawn on to the picture's edge; *extended is false where the lane stays as it is. */
static int extend(const llamas_label *label, const llamas_lane *lane, const lane_set *set, llamas_marker *extra,
                  bool *extended, lanert_error *err)
{
    const llamas_marker *near = NULL;
    *extended = false;
    for (size_t i = 0; i < lane->count; i++) {
        const llamas_marker *m = &label->markers[lane->first + i];
        if (m->start_y != m->end_y && m->start_x != m->end_x && (!near || m->start_z < near->start_z))
            near = m;
    }
    if (!near)
        return refuse_lane(set, lane, "all markers are upright or level; expected one that shows its direction", err);
    if (near->start_z < 0)
        return 0;
    if (near->start_z == near->end_z)
        return refuse_lane(set, lane, "its nearest marker's ends are equally far; expected z to differ", err);
    double x_a_row = (near->end_x - near->start_x) / (near->end_y - near->start_y);
    double y_a_column = (near->end_y - near->start_y) / (near->end_x - near->start_x);
    double x = near->start_x + (LLAMAS_HEIGHT - 1 - near->start_y) * x_a_row, y = LLAMAS_HEIGHT - 1;
    if (x < 0) {
        x = 0;
        y = near->start_y - near->start_x * y_a_column;
    } else if (x > LLAMAS_WIDTH) {
        x = LLAMAS_WIDTH;
        y = near->start_y + (LLAMAS_WIDTH - near->start_x) * y_a_column;
    }
    *extra = (llamas_marker){.start_x = rint(x), .start_y = rint(y), .end_x = near->start_x, .end_y = near->start_y};
    *extended = true;
    return 0;
}

/* The columns seen in each row: their sum and number. */
typedef struct rows {
    double sum[LLAMAS_HEIGHT], count[LLAMAS_HEIGHT];
} rows;

static bool put(rows *r, double y, double x)
{
    /* As a Python list takes it, −1 is the last row. */
    if (y < 0)
        y += LLAMAS_HEIGHT;
    if (!(y >= 0 && y < LLAMAS_HEIGHT))
        return false;
    r->sum[(int)y] += x;
    r->count[(int)y]++;
    return true;
}

/* _sample_points, a marker's part: its near end, and every row that it crosses, if more than two. */
static bool put_marker(rows *r, const llamas_marker *m)
{
    double height = m->start_y - m->end_y, slope = (m->end_x - m->start_x) / height;
    bool inside = put(r, m->start_y, m->start_x);
    for (double i = 0; inside && height > 2 && i <= height; i++)
        inside = put(r, m->start_y - i, rint(m->start_x + slope * i));
    return inside;
}

/* The gaps between rows that are set, filled in proportion; what lies above the first and below the last stays
 * missing. */
static void fill_gaps(double x[LLAMAS_HEIGHT])
{
    int row = 0, next = 0;
    while (x[row] == MISSING)
        row++;
    for (; row < LLAMAS_HEIGHT; row++) {
        if (x[row] != MISSING)
            continue;
        while (next <= row || x[next] == MISSING)
            if (++next >= LLAMAS_HEIGHT)
                return;
        x[row] = x[row - 1] + (x[next] - x[row - 1]) / (next - row + 1);
    }
}

static int trace(const llamas_label *label, const llamas_lane *lane, lane_set *set, double x[LLAMAS_HEIGHT],
                 lanert_error *err)
{
    rows r = {0};
    llamas_marker extra;
    bool extended;
    int rc = extend(label, lane, set, &extra, &extended, err);
    if (rc)
        return rc;
    bool inside = !extended || put_marker(&r, &extra), any = false;
    for (size_t i = 0; inside && i < lane->count; i++)
        inside = put_marker(&r, &label->markers[lane->first + i]);
    if (!inside)
        return refuse_lane(set, lane, "a marker lies outside the rows 0 to 716", err);
    for (int y = 0; y < LLAMAS_HEIGHT; y++) {
        x[y] = r.count[y] > 0 ? r.sum[y] / r.count[y] : MISSING;
        any |= x[y] != MISSING;
    }
    if (!any)
        return refuse_lane(set, lane, "no marker lies in the picture", err);
    fill_gaps(x);
    return 0;
}

/* llamas_metric.py, load_labels and add_ys. */
static int add_lane(const double x[LLAMAS_HEIGHT], const llamas_lane *lane, lane_set *set, lanert_error *err)
{
    int seen = 0, rc = 0;
    for (int y = 0; y < LLAMAS_HEIGHT; y++)
        seen += x[y] >= 0;
    if (seen < 2)
        return 0;
    rc = lane_set_begin(set, 1, err);
    for (int y = LLAMAS_FIRST_ROW; !rc && y < LLAMAS_HEIGHT; y++)
        if (x[y] >= 0)
            rc = lane_set_add(set, x[y], y, err);
    if (!rc && set->lanes[set->lane_count - 1].count < 2)
        rc = refuse_lane(set, lane, "fewer than 2 points from row 300 down", err);
    return rc;
}

int llamas_label_trace(llamas_label *label, lane_set *set, lanert_error *err)
{
    static const char *const order[] = {"l1", "l0", "r0", "r1"};
    double x[LLAMAS_HEIGHT];
    int rc = rename_lanes(label, set->name, err);
    for (size_t i = 0; !rc && i < ARRAY_LEN(order); i++) {
        for (size_t j = 0; !rc && j < label->lane_count; j++)
            if (strcmp(label->lanes[j].id, order[i]) == 0 && !(rc = trace(label, &label->lanes[j], set, x, err)))
                rc = add_lane(x, &label->lanes[j], set, err);
    }
    return rc;
}
