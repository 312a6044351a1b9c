/* source_kinds.h - the kinds of source there are. */
#ifndef FRAME_SOURCE_KINDS_H
#define FRAME_SOURCE_KINDS_H

#include "frame/source.h"

extern const source_ops source_stills;    /* source_stills.c: a picture, folder, pattern or list */
extern const source_ops source_video;     /* source_video.c: whatever FFmpeg opens */
extern const source_ops source_synthetic; /* source_synthetic.c: "synthetic:…" */

#endif
