/* video_writer.h - canvases encoded into a video file: H.264 where FFmpeg has an encoder of it. */
#ifndef SINK_VIDEO_WRITER_H
#define SINK_VIDEO_WRITER_H

#include "sink/canvas.h"

typedef struct video_writer video_writer;

/* FFmpeg's name of the container that the path's extension asks for (.mp4, .m4v, .mov, .mkv); NULL for any
 * other. */
const char *video_writer_container(const char *path);

typedef struct video_writer_options {
    const char *file;      /* written to; borrowed during open */
    const char *name;      /* what messages call it; borrowed until close */
    const char *container; /* of video_writer_container */
    int width, height;     /* even */
    double rate;           /* frames a second; a hint where times vary; 0: 25, FFmpeg's own for stills */
    const char *encoder;   /* FFmpeg's name of it; NULL: the first that is there of those below */
} video_writer_options;

/* Encoders are tried in this order: libx264, libopenh264, mpeg4 (MPEG-4 part 2, which every FFmpeg has).
 * LANERT_EUNSUPPORTED where none opens. Turns FFmpeg's own log, of which there is one a process, off. */
int video_writer_open(const video_writer_options *options, video_writer **writer, lanert_error *err);

/* FFmpeg's name of the encoder that was opened. */
const char *video_writer_encoder(const video_writer *w);

/* A canvas of even sides. Of another size than the video's it is fitted in, with black bars where the shape
 * differs. Times (seconds) that do not rise are replaced by the rate's steps. LANERT_EIO, such as a full
 * disk. */
int video_writer_add(video_writer *w, const canvas *picture, double time_s, lanert_error *err);

/* Writes what the encoder holds back and the index, which goes to the front. */
int video_writer_finish(video_writer *w, lanert_error *err);
void video_writer_close(video_writer **writer);

#endif
