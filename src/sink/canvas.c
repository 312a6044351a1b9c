#include "sink/canvas.h"

#include <libswscale/swscale.h>

#define PIXEL 4 /* bytes of one BGRA pixel */
#define ROW_ALIGNMENT 64

static int canvas_resize(canvas *c, int width, int height, lanert_error *err)
{
    size_t stride = ((size_t)(width + 1) * PIXEL + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
    size_t bytes = stride * (size_t)(height + 1);
    if (bytes > c->capacity) {
        FREE(c->bgra);
        c->capacity = 0;
        int rc = memory_aligned(&c->bgra, bytes, err);
        if (rc)
            return rc;
        c->capacity = bytes;
    }
    c->width = width;
    c->height = height;
    c->stride = (int)stride;
    return 0;
}

static enum AVPixelFormat av_format(lanert_pixel_format format)
{
    switch (format) {
    case LANERT_RGB:
        return AV_PIX_FMT_RGB24;
    case LANERT_NV12:
        return AV_PIX_FMT_NV12;
    default:
        return AV_PIX_FMT_BGR24;
    }
}

int canvas_load(canvas *c, const lanert_frame *frame, lanert_error *err)
{
    int rc = canvas_resize(c, frame->width, frame->height, err);
    if (rc)
        return rc;
    c->sws = sws_getCachedContext(c->sws, frame->width, frame->height, av_format(frame->format), frame->width,
                                  frame->height, AV_PIX_FMT_BGRA, SWS_BILINEAR, NULL, NULL, NULL);
    if (!c->sws)
        return error_set(err, LANERT_ENOMEM, "out of memory for the conversion of a %d×%d frame", frame->width,
                         frame->height);
    if (frame->format == LANERT_NV12) {
        bool hd = frame->colour == LANERT_BT709_LIMITED || frame->colour == LANERT_BT709_FULL;
        bool full = frame->colour == LANERT_BT601_FULL || frame->colour == LANERT_BT709_FULL;
        const int *table = sws_getCoefficients(hd ? SWS_CS_ITU709 : SWS_CS_ITU601);
        sws_setColorspaceDetails(c->sws, table, full, table, 1, 0, 1 << 16, 1 << 16);
    }
    uint8_t *const to[4] = {c->bgra};
    const int to_stride[4] = {c->stride};
    const uint8_t *const from[4] = {frame->data[0], frame->data[1]};
    const int from_stride[4] = {frame->stride[0], frame->stride[1]};
    sws_scale(c->sws, from, from_stride, 0, frame->height, to, to_stride);
    return 0;
}

void canvas_pad_even(canvas *c)
{
    if (c->width % 2) {
        for (int y = 0; y < c->height; y++) {
            uint8_t *end = c->bgra + (size_t)y * (size_t)c->stride + (size_t)c->width * PIXEL;
            memcpy(end, end - PIXEL, PIXEL);
        }
        c->width++;
    }
    if (c->height % 2) {
        uint8_t *end = c->bgra + (size_t)c->height * (size_t)c->stride;
        memcpy(end, end - c->stride, (size_t)c->width * PIXEL);
        c->height++;
    }
}

void canvas_free(canvas *c)
{
    sws_freeContext(c->sws);
    free(c->bgra);
    *c = (canvas){0};
}
