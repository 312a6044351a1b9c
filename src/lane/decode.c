#include "lane/decode.h"

#include <float.h>
#include <math.h>

/* Columns of a prediction that are read here; column 3 is start_x, 4 theta. */
enum { LOGIT_NONE = 0, LOGIT_LANE = 1, START_Y = 2, LENGTH = 5, FIRST_X = 6 };

/* NaN gives low. */
static double clamp(double v, double low, double high)
{
    return v >= high ? high : v > low ? v : low;
}

/* The lane's share of a softmax in float32; NaN where the logits are not numbers. */
static float score_of(const float *row)
{
    float top = fmaxf(row[LOGIT_NONE], row[LOGIT_LANE]);
    float none = expf(row[LOGIT_NONE] - top), lane = expf(row[LOGIT_LANE] - top);
    return lane / (none + lane);
}

/* ---- NMS: the arithmetic of devIoU in nms_kernel.cu, float and double where it has them -------- */

static int nms_start(const float *row)
{
    return (int)clamp((double)(row[START_Y] * (float)NET_STRIPS) + 0.5, 0, NET_STRIPS);
}

/* −1 where the lane has no rows. */
static int nms_end(const float *row, int start)
{
    float length = row[LENGTH] * (float)NET_STRIPS;
    double end = (double)((float)start + length - 1.0f) + 0.5 - (length - 1.0f < 0);
    return (int)clamp(end, -1, NET_STRIPS);
}

/* Whether b is too near to a. A sum of distances never falls, so that it may end where it reaches the bound. */
static bool suppresses(const float *a, const float *b, float threshold)
{
    int start_a = nms_start(a), start_b = nms_start(b);
    int end_a = nms_end(a, start_a), end_b = nms_end(b, start_b);
    int start = start_a > start_b ? start_a : start_b, end = end_a < end_b ? end_a : end_b;
    if (end < start)
        return false;
    float bound = threshold * (float)(end - start + 1), distance = 0;
    for (int i = FIRST_X + start; i <= FIRST_X + end && distance < bound; i++)
        distance += fabsf(a[i] * (float)(NET_WIDTH - 1) - b[i] * (float)(NET_WIDTH - 1));
    return distance < bound;
}

/* ---- rows: predictions_to_pred ----------------------------------------------------------------- */

/* Fills in a lane's points, top row first; their count is the result. */
static int lane_points(const float *row, const decode_options *o, lane_curve *lane)
{
    const float *x = row + FIRST_X;
    float length = rintf(row[LENGTH] * (float)NET_STRIPS);
    if (isnan(length) || isnan(row[START_Y]))
        return 0;
    int start = (int)clamp(rint((double)row[START_Y] * NET_STRIPS), 0, NET_STRIPS);
    /* Rows from `end` up are dropped. It is a slice of Python there: below 0 it counts from the far end. */
    int end = start + (int)clamp(length, -2 * LANERT_LANE_POINTS, LANERT_LANE_POINTS);
    if (end < 0)
        end += LANERT_LANE_POINTS;
    if (end > LANERT_LANE_POINTS)
        end = LANERT_LANE_POINTS;
    /* Below its start the lane goes on for as long as it stays in the picture. */
    int first = start;
    while (first > 0 && x[first - 1] >= 0 && x[first - 1] <= 1)
        first--;
    lane->count = 0;
    for (int i = end - 1; i >= first; i--) {
        if (!(x[i] >= 0 && x[i] <= FLT_MAX))
            continue;
        lane->x[lane->count] = x[i];
        lane->y[lane->count++] = ((double)o->prior_ys[i] * (o->height - o->cut) + o->cut) / o->height;
    }
    return lane->count;
}

/* Writes the lane of a row behind those that are there. */
static void add_lane(const float *row, float score, const decode_options *o, lane_curve *lanes, int *count)
{
    lanes[*count].score = score;
    if (lane_points(row, o, &lanes[*count]) >= 2)
        ++*count;
}

/* ---- the two ways in --------------------------------------------------------------------------- */

static const float *row_at(const float *rows, int i)
{
    return rows + (size_t)i * NET_COLUMNS;
}

static const float *find_bad(const float *numbers, int count)
{
    for (int i = 0; i < count; i++)
        if (!isfinite(numbers[i]))
            return numbers + i;
    return NULL;
}

const float *decode_find_bad(const float *rows, int count, const decode_options *options)
{
    const float *bad = NULL;
    for (int i = 0; i < count && !bad; i++) {
        const float *row = row_at(rows, i);
        bad = find_bad(row, START_Y);
        if (!bad && score_of(row) >= options->conf)
            bad = find_bad(row, NET_COLUMNS);
    }
    return bad;
}

static int find_candidates(const float *raw, int priors, float conf, decode_scratch *s)
{
    int n = 0;
    for (int i = 0; i < priors; i++) {
        float score = score_of(row_at(raw, i));
        if (score >= conf) {
            s->score[n] = score;
            s->prior[n++] = (uint16_t)i;
        }
    }
    return n;
}

/* Of equal scores the first, which is the lower prior. */
static int best_candidate(const decode_scratch *s, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (s->score[i] > s->score[best])
            best = i;
    return best;
}

/* Takes a candidate and those near it out of the list; returns how many are left. */
static int remove_near(const float *raw, int taken, float nms_thres, decode_scratch *s, int count)
{
    const float *row = row_at(raw, s->prior[taken]);
    int left = 0;
    for (int i = 0; i < count; i++) {
        if (i == taken || suppresses(row, row_at(raw, s->prior[i]), nms_thres))
            continue;
        s->score[left] = s->score[i];
        s->prior[left++] = s->prior[i];
    }
    return left;
}

int decode_raw(const float *raw, int priors, const decode_options *options, decode_scratch *scratch, lane_curve *lanes)
{
    int count = 0, candidates = find_candidates(raw, priors, options->conf, scratch);
    for (int kept = 0; candidates > 0 && kept < options->max_lanes; kept++) {
        int best = best_candidate(scratch, candidates);
        add_lane(row_at(raw, scratch->prior[best]), scratch->score[best], options, lanes, &count);
        if (kept + 1 < options->max_lanes)
            candidates = remove_near(raw, best, options->nms_thres, scratch, candidates);
    }
    return count;
}

int decode_kept(const float *rows, int count, const decode_options *options, lane_curve *lanes)
{
    int lane_count = 0;
    for (int i = 0; i < count && i < options->max_lanes; i++) {
        float score = score_of(row_at(rows, i));
        if (!(score >= options->conf))
            break;
        add_lane(row_at(rows, i), score, options, lanes, &lane_count);
    }
    return lane_count;
}

void lane_to_pixels(const lane_curve *curve, int width, int height, lanert_lane *lane)
{
    lane->score = curve->score;
    lane->count = curve->count;
    for (int i = 0; i < curve->count; i++)
        lane->points[i] = (lanert_point){curve->x[i] * width, curve->y[i] * height};
}

void lane_from_pixels(const lanert_lane *lane, int width, int height, lane_curve *curve)
{
    curve->score = lane->score;
    curve->count = lane->count;
    for (int i = 0; i < lane->count; i++) {
        curve->x[i] = lane->points[i].x / width;
        curve->y[i] = lane->points[i].y / height;
    }
}
