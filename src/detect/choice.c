#include "detect/choice.h"

#include <math.h>

#include "base/clock.h"
#include "detect/detector.h"
#include "engine/engine.h"
#include "frame/road.h"
#include "lane/deviation.h"

/* Of the drawn roads: the network's width, and a camera's shape. */
#define WIDTH NET_WIDTH
#define HEIGHT 450

/* The most that lanes may move in the mean, at width 800: a fifteenth of what makes another lane of one. */
#define MAX_MOVED_PX 1.0

typedef struct findings {
    lane_curve lanes[CHOICE_FRAMES][LANERT_MAX_LANES];
    int counts[CHOICE_FRAMES];
    double cpu_ms; /* the least processors' time of a frame: unlike latency, it has no other program's work in it */
} findings;

typedef struct trial {
    const model_info *info;
    lanert_detector_options options; /* the caller's, but for thresholds and cut, which are the model's own */
    picture roads[CHOICE_FRAMES];
    findings exact, reduced;
    deviation_sum deviation;
    bool slower; /* so is the precision tried last */
    char why[CHOICE_WHY];
} trial;

static int draw(picture *roads, lanert_error *err)
{
    int rc = 0;
    for (int i = 0; !rc && i < CHOICE_FRAMES; i++) {
        road *r = NULL;
        if (!(rc = road_open((uint64_t)i + 1, WIDTH, HEIGHT, &r, err)))
            rc = road_draw(r, i, &roads[i], err);
        road_close(&r);
    }
    return rc;
}

static int look(lanert_detector *det, const picture *roads, findings *found, lanert_error *err)
{
    lanert_frame frames[CHOICE_FRAMES];
    lanert_result results[CHOICE_FRAMES];
    int batch = detector_batch(det);
    found->cpu_ms = INFINITY;
    for (int i = 0; i < CHOICE_FRAMES; i++)
        frames[i] = picture_frame(&roads[i]);
    for (int done = 0, group; done < CHOICE_FRAMES; done += group) {
        group = batch < CHOICE_FRAMES - done ? batch : CHOICE_FRAMES - done;
        int64_t began = clock_cpu_ns();
        int rc = lanert_detect(det, frames + done, group, results, err);
        if (rc)
            return rc;
        found->cpu_ms = fmin(found->cpu_ms, NS_TO_MS(clock_cpu_ns() - began) / group);
        for (int i = 0; i < group; i++) {
            found->counts[done + i] = results[i].count;
            for (int k = 0; k < results[i].count; k++)
                lane_from_pixels(&results[i].lanes[k], WIDTH, HEIGHT, &found->lanes[done + i][k]);
        }
    }
    return 0;
}

/* Whether lanes were found, the same ones, and with less work; why (not) is said. Instructions for a precision may be
 * slower than those for float32: AVX512-FP16 takes 1.6 times as long in OpenVINO 2026.4. */
static bool agrees(trial *t, const char *name)
{
    deviation_start(t->info, &t->deviation);
    for (int i = 0; i < CHOICE_FRAMES; i++)
        deviation_add_lanes(&t->deviation, t->exact.lanes[i], t->exact.counts[i], t->reduced.lanes[i],
                            t->reduced.counts[i]);
    lanert_deviation d = deviation_result(&t->deviation);
    bool same = d.lanes && !d.lost && !d.gained && d.moved_px <= MAX_MOVED_PX;
    t->slower = t->reduced.cpu_ms >= t->exact.cpu_ms;
    if (!d.lanes)
        snprintf(t->why, sizeof t->why, "drawn roads prove nothing of %s: no lanes are found in them", name);
    else if (same && t->slower)
        snprintf(t->why, sizeof t->why,
                 "%s finds the same %d lanes of drawn roads, but is slower: %.1f ms of processors' time for %.1f", name,
                 d.lanes, t->reduced.cpu_ms, t->exact.cpu_ms);
    else if (same)
        snprintf(t->why, sizeof t->why, "%s finds the same %d lanes of drawn roads, %.2f pixels apart at width %d",
                 name, d.lanes, d.moved_px, NET_WIDTH);
    else
        snprintf(t->why, sizeof t->why,
                 "of %d lanes of drawn roads, %s loses %d, adds %d, and moves the others by %.2f pixels at width %d",
                 d.lanes, name, d.lost, d.gained, d.moved_px, NET_WIDTH);
    return same && !t->slower;
}

/* Opens the detector in that precision, and leaves it open where it will do. */
static bool try_precision(trial *t, lanert_precision precision, lanert_detector **det)
{
    const char *name = lanert_precision_name(precision);
    lanert_error why;
    t->options.precision = precision;
    if (detector_open(t->info, &t->options, det, &why) || look(*det, t->roads, &t->reduced, &why))
        snprintf(t->why, sizeof t->why, "%s fails: %.180s", name, why.text);
    else if (agrees(t, name))
        return true;
    lanert_detector_close(det);
    return false;
}

/* *det is open with the caller's options. Closes it, and may open another instead. bf16 comes first: what multiplies
 * matrices in fp16 does so in bf16, but not the other way round; where bf16 is no faster, fp16 is not tried. */
static void try_all(trial *t, unsigned reduced, lanert_detector **det)
{
    static const lanert_precision candidates[] = {LANERT_BF16, LANERT_FP16};
    lanert_error why;
    int rc = detector_set_thresholds(*det, &t->options, &why);
    if (!rc && !(rc = draw(t->roads, &why)))
        rc = look(*det, t->roads, &t->exact, &why);
    lanert_detector_close(det);
    if (rc)
        snprintf(t->why, sizeof t->why, "drawn roads cannot be tried: %.180s", why.text);
    for (size_t i = 0; !rc && !*det && !t->slower && i < ARRAY_LEN(candidates); i++)
        if (reduced & PRECISION_BIT(candidates[i]))
            try_precision(t, candidates[i], det);
}

int choice_open(const model_info *info, const lanert_detector_options *options, lanert_detector **det,
                lanert_error *err)
{
    lanert_detector_options own, asked;
    trial *t = NULL;
    lanert_detector_defaults(&own);
    asked = options ? *options : own;
    int rc = detector_open(info, &asked, det, err);
    unsigned reduced = rc || asked.precision != LANERT_PRECISION_AUTO ? 0 : detector_reduced(*det);
    if (!reduced)
        return rc;
    if ((rc = memory_new(&t, 1, sizeof *t, err))) {
        lanert_detector_close(det);
        return rc;
    }
    t->info = info;
    asked.device = "cpu"; /* where it is reduced: a GPU that it fell back from is not tried again */
    t->options = asked;
    t->options.conf = own.conf;
    t->options.nms_thres = own.nms_thres;
    t->options.max_lanes = own.max_lanes;
    t->options.cut = own.cut;
    try_all(t, reduced, det);
    if (*det)
        rc = detector_set_thresholds(*det, &asked, err);
    else
        rc = detector_open(info, &asked, det, err);
    if (!rc)
        detector_set_why(*det, t->why);
    for (int i = 0; i < CHOICE_FRAMES; i++)
        picture_free(&t->roads[i]);
    free(t);
    return rc;
}
