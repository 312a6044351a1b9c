/* heights.h - how high a lane's rows lie, 1 (the bottom of the network's input) to 0: heads.prior_ys, which a
 * checkpoint may hold rounded to 16 bits, and the reference then goes by. */
#ifndef MODEL_HEIGHTS_H
#define MODEL_HEIGHTS_H

#include "base/error.h"

#define HEIGHTS_COUNT LANERT_LANE_POINTS
/* Bytes of them as a text, which is decimals with a space between, the bottom row first. */
#define HEIGHTS_TEXT 2048

/* 72 even steps from 1 to 0, each the nearest float32. */
void heights_even(float *heights);
/* LANERT_EFORMAT where one is not from 0 to 1, or further from its even step than 16 bits round it; so they fall. */
int heights_check(const float *heights, lanert_error *err);

void heights_format(const float *heights, char text[HEIGHTS_TEXT]);
/* To the bit what was formatted. LANERT_EFORMAT where the text is anything else, or heights_check refuses them; heights
 * are then anything. */
int heights_parse(const char *text, float *heights, lanert_error *err);

#endif
