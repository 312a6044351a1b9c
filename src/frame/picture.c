#include "frame/picture.h"

#define SLACK 64

int picture_check_size(int width, int height, lanert_error *err)
{
    if (width < 1 || height < 1)
        return error_set(err, LANERT_EFORMAT, "its size is %d×%d pixels; a picture has at least one", width, height);
    if (width > PICTURE_MAX_SIDE || height > PICTURE_MAX_SIDE || (int64_t)width * height > PICTURE_MAX_PIXELS)
        return error_set(
            err, LANERT_ELIMIT,
            "its size is %d×%d pixels; at most %d a side and %lld million in all are taken: make it smaller", width,
            height, PICTURE_MAX_SIDE, (long long)(PICTURE_MAX_PIXELS / 1000000));
    return 0;
}

int picture_resize(picture *p, int width, int height, lanert_error *err)
{
    int rc = picture_check_size(width, height, err);
    if (rc)
        return rc;
    int stride = (width * 3 + 63) / 64 * 64;
    size_t need = (size_t)stride * (size_t)height + SLACK;
    if (need > p->capacity) {
        FREE(p->bgr);
        p->capacity = 0;
        p->width = p->height = p->stride = 0;
        if ((rc = memory_aligned(&p->bgr, need, err)))
            return rc;
        p->capacity = need;
    }
    p->width = width;
    p->height = height;
    p->stride = stride;
    return 0;
}

int picture_orient(const picture *from, int orientation, picture *to, lanert_error *err)
{
    /* Each orientation is a transposition or none, then a mirroring of the source's x, its y, or both. */
    bool transposed = orientation >= 5;
    bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    int rc = transposed ? picture_resize(to, from->height, from->width, err)
                        : picture_resize(to, from->width, from->height, err);
    if (rc)
        return rc;
    ptrdiff_t step_x = mirror_x ? -3 : 3, step_y = mirror_y ? -from->stride : from->stride;
    const uint8_t *corner = from->bgr + (mirror_x ? (from->width - 1) * 3 : 0) +
                            (mirror_y ? (ptrdiff_t)(from->height - 1) * from->stride : 0);
    ptrdiff_t along = transposed ? step_y : step_x, down = transposed ? step_x : step_y;
    for (int y = 0; y < to->height; y++) {
        uint8_t *out = to->bgr + (ptrdiff_t)y * to->stride;
        for (int x = 0; x < to->width; x++)
            memcpy(out + x * 3, corner + y * down + x * along, 3);
    }
    return 0;
}

void picture_free(picture *p)
{
    free(p->bgr);
    free(p->truth);
    *p = (picture){0};
}

lanert_frame picture_frame(const picture *p)
{
    return (lanert_frame){
        .format = LANERT_BGR,
        .width = p->width,
        .height = p->height,
        .data = {p->bgr},
        .stride = {p->stride},
        .index = p->index,
        .time_s = p->time_s,
        .damaged = p->damaged,
        .path = *p->path ? p->path : NULL,
        .name = p->name,
        .truth = p->truth_count > 0 ? p->truth : NULL,
        .truth_count = p->truth_count,
    };
}
