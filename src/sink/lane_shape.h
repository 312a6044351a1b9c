/* lane_shape.h - lanes made ready to be drawn: sound points, and each lane's place on the road. */
#ifndef SINK_LANE_SHAPE_H
#define SINK_LANE_SHAPE_H

#include <lanert/lanert.h>

typedef struct lane_shape {
    float score;
    int count; /* 2 to LANERT_LANE_POINTS */
    lanert_point
        points[LANERT_LANE_POINTS]; /* pixels, finite, y strictly rising, no further than one picture outside */
    double slope;                   /* pixels to the right for each downwards, at the near end */
    double foot_x;                  /* where it meets the picture's lower edge, extended straight to there */
    int place; /* -1, -2 …: first, second … to the left of the picture's middle; 1, 2 …: to the right */
} lane_shape;

/* Of `count` lanes those that have two sound points at least, left to right. Returns how many. */
int lane_shapes_make(const lanert_lane *lanes, int count, int width, int height, lane_shape shapes[LANERT_MAX_LANES]);

/* The one of that place, or NULL. */
const lane_shape *lane_shape_find(const lane_shape *shapes, int count, int place);

/* x at row y: straight between points, and on from the near end by its slope. */
double lane_shape_x(const lane_shape *s, double y);

#endif
