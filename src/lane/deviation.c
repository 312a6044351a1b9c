#include "lane/deviation.h"

#include <math.h>
#include <stdlib.h>

void deviation_start(const model_info *model, deviation_sum *d)
{
    const lanert_preset *p = &model->preset;
    *d = (deviation_sum){.options = {.conf = p->conf,
                                     .nms_thres = p->nms_thres,
                                     .max_lanes = p->max_lanes,
                                     .cut = p->cut_height,
                                     .height = p->ori_height,
                                     .prior_ys = model->prior_ys},
                         .priors = model->priors,
                         .selects = model->selects};
}

static int by_size(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return isnan(p) || isnan(q) ? isnan(p) - isnan(q) : (p > q) - (p < q);
}

/* The score is the logistic function of the logits' difference. */
static void take_logits(const deviation_sum *d, const float *rows, double *logits)
{
    for (int i = 0; i < d->priors; i++, rows += NET_COLUMNS)
        logits[i] = (double)rows[1] - (double)rows[0];
    if (d->selects)
        qsort(logits, (size_t)d->priors, sizeof *logits, by_size);
}

/* A row is the same prior's in both; but where priors are selected, one that takes another's place moves all rows
 * between them: there the logits of one rank are compared. */
static void add_noise(deviation_sum *d, const float *was, const float *is)
{
    take_logits(d, was, d->logits[0]);
    take_logits(d, is, d->logits[1]);
    for (int i = 0; i < d->priors; i++) {
        double signal = d->logits[0][i], noise = d->logits[1][i] - signal;
        d->signal += signal * signal;
        d->noise += noise * noise;
    }
}

/* Pixels apart, in the mean over the rows that both have; INFINITY where there are none. */
static double distance(const lane_curve *a, const lane_curve *b)
{
    double sum = 0;
    int rows = 0, i = 0, k = 0;
    while (i < a->count && k < b->count) {
        if (a->y[i] < b->y[k]) {
            i++;
        } else if (a->y[i] > b->y[k]) {
            k++;
        } else {
            sum += fabs(a->x[i++] - b->x[k++]) * NET_WIDTH;
            rows++;
        }
    }
    return rows ? sum / rows : INFINITY;
}

/* Each lane, best first, takes the nearest of those that are left. */
void deviation_add_lanes(deviation_sum *d, const lane_curve *was, int was_count, const lane_curve *is, int is_count)
{
    bool taken[LANERT_MAX_LANES] = {false};
    int matched = 0;
    for (int i = 0; i < was_count; i++) {
        int nearest = -1;
        double least = DEVIATION_SAME_PX;
        for (int k = 0; k < is_count; k++) {
            double apart = taken[k] ? INFINITY : distance(&was[i], &is[k]);
            if (apart <= least) {
                least = apart;
                nearest = k;
            }
        }
        if (nearest < 0)
            continue;
        taken[nearest] = true;
        d->moved += least;
        matched++;
    }
    d->lanes += was_count;
    d->lost += was_count - matched;
    d->gained += is_count - matched;
}

void deviation_add(deviation_sum *d, const float *was, const float *is)
{
    lane_curve before[LANERT_MAX_LANES], after[LANERT_MAX_LANES];
    add_noise(d, was, is);
    int count = decode_raw(was, d->priors, &d->options, &d->scratch, before);
    deviation_add_lanes(d, before, count, after, decode_raw(is, d->priors, &d->options, &d->scratch, after));
}

/* What is not finite is all noise. */
lanert_deviation deviation_result(const deviation_sum *d)
{
    int matched = d->lanes - d->lost;
    double noise = isfinite(d->noise) ? d->noise : INFINITY;
    return (lanert_deviation){.snr_db = noise > 0 ? 10 * log10(d->signal / noise) : INFINITY,
                              .lanes = d->lanes,
                              .lost = d->lost,
                              .gained = d->gained,
                              .moved_px = matched ? d->moved / matched : 0};
}
