/* buffer.h - bytes that grow, up to a bound. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/memory.h"

/* Zero-initialise, set `limit` (0: 1 GiB), free with buffer_free. `data` is always followed by a NUL, so
 * that text may be used as a string; NULL while empty. */
typedef struct buffer {
    char *data;
    size_t size, capacity, limit;
} buffer;

int buffer_add(buffer *b, const void *bytes, size_t n, lanert_error *err);
int buffer_text(buffer *b, const char *text, lanert_error *err);
int buffer_format(buffer *b, lanert_error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
void buffer_clear(buffer *b); /* keeps the memory */
void buffer_free(buffer *b);

#endif
