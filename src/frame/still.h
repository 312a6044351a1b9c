/* still.h - single pictures read from files. JPEG and PNG are read; a file's first bytes say which it is, not
 * its name. */
#ifndef FRAME_STILL_H
#define FRAME_STILL_H

#include "frame/picture.h"

/* Larger files are refused. */
#define STILL_MAX_BYTES ((size_t)512 << 20)

typedef enum still_kind {
    STILL_NONE = 0, /* not a picture */
    STILL_JPEG,
    STILL_PNG,
    STILL_FOREIGN, /* a picture of a kind that is not read */
} still_kind;

/* What a file begins as. *what: the kind's name, static, NULL for STILL_NONE. LANERT_ENOTFOUND, LANERT_EIO. */
int still_probe(const char *path, still_kind *kind, const char **what, lanert_error *err);

/* Memory kept from picture to picture. Zero-initialise. */
typedef struct still_reader {
    uint8_t *bytes;
    size_t capacity;
    picture unturned; /* where EXIF's orientation has to be applied */
} still_reader;

/* Reads a picture as OpenCV's imread(path) does, EXIF's orientation applied, into p's pixels; its other fields
 * are left alone. LANERT_ENOTFOUND, LANERT_EIO, LANERT_EFORMAT, LANERT_EUNSUPPORTED, LANERT_ELIMIT. */
int still_read(still_reader *r, const char *path, picture *p, lanert_error *err);
void still_reader_free(still_reader *r);

#endif
