/* line_writer.h - lines of text, to standard output at once or to a file that appears whole. */
#ifndef SINK_LINE_WRITER_H
#define SINK_LINE_WRITER_H

#include "base/file.h"

/* Zero-initialise. */
typedef struct line_writer {
    FILE *stream;     /* file.stream or stdout */
    file_writer file; /* unused for standard output */
} line_writer;

/* `path` "-" is standard output. Otherwise as file_writer_open. */
int line_writer_open(const char *path, bool force, line_writer *w, lanert_error *err);
/* Writes `line` and a newline. On standard output it is out when the call returns. LANERT_EIO, with the file's
 * name and the system's reason, where it cannot be written; a caller that writes to pipes ignores SIGPIPE. */
int line_writer_add(line_writer *w, const buffer *line, lanert_error *err);
/* Puts the file in its place. */
int line_writer_finish(line_writer *w, lanert_error *err);
/* Throws away a file that was not finished. */
void line_writer_close(line_writer *w);

#endif
