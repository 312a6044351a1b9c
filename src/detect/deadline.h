/* deadline.h - how late a result may come where nobody says: LANERT_AUTO_DEADLINE. */
#ifndef DETECT_DEADLINE_H
#define DETECT_DEADLINE_H

#include <lanert/lanert.h>

/* LANERT_DEADLINE_TIMES times the median of what one grey picture takes, of the source's size and with nothing else of
 * ours under way: nine of them, or as many as a second has room for, but at least three, after two that warm up. Ends
 * early where o->should_stop says so, and is 0 where nothing was measured until then. */
int deadline_measure(lanert_detector *det, const lanert_source_info *info, const lanert_run_options *o,
                     double *deadline_ms, lanert_error *err);

#endif
