/* overlay.h - lanes, their scores and the run's figures, drawn over a picture. */
#ifndef SINK_OVERLAY_H
#define SINK_OVERLAY_H

#include "base/error.h"

typedef struct overlay overlay;

/* `title` (may be NULL) is copied. `truth`: the frames' own lanes are drawn too. */
int overlay_open(const char *title, bool truth, overlay **o, lanert_error *err);
void overlay_close(overlay **o);

/* Draws onto BGRA memory that already holds the frame's picture, width × height of the frame. Keeps a
 * running frame rate of the results that it was given. Lanes keep their colour by their place on the
 * road (left to right), not by their score's order. */
int overlay_draw(overlay *o, uint8_t *bgra, int stride, const lanert_frame *frame, const lanert_result *result,
                 lanert_error *err);

#endif
