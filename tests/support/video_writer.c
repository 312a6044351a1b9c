#include "support/video_writer.h"

#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/display.h>

#include "support/testing.h"

int video_luma(int i)
{
    return 40 + i * 7 % 150;
}

static void check(int av, const char *what)
{
    if (av < 0)
        fail_msg("%s: %s", what, av_err2str(av));
}

static void draw(AVFrame *frame, int i, bool red, bool noisy)
{
    uint32_t random = (uint32_t)i;
    check(av_frame_make_writable(frame), "a frame");
    for (int y = 0; y < frame->height; y++) {
        uint8_t *row = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        memset(row, video_luma(i), (size_t)frame->width / 2);
        memset(row + frame->width / 2, video_luma(i) + 30, (size_t)(frame->width - frame->width / 2));
        for (int x = 0; noisy && x < frame->width; x++)
            row[x] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
    }
    for (int plane = 1; plane < 3; plane++)
        for (int y = 0; y < frame->height / 2; y++)
            memset(frame->data[plane] + (ptrdiff_t)y * frame->linesize[plane], plane == 2 && red ? 170 : 128,
                   (size_t)frame->width / 2);
}

static void drain(AVFormatContext *format, AVCodecContext *codec, const AVStream *stream, AVPacket *packet)
{
    while (avcodec_receive_packet(codec, packet) >= 0) {
        av_packet_rescale_ts(packet, codec->time_base, stream->time_base);
        packet->stream_index = 0;
        check(av_interleaved_write_frame(format, packet), "a packet");
    }
}

static AVCodecContext *open_encoder(const AVFormatContext *format, const video_form *form)
{
    const AVCodec *encoder = avcodec_find_encoder_by_name(form->sound_only ? "pcm_s16le"
                                                          : form->codec    ? form->codec
                                                                           : "mpeg4");
    AVCodecContext *codec = avcodec_alloc_context3(encoder);
    codec->width = form->width;
    codec->height = form->height;
    codec->pix_fmt = form->sound_only ? AV_PIX_FMT_NONE : AV_PIX_FMT_YUV420P;
    codec->time_base = (AVRational){1, form->rate};
    codec->framerate = (AVRational){form->rate, 1};
    codec->gop_size = 5;
    codec->colorspace = form->matrix ? (enum AVColorSpace)form->matrix : AVCOL_SPC_UNSPECIFIED;
    codec->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
    codec->global_quality = FF_QP2LAMBDA * 2;
    if (form->sound_only) {
        codec->sample_fmt = AV_SAMPLE_FMT_S16;
        codec->sample_rate = form->rate;
        av_channel_layout_default(&codec->ch_layout, 1);
    }
    if (format->oformat->flags & AVFMT_GLOBALHEADER)
        codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    check(avcodec_open2(codec, encoder, NULL), "the encoder");
    return codec;
}

static void ask_to_turn(AVStream *stream, int quarter_turns)
{
    int32_t matrix[9];
    av_display_rotation_set(matrix, 90.0 * quarter_turns);
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    AVPacketSideData *side = av_packet_side_data_new(&stream->codecpar->coded_side_data,
                                                     &stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX,
                                                     sizeof matrix, 0);
    memcpy(side->data, matrix, sizeof matrix);
#else
    memcpy(av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, sizeof matrix), matrix, sizeof matrix);
#endif
}

static void encode(AVFormatContext *format, AVCodecContext *codec, const AVStream *stream, const video_form *form)
{
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    if (form->sound_only) {
        frame->format = AV_SAMPLE_FMT_S16;
        frame->nb_samples = form->rate;
        av_channel_layout_default(&frame->ch_layout, 1);
    } else {
        frame->format = AV_PIX_FMT_YUV420P;
        frame->width = form->width;
        frame->height = form->height;
    }
    check(av_frame_get_buffer(frame, 0), "a frame");
    for (int i = 0; i < (form->sound_only ? 1 : form->frames); i++) {
        if (form->sound_only)
            memset(frame->data[0], 0, (size_t)frame->linesize[0]);
        else
            draw(frame, i, form->red, form->noisy);
        frame->quality = codec->global_quality;
        frame->pts = form->uneven ? i * i : i;
        check(avcodec_send_frame(codec, frame), "a frame");
        drain(format, codec, stream, packet);
    }
    check(avcodec_send_frame(codec, NULL), "the end");
    drain(format, codec, stream, packet);
    av_frame_free(&frame);
    av_packet_free(&packet);
}

void video_write(const char *path, const video_form *form)
{
    AVFormatContext *format = NULL;
    av_log_set_level(AV_LOG_QUIET);
    check(avformat_alloc_output_context2(&format, NULL, NULL, path), path);
    AVStream *stream = avformat_new_stream(format, NULL);
    AVCodecContext *codec = open_encoder(format, form);
    check(avcodec_parameters_from_context(stream->codecpar, codec), path);
    stream->time_base = codec->time_base;
    if (!form->sound_only && !form->uneven)
        stream->avg_frame_rate = codec->framerate;
    if (form->quarter_turns)
        ask_to_turn(stream, form->quarter_turns);
    check(avio_open(&format->pb, path, AVIO_FLAG_WRITE), path);
    check(avformat_write_header(format, NULL), path);
    encode(format, codec, stream, form);
    check(av_write_trailer(format), path);
    avcodec_free_context(&codec);
    avio_closep(&format->pb);
    avformat_free_context(format);
}
