/* stream_facts.h - what a container says of one of its videos. */
#ifndef FRAME_STREAM_FACTS_H
#define FRAME_STREAM_FACTS_H

#include <stdbool.h>

#include <libavformat/avformat.h>

typedef struct stream_facts {
    int orientation; /* as EXIF's, 1 to 8, from the display matrix */
    double rate;     /* frames a second; a guess where nothing is said */
    int64_t frames;  /* -1: not known */
    double stated_s; /* how long a header says that it is; 0: none does */
    /* Of a file, also one behind http://: it can be fetched at any pace, and nothing of it is to be lost. */
    bool ends;
} stream_facts;

stream_facts stream_facts_read(const AVFormatContext *format, const AVStream *stream);

#endif
