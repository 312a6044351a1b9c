#include "frame/bgr.h"

#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

static bgr_layout layout_of(const AVFrame *f, const AVPixFmtDescriptor *format)
{
    bgr_layout l = {.width = f->width, .height = f->height, .format = f->format, .matrix = (int)f->colorspace};
    l.full_range = f->color_range == AVCOL_RANGE_JPEG || strncmp(format->name, "yuvj", 4) == 0;
    return l;
}

/* The conversion that OpenCV's VideoCapture makes (bicubic flag, otherwise swscale's defaults), with one
 * difference: VideoCapture takes every YUV for BT.601; here the matrix and range that the frame states are
 * used, and BT.601 limited only where it states none. */
static int prepare(bgr *b, const AVFrame *f, lanert_error *err)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get((enum AVPixelFormat)f->format);
    if (!format)
        return error_set(err, LANERT_EFORMAT, "a frame has no pixel format");
    bgr_layout l = layout_of(f, format);
    if (b->sws && memcmp(&l, &b->layout, sizeof l) == 0)
        return 0;
    sws_freeContext(b->sws);
    b->sws = sws_getContext(l.width, l.height, (enum AVPixelFormat)l.format, l.width, l.height, AV_PIX_FMT_BGR24,
                            SWS_BICUBIC, NULL, NULL, NULL);
    if (!b->sws)
        return error_set(err, LANERT_EUNSUPPORTED, "its frames of %d×%d pixels in %s cannot be converted to BGR",
                         l.width, l.height, format->name);
    b->layout = l;
    int *from, *to, from_full, to_full, brightness, contrast, saturation;
    if (!(format->flags & AV_PIX_FMT_FLAG_RGB) &&
        sws_getColorspaceDetails(b->sws, &from, &from_full, &to, &to_full, &brightness, &contrast, &saturation) >= 0)
        sws_setColorspaceDetails(b->sws, sws_getCoefficients(l.matrix), l.full_range, to, to_full, brightness, contrast,
                                 saturation);
    return 0;
}

int bgr_convert(bgr *b, const AVFrame *f, int orientation, picture *p, lanert_error *err)
{
    picture *upright = orientation == 1 ? p : &b->unturned;
    int rc = picture_resize(upright, f->width, f->height, err);
    if (rc)
        return error_within(err, rc, "a frame");
    if ((rc = prepare(b, f, err)))
        return rc;
    uint8_t *const out[4] = {upright->bgr};
    const int strides[4] = {upright->stride};
    int rows = sws_scale(b->sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, out, strides);
    if (rows != f->height)
        return error_set(err, LANERT_EFORMAT, "a frame could not be converted to BGR");
    return upright == p ? 0 : picture_orient(upright, orientation, p, err);
}

void bgr_free(bgr *b)
{
    sws_freeContext(b->sws);
    picture_free(&b->unturned);
}
