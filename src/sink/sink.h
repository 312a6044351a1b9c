/* sink.h - one vtable for everything that results go to. A sink is one file, sink_<kind>.c, with one
 * table of this form (culane and llamas, which differ in their text only, share sink_lines.c); sink.c picks it by
 * format or by name and checks arguments once, for all. */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "base/error.h"

typedef struct sink_ops {
    const char *format; /* "video", "pictures", "culane", "tusimple", "llamas", "jsonl" */
    int (*open)(const char *path, const lanert_sink_options *options, void **self, lanert_error *err);
    int (*write)(void *self, const lanert_frame *frame, const lanert_result *result, lanert_error *err);
    int (*finish)(void *self, lanert_error *err); /* completes the files; only close follows */
    const char *(*encoder)(const void *self);     /* as lanert_sink_encoder; NULL where there never is one */
    void (*close)(void *self);
} sink_ops;

extern const sink_ops sink_video, sink_pictures, sink_culane, sink_tusimple, sink_llamas, sink_jsonl;

#endif
