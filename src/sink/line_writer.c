#include "sink/line_writer.h"

#include <errno.h>

int line_writer_open(const char *path, bool force, line_writer *w, lanert_error *err)
{
    *w = (line_writer){.stream = stdout};
    if (!strcmp(path, "-"))
        return 0;
    int rc = file_writer_open(path, force, &w->file, err);
    w->stream = w->file.stream;
    return rc;
}

int line_writer_add(line_writer *w, const buffer *line, lanert_error *err)
{
    if (fwrite(line->data, 1, line->size, w->stream) == line->size && putc('\n', w->stream) != EOF &&
        (w->file.path || fflush(w->stream) == 0))
        return 0;
    return error_errno(err, LANERT_EIO, errno, "%s: cannot be written",
                       w->file.path ? w->file.path : "standard output");
}

int line_writer_finish(line_writer *w, lanert_error *err)
{
    int rc = w->file.path ? file_writer_commit(&w->file, err) : 0;
    w->stream = NULL;
    return rc;
}

void line_writer_close(line_writer *w)
{
    file_writer_close(&w->file);
    w->stream = NULL;
}
