/* road_look.h - how a drawn road looks: colours, textures and haze, put into rows of a BGR picture. */
#ifndef FRAME_ROAD_LOOK_H
#define FRAME_ROAD_LOOK_H

#include "frame/picture.h"

typedef struct look look;

/* A generator of random numbers (splitmix64), the same on every machine. */
typedef struct look_random {
    uint64_t state;
} look_random;
double look_between(look_random *random, double low, double high);

typedef struct colour {
    uint8_t bgr[3];
} colour;

/* Chooses colours and makes textures, for pictures `width` wide. */
int look_open(look_random *random, int width, look **l, lanert_error *err);
void look_close(look **l);

/* A row of the picture that shows the ground at one depth. */
typedef struct ground_row {
    uint8_t *out;
    int width;
    double depth;          /* metres */
    double driven;         /* metres along the road from its start to there */
    double metres_a_pixel; /* across */
    double zero;           /* the column of the road's middle */
} ground_row;

/* Asphalt between two places across the road, meadow beside it. */
void look_ground(const look *l, const ground_row *row, double left, double right);
/* Paint between two columns, `cover` of it there (0 to 1); edges are anti-aliased. */
void look_paint(const look *l, const ground_row *row, double from, double to, const colour *paint, double cover);

/* Sky, clouds, hills and trees down to the horizon's row; `turn`: pixels that the far view has moved left. */
void look_sky(look *l, picture *p, double horizon, double turn, double time_s);
/* A guard rail's post, and one row of its beam from its upper rim's column to its lower one's. */
void look_box(const look *l, picture *p, double left, double right, double top, double bottom, double depth);
void look_beam(const look *l, uint8_t *out, int width, double upper, double lower, double depth);

#endif
