/* figures.h - a run's figures as texts that can be read while it runs: frame rate, latency, lanes. */
#ifndef SINK_FIGURES_H
#define SINK_FIGURES_H

#include <lanert/lanert.h>

#define FIGURES_WINDOW 32 /* results that the frame rate is the mean of */

/* Zero-initialise. */
typedef struct figures {
    int64_t times[FIGURES_WINDOW]; /* ns, of the last results, a ring */
    int64_t count;                 /* results so far */
    double latency_sum;            /* ms, since the texts were last renewed */
    int latency_count;
    int64_t renewed; /* ns, when that was */
    char rate[16];   /* frames a second; empty until two results came */
    char latency[16];
    char lanes[16];
    bool late; /* this result, past its deadline */
} figures;

/* Takes in one more result, at `now` of the monotonic clock (ns). True where a text is now another. The
 * lanes, and whether it is late, are this result's; rate and latency are renewed four times a second, as nobody reads
 * faster. */
bool figures_add(figures *f, int64_t now, const lanert_result *result);

#endif
