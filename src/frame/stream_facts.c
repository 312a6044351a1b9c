#include "frame/stream_facts.h"

#include <math.h>

#include <libavutil/avstring.h>
#include <libavutil/parseutils.h>

#include "base/memory.h"
#include "frame/display_matrix.h"

/* Of a stream that does not say; and a rate over MAX_RATE is a time base misread as one. */
#define DEFAULT_RATE 25.0
#define MAX_RATE 1000.0

static const uint8_t *display_matrix(const AVStream *stream)
{
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    const AVPacketSideData *side = av_packet_side_data_get(
        stream->codecpar->coded_side_data, stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    return side && side->size >= 9 * sizeof(int32_t) ? side->data : NULL;
#else
    size_t size = 0;
    const uint8_t *data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return data && size >= 9 * sizeof(int32_t) ? data : NULL;
#endif
}

static int orientation_of(const AVStream *stream)
{
    const uint8_t *data = display_matrix(stream);
    int32_t matrix[9];
    if (!data)
        return 1;
    memcpy(matrix, data, sizeof matrix);
    return display_matrix_orientation(matrix);
}

static double rate_of(const AVStream *stream)
{
    AVRational rates[] = {stream->avg_frame_rate, stream->r_frame_rate};
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        double rate = rates[i].den ? av_q2d(rates[i]) : 0;
        if (rate > 0 && rate <= MAX_RATE)
            return rate;
    }
    return DEFAULT_RATE;
}

static int64_t frames_of(const AVFormatContext *format, const AVStream *stream, double rate)
{
    double seconds = stream->duration > 0   ? (double)stream->duration * av_q2d(stream->time_base)
                     : format->duration > 0 ? (double)format->duration / AV_TIME_BASE
                                            : 0;
    double frames = seconds * rate;
    if (stream->nb_frames > 0)
        return stream->nb_frames;
    return frames >= 1 && frames < 1e15 ? llround(frames) : -1;
}

/* What a header states, not what was made out from the file's end. The whole file may be longer than its video. */
static double stated_s(const AVFormatContext *format, const AVStream *stream)
{
    const AVDictionaryEntry *tag = av_dict_get(stream->metadata, "DURATION", NULL, 0); /* Matroska's */
    int64_t duration_us = format->nb_streams == 1 ? format->duration : 0;
    if (format->duration_estimation_method != AVFMT_DURATION_FROM_STREAM)
        return 0;
    if (stream->duration > 0)
        return (double)stream->duration * av_q2d(stream->time_base);
    if (tag && av_parse_time(&duration_us, tag->value, 1) < 0)
        return 0;
    return duration_us > 0 ? (double)duration_us / AV_TIME_BASE : 0;
}

/* Of a list of pieces the size says nothing, but a live one gives no duration. */
static bool has_end(const AVFormatContext *format)
{
    if (av_match_name(format->iformat->name, "hls,dash"))
        return format->duration > 0;
    return format->pb && avio_size(format->pb) > 0;
}

stream_facts stream_facts_read(const AVFormatContext *format, const AVStream *stream)
{
    double rate = rate_of(stream);
    return (stream_facts){.orientation = orientation_of(stream),
                          .rate = rate,
                          .frames = frames_of(format, stream, rate),
                          .stated_s = stated_s(format, stream),
                          .ends = has_end(format)};
}
