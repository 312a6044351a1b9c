/* source_kinds.h - the kinds of source there are. */
#ifndef FRAME_SOURCE_KINDS_H
#define FRAME_SOURCE_KINDS_H

#include "frame/source.h"

extern const source_ops source_stills; /* source_stills.c: a picture, folder, pattern or list */
/* What open is for a spec, for pictures by their paths. */
int source_stills_open_paths(const char *const *paths, size_t count, void **self, lanert_source_info *info,
                             lanert_error *err);
extern const source_ops source_video;     /* source_video.c: whatever FFmpeg opens */
extern const source_ops source_synthetic; /* source_synthetic.c: "synthetic:…" */

#endif
