/* bench_preprocess.c - how long preprocess takes on one core: medians, in milliseconds of processor time (a machine
 * may be shared), plain C beside AVX2. Run as `taskset -c 1 bench_preprocess`. */
#include <stdio.h>
#include <time.h>

#include "frame/preprocess_parts.h"

enum { RUNS = 101, WIDTH = 800, HEIGHT = 320 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *ms)
{
    qsort(ms, RUNS, sizeof *ms, rising);
    return ms[RUNS / 2];
}

static double time_run(const resize_filter *filter, nv12_row *nv12, const lanert_frame *frame, uint8_t *out)
{
    double ms[RUNS];
    preprocess *pre = NULL;
    lanert_error err;
    if (!filter || !nv12 || preprocess_open_with(filter, nv12, &pre, &err))
        return -1;
    for (int i = 0; i < RUNS; i++) {
        double start = now_ms();
        preprocess_run(pre, frame, frame->height * 270 / 590, WIDTH, HEIGHT, out, NULL);
        ms[i] = now_ms() - start;
    }
    preprocess_close(&pre);
    return median(ms);
}

static double time_nchw(const uint8_t *bgr, float *out)
{
    double ms[RUNS];
    for (int i = 0; i < RUNS; i++) {
        double start = now_ms();
        preprocess_to_nchw(bgr, WIDTH, HEIGHT, out);
        ms[i] = now_ms() - start;
    }
    return median(ms);
}

int main(void)
{
    static const int sizes[][2] = {{960, 540}, {1280, 720}, {1920, 1080}};
    static const struct {
        const char *name;
        lanert_resize resize;
        lanert_pixel_format format;
    } cases[] = {{"linear bgr", LANERT_LINEAR, LANERT_BGR},
                 {"linear nv12", LANERT_LINEAR, LANERT_NV12},
                 {"cubic bgr", LANERT_CUBIC, LANERT_BGR},
                 {"cubic nv12", LANERT_CUBIC, LANERT_NV12}};
    uint8_t *picture = malloc((size_t)1920 * 1080 * 3), *out = malloc((size_t)WIDTH * HEIGHT * 3);
    float *nchw = malloc(sizeof *nchw * WIDTH * HEIGHT * 3);
    if (!picture || !out || !nchw)
        return 1;
    for (size_t i = 0; i < (size_t)1920 * 1080 * 3; i++)
        picture[i] = (uint8_t)(i * 2654435761U >> 13);
    printf("%-12s %-10s %8s %8s\n", "", "", "C", "AVX2");
    for (size_t c = 0; c < ARRAY_LEN(cases); c++)
        for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
            int w = sizes[s][0], h = sizes[s][1], row = cases[c].format == LANERT_NV12 ? w : w * 3;
            lanert_frame frame = {.format = cases[c].format,
                                  .width = w,
                                  .height = h,
                                  .data = {picture, picture + (size_t)row * (size_t)h},
                                  .stride = {row, row}};
            printf("%-12s %4dx%-5d %8.3f %8.3f\n", cases[c].name, w, h,
                   time_run(resize_plain(cases[c].resize), nv12_plain(), &frame, out),
                   time_run(resize_avx2(cases[c].resize), nv12_avx2(), &frame, out));
        }
    printf("%-12s %4dx%-5d %8.3f\n", "to nchw", WIDTH, HEIGHT, time_nchw(out, nchw));
    free(picture);
    free(out);
    free(nchw);
    return 0;
}
