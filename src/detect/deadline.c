#include "detect/deadline.h"

#include "base/histogram.h"
#include "frame/picture.h"

#define WARM_UPS 2
#define MIN_RUNS 3
#define MAX_RUNS 9
#define ENOUGH_MS 1000

#define GREY 114
/* Where the source does not know yet: that of most cameras. */
#define WIDTH 1280
#define HEIGHT 720

static int make_grey(const lanert_source_info *info, picture *grey, lanert_error *err)
{
    bool known = info->width > 0 && info->height > 0;
    int rc = picture_resize(grey, known ? info->width : WIDTH, known ? info->height : HEIGHT, err);
    if (!rc)
        memset(grey->bgr, GREY, (size_t)grey->height * (size_t)grey->stride);
    return rc;
}

static int time_runs(lanert_detector *det, const picture *grey, const lanert_run_options *o, histogram *times,
                     lanert_error *err)
{
    lanert_frame frame = picture_frame(grey);
    lanert_result result;
    double sum_ms = 0;
    for (int i = 0; i < WARM_UPS + MAX_RUNS; i++) {
        if (o->should_stop && o->should_stop(o->context))
            return 0;
        int rc = lanert_detect(det, &frame, 1, &result, err);
        if (rc)
            return rc;
        if (i < WARM_UPS)
            continue;
        histogram_add(times, result.latency_ms);
        sum_ms += result.latency_ms;
        if (times->total >= MIN_RUNS && sum_ms > ENOUGH_MS)
            return 0;
    }
    return 0;
}

int deadline_measure(lanert_detector *det, const lanert_source_info *info, const lanert_run_options *o,
                     double *deadline_ms, lanert_error *err)
{
    picture grey = {0};
    histogram *times = NULL;
    int rc;
    *deadline_ms = 0;
    if ((rc = memory_new(&times, 1, sizeof *times, err)) || (rc = make_grey(info, &grey, err)) ||
        (rc = time_runs(det, &grey, o, times, err)))
        goto out;
    *deadline_ms = LANERT_DEADLINE_TIMES * histogram_percentile(times, 50);
out:
    picture_free(&grey);
    FREE(times);
    return rc;
}
