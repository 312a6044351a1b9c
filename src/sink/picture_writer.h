/* picture_writer.h - a canvas written as a JPEG or PNG picture. */
#ifndef SINK_PICTURE_WRITER_H
#define SINK_PICTURE_WRITER_H

#include <stdio.h>

#include "sink/canvas.h"

/* Writes the picture to a stream, which stays open. `name` is what messages call it. LANERT_EIO. */
typedef int picture_writer(FILE *stream, const char *name, const canvas *picture, lanert_error *err);

picture_writer jpeg_write, png_write;

#endif
