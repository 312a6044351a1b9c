#include "base/buffer.h"

#include <stdarg.h>

#define DEFAULT_LIMIT ((size_t)1 << 30)

/* Room for n more bytes and the NUL behind them. */
static int reserve(buffer *b, size_t n, lanert_error *err)
{
    size_t limit = b->limit ? b->limit : DEFAULT_LIMIT;
    if (n > limit || b->size > limit - n)
        return error_set(err, LANERT_ELIMIT, "a buffer would grow over its limit of %zu bytes", limit);
    return memory_grow(&b->data, &b->capacity, b->size + n + 1, 1, err);
}

int buffer_add(buffer *b, const void *bytes, size_t n, lanert_error *err)
{
    int rc = reserve(b, n, err);
    if (rc)
        return rc;
    if (n)
        memcpy(b->data + b->size, bytes, n);
    b->size += n;
    b->data[b->size] = '\0';
    return 0;
}

int buffer_text(buffer *b, const char *text, lanert_error *err)
{
    return buffer_add(b, text, strlen(text), err);
}

int buffer_format(buffer *b, lanert_error *err, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    int rc = n < 0 ? error_set(err, LANERT_EINVAL, "text could not be formatted") : reserve(b, (size_t)n, err);
    if (!rc) {
        vsnprintf(b->data + b->size, (size_t)n + 1, format, again);
        b->size += (size_t)n;
    }
    va_end(again);
    va_end(args);
    return rc;
}

void buffer_clear(buffer *b)
{
    b->size = 0;
    if (b->data)
        b->data[0] = '\0';
}

void buffer_free(buffer *b)
{
    FREE(b->data);
    b->size = b->capacity = 0;
}
