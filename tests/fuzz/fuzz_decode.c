/* fuzz_decode.c - any floats a network may emit: decoded, to pixels and back, and written in every lane file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lane/lane_file.h"
#include "model/heights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_PRIORS 192

#define CHECK(condition) ((condition) ? (void)0 : abort())

static void check_lane(const lane_curve *lane, float conf)
{
    CHECK(lane->count >= 2 && lane->count <= LANERT_LANE_POINTS);
    CHECK(lane->score >= conf && lane->score <= 1);
    for (int i = 0; i < lane->count; i++) {
        CHECK(isfinite(lane->x[i]) && lane->x[i] >= 0);
        CHECK(lane->y[i] >= 0 && lane->y[i] <= 1);
        CHECK(!i || lane->y[i] > lane->y[i - 1]);
    }
}

static void check_files(const lane_curve *lanes, int count, buffer *text)
{
    buffer_clear(text);
    CHECK(!lane_file_culane(lanes, count, text, NULL));
    buffer_clear(text);
    CHECK(!lane_file_llamas(lanes, count, text, NULL));
    buffer_clear(text);
    CHECK(!lane_file_tusimple("clip", 1, lanes, count, text, NULL));
}

/* Any heights that a model may tell: 0 gives even steps. */
static void make_heights(uint32_t seed, float *heights)
{
    heights_even(heights);
    for (int i = 0; seed && i < HEIGHTS_COUNT; i++) {
        seed = seed * 1664525u + 1013904223u;
        float moved = heights[i] + ((float)(seed >> 8) * 0x1p-23f - 1) * 0x1p-9f;
        heights[i] = moved < 0 ? 0 : moved > 1 ? 1 : moved;
    }
    CHECK(!heights_check(heights, NULL));
}

/* 4 bytes of options, 2 of a picture's size, 1 of heights, then rows of 78 float32, the last one filled up with zeros.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const float thresholds[] = {0, 1e-30f, 10, 50, 1000, 3e38f};
    static float raw[MOST_PRIORS * NET_COLUMNS];
    static decode_scratch scratch;
    static lane_curve lanes[LANERT_MAX_LANES], kept[LANERT_MAX_LANES];
    static buffer text;
    static float heights[HEIGHTS_COUNT];
    if (size < 7)
        return 0;
    decode_options o = {
        (float)data[0] / 255, thresholds[data[1] % 6], 1 + data[2] % LANERT_MAX_LANES, data[3], 256, heights};
    make_heights(data[6], heights);
    int width = 1 + data[4] * 64, height = 1 + data[5] * 64;
    data += 7, size -= 7;
    if (size > sizeof raw)
        size = sizeof raw;
    memset(raw, 0, sizeof raw);
    memcpy(raw, data, size);
    int priors = (int)((size + NET_COLUMNS * sizeof *raw - 1) / (NET_COLUMNS * sizeof *raw));

    const float *bad = decode_find_bad(raw, priors, &o);
    CHECK(!bad || (bad >= raw && bad < raw + priors * NET_COLUMNS && !isfinite(*bad)));

    int count = decode_raw(raw, priors, &o, &scratch, lanes);
    CHECK(count >= 0 && count <= o.max_lanes && count <= priors);
    for (int i = 0; i < count; i++) {
        lanert_lane pixels;
        check_lane(&lanes[i], o.conf);
        CHECK(!i || lanes[i].score <= lanes[i - 1].score);
        lane_to_pixels(&lanes[i], width, height, &pixels);
        lane_from_pixels(&pixels, width, height, &kept[i]);
        CHECK(!memcmp(kept[i].x, lanes[i].x, (size_t)lanes[i].count * sizeof *lanes[i].x));
    }
    check_files(lanes, count, &text);
    check_files(kept, count, &text);

    count = decode_kept(raw, priors, &o, kept);
    CHECK(count >= 0 && count <= o.max_lanes);
    for (int i = 0; i < count; i++)
        check_lane(&kept[i], o.conf);
    return 0;
}
