/* source.h - one vtable for everything that pictures come from. A source is one file,
 * source_<kind>.c, with one table of this form. */
#ifndef FRAME_SOURCE_H
#define FRAME_SOURCE_H

#include "frame/picture.h"

typedef struct source_ops {
    const char *name;
    /* `spec` as the user wrote it. Fills in what it knows of info, which comes zeroed but for frames: -1; a name
     * left NULL becomes the spec. */
    int (*open)(const char *spec, void **self, lanert_source_info *info, lanert_error *err);
    /* The next picture into p (resized as needed), with its index, time_s and name. LANERT_END after the last.
     * After a failure of one picture among many, the next call goes on with the next picture; after that of a
     * video, it is LANERT_END. */
    int (*read)(void *self, picture *p, lanert_error *err);
    /* Makes a read that waits, and those after it, return LANERT_END soon (within 0.2 s); called from
     * another thread, so atomic. NULL for sources that never wait. */
    void (*interrupt)(void *self);
    /* As lanert_source_damage. NULL where all is sound or refused. */
    const lanert_damage *(*damage)(const void *self);
    void (*close)(void *self);
} source_ops;

/* As lanert_source_open, of a kind that is known. */
int source_open_as(const char *spec, const source_ops *ops, lanert_source **source, lanert_error *err);

/* The next picture into the caller's own memory; lanert_source_read reads into the source's. */
int source_read_into(lanert_source *source, picture *p, lanert_error *err);

/* Ends a source from another thread: see the ops. A video on standard input must not hang in read(2): its
 * bytes come through a callback that polls. */
void source_interrupt(lanert_source *source);

#endif
