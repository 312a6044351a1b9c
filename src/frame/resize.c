#include "frame/resize.h"

const resize_filter *resize_best(lanert_resize resize)
{
    const resize_filter *avx2 = resize_avx2(resize);
    return avx2 ? avx2 : resize_plain(resize);
}

static int axis_reserve(resize_axis *axis, const resize_filter *filter, size_t out, lanert_error *err)
{
    if (out <= axis->capacity)
        return 0;
    resize_axis_free(axis);
    int rc = memory_aligned(&axis->taps, out * (size_t)filter->taps * sizeof *axis->taps, err);
    if (!rc)
        rc = memory_aligned(&axis->weights, out * (size_t)filter->taps * filter->weight_size, err);
    if (rc)
        resize_axis_free(axis);
    else
        axis->capacity = out;
    return rc;
}

int resize_axis_set(resize_axis *axis, const resize_filter *filter, int in, int out, lanert_error *err)
{
    if (axis->in == in && axis->out == out)
        return 0;
    int rc = axis_reserve(axis, filter, (size_t)out, err);
    if (rc)
        return rc;
    int n = filter->taps;
    char *weights = axis->weights;
    double scale = (double)in / out;
    axis->inner = 0;
    for (int i = 0; i < out; i++) {
        int first = filter->weigh((i + 0.5) * scale - 0.5, weights + (size_t)i * (size_t)n * filter->weight_size);
        for (int k = 0; k < n; k++) {
            int tap = first + k;
            axis->taps[i * n + k] = tap < 0 ? 0 : tap >= in ? in - 1 : tap;
        }
        if (first < 0)
            axis->inner = i + 1;
    }
    axis->in = in;
    axis->out = out;
    return 0;
}

void resize_axis_free(resize_axis *axis)
{
    free(axis->taps);
    free(axis->weights);
    *axis = (resize_axis){0};
}
