/* fuzz_lane_file.c - any bytes as a file of lanes of each kind; what is read is drawn and measured. */
#include <math.h>

#include "eval/overlap.h"
#include "eval/tusimple.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())
#define MOST_POINTS 200 /* of a lane that is drawn: more is only slow */

static void check_set(const lane_set *set)
{
    size_t points = 0;
    CHECK(set->lane_count <= LANE_SET_MAX_LANES);
    for (size_t i = 0; i < set->lane_count; i++) {
        CHECK(set->lanes[i].first == points && set->lanes[i].line >= 1);
        points += set->lanes[i].count;
    }
    CHECK(points == set->point_count);
    for (size_t i = 0; i < points; i++)
        CHECK(fabs(set->points[i].x) <= LANE_SET_MAX_COORDINATE && fabs(set->points[i].y) <= LANE_SET_MAX_COORDINATE);
}

static void measure(const overlap_rules *rules, const lane_set *predicted, const lane_set *truth)
{
    overlap o;
    uint16_t hits[LANERT_VAL_THRESHOLDS];
    if (predicted->point_count > MOST_POINTS || predicted->lane_count > 8)
        return;
    CHECK(!overlap_open(&o, rules, NULL));
    if (!overlap_score(&o, predicted, truth, hits, NULL))
        for (int t = 0; t < LANERT_VAL_THRESHOLDS; t++)
            CHECK(hits[t] <= predicted->lane_count && hits[t] <= truth->lane_count && (!t || hits[t] <= hits[t - 1]));
    overlap_close(&o);
}

/* The first byte says which kind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lane_set set = {0};
    tusimple_frame frame = {0};
    tusimple_score score;
    if (!size)
        return 0;
    const char *text = (const char *)data + 1;
    switch (data[0] % 4) {
    case 0:
        if (!lanes_read_text(text, size - 1, "fuzz", &set, NULL)) {
            check_set(&set);
            measure(&overlap_culane, &set, &set);
        }
        break;
    case 1:
        if (!llamas_read_label(text, size - 1, "fuzz", &set, NULL)) {
            check_set(&set);
            CHECK(set.lane_count <= 4);
            measure(&overlap_llamas, &(lane_set){.name = "none"}, &set);
        }
        break;
    case 2:
        if (!tusimple_read(text, size - 1, "fuzz", 1, TUSIMPLE_LABEL, &frame, NULL)) {
            check_set(&frame.lanes);
            CHECK(!tusimple_bench(&frame, &frame, &score, NULL));
            CHECK(score.accuracy >= 0 && score.accuracy <= 1 && score.fn >= 0 && score.fn <= 1);
        }
        break;
    default:
        if (!tusimple_read(text, size - 1, "fuzz", 1, TUSIMPLE_PREDICTION, &frame, NULL))
            check_set(&frame.lanes);
    }
    lane_set_free(&set);
    tusimple_frame_free(&frame);
    return 0;
}
