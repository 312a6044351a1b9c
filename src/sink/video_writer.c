#include "sink/video_writer.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <strings.h>

#include "base/file.h"

/* Ticks a second: 24, 25, 30, 50, 60, 30000/1001 and 60000/1001 frames a second are whole numbers of them, and
 * MPEG-4 part 2 can count no finer than 65535. */
#define TICKS 60000
#define MIN_STEP (TICKS / 1000) /* Matroska counts in milliseconds */
#define MAX_GAP_S 3600          /* between two pictures; a time further on is a mistake */
#define DEFAULT_RATE 25.0
#define MAX_RATE 1000.0
#define GROUP_S 2         /* between pictures that a player can jump to */
#define ENCODER_THREADS 2 /* the other processors are for the network */

typedef struct encoder {
    const char *name, *options;
} encoder;

/* Best first. Quality is asked for, not a bit rate, where the encoder can: 354 is 3 on MPEG-4's scale of 1 to 31. */
static const encoder encoders[] = {
    {"libx264", "preset=veryfast:crf=20"}, {"libopenh264", "b=8000000"}, {"mpeg4", "flags=+qscale:global_quality=354"}};

struct video_writer {
    const char *name;
    AVFormatContext *format;
    AVCodecContext *codec;
    AVFrame *frame;
    AVPacket *packet;
    struct SwsContext *sws;
    double start;      /* time of the first picture, seconds */
    int64_t step, pts; /* ticks: of the rate; of the last picture, -1 before the first */
};

const char *video_writer_container(const char *path)
{
    static const char *const known[][2] = {{".mp4", "mp4"}, {".m4v", "mp4"}, {".mov", "mov"}, {".mkv", "matroska"}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (!strcasecmp(path_extension(path), known[i][0]))
            return known[i][1];
    return NULL;
}

static int fail(const video_writer *w, int av, lanert_error *err)
{
    char why[AV_ERROR_MAX_STRING_SIZE];
    av_strerror(av, why, sizeof why);
    return error_set(err, av == AVERROR(ENOMEM) ? LANERT_ENOMEM : LANERT_EIO, "%s: the video cannot be written: %s",
                     w->name, why);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Players take BT.601 for small pictures and BT.709 for large ones where they do not read the tag. */
static enum AVColorSpace colour_space(int height)
{
    return height > 576 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

static int codec_open(video_writer *w, const encoder *e, int width, int height, double rate)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(e->name);
    if (!codec)
        return AVERROR_ENCODER_NOT_FOUND;
    AVCodecContext *c = w->codec = avcodec_alloc_context3(codec);
    AVDictionary *options = NULL;
    if (!c)
        return AVERROR(ENOMEM);
    c->width = width;
    c->height = height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->time_base = (AVRational){1, TICKS};
    c->framerate = av_d2q(rate, 1001000);
    c->sample_aspect_ratio = (AVRational){1, 1};
    c->colorspace = colour_space(height);
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = AVCOL_TRC_BT709;
    c->color_range = AVCOL_RANGE_MPEG;
    c->gop_size = (int)ceil(rate * GROUP_S);
    c->thread_count = ENCODER_THREADS;
    if (w->format->oformat->flags & AVFMT_GLOBALHEADER)
        c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    int av = av_dict_parse_string(&options, e->options, "=", ":", 0);
    if (av >= 0)
        av = avcodec_open2(c, codec, &options);
    av_dict_free(&options);
    if (av < 0)
        avcodec_free_context(&w->codec);
    return av;
}

static int codec_choose(video_writer *w, const video_writer_options *o, double rate, lanert_error *err)
{
    int av = AVERROR_ENCODER_NOT_FOUND;
    for (size_t i = 0; i < ARRAY_LEN(encoders) && !w->codec; i++)
        if (!o->encoder || !strcmp(o->encoder, encoders[i].name))
            av = codec_open(w, &encoders[i], o->width, o->height, rate);
    if (w->codec)
        return 0;
    char why[AV_ERROR_MAX_STRING_SIZE];
    av_strerror(av, why, sizeof why);
    return error_set(
        err, LANERT_EUNSUPPORTED,
        "%s: no encoder takes pictures of %d×%d: %s; expected an FFmpeg with libx264 (or libopenh264, mpeg4)", o->name,
        o->width, o->height, why);
}

static int file_open(video_writer *w, const video_writer_options *o)
{
    AVDictionary *options = NULL;
    AVStream *stream = avformat_new_stream(w->format, NULL);
    /* "file:", as a name such as "a:b.mp4" would be taken for a protocol. */
    char *url = av_asprintf("file:%s", o->file);
    int av = stream && url ? avcodec_parameters_from_context(stream->codecpar, w->codec) : AVERROR(ENOMEM);
    if (av >= 0) {
        stream->time_base = w->codec->time_base;
        stream->avg_frame_rate = w->codec->framerate;
        stream->sample_aspect_ratio = w->codec->sample_aspect_ratio;
        av = avio_open(&w->format->pb, url, AVIO_FLAG_WRITE);
    }
    if (av >= 0) {
        /* The muxer reopens it by this name to move the index to the front. */
        w->format->url = url;
        url = NULL;
        av = av_dict_set(&options, "movflags", "+faststart", 0);
    }
    if (av >= 0)
        av = avformat_write_header(w->format, &options);
    av_dict_free(&options);
    av_free(url);
    return av < 0 ? av : 0;
}

static int frame_open(video_writer *w)
{
    w->frame = av_frame_alloc();
    w->packet = av_packet_alloc();
    if (!w->frame || !w->packet)
        return AVERROR(ENOMEM);
    w->frame->format = w->codec->pix_fmt;
    w->frame->width = w->codec->width;
    w->frame->height = w->codec->height;
    w->frame->colorspace = w->codec->colorspace;
    w->frame->color_range = w->codec->color_range;
    return av_frame_get_buffer(w->frame, 0);
}

int video_writer_open(const video_writer_options *o, video_writer **out, lanert_error *err)
{
    video_writer *w;
    double rate = o->rate > 0 && o->rate <= MAX_RATE ? o->rate : DEFAULT_RATE;
    int rc = memory_new(&w, 1, sizeof *w, err), av;
    *out = w;
    if (rc)
        return rc;
    if (av_log_get_level() == AV_LOG_INFO) /* the default: a program that chose another level keeps it */
        av_log_set_level(AV_LOG_QUIET);
    w->name = o->name;
    w->pts = -1;
    w->step = llround(TICKS / rate);
    if ((av = avformat_alloc_output_context2(&w->format, NULL, o->container, NULL)) < 0)
        rc = fail(w, av, err);
    else
        rc = codec_choose(w, o, rate, err);
    if (!rc && ((av = file_open(w, o)) < 0 || (av = frame_open(w)) < 0))
        rc = fail(w, av, err);
    if (rc)
        video_writer_close(out);
    return rc;
}

const char *video_writer_encoder(const video_writer *w)
{
    return w->codec->codec->name;
}

/* ---- pictures -------------------------------------------------------------------------------- */

static int paint_black(AVFrame *f)
{
    ptrdiff_t strides[4] = {f->linesize[0], f->linesize[1], f->linesize[2]};
    return av_image_fill_black(f->data, strides, f->format, f->color_range, f->width, f->height);
}

/* Scaled to the largest even size of its own shape that the video holds, in the middle. */
static int convert(video_writer *w, const canvas *picture)
{
    AVFrame *f = w->frame;
    double scale = fmin((double)f->width / picture->width, (double)f->height / picture->height);
    int width = (int)(picture->width * scale / 2 + 0.5) * 2, height = (int)(picture->height * scale / 2 + 0.5) * 2;
    width = width < 2 ? 2 : width > f->width ? f->width : width;
    height = height < 2 ? 2 : height > f->height ? f->height : height;
    int av = av_frame_make_writable(f);
    if (av >= 0 && (width != f->width || height != f->height))
        av = paint_black(f);
    if (av < 0)
        return av;
    w->sws = sws_getCachedContext(w->sws, picture->width, picture->height, AV_PIX_FMT_BGRA, width, height, f->format,
                                  SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, NULL, NULL, NULL);
    if (!w->sws)
        return AVERROR(ENOMEM);
    const int *table = sws_getCoefficients(f->colorspace == AVCOL_SPC_BT709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
    sws_setColorspaceDetails(w->sws, table, 1, table, 0, 0, 1 << 16, 1 << 16);

    int left = (f->width - width) / 4, top = (f->height - height) / 4; /* of the chroma planes: half of the luma's */
    uint8_t *const to[4] = {f->data[0] + 2 * top * f->linesize[0] + 2 * left, f->data[1] + top * f->linesize[1] + left,
                            f->data[2] + top * f->linesize[2] + left};
    const uint8_t *const from[4] = {picture->bgra};
    const int stride[4] = {picture->stride};
    sws_scale(w->sws, from, stride, 0, picture->height, to, f->linesize);
    return 0;
}

static int64_t next_pts(video_writer *w, double time_s)
{
    if (w->pts < 0) {
        w->start = isfinite(time_s) ? time_s : 0;
        return 0;
    }
    double since = (time_s - w->start) * TICKS - (double)w->pts;
    bool sound = since >= MIN_STEP && since <= (double)MAX_GAP_S * TICKS;
    return sound ? llround((time_s - w->start) * TICKS) : w->pts + w->step;
}

/* Hands the encoder a frame, NULL for its last, and writes what it gives back. */
static int encode(video_writer *w, const AVFrame *frame)
{
    int av = avcodec_send_frame(w->codec, frame);
    while (av >= 0 && (av = avcodec_receive_packet(w->codec, w->packet)) >= 0) {
        w->packet->duration = w->step;
        av_packet_rescale_ts(w->packet, w->codec->time_base, w->format->streams[0]->time_base);
        av = av_interleaved_write_frame(w->format, w->packet);
        if (av >= 0)
            av = w->format->pb->error;
    }
    return av == AVERROR(EAGAIN) || av == AVERROR_EOF ? 0 : av;
}

int video_writer_add(video_writer *w, const canvas *picture, double time_s, lanert_error *err)
{
    int av = convert(w, picture);
    if (av >= 0) {
        w->frame->pts = w->pts = next_pts(w, time_s);
        av = encode(w, w->frame);
    }
    return av < 0 ? fail(w, av, err) : 0;
}

int video_writer_finish(video_writer *w, lanert_error *err)
{
    int av = encode(w, NULL);
    if (av >= 0)
        av = av_write_trailer(w->format);
    if (av >= 0)
        av = w->format->pb->error;
    int closed = avio_closep(&w->format->pb);
    return av < 0 || closed < 0 ? fail(w, av < 0 ? av : closed, err) : 0;
}

void video_writer_close(video_writer **out)
{
    video_writer *w = *out;
    if (!w)
        return;
    if (w->format)
        avio_closep(&w->format->pb);
    avformat_free_context(w->format);
    avcodec_free_context(&w->codec);
    av_frame_free(&w->frame);
    av_packet_free(&w->packet);
    sws_freeContext(w->sws);
    FREE(*out);
}
