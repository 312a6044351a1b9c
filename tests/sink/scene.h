/* scene.h - a picture of four flat colours, and lanes on it, for tests of what is drawn and written. */
#ifndef TESTS_SCENE_H
#define TESTS_SCENE_H

#include <stdlib.h>
#include <string.h>

#include <lanert/lanert.h>

/* B, G, R of the quarters: upper left, upper right, lower left, lower right. */
static const uint8_t quarter_colours[4][3] = {{200, 60, 40}, {50, 180, 60}, {40, 50, 190}, {128, 128, 128}};

/* BGR or RGB, to be freed. */
static inline uint8_t *scene_pixels(int width, int height, bool rgb)
{
    uint8_t *p = malloc((size_t)width * (size_t)height * 3);
    for (int y = 0; p && y < height; y++)
        for (int x = 0; x < width; x++) {
            const uint8_t *c = quarter_colours[(y >= height / 2) * 2 + (x >= width / 2)];
            uint8_t *at = p + ((size_t)y * (size_t)width + (size_t)x) * 3;
            for (int i = 0; i < 3; i++)
                at[i] = c[rgb ? 2 - i : i];
        }
    return p;
}

static inline lanert_frame scene_frame(const uint8_t *bgr, int width, int height)
{
    return (lanert_frame){.format = LANERT_BGR, .width = width, .height = height, .data = {bgr}, .stride = {width * 3}};
}

/* Straight down from (x0, y0) to (x1, y1). */
static inline lanert_lane scene_lane(double x0, double y0, double x1, double y1, float score)
{
    lanert_lane lane = {.score = score, .count = 30};
    for (int i = 0; i < lane.count; i++) {
        double t = i / 29.0;
        lane.points[i] = (lanert_point){x0 + (x1 - x0) * t, y0 + (y1 - y0) * t};
    }
    return lane;
}

#endif
