/* golden.h - the reference's raw predictions, and how each was decoded. */
#ifndef TESTS_LANE_GOLDEN_H
#define TESTS_LANE_GOLDEN_H

#include "lane/decode.h"
#include "model/heights.h"
#include "support/testing.h"

#define GOLDEN_PRIORS 192
#define GOLDEN_FLOATS (GOLDEN_PRIORS * NET_COLUMNS)

typedef struct golden_case {
    const char *name;
    decode_options options;
    int width, height; /* of the data set's pictures */
} golden_case;

/* Filled in by golden_setup. */
static float golden_heights[HEIGHTS_COUNT];

static const golden_case golden_cases[] = {
    {"resnet18-culane-seed2", {0.4f, 50, 4, 270, 590, golden_heights}, 1640, 590},
    {"resnet18-culane-seed4", {0.4f, 50, 4, 270, 590, golden_heights}, 1640, 590},
    {"resnet34-culane-seed4", {0.4f, 50, 4, 270, 590, golden_heights}, 1640, 590},
    {"resnet101-culane-seed4", {0.4f, 50, 4, 270, 590, golden_heights}, 1640, 590},
    {"resnet18-tusimple-seed4", {0.4f, 50, 5, 160, 720, golden_heights}, 1280, 720},
    {"dla34-llamas-seed7", {0.45f, 50, 4, 300, 717, golden_heights}, 1276, 717},
};

static const char *const golden_images[] = {"adv_straight_lines1", "adv_test1", "p1_solidWhiteRight",
                                            "p1_solidYellowCurve2"};

/* Of a group of tests. */
static inline int golden_setup(void **state)
{
    (void)state;
    heights_even(golden_heights);
    return 0;
}

/* "reference/goldens/<case>/<image><extension>", static memory. */
static inline const char *golden_path(const golden_case *c, const char *image, const char *extension)
{
    static char name[512];
    snprintf(name, sizeof name, "reference/goldens/%s/%s%s", c->name, image, extension);
    return SHARED(name);
}

static inline void golden_read(const golden_case *c, const char *image, float *raw)
{
    lanert_error err;
    file_map map;
    assert_ok(file_map_open(golden_path(c, image, ".f32"), 0, &map, &err));
    assert_int_equal(map.size, GOLDEN_FLOATS * sizeof *raw);
    memcpy(raw, map.data, map.size);
    file_map_close(&map);
}

#endif
