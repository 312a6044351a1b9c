/* preset.h - what a data set fixes. lanert_preset is public; here is what rooms above need of it. */
#ifndef MODEL_PRESET_H
#define MODEL_PRESET_H

#include "base/error.h"

/* The network's input, and the lanes' rows, the same in every configuration of the reference. */
#define NET_WIDTH 800
#define NET_HEIGHT 320
#define NET_STRIPS (LANERT_LANE_POINTS - 1)
/* Columns of a raw prediction: 2 logits, start_y, start_x, theta, length, 72 x. */
#define NET_COLUMNS (6 + LANERT_LANE_POINTS)
/* The most priors a model may have. */
#define NET_MAX_PRIORS 4096

/* LANERT_EFORMAT where a field (of a file's metadata, say) is out of its range, with its name and value. */
int preset_check(const lanert_preset *preset, lanert_error *err);

/* int(cut_height · height / ori_height): rows to cut off a picture of that height, as the reference does. */
int preset_cut_rows(const lanert_preset *preset, int height);

#endif
