#include "frame/preprocess.h"

#include "frame/picture.h"
#include "frame/preprocess_parts.h"

struct preprocess {
    const resize_filter *filter;
    nv12_row *nv12;
    resize_axis across, down;
    /* Rows of the picture resampled across, line_size bytes apart; row y lies in slot y % taps. */
    char *lines;
    size_t line_size, lines_capacity;
    int line_row[RESIZE_MAX_TAPS]; /* −1: none */
    uint8_t *bgr;                  /* one row of an NV12 frame */
    size_t bgr_capacity;
};

int preprocess_open(lanert_resize resize, preprocess **pre, lanert_error *err)
{
    *pre = NULL;
    if (resize != LANERT_LINEAR && resize != LANERT_CUBIC)
        return error_set(err, LANERT_EINVAL, "resize: %d is no way of resizing; expected LANERT_LINEAR or LANERT_CUBIC",
                         (int)resize);
    return preprocess_open_with(resize_best(resize), nv12_best(), pre, err);
}

int preprocess_open_with(const resize_filter *filter, nv12_row *nv12, preprocess **pre, lanert_error *err)
{
    int rc = memory_new(pre, 1, sizeof **pre, err);
    if (rc)
        return rc;
    (*pre)->filter = filter;
    (*pre)->nv12 = nv12;
    return 0;
}

void preprocess_close(preprocess **pre)
{
    if (!*pre)
        return;
    resize_axis_free(&(*pre)->across);
    resize_axis_free(&(*pre)->down);
    free((*pre)->lines);
    free((*pre)->bgr);
    FREE(*pre);
}

static int check_plane(const lanert_frame *frame, int plane, int least, lanert_error *err)
{
    if (!frame->data[plane])
        return error_set(err, LANERT_EINVAL, "frame: data[%d] is NULL; expected the picture's memory", plane);
    if (frame->stride[plane] < least)
        return error_set(err, LANERT_EINVAL,
                         "frame: stride[%d] is %d bytes; a picture %d pixels wide in this format takes at least %d",
                         plane, frame->stride[plane], frame->width, least);
    return 0;
}

static int check_frame(const lanert_frame *frame, int cut_rows, lanert_error *err)
{
    if (frame->width < 1 || frame->width > PICTURE_MAX_SIDE || frame->height < 1 || frame->height > PICTURE_MAX_SIDE)
        return error_set(err, LANERT_EINVAL, "frame: its size is %d×%d; expected 1 to %d pixels a side", frame->width,
                         frame->height, PICTURE_MAX_SIDE);
    if (cut_rows < 0 || cut_rows >= frame->height)
        return error_set(err, LANERT_EINVAL, "cut: %d rows cannot be cut off a frame of %d; expected 0 to %d", cut_rows,
                         frame->height, frame->height - 1);
    switch (frame->format) {
    case LANERT_BGR:
    case LANERT_RGB:
        return check_plane(frame, 0, frame->width * 3, err);
    case LANERT_NV12:
        if ((int)frame->colour < LANERT_BT601_LIMITED || frame->colour > LANERT_BT709_FULL)
            return error_set(err, LANERT_EINVAL,
                             "frame: colour is %d; expected one of LANERT_BT601_LIMITED to LANERT_BT709_FULL",
                             (int)frame->colour);
        int rc = check_plane(frame, 0, frame->width, err);
        return rc ? rc : check_plane(frame, 1, (frame->width + 1) / 2 * 2, err);
    }
    return error_set(err, LANERT_EINVAL, "frame: format is %d; expected LANERT_BGR, LANERT_RGB or LANERT_NV12",
                     (int)frame->format);
}

/* At least `bytes` at *space, whose content is lost where it has to grow. */
static int reserve(void *space, size_t *capacity, size_t bytes, lanert_error *err)
{
    void *old, *new;
    if (bytes <= *capacity)
        return 0;
    int rc = memory_aligned(&new, bytes, err);
    if (rc)
        return rc;
    memcpy(&old, space, sizeof old);
    free(old);
    memcpy(space, &new, sizeof new);
    *capacity = bytes;
    return 0;
}

static int set_size(preprocess *pre, const lanert_frame *frame, int cut_rows, int out_width, int out_height,
                    lanert_error *err)
{
    const resize_filter *filter = pre->filter;
    int rc = resize_axis_set(&pre->across, filter, frame->width, out_width, err);
    if (!rc)
        rc = resize_axis_set(&pre->down, filter, frame->height - cut_rows, out_height, err);
    /* A multiple of 64, so that every line keeps the first one's alignment. */
    pre->line_size = ((size_t)out_width * 3 * filter->sample_size + RESIZE_LINE_PADDING + 63) / 64 * 64;
    if (!rc)
        rc = reserve(&pre->lines, &pre->lines_capacity, pre->line_size * (size_t)filter->taps, err);
    if (!rc && frame->format == LANERT_NV12)
        rc = reserve(&pre->bgr, &pre->bgr_capacity, (size_t)frame->width * 3 + NV12_ROW_PADDING, err);
    return rc;
}

/* Row y of the frame in three channels; borrowed until the next call. */
static const uint8_t *row_of(preprocess *pre, const lanert_frame *frame, int y)
{
    const uint8_t *row = frame->data[0] + (size_t)y * (size_t)frame->stride[0];
    if (frame->format != LANERT_NV12)
        return row;
    pre->nv12(row, frame->data[1] + (size_t)(y / 2) * (size_t)frame->stride[1], frame->width, frame->colour, pre->bgr);
    return pre->bgr;
}

/* Row y below the cut, resampled across: kept from before, or made now. */
static const void *line_of(preprocess *pre, const lanert_frame *frame, int cut_rows, int y)
{
    int slot = y % pre->filter->taps;
    char *line = pre->lines + (size_t)slot * pre->line_size;
    if (pre->line_row[slot] != y) {
        pre->filter->across(row_of(pre, frame, cut_rows + y), &pre->across, frame->format == LANERT_RGB, line);
        pre->line_row[slot] = y;
    }
    return line;
}

int preprocess_run(preprocess *pre, const lanert_frame *frame, int cut_rows, int out_width, int out_height,
                   uint8_t *out, lanert_error *err)
{
    const resize_filter *filter = pre->filter;
    int rc = check_frame(frame, cut_rows, err);
    if (rc)
        return rc;
    if (out_width < 1 || out_width > PICTURE_MAX_SIDE || out_height < 1 || out_height > PICTURE_MAX_SIDE)
        return error_set(err, LANERT_EINVAL, "output: its size is %d×%d; expected 1 to %d pixels a side", out_width,
                         out_height, PICTURE_MAX_SIDE);
    rc = set_size(pre, frame, cut_rows, out_width, out_height, err);
    if (rc)
        return rc;
    for (int i = 0; i < filter->taps; i++)
        pre->line_row[i] = -1;
    const char *weights = pre->down.weights;
    for (int y = 0; y < out_height; y++) {
        const void *lines[RESIZE_MAX_TAPS];
        size_t first = (size_t)y * (size_t)filter->taps;
        for (int k = 0; k < filter->taps; k++)
            lines[k] = line_of(pre, frame, cut_rows, pre->down.taps[first + (size_t)k]);
        filter->down(lines, weights + first * filter->weight_size, out_width * 3,
                     out + (size_t)y * (size_t)out_width * 3);
    }
    return 0;
}

void preprocess_to_nchw(const uint8_t *bgr, int width, int height, float *out)
{
    float level[256]; /* a look-up is as exact as the division, and faster */
    size_t pixels = (size_t)width * (size_t)height;
    float *blue = out, *green = out + pixels, *red = out + 2 * pixels;
    for (int i = 0; i < 256; i++)
        level[i] = (float)i / 255.0F;
    for (size_t i = 0; i < pixels; i++) {
        blue[i] = level[bgr[3 * i]];
        green[i] = level[bgr[3 * i + 1]];
        red[i] = level[bgr[3 * i + 2]];
    }
}
