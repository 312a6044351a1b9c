/* decode.h - what a written video or picture holds, read back with FFmpeg. */
#ifndef TESTS_DECODE_H
#define TESTS_DECODE_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
#include <string.h>

#include "support/testing.h"

#define DECODE_MAX 64

typedef struct decoded {
    int count, width, height;
    double times[DECODE_MAX]; /* seconds */
    uint8_t *bgr[DECODE_MAX]; /* width × 3 bytes a row */
    double duration;          /* seconds, as the container says */
    enum AVCodecID codec;
    enum AVColorSpace space;
    enum AVColorRange range;
    AVRational rate;
} decoded;

static inline void decoded_take(decoded *d, const AVFrame *f, AVRational time_base)
{
    assert_true(d->count < DECODE_MAX);
    d->width = f->width;
    d->height = f->height;
    d->space = f->colorspace;
    d->range = f->color_range;
    d->times[d->count] = (double)f->pts * av_q2d(time_base);
    uint8_t *out = d->bgr[d->count++] = malloc((size_t)f->width * (size_t)f->height * 3 + 64);
    assert_non_null(out);
    struct SwsContext *sws = sws_getContext(f->width, f->height, f->format, f->width, f->height, AV_PIX_FMT_BGR24,
                                            SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, NULL, NULL, NULL);
    assert_non_null(sws);
    const int *table = sws_getCoefficients(f->colorspace == AVCOL_SPC_BT709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
    sws_setColorspaceDetails(sws, table, f->color_range == AVCOL_RANGE_JPEG, table, 1, 0, 1 << 16, 1 << 16);
    uint8_t *const to[4] = {out};
    const int stride[4] = {f->width * 3};
    sws_scale(sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, to, stride);
    sws_freeContext(sws);
}

static inline decoded decode_file(const char *path)
{
    decoded d = {0};
    av_log_set_level(AV_LOG_QUIET);
    AVFormatContext *format = NULL;
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    char url[4200];
    snprintf(url, sizeof url, "file:%s", path);
    if (avformat_open_input(&format, url, NULL, NULL) < 0 || avformat_find_stream_info(format, NULL) < 0)
        fail_msg("%s: cannot be read back", path);
    assert_int_equal(format->nb_streams, 1);
    AVStream *stream = format->streams[0];
    d.codec = stream->codecpar->codec_id;
    d.rate = stream->avg_frame_rate;
    d.duration = (double)format->duration / AV_TIME_BASE;
    AVCodecContext *codec = avcodec_alloc_context3(avcodec_find_decoder(d.codec));
    assert_non_null(codec);
    assert_true(avcodec_parameters_to_context(codec, stream->codecpar) >= 0);
    assert_int_equal(avcodec_open2(codec, NULL, NULL), 0);
    for (bool more = true; more;) {
        more = av_read_frame(format, packet) >= 0;
        assert_int_equal(avcodec_send_packet(codec, more ? packet : NULL), 0);
        while (avcodec_receive_frame(codec, frame) >= 0)
            decoded_take(&d, frame, stream->time_base);
        av_packet_unref(packet);
    }
    avcodec_free_context(&codec);
    avformat_close_input(&format);
    av_packet_free(&packet);
    av_frame_free(&frame);
    return d;
}

static inline void decoded_free(decoded *d)
{
    for (int i = 0; i < d->count; i++)
        free(d->bgr[i]);
    *d = (decoded){0};
}

static inline const uint8_t *decoded_at(const decoded *d, int i, int x, int y)
{
    assert_true(i < d->count && x < d->width && y < d->height);
    return d->bgr[i] + ((size_t)y * (size_t)d->width + (size_t)x) * 3;
}

/* Asserts that a pixel is within `tolerance`, a channel, of a colour. */
static inline void assert_colour(const uint8_t *bgr, int b, int g, int r, int tolerance)
{
    const int want[3] = {b, g, r};
    for (int c = 0; c < 3; c++)
        if (abs(bgr[c] - want[c]) > tolerance)
            fail_msg("colour is (%d, %d, %d), expected (%d, %d, %d)", bgr[0], bgr[1], bgr[2], b, g, r);
}

#endif
