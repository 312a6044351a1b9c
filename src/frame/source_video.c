#include "frame/source_input.h"
#include "frame/source_kinds.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavdevice/avdevice.h>
#include <libavformat/avformat.h>

#include "base/buffer.h"
#include "frame/bgr.h"
#include "frame/damage.h"
#include "frame/stream_facts.h"

/* Beside the detector's own threads more would only wait. */
#define DECODER_THREADS 2
/* A decoder that fails this often while it is emptied at the end will not come to an end. */
#define MAX_DRAIN_ERRORS 1000

#define PIPE_BUFFER (64 * 1024)

typedef struct video {
    input in;
    AVFormatContext *format;
    AVIOContext *pipe; /* reads from `in`, where that is one */
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;
    bgr bgr;
    int stream;
    int orientation; /* as EXIF's, from the stream's display matrix */
    double rate, first_s, last_s;
    int64_t frames;           /* given so far */
    double stated_s, frame_s; /* how long the file says that it is, 0: it does not; and the last frame */
    damage damage;
    int last_error; /* of the decoder */
    int drain_errors;
    bool open_ended; /* a network stream without an end */
    bool draining, over;
} video;

/* ---- errors ---------------------------------------------------------------------------------- */

static int code_of(int av_error)
{
    switch (av_error) {
    case AVERROR(ENOENT):
    case AVERROR(ENODEV):
    case AVERROR_HTTP_NOT_FOUND:
        return LANERT_ENOTFOUND;
    case AVERROR(ENOMEM):
        return LANERT_ENOMEM;
    case AVERROR_INVALIDDATA:
    case AVERROR_EOF:
        return LANERT_EFORMAT;
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_DEMUXER_NOT_FOUND:
    case AVERROR_PROTOCOL_NOT_FOUND:
    case AVERROR_PATCHWELCOME:
        return LANERT_EUNSUPPORTED;
    default:
        return LANERT_EIO;
    }
}

static int error_av(lanert_error *err, int av_error, const video *v, const char *what)
{
    char why[AV_ERROR_MAX_STRING_SIZE];
    if (av_error == AVERROR_EXIT)
        return error_set(err, LANERT_EIO, "%s: %s: nothing came for %d seconds", v->in.title, what, INPUT_TIMEOUT_S);
    if (av_error == AVERROR(EIO) && v->in.kind == INPUT_NETWORK) /* a name that cannot be looked up, too */
        return error_set(err, LANERT_EIO, "%s: %s: there is no such host, or it ends the connection", v->in.title,
                         what);
    if (av_error == AVERROR_EOF)
        return error_set(err, LANERT_EFORMAT, "%s: %s: it ends before its first frame", v->in.title, what);
    av_strerror(av_error, why, sizeof why);
    return error_set(err, code_of(av_error), "%s: %s: %s", v->in.title, what, why);
}

static int out_of_memory(lanert_error *err)
{
    return error_set(err, LANERT_ENOMEM, "out of memory: a video's decoder cannot start");
}

/* ---- opening --------------------------------------------------------------------------------- */

/* FFmpeg asks while it waits on a network; non-zero ends the waiting. */
static int on_wait(void *in)
{
    return input_is_over(in);
}

/* FFmpeg logs to stderr unless told otherwise, and its level is the process's. A program that has chosen one of
 * its own keeps it. */
static void silence_ffmpeg(void)
{
    if (av_log_get_level() == AV_LOG_INFO)
        av_log_set_level(AV_LOG_QUIET);
}

static int on_pipe_read(void *in, uint8_t *out, int size)
{
    int n = input_read(in, out, size);
    return n == 0 ? AVERROR_EOF : n == -EINTR ? AVERROR_EXIT : n < 0 ? AVERROR(-n) : n;
}

static int64_t on_pipe_seek(void *in, int64_t offset, int whence)
{
    return whence & AVSEEK_SIZE ? input_size(in) : input_seek(in, offset, whence & ~AVSEEK_FORCE);
}

/* FFmpeg's own pipes wait in read(2), where nothing can wake them. */
static int attach_pipe(video *v, lanert_error *err)
{
    uint8_t *space = av_malloc(PIPE_BUFFER);
    if (space)
        v->pipe =
            avio_alloc_context(space, PIPE_BUFFER, 0, &v->in, on_pipe_read, NULL, v->in.seekable ? on_pipe_seek : NULL);
    if (!v->pipe) {
        av_free(space);
        return out_of_memory(err);
    }
    v->format->pb = v->pipe;
    return 0;
}

static void detach_pipe(video *v)
{
    if (v->pipe)
        av_freep(&v->pipe->buffer);
    avio_context_free(&v->pipe);
}

/* For cameras alone: libavdevice brings some eighty libraries along, 18 MB in memory. */
static int register_devices(const video *v, lanert_error *err)
{
    static const char name[] = "libavdevice.so." AV_STRINGIFY(LIBAVDEVICE_VERSION_MAJOR);
    __typeof__(avdevice_register_all) *register_all = NULL;
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *address = library ? dlsym(library, "avdevice_register_all") : NULL;
    if (!address)
        return error_set(err, LANERT_ENOTFOUND,
                         "%s: cameras need a part of FFmpeg that cannot be opened: %s; install it", v->in.title,
                         dlerror());
    memcpy(&register_all, &address, sizeof address);
    register_all();
    dlclose(library);
    return 0;
}

/* Of what FFmpeg makes nothing of. */
static int refuse_content(const video *v, const char *spec, lanert_error *err)
{
    if (v->in.kind == INPUT_NETWORK)
        return error_set(
            err, LANERT_EFORMAT,
            "%s: what the server sends is no video that can be read: check that this is the address of the "
            "stream itself",
            v->in.title);
    if (input_begins_as_mp4(&v->in, spec))
        return error_set(err, LANERT_EFORMAT,
                         "%s: begins as an MP4 video, but has no usable index (moov): it was cut off, or its recording "
                         "not finished",
                         v->in.title);
    return error_set(err, LANERT_EFORMAT, "%s: is not a video, nor a JPEG or PNG picture, that can be read",
                     v->in.title);
}

static int open_format(video *v, const char *spec, lanert_error *err)
{
    AVDictionary *options = NULL;
    const AVInputFormat *demuxer = NULL;
    buffer url = {0};
    /* "file:" keeps a path with a ':' from being taken for a protocol. */
    int rc = buffer_format(&url, err, "%s%s", v->in.kind == INPUT_FILE ? "file:" : "", spec);
    if (!rc && !(v->format = avformat_alloc_context()))
        rc = out_of_memory(err);
    if (!rc && v->in.kind == INPUT_PIPE)
        rc = attach_pipe(v, err);
    if (rc)
        goto out;
    v->format->interrupt_callback = (AVIOInterruptCB){on_wait, &v->in};
    if (v->in.kind == INPUT_CAMERA) {
        if ((rc = register_devices(v, err)))
            goto out;
        demuxer = av_find_input_format("v4l2");
        v->format->flags |= AVFMT_FLAG_NONBLOCK; /* see next_packet */
    }
    if (v->in.kind == INPUT_NETWORK) {
        av_dict_set(&options, "rtsp_flags", "prefer_tcp", 0); /* lost datagrams are grey blocks */
        v->format->max_analyze_duration = INPUT_TIMEOUT_S / 2 *
                                          (int64_t)AV_TIME_BASE; /* done before the wait is over */
    }
    input_wait(&v->in);
    int av = avformat_open_input(&v->format, url.data, demuxer, &options); /* frees v->format where it fails */
    if (av < 0 && input_is_over(&v->in))                                   /* which RTSP calls invalid data */
        av = AVERROR_EXIT;
    if (av == AVERROR_INVALIDDATA)
        rc = refuse_content(v, spec, err);
    else if (av < 0)
        rc = error_av(err, av, v, "cannot be opened");
    /* Taken for a picture by its name alone, in which FFmpeg would see a pattern of other files' names, too. */
    else if (!strcmp(v->format->iformat->name, "image2"))
        rc = refuse_content(v, spec, err);
out:
    av_dict_free(&options);
    buffer_free(&url);
    return rc;
}

/* Reads as far as it takes to tell the streams. FFmpeg decodes frames for that: the limit on their size holds
 * there too. */
static int find_streams(video *v, lanert_error *err)
{
    unsigned count = v->format->nb_streams;
    AVDictionary **options;
    int rc = memory_new(&options, count, sizeof *options, err);
    if (rc)
        return rc;
    for (unsigned i = 0; i < count; i++)
        av_dict_set_int(&options[i], "max_pixels", PICTURE_MAX_PIXELS, 0);
    input_wait(&v->in);
    int av = avformat_find_stream_info(v->format, options);
    for (unsigned i = 0; i < count; i++)
        av_dict_free(&options[i]);
    free(options);
    return av < 0 ? error_av(err, av, v, "its streams cannot be told") : 0;
}

/* The first video stream that is not a cover picture; all others are passed over unread. */
static int choose_stream(video *v, lanert_error *err)
{
    bool cover = false, audio = false;
    v->stream = -1;
    for (unsigned i = 0; i < v->format->nb_streams; i++) {
        AVStream *stream = v->format->streams[i];
        bool is_video = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
        bool is_cover = is_video && (stream->disposition & AV_DISPOSITION_ATTACHED_PIC);
        cover |= is_cover;
        audio |= stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
        if (is_video && !is_cover && v->stream < 0)
            v->stream = (int)i;
        else
            stream->discard = AVDISCARD_ALL;
    }
    if (v->stream >= 0)
        return 0;
    return error_set(err, LANERT_EFORMAT, "%s: holds no video%s%s%s", v->in.title, audio || cover ? ", only " : "",
                     audio ? "sound" : "", cover ? (audio ? " and a cover picture" : "a cover picture") : "");
}

/* Whether a decoder mends what is damaged and says so of the frame alone. With a thread for each frame it may say so
 * (as FFmpeg 5.1's do) only when the frame was already handed out. */
static bool mends(enum AVCodecID id)
{
    return id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_MPEG4 || id == AV_CODEC_ID_H263;
}

static int open_codec(video *v, lanert_error *err)
{
    const AVStream *stream = v->format->streams[v->stream];
    const AVCodecParameters *par = stream->codecpar;
    const AVCodec *decoder = avcodec_find_decoder(par->codec_id);
    if (!decoder)
        return error_set(err, LANERT_EUNSUPPORTED, "%s: is coded in %s (\"%s\"), which this FFmpeg cannot decode",
                         v->in.title, par->codec_id ? avcodec_get_name(par->codec_id) : "something unknown",
                         av_fourcc2str(par->codec_tag));
    int rc = par->width > 0 && par->height > 0 ? picture_check_size(par->width, par->height, err) : 0;
    if (rc)
        return error_within(err, rc, "%s", v->in.title);
    if (!(v->codec = avcodec_alloc_context3(decoder)) || !(v->packet = av_packet_alloc()) ||
        !(v->frame = av_frame_alloc()))
        return out_of_memory(err);
    int av = avcodec_parameters_to_context(v->codec, par);
    if (av < 0)
        return error_av(err, av, v, "its decoder cannot be set up");
    bool low_delay = v->in.kind == INPUT_NETWORK || v->in.kind == INPUT_CAMERA;
    v->codec->pkt_timebase = stream->time_base;
    v->codec->max_pixels = PICTURE_MAX_PIXELS;
    v->codec->thread_count = DECODER_THREADS;
    v->codec->thread_type = low_delay || mends(par->codec_id) ? FF_THREAD_SLICE : FF_THREAD_FRAME | FF_THREAD_SLICE;
    v->codec->flags |= low_delay ? AV_CODEC_FLAG_LOW_DELAY : 0;
    if ((av = avcodec_open2(v->codec, decoder, NULL)) < 0)
        return error_av(err, av, v, "its decoder cannot be opened");
    return 0;
}

/* ---- describing ------------------------------------------------------------------------------ */

static void describe(video *v, lanert_source_info *info)
{
    const AVStream *stream = v->format->streams[v->stream];
    stream_facts facts = stream_facts_read(v->format, stream);
    v->rate = facts.rate;
    v->orientation = facts.orientation;
    bool transposed = v->orientation >= 5;
    info->width = transposed ? stream->codecpar->height : stream->codecpar->width;
    info->height = transposed ? stream->codecpar->width : stream->codecpar->height;
    info->rate = v->rate;
    v->open_ended = v->in.kind == INPUT_NETWORK && !facts.ends;
    info->live = v->in.kind == INPUT_CAMERA || v->open_ended;
    info->frames = info->live ? -1 : facts.frames;
    info->name = v->in.title;
    v->stated_s = info->live ? 0 : facts.stated_s;
}

static void video_close(void *self)
{
    video *v = self;
    bgr_free(&v->bgr);
    av_frame_free(&v->frame);
    av_packet_free(&v->packet);
    avcodec_free_context(&v->codec);
    avformat_close_input(&v->format);
    detach_pipe(v);
    input_close(&v->in);
    free(v);
}

static int video_open(const char *spec, void **self, lanert_source_info *info, lanert_error *err)
{
    video *v;
    int rc = memory_new(&v, 1, sizeof *v, err);
    if (rc)
        return rc;
    silence_ffmpeg();
    if ((rc = input_open(&v->in, spec, err)) || (rc = open_format(v, spec, err)))
        goto out;
    if ((rc = find_streams(v, err)) || (rc = choose_stream(v, err)) || (rc = open_codec(v, err)))
        goto out;
    describe(v, info);
    *self = v;
out:
    if (rc)
        video_close(v);
    return rc;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The stream's next packet: 0, or FFmpeg's word why there is none. */
static int next_packet(video *v)
{
    int av;
    input_wait(&v->in);
    do {
        av = input_is_over(&v->in) ? AVERROR_EXIT : av_read_frame(v->format, v->packet);
        if (av >= 0 && v->packet->stream_index != v->stream)
            av_packet_unref(v->packet);
        else if (av == AVERROR(EAGAIN))
            usleep(1000); /* a camera without a new frame */
    } while (av == AVERROR(EAGAIN) || (av >= 0 && !v->packet->data && !v->packet->side_data_elems));
    /* How FFmpeg's http reports that a server has closed an answer whose length it had not stated. */
    return av == AVERROR(EIO) && v->open_ended ? AVERROR_EOF : av;
}

static void lose(video *v, int av_error)
{
    v->last_error = av_error;
    damage_on_loss(&v->damage);
}

/* Hands the decoder one packet, or the end. A packet that it refuses is passed over, as ffmpeg does: the frames
 * behind it may be sound. */
static int feed(video *v, lanert_error *err)
{
    if (v->draining)
        return 0;
    int av = next_packet(v);
    if (av < 0 && atomic_load(&v->in.interrupted))
        return LANERT_END;
    /* A file that is cut off or damaged at this point ends here; a connection that is lost is an error. */
    if (av < 0 && av != AVERROR_EOF && av != AVERROR_INVALIDDATA)
        return error_av(err, av, v, "cannot be read any further");
    v->draining = av < 0;
    if (av == AVERROR_INVALIDDATA)
        damage_on_loss(&v->damage);
    if (av >= 0)
        damage_on_packet(&v->damage, v->packet->pts != AV_NOPTS_VALUE ? v->packet->pts : v->packet->dts,
                         v->packet->flags & AV_PKT_FLAG_KEY, v->packet->flags & AV_PKT_FLAG_CORRUPT);
    av = avcodec_send_packet(v->codec, v->draining ? NULL : v->packet);
    av_packet_unref(v->packet);
    if (av == AVERROR(ENOMEM))
        return error_av(err, av, v, "cannot be decoded");
    if (av < 0)
        lose(v, av);
    return 0;
}

static int end_of(video *v, lanert_error *err)
{
    char why[AV_ERROR_MAX_STRING_SIZE] = "it holds none";
    if (v->frames > 0) {
        damage_on_end(&v->damage, v->last_s + v->frame_s, v->stated_s);
        return LANERT_END;
    }
    if (v->last_error)
        av_strerror(v->last_error, why, sizeof why);
    return error_set(err, LANERT_EFORMAT, "%s: not one frame could be decoded: %s", v->in.title, why);
}

static int decode(video *v, lanert_error *err)
{
    for (;;) {
        int av = avcodec_receive_frame(v->codec, v->frame), rc;
        if (av >= 0)
            return 0;
        if (av == AVERROR_EOF)
            return end_of(v, err);
        if (av == AVERROR(ENOMEM))
            return error_av(err, av, v, "cannot be decoded");
        if (av != AVERROR(EAGAIN))
            lose(v, av);
        if (v->draining && ++v->drain_errors > MAX_DRAIN_ERRORS)
            return end_of(v, err);
        if ((rc = feed(v, err)))
            return rc;
    }
}

/* Seconds since the first frame, by the frame's own time where it has one that goes forward. */
static double time_of(video *v, const AVFrame *f)
{
    bool stated = f->best_effort_timestamp != AV_NOPTS_VALUE;
    double time_base = av_q2d(v->format->streams[v->stream]->time_base);
    double at = stated ? (double)f->best_effort_timestamp * time_base : v->first_s + v->last_s + 1 / v->rate;
    if (v->frames == 0) {
        v->first_s = stated && isfinite(at) ? at : 0;
        return 0;
    }
    at -= v->first_s;
    return isfinite(at) && at > v->last_s ? at : v->last_s + 1 / v->rate;
}

/* What is known of a frame but its pixels. */
static void label(video *v, const AVFrame *f, picture *p)
{
#ifdef AV_FRAME_FLAG_KEY
    bool key = f->flags & AV_FRAME_FLAG_KEY;
    int64_t duration = f->duration;
#else
    bool key = f->key_frame;
    int64_t duration = f->pkt_duration;
#endif
    bool sound = !(f->flags & AV_FRAME_FLAG_CORRUPT) && !f->decode_error_flags;
    v->frame_s = fmax(1 / v->rate, (double)duration * av_q2d(v->format->streams[v->stream]->time_base));
    p->time_s = v->last_s = time_of(v, f);
    p->damaged = damage_on_frame(&v->damage, f->best_effort_timestamp, p->time_s, key, sound);
    p->index = v->frames++;
    memcpy(p->name, v->in.name, sizeof p->name);
}

static int video_read(void *self, picture *p, lanert_error *err)
{
    video *v = self;
    if (v->over || atomic_load(&v->in.interrupted))
        return LANERT_END;
    int rc = decode(v, err);
    if (!rc && (rc = bgr_convert(&v->bgr, v->frame, v->orientation, p, err)))
        error_within(err, rc, "%s", v->in.title);
    if (rc) {
        v->over = true;
        return rc;
    }
    label(v, v->frame, p);
    av_frame_unref(v->frame);
    return 0;
}

static void video_interrupt(void *self)
{
    video *v = self;
    atomic_store(&v->in.interrupted, true);
}

static const lanert_damage *video_damage(const void *self)
{
    return &((const video *)self)->damage.sum;
}

const source_ops source_video = {"video", video_open, video_read, video_interrupt, video_damage, video_close};
