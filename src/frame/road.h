/* road.h - a drawn road seen by a forward camera, its lanes known. */
#ifndef FRAME_ROAD_H
#define FRAME_ROAD_H

#include "frame/picture.h"

typedef struct road road;

/* The seed chooses the road: lanes, their widths and colours, the curves, the light, the speed. */
int road_open(uint64_t seed, int width, int height, road **r, lanert_error *err);
void road_close(road **r);

/* Draws what the camera sees `time_s` seconds after the start into p, and all lane lines in sight, left to
 * right, into p->truth. The same seed, size and time give the same picture. */
int road_draw(road *r, double time_s, picture *p, lanert_error *err);

#endif
